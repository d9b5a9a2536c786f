// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs whose threads are switched in the middle of operations: by their schedule, and by a
 * scheduler at random, whose record gives the same run again.
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
#include "platform.h"

#define HEAD "tdp 1\nvm mmu=ept ad=on levels=4\nslot 0 base=0x0 pages=0x1000 backing=4K\n"

static void parse(struct program *into, const char *text)
{
	struct prog_error err;

	if (program_parse(into, text, strlen(text), &err))
		fail_msg("line %d: %s", err.line, err.msg);
}

static void run_clean(const struct exec_options *opts, struct exec_result *res)
{
	if (!executor_run(executor, prog, opts, res))
		return;
	finding_print(stderr, "test", prog, oracle_violation(executor_oracle(executor), 0));
	fail_msg("a rule is broken");
}

/* ---- what happened, in the order in which it did ---- */

static char story[512];

static void tell(void *ctx, const struct exec_event *ev)
{
	size_t len = strlen(story);

	(void)ctx;
	if (len + 16 > sizeof(story) || ev->thread < 0)
		return;
	if (ev->kind == EXEC_EV_CALL && ev->call->kind == CALL_PAGE_FAULT)
		snprintf(story + len, sizeof(story) - len, "fault%d ", ev->thread);
	else if (ev->kind == EXEC_EV_RETURN && ev->call->kind == CALL_PAGE_FAULT)
		snprintf(story + len, sizeof(story) - len, "%s%d ",
			 ev->call->ret == RET_PF_RETRY ? "retry" : "done", ev->thread);
	else if (ev->kind == EXEC_EV_CALL && ev->call->kind == CALL_INVALIDATE_START)
		snprintf(story + len, sizeof(story) - len, "start ");
	else if (ev->kind == EXEC_EV_RETURN && ev->call->kind == CALL_INVALIDATE_END)
		snprintf(story + len, sizeof(story) - len, "end ");
	else if (ev->kind == EXEC_EV_FLUSH)
		snprintf(story + len, sizeof(story) - len, "flush%d ", ev->thread);
	else if (ev->kind == EXEC_EV_POINT && ev->point == POINT_BLOCK)
		snprintf(story + len, sizeof(story) - len, "wait%d ", ev->thread);
	else if (ev->kind == EXEC_EV_POINT && ev->point == POINT_MEMORY)
		snprintf(story + len, sizeof(story) - len, "memory%d ", ev->thread);
	else if (ev->kind == EXEC_EV_CALL && ev->call->kind == CALL_DESTROY_VM)
		snprintf(story + len, sizeof(story) - len, "destroy ");
}

static void expect_story(const char *text, const char *expected)
{
	const struct exec_options opts = { .event = tell };
	struct exec_result res;

	parse(prog, text);
	story[0] = 0;
	run_clean(&opts, &res);
	assert_int_equal(res.nr_never, 0);
	assert_string_equal(story, expected);
}

/* The frame that was looked up is gone by the time it would be mapped. */
static void test_fault_and_unmap(void **state)
{
	(void)state;
	expect_story(HEAD "thread vcpu 0\n\twrite 0x10\nthread host\n\tunmap 0x10 0x1\n"
			  "schedule\n\tt0.0@read-lock#2 -> t1\n",
		     "fault0 start end retry0 fault0 done0 memory0 ");
}

/* The vCPU uses its TLB entry until its instruction ends; the flush waits for that. */
static void test_flush_waits_for_an_instruction(void **state)
{
	(void)state;
	expect_story(
		HEAD "thread vcpu 0\n\twrite 0x10\n\twrite 0x10\nthread host\n\tunmap 0x10 0x1\n"
		     "schedule\n\tt0.0@memory#1 -> t1\n",
		"fault0 done0 memory0 start flush1 wait1 fault0 retry0 end fault0 done0 memory0 ");
}

