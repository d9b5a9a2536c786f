// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule N: after an unmap (all roots) or a gfn-range zap (valid roots) returns, no SPTE made from a
 * pfn look-up before its end remains; after slot deletion, none of the slot's.
 *
 * At the end of invalidate_range_start() nothing may be mapped in the range: faults that are under
 * way see the invalidation in progress. At invalidate_range_end() a fault may have mapped the page
 * again; it looked it up after the frames changed if it has the frame that is there now.
 */
#include "host.h"
#include "rules.h"

struct search {
	const char *what;
	const struct slot_desc *slot;	/* INVALIDATE_END: leaves with the right frame are fine */
};

static int found(struct oracle *o, const struct mirror_leaf *leaf, void *arg)
{
	const struct search *s = arg;

	if (s->slot) {
		uint64_t hvn = s->slot->hvn + (leaf->gfn - s->slot->base);

		if (host_frame(o, hvn) == fmt_pfn(&o->fmt, leaf->spte))
			return 0;
	}
	oracle_report(o, 'N', leaf->gfn, leaf->spte,
		      "a mapping at level %d is left after %s returned", leaf->level, s->what);
	return 1;
}

static void search(struct oracle *o, int as, bool valid_only, uint64_t start, uint64_t end,
		   struct search *s)
{
	uint32_t i, n;
	struct mirror_table **roots = mirror_roots(o, &n);

	for (i = 0; i < n; i++) {
		if ((as >= 0 && roots[i]->smm != as) || (valid_only && !roots[i]->valid))
			continue;
		if (mirror_for_each_leaf(o, roots[i], start, end, found, s))
			return;
	}
}

/* Host pages [@hvn, @hvn + @n) in every slot that shows them. */
static void search_host(struct oracle *o, uint64_t hvn, uint64_t n, bool end_of_invalidation)
{
	uint32_t as, i;

	for (as = 0; as < 2; as++) {
		for (i = 0; i < o->slots.nr[as]; i++) {
			const struct slot_desc *d = &o->slots.list[as][i]->desc;
			uint64_t from = hvn > d->hvn ? hvn : d->hvn;
			uint64_t to = hvn + n < d->hvn + d->npages ? hvn + n : d->hvn + d->npages;
			struct search s = { .what = "an unmap" };

			if (from >= to)
				continue;
			if (end_of_invalidation)
				s.slot = d;
			search(o, as, false, d->base + (from - d->hvn), d->base + (to - d->hvn),
			       &s);
		}
	}
}

void rule_n_call_end(struct oracle *o, const struct oracle_call *call)
{
	struct search s = { .what = "a zap of a gfn range" };

	if (call->ret < 0)
		return;
	switch (call->kind) {
	case CALL_INVALIDATE_START:
		search_host(o, call->gfn, call->n, false);
		break;
	case CALL_INVALIDATE_END:
		search_host(o, call->gfn, call->n, true);
		break;
	case CALL_ZAP_RANGE:
		/* Other threads may have mapped the pages again by a new look-up. */
		if (!o->calls_open)
			search(o, -1, true, call->gfn, call->gfn + call->n, &s);
		break;
	default:
		break;
	}
}

/* A slot was deleted, or moved away from where @gone says it was. */
void rule_n_slot(struct oracle *o, const struct slot_desc *gone)
{
	struct search s = { .what = "the deletion of the slot" };

	search(o, gone->as_id, false, gone->base, gone->base + gone->npages, &s);
}
