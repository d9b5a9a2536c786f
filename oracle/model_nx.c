// SPDX-License-Identifier: GPL-2.0-only
/*
 * The iTLB-multihit mitigation: tables that stand where a huge page might, because code ran there,
 * are kept in a list, oldest first, and given up bit by bit.
 */
#include "model_internal.h"

void mnx_track(struct model *m, struct mtable *t)
{
	if (t->nx_listed)
		return;
	t->nx_listed = true;
	t->nx_prev = m->nx_last;
	t->nx_next = 0;
	if (m->nx_last)
		mtable(m, m->nx_last)->nx_next = t->id;
	else
		m->nx_first = t->id;
	m->nx_last = t->id;
	m->stat.nx_lpage_splits++;
}

void mnx_untrack(struct model *m, struct mtable *t)
{
	t->nx_disallowed = false;
	if (!t->nx_listed)
		return;
	t->nx_listed = false;
	if (t->nx_prev)
		mtable(m, t->nx_prev)->nx_next = t->nx_next;
	else
		m->nx_first = t->nx_next;
	if (t->nx_next)
		mtable(m, t->nx_next)->nx_prev = t->nx_prev;
	else
		m->nx_last = t->nx_prev;
	m->stat.nx_lpage_splits--;
}

/* Pages of a logged slot would come back small: their tables are forgotten instead. */
static bool logged(struct model *m, const struct mtable *t)
{
	struct mslot *s;

	if (!m->nr_logging)
		return false;
	s = mslot_by_gfn(m, t->role & ROLE_SMM, t->gfn);
	return s && s->logging;
}

/**
 * mnx_recover() - predict one run of the recovery worker
 * @m: model
 *
 * Rules of kvm_recover_nx_huge_pages(). Return: what the call must.
 */
long mnx_recover(struct model *m)
{
	uint64_t n, ratio = m->vm.nx_ratio;
	struct mtable *t;
	bool flush = false;

	if (!m->nx || !ratio)
		return 0;
	for (n = (m->stat.nx_lpage_splits + ratio - 1) / ratio; n && m->nx_first; n--) {
		t = mtable(m, m->nx_first);
		if (m->vm.kernel != VM_LINUX_6_1 && logged(m, t)) {
			mnx_untrack(m, t);
		} else {
			mset(m, mtable(m, t->parent), t->index, SPTE_INITIAL);
			flush = true;
		}
	}
	if (flush)
		mowe(m, 0, 0, true);
	return 0;
}

long mnx_set(struct model *m, bool on)
{
	if (on != m->nx) {
		m->nx = on;
		mzap_fast(m);
	}
	return 0;
}
