// SPDX-License-Identifier: GPL-2.0-only
/* The sim platform: choices of a schedule, memory that repeats, RCU, and locks that report deadlock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "platform.h"
#include "stuck.h"

static jmp_buf fatal_jump;
static char fatal_rule;
static char fatal_text[128];
static int freed_objects;
static int refusals;

static void on_fatal(void *ctx, char rule, const char *what, hpa_t pa)
{
	(void)ctx;
	(void)pa;
	fatal_rule = rule;
	snprintf(fatal_text, sizeof(fatal_text), "%s", what);
	longjmp(fatal_jump, 1);
}

static void on_refused(void *ctx, bool page)
{
	(void)ctx;
	(void)page;
	refusals++;
}

static int warnings;

static void on_warn(void *ctx, const char *cond, const struct sim_site *site)
{
	(void)ctx;
	(void)cond;
	(void)site;
	warnings++;
}

static const struct sim_observer observer = {
	.refused = on_refused,
	.stuck = stuck_in_words,
	.fatal = on_fatal,
	.warn = on_warn,
};

#define assert_fatal(rule, text, statement)                             \
	do {                                                            \
		fatal_rule = 0;                                         \
		if (!setjmp(fatal_jump)) {                              \
			statement;                                      \
			fail_msg("%s did not end the run", #statement); \
		}                                                       \
		assert_int_equal(fatal_rule, rule);                     \
		assert_non_null(strstr(fatal_text, text));              \
	} while (0)

static int setup(void **state)
{
	(void)state;
	sim_reset();
	sim_set_observer(&observer);
	freed_objects = 0;
	refusals = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sim_reset();
	sim_set_observer(NULL);
	return 0;
}

static void count_freed(struct rcu_head *head)
{
	(void)head;
	freed_objects++;
}

static void test_points_are_counted_by_kind_and_level(void **state)
{
	struct sim_choice choice = {
		.kind = POINT_READ, .level = PG_LEVEL_2M, .k = 2, .action = SIM_RESCHED
	};
	static struct sim_thread thread;
	u64 *table = tdp_page_alloc(0);

	(void)state;
	sim_begin_op(&thread, &choice, 1);
	tdp_read_spte(&table[0], PG_LEVEL_4K);
	tdp_read_spte(&table[1], PG_LEVEL_2M);
	tdp_read_spte(&table[1], PG_LEVEL_4K);
	assert_false(need_resched());
	tdp_read_spte(&table[1], PG_LEVEL_2M);
	assert_true(need_resched());
	assert_true(choice.fired);
	cond_resched();
	assert_false(need_resched());
	sim_end_op();
}

/* As single steps would: up to the point of a choice, and up to the end of the budget. */
static void test_runs_stop_short_of_a_choice(void **state)
{
	struct sim_choice choices[] = {
		{ .kind = POINT_READ, .level = PG_LEVEL_4K, .k = 100, .action = SIM_RESCHED },
		{ .kind = POINT_RESCHED, .k = 30, .action = SIM_GP_END },
	};
	static struct sim_thread thread;
	u64 *table = tdp_page_alloc(0), before;

	(void)state;
	sim_begin_op(&thread, choices, ARRAY_SIZE(choices));
	before = sim_points();
	/* Two reads and a question each: the 30th question comes first. */
	assert_int_equal(tdp_skip_sptes(table, 512, 0, PG_LEVEL_4K, 2, true), 29);
	assert_int_equal(sim_points() - before, 29 * 3);
	assert_false(need_resched());
	assert_true(choices[1].fired);
	/* 58 reads are over, and 41 are left before the choice's. */
	assert_int_equal(tdp_skip_sptes(&table[29], 512 - 29, 0, PG_LEVEL_2M, 1, false), 512 - 29);
	assert_int_equal(tdp_skip_sptes(&table[29], 512 - 29, 0, PG_LEVEL_4K, 1, false), 41);
	tdp_read_spte(&table[70], PG_LEVEL_4K);
	assert_true(choices[0].fired);
	/* Who is to yield passes nothing where it would be asked. */
	assert_int_equal(tdp_skip_sptes(table, 512, 0, PG_LEVEL_4K, 1, true), 0);
	assert_int_equal(tdp_skip_sptes(table, 512, 0, PG_LEVEL_4K, 1, false), 512);
	cond_resched();
	sim_end_op();

	choices[0].k = 400;
	sim_begin_op(&thread, choices, 1);
	sim_set_budget(11);
	assert_int_equal(tdp_skip_sptes(table, 512, 0, PG_LEVEL_4K, 1, false), 10);
	sim_set_budget(0);
	assert_int_equal(tdp_skip_sptes(table, 512, 0, PG_LEVEL_4K, 1, false), 389);
	sim_end_op();
}

