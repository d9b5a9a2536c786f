/* SPDX-License-Identifier: GPL-2.0-only */
/* The mirror's own data, for oracle.c and the rules that count. */
#ifndef ORACLE_MIRROR_INTERNAL_H
#define ORACLE_MIRROR_INTERNAL_H

#include "mirror.h"

/* Descriptors come in blocks, so that a program with few tables touches little memory. */
#define MIRROR_BLOCK_SHIFT	8
#define MIRROR_BLOCK_SIZE	(1u << MIRROR_BLOCK_SHIFT)
#define MIRROR_BLOCKS		(MIRROR_PT_PAGES >> MIRROR_BLOCK_SHIFT)

/**
 * struct mirror - all page tables
 * @block: descriptors
 * @used: those that were allocated since the last reset
 * @roots: live roots
 * @nr_live: page-table pages allocated
 * @nr_tables: pages linked by an entry
 * @leaves: leaf mappings by level, [0] 4K; those in pages that were never linked do not count
 * @unlinks: page tables unlinked so far
 */
struct mirror {
	struct mirror_table *block[MIRROR_BLOCKS];
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

	if (page >= MIRROR_PT_PAGES || !m->block[page >> MIRROR_BLOCK_SHIFT])
		return NULL;
	t = &m->block[page >> MIRROR_BLOCK_SHIFT][page & (MIRROR_BLOCK_SIZE - 1)];
	return t->gen ? t : NULL;
}

#endif /* ORACLE_MIRROR_INTERNAL_H */
