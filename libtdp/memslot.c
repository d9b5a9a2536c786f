// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots: two sets per address space, of which readers see one; changes are
 * made to the other, which is then swapped in.  Mirrors the memslot code of
 * virt/kvm/kvm_main.c; what x86 adds is in memslot_arch.c.
 */
#include "memslot.h"

#include "dirty_log.h"
#include "mmu_calls.h"

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
static void kvm_replace_memslot(struct kvm *kvm, int as_id, struct kvm_memory_slot *old,
				struct kvm_memory_slot *new)
{
	struct kvm_memslots *slots = kvm_get_inactive_memslots(kvm, as_id);
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
 * Take mn_invalidate_lock at a moment when no invalidation is between its start and its end: it must find
 * at its end the slots that it found at its start. Who ends the last one wakes us.
 */
static void kvm_lock_without_invalidations(struct kvm *kvm)
{
	struct rcuwait *wait = &kvm->mn_memslots_update_rcuwait;
	spinlock_t *lock = &kvm->mn_invalidate_lock;

	spin_lock(lock);
	for (prepare_to_rcuwait(wait); kvm->mn_active_invalidate_count; spin_lock(lock)) {
		/* Announced before the lock is dropped, lest the wake-up come in between. */
		set_current_state(TASK_UNINTERRUPTIBLE);
		spin_unlock(lock);
		schedule();
	}
	finish_rcuwait(wait);
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

	kvm_lock_without_invalidations(kvm);
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
static void kvm_activate_memslot(struct kvm *kvm, int as_id, struct kvm_memory_slot *old,
				 struct kvm_memory_slot *new)
{
	kvm_swap_active_memslots(kvm, as_id);
	kvm_replace_memslot(kvm, as_id, old, new);
}

/*
 * Readers now find the old slot marked INVALID and fault no more of it in; what they
 * had mapped goes.  The old slot itself stays in the inactive set, for a way back.
 */
static int kvm_invalidate_memslot(struct kvm *kvm, struct kvm_memslot_change *c)
{
	c->invalid = kzalloc(sizeof(*c->invalid));
	if (!c->invalid)
		return -ENOMEM;

	*c->invalid = *c->old;
	c->invalid->flags |= KVM_MEMSLOT_INVALID;
	kvm_replace_memslot(kvm, c->as_id, c->old, c->invalid);
	kvm_swap_active_memslots(kvm, c->as_id);
	kvm_arch_flush_shadow_memslot(kvm, c->old);

	/* Until that lock is ours again, somebody may have given the active slot arch data. */
	mutex_lock(&kvm->slots_arch_lock);
	c->old->arch = c->invalid->arch;
	return 0;
}

/* A bitmap for the new slot: the old one's, one of its own, or none. */
static int kvm_prepare_dirty_bitmap(struct kvm *kvm, const struct kvm_memslot_change *c)
{
	if (!c->new || !kvm_slot_dirty_track_enabled(c->new))
		return 0;
	if (!c->old || !c->old->dirty_bitmap)
		return kvm_alloc_dirty_bitmap(kvm, c->new);
	c->new->dirty_bitmap = c->old->dirty_bitmap;
	return 0;
}

/* All that can fail. */
static int kvm_prepare_memory_region(struct kvm *kvm, const struct kvm_memslot_change *c)
{
	int r = kvm_prepare_dirty_bitmap(kvm, c);

	if (r)
		return r;
	r = kvm_arch_prepare_memory_region(kvm, c);
	if (r && c->new && !(c->old && c->old->dirty_bitmap))
		kvm_destroy_dirty_bitmap(c->new);
	return r;
}

static void kvm_commit_memory_region(struct kvm *kvm, const struct kvm_memslot_change *c)
{
	int logging = kvm_memslot_logging_change(c);

	if (logging)
		atomic64_add(logging, &kvm->nr_memslots_dirty_logging);

	kvm_arch_commit_memory_region(kvm, c);

	if (!c->old)
		return;
	if (!c->new) {
		kvm_free_memslot(c->old);
		return;
	}
	/* Bitmap and arch data live on in the new slot, but for a bitmap that it does not want. */
	if (!c->new->dirty_bitmap)
		kvm_destroy_dirty_bitmap(c->old);
	kfree(c->old);
}

/*
 * Mirrors kvm_set_memslot().  slots_arch_lock is held from before the active set is
 * read until the new one is in place: kvm_swap_active_memslots() drops it.
 */
static int kvm_set_memslot(struct kvm *kvm, struct kvm_memslot_change *c)
{
	int r = 0;

	mutex_lock(&kvm->slots_arch_lock);

	if (c->kind == KVM_MR_DELETE || c->kind == KVM_MR_MOVE)
		r = kvm_invalidate_memslot(kvm, c);
	if (!r)
		r = kvm_prepare_memory_region(kvm, c);

	if (!r) {
		kvm_replace_memslot(kvm, c->as_id, c->old, c->new);
		kvm_activate_memslot(kvm, c->as_id, c->invalid ? c->invalid : c->old, c->new);
		kvm_commit_memory_region(kvm, c);
	} else if (c->invalid) {
		/* The inactive set still has the old slot: swap it in again. */
		kvm_activate_memslot(kvm, c->as_id, c->invalid, c->old);
	} else {
		mutex_unlock(&kvm->slots_arch_lock);
	}
	kfree(c->invalid);
	return r;
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
	if (!region->npages)
		return old ? KVM_MR_DELETE : -EINVAL;
	if (!old)
		return KVM_MR_CREATE;
	if (region->hvn != old->hvn || region->npages != old->npages ||
	    ((region->flags ^ old->flags) & KVM_MEM_READONLY))
		return -EINVAL;
	return region->base_gfn == old->base_gfn ? KVM_MR_FLAGS_ONLY : KVM_MR_MOVE;
}

static struct kvm_memory_slot *kvm_new_memslot(const struct tdp_memory_region *region)
{
	struct kvm_memory_slot *slot = kzalloc(sizeof(*slot));

	if (!slot)
		return NULL;
	slot->as_id = region->slot >> 16;
	slot->id = region->slot;
	slot->flags = region->flags;
	slot->base_gfn = region->base_gfn;
	slot->npages = region->npages;
	slot->hvn = region->hvn;
	return slot;
}

static int __kvm_set_memory_region(struct kvm *kvm, const struct tdp_memory_region *region)
{
	struct kvm_memslots *slots = __kvm_memslots(kvm, region->slot >> 16);
	struct kvm_memslot_change c = {
		.as_id = region->slot >> 16,
		.old = id_to_memslot(slots, region->slot),
	};
	gfn_t end = region->base_gfn + region->npages;
	int kind = kvm_classify_change(c.old, region), r;

	if (kind < 0)
		return kind;
	c.kind = kind;
	if (kind == KVM_MR_DELETE)
		return kvm_set_memslot(kvm, &c);

	if (kind == KVM_MR_FLAGS_ONLY) {
		if (region->flags == c.old->flags)
			return 0;
	} else if (kvm_check_memslot_overlap(slots, region->slot, region->base_gfn, end)) {
		return -EEXIST;
	}

	c.new = kvm_new_memslot(region);
	if (!c.new)
		return -ENOMEM;
	r = kvm_set_memslot(kvm, &c);
	if (r)
		kfree(c.new);
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
 *	overlaps; -ENOMEM. After an error the slots are as before, though one that was to be deleted
 *	or moved may have lost its mappings.
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
