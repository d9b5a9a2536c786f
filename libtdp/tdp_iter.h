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

/*
 * tdp_iter_next(), for walks with many steps, nearly all of which are to the next SPTE of a table of 4K pages. Only
 * a copy of the walk is shown to functions out of line, so that where it is stays in registers.
 */
static __always_inline void tdp_iter_step(struct tdp_iter *iter)
{
	struct tdp_iter copy;

	if (likely(iter->level == PG_LEVEL_4K && !iter->yielded &&
		   iter->gfn % SPTE_ENT_PER_PAGE != SPTE_ENT_PER_PAGE - 1)) {
		iter->sptep++;
		iter->gfn++;
		iter->next_last_level_gfn = iter->gfn;
		iter->old_spte = kvm_tdp_mmu_read_spte(iter->sptep, PG_LEVEL_4K);
		return;
	}
	copy = *iter;
	tdp_iter_next(&copy);
	*iter = copy;
}

void tdp_iter_pass_empty(struct tdp_iter *iter, gfn_t end, bool asks);

/*
 * Go on from an empty SPTE to the next one in its table that is not, if the walk
 * does nothing at empty ones but, if it @asks, to ask whether to yield.
 */
static __always_inline void tdp_iter_skip_empty(struct tdp_iter *iter, gfn_t end, bool asks)
{
	struct tdp_iter copy;

	if (iter->old_spte != SHADOW_NONPRESENT_VALUE || !iter->valid)
		return;
	copy = *iter;
	tdp_iter_pass_empty(&copy, end, asks);
	*iter = copy;
}

/* Of the table of 4K pages that the walk is in: SPTEs from the current one on, up to @end. */
static inline int tdp_iter_leaves_left(const struct tdp_iter *iter, gfn_t end)
{
	const gfn_t left = SPTE_ENT_PER_PAGE - iter->gfn % SPTE_ENT_PER_PAGE;

	return end - iter->gfn < left ? end - iter->gfn : left;
}

/* @n SPTEs on in the same table of 4K pages; who goes there has yet to read it. */
static inline void tdp_iter_pass(struct tdp_iter *iter, int n)
{
	iter->sptep += n;
	iter->gfn += n;
	iter->next_last_level_gfn = iter->gfn;
}

/*
 * The current SPTE needs nothing: go on to the last one before @end of those behind it that are like it in @mask,
 * which decides that.
 */
static __always_inline void tdp_iter_pass_alike(struct tdp_iter *iter, gfn_t end, u64 mask)
{
	if (iter->level == PG_LEVEL_4K)
		tdp_iter_pass(iter,
			      tdp_alike_sptes(iter->sptep + 1, tdp_iter_leaves_left(iter, end) - 1,
					      iter->old_spte, mask));
}

/* tdp_iter_start(), likewise. */
static __always_inline void tdp_iter_begin(struct tdp_iter *iter, struct kvm_mmu_page *root,
					   int min_level, gfn_t start)
{
	struct tdp_iter copy;

	tdp_iter_start(&copy, root, min_level, start);
	*iter = copy;
}

/* As for_each_tdp_pte_min_level(), but most empty SPTEs are passed over. */
#define for_each_used_tdp_pte_min_level(iter, root, min_level, start, end, asks)	\
	for (tdp_iter_begin(&(iter), root, min_level, start),			\
	     tdp_iter_skip_empty(&(iter), end, asks);				\
	     tdp_iter_within(&(iter), end);					\
	     tdp_iter_step(&(iter)), tdp_iter_skip_empty(&(iter), end, asks))

#endif /* TDP_MMU_TDP_ITER_H */
