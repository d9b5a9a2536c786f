// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots: two sets per address space, of which readers see one; changes are
 * made to the other, which is then swapped in.  Mirrors the memslot code of
 * virt/kvm/kvm_main.c; what x86 adds is in memslot_arch.c.
 */
#include "memslot.h"

#include "dirty_log.h"
#include "zap.h"

static struct kvm_memslots *kvm_get_inactive_memslots(struct kvm *kvm, int as_id)
{
	return &kvm->__memslots[as_id][__kvm_memslots(kvm, as_id)->node_idx ^ 1];
}

static void slot_node_init(struct slot_node *node, const struct kvm_memory_slot *slot, u64 start,
			   u64 nr)
{
	node->start = start;
	node->last = start + nr - 1;
	node->tie = slot->id;
}

/*
 * In the set that is not active, @new takes the place of @old; without @old it is
 * added, without @new @old is removed.
 */
static void kvm_replace_memslot(struct kvm *kvm, struct kvm_memory_slot *old,
				struct kvm_memory_slot *new)
{
	struct kvm_memslots *slots = kvm_get_inactive_memslots(kvm, old ? old->as_id : new->as_id);
	int idx = slots->node_idx;

	if (old) {
		slot_tree_remove(&slots->id_tree, &old->id_node[idx]);
		slot_tree_remove(&slots->hvn_tree, &old->hvn_node[idx]);
		slot_tree_remove(&slots->gfn_tree, &old->gfn_node[idx]);
		if (READ_ONCE(slots->last_used_slot) == old)
			WRITE_ONCE(slots->last_used_slot, new);
	}
	if (!new)
		return;

	slot_node_init(&new->id_node[idx], new, new->id, 1);
	slot_node_init(&new->hvn_node[idx], new, new->hvn, new->npages);
	slot_node_init(&new->gfn_node[idx], new, new->base_gfn, new->npages);
	slot_tree_insert(&slots->id_tree, &new->id_node[idx]);
	slot_tree_insert(&slots->hvn_tree, &new->hvn_node[idx]);
	slot_tree_insert(&slots->gfn_tree, &new->gfn_node[idx]);
}

/*
 * Readers get the other set.  Enters with slots_arch_lock held and drops it, since
 * a reader inside its SRCU section may want it while this waits for the reader.
 */
static void kvm_swap_active_memslots(struct kvm *kvm, int as_id)
{
	struct kvm_memslots *slots = kvm_get_inactive_memslots(kvm, as_id);
	u64 gen = READ_ONCE(__kvm_memslots(kvm, as_id)->generation);

	WARN_ON(gen & KVM_MEMSLOT_GEN_UPDATE_IN_PROGRESS);
	WRITE_ONCE(slots->generation, gen | KVM_MEMSLOT_GEN_UPDATE_IN_PROGRESS);

	/* An invalidation must find at its end the slots that it found at its start. */
	spin_lock(&kvm->mn_invalidate_lock);
	while (kvm->mn_active_invalidate_count) {
		spin_unlock(&kvm->mn_invalidate_lock);
		cpu_relax();
		spin_lock(&kvm->mn_invalidate_lock);
	}
	rcu_assign_pointer(kvm->memslots[as_id], slots);
	spin_unlock(&kvm->mn_invalidate_lock);

	mutex_unlock(&kvm->slots_arch_lock);
	synchronize_srcu(&kvm->srcu);

	/*
	 * Address spaces share the number space, so that no two sets ever have the same generation.
	 */
	gen += KVM_MAX_NR_ADDRESS_SPACES;
	kvm_arch_memslots_updated(kvm, gen);
	WRITE_ONCE(slots->generation, gen);
}

/* Swap the sets, then bring the one that readers have left up to date. */
static void kvm_activate_memslot(struct kvm *kvm, struct kvm_memory_slot *old,
				 struct kvm_memory_slot *new)
{
	kvm_swap_active_memslots(kvm, old ? old->as_id : new->as_id);
	kvm_replace_memslot(kvm, old, new);
}

static void kvm_copy_memslot(struct kvm_memory_slot *dest, const struct kvm_memory_slot *src)
{
	dest->id = src->id;
	dest->as_id = src->as_id;
	dest->flags = src->flags;
	dest->base_gfn = src->base_gfn;
	dest->npages = src->npages;
	dest->hvn = src->hvn;
	dest->dirty_bitmap = src->dirty_bitmap;
	dest->arch = src->arch;
}

