// SPDX-License-Identifier: GPL-2.0-only
/*
 * What MMU notifiers want of the mappings of a range of gfns.  Mirrors the functions
 * of these names in arch/x86/kvm/mmu/mmu.c.
 */
#include "notifier.h"

#include "tdp_mmu.h"

/**
 * kvm_unmap_gfn_range() - zap the leaves of a slot's range in all roots, invalid ones included
 * @kvm: the VM
 * @range: the range
 *
 * Mirrors kvm_unmap_gfn_range().
 *
 * Context: mmu_lock held for writing, and an invalidation in progress or, for a slot that is
 *	being deleted, slots_lock.
 * Return: true if a flush is owed.
 */
bool kvm_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range)
{
	if (!kvm->mmu_invalidate_in_progress)
		lockdep_assert_owned(&kvm->slots_lock);
	/*
	 * The kernel passes false, and yields without the flush that the slots before this one owe:
	 * docs/findings/unmap-yields-between-slots.md.
	 */
	return kvm_tdp_mmu_unmap_gfn_range(kvm, range, range->flush);
}

/**
 * kvm_age_gfn() - was the range used? From now on it is not
 * @kvm: the VM
 * @range: the range
 *
 * Mirrors kvm_age_gfn().
 *
 * Context: mmu_lock held for writing.
 * Return: true if a page was used since it was last aged.
 */
bool kvm_age_gfn(struct kvm *kvm, struct kvm_gfn_range *range)
{
	return kvm_tdp_mmu_age_gfn_range(kvm, range);
}

/**
 * kvm_test_age_gfn() - was the range used?
 * @kvm: the VM
 * @range: the range, of one page
 *
 * Mirrors kvm_test_age_gfn().
 *
 * Context: mmu_lock held for writing.
 * Return: true if the page was used since it was last aged.
 */
bool kvm_test_age_gfn(struct kvm *kvm, struct kvm_gfn_range *range)
{
	return kvm_tdp_mmu_test_age_gfn(kvm, range);
}
