// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two histories of the same SPTEs.  Key by key the classes are aligned, as 'diff' aligns lines;
 * what is in one only, or differs, gets the name of the reason that explains it, or none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import_history.h"

#define WINDOW		1024	/* classes aligned at once */
#define COST_AD		2u	/* two leaves that differ in A and D only */
#define COST_ONE	3u	/* a class that is in one only */

const char *const difference_names[DIFF_NR] = {
#define D(name, text, why) [DIFF_##name] = text,
	DIFFERENCES(D)
#undef D
};

const char *const difference_reasons[DIFF_NR] = {
#define D(name, text, why) [DIFF_##name] = why,
	DIFFERENCES(D)
#undef D
};

/**
 * struct item - a class on the way through an SPTE's lives
 * @step: it
 * @prev: the class before, NULL at the beginning of a life
 * @last: nothing of the key comes after it
 * @alone: its life has nothing else but an end
 */
struct item {
	const struct history_step *step;
	const struct history_step *prev;
	bool last;
	bool alone;
};

struct comparer {
	const struct import *im;
	const struct history *recorded;
	struct comparison *result;
	const struct history_key *key;
	uint16_t *cost;		/* (WINDOW + 1) squared */
};

static uint32_t flatten(const struct history *h, const struct history_key *key, struct item *items)
{
	uint32_t i, life, nr = 0;

	for (life = key ? key->first : HISTORY_OPEN; life != HISTORY_OPEN;
	     life = h->lives[life].next) {
		const struct history_life *l = &h->lives[life];

		for (i = 0; i < l->nr; i++)
			items[nr++] = (struct item){
				&l->steps[i],
				i ? &l->steps[i - 1] : NULL,
				false,
				l->nr <= 2,
			};
	}
	if (nr)
		items[nr - 1].last = true;
	return nr;
}

/* Room for the classes of any one key. */
static struct item *alloc_items(const struct history *h)
{
	uint32_t i, life, most = 1;

	for (i = 0; i < h->cap_keys; i++) {
		uint32_t nr = 0;

		if (!h->keys[i].used)
			continue;
		for (life = h->keys[i].first; life != HISTORY_OPEN; life = h->lives[life].next)
			nr += h->lives[life].nr;
		most = nr > most ? nr : most;
	}
	return calloc(most, sizeof(struct item));
}

static bool ad_only(const struct spte_class *a, const struct spte_class *b)
{
	return a->kind == SPTE_LEAF && b->kind == SPTE_LEAF && a->w == b->w && a->x == b->x;
}

static bool gains_w(const struct spte_class *from, const struct spte_class *to)
{
	return from->kind == SPTE_LEAF && to->kind == SPTE_LEAF && from->x == to->x && !from->w &&
	       to->w;
}

static void example(struct comparer *c, const struct item *a, const struct item *b)
{
	struct comparison *r = c->result;
	char was[16], is[16], prev[16] = "";

	if (r->nr_examples == MAX_EXAMPLES)
		return;
	snprintf(was, sizeof(was), "nothing");
	snprintf(is, sizeof(is), "nothing");
	if (a)
		spte_class_name(&a->step->class, was, sizeof(was));
	if (b)
		spte_class_name(&b->step->class, is, sizeof(is));
	if ((a ? a : b)->prev)
		spte_class_name(&(a ? a : b)->prev->class, prev, sizeof(prev));
	snprintf(r->examples[r->nr_examples++], sizeof(r->examples[0]),
		 "%s %u: as %u gfn 0x%llx level %u: recorded %s, replayed %s%s%s",
		 a ? "line" : "event", (a ? a : b)->step->line, c->key->as_id,
		 (unsigned long long)c->key->gfn, c->key->level, was, is, *prev ? ", after " : "",
		 prev);
}

static bool cuts(uint64_t at, uint64_t start)
{
	return at > start && at < start + 512;
}

/*
 * Whether the host changed a part of the 2M page around the key. Replay splits the huge page first,
 * and invalidates all of it; the recorded host may have had small pages there by then.
 */
