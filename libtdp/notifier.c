// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMU notifiers: the host's memory management takes pages away, or asks whether they
 * were used.  Mirrors the kvm_mmu_notifier_*() part of virt/kvm/kvm_main.c.
 */
#include "notifier.h"

#include "memslot.h"

/* Whether aging does without mmu_lock, and without flushes: Linux 6.13 and later on x86. */
#ifndef KVM_MMU_LOCKLESS_AGING
#define KVM_MMU_LOCKLESS_AGING 0
#endif

/**
 * struct kvm_mmu_notifier_range - what to do with the slots behind a range of host pages
 * @start: first host page
 * @end: first host page after it
 * @handler: called for the part of each slot, with mmu_lock held for writing unless @lockless; true
 *	if a flush is owed or a page is young. NULL: none
 * @on_lock: called once, when the first slot has been found and mmu_lock taken. NULL: none
 * @flush_on_ret: flush if a handler returned true
 * @may_block: the handler may yield mmu_lock
 * @lockless: the handler needs no mmu_lock
 */
struct kvm_mmu_notifier_range {
	hvn_t start;
	hvn_t end;
	bool (*handler)(struct kvm *kvm, struct kvm_gfn_range *range);
	void (*on_lock)(struct kvm *kvm);
	bool flush_on_ret;
	bool may_block;
	bool lockless;
};

/* The part of @range that is in @slot, in gfns. */
static struct kvm_gfn_range kvm_slot_gfn_range(struct kvm_memory_slot *slot,
					       const struct kvm_mmu_notifier_range *range)
{
	hvn_t start = range->start > slot->hvn ? range->start : slot->hvn;
	hvn_t slot_end = slot->hvn + slot->npages;
	hvn_t end = range->end < slot_end ? range->end : slot_end;

	return (struct kvm_gfn_range){
		.slot = slot,
		.start = slot->base_gfn + (start - slot->hvn),
		.end = slot->base_gfn + (end - slot->hvn),
		.may_block = range->may_block,
	};
}

/* mmu_lock is taken only if there is a slot, so that memory which is no guest's costs little. */
static bool kvm_handle_hvn_range(struct kvm *kvm, const struct kvm_mmu_notifier_range *range)
{
	bool found_memslot = false, ret = false;
	struct kvm_gfn_range gfn_range;
	struct kvm_memory_slot *slot;
	struct kvm_memslots *slots;
	int i, idx;

	idx = srcu_read_lock(&kvm->srcu);

	for (i = 0; i < KVM_MAX_NR_ADDRESS_SPACES; i++) {
		slots = __kvm_memslots(kvm, i);
		kvm_for_each_memslot_in_hvn_range(slot, slots, range->start, range->end) {
			if (!found_memslot) {
				found_memslot = true;
				if (!range->lockless)
					write_lock(&kvm->mmu_lock);
				if (range->on_lock)
					range->on_lock(kvm);
				if (!range->handler)
					goto unlock;
			}
			gfn_range = kvm_slot_gfn_range(slot, range);
			gfn_range.flush = range->flush_on_ret && ret;
			ret |= range->handler(kvm, &gfn_range);
		}
	}

	if (range->flush_on_ret && ret)
		kvm_flush_remote_tlbs(kvm);
unlock:
	if (found_memslot && !range->lockless)
		write_unlock(&kvm->mmu_lock);
	srcu_read_unlock(&kvm->srcu, idx);
	return ret;
}

/**
 * kvm_mmu_invalidate_begin() - faults in the range to come must not commit from now on
 * @kvm: the VM
 *
 * Invalidations nest; each needs a kvm_mmu_invalidate_range_add() before mmu_lock is dropped, and a
 * kvm_mmu_invalidate_end(). Mirrors kvm_mmu_invalidate_begin().
 *
 * Context: mmu_lock held for writing.
 */
