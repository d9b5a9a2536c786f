/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The iterator: a preorder walk over a range of a page-table tree that other
 * threads change meanwhile.  Mirrors arch/x86/kvm/mmu/tdp_iter.h.
 */
#ifndef TDP_TDP_ITER_H
#define TDP_TDP_ITER_H

#include <tdp/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct kvm_mmu_page;

/* Points into a page table that RCU protects. */
typedef u64 *tdp_ptep_t;

/**
 * struct tdp_iter - where a walk is
 * @valid: false once the walk has left the tree
 * @yielded: mmu_lock was dropped: the next step restarts from the root
 * @level: level of @sptep
 * @min_level: the walk goes no lower
 * @root_level: level of the root table's entries
 * @as_id: address space of the tree
 * @gfn: first gfn that @sptep covers
 * @sptep: current SPTE
 * @old_spte: *@sptep as last read
 * @next_last_level_gfn: gfn that the walk is heading for; it never decreases
 * @yielded_gfn: @next_last_level_gfn when the walk last yielded: no second yield before it moved
 * @pt_path: page tables passed on the way down, indexed by level - 1
 */
struct tdp_iter {
	bool valid;
	bool yielded;
	int level;
	int min_level;
	int root_level;
	int as_id;
	gfn_t gfn;
	tdp_ptep_t sptep;
	u64 old_spte;
	gfn_t next_last_level_gfn;
	gfn_t yielded_gfn;
	tdp_ptep_t pt_path[PT64_ROOT_MAX_LEVEL];
};

/* Is the walk still before @end? */
static inline bool tdp_iter_within(const struct tdp_iter *iter, gfn_t end)
{
	return iter->valid && iter->gfn < end;
}

/* Every SPTE at @min_level or above that maps part of [start, end). */
#define for_each_tdp_pte_min_level(iter, root, min_level, start, end)                        \
	for (tdp_iter_start(&(iter), root, min_level, start); tdp_iter_within(&(iter), end); \
	     tdp_iter_next(&(iter)))

#define for_each_tdp_pte(iter, root, start, end) \
	for_each_tdp_pte_min_level(iter, root, PG_LEVEL_4K, start, end)

void tdp_iter_start(struct tdp_iter *iter, struct kvm_mmu_page *root, int min_level,
		    gfn_t next_last_level_gfn);
void tdp_iter_restart(struct tdp_iter *iter);
void tdp_iter_next(struct tdp_iter *iter);
tdp_ptep_t spte_to_child_pt(u64 spte, int level);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* TDP_TDP_ITER_H */
