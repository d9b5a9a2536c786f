// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule N: after an unmap (all roots) or a gfn-range zap (valid roots) returns, no SPTE made from a
 * pfn look-up before its end remains; after slot deletion, none of the slot's.
 *
 * At the end of invalidate_range_start() nothing may be mapped in the range: faults that are under
 * way see the invalidation in progress. (A fault beside the range may meanwhile have made a huge
 * leaf that reaches into it: the host still maps the memory like that. It splits its own mapping
 * before it takes a part away, for which it invalidates all of that.) At invalidate_range_end() a
 * fault may have mapped the page again; it looked it up after the frames changed if it has the
 * frame that is there now.
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
	uint64_t before;		/* ZAP_RANGE: leaves of look-ups since this step are fine */
	uint64_t start, end;		/* INVALIDATE_START: leaves that reach beyond are fine, */
	uint64_t since;			/* if they were made since this step */
	bool slots;			/* SET_REGION: leaves that a slot wants are fine */
};

static uint64_t pages(int level)
{
	return 1ULL << (9 * (level - 1));
}

#define KEY_MADE	(1ULL << 63)

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

/* The step at which the leaf was made; 0: before anything overlapped, MAP_NONE: by a split. */
static uint64_t leaf_made(const struct oracle *o, const struct mirror_table *t, uint64_t pa)
{
	uint64_t step = map_get(&o->born, leaf_key(t, pa) | KEY_MADE);

	return step == MAP_NONE && !t->made ? 0 : step;
}

/*
 * Did a fault beside the range make the huge page, which may have been split since, that reaches
 * into it?
 */
static bool is_from_beside(const struct oracle *o, const struct mirror_leaf *leaf,
			   const struct search *s)
{
	const struct mirror_table *t = leaf->table;
	uint64_t made = leaf_made(o, t, leaf->pa);
	int level = leaf->level;
	uint64_t gfn;

	if (made == MAP_NONE) {
		made = t->made;
		level = t->made_level;
	}
	gfn = leaf->gfn & -pages(level);
	return s->since && made >= s->since && (gfn < s->start || gfn + pages(level) > s->end);
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

	if (!o->overlapped)
		return;
	if (!l || !rule_n_looked_up(o, hvn, fmt_pfn(&o->fmt, ev->val))) {
		/* Small pages become a huge one (Linux 7.2): they are older, but that is made now. */
		if (ev->was && !ev->was_leaf)
			map_put(&o->born, leaf_key(ev->t, ev->pa) | KEY_MADE, o->step);
		return;
	}
	map_put(&o->born, leaf_key(ev->t, ev->pa), l->step);
	map_put(&o->born, leaf_key(ev->t, ev->pa) | KEY_MADE, o->step);
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

	if (!o->overlapped)
		return;
	child->born = leaf_born(o, ev->t, ev->pa);
	child->made = leaf_made(o, ev->t, ev->pa);
	child->made_level = ev->t->level;
	if (child->made == MAP_NONE) {
		child->made = ev->t->made;
		child->made_level = ev->t->made_level;
	}
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

/* Is there a slot, by now, whose page the leaf maps? */
static bool is_wanted(struct oracle *o, const struct mirror_leaf *leaf)
{
	const struct mirror_table *root = mirror_table(o, leaf->table->root);
	const struct slot_desc *seen[MAX_SEEN];
	int n = root ? oracle_slots_seen(o, root->smm, leaf->gfn, seen) : 0;

	while (n--)
		if (host_frame(o, seen[n]->hvn + (leaf->gfn - seen[n]->base)) ==
		    fmt_pfn(&o->fmt, leaf->spte))
			return true;
	return false;
}

static int found(struct oracle *o, const struct mirror_leaf *leaf, void *arg)
{
	const struct search *s = arg;

	if (s->slot) {
		uint64_t hvn = s->slot->hvn + (leaf->gfn - s->slot->base);

		if (host_frame(o, hvn) == fmt_pfn(&o->fmt, leaf->spte))
			return 0;
	}
	if (s->before && leaf_born(o, leaf->table, leaf->pa) >= s->before)
		return 0;
	if (is_from_beside(o, leaf, s))
		return 0;
	if (s->slots && is_wanted(o, leaf))
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

static void search_slot(struct oracle *o, int as, const struct slot_desc *slot, uint64_t start,
			uint64_t end, bool end_of_invalidation)
{
	struct search s = { .what = "an unmap", .start = start, .end = end };

	if (end_of_invalidation)
		s.slot = slot;
	else if (o->overlapped)
		s.since = oracle_call_step(o);
	search(o, as, false, start, end, &s);
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

			/* Where a slot is deleted or moved from another one may be by now. */
			if (from >= to || oracle_slot_leaves(o, o->slots.list[as][i]->number))
				continue;
			search_slot(o, as, d, d->base + (from - d->hvn), d->base + (to - d->hvn),
				    end_of_invalidation);
		}
	}
}

/*
 * Other threads may have mapped the pages again by a new look-up; or, where the walk had been
 * already, mapped a huge page for the sake of one beside the range: only a fault's own gfn is
 * compared with it. What that maps was so after the call began, which is what its callers (a
 * changed memory type) ask for.
 */
static void zap_range_end(struct oracle *o, const struct oracle_call *call)
{
	struct search s = {
		.what = "a zap of a gfn range",
		.start = call->gfn,
		.end = call->gfn + call->n,
	};

	if (o->overlapped)
		s.before = s.since = oracle_call_step(o);
	search(o, -1, true, s.start, s.end, &s);
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
		zap_range_end(o, call);
		note_stale(o, call);
		break;
	default:
		break;
	}
}

/* A slot was deleted, or moved away from where @gone says it was. */
void rule_n_slot(struct oracle *o, const struct slot_desc *gone)
{
	struct search s = { .what = "the deletion of the slot", .slots = true };

	search(o, gone->as_id, false, gone->base, gone->base + gone->npages, &s);
}
