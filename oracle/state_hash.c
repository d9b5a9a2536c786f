// SPDX-License-Identifier: GPL-2.0-only
#include "mirror_internal.h"
#include "oracle_internal.h"

static uint64_t mix(uint64_t h, uint64_t a)
{
	h = (h ^ a) * 0x9fb21c651e98df25ULL;
	return (h ^ h >> 32) * 0xd6e8feb86659fd93ULL;
}

static uint64_t table_hash(struct oracle *o, const struct mirror_table *t)
{
	uint64_t h = mix(t->gfn, t->level | t->linked << 3 | t->is_root << 4 | t->valid << 5 |
					 t->smm << 6 | t->guest_mode << 7);
	uint32_t w;

	for (w = 0; w < 8; w++) {
		uint64_t bits;

		for (bits = t->present[w]; bits; bits &= bits - 1) {
			uint64_t i = w * 64 + __builtin_ctzll(bits);
			uint64_t spte = mirror_read(o, t->pa + i * 8);

			h = mix(h, i);
			h = mix(h, fmt_is_leaf(spte, t->level) ? spte : 0);
		}
	}
	return h;
}

/**
 * oracle_state_hash() - what page tables there are, and what is mapped
 * @o: oracle
 *
 * Other than oracle_hash() it does not depend on how that came about, nor on the tables' addresses.
 *
 * Return: a hash.
 */
uint64_t oracle_state_hash(struct oracle *o)
{
	const struct mirror *m = o->mirror;
	uint64_t sum = mix(o->nr_nx_splits, m->nr_live);
	uint32_t i;

	for (i = 0; i < m->nr_used; i++)
		if (m->used[i]->live)
			sum += table_hash(o, m->used[i]);
	return sum;
}
