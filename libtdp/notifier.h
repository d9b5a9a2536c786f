/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Invalidations, and how a fault finds out that one got in its way.  Mirrors those
 * parts of include/linux/kvm_host.h.
 */
#ifndef LIBTDP_NOTIFIER_H
#define LIBTDP_NOTIFIER_H

#include "kvm_host.h"

#define INVALID_GFN (~(gfn_t)0)

void kvm_mmu_invalidate_begin(struct kvm *kvm);
void kvm_mmu_invalidate_range_add(struct kvm *kvm, gfn_t start, gfn_t end);
void kvm_mmu_invalidate_end(struct kvm *kvm);

/* gfn_range.c */
bool kvm_test_age_gfn(struct kvm *kvm, struct kvm_gfn_range *range);
bool kvm_age_gfn(struct kvm *kvm, struct kvm_gfn_range *range);
bool kvm_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range);

/**
 * mmu_invalidate_retry_gfn() - may the pfn that was looked up for a gfn be out of date?
 * @kvm: the VM
 * @mmu_seq: mmu_invalidate_seq before the look-up
 * @gfn: guest frame
 *
 * The order of the reads is the reverse of kvm_mmu_invalidate_end()'s writes.
 * Mirrors mmu_invalidate_retry_gfn().
 *
 * Context: mmu_lock held.
 */
static inline bool mmu_invalidate_retry_gfn(struct kvm *kvm, u64 mmu_seq, gfn_t gfn)
{
	lockdep_assert_held(&kvm->mmu_lock);

	if (unlikely(kvm->mmu_invalidate_in_progress)) {
		if (WARN_ON_ONCE(kvm->mmu_invalidate_range_start == INVALID_GFN ||
				 kvm->mmu_invalidate_range_end == INVALID_GFN))
			return true;
		if (gfn >= kvm->mmu_invalidate_range_start && gfn < kvm->mmu_invalidate_range_end)
			return true;
	}
	return kvm->mmu_invalidate_seq != mmu_seq;
}

/**
 * mmu_invalidate_retry_gfn_unsafe() - a guess at mmu_invalidate_retry_gfn(), without mmu_lock
 * @kvm: the VM
 * @mmu_seq: mmu_invalidate_seq before the look-up
 * @gfn: guest frame
 *
 * May err either way; saves a fault that must retry from taking the lock.
 * Mirrors mmu_invalidate_retry_gfn_unsafe().
 */
static inline bool mmu_invalidate_retry_gfn_unsafe(struct kvm *kvm, u64 mmu_seq, gfn_t gfn)
{
	if (unlikely(READ_ONCE(kvm->mmu_invalidate_in_progress)) &&
	    gfn >= READ_ONCE(kvm->mmu_invalidate_range_start) &&
	    gfn < READ_ONCE(kvm->mmu_invalidate_range_end))
		return true;
	return READ_ONCE(kvm->mmu_invalidate_seq) != mmu_seq;
}

#endif /* LIBTDP_NOTIFIER_H */