void kvm_mmu_invalidate_begin(struct kvm *kvm)
{
	lockdep_assert_held_write(&kvm->mmu_lock);

	WRITE_ONCE(kvm->mmu_invalidate_in_progress, kvm->mmu_invalidate_in_progress + 1);
	if (likely(kvm->mmu_invalidate_in_progress == 1)) {
		WRITE_ONCE(kvm->mmu_invalidate_range_start, INVALID_GFN);
		WRITE_ONCE(kvm->mmu_invalidate_range_end, INVALID_GFN);
	}
}

/**
 * kvm_mmu_invalidate_range_add() - which gfns the invalidation is about
 * @kvm: the VM
 * @start: first gfn
 * @end: first gfn after it
 *
 * One range is kept for all invalidations in progress: the smallest that covers them.
 * Mirrors kvm_mmu_invalidate_range_add().
 *
 * Context: mmu_lock held for writing, after kvm_mmu_invalidate_begin().
 */
void kvm_mmu_invalidate_range_add(struct kvm *kvm, gfn_t start, gfn_t end)
{
	lockdep_assert_held_write(&kvm->mmu_lock);
	WARN_ON_ONCE(!kvm->mmu_invalidate_in_progress);

	if (kvm->mmu_invalidate_range_start != INVALID_GFN) {
		if (kvm->mmu_invalidate_range_start < start)
			start = kvm->mmu_invalidate_range_start;
		if (kvm->mmu_invalidate_range_end > end)
			end = kvm->mmu_invalidate_range_end;
	}
	WRITE_ONCE(kvm->mmu_invalidate_range_start, start);
	WRITE_ONCE(kvm->mmu_invalidate_range_end, end);
}

/**
 * kvm_mmu_invalidate_end() - one invalidation is over
 * @kvm: the VM
 *
 * The sequence number moves before the count does: a fault that sees the invalidation
 * gone sees also that there was one. Mirrors kvm_mmu_invalidate_end().
 *
 * Context: mmu_lock held for writing.
 */
void kvm_mmu_invalidate_end(struct kvm *kvm)
{
	lockdep_assert_held_write(&kvm->mmu_lock);

	WRITE_ONCE(kvm->mmu_invalidate_seq, kvm->mmu_invalidate_seq + 1);
	smp_store_release(&kvm->mmu_invalidate_in_progress, kvm->mmu_invalidate_in_progress - 1);
	KVM_BUG_ON(kvm->mmu_invalidate_in_progress < 0, kvm);
	WARN_ON_ONCE(kvm->mmu_invalidate_range_start == INVALID_GFN);
}

static bool kvm_mmu_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range)
{
	kvm_mmu_invalidate_range_add(kvm, range->start, range->end);
	return kvm_unmap_gfn_range(kvm, range);
}

static bool kvm_hvn_range_valid(const struct kvm *kvm, hvn_t start, hvn_t end)
{
	return kvm && start < end && end <= KVM_MAX_FRAME;
}

/**
 * kvm_mmu_notifier_invalidate_range_start() - the host is about to take pages away
 * @kvm: the VM
 * @start: first host page
 * @end: first host page after it
 *
 * When this returns, no vCPU can reach the pages, and none can again before
 * kvm_mmu_notifier_invalidate_range_end(). Mirrors the function of that name.
 *
 * Context: takes mmu_lock for writing if a slot is concerned. Changes of slots wait until the end.
 * Return: 0; -EINVAL for an empty range.
 */
int kvm_mmu_notifier_invalidate_range_start(struct kvm *kvm, hvn_t start, hvn_t end)
{
	const struct kvm_mmu_notifier_range range = {
		.start = start,
		.end = end,
		.handler = kvm_mmu_unmap_gfn_range,
		.on_lock = kvm_mmu_invalidate_begin,
		.flush_on_ret = true,
		.may_block = true,
	};

	if (!kvm_hvn_range_valid(kvm, start, end))
		return -EINVAL;

	/* Keep the slots as they are, or the end could find others than the start. */
	spin_lock(&kvm->mn_invalidate_lock);
	tdp_write_word(&kvm->mn_active_invalidate_count, kvm->mn_active_invalidate_count + 1);
	spin_unlock(&kvm->mn_invalidate_lock);

	kvm_handle_hvn_range(kvm, &range);
	return 0;
}

