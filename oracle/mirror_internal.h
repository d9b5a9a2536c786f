/* SPDX-License-Identifier: GPL-2.0-only */
/* The mirror's own data, for oracle.c and the rules that count. */
#ifndef ORACLE_MIRROR_INTERNAL_H
#define ORACLE_MIRROR_INTERNAL_H

#include "mirror.h"

/**
 * struct mirror - all page tables
 * @table: descriptors, one for each page that there could be: address space, most of which nobody touches
 * @used: those that were allocated since the last reset
 * @roots: live roots
 * @nr_live: page-table pages allocated
 * @nr_tables: pages linked by an entry
 * @leaves: leaf mappings by level, [0] 4K; those in pages that were never linked do not count
 * @unlinks: page tables unlinked so far
 */
struct mirror {
	struct mirror_table *table;
	struct mirror_table **used;
	uint32_t nr_used, max_used;
	struct mirror_table **roots;
	uint32_t nr_roots, max_roots;
	uint64_t nr_live;
	int64_t nr_tables;
	int64_t leaves[5];
	uint64_t unlinks;
};

/* mirror_table(), where it matters how fast. */
static inline struct mirror_table *mirror_at(const struct mirror *m, uint64_t pa)
{
	uint64_t page = (pa - MIRROR_PT_PA) >> 12;
	struct mirror_table *t;

	if (page >= MIRROR_PT_PAGES)
		return NULL;
	t = &m->table[page];
	return t->gen ? t : NULL;
}

#endif /* ORACLE_MIRROR_INTERNAL_H */
