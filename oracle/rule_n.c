// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule N: after an unmap (all roots) or a gfn-range zap (valid roots) returns, no SPTE made from a
 * pfn look-up before its end remains; after slot deletion, none of the slot's.
 *
 * At the end of invalidate_range_start() nothing may be mapped in the range: faults that are under
 * way see the invalidation in progress. Faults for pages beside the range do not; they may map a huge
 * page around it again as long as the host does. Before the host takes a part of a huge page away it
 * splits it, with an invalidation of all of it; such a mapping has gone when the outer one ends. At
 * invalidate_range_end() a fault may have mapped the page
 * again; it looked it up after the frames changed if it has the frame that is there now.
 *
 * Where calls overlap, faults map pages again before a zap has returned, so a leaf is judged by
 * when its pfn was looked up, which is remembered for each leaf (oracle.born). KVM's sequence
 * number moves between the beginning and the end of the call that ends the invalidation: a look-up
 * before that call began must not be used after it has returned, whatever frame it found; one
 * within it may have come first or last. Leaves made before anything overlapped are not remembered:
 * they are older than any call that others overlapped with.
 */
#include "host.h"
#include "rules.h"

struct search {
	const char *what;
	const struct slot_desc *slot;	/* INVALIDATE_END: leaves with the right frame are fine */
	const struct slot_desc *moved;	/* where the slot is now, which may be mapped already */
	uint64_t before; /* ZAP_RANGE: leaves of look-ups since this step are fine */
	uint64_t around; /* INVALIDATE_START: huge leaves made around the range since this step are */
};

/* A leaf is known by its address and by which use of the page that is. */
static uint64_t leaf_key(const struct mirror_table *t, uint64_t pa)
{
	return (uint64_t)t->gen << 40 ^ pa >> 3;
}

/* The step of the look-up that the leaf was made from; 0: before anything overlapped. */
static uint64_t leaf_born(const struct oracle *o, const struct mirror_table *t, uint64_t pa)
{
	uint64_t step = map_get(&o->born, leaf_key(t, pa));

	return step == MAP_NONE ? t->born : step;
}

/* The current thread's look-up, if it was made in the call that it is in. */
static const struct lookup *last_lookup(struct oracle *o)
{
	const struct thread_state *t = oracle_current(o);

	return t->depth && t->lookup.step > t->calls[0].step ? &t->lookup : NULL;
}

/* Was @pfn what the current fault was told for @hvn, or for a huge page around it? */
bool rule_n_looked_up(struct oracle *o, uint64_t hvn, uint64_t pfn)
{
	const struct lookup *l = last_lookup(o);

	return l && l->pfn - pfn == l->hvn - hvn;
}

/* A huge leaf whose fault was for a page beside the range that is being invalidated. */
static void note_around(struct oracle *o, const struct spte_event *ev, uint64_t hvn,
			const struct lookup *l)
{
	uint64_t n = 1ULL << (9 * (ev->level - 1));
	int i, depth;

	for (i = 0; i < ORACLE_MAX_THREADS; i++) {
		const struct thread_state *t = &o->threads[i];

		for (depth = 0; depth < t->depth; depth++) {
			const struct oracle_call *call = &t->calls[depth].call;

			if (call->kind == CALL_INVALIDATE_START && hvn < call->gfn + call->n &&
			    call->gfn < hvn + n && l->hvn - call->gfn >= call->n)
				map_put(&o->around, leaf_key(ev->t, ev->pa), o->step);
		}
	}
}

/**
 * rule_n_leaf() - a leaf was made, of the frame that the host page has now
 * @o: oracle
 * @ev: the change
 * @hvn: host page
 */