/* A vCPU between two instructions keeps nobody waiting. */
static void test_flush_does_not_wait_between_instructions(void **state)
{
	(void)state;
	expect_story(HEAD "thread vcpu 0\n\twrite 0x10 x2\nthread host\n\tunmap 0x10 0x1\n"
			  "schedule\n\tt0.0@op#2 -> t1\n",
		     "fault0 done0 memory0 start flush1 end fault0 done0 memory0 ");
}

static void test_who_runs_while_one_waits(void **state)
{
	(void)state;
	/* t1 waits for t0's mmu_lock: t0 goes on, as the next one, or t2 if the schedule says so. */
	expect_story(HEAD "thread vcpu 0\n\twrite 0x10\nthread host\n\tunmap 0x10 0x1\n"
			  "thread vcpu 1\n\twrite 0x20\n"
			  "schedule\n\tt0.0@cmpxchg(512G)#1 -> t1\n\tt1.0@block#1 -> t0\n",
		     "fault0 start wait1 done0 memory0 flush1 end fault2 done2 memory2 ");
	expect_story(HEAD "thread vcpu 0\n\twrite 0x10\nthread host\n\tunmap 0x10 0x1\n"
			  "thread vcpu 1\n\twrite 0x20\n"
			  "schedule\n\tt0.1@end#1 -> t2\n",
		     "fault0 done0 memory0 fault2 done2 memory2 start flush1 end ");
}

/* Who is within an operation ends it first; who is not does nothing any more. */
static void test_destroy_waits_for_users(void **state)
{
	(void)state;
	expect_story(HEAD "thread vcpu 0\n\twrite 0x10\n\twrite 0x20\nthread vmm\n\tdestroy\n"
			  "schedule\n\tt0.0@alloc#1 -> t1\n",
		     "wait1 fault0 done0 memory0 destroy ");
}

/* ---- at random ---- */

static uint64_t random_state;
static unsigned int every;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545f4914f6cdd1dULL >> 16;
}

static int any_of(u32 mask)
{
	int skip = next_random() % __builtin_popcount(mask);

	while (skip--)
		mask &= mask - 1;
	return __builtin_ctz(mask);
}

static unsigned int at_random(void *ctx, int thread, enum point_kind kind, int level, u32 k,
			      u64 object, u32 runnable, int *target)
{
	unsigned int actions = 0;

	(void)ctx;
	(void)thread;
	(void)level;
	(void)k;
	(void)object;
	if (next_random() % every == 0) {
		*target = any_of(runnable);
		actions |= SIM_SWITCH;
	}
	if (next_random() % (4 * every) == 0)
		actions |= 1u << next_random() % 6;
	if (kind == POINT_RESCHED && next_random() % 4 == 0)
		actions |= SIM_RESCHED;
	return actions;
}

static int pick_at_random(void *ctx, int thread, enum point_kind why, u32 k, u32 runnable)
{
	(void)ctx;
	(void)thread;
	(void)why;
	(void)k;
	return any_of(runnable);
}

static const struct sim_scheduler scheduler = {
	.every_point = true,
	.at_point = at_random,
	.pick = pick_at_random,
};

