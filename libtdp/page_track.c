// SPDX-License-Identifier: GPL-2.0-only
/*
 * Write tracking: no vCPU writes a tracked gfn without KVM knowing.  Mirrors
 * arch/x86/kvm/mmu/page_track.c, with the calls of <tdp/tdp.h> as its only user.
 */
#include "page_track.h"

#include "memslot.h"
#include "mmu_calls.h"
#include "mmu_internal.h"

/* Acquire: whoever sees it sees every slot's counters. */
static bool kvm_page_track_write_tracking_enabled(struct kvm *kvm)
{
	return smp_load_acquire(&kvm->arch.external_write_tracking_enabled);
}

/**
 * kvm_page_track_has_external_user() - is any gfn tracked?
 * @kvm: the VM
 *
 * Slots must not be moved then: the counters would not move with them.
 */
bool kvm_page_track_has_external_user(struct kvm *kvm)
{
	return READ_ONCE(kvm->arch.nr_write_tracked) != 0;
}

/**
 * kvm_page_track_free_memslot() - free a slot's counters
 * @slot: the slot
 */
void kvm_page_track_free_memslot(struct kvm_memory_slot *slot)
{
	kfree(slot->arch.gfn_write_track);
	slot->arch.gfn_write_track = NULL;
}

static int kvm_page_track_write_tracking_alloc(struct kvm_memory_slot *slot)
{
	struct kvm_write_track *track = slot->arch.gfn_write_track;

	if (!track)
		track = kvcalloc(1, sizeof(*track) + slot->npages * sizeof(track->count[0]));
	slot->arch.gfn_write_track = track;
	return track ? 0 : -ENOMEM;
}

/**
 * kvm_page_track_create_memslot() - a new slot's counters, if the VM uses write tracking
 * @kvm: the VM
 * @slot: the slot
 *
 * Context: slots_arch_lock held.
 * Return: 0 or -ENOMEM.
 */
int kvm_page_track_create_memslot(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	return kvm_page_track_write_tracking_enabled(kvm) ?
		       kvm_page_track_write_tracking_alloc(slot) :
		       0;
}

/**
 * kvm_page_track_delete_slot() - a slot is going away, and what is tracked in it
 * @kvm: the VM
 * @slot: the slot, which nobody can find any more
 *
 * Context: slots_lock held; takes mmu_lock if anything is tracked.
 */
void kvm_page_track_delete_slot(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	const struct kvm_write_track *track = slot->arch.gfn_write_track;

	if (!track || !track->nr)
		return;
	write_lock(&kvm->mmu_lock);
	WRITE_ONCE(kvm->arch.nr_write_tracked, kvm->arch.nr_write_tracked - track->nr);
	write_unlock(&kvm->mmu_lock);
}

/*
 * The first user makes every slot have counters.  Those that were made before one
 * could not be stay: they are found again by the next attempt, or freed with the slot.
 */
static int kvm_enable_external_write_tracking(struct kvm *kvm)
{
	struct kvm_memory_slot *slot;
	struct kvm_memslots *slots;
	int i, r = 0;

	if (kvm_page_track_write_tracking_enabled(kvm))
		return 0;

	mutex_lock(&kvm->slots_arch_lock);
	for (i = 0; i < KVM_MAX_NR_ADDRESS_SPACES; i++) {
		slots = __kvm_memslots(kvm, i);
		kvm_for_each_memslot(slot, slots) {
			r = kvm_page_track_write_tracking_alloc(slot);
			if (r)
				goto unlock;
		}
	}
	smp_store_release(&kvm->arch.external_write_tracking_enabled, true);
unlock:
	mutex_unlock(&kvm->slots_arch_lock);
	return r;
}

static int update_gfn_write_track(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn,
				  int count)
{
	struct kvm_write_track *track = slot->arch.gfn_write_track;
	u64 index = gfn - slot->base_gfn;

	if (count < 0 && !track->count[index])
		return -EINVAL;
	if (count > 0 && track->count[index] == UINT16_MAX)
		return -EBUSY;

	WRITE_ONCE(track->count[index], track->count[index] + count);
	track->nr += count;
	WRITE_ONCE(kvm->arch.nr_write_tracked, kvm->arch.nr_write_tracked + count);
	return 0;
}

/*
 * The counter comes before the zap of W: a fault that maps the gfn after that sees
 * it.  Huge pages are out too, since they would be writable as a whole or not at all.
 */
