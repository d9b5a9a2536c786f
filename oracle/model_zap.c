// SPDX-License-Identifier: GPL-2.0-only
/* Mappings that go: ranges, whole roots, and everything at the end. */
#include "model_internal.h"

struct zap {
	uint64_t start, end;
	bool any;
};

static void zap_leaf(struct model *m, struct mtable *t, unsigned int index, void *arg)
{
	struct zap *z = arg;

	mset(m, t, index, SPTE_INITIAL);
	z->any = true;
}

/**
 * mzap_leaves() - zap every leaf that overlaps a range; page tables stay
 * @m: model
 * @as: address space, -1 for both
 * @only_valid: leave invalid roots alone
 * @start: first gfn
 * @end: gfn after the last
 *
 * Return: was anything zapped that a vCPU may have in its TLB, i.e. in a valid root?
 */
bool mzap_leaves(struct model *m, int as, bool only_valid, uint64_t start, uint64_t end)
{
	struct zap z = { 0 };
	bool flush = false;
	uint32_t i;

	if (end > m->fmt.max_gfn + 1)
		end = m->fmt.max_gfn + 1;
	for_each_mroot(m, i, as, only_valid) {
		z.any = false;
		mleaves(m, mtable(m, m->root[i].table), start, end, zap_leaf, &z);
		flush |= z.any && !m->root[i].invalid;
	}
	return flush;
}

/* Everything of a root but MMIO entries of its top table, which has none. */
static void zap_root(struct model *m, struct mtable *root)
{
	unsigned int index;

	for_each_mentry(root, 0, ~0ULL, index)
		if (mspte_present(root->val[index]))
			mset(m, root, index, SPTE_INITIAL);
}

/**
 * mzap_fast() - every valid root becomes invalid, is emptied and loses the MMU's reference
 * @m: model
 *
 * vCPUs must leave the guest, and drop theirs before they enter it again.
 */
void mzap_fast(struct model *m)
{
	uint32_t i, table;

	m->c.owe_kick = true;
	for (i = 0; i < m->nr_roots;) {
		if (m->root[i].invalid) {
			i++;
			continue;
		}
		m->root[i].invalid = true;
		table = m->root[i].table;
		zap_root(m, mtable(m, table));
		if (m->root[i].refs > 1)
			i++;  /* else the next one moves here */
		mroot_put(m, table);
	}
}

/**
 * mzap_unmap_start() - predict the begin of an MMU-notifier invalidation
 * @m: model
 * @call: CALL_INVALIDATE_START
 *
 * Return: what the call must.
 */
long mzap_unmap_start(struct model *m, const struct oracle_call *call)
{
	bool found = false, flush = false;
	uint64_t start, end;
	int as, i;

	for (as = 0; as < 2; as++) {
		for (i = 0; i < MODEL_SLOTS; i++) {
			if (!mslot_hvn_range(&m->slot[as][i], call->gfn, call->n, &start, &end))
				continue;
			if (!found && !m->invalidating++) {
				m->inv_start = ~0ULL;
				m->inv_end = 0;
			}
			found = true;
			if (start < m->inv_start)
				m->inv_start = start;
			if (end > m->inv_end)
				m->inv_end = end;
			flush |= mzap_leaves(m, as, false, start, end);
		}
	}
	if (flush)
		mowe(m, 0, 0, true);
	return 0;
}

long mzap_unmap_end(struct model *m, const struct oracle_call *call)
{
	uint64_t start, end;
	int as, i;

	for (as = 0; as < 2; as++) {
		for (i = 0; i < MODEL_SLOTS; i++) {
			if (mslot_hvn_range(&m->slot[as][i], call->gfn, call->n, &start, &end)) {
				m->invalidating--;
				return 0;
			}
		}
	}
	return 0;
}

long mzap_range(struct model *m, const struct oracle_call *call)
{
	if (!call->n)
		return -EINVAL;
	if (mzap_leaves(m, -1, true, call->gfn, call->gfn + call->n))
		mowe(m, call->gfn, call->n, true);
	return 0;
}

/* The VM ends: every frame's state goes to the host. */
void mzap_destroy(struct model *m)
{
	uint32_t i;

	for (i = 0; i < m->nr_roots; i++)
		zap_root(m, mtable(m, m->root[i].table));
}
