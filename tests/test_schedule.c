// SPDX-License-Identifier: GPL-2.0-only
/* Schedules that are made up: the same for the same seed, and programs that repeat them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "executor.h"
#include "schedule.h"

static const char text[] = "tdp 1\n"
			   "vm mmu=ept ad=on levels=4\n"
			   "slot 0 base=0x0 pages=0x400 backing=2M flags=log\n"
			   "thread vcpu 0\n\twrite 0x10\n\tread 0x201\n\twrite 0x11\n"
			   "thread vcpu 1\n\tread 0x10\n\twrite 0x11\n"
			   "thread vmm\n\tlog-get 0\n\tzap-range 0x10 0x4\n"
			   "thread host\n\tage 0x0 0x200\n\tunmap 0x10 0x10\n";

static struct executor *executor;
static struct program *prog, *again;
static struct prog_choice record[PROG_MAX_CHOICES];
static struct exec_result res;

static int set_up(void **state)
{
	struct prog_error err;

	(void)state;
	executor = executor_create();
	prog = program_alloc();
	again = program_alloc();
	if (!executor || !prog || !again || program_parse(prog, text, strlen(text), &err))
		return -1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	program_free(again);
	program_free(prog);
	executor_destroy(executor);
	return 0;
}

static uint64_t run(const struct program *p, const struct sim_scheduler *scheduler)
{
	const struct exec_options opts = {
		.scheduler = scheduler,
		.hash_points = true,
		.record = record,
		.max_record = PROG_MAX_CHOICES,
	};

	assert_int_equal(executor_run(executor, p, &opts, &res), 0);
	return res.hash;
}

/* Runs under @scheduler, then what was recorded without it. Return: switches. */
static uint32_t assert_repeats(const struct sim_scheduler *scheduler, uint64_t *hash)
{
	uint32_t i, switches = 0;

	*hash = run(prog, scheduler);
	assert_true(res.nr_record <= PROG_MAX_CHOICES);
	assert_int_equal(program_copy(again, prog), 0);
	again->nr_choices = res.nr_record;
	memcpy(again->choices, record, res.nr_record * sizeof(*record));
	program_sort_choices(again);
	for (i = 0; i < again->nr_choices; i++)
		switches += again->choices[i].action == CHOICE_SWITCH;
	assert_true(run(again, NULL) == *hash);
	assert_int_equal(res.nr_never, 0);
	return switches;
}

static void random_schedules_repeat(void **state)
{
	uint64_t seed, hash, other, differ = 0, last = 0;
	uint32_t often = 0, seldom = 0;

	(void)state;
	for (seed = 1; seed <= 100; seed++) {
		struct schedule_random s;

		schedule_random_init(&s, seed, 30);
		often += assert_repeats(&s.scheduler, &hash);
		schedule_random_init(&s, seed, 30);
		assert_true(run(prog, &s.scheduler) == hash);
		schedule_random_init(&s, seed, 300);
		seldom += assert_repeats(&s.scheduler, &other);
		differ += hash != last;
		last = hash;
	}
	assert_true(differ > 95);
	assert_true(often > 3 * seldom);
}

static void pct_schedules_repeat(void **state)
{
	uint64_t seed, hash, differ = 0, last = 0, points;
	uint32_t deep = 0, shallow = 0;

	(void)state;
	run(prog, NULL);
	points = res.stats.points;
	for (seed = 1; seed <= 100; seed++) {
		struct schedule_pct s;

		schedule_pct_init(&s, seed, 8, points);
		deep += assert_repeats(&s.scheduler, &hash);
		schedule_pct_init(&s, seed, 8, points);
		assert_true(run(prog, &s.scheduler) == hash);
		differ += hash != last;
		last = hash;
		schedule_pct_init(&s, seed, 1, points);
		run(prog, &s.scheduler);
		shallow += res.nr_record;
	}
	assert_true(differ > 95);
	/* At depth 1 threads are stopped when one that comes before them can go on, and never else. */
	assert_true(deep > shallow);
}

/* Of threads that never wait for each other, the one with the highest priority runs to its end. */
static void pct_runs_the_highest(void **state)
{
	uint64_t seed;
	uint32_t first[3] = { 0 };

	(void)state;
	for (seed = 1; seed <= 300; seed++) {
		struct schedule_pct s;
		int target = 0, thread = 0, i;

		schedule_pct_init(&s, seed, 1, 100);
		if (s.scheduler.at_point(&s, 0, POINT_READ, 1, 1, 0, 7, &target) & SIM_SWITCH)
			thread = target;
		first[thread]++;
		for (i = 0; i < 100; i++) {
			target = thread;
			assert_int_equal(s.scheduler.at_point(&s, thread, POINT_READ, 1, 2 + i, 0,
							      7, &target),
					 0);
		}
		assert_int_not_equal(s.scheduler.pick(&s, thread, POINT_END, 1, 7 & ~(1 << thread)),
				     thread);
	}
	assert_in_range(first[0], 60, 140);
	assert_in_range(first[1], 60, 140);
	assert_in_range(first[2], 60, 140);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_schedules_repeat),
		cmocka_unit_test(pct_schedules_repeat),
		cmocka_unit_test(pct_runs_the_highest),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
