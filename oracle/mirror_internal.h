/* SPDX-License-Identifier: GPL-2.0-only */
/* The mirror's own data, for oracle.c and the rules that count. */
#ifndef ORACLE_MIRROR_INTERNAL_H
#define ORACLE_MIRROR_INTERNAL_H

#include "mirror.h"

#define MIRROR_BLOCKS	(MIRROR_PT_PAGES >> 8)

/**
 * struct mirror - all page tables
 * @block: descriptors, 256 to a block
 * @used: those that were allocated since the last reset
 * @roots: live roots
 * @changed: entries written in the current call
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
	uint64_t *changed;
	size_t nr_changed, max_changed;
	uint64_t nr_live;
	int64_t nr_tables;
	int64_t leaves[5];
	uint64_t unlinks;
};

#endif /* ORACLE_MIRROR_INTERNAL_H */
