// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule L: page-table pages, statistics, root references and lists balance at quiescence; nothing is
 * left at VM destruction.
 *
 * Pages that wait for their grace period are in nobody's tree, so a leaked one shows when the VM is
 * gone.
 */
#include "mirror_internal.h"
#include "rules.h"

void rule_l_free(struct oracle *o, struct mirror_table *t)
{
	if (t->counted && t->nr_leaf)
		oracle_report(o, 'L', t->gfn, 0,
			      "a page table is freed with %u leaf SPTEs that nobody accounted for",
			      t->nr_leaf);
}

/* A thread that returns holds nothing. */
void rule_l_call_end(struct oracle *o, const struct oracle_call *call)
{
	struct thread_state *t = oracle_current(o);

	(void)call;
	if (t->depth)
		return;
	if (t->locks)
		oracle_report(o, 'L', NO_GFN, 0,
			      "a call returns with %d locks held; it took or released '%s' last",
			      t->locks, t->last_lock);
	if (t->rcu)
		oracle_report(o, 'L', NO_GFN, 0, "a call returns within %d RCU read sections",
			      t->rcu);
	t->locks = t->rcu = 0;
}

static void compare(struct oracle *o, const char *what, int64_t is, int64_t should)
{
	if (is != should)
		oracle_report(o, 'L', NO_GFN, 0,
			      "statistics: %s is %lld, the page tables have %lld", what,
			      (long long)is, (long long)should);
}

static void compare_stat(struct oracle *o, const struct oracle_stat *stat)
{
	int64_t nx = stat->nx_lpage_splits;

	/* Somebody is in the middle of something, or was since the statistics were read. */
	if (o->overlapped && (o->calls_open || o->step != oracle_current(o)->returned))
		return;
	compare(o, "pages_4k", stat->pages[0], o->mirror->leaves[0]);
	compare(o, "pages_2m", stat->pages[1], o->mirror->leaves[1]);
	compare(o, "pages_1g", stat->pages[2], o->mirror->leaves[2]);
	compare(o, "tdp_mmu_pages", stat->tdp_mmu_pages, o->mirror->nr_tables);
	if (nx < o->nr_nx_splits || nx > o->nr_nx_splits + o->nr_nx_maybe)
		oracle_report(
			o, 'X', NO_GFN, 0,
			"nx_lpage_splits is %lld, but %lld linked tables stand in for a huge page",
			(long long)nx, (long long)o->nr_nx_splits);
}

void rule_l_stat(struct oracle *o, const struct oracle_stat *stat)
{
	const struct mirror *m = o->mirror;
	const struct oracle_stat should = {
		.pages = { m->leaves[0], m->leaves[1], m->leaves[2] },
		.nx_lpage_splits = o->nr_nx_splits,
		.tdp_mmu_pages = m->nr_tables,
	};

	if (!oracle_stat_equal(stat, &should))
		compare_stat(o, stat);
}

void rule_l_final(struct oracle *o, uint64_t pages_left, uint64_t allocs_left)
{
	if (pages_left)
		oracle_report(o, 'L', NO_GFN, 0,
			      "%llu page-table pages are left after the VM was destroyed",
			      (unsigned long long)pages_left);
	if (allocs_left)
		oracle_report(o, 'L', NO_GFN, 0,
			      "%llu allocations are left after the VM was destroyed",
			      (unsigned long long)allocs_left);
}