static int __kvm_write_track_add_gfn(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn)
{
	int r;

	lockdep_assert_held_write(&kvm->mmu_lock);

	r = update_gfn_write_track(kvm, slot, gfn, 1);
	if (r)
		return r;
	kvm_mmu_gfn_disallow_lpage(slot, gfn);
	if (__kvm_mmu_slot_gfn_write_protect(kvm, slot, gfn, PG_LEVEL_4K))
		kvm_flush_remote_tlbs(kvm);
	return 0;
}

static int __kvm_write_track_remove_gfn(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn)
{
	int r;

	lockdep_assert_held_write(&kvm->mmu_lock);

	r = update_gfn_write_track(kvm, slot, gfn, -1);
	if (!r)
		kvm_mmu_gfn_allow_lpage(slot, gfn);
	return r;
}

static int kvm_write_track_gfn(struct kvm *kvm, u32 slot_id, gfn_t gfn,
			       int (*fn)(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn))
{
	struct kvm_memory_slot *slot;
	int idx, r = -EINVAL;

	idx = srcu_read_lock(&kvm->srcu);
	slot = kvm_find_memslot(kvm, slot_id);
	if (memslot_has_gfn(slot, gfn)) {
		write_lock(&kvm->mmu_lock);
		r = fn(kvm, slot, gfn);
		write_unlock(&kvm->mmu_lock);
	}
	srcu_read_unlock(&kvm->srcu, idx);
	return r;
}

/**
 * kvm_write_track_add_gfn() - writes to a gfn are tracked from now on
 * @kvm: the VM
 * @slot: as_id << 16 | id
 * @gfn: guest frame in the slot
 *
 * When this returns no vCPU can write the gfn through the slot's address space: a write makes
 * kvm_mmu_page_fault() return RET_PF_WRITE_PROTECTED. A mapping of it in the other address space
 * stays as it is; only new ones are not writable. Tracking counts: as many
 * kvm_write_track_remove_gfn() end it, or the slot's deletion. Mirrors kvm_write_track_add_gfn().
 *
 * Context: takes mmu_lock for writing; the first call slots_arch_lock.
 * Return: 0; -EINVAL if there is no such slot or gfn; -EBUSY if it is tracked 65535 times; -ENOMEM.
 */
int kvm_write_track_add_gfn(struct kvm *kvm, u32 slot, gfn_t gfn)
{
	int r;

	if (!kvm)
		return -EINVAL;
	r = kvm_enable_external_write_tracking(kvm);
	return r ? r : kvm_write_track_gfn(kvm, slot, gfn, __kvm_write_track_add_gfn);
}

/**
 * kvm_write_track_remove_gfn() - undo one kvm_write_track_add_gfn()
 * @kvm: the VM
 * @slot: as_id << 16 | id
 * @gfn: guest frame in the slot
 *
 * Mirrors kvm_write_track_remove_gfn().
 *
 * Context: takes mmu_lock for writing.
 * Return: 0; -EINVAL if there is no such slot or gfn, or it is not tracked.
 */
int kvm_write_track_remove_gfn(struct kvm *kvm, u32 slot, gfn_t gfn)
{
	if (!kvm || !kvm_page_track_write_tracking_enabled(kvm))
		return -EINVAL;
	return kvm_write_track_gfn(kvm, slot, gfn, __kvm_write_track_remove_gfn);
}

/*
 * A fault may hold a slot that another has replaced since. If write tracking came into use after that, only
 * the one in its place has counters; Linux 6.12 looks for those of the old one, which are not there.
 */
static const struct kvm_memory_slot *
slot_with_counters(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn)
{
	if (!slot || slot->arch.gfn_write_track)
		return slot;
	return __gfn_to_memslot(__kvm_memslots(kvm, slot->as_id), gfn);
}

static bool __kvm_gfn_is_write_tracked(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	return slot && READ_ONCE(slot->arch.gfn_write_track->count[gfn - slot->base_gfn]);
}

/**
 * kvm_gfn_is_write_tracked() - are writes to a gfn tracked, in either address space?
 * @kvm: the VM
 * @slot: that holds @gfn; NULL if none does
 * @gfn: guest frame
 *
 * Context: SRCU read section.
 */
bool kvm_gfn_is_write_tracked(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn)
{
	const struct kvm_memory_slot *other;

	if (!slot || !kvm_page_track_write_tracking_enabled(kvm))
		return false;
	if (__kvm_gfn_is_write_tracked(slot_with_counters(kvm, slot, gfn), gfn))
		return true;

	other = __gfn_to_memslot(__kvm_memslots(kvm, slot->as_id ^ 1), gfn);
	return __kvm_gfn_is_write_tracked(other, gfn);
}
