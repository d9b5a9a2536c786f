/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How SPTEs are read and written.  Page tables are unlinked under mmu_lock held
 * for reading and freed by RCU, so whoever follows an SPTE is in an RCU read
 * section.  Mirrors arch/x86/kvm/mmu/tdp_iter.h; the iterator is in
 * <tdp/tdp_iter.h>.
 */
#ifndef TDP_MMU_TDP_ITER_H
#define TDP_MMU_TDP_ITER_H

#include <tdp/tdp_iter.h>

#include "spte.h"

static inline u64 kvm_tdp_mmu_read_spte(tdp_ptep_t sptep, int level)
{
	return tdp_read_spte(sptep, level);
}

/* Exchange; returns the value before. */
static inline u64 kvm_tdp_mmu_write_spte_atomic(const struct tdp_spte_format *fmt, tdp_ptep_t sptep,
						u64 new_spte, int level)
{
	KVM_MMU_WARN_ON(is_ept_ve_possible(fmt, new_spte));
	return tdp_xchg_spte(sptep, new_spte, level);
}

static inline void __kvm_tdp_mmu_write_spte(const struct tdp_spte_format *fmt, tdp_ptep_t sptep,
					    u64 new_spte, int level)
{
	KVM_MMU_WARN_ON(is_ept_ve_possible(fmt, new_spte));
	tdp_write_spte(sptep, new_spte, level);
}

/*
 * Can somebody who does not hold mmu_lock change the SPTE: the CPU set A or D, or
 * a fast page fault W? The accessed bit of a link is nobody's business.
 */
static inline bool kvm_tdp_mmu_spte_need_atomic_write(const struct tdp_spte_format *fmt,
						      u64 old_spte, int level)
{
	if (!is_shadow_present_pte(old_spte) || !is_last_spte(old_spte, level))
		return false;
	return spte_has_volatile_bits(fmt, old_spte);
}

/* Store, atomically if need be; returns the value that was overwritten. */
static inline u64 kvm_tdp_mmu_write_spte(const struct tdp_spte_format *fmt, tdp_ptep_t sptep,
					 u64 old_spte, u64 new_spte, int level)
{
	if (!kvm_tdp_mmu_spte_need_atomic_write(fmt, old_spte, level)) {
		__kvm_tdp_mmu_write_spte(fmt, sptep, new_spte, level);
		return old_spte;
	}
	return kvm_tdp_mmu_write_spte_atomic(fmt, sptep, new_spte, level);
}

/* Clear the bits of @mask, atomically if need be; returns the value before. */
static inline u64 tdp_mmu_clear_spte_bits(const struct tdp_spte_format *fmt, tdp_ptep_t sptep,
					  u64 old_spte, u64 mask, int level)
{
	if (!kvm_tdp_mmu_spte_need_atomic_write(fmt, old_spte, level)) {
		__kvm_tdp_mmu_write_spte(fmt, sptep, old_spte & ~mask, level);
		return old_spte;
	}
	return tdp_fetch_and_spte(sptep, ~mask, level);
}

void tdp_iter_pass_empty(struct tdp_iter *iter, gfn_t end, bool asks);

/*
 * Go on from an empty SPTE to the next one in its table that is not, if the walk
 * does nothing at empty ones but, if it @asks, to ask whether to yield.
 */
static inline void tdp_iter_skip_empty(struct tdp_iter *iter, gfn_t end, bool asks)
{
	if (iter->old_spte == SHADOW_NONPRESENT_VALUE && iter->valid)
		tdp_iter_pass_empty(iter, end, asks);
}

/* As for_each_tdp_pte_min_level(), but most empty SPTEs are passed over. */
#define for_each_used_tdp_pte_min_level(iter, root, min_level, start, end, asks)	\
	for (tdp_iter_start(&(iter), root, min_level, start),			\
	     tdp_iter_skip_empty(&(iter), end, asks);				\
	     tdp_iter_within(&(iter), end);					\
	     tdp_iter_next(&(iter)), tdp_iter_skip_empty(&(iter), end, asks))

#endif /* TDP_MMU_TDP_ITER_H */
