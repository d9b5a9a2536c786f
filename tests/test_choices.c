// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each action of a schedule has its effect. What shows it is, where no event or count does, a second
 * choice at a point that comes only because of the first.
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

static void run(const struct exec_options *opts, struct exec_result *res, const char *threads,
		const char *choices)
{
	struct prog_error err;
	char text[1024];
	int n;

	n = snprintf(text, sizeof(text),
		     "tdp 1\nvm mmu=ept ad=on levels=4\n"
		     "slot 0 base=0x0 pages=0x1000 backing=4K\n%sschedule\n%s",
		     threads, choices);
	assert_in_range(n, 1, sizeof(text) - 1);
	if (program_parse(prog, text, n, &err))
		fail_msg("line %d: %s", err.line, err.msg);
	if (!executor_run(executor, prog, opts, res))
		return;
	finding_print(stderr, "test", prog, oracle_violation(executor_oracle(executor), 0));
	fail_msg("a rule is broken with the schedule\n%s", choices);
}

/* Without @choice the points of @shows do not come, with it they do. */
static void expect_shows(const char *threads, const char *choice, const char *shows)
{
	struct exec_result res;
	char both[256];

	run(NULL, &res, threads, shows);
	assert_int_equal(res.nr_never, 1);
	snprintf(both, sizeof(both), "%s%s", choice, shows);
	run(NULL, &res, threads, both);
	if (res.nr_never)
		fail_msg("without effect: %s", choice);
}

#define READS "thread vcpu 0\n\tprefault 0x0 0x10\n\tread 0x1\n\tread 0x1\n\tread 0x2\n\tread 0x3\n"

static void test_evict(void **state)
{
	(void)state;
	/* A hit becomes a walk; what the access leaves behind is gone. */
	expect_shows(READS, "\tt0.2@tlb#1 evict\n", "\tt0.2@walk(4K)#1 resched\n");
	expect_shows(READS, "\tt0.1@memory#1 evict\n", "\tt0.2@walk(4K)#1 resched\n");
	/* The non-leaf entries go too, so that the neighbour's walk begins at the root. */
	expect_shows(READS, "\tt0.3@walk(4K)#1 evict\n", "\tt0.4@walk(512G)#1 resched\n");
}

static void test_resched(void **state)
{
	(void)state;
	/* The walk lets go of the lock that it holds, and takes it again. */
	expect_shows("thread vcpu 0\n\twrite 0x1 x4/0x200\nthread vmm\n\tzap-range 0x0 0x1000\n",
		     "\tt1.0@cond-resched#2 resched\n", "\tt1.0@write-lock#2 resched\n");
}

static void test_fail(void **state)
{
	struct exec_result res;

	(void)state;
	/* KVM tops its caches up before it looks: nothing comes of the fault but an error. */
	run(NULL, &res, "thread vcpu 0\n\twrite 0x1\n", "");
	assert_int_equal(res.stats.refused, 0);
	assert_int_equal(res.stats.leaves_4k, 1);
	run(NULL, &res, "thread vcpu 0\n\twrite 0x1\n", "\tt0.0@alloc#1 fail\n");
	assert_int_equal(res.nr_never, 0);
	assert_int_equal(res.stats.refused, 1);
	/* A frame that cannot be had. */
	run(NULL, &res, "thread vcpu 0\n\twrite 0x1\n", "\tt0.0@faultin#1 fail\n");
	assert_int_equal(res.nr_never, 0);
	assert_int_equal(res.stats.refused, 1);
}

/* The page tables and frames that came and went while threads ran. */
struct seen {
	uint64_t freed, leaf;
	int nr_freed, nr_reused;
};

static void note(void *ctx, const struct exec_event *ev)
{
	struct seen *seen = ctx;

	if (ev->thread < 0)
		return;
	if (ev->kind == EXEC_EV_FREE) {
		seen->freed = ev->pa;
		seen->nr_freed++;
	} else if (ev->kind == EXEC_EV_ALLOC) {
		seen->nr_reused += ev->pa == seen->freed;
	} else if (ev->kind == EXEC_EV_SPTE && ev->ok && ev->level == 1 && (ev->val & 1)) {
		seen->leaf = ev->val;
	}
}

static struct seen watch(const char *threads, const char *choices)
{
	struct seen seen = { 0 };
	struct exec_options opts = { .event = note, .ctx = &seen };
	struct exec_result res;

	run(&opts, &res, threads, choices);
	assert_int_equal(res.nr_never, 0);
	return seen;
}

#define ZAP "thread vcpu 0\n\tread 0x1\nthread vmm\n\tzap-fast\nthread vcpu 1\n\tread 0x1\n"

static void test_gp_end(void **state)
{
	(void)state;
	/* Freed pages wait till the VM is destroyed, or as long as they are told to. */
	assert_int_equal(watch(ZAP, "").nr_freed, 0);
	assert_true(watch(ZAP, "\tt1.0@call-rcu#1 gp-end\n").nr_freed > 0);
}

static void test_reuse_of_a_table(void **state)
{
	(void)state;
	assert_int_equal(watch(ZAP, "\tt1.0@call-rcu#1 gp-end\n").nr_reused, 0);
	assert_int_equal(watch(ZAP, "\tt1.0@call-rcu#1 gp-end\n\tt2.0@alloc#1 reuse\n").nr_reused,
			 1);
}

#define UNMAP                                                       \
	"thread vcpu 0\n\tread 0x1\nthread host\n\tunmap 0x1 0x1\n" \
	"thread vcpu 1\n\tread 0x1\n"

static void test_reuse_of_a_frame(void **state)
{
	const uint64_t frame = 0xffffffffff000ULL;
	uint64_t first = watch("thread vcpu 0\n\tread 0x1\n", "").leaf & frame;

	(void)state;
	assert_int_not_equal(watch(UNMAP, "").leaf & frame, first);
	assert_int_equal(watch(UNMAP, "\tt2.0@faultin#1 reuse\n").leaf & frame, first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_evict),
		cmocka_unit_test(test_resched),
		cmocka_unit_test(test_fail),
		cmocka_unit_test(test_gp_end),
		cmocka_unit_test(test_reuse_of_a_table),
		cmocka_unit_test(test_reuse_of_a_frame),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