/**
 * kvm_mmu_notifier_invalidate_range_end() - the pages are gone
 * @kvm: the VM
 * @start: as given to kvm_mmu_notifier_invalidate_range_start()
 * @end: likewise
 *
 * Faults that looked a pfn up in between will look again. Mirrors the function of that name.
 *
 * Context: takes mmu_lock for writing if a slot is concerned.
 * Return: 0; -EINVAL for an empty range, or if no invalidation has been started.
 */
int kvm_mmu_notifier_invalidate_range_end(struct kvm *kvm, hvn_t start, hvn_t end)
{
	const struct kvm_mmu_notifier_range range = {
		.start = start,
		.end = end,
		.on_lock = kvm_mmu_invalidate_end,
		.may_block = true,
	};
	bool wake;

	if (!kvm_hvn_range_valid(kvm, start, end) || !READ_ONCE(kvm->mn_active_invalidate_count))
		return -EINVAL;

	kvm_handle_hvn_range(kvm, &range);

	spin_lock(&kvm->mn_invalidate_lock);
	if (!WARN_ON_ONCE(!kvm->mn_active_invalidate_count))
		tdp_write_word(&kvm->mn_active_invalidate_count,
			       kvm->mn_active_invalidate_count - 1);
	wake = !kvm->mn_active_invalidate_count;
	spin_unlock(&kvm->mn_invalidate_lock);

	/* Only slot changes, one at a time, wait for that. */
	if (wake)
		rcuwait_wake_up(&kvm->mn_memslots_update_rcuwait);
	return 0;
}

static int kvm_age_hvn_range(struct kvm *kvm, hvn_t start, hvn_t end,
			     bool (*handler)(struct kvm *kvm, struct kvm_gfn_range *range),
			     bool flush)
{
	const struct kvm_mmu_notifier_range range = {
		.start = start,
		.end = end,
		.handler = handler,
		.flush_on_ret = flush && !KVM_MMU_LOCKLESS_AGING,
		.lockless = KVM_MMU_LOCKLESS_AGING,
	};

	if (!kvm_hvn_range_valid(kvm, start, end))
		return -EINVAL;
	return kvm_handle_hvn_range(kvm, &range);
}

/**
 * kvm_mmu_notifier_clear_flush_young() - were pages used? From now on they are not, in any TLB
 * either
 * @kvm: the VM
 * @start: first host page
 * @end: first host page after it
 *
 * Mirrors the function of that name.
 *
 * Context: takes mmu_lock for writing if a slot is concerned.
 * Return: 1 if one was used since the last time, else 0; -EINVAL for an empty range.
 */
int kvm_mmu_notifier_clear_flush_young(struct kvm *kvm, hvn_t start, hvn_t end)
{
	return kvm_age_hvn_range(kvm, start, end, kvm_age_gfn, true);
}

/**
 * kvm_mmu_notifier_clear_young() - kvm_mmu_notifier_clear_flush_young() without the flush
 * @kvm: the VM
 * @start: first host page
 * @end: first host page after it
 *
 * A use through an entry that stays in a TLB goes unnoticed until something flushes it.
 * Mirrors the function of that name.
 *
 * Context: takes mmu_lock for writing if a slot is concerned.
 * Return: 1 if one was used since the last time, else 0; -EINVAL for an empty range.
 */
int kvm_mmu_notifier_clear_young(struct kvm *kvm, hvn_t start, hvn_t end)
{
	return kvm_age_hvn_range(kvm, start, end, kvm_age_gfn, false);
}

/**
 * kvm_mmu_notifier_test_young() - were pages used?
 * @kvm: the VM
 * @start: first host page
 * @end: first host page after it; KVM is only ever asked about one page
 *
 * Changes nothing. Mirrors the function of that name.
 *
 * Context: takes mmu_lock for writing if a slot is concerned.
 * Return: 1 if one was used since it was last aged, else 0; -EINVAL for an empty range.
 */
int kvm_mmu_notifier_test_young(struct kvm *kvm, hvn_t start, hvn_t end)
{
	return kvm_age_hvn_range(kvm, start, end, kvm_test_age_gfn, false);
}
