// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who owes a flush. A call that takes a translation away, or part of what it permits, owes one for
 * those pages until it has asked for it, or returns: so long, and only for those pages, a vCPU may
 * go on with what it has cached; and so long nobody may map a page again that has lost its
 * mapping. Nobody relies on the flush of a call that has not returned: KVM
 * harvests, clears and write-protects under slots_lock, which it holds over the flush, and zaps
 * with mmu_lock held or the SPTE frozen until the flush is done.
 */
#include "oracle_internal.h"

/* Of what is joined from ranges that do not touch, it is not known which pages lost a mapping. */
static void join(struct owed_range *r, uint64_t root, uint64_t start, uint64_t end)
{
	if (r->root != root)
		r->root = OWED_ANY_ROOT;
	r->gone = false;
	r->unit = 1;
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
 * @n: number of pages of the SPTE that has changed
 * @gone: nothing is left of it
 *
 * A walk takes one page after the other, so most of the time a range grows. Ranges beyond those
 * that fit are joined to the last one: that excuses too much, never too little.
 */
void owed_add(struct oracle *o, uint64_t root, uint64_t start, uint64_t n, bool gone)
{
	struct thread_state *t = oracle_current(o);
	struct owed_range *last = t->nr_owed ? &t->owed[t->nr_owed - 1] : NULL;

	if (!t->depth)
		return;
	if (last && last->root == root && last->gone == gone && last->unit == n &&
	    start == last->end) {
		last->end += n;
		return;
	}
	if (t->nr_owed == OWED_MAX) {
		join(last, root, start, start + n);
		return;
	}
	t->owed[t->nr_owed++] = (struct owed_range){
		.root = root,
		.start = start,
		.end = start + n,
		.unit = n,
		.gone = gone,
	};
}

/* A flush drops all of an entry that it overlaps. */
static bool is_paid(const struct owed_range *r, uint64_t gfn, uint64_t nr)
{
	return !nr ||
	       (r->start >= (gfn & -r->unit) && r->end <= ((gfn + nr - 1) | (r->unit - 1)) + 1);
}

static void pay(struct thread_state *t, uint64_t gfn, uint64_t nr)
{
	uint32_t i, left = 0;

	for (i = 0; i < t->nr_owed; i++)
		if (!is_paid(&t->owed[i], gfn, nr))
			t->owed[left++] = t->owed[i];
	t->nr_owed = left;
}

/**
 * owed_paid() - somebody asks for a flush
 * @o: oracle
 * @gfn: first page
 * @nr: pages; 0: everything
 *
 * It counts for all who owe one. Those vCPUs that have yet to take it are excused by that alone.
 */
void owed_paid(struct oracle *o, uint64_t gfn, uint64_t nr)
{
	int i;

	for (i = 0; i < ORACLE_MAX_THREADS && o->calls_open; i++)
		if (o->threads[i].nr_owed)
			pay(&o->threads[i], gfn, nr);
}

/**
 * owed_any() - does any call owe a flush?
 * @o: oracle
 * @root: for a page under this root
 * @gfn: the page
 * @gone: because it has lost its mapping, and not just part of what that permitted
 */
bool owed_any(const struct oracle *o, uint64_t root, uint64_t gfn, bool gone)
{
	uint32_t i, k;

	for (i = 0; i < ORACLE_MAX_THREADS && o->calls_open; i++) {
		const struct thread_state *t = &o->threads[i];

		for (k = 0; k < t->nr_owed; k++) {
			const struct owed_range *r = &t->owed[k];

			if (gone && !r->gone)
				continue;
			if ((r->root == root || r->root == OWED_ANY_ROOT) && gfn >= r->start &&
			    gfn < r->end)
				return true;
		}
	}
	return false;
}