static bool host_split(const struct comparer *c)
{
	const struct import *im = c->im;
	uint32_t s, i;

	for (s = 0; s < im->nr_slots; s++) {
		const struct slot_desc *d = &im->slots[s].desc;
		uint64_t start;

		if (d->as_id != c->key->as_id || c->key->gfn - d->base >= d->npages ||
		    d->backing == BACKING_4K)
			continue;
		start = (d->hvn + (c->key->gfn - d->base)) & ~511ULL;
		for (i = 0; i < im->nr_ops; i++) {
			const struct op *op = &im->ops[i].op;

			if ((op->kind == OP_UNMAP || op->kind == OP_REMAP ||
			     op->kind == OP_PROTECT) &&
			    (cuts(op->gfn, start) || cuts(op->gfn + op->n, start)))
				return true;
		}
	}
	return false;
}

/* Why a class is in one history only. */
static enum difference reason_of_one(const struct comparer *c, const struct item *item,
				     bool recorded)
{
	const struct spte_class *class = &item->step->class;
	const struct spte_class *prev = item->prev ? &item->prev->class : NULL;

	if (prev && ad_only(prev, class)) {
		if (recorded && prev->d && !class->d && class->w)
			return DIFF_REFAULT_D;
		return DIFF_CPU_AD;
	}
	if (prev && gains_w(prev, class) && !c->im->log->seen[FT_FAST_FAULT])
		return DIFF_FAST_WRITE;
	if (recorded && prev && prev->kind == SPTE_MMIO && class->w && !class->d)
		return DIFF_MMIO_LEAF;
	if (!recorded && item->alone &&
	    (item->step->born == BORN_UNSEEN || (item->prev && item->prev->born == BORN_UNSEEN)))
		return DIFF_SPLIT_CHILD;
	if (!recorded && item->last && class->kind == SPTE_NONE)
		return DIFF_TEARDOWN;
	if (import_is_raced(c->im, c->key->as_id, c->key->gfn, c->key->level))
		return DIFF_RACE;
	if (c->key->level == 1 && (recorded ? prev != NULL : class->kind == SPTE_NONE) &&
	    host_split(c))
		return DIFF_HOST_SPLIT;
	return DIFF_UNNAMED;
}

/* Whether a second fault has cleared D of the huge page that this is a piece of. */
static bool parent_lost_d(const struct comparer *c)
{
	const struct history_key *key;
	uint32_t life, i;

	key = history_find(c->recorded, c->key->as_id, c->key->gfn & ~511ULL, 2);
	for (life = key && c->key->level == 1 ? key->first : HISTORY_OPEN; life != HISTORY_OPEN;
	     life = c->recorded->lives[life].next) {
		const struct history_life *l = &c->recorded->lives[life];

		for (i = 1; i < l->nr; i++) {
			if (ad_only(&l->steps[i - 1].class, &l->steps[i].class) &&
			    l->steps[i - 1].class.d && !l->steps[i].class.d)
				return true;
		}
	}
	return false;
}

/* Why two leaves differ in A and D. */
static enum difference reason_of_ad(const struct comparer *c, const struct item *recorded,
				    const struct item *replayed)
{
	const struct spte_class *class = &recorded->step->class;
	const struct spte_class *prev = recorded->prev ? &recorded->prev->class : NULL;

	if (prev && prev->kind == SPTE_MMIO && class->w && !class->d)
		return DIFF_MMIO_LEAF;
	if (prev && ad_only(prev, class) && prev->d && !class->d)
		return DIFF_REFAULT_D;
	if (!class->d && replayed->step->class.d && parent_lost_d(c))
		return DIFF_REFAULT_D;
	return DIFF_CPU_AD;
}

static void differs(struct comparer *c, const struct item *a, const struct item *b)
{
	enum difference why;

	if (a && b)	/* in A and D only */
		why = reason_of_ad(c, a, b);
	else
		why = reason_of_one(c, a ? a : b, a != NULL);
	c->result->differences[why]++;
	if (why == DIFF_UNNAMED)
		example(c, a, b);
}

static uint32_t pair_cost(const struct item *a, const struct item *b)
{
	if (spte_same_class(&a->step->class, &b->step->class))
		return 0;
	return ad_only(&a->step->class, &b->step->class) ? COST_AD : 2 * COST_ONE + 1;
}

