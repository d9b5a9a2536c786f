// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pairs of operations: each has a program, whose schedule's points come, and which starts from the tree
 * that it says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "executor_fixture.h"
#include "finding.h"
#include "pairs.h"
#include "program_names.h"
#include "spte_words.h"

static void make(const struct pair *pair, uint32_t *settled)
{
	struct prog_error err;
	char name[128];

	pair_name(pair, name, sizeof(name));
	if (pair_program(pair, prog, settled, &err))
		fail_msg("%s: line %d: %s", name, err.line, err.msg);
}

static void test_numbers(void **state)
{
	static uint8_t seen[OP_NR][OP_NR][PAIR_TREE_NR][PAIR_MMU_NR][2];
	uint32_t i, tree, mmu, a, b;

	(void)state;
	memset(seen, 0, sizeof(seen));
	for (i = 0; i < pairs_nr(); i++) {
		struct pair p;

		pairs_get(i, &p);
		assert_true(p.a <= p.b && p.b < OP_NR);
		assert_int_equal(seen[p.a][p.b][p.tree][p.mmu][p.policy]++, 0);
	}
	for (a = 0; a < OP_NR; a++)
		for (b = a; b < OP_NR; b++)
			for (tree = 0; tree < PAIR_TREE_NR; tree++)
				for (mmu = 0; mmu < PAIR_MMU_NR; mmu++)
					assert_true(seen[a][b][tree][mmu][VM_SPLIT] +
						    seen[a][b][tree][mmu][VM_ZAP]);
}

/* The threads of the pair come last, and their last operations are those of the pair. */
static void test_programs(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < pairs_nr(); i++) {
		uint32_t settled, t = 0;
		struct pair p;

		pairs_get(i, &p);
		make(&p, &settled);
		while (settled & 1u << t)
			t++;
		assert_int_equal(settled, (1u << t) - 1);
		assert_int_equal(prog->nr_threads, t + 2);
		assert_int_equal(prog->threads[t].ops[prog->threads[t].nr_ops - 1].kind, p.a);
		assert_int_equal(prog->threads[t + 1].ops[prog->threads[t + 1].nr_ops - 1].kind,
				 p.b);
	}
}

static void test_each_runs(void **state)
{
	uint32_t i;

	(void)state;
	/* Some of them: 7 divides neither the number of pairs nor that of MMUs and trees. */
	for (i = 0; i < pairs_nr(); i += 7) {
		struct exec_result res;
		uint32_t settled;
		struct pair p;
		char name[128];

		pairs_get(i, &p);
		make(&p, &settled);
		pair_name(&p, name, sizeof(name));
		if (executor_run(executor, prog, NULL, &res)) {
			finding_print(stderr, name, prog,
				      oracle_violation(executor_oracle(executor), 0));
			fail_msg("a rule is broken");
		}
		if (res.nr_never)
			fail_msg("%s: %u points never come", name, res.nr_never);
	}
}

/* What is where the operations look. */
struct found {
	uint64_t gfn;
	char words[SPTE_WORDS_MAX];
};

static int look(const struct tdp_spte_info *info, void *arg)
{
	struct found *found = arg;
	uint64_t pages = 1ULL << (9 * (info->level - 1));

	if (found->gfn < info->gfn || found->gfn >= info->gfn + pages)
		return 0;
	found->words[0] = 0;
	spte_words(&prog->vm, info->spte, info->level, found->words, sizeof(found->words));
	return 0;
}

static void look_at_tree(void *ctx, struct kvm *kvm)
{
	tdp_for_each_spte(kvm, look, ctx);
}

struct expected {
	enum pair_tree tree;
	enum pair_mmu mmu;
	uint64_t gfn;
	uint32_t leaves[3];
	const char *words;
};

static void test_trees(void **state)
{
	/* clang-format off */
	static const struct expected expected[] = {
		{ PAIR_TREE_NONE,	PAIR_EPT_AD, 0x1,     { 0, 0, 0 },   "" },
		{ PAIR_TREE_SMALL,	PAIR_EPT_AD, 0x1,     { 2, 0, 0 },   " rwx A D " },
		{ PAIR_TREE_LEAF_2M,	PAIR_EPT,    0x201,   { 0, 1, 0 },   " rw- " },
		{ PAIR_TREE_LEAF_1G,	PAIR_NPT,    0x40201, { 0, 0, 1 },   " rw- A D " },
		{ PAIR_TREE_WRPROT,	PAIR_EPT_AD, 0x1,     { 2, 0, 0 },   " r-x A D " },
		{ PAIR_TREE_WRPROT,	PAIR_NPT,    0x2,     { 2, 0, 0 },   " r-x A D " },
		{ PAIR_TREE_WRPROT_2M,	PAIR_EPT_AD, 0x201,   { 0, 1, 0 },   " r-- A D " },
		{ PAIR_TREE_TRACKED,	PAIR_EPT,    0x1,     { 2, 0, 0 },   "access-tracked" },
		{ PAIR_TREE_TRACKED,	PAIR_EPT_AD, 0x1,     { 2, 0, 0 },   " rwx D " },
		{ PAIR_TREE_NX,		PAIR_EPT_AD, 0x201,   { 1, 0, 0 },   " rwx A D " },
		{ PAIR_TREE_MMIO,	PAIR_EPT_AD, 0x9,     { 0, 0, 0 },   "MMIO" },
		{ PAIR_TREE_MMIO,	PAIR_NPT,    0x9,     { 0, 0, 0 },   "MMIO" },
		{ PAIR_TREE_FROZEN,	PAIR_EPT_AD, 0x203,   { 1, 0, 0 },   " rwx " },
		{ PAIR_TREE_REMOVED,	PAIR_EPT_AD, 0x201,   { 0, 1, 0 },   " rwx " },
		{ PAIR_TREE_FULL,	PAIR_EPT_AD, 0x201,   { 512, 0, 0 }, " rwx A D " },
	};
	/* clang-format on */
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		const struct expected *e = &expected[i];
		struct pair p = { OP_TEST_AGE, OP_TEST_AGE, OP_NR, e->tree, e->mmu, VM_SPLIT };
		struct found found = { .gfn = e->gfn };
		struct exec_options opts = { .before_destroy = look_at_tree, .ctx = &found };
		struct exec_result res;
		uint32_t settled;

		if (e->tree == PAIR_TREE_FROZEN)
			p.policy = VM_ZAP;
		make(&p, &settled);
		assert_int_equal(executor_run(executor, prog, &opts, &res), 0);
		if (!strstr(found.words, e->words) || (!*e->words && *found.words))
			fail_msg("%s, %s: gfn 0x%llx is %s, not%s", pair_tree_names[e->tree],
				 pair_mmu_names[e->mmu], (unsigned long long)e->gfn, found.words,
				 e->words);
		assert_int_equal(res.stats.leaves_4k, e->leaves[0]);
		assert_int_equal(res.stats.leaves_2m, e->leaves[1]);
		assert_int_equal(res.stats.leaves_1g, e->leaves[2]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_each_runs),
		cmocka_unit_test(test_trees),
	};

	return cmocka_run_group_tests_name("pairs", tests, set_up, tear_down);
}
