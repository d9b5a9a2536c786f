// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who owes a flush. A call that takes a translation away, or part of what it permits, owes one for
 * those pages until it has asked for it, or returns: so long, and only for those pages, a vCPU may
 * go on with what it has cached. Nobody relies on the flush of a call that has not returned: KVM
 * harvests, clears and write-protects under slots_lock, which it holds over the flush, and zaps
 * with mmu_lock held or the SPTE frozen until the flush is done.
 */
#include "oracle_internal.h"

static void widen(struct owed_range *r, uint64_t root, uint64_t start, uint64_t end)
{
	if (r->root != root)
		r->root = OWED_ANY_ROOT;
	if (start < r->start)
		r->start = start;
	if (end > r->end)
		r->end = end;
}

/**
 * owed_add() - the current thread's call has taken away translations
 * @o: oracle
 * @root: root page table that they were under
 * @start: first gfn
 * @n: number of pages
 *
 * A walk takes one page after the other, so most of the time a range grows. Ranges beyond those
 * that fit are joined to the last one: that excuses too much, never too little.
 */
void owed_add(struct oracle *o, uint64_t root, uint64_t start, uint64_t n)
{
	struct thread_state *t = oracle_current(o);
	struct owed_range *last = t->nr_owed ? &t->owed[t->nr_owed - 1] : NULL;

	if (!t->depth)
		return;
	if (last && last->root == root && start <= last->end && start + n >= last->start) {
		widen(last, root, start, start + n);
		return;
	}
	if (t->nr_owed == OWED_MAX) {
		widen(last, root, start, start + n);
		return;
	}
	t->owed[t->nr_owed++] = (struct owed_range){
		.root = root,
		.start = start,
		.end = start + n,
	};
}

/**
 * owed_paid() - the current thread asks for a flush
 * @o: oracle
 * @gfn: first page
 * @nr: pages; 0: everything
 *
 * Those vCPUs that have yet to take it are excused by that alone.
 */
void owed_paid(struct oracle *o, uint64_t gfn, uint64_t nr)
{
	struct thread_state *t = oracle_current(o);
	uint32_t i, left = 0;

	for (i = 0; i < t->nr_owed; i++)
		if (nr && (t->owed[i].start < gfn || t->owed[i].end - gfn > nr))
			t->owed[left++] = t->owed[i];
	t->nr_owed = left;
}

/* Does any call owe a flush for @gfn under @root? */
bool owed_any(const struct oracle *o, uint64_t root, uint64_t gfn)
{
	uint32_t i, k;

	for (i = 0; i < ORACLE_MAX_THREADS && o->calls_open; i++) {
		const struct thread_state *t = &o->threads[i];

		for (k = 0; k < t->nr_owed; k++) {
			const struct owed_range *r = &t->owed[k];

			if ((r->root == root || r->root == OWED_ANY_ROOT) && gfn >= r->start &&
			    gfn < r->end)
				return true;
		}
	}
	return false;
}
