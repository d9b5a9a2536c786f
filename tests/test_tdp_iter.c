// SPDX-License-Identifier: GPL-2.0-only
/* The iterator against a walker that recurses over everything. */
#include "tree_fixture.h"

static int teardown(void **state)
{
	(void)state;
	if (tree_root)
		tree_free();
	expect_warnings(0);
	return 0;
}

static void assert_at(const struct tdp_iter *iter, const struct visit *expected)
{
	if (iter->sptep != expected->sptep || iter->gfn != expected->gfn ||
	    iter->level != expected->level || iter->old_spte != expected->spte)
		fail_msg("at gfn %llx level %d, expected gfn %llx level %d",
			 (unsigned long long)iter->gfn, iter->level,
			 (unsigned long long)expected->gfn, expected->level);
}

/* Runs [start, end), yielding after every @yield_every-th step (0: never). */
static void assert_walk(int min_level, gfn_t start, gfn_t end, unsigned int yield_every)
{
	struct visits v = naive(min_level, start, end);
	struct tdp_iter iter;
	unsigned int steps = 0;
	gfn_t from = start;
	size_t i = 0;

	for_each_tdp_pte_min_level(iter, tree_root, min_level, start, end) {
		assert_true(i < v.nr);
		assert_at(&iter, &v.at[i++]);
		assert_int_equal(iter.as_id, 0);
		assert_int_equal(iter.yielded, false);

		if (!yield_every || ++steps % yield_every ||
		    iter.next_last_level_gfn == iter.yielded_gfn)
			continue;
		/* A fresh walk from the first gfn of interest that was not finished. */
		if (iter.gfn > from)
			from = iter.gfn;
		assert_int_equal(iter.next_last_level_gfn, from);
		iter.yielded = true;
		free(v.at);
		v = naive(min_level, from, end);
		i = 0;
	}
	assert_int_equal(i, v.nr);
	free(v.at);
}

static void assert_walks(gfn_t start, gfn_t end)
{
	for (int min_level = PG_LEVEL_4K; min_level <= tree_root->role.level; min_level++)
		for (unsigned int yield_every = 0; yield_every < 4; yield_every++)
			assert_walk(min_level, start, end, yield_every);
}

static void test_empty(void **state)
{
	(void)state;
	for (int levels = PT64_ROOT_4LEVEL; levels <= PT64_ROOT_5LEVEL; levels++) {
		const gfn_t all = tree_size(levels + 1);

		tree_init(levels);
		assert_walks(0, all);
		assert_walks(0, 0);
		assert_walks(5, 6);
		assert_walks(all - 1, all);
		tree_free();
	}
}

/* The last entry of a table and the first of the next, at every level. */
static void test_neighbours_in_different_tables(void **state)
{
	(void)state;
	for (int levels = PT64_ROOT_4LEVEL; levels <= PT64_ROOT_5LEVEL; levels++) {
		for (int level = PG_LEVEL_2M; level <= levels; level++) {
			const gfn_t edge = tree_size(level);

			tree_init(levels);
			tree_map(edge - 1, PG_LEVEL_4K);
			tree_map(edge, PG_LEVEL_4K);
			assert_walks(edge - 1, edge + 1);
			assert_walks(edge - 3, edge);
			assert_walks(edge, edge + 3);
			assert_walks(0, 2 * edge);
			tree_free();
		}
	}
}

static void test_huge_pages_are_visited_once(void **state)
{
	(void)state;
	tree_init(PT64_ROOT_4LEVEL);
	tree_map(0, PG_LEVEL_1G);
	tree_map(tree_size(3), PG_LEVEL_2M);
	tree_map(tree_size(3) + 512, PG_LEVEL_4K);
	tree_map(tree_size(3) + 1025, PG_LEVEL_4K);
	assert_walks(0, 2 * tree_size(3));
	assert_walks(7, 8);
	assert_walks(tree_size(3) + 511, tree_size(3) + 513);
	assert_walks(tree_size(3) + 1025, tree_size(3) + 1026);
}

static u64 random_state;

static u64 random_below(u64 n)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return (random_state >> 33) % n;
}

/* Near the edges of tables, where an iterator goes wrong if it does. */
static gfn_t random_gfn(int levels)
{
	gfn_t gfn = 0;

	for (int level = 1; level <= levels; level++) {
		static const int edges[] = { 0, 0, 0, 1, 1, 255, 510, 511, 511 };

		gfn |= edges[random_below(ARRAY_SIZE(edges))] * tree_size(level);
	}
	return gfn;
}