#define COST(c, i, j)	((c)->cost[(i) * (WINDOW + 1) + (j)])

/* What remains to be paid from (i, j) on, for all of them. */
static void fill_costs(struct comparer *c, const struct item *a, uint32_t na, const struct item *b,
		       uint32_t nb)
{
	uint32_t i, j;

	for (i = na + 1; i-- > 0;) {
		for (j = nb + 1; j-- > 0;) {
			uint32_t best = ~0U, cost;

			if (i == na && j == nb)
				best = 0;
			if (i < na)
				best = COST(c, i + 1, j) + COST_ONE;
			if (j < nb) {
				cost = COST(c, i, j + 1) + COST_ONE;
				best = cost < best ? cost : best;
			}
			if (i < na && j < nb) {
				cost = COST(c, i + 1, j + 1) + pair_cost(&a[i], &b[j]);
				best = cost < best ? cost : best;
			}
			COST(c, i, j) = best;
		}
	}
}

static void align(struct comparer *c, const struct item *a, uint32_t na, const struct item *b,
		  uint32_t nb)
{
	uint32_t i = 0, j = 0;

	fill_costs(c, a, na, b, nb);
	while (i < na || j < nb) {
		uint32_t cost = COST(c, i, j);
		uint32_t pair = i < na && j < nb ? pair_cost(&a[i], &b[j]) : ~0U;

		if (i < na && j < nb && cost == COST(c, i + 1, j + 1) + pair) {
			if (pair)
				differs(c, &a[i], &b[j]);
			else
				c->result->matched++;
			i++;
			j++;
		} else if (i < na && cost == COST(c, i + 1, j) + COST_ONE) {
			differs(c, &a[i++], NULL);
		} else {
			differs(c, NULL, &b[j++]);
		}
	}
}

/* @a and @b have room for any key's classes. */
static void compare_key(struct comparer *c, const struct history *replayed,
			const struct history_key *key, struct item *a, struct item *b)
{
	uint32_t left_a, left_b, na, nb;

	c->key = key;
	left_a = flatten(c->recorded, history_find(c->recorded, key->as_id, key->gfn, key->level),
			 a);
	left_b = flatten(replayed, history_find(replayed, key->as_id, key->gfn, key->level), b);
	c->result->recorded += left_a;
	c->result->replayed += left_b;
	for (; left_a || left_b; left_a -= na, left_b -= nb) {
		na = left_a < WINDOW ? left_a : WINDOW;
		nb = left_b < WINDOW ? left_b : WINDOW;
		align(c, a, na, b, nb);
		a += na;
		b += nb;
	}
}

static void compare_all(struct comparer *c, const struct history *replayed, struct item *a,
			struct item *b)
{
	uint32_t i;

	for (i = 0; i < c->recorded->cap_keys; i++) {
		if (c->recorded->keys[i].used)
			compare_key(c, replayed, &c->recorded->keys[i], a, b);
	}
	for (i = 0; i < replayed->cap_keys; i++) {
		const struct history_key *key = &replayed->keys[i];

		if (key->used && !history_find(c->recorded, key->as_id, key->gfn, key->level))
			compare_key(c, replayed, key, a, b);
	}
}

/**
 * history_compare - compare what a log tells with what its replay did
 * @im: import of the log, for the races in it
 * @recorded: from the log
 * @replayed: from the replay
 * @result: filled
 *
 * Return: 0 or -ENOMEM.
 */
int history_compare(const struct import *im, const struct history *recorded,
		    const struct history *replayed, struct comparison *result)
{
	struct comparer c = { .im = im, .recorded = recorded, .result = result };
	struct item *a = alloc_items(recorded);
	struct item *b = alloc_items(replayed);
	int ret = -ENOMEM;

	memset(result, 0, sizeof(*result));
	c.cost = malloc((WINDOW + 1) * (WINDOW + 1) * sizeof(*c.cost));
	if (a && b && c.cost) {
		compare_all(&c, replayed, a, b);
		ret = 0;
	}
	free(c.cost);
	free(a);
	free(b);
	return ret;
}
