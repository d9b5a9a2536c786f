// SPDX-License-Identifier: GPL-2.0-only
/* Simulated threads: whose turn it is, by the schedule and by a scheduler, and what is recorded of that. */
#include "sim_fixture.h"

static int shared;

static void letters(void *arg)
{
	int i = number_of(arg);

	say('a' + i);
	READ_ONCE(shared);
	say('A' + i);
}

static void test_in_order(void **state)
{
	(void)state;
	start(0, letters);
	start(2, letters);
	start(1, letters);
	expect_story("aAbBcC");
}

static struct sim_choice choices[4];

static void with_choices(void *arg)
{
	sim_begin_op(arg, choices, ARRAY_SIZE(choices));
	letters(arg);
	sim_end_op();
}

/* Before what the point is about; what cannot run is not switched to. */
static void test_switch_at_a_point(void **state)
{
	(void)state;
	choices[0] = (struct sim_choice){ POINT_LOAD, 0, SIM_SWITCH, 2, false, 1 };
	choices[1] = (struct sim_choice){ POINT_LOAD, 0, SIM_SWITCH, 2, false, 9 };
	choices[2] = (struct sim_choice){ POINT_STORE, 0, SIM_SWITCH, 1, false, 1 };
	choices[3] = (struct sim_choice){ POINT_LOAD, 0, SIM_RESCHED, 0, false, 1 };
	start(0, with_choices);
	start(1, letters);
	start(2, letters);
	expect_story("acCAbB");
	assert_true(choices[0].fired);
	assert_false(choices[1].fired);
	assert_false(choices[2].fired);
	assert_true(threads[0].need_resched);
}

static void test_switch_to_nobody(void **state)
{
	(void)state;
	memset(choices, 0, sizeof(choices));
	choices[0] = (struct sim_choice){ POINT_LOAD, 0, SIM_SWITCH, 5, false, 1 };
	start(0, with_choices);
	start(1, letters);
	expect_story("aAbB");
	assert_true(choices[0].fired);
}

/* A scheduler that goes to the next thread at each point, and from the end to the last. */
static int decided, asked;

static unsigned int to_next(void *ctx, int thread, enum point_kind kind, int level, u32 k,
			    u64 object, u32 runnable, int *target)
{
	(void)ctx;
	(void)kind;
	(void)level;
	(void)k;
	asked++;
	assert_true(runnable & 1u << thread);
	assert_true(object);
	*target = (thread + 1) % 3;
	/* Memory is not allocated here: that can not be refused. */
	return SIM_SWITCH | SIM_FAIL;
}

static int to_last(void *ctx, int thread, enum point_kind why, u32 k, u32 runnable)
{
	(void)ctx;
	assert_int_equal(why, POINT_END);
	assert_int_equal(k, 1);
	assert_false(runnable & 1u << thread);
	return 31 - __builtin_clz(runnable);
}

static void on_decided(void *ctx, int thread, enum point_kind kind, int level, u32 k,
		       unsigned int action, int target)
{
	(void)ctx;
	(void)thread;
	(void)kind;
	(void)level;
	assert_int_equal(k, 1);
	assert_int_equal(action, SIM_SWITCH);
	assert_int_not_equal(thread, target);
	decided++;
}

static void count_from_zero(void *arg)
{
	sim_begin_op(arg, NULL, 0);
	letters(arg);
}

static void test_scheduler(void **state)
{
	const struct sim_scheduler scheduler = {
		.every_point = true,
		.at_point = to_next,
		.pick = to_last,
	};
	const struct sim_observer observer = { .fatal = on_fatal, .decided = on_decided };
	int i;

	(void)state;
	decided = asked = 0;
	for (i = 0; i < 3; i++)
		start(i, count_from_zero);
	sim_set_observer(&observer);
	sim_set_scheduler(&scheduler);
	/* From t2's point back to t0, at whose end t2 rather than t1 is picked. */
	expect_story("abcACB");
	assert_int_equal(asked, 3);
	assert_int_equal(decided, 4);
}

/* A scheduler of which only the picks are asked. */
static void test_picks_alone(void **state)
{
	const struct sim_scheduler scheduler = { .at_point = to_next, .pick = to_last };
	int i;

	(void)state;
	asked = 0;
	for (i = 0; i < 3; i++)
		start(i, count_from_zero);
	sim_set_scheduler(&scheduler);
	expect_story("aAcCbB");
	assert_int_equal(asked, 0);
}

static void use_freed(void *arg)
{
	u64 *table = tdp_page_alloc(0);

	(void)arg;
	tdp_page_free(table);
	say('x');
	tdp_read_spte(table, PG_LEVEL_4K);
	say('y');
}

/* What is fatal leaves every stack where it is; the next run is none the wiser. */
static void test_fatal_leaves_all(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		setup(NULL);
		memset(choices, 0, sizeof(choices));
		choices[0] = (struct sim_choice){ POINT_LOAD, 0, SIM_SWITCH, 1, false, 1 };
		start(0, with_choices);
		start(1, use_freed);
		assert_false(sim_threads_run());
		assert_string_equal(story, "ax");
		assert_int_equal(fatal_rule, 'U');
		assert_int_equal(sim_pages_in_use(), 0);
	}
	setup(NULL);
	start(0, letters);
	start(1, letters);
	expect_story("aAbB");
}

/* Identities are those of things, not of addresses: the same in each run. */
static void test_objects(void **state)
{
	u64 seen[2][4];
	int run;

	(void)state;
	for (run = 0; run < 2; run++) {
		u64 *big, *small, *table;

		setup(NULL);
		/* Where the second run's memory is depends on the first's. */
		if (run)
			kfree(kzalloc(40));
		setup(NULL);
		small = kzalloc(40);
		big = kvcalloc(1000, 8);
		table = tdp_page_alloc(0);
		seen[run][0] = sim_object(&small[1]);
		seen[run][1] = sim_object(&big[999]);
		seen[run][2] = sim_object(&table[3]);
		seen[run][3] = sim_object(&shared);
		assert_int_equal(sim_object(&small[1]) - sim_object(small), 8);
		assert_int_equal(seen[run][2], __pa(&table[3]));
		assert_int_equal(sim_object(NULL), 0);
	}
	assert_memory_equal(seen[0], seen[1], sizeof(seen[0]));
	assert_int_not_equal(seen[0][0], seen[0][1]);
	assert_int_not_equal(seen[0][3], 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_in_order),  TEST(test_switch_at_a_point), TEST(test_switch_to_nobody),
		TEST(test_scheduler), TEST(test_picks_alone),	    TEST(test_fatal_leaves_all),
		TEST(test_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