/*
 * Readers now find @old marked INVALID (as @invalid_slot) and fault no more of it
 * in; what they had mapped goes.  @old stays in the inactive set, for a way back.
 */
static void kvm_invalidate_memslot(struct kvm *kvm, struct kvm_memory_slot *old,
				   struct kvm_memory_slot *invalid_slot)
{
	kvm_copy_memslot(invalid_slot, old);
	invalid_slot->flags |= KVM_MEMSLOT_INVALID;
	kvm_replace_memslot(kvm, old, invalid_slot);
	kvm_swap_active_memslots(kvm, old->as_id);
	kvm_arch_flush_shadow_memslot(kvm, old);

	mutex_lock(&kvm->slots_arch_lock);
	/* While that lock was free, somebody may have given the active slot arch data. */
	old->arch = invalid_slot->arch;
}

static int kvm_prepare_memory_region(struct kvm *kvm, const struct kvm_memory_slot *old,
				     struct kvm_memory_slot *new, enum kvm_mr_change change)
{
	int r;

	if (change != KVM_MR_DELETE) {
		if (!(new->flags &KVM_MEM_LOG_DIRTY_PAGES)) {
			new->dirty_bitmap = NULL;
		} else if (old && old->dirty_bitmap) {
			new->dirty_bitmap = old->dirty_bitmap;
		} else {
			r = kvm_alloc_dirty_bitmap(kvm, new);
			if (r)
				return r;
		}
	}

	r = kvm_arch_prepare_memory_region(kvm, old, new, change);
	if (r && new && new->dirty_bitmap && (!old || !old->dirty_bitmap))
		kvm_destroy_dirty_bitmap(new);
	return r;
}

static void kvm_commit_memory_region(struct kvm *kvm, struct kvm_memory_slot *old,
				     const struct kvm_memory_slot *new, enum kvm_mr_change change)
{
	u32 old_flags = old ? old->flags : 0;
	u32 new_flags = new ? new->flags : 0;

	if (change == KVM_MR_DELETE)
		kvm->nr_memslot_pages -= old->npages;
	else if (change == KVM_MR_CREATE)
		kvm->nr_memslot_pages += new->npages;

	if ((old_flags ^ new_flags) & KVM_MEM_LOG_DIRTY_PAGES)
		atomic64_add(new_flags & KVM_MEM_LOG_DIRTY_PAGES ? 1 : -1,
			     &kvm->nr_memslots_dirty_logging);

	kvm_arch_commit_memory_region(kvm, old, new, change);

	if (change == KVM_MR_DELETE) {
		kvm_free_memslot(old);
	} else if (old) {
		/*
		 * The bitmap and the arch data live on in @new, but for a bitmap that it does not
		 * want.
		 */
		if (!new->dirty_bitmap)
			kvm_destroy_dirty_bitmap(old);
		kfree(old);
	}
}

/* Enters with slots_lock held. */
static int kvm_set_memslot(struct kvm *kvm, struct kvm_memory_slot *old,
			   struct kvm_memory_slot *new, enum kvm_mr_change change)
{
	bool invalidate = change == KVM_MR_DELETE || change == KVM_MR_MOVE;
	struct kvm_memory_slot *invalid_slot = NULL;
	int r;

	/* Dropped by kvm_swap_active_memslots(). */
	mutex_lock(&kvm->slots_arch_lock);

	if (invalidate) {
		invalid_slot = kzalloc(sizeof(*invalid_slot));
		if (!invalid_slot) {
			mutex_unlock(&kvm->slots_arch_lock);
			return -ENOMEM;
		}
		kvm_invalidate_memslot(kvm, old, invalid_slot);
	}

	r = kvm_prepare_memory_region(kvm, old, new, change);
	if (r) {
		/* The inactive set still has @old: swapping it in again undoes the invalidation. */
		if (invalidate)
			kvm_activate_memslot(kvm, invalid_slot, old);
		else
			mutex_unlock(&kvm->slots_arch_lock);
		kfree(invalid_slot);
		return r;
	}

