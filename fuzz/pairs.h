/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every two operations that can run at the same time, on every interesting starting tree, for every kind of
 * MMU: small programs, for bounded exploration (explore.h).
 */
#ifndef FUZZ_PAIRS_H
#define FUZZ_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

#include "program.h"

/*
 * The page tables that the two operations find: TREE(NAME, "text", what it is).
 */
/* clang-format off */
#define PAIR_TREE_LIST(TREE)								\
	TREE(NONE,	"non-present",	"nothing is mapped, roots are there")		\
	TREE(SMALL,	"4k-table",	"two 4K SPTEs in a table")			\
	TREE(LEAF_2M,	"2m-leaf",	"a 2M SPTE")					\
	TREE(LEAF_1G,	"1g-leaf",	"a 1G SPTE")					\
	TREE(WRPROT,	"write-protected", "4K SPTEs that dirty logging write-protected") \
	TREE(WRPROT_2M,	"write-protected-2m", "a 2M SPTE that dirty logging write-protected") \
	TREE(TRACKED,	"access-tracked", "4K SPTEs that were aged; without A/D bits, access-tracked") \
	TREE(NX,	"nx-disallowed", "a table made because a fetch may not use a 2M page") \
	TREE(MMIO,	"mmio",		"an MMIO SPTE: there is no slot")		\
	TREE(FROZEN,	"frozen",	"a 2M SPTE that another vCPU's fault has frozen, not flushed yet") \
	TREE(REMOVED,	"removed-table", "a table that another vCPU's fault replaced by a 2M SPTE and is freezing") \
	TREE(FULL,	"full-table",	"512 4K SPTEs in a table")
/* clang-format on */

enum pair_tree {
#define TREE(name, text, meaning) PAIR_TREE_##name,
	PAIR_TREE_LIST(TREE)
#undef TREE
		PAIR_TREE_NR
};
extern const char *const pair_tree_names[PAIR_TREE_NR];

enum pair_mmu { PAIR_EPT_AD, PAIR_EPT, PAIR_NPT, PAIR_MMU_NR };
extern const char *const pair_mmu_names[PAIR_MMU_NR];

/**
 * struct pair - two operations, or three, and what they meet
 * @a: one operation; @b: the other, not before @a in the list of operations
 * @c: a third; OP_NR: none
 * @tree: page tables that they find
 * @mmu: kind of MMU
 * @policy: what a fault below a huge page does
 */
struct pair {
	enum op_kind a, b, c;
	enum pair_tree tree;
	enum pair_mmu mmu;
	enum vm_policy policy;
};

uint32_t pairs_nr(void);
void pairs_get(uint32_t number, struct pair *pair);
void pairs_triple(uint64_t seed, struct pair *triple);
size_t pair_name(const struct pair *pair, char *buf, size_t size);
int pair_program(const struct pair *pair, struct program *prog, uint32_t *settled,
		 struct prog_error *err);

#endif /* FUZZ_PAIRS_H */
