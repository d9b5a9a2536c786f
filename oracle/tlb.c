// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's TLB and paging-structure cache: small, set-associative, replaced round-robin, so that
 * what is cached follows from the accesses alone.  Which entries hold something is a bit for each, so
 * that looking for what is not there, or dropping everything, looks at no entry.
 */
#include "hw.h"

#include <string.h>

#define WAYS(n) ((1U << (n)) - 1)

_Static_assert(TLB_SETS *TLB_WAYS == 32, "vcpu.tlb_valid has a bit for each entry");
_Static_assert(PSC_WAYS <= 8, "vcpu.psc_valid has a bit for each entry");

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
	memset(v->tlb_valid, 0, sizeof(v->tlb_valid));
	memset(v->psc_valid, 0, sizeof(v->psc_valid));
}

static bool overlaps(uint64_t gfn, int level, uint64_t start, uint64_t nr)
{
	uint64_t n = pages(level);

	return gfn < start ? start - gfn < n : gfn - start < nr;
}

/* The entries, as bits of &vcpu.tlb_valid, that a range can be in. */
static uint32_t tlb_range(uint64_t gfn, uint64_t last, int level)
{
	uint64_t n = (last >> (9 * (level - 1))) - (gfn >> (9 * (level - 1))) + 1;
	uint32_t first = tlb_set(gfn, level) * TLB_WAYS;
	uint64_t bits;

	if (n >= TLB_SETS)
		return ~0U;
	bits = ((1ULL << n * TLB_WAYS) - 1) << first;
	return bits | bits >> 32;
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
	uint32_t bits;
	int level, i;

	for (level = 1; level <= TLB_LEVELS; level++) {
		bits = v->tlb_valid[level - 1];
		if (bits)
			bits &= tlb_range(gfn, gfn + nr - 1, level);
		for (; bits; bits &= bits - 1) {
			i = __builtin_ctz(bits);
			if (overlaps(v->tlb[level - 1][i].gfn, level, gfn, nr))
				v->tlb_valid[level - 1] &= ~(1U << i);
		}
	}
	for (level = 2; level <= 5; level++)
		for (bits = v->psc_valid[level]; bits; bits &= bits - 1) {
			i = __builtin_ctz(bits);
			if (overlaps(v->psc[level][i].gfn, level, gfn, nr))
				v->psc_valid[level] &= ~(1U << i);
		}
}

/* The translation for @gfn, smallest size first; NULL if there is none. */
struct tlb_entry *tlb_find(struct vcpu *v, uint64_t gfn)
{
	int level;

	for (level = 1; level <= TLB_LEVELS; level++) {
		uint32_t s = tlb_set(gfn, level);
		uint32_t bits = v->tlb_valid[level - 1] >> s * TLB_WAYS & WAYS(TLB_WAYS);

		for (; bits; bits &= bits - 1) {
			struct tlb_entry *e =
				&v->tlb[level - 1][s * TLB_WAYS + __builtin_ctz(bits)];

			if (e->gfn == align(gfn, level))
				return e;
		}
	}
	return NULL;
}

/* A way of @ways that is void, or else the next in turn. */
static int place(uint32_t valid, int ways, uint8_t *victim)
{
	uint32_t empty = ~valid & WAYS(ways);

	return empty ? __builtin_ctz(empty) : (*victim)++ % ways;
}

/* Adds a translation in place of one for the same page, a void one, or the next in turn. */
struct tlb_entry *tlb_insert(struct vcpu *v, const struct tlb_entry *e)
{
	uint32_t s = tlb_set(e->gfn, e->level);
	struct tlb_entry *set = &v->tlb[e->level - 1][s * TLB_WAYS];
	uint32_t valid = v->tlb_valid[e->level - 1] >> s * TLB_WAYS & WAYS(TLB_WAYS), bits;
	int to = -1;

	for (bits = valid; bits && to < 0; bits &= bits - 1)
		if (set[__builtin_ctz(bits)].gfn == e->gfn)
			to = __builtin_ctz(bits);
	if (to < 0)
		to = place(valid, TLB_WAYS, &v->tlb_victim[e->level - 1][s]);
	set[to] = *e;
	v->tlb_valid[e->level - 1] |= 1U << (s * TLB_WAYS + to);
	return &set[to];
}

/* The cached non-leaf entry of @level that covers @gfn; NULL if there is none. */
struct psc_entry *psc_find(struct vcpu *v, uint64_t gfn, int level)
{
	uint32_t bits;

	for (bits = v->psc_valid[level]; bits; bits &= bits - 1) {
		struct psc_entry *e = &v->psc[level][__builtin_ctz(bits)];

		if (e->gfn == align(gfn, level))
			return e;
	}
	return NULL;
}

/**
 * psc_new() - room for a non-leaf entry of which there is none yet
 * @v: the vCPU
 * @level: of the entry
 *
 * Return: the entry, valid from now on and to be filled by the caller.
 */
struct psc_entry *psc_new(struct vcpu *v, int level)
{
	int to = place(v->psc_valid[level], PSC_WAYS, &v->psc_victim[level]);

	v->psc_valid[level] |= 1U << to;
	return &v->psc[level][to];
}

/* Calls @fn for each translation that the vCPU holds. */
void tlb_for_each(struct oracle *o, struct vcpu *v, tlb_fn fn, void *arg)
{
	uint32_t bits;
	int level;

	for (level = 1; level <= TLB_LEVELS; level++)
		for (bits = v->tlb_valid[level - 1]; bits; bits &= bits - 1)
			fn(o, v, &v->tlb[level - 1][__builtin_ctz(bits)], arg);
}