void rule_n_leaf(struct oracle *o, const struct spte_event *ev, uint64_t hvn)
{
	const struct lookup *l = last_lookup(o);
	uint32_t i;

	if (!o->overlapped || !l || !rule_n_looked_up(o, hvn, fmt_pfn(&o->fmt, ev->val)))
		return;
	map_put(&o->born, leaf_key(ev->t, ev->pa), l->step);
	if (ev->level > 1)
		note_around(o, ev, hvn, l);
	for (i = 0; i < MAX_STALE && i < o->nr_stale; i++) {
		const struct stale_range *r = &o->stale[i];
		uint64_t page = r->gfns ? ev->gfn + (l->hvn - hvn) : l->hvn;

		if (r->step <= l->step || page - r->start >= r->n)
			continue;
		oracle_report(o, 'N', ev->gfn, ev->val,
			      "an SPTE is made from a look-up that is older than the end of %s",
			      r->gfns ? "a zap of a gfn range" : "an unmap");
		return;
	}
}

/* The parts of a huge page that is split are as old as it. */
void rule_n_split(struct oracle *o, const struct spte_event *ev)
{
	struct mirror_table *child = mirror_table(o, fmt_table(&o->fmt, ev->val));

	if (o->overlapped)
		child->born = leaf_born(o, ev->t, ev->pa);
}

/* Look-ups before the call that returns now are stale. */
static void note_stale(struct oracle *o, const struct oracle_call *call)
{
	if (!o->overlapped || !call->n)
		return;
	o->stale[o->nr_stale++ % MAX_STALE] = (struct stale_range){
		.step = oracle_call_step(o),
		.start = call->gfn,
		.n = call->n,
		.gfns = call->kind == CALL_ZAP_RANGE,
	};
}

static bool shows(struct oracle *o, const struct slot_desc *slot, const struct mirror_leaf *leaf)
{
	return leaf->gfn >= slot->base && leaf->gfn - slot->base < slot->npages &&
	       host_frame(o, slot->hvn + (leaf->gfn - slot->base)) == fmt_pfn(&o->fmt, leaf->spte);
}

static int found(struct oracle *o, const struct mirror_leaf *leaf, void *arg)
{
	const struct search *s = arg;

	if (s->moved && shows(o, s->moved, leaf))
		return 0;
	if (s->slot) {
		uint64_t hvn = s->slot->hvn + (leaf->gfn - s->slot->base);

		if (host_frame(o, hvn) == fmt_pfn(&o->fmt, leaf->spte))
			return 0;
	}
	if (s->around) {
		uint64_t made = map_get(&o->around, leaf_key(leaf->table, leaf->pa));

		if (made != MAP_NONE && made >= s->around)
			return 0;
	}
	if (s->before && leaf_born(o, leaf->table, leaf->pa) >= s->before)
		return 0;
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

			/* Where a slot is deleted or moved from another one may be by now. */
			if (from >= to || oracle_slot_leaves(o, o->slots.list[as][i]->number))
				continue;
			if (end_of_invalidation)
				s.slot = d;
			else if (o->overlapped)
				s.around = oracle_call_step(o);
			search(o, as, false, d->base + (from - d->hvn), d->base + (to - d->hvn),
			       &s);
		}
	}
}

static void search_zapped(struct oracle *o, const struct oracle_call *call)
{
	struct search s = { .what = "a zap of a gfn range" };

	/* Other threads may have mapped the pages again by a new look-up. */
	if (o->overlapped)
		s.before = oracle_call_step(o);
	search(o, -1, true, call->gfn, call->gfn + call->n, &s);
}

void rule_n_call_end(struct oracle *o, const struct oracle_call *call)
{
	if (call->ret < 0)
		return;
	switch (call->kind) {
	case CALL_INVALIDATE_START:
		search_host(o, call->gfn, call->n, false);
		break;
	case CALL_INVALIDATE_END:
		search_host(o, call->gfn, call->n, true);
		note_stale(o, call);
		break;
	case CALL_ZAP_RANGE:
		search_zapped(o, call);
		note_stale(o, call);
		break;
	default:
		break;
	}
}

/*
 * A slot was deleted, or moved away from where @gone says it was to where @now does. There, other
 * threads may have faults from the moment on at which readers of the slots see it.
 */
void rule_n_slot(struct oracle *o, const struct slot_desc *gone, const struct slot_desc *now)
{
	struct search s = {
		.what = "the deletion of the slot",
		.moved = o->overlapped && now->npages ? now : NULL,
	};

	search(o, gone->as_id, false, gone->base, gone->base + gone->npages, &s);
}