static void test_random_trees(void **state)
{
	(void)state;
	for (int round = 0; round < 60; round++) {
		const int levels = PT64_ROOT_4LEVEL + round % 2;

		random_state = round;
		tree_init(levels);
		for (u64 i = 2 + random_below(10); i; i--)
			tree_map(random_gfn(levels), 1 + random_below(3));
		for (int i = 0; i < 4; i++) {
			gfn_t start = random_gfn(levels);
			u64 nr = tree_size(1 + random_below(3)) * (1 + random_below(3));

			assert_walk(1 + random_below(levels), start, start + nr, random_below(5));
		}
		tree_free();
	}
}

/* What the loop body did to the current entry counts, not what was read before. */
static void test_reads_again_before_stepping_down(void **state)
{
	struct tdp_iter iter;
	int visited = 0;

	(void)state;
	tree_init(PT64_ROOT_4LEVEL);
	tree_map(0x200, PG_LEVEL_4K);
	for_each_tdp_pte(iter, tree_root, 0x200, 0x201) {
		visited++;
		if (iter.level == PG_LEVEL_2M)
			tree_unmap(0x200, PG_LEVEL_2M);
	}
	assert_int_equal(visited, 3);

	visited = 0;
	for_each_tdp_pte(iter, tree_root, 0x200, 0x201) {
		visited++;
		if (iter.level == PG_LEVEL_2M)
			tree_map(0x200, PG_LEVEL_4K);
	}
	assert_int_equal(visited, 4);
}

/* A yield in a table that is gone when the walk comes back. */
static void test_restart_finds_a_changed_tree(void **state)
{
	struct tdp_iter iter;
	gfn_t next = 0;

	(void)state;
	tree_init(PT64_ROOT_4LEVEL);
	tree_map(0, PG_LEVEL_4K);
	tree_map(1, PG_LEVEL_4K);
	for_each_tdp_pte(iter, tree_root, 0, 0x400) {
		if (iter.level == PG_LEVEL_4K && iter.gfn == 1 && !next) {
			tree_unmap(0, PG_LEVEL_1G);
			tree_map(0, PG_LEVEL_2M);
			iter.yielded = true;
			next = 1;
		} else if (next == 1) {
			/* back at the root, heading for the same gfn */
			assert_int_equal(iter.level, PT64_ROOT_4LEVEL);
			assert_int_equal(iter.next_last_level_gfn, 1);
			assert_int_equal(iter.yielded_gfn, 1);
			next = 2;
		} else if (next == 2 && iter.level == PG_LEVEL_2M) {
			assert_int_equal(iter.gfn, 0);
			assert_true(is_large_pte(iter.old_spte));
			next = 3;
		}
	}
	assert_int_equal(next, 3);
}

static void test_address_space(void **state)
{
	struct tdp_iter iter;

	(void)state;
	tree_init(PT64_ROOT_4LEVEL);
	tree_root->role.smm = 1;
	tdp_iter_start(&iter, tree_root, PG_LEVEL_4K, 0);
	assert_int_equal(iter.as_id, 1);
}

static void test_bad_roots_end_the_walk(void **state)
{
	struct tdp_iter iter = { .valid = true };

	(void)state;
	tree_init(PT64_ROOT_4LEVEL);
	tdp_iter_start(&iter, NULL, PG_LEVEL_4K, 0);
	assert_false(iter.valid);
	tree_root->role.level = 0;
	iter.valid = true;
	tdp_iter_start(&iter, tree_root, PG_LEVEL_4K, 0);
	assert_false(iter.valid);
	tree_root->role.level = 6;
	iter.valid = true;
	tdp_iter_start(&iter, tree_root, PG_LEVEL_4K, 0);
	assert_false(iter.valid);
	tree_root->role.level = PT64_ROOT_4LEVEL;
	expect_warnings(3);
}

/* Where a walk at an empty SPTE of a 4K table gets to in one go. */
static void assert_passed(gfn_t from, gfn_t end, gfn_t to)
{
	struct tdp_iter iter;

	for_each_tdp_pte(iter, tree_root, from, end) {
		if (iter.level == PG_LEVEL_4K)
			break;
	}
	assert_int_equal(iter.gfn, from);
	iter.yielded_gfn = ~0ULL;
	tdp_iter_pass_empty(&iter, end, false);
	assert_int_equal(iter.gfn, to);
	assert_int_equal(iter.next_last_level_gfn, to);
	assert_ptr_equal(iter.sptep, tree_entry(to, PG_LEVEL_4K));
	assert_int_equal(iter.old_spte, *iter.sptep);
}

