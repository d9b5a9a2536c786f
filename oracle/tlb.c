// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's TLB and paging-structure cache: small, set-associative, replaced round-robin, so that
 * what is cached follows from the accesses alone.  Dropping everything is one increment.
 */
#include "hw.h"

static uint32_t tlb_set(uint64_t gfn, int level)
{
	return (gfn >> (9 * (level - 1))) % TLB_SETS;
}

static uint64_t align(uint64_t gfn, int level)
{
	return gfn >> (9 * (level - 1)) << (9 * (level - 1));
}

static uint64_t pages(int level)
{
	return 1ULL << (9 * (level - 1));
}

/* Drop every translation and every cached non-leaf entry. */
void tlb_flush_all(struct vcpu *v)
{
	if (v->filled)
		v->epoch++;
	v->filled = false;
}

static bool overlaps(uint64_t gfn, int level, uint64_t start, uint64_t nr)
{
	uint64_t n = pages(level);

	return gfn < start ? start - gfn < n : gfn - start < nr;
}

static void drop(struct tlb_entry *e, struct vcpu *v, int level, uint64_t gfn, uint64_t nr)
{
	if (e->epoch == v->epoch && overlaps(e->gfn, level, gfn, nr))
		e->epoch = 0;
}

/**
 * tlb_flush_range() - drop what overlaps a range, of every size
 * @v: the vCPU
 * @gfn: first page
 * @nr: pages, at least 1
 *
 * Non-leaf entries count by what they cover: INVEPT knows no ranges, and the hypercalls that do
 * promise the same.
 */
void tlb_flush_range(struct vcpu *v, uint64_t gfn, uint64_t nr)
{
	uint64_t last = gfn + nr - 1;
	int level, way;

	if (!v->filled)
		return;
	for (level = 1; level <= TLB_LEVELS; level++) {
		uint64_t first_no = gfn >> (9 * (level - 1)), last_no = last >> (9 * (level - 1));
		uint64_t n = last_no - first_no < TLB_SETS ? last_no - first_no + 1 : TLB_SETS;
		uint64_t i;

		/* A short range can only be in some of the sets. */
		for (i = 0; i < n; i++)
			for (way = 0; way < TLB_WAYS; way++)
				drop(&v->tlb[level - 1][(first_no + i) % TLB_SETS][way], v, level,
				     gfn, nr);
	}
	for (level = 2; level <= 5; level++)
		for (way = 0; way < PSC_WAYS; way++) {
			struct psc_entry *e = &v->psc[level][way];

			if (e->epoch == v->epoch && overlaps(e->gfn, level, gfn, nr))
				e->epoch = 0;
		}
}

/* The translation for @gfn, smallest size first; NULL if there is none. */
struct tlb_entry *tlb_find(struct vcpu *v, uint64_t gfn)
{
	int level, way;

	for (level = 1; level <= TLB_LEVELS; level++) {
		struct tlb_entry *set = v->tlb[level - 1][tlb_set(gfn, level)];
		uint64_t base = align(gfn, level);

		for (way = 0; way < TLB_WAYS; way++)
			if (set[way].gfn == base && set[way].epoch == v->epoch)
				return &set[way];
	}
	return NULL;
}

/* Adds a translation in place of one for the same page, a void one, or the next in turn. */
struct tlb_entry *tlb_insert(struct vcpu *v, const struct tlb_entry *e)
{
	uint32_t s = tlb_set(e->gfn, e->level);
	struct tlb_entry *set = v->tlb[e->level - 1][s];
	int way, to = -1;

	for (way = 0; way < TLB_WAYS; way++) {
		if (set[way].epoch != v->epoch) {
			if (to < 0)
				to = way;
		} else if (set[way].gfn == e->gfn) {
			to = way;
			break;
		}
	}
	if (to < 0)
		to = v->tlb_victim[e->level - 1][s]++ % TLB_WAYS;
	set[to] = *e;
	set[to].epoch = v->epoch;
	v->filled = true;
	return &set[to];
}

/* The cached non-leaf entry of @level that covers @gfn; NULL if there is none. */
struct psc_entry *psc_find(struct vcpu *v, uint64_t gfn, int level)
{
	uint64_t base = align(gfn, level);
	int way;

	for (way = 0; way < PSC_WAYS; way++)
		if (v->psc[level][way].gfn == base && v->psc[level][way].epoch == v->epoch)
			return &v->psc[level][way];
	return NULL;
}

void psc_insert(struct vcpu *v, int level, const struct psc_entry *e)
{
	int way, to = -1;

	for (way = 0; way < PSC_WAYS; way++) {
		if (v->psc[level][way].epoch != v->epoch) {
			if (to < 0)
				to = way;
		} else if (v->psc[level][way].gfn == e->gfn) {
			to = way;
			break;
		}
	}
	if (to < 0)
		to = v->psc_victim[level]++ % PSC_WAYS;
	v->psc[level][to] = *e;
	v->psc[level][to].epoch = v->epoch;
	v->filled = true;
}

/* Calls @fn for each translation that the vCPU holds. */
void tlb_for_each(struct oracle *o, struct vcpu *v, tlb_fn fn, void *arg)
{
	int level, set, way;

	for (level = 1; level <= TLB_LEVELS; level++)
		for (set = 0; set < TLB_SETS; set++)
			for (way = 0; way < TLB_WAYS; way++)
				if (v->tlb[level - 1][set][way].epoch == v->epoch)
					fn(o, v, &v->tlb[level - 1][set][way], arg);
}
