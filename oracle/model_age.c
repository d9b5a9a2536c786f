// SPDX-License-Identifier: GPL-2.0-only
/*
 * Aging: was a page used since it was last asked? Without A bits, by taking its permissions
 * away.
 */
#include "model_internal.h"

struct age {
	bool clear, young;
};

static void age_leaf(struct model *m, struct mtable *t, unsigned int index, void *arg)
{
	const struct mfmt *f = &m->fmt;
	uint64_t spte = t->val[index];
	struct age *a = arg;

	if (!mspte_accessed(f, spte))
		return;
	a->young = true;
	if (!a->clear)
		return;

	mtouch(m, t, index);
	if (mspte_ad(f, spte)) {
		t->val[index] = spte & ~f->accessed;
		return;
	}
	t->val[index] = mspte_track(f, spte);
	/* The answer says that it was accessed; that it was written would be lost with W. */
	if (!(spte & SPTE_W) || m->fault_marks)
		return;
	mmark_pfn(m, &m->c.want_dirty, mspte_pfn(f, spte));
	if (m->vm.kernel == VM_LINUX_6_1)
		mmark_pfn(m, &m->c.want_dirty, mspte_pfn(f, spte));
}

/**
 * mage() - predict aging
 * @m: model
 * @call: CALL_AGE or CALL_TEST_AGE
 * @clear: the former
 *
 * Linux 7.2 looks at valid roots only.
 *
 * Return: what the call must: 1 if any page was accessed.
 */
long mage(struct model *m, const struct oracle_call *call, bool clear)
{
	struct age a = { .clear = clear };
	uint64_t start, end;
	uint32_t r;
	int as, i;

	for (as = 0; as < 2; as++) {
		for (i = 0; i < MODEL_SLOTS; i++) {
			if (!mslot_hvn_range(&m->slot[as][i], call->gfn, call->n, &start, &end))
				continue;
			for_each_mroot(m, r, as, m->vm.kernel == VM_LINUX_7_2)
				mleaves(m, mtable(m, m->root[r].table), start, end, age_leaf, &a);
		}
	}
	return a.young;
}
