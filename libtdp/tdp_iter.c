// SPDX-License-Identifier: GPL-2.0-only
/*
 * The preorder walk.  Mirrors arch/x86/kvm/mmu/tdp_iter.c.
 */
#include "tdp_iter.h"

static inline int iter_index(const struct tdp_iter *iter)
{
	return (iter->gfn >> KVM_HPAGE_GFN_SHIFT(iter->level)) & (SPTE_ENT_PER_PAGE - 1);
}

/* Go to the SPTE of level @level that covers @gfn, in a table on the path. */
static inline void tdp_iter_go_to(struct tdp_iter *iter, int level, gfn_t gfn)
{
	iter->level = level;
	iter->gfn = gfn_round_for_level(gfn, level);
	iter->sptep = &iter->pt_path[level - 1][iter_index(iter)];
	iter->old_spte = kvm_tdp_mmu_read_spte(iter->sptep, level);
}

/**
 * tdp_iter_restart() - go back to the root, heading for the same gfn
 * @iter: a started walk
 *
 * Page tables that were passed may be gone since; the root may not.  Mirrors
 * tdp_iter_restart().
 *
 * Context: RCU read section.
 */
void tdp_iter_restart(struct tdp_iter *iter)
{
	iter->valid = true;
	iter->yielded = false;
	iter->yielded_gfn = iter->next_last_level_gfn;
	tdp_iter_go_to(iter, iter->root_level, iter->next_last_level_gfn);
}

/**
 * tdp_iter_start() - begin a walk at the root
 * @iter: the walk
 * @root: root page table; the caller holds a reference, or mmu_lock
 * @min_level: do not descend below this level
 * @next_last_level_gfn: first gfn of interest
 *
 * Mirrors tdp_iter_start().  A bad root gives a walk that is over.
 *
 * Context: RCU read section, up to the end of the walk.
 */
void tdp_iter_start(struct tdp_iter *iter, struct kvm_mmu_page *root, int min_level,
		    gfn_t next_last_level_gfn)
{
	if (WARN_ON_ONCE(!root || root->role.level < PG_LEVEL_4K ||
			 root->role.level > PT64_ROOT_MAX_LEVEL)) {
		iter->valid = false;
		return;
	}

	iter->as_id = kvm_mmu_page_as_id(root);
	iter->root_level = root->role.level;
	iter->pt_path[root->role.level - 1] = root->spt;
	iter->min_level = min_level;
	iter->next_last_level_gfn = next_last_level_gfn;
	tdp_iter_restart(iter);
}

/**
 * spte_to_child_pt() - the page table that an SPTE links
 * @spte: SPTE
 * @level: its level
 *
 * Mirrors spte_to_child_pt().
 *
 * Return: NULL if it links none.
 */
tdp_ptep_t spte_to_child_pt(u64 spte, int level)
{
	if (is_last_spte(spte, level) || !is_shadow_present_pte(spte))
		return NULL;
	return __va(spte & SPTE_BASE_ADDR_MASK);
}

/*
 * Of a walk's steps nearly all are to the side, so that those are kept short: what
 * needs more is out of line.
 */
static __attribute__((noinline)) void step_down(struct tdp_iter *iter, tdp_ptep_t child)
{
	iter->pt_path[iter->level - 2] = child;
	tdp_iter_go_to(iter, iter->level - 1, iter->next_last_level_gfn);
}

/* Into the table under the current SPTE, which may have changed since it was read. */
static inline bool try_step_down(struct tdp_iter *iter)
{
	const int level = iter->level;
	tdp_ptep_t child;

	if (level == iter->min_level)
		return false;

	iter->old_spte = kvm_tdp_mmu_read_spte(iter->sptep, level);
	child = spte_to_child_pt(iter->old_spte, level);
	if (likely(!child))
		return false;

	step_down(iter, child);
	return true;
}

/* To the next SPTE of the same table. */
static inline bool try_step_side(struct tdp_iter *iter)
{
	if (unlikely(iter_index(iter) == SPTE_ENT_PER_PAGE - 1))
		return false;

	iter->sptep++;
	iter->gfn += KVM_PAGES_PER_HPAGE(iter->level);
	iter->next_last_level_gfn = iter->gfn;
	iter->old_spte = kvm_tdp_mmu_read_spte(iter->sptep, iter->level);
	return true;
}

/* Back to the SPTE that links the current table. */
static inline bool try_step_up(struct tdp_iter *iter)
{
	if (iter->root_level == iter->level)
		return false;

	tdp_iter_go_to(iter, iter->level + 1, iter->gfn);
	return true;
}

/* From the last SPTE of a table: up, as far as need be, and then to the side. */
static __attribute__((noinline)) void step_up_and_side(struct tdp_iter *iter)
{
	do {
		if (!try_step_up(iter)) {
			iter->valid = false;
			return;
		}
	} while (!try_step_side(iter));
}

/**
 * tdp_iter_next() - next SPTE in preorder
 * @iter: valid walk
 *
 * Down if the current SPTE links a table, else to the side, if need be from a
 * level above, whose SPTE has been visited before.  After a yield, from the root
 * again.  Clears @iter->valid at the end of the tree.  Mirrors tdp_iter_next().
 *
 * Context: RCU read section.
 */
void tdp_iter_next(struct tdp_iter *iter)
{
	if (unlikely(iter->yielded))
		tdp_iter_restart(iter);
	else if (!try_step_down(iter) && unlikely(!try_step_side(iter)))
		step_up_and_side(iter);
}

/**
 * tdp_iter_pass_empty() - go on from an empty SPTE to the next used one of its table
 * @iter: valid walk, at an SPTE that is empty
 * @end: first gfn after the range of the walk
 * @asks: the walk asks at each SPTE whether to yield
 *
 * Stops at the last SPTE of the table at the latest.  No twin in the kernel, where a
 * walk steps to each of the 512 SPTEs of a table to find that it is empty.
 *
 * Context: RCU read section.
 */
void tdp_iter_pass_empty(struct tdp_iter *iter, gfn_t end, bool asks)
{
	const gfn_t step = KVM_PAGES_PER_HPAGE(iter->level);
	/* Of one step: the look for a table below, the next SPTE. */
	const int reads = (iter->level > iter->min_level) + 1;
	gfn_t steps = SPTE_ENT_PER_PAGE - 1 - iter_index(iter);
	int passed;

	/* Where the last yield was nobody asks: that step is another. */
	if (iter->gfn >= end || iter->yielded_gfn == iter->next_last_level_gfn)
		return;
	if (steps > (end - iter->gfn + step - 1) / step)
		steps = (end - iter->gfn + step - 1) / step;

	passed = tdp_skip_sptes(iter->sptep, steps, SHADOW_NONPRESENT_VALUE, iter->level, reads,
				asks);
	if (!passed)
		return;
	iter->sptep += passed;
	iter->gfn += passed * step;
	iter->next_last_level_gfn = iter->gfn;
	iter->old_spte = tdp_peek_spte(iter->sptep);
}