/* Nothing is passed that is used, that is beyond the end, or in another table. */
static void test_passing_empty_sptes(void **state)
{
	struct tdp_iter iter;

	(void)state;
	tree_init(PT64_ROOT_4LEVEL);
	tree_map(300, PG_LEVEL_4K);
	for (gfn_t from = 2; from < 6; from++) {
		for (gfn_t end = from + 1; end < 10; end++)
			assert_passed(from, end, end);
		assert_passed(from, 512, 300);
	}
	/* The end of the walk just before that of the table. */
	for (gfn_t end = 506; end < 512; end++)
		assert_passed(505, end, end);
	assert_passed(301, 1024, 511);
	assert_passed(511, 1024, 511);

	/* Whole 2M entries: the walk begins in the middle of the last one and stays there. */
	tdp_iter_start(&iter, tree_root, PG_LEVEL_2M, 511 * tree_size(PG_LEVEL_2M) + 5);
	while (iter.level > PG_LEVEL_2M)
		tdp_iter_next(&iter);
	iter.yielded_gfn = ~0ULL;
	tdp_iter_pass_empty(&iter, 600 * tree_size(PG_LEVEL_2M), false);
	assert_int_equal(iter.gfn, 511 * tree_size(PG_LEVEL_2M));
	assert_int_equal(iter.next_last_level_gfn, 511 * tree_size(PG_LEVEL_2M) + 5);

	/* The end lies within a 2M entry, which is still part of the walk. */
	tdp_iter_start(&iter, tree_root, PG_LEVEL_2M, tree_size(PG_LEVEL_2M));
	while (iter.level > PG_LEVEL_2M)
		tdp_iter_next(&iter);
	iter.yielded_gfn = ~0ULL;
	tdp_iter_pass_empty(&iter, 3 * tree_size(PG_LEVEL_2M) + 1, false);
	assert_int_equal(iter.gfn, 4 * tree_size(PG_LEVEL_2M));
}

static int reads[POINT_LEVELS];

static void count_read(void *ctx, enum point_kind kind, int level, hpa_t pa, u64 object,
		       const char *text, const struct sim_site *site)
{
	(void)ctx;
	(void)pa;
	(void)object;
	(void)text;
	(void)site;
	if (kind == POINT_READ)
		reads[level]++;
}

/* One read per step to the side, two down or up: what a leaf walk costs. */
static void test_reads_per_step(void **state)
{
	struct sim_observer observer = fixture_observer;
	struct tdp_iter iter;

	(void)state;
	tree_init(PT64_ROOT_4LEVEL);
	tree_map(0, PG_LEVEL_4K);
	observer.point = count_read;
	sim_set_observer(&observer);
	memset(reads, 0, sizeof(reads));
	for_each_tdp_pte(iter, tree_root, 0, 0x400)
		;
	sim_set_observer(&fixture_observer);
	assert_int_equal(reads[PG_LEVEL_4K], 512);
	/* entry 0 when reached, before stepping down, when stepped up to; 1 twice; 2 once */
	assert_int_equal(reads[PG_LEVEL_2M], 3 + 2 + 1);
}

static void test_child_table(void **state)
{
	(void)state;
	tree_init(PT64_ROOT_4LEVEL);
	tree_map(0, PG_LEVEL_4K);
	assert_ptr_equal(spte_to_child_pt(*tree_entry(0, 2), 2), tree_child(*tree_entry(0, 2)));
	assert_null(spte_to_child_pt(*tree_entry(0, 1), 1));
	assert_null(spte_to_child_pt(SHADOW_NONPRESENT_VALUE, 2));
	assert_null(spte_to_child_pt(FROZEN_SPTE, 2));
	assert_null(spte_to_child_pt(0x86000004004008f3, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_empty, teardown),
		cmocka_unit_test_teardown(test_neighbours_in_different_tables, teardown),
		cmocka_unit_test_teardown(test_huge_pages_are_visited_once, teardown),
		cmocka_unit_test_teardown(test_random_trees, teardown),
		cmocka_unit_test_teardown(test_reads_again_before_stepping_down, teardown),
		cmocka_unit_test_teardown(test_restart_finds_a_changed_tree, teardown),
		cmocka_unit_test_teardown(test_address_space, teardown),
		cmocka_unit_test_teardown(test_bad_roots_end_the_walk, teardown),
		cmocka_unit_test_teardown(test_passing_empty_sptes, teardown),
		cmocka_unit_test_teardown(test_reads_per_step, teardown),
		cmocka_unit_test_teardown(test_child_table, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