	kvm_replace_memslot(kvm, old, new);
	kvm_activate_memslot(kvm, invalidate ? invalid_slot : old, new);
	kfree(invalid_slot);

	kvm_commit_memory_region(kvm, old, new, change);
	return 0;
}

static bool kvm_check_memslot_overlap(struct kvm_memslots *slots, u16 id, gfn_t start, gfn_t end)
{
	struct kvm_memory_slot *slot;

	kvm_for_each_memslot_in_gfn_range(slot, slots, start, end) {
		if (slot->id != id)
			return true;
	}
	return false;
}

static int kvm_check_memory_region(const struct tdp_memory_region *region)
{
	if (region->flags & ~(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY))
		return -EINVAL;
	if (region->slot >> 16 >= KVM_MAX_NR_ADDRESS_SPACES ||
	    (u16)region->slot >= KVM_USER_MEM_SLOTS)
		return -EINVAL;
	if (region->npages > KVM_MEM_MAX_NR_PAGES)
		return -EINVAL;
	/* Byte addresses, guest and host, must fit in 64 bits. */
	if (region->base_gfn > KVM_MAX_FRAME - region->npages ||
	    region->hvn > KVM_MAX_FRAME - region->npages)
		return -EINVAL;
	return 0;
}

static int kvm_classify_change(const struct kvm_memory_slot *old,
			       const struct tdp_memory_region *region)
{
	if (!old)
		return KVM_MR_CREATE;
	if (region->hvn != old->hvn || region->npages != old->npages ||
	    ((region->flags ^ old->flags) & KVM_MEM_READONLY))
		return -EINVAL;
	if (region->base_gfn != old->base_gfn)
		return KVM_MR_MOVE;
	return KVM_MR_FLAGS_ONLY;
}