static void test_several_choices_at_one_kind_of_point(void **state)
{
	struct sim_choice choices[] = {
		{ .kind = POINT_ALLOC, .k = 3, .action = SIM_FAIL },
		{ .kind = POINT_ALLOC, .k = 1, .action = SIM_FAIL },
		{ .kind = POINT_ALLOC, .k = 9, .action = SIM_FAIL },
	};
	static struct sim_thread thread;
	void *second, *fourth;

	(void)state;
	sim_begin_op(&thread, choices, ARRAY_SIZE(choices));
	assert_null(kzalloc(8));
	second = kzalloc(8);
	assert_non_null(second);
	assert_null(tdp_page_alloc(0));
	fourth = kvcalloc(4, 8);
	assert_non_null(fourth);
	sim_end_op();
	assert_int_equal(refusals, 2);
	assert_true(choices[0].fired);
	assert_true(choices[1].fired);
	assert_false(choices[2].fired);
	/* A choice that never came does not reach into the next operation. */
	sim_begin_op(&thread, NULL, 0);
	for (int i = 0; i < 9; i++)
		kfree(kzalloc(8));
	assert_int_equal(refusals, 2);
	sim_end_op();
	kfree(second);
	kfree(fourth);
	assert_int_equal(sim_allocs_in_use(), 0);
}

static void test_freed_pages_come_back_late_or_at_once(void **state)
{
	struct sim_choice reuse = { .kind = POINT_ALLOC, .k = 2, .action = SIM_REUSE };
	static struct sim_thread thread;
	u64 *first = tdp_page_alloc(7), *again, *fresh;

	(void)state;
	assert_int_equal(first[0], 7);
	assert_int_equal(first[SPTE_ENT_PER_PAGE - 1], 7);
	sim_begin_op(&thread, &reuse, 1);
	tdp_page_free(first);
	fresh = tdp_page_alloc(0);
	assert_ptr_not_equal(fresh, first);
	again = tdp_page_alloc(5);
	assert_ptr_equal(again, first);
	assert_int_equal(again[3], 5);
	sim_end_op();
	assert_int_equal(sim_pages_in_use(), 2);
	assert_ptr_equal(sim_spte_ptr(__pa(&again[3])), &again[3]);
	tdp_page_free(fresh);
	assert_null(sim_spte_ptr(__pa(fresh)));
}

static void test_page_order_repeats_after_reset(void **state)
{
	hpa_t pa[2][200];

	(void)state;
	for (int run = 0; run < 2; run++) {
		sim_reset();
		for (int i = 0; i < 200; i++) {
			u64 *page = tdp_page_alloc(0);

			pa[run][i] = __pa(page);
			if (i % 3)
				tdp_page_free(page);
		}
	}
	assert_memory_equal(pa[0], pa[1], sizeof(pa[0]));
}

static void test_use_of_a_table_without_descriptor_is_rule_u(void **state)
{
	u64 *table = tdp_page_alloc(0);
	int descriptor;

	(void)state;
	assert_fatal('U', "before it was initialised", page_private(table));
	set_page_private(table, &descriptor);
	assert_ptr_equal(page_private(table), &descriptor);
	assert_fatal('U', "freed", page_private(&descriptor));

	/* Who takes the page next does not find what the last one left. */
	tdp_page_free(table);
	sim_reset();
	sim_set_observer(&observer);
	assert_ptr_equal(tdp_page_alloc(0), table);
	assert_fatal('U', "before it was initialised", page_private(table));
}

static void test_use_of_a_freed_table_is_rule_u(void **state)
{
	u64 *table = tdp_page_alloc(0), old = 0;

	(void)state;
	tdp_page_free(table);
	assert_fatal('U', "freed", tdp_read_spte(&table[5], PG_LEVEL_4K));
	assert_fatal('U', "freed", tdp_write_spte(&table[5], 1, PG_LEVEL_4K));
	assert_fatal('U', "freed", tdp_xchg_spte(&table[5], 1, PG_LEVEL_4K));
	assert_fatal('U', "freed", tdp_cmpxchg_spte(&table[5], &old, 1, PG_LEVEL_4K));
	assert_fatal('U', "freed", tdp_fetch_and_spte(&table[5], 1, PG_LEVEL_4K));
	assert_fatal('U', "freed", page_private(table));
}