/* Races that the MMU must stand: the same few pages, from all sides. */
static const char *const races[] = {
	HEAD "thread vcpu 0\n\twrite 0x10\n\twrite 0x11\nthread vcpu 1\n\tread 0x10\n\texec 0x11\n"
	     "thread host\n\tunmap 0x10 0x2\n\tage 0x10 0x2\n",
	"tdp 1\nvm pml=on\nslot 0 base=0x0 pages=0x400 backing=2M\n"
	"thread vcpu 0\n\twrite 0x0\n\twrite 0x1\n\twrite 0x200\nthread vcpu 1\n\texec 0x1\n\twrite 0x2\n"
	"thread vmm\n\tlog-start 0\n\tlog-get 0\n\tlog-stop 0\n",
	"tdp 1\nvm mmu=npt quirk_zap_all=off\nslot 0 base=0x0 pages=0x400 backing=2M\n"
	"thread vcpu 0\n\twrite 0x0\n\texec 0x200\n\tread 0x1\nthread vmm\n\tslot-delete 0\n"
	"\tslot-add 0 base=0x0 pages=0x200 backing=2M\nthread host\n\tunmap 0x1 0x1\n\tprotect 0x0 0x200\n",
	"tdp 1\nvm ad=off eager_split=on\nslot 0 base=0x0 pages=0x400 backing=2M flags=log\n"
	"thread vcpu 0\n\twrite 0x0\n\twrite 0x1\nthread vmm\n\tsplit 0 4K\n\tlog-get 0\n\tzap-fast\n"
	"thread vmm\n\ttrack 0 0x1\n\tnx-recover\n\tuntrack 0 0x1\n",
	HEAD
	"thread vcpu 0\n\tprefault 0x0 0x3\n\tsmm-enter\n\tread 0x1\nthread vcpu 1\n\twrite 0x1\n"
	"\tspeculate 0x2\nthread vmm\n\tzap-range 0x0 0x4\n\tdestroy\n",
};

static struct prog_choice record[4096];

/* The schedule of a run, in place of the program's own, gives the run again. */
static void replay(const struct exec_result *was, const struct exec_options *opts)
{
	struct exec_options again = *opts;
	struct exec_result res;
	struct prog_error err;

	again.scheduler = NULL;
	again.record = NULL;
	prog->nr_choices = was->nr_record;
	memcpy(prog->choices, record, was->nr_record * sizeof(*record));
	if (program_check(prog, &err))
		fail_msg("the record is no schedule: %s", err.msg);
	executor_run(executor, prog, &again, &res);
	assert_int_equal(res.nr_never, 0);
	assert_int_equal(res.hash, was->hash);
	assert_int_equal(res.stats.points, was->stats.points);
}

static void test_records_replay(void **state)
{
	struct exec_options opts = {
		.scheduler = &scheduler,
		.record = record,
		.max_record = sizeof(record) / sizeof(*record),
	};
	struct exec_result res;
	unsigned int i, seed, replayed = 0;

	(void)state;
	for (i = 0; i < sizeof(races) / sizeof(*races); i++) {
		for (seed = 1; seed <= 60; seed++) {
			parse(prog, races[i]);
			random_state = seed * 0x9e3779b97f4a7c15ULL + i;
			every = 4u << seed % 5;
			opts.hash_points = seed % 2;
			run_clean(&opts, &res);
			if (res.nr_record > PROG_MAX_CHOICES)
				continue;
			replay(&res, &opts);
			replayed++;
		}
	}
	assert_true(replayed > 200);
}

/* What is recorded of a run without a scheduler is the program's own schedule, but for what never came. */
static void test_record_of_a_schedule(void **state)
{
	const struct exec_options opts = { .record = record, .max_record = 2 };
	struct exec_result res;

	(void)state;
	parse(prog, HEAD "thread vcpu 0\n\twrite 0x10\nthread host\n\tunmap 0x10 0x1\nschedule\n"
			 "\tt0.0@alloc#99 fail\n\tt0.0@faultin#1 -> t1\n\tt1.1@end#1 -> t0\n");
	run_clean(&opts, &res);
	assert_int_equal(res.nr_never, 1);
	assert_int_equal(res.nr_record, 2);
	assert_int_equal(record[0].kind, POINT_FAULTIN);
	assert_int_equal(record[1].kind, POINT_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fault_and_unmap),
		cmocka_unit_test(test_flush_waits_for_an_instruction),
		cmocka_unit_test(test_flush_does_not_wait_between_instructions),
		cmocka_unit_test(test_who_runs_while_one_waits),
		cmocka_unit_test(test_destroy_waits_for_users),
		cmocka_unit_test(test_records_replay),
		cmocka_unit_test(test_record_of_a_schedule),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