static int __kvm_set_memory_region(struct kvm *kvm, const struct tdp_memory_region *region)
{
	int as_id = region->slot >> 16, change, r;
	struct kvm_memslots *slots = __kvm_memslots(kvm, as_id);
	struct kvm_memory_slot *old, *new;
	u16 id = region->slot;

	old = id_to_memslot(slots, id);
	if (!region->npages)
		return old ? kvm_set_memslot(kvm, old, NULL, KVM_MR_DELETE) : -EINVAL;

	change = kvm_classify_change(old, region);
	if (change < 0)
		return change;
	if (change == KVM_MR_FLAGS_ONLY && region->flags == old->flags)
		return 0;
	if (change != KVM_MR_FLAGS_ONLY &&
	    kvm_check_memslot_overlap(slots, id, region->base_gfn,
				      region->base_gfn + region->npages))
		return -EEXIST;

	new = kzalloc(sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->as_id = as_id;
	new->id = id;
	new->flags = region->flags;
	new->base_gfn = region->base_gfn;
	new->npages = region->npages;
	new->hvn = region->hvn;

	r = kvm_set_memslot(kvm, old, new, change);
	if (r)
		kfree(new);
	return r;
}

/**
 * kvm_set_memory_region() - create, delete, move or change the flags of a slot
 * @kvm: the VM
 * @region: what the slot shall be; npages 0 deletes it. An existing slot keeps its size, its host
 *	pages and whether it is read-only
 *
 * A slot that is deleted or moved is first replaced by an INVALID copy and zapped.
 * Waits until readers have left the old slots, and until no invalidation is between
 * its start and its end: the caller must not be in either.
 * Mirrors kvm_set_memory_region(), __kvm_set_memory_region() and kvm_set_memslot().
 *
 * Context: takes slots_lock, slots_arch_lock, mmu_lock.
 * Return: 0; -EINVAL for an argument that KVM refuses (also deletion of a slot that is not there,
 *	and a move while write tracking is in use); -EEXIST if another slot of the address space
 *	overlaps; -ENOMEM, and the slots are as before, though a slot that was to be deleted or
 *	moved may have lost its mappings.
 */
int kvm_set_memory_region(struct kvm *kvm, const struct tdp_memory_region *region)
{
	int r;

	if (!kvm || !region)
		return -EINVAL;
	r = kvm_check_memory_region(region);
	if (r)
		return r;

	mutex_lock(&kvm->slots_lock);
	r = __kvm_set_memory_region(kvm, region);
	mutex_unlock(&kvm->slots_lock);
	return r;
}

/**
 * kvm_memslots_generation() - generation of the slots that readers see now
 * @kvm: the VM
 * @as_id: address space, 0 or 1
 *
 * Return: the generation, with bit 63 set while an update is in progress; 0 for bad arguments.
 */
u64 kvm_memslots_generation(struct kvm *kvm, int as_id)
{
	if (!kvm || as_id < 0 || as_id >= KVM_MAX_NR_ADDRESS_SPACES)
		return 0;
	return READ_ONCE(__kvm_memslots(kvm, as_id)->generation);
}

/**
 * kvm_init_memslots() - empty sets for a new VM
 * @kvm: the VM
 * @generation: of address space 0; the others follow by one each. Mirrors kvm_create_vm()
 */
void kvm_init_memslots(struct kvm *kvm, u64 generation)
{
	int i, j;

	for (i = 0; i < KVM_MAX_NR_ADDRESS_SPACES; i++) {
		for (j = 0; j < 2; j++) {
			kvm->__memslots[i][j].generation = generation + i;
			kvm->__memslots[i][j].node_idx = j;
		}
		kvm->memslots[i] = &kvm->__memslots[i][0];
	}
}

/**
 * kvm_free_memslot() - free a slot that is in no set any more
 * @slot: the slot, with its dirty bitmap and its arch data
 */
void kvm_free_memslot(struct kvm_memory_slot *slot)
{
	kvm_destroy_dirty_bitmap(slot);
	kvm_arch_free_memslot(slot);
	kfree(slot);
}

/**
 * kvm_free_memslots() - free every slot of a VM that is being destroyed
 * @kvm: the VM; nobody else uses it
 *
 * Mirrors kvm_free_memslots(): both sets hold the same slots, so one is emptied.
 */
void kvm_free_memslots(struct kvm *kvm)
{
	struct kvm_memory_slot *slot;
	struct kvm_memslots *slots;
	int i;

	for (i = 0; i < KVM_MAX_NR_ADDRESS_SPACES; i++) {
		slots = &kvm->__memslots[i][1];
		while (slots->id_tree) {
			slot = container_of(slots->id_tree, struct kvm_memory_slot, id_node[1]);
			slot_tree_remove(&slots->id_tree, &slot->id_node[1]);
			kvm_free_memslot(slot);
		}
	}
}

static struct kvm_memory_slot *search_memslots(struct kvm_memslots *slots, gfn_t gfn)
{
	return gfn_node_slot(slots, slot_tree_first(slots->gfn_tree, gfn, gfn));
}

/**
 * __gfn_to_memslot() - which slot a gfn is in
 * @slots: a set that readers may see
 * @gfn: guest frame
 *
 * Context: SRCU read section, or slots_lock held.
 * Return: the slot (maybe INVALID), or NULL.
 */
struct kvm_memory_slot *__gfn_to_memslot(struct kvm_memslots *slots, gfn_t gfn)
{
	struct kvm_memory_slot *slot = READ_ONCE(slots->last_used_slot);

	if (memslot_has_gfn(slot, gfn))
		return slot;
	slot = search_memslots(slots, gfn);
	if (slot)
		WRITE_ONCE(slots->last_used_slot, slot);
	return slot;
}

/**
 * kvm_vcpu_gfn_to_memslot() - which slot of the vCPU's address space a gfn is in
 * @vcpu: the vCPU, whose thread this is
 * @gfn: guest frame
 *
 * The vCPU's own cache is good for one generation of slots.
 *
 * Context: SRCU read section.
 * Return: the slot (maybe INVALID), or NULL.
 */
struct kvm_memory_slot *kvm_vcpu_gfn_to_memslot(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	struct kvm_memslots *slots = kvm_vcpu_memslots(vcpu);
	u64 gen = READ_ONCE(slots->generation);
	struct kvm_memory_slot *slot;

	if (gen != vcpu->last_used_slot_gen) {
		vcpu->last_used_slot = NULL;
		vcpu->last_used_slot_gen = gen;
	}
	if (memslot_has_gfn(vcpu->last_used_slot, gfn))
		return vcpu->last_used_slot;

	slot = search_memslots(slots, gfn);
	if (slot)
		vcpu->last_used_slot = slot;
	return slot;
}