static void test_grace_period_is_late_unless_chosen(void **state)
{
	struct sim_choice end = { .kind = POINT_LOAD, .k = 1, .action = SIM_GP_END };
	static struct sim_thread thread;
	struct rcu_head a, b, c;
	int variable = 0;

	(void)state;
	call_rcu(&a, count_freed);
	assert_int_equal(freed_objects, 0);
	sim_begin_op(&thread, &end, 1);
	READ_ONCE(variable);
	assert_int_equal(freed_objects, 1);
	sim_end_op();

	/* It waits for the reader, and covers only what was queued when it was to end. */
	call_rcu(&b, count_freed);
	sim_begin_op(&thread, &end, 1);
	rcu_read_lock();
	rcu_read_lock();
	READ_ONCE(variable);
	call_rcu(&c, count_freed);
	rcu_read_unlock();
	assert_int_equal(freed_objects, 1);
	rcu_read_unlock();
	assert_int_equal(freed_objects, 2);
	sim_end_op();
	rcu_barrier();
	assert_int_equal(freed_objects, 3);
}

static void test_deadlocks_are_rule_p(void **state)
{
	struct srcu_struct srcu;
	struct mutex mutex;
	spinlock_t spin;
	rwlock_t rw;

	(void)state;
	rwlock_init(&rw);
	spin_lock_init(&spin);
	mutex_init(&mutex);
	init_srcu_struct(&srcu);

	read_lock(&rw);
	read_lock(&rw);
	assert_fatal('P', "deadlock", write_lock(&rw));
	read_unlock(&rw);
	read_unlock(&rw);
	assert_fatal('P', "not held", read_unlock(&rw));
	write_lock(&rw);
	assert_fatal('P', "deadlock", read_lock(&rw));
	cond_resched_rwlock_write(&rw);
	write_unlock(&rw);

	spin_lock(&spin);
	assert_fatal('P', "deadlock", spin_lock(&spin));
	spin_unlock(&spin);
	mutex_lock(&mutex);
	assert_fatal('P', "deadlock", mutex_lock(&mutex));
	mutex_unlock(&mutex);
	assert_fatal('P', "not held", mutex_unlock(&mutex));

	rcu_read_lock();
	assert_fatal('P', "grace period", rcu_barrier());
	rcu_read_unlock();
	srcu_read_lock(&srcu);
	assert_fatal('P', "SRCU", synchronize_srcu(&srcu));
}

static void test_budget_ends_a_livelock(void **state)
{
	(void)state;
	sim_set_budget(1000);
	assert_fatal('P', "budget", for (;;) cpu_relax());
}

static void test_memory_freed_twice(void **state)
{
	char *object = kzalloc(100);

	(void)state;
	warnings = 0;
	assert_non_null(object);
	kfree(object);
	assert_int_equal(warnings, 0);
	kfree(object);
	assert_int_equal(warnings, 1);
	assert_int_equal(sim_allocs_in_use(), 0);
}

static void test_memory_is_zeroed_again(void **state)
{
	int i, j;

	(void)state;
	for (i = 0; i < 100; i++) {
		char *object = kzalloc(100);

		assert_non_null(object);
		for (j = 0; j < 100; j++)
			assert_int_equal(object[j], 0);
		memset(object, 0xa5, 100);
		kfree(object);
	}
}

static void test_reset_frees_what_a_cut_run_left(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		assert_non_null(kzalloc(100));
	assert_non_null(tdp_page_alloc(0));
	assert_int_equal(sim_allocs_in_use(), 10);
	sim_reset();
	assert_int_equal(sim_allocs_in_use(), 0);
	assert_int_equal(sim_pages_in_use(), 0);
	assert_null(kvcalloc(SIZE_MAX / 4, 8));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_points_are_counted_by_kind_and_level),
		TEST(test_runs_stop_short_of_a_choice),
		TEST(test_several_choices_at_one_kind_of_point),
		TEST(test_freed_pages_come_back_late_or_at_once),
		TEST(test_page_order_repeats_after_reset),
		TEST(test_use_of_a_table_without_descriptor_is_rule_u),
		TEST(test_use_of_a_freed_table_is_rule_u),
		TEST(test_grace_period_is_late_unless_chosen),
		TEST(test_deadlocks_are_rule_p),
		TEST(test_budget_ends_a_livelock),
		TEST(test_memory_freed_twice),
		TEST(test_memory_is_zeroed_again),
		TEST(test_reset_frees_what_a_cut_run_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
