// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule B: no reserved or illegal bit combination in any MMU-present SPTE; a leaf's host-, MMU- and
 * writable bits are in a legal state.
 */
#include "rules.h"

static void check_leaf(struct oracle *o, const struct mirror_table *t, uint64_t gfn, uint64_t spte,
		       int level)
{
	const char *problem = fmt_leaf_problem(&o->fmt, spte, level);
	const struct mirror_table *root = mirror_table(o, t->root);
	uint64_t type = 0;

	if (!problem && o->fmt.ept && o->fmt.ad && root) {
		/*
		 * A nested guest's writes are not in the PML buffer, so they are found by write
		 * protection.
		 */
		if (o->vm.pml && root->guest_mode)
			type = o->fmt.ad_wrprot;
		if ((spte & o->fmt.ad_type) != type)
			problem = "A/D type is not the root's";
	}
	if (problem)
		oracle_report(o, 'B', gfn, spte, "illegal leaf: %s", problem);
}

/* The leaves of a table that was filled before it was linked. */
static void check_child(struct oracle *o, const struct spte_event *ev)
{
	struct mirror_table *child = mirror_table(o, fmt_table(&o->fmt, ev->val));
	uint32_t i;

	if (!child || !child->live || !child->nr_init)
		return;
	/* One base and one stride: what holds for one of them holds for all. */
	if (child->init_uniform) {
		if (fmt_mmu_present(child->init_base))
			check_leaf(o, child, child->gfn, child->init_base, child->level);
		return;
	}
	for (i = 0; i < 512; i++) {
		uint64_t pa = child->pa + i * 8, spte = mirror_read(o, pa);

		if (fmt_mmu_present(spte) && fmt_is_leaf(spte, child->level))
			check_leaf(o, child, mirror_entry_gfn(child, pa), spte, child->level);
	}
}

void rule_b_spte(struct oracle *o, const struct spte_event *ev)
{
	const char *problem;

	if (ev->is_leaf) {
		check_leaf(o, ev->t, ev->gfn, ev->val, ev->level);
	} else if (ev->is) {
		problem = fmt_table_problem(&o->fmt, ev->val, ev->level);
		if (problem)
			oracle_report(o, 'B', ev->gfn, ev->val, "illegal non-leaf: %s", problem);
		check_child(o, ev);
	}
}
