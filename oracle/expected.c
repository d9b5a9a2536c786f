// SPDX-License-Identifier: GPL-2.0-only
/* The prediction, asked rather than compared. */
#include "expected.h"

#include "format.h"
#include "model_internal.h"
#include "oracle_internal.h"

/**
 * oracle_predicts() - is there a prediction
 * @o: oracle
 *
 * Return: false once calls have overlapped or something was not as predicted: what the functions
 *	   below say means nothing then.
 */
bool oracle_predicts(const struct oracle *o)
{
	return o->predict && o->model->on;
}

static void leaves_of(struct model *m, struct mtable *t, expected_fn fn, void *ctx)
{
	unsigned int i;

	for (i = 0; i < 512; i++) {
		uint64_t spte = mget(t, i);

		if (mspte_is_table(spte, t->level))
			leaves_of(m, mtable(m, mchild(spte)), fn, ctx);
		else if (spte != SPTE_INITIAL)
			fn(ctx, mentry_gfn(t, i), t->level, spte);
	}
}

/**
 * oracle_expected_leaves() - the SPTEs that map something, or say that there is no memory
 * @o: oracle
 * @mode: EXPECTED_* mask; of this mode's valid root
 * @fn: called for each, in the order of their gfns
 * @ctx: passed to @fn
 */
void oracle_expected_leaves(struct oracle *o, int mode, expected_fn fn, void *ctx)
{
	struct model *m = o->model;
	uint32_t i;

	for (i = 0; i < m->nr_roots; i++) {
		struct mtable *t = mtable(m, m->root[i].table);

		if (!m->root[i].invalid && t->role == mode)
			leaves_of(m, t, fn, ctx);
	}
}

/**
 * oracle_expected_flush() - did the call that ended last owe a flush
 * @o: oracle
 *
 * Return: whether TLBs had to be flushed; a call that owes none may flush all the same.
 */
bool oracle_expected_flush(const struct oracle *o)
{
	return o->model->c.nr_owed;
}

/**
 * oracle_expected_stat() - KVM's statistics as they must be
 * @o: oracle
 * @stat: result
 */
void oracle_expected_stat(const struct oracle *o, struct oracle_stat *stat)
{
	*stat = o->model->stat;
}

/**
 * oracle_expected_roots() - roots that there must be, invalid ones included
 * @o: oracle
 *
 * Return: their number.
 */
uint32_t oracle_expected_roots(const struct oracle *o)
{
	return o->model->nr_roots;
}

/**
 * oracle_spte_frame() - which frame a leaf maps
 * @o: oracle
 * @spte: of a leaf
 *
 * Return: its first frame number.
 */
uint64_t oracle_spte_frame(const struct oracle *o, uint64_t spte)
{
	return fmt_pfn(&o->fmt, spte);
}
