// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every allocation of every operation is made to fail in turn, from several starting trees: the rules
 * hold during and after it, and what follows finds the tree in order.  The same for every other
 * question whose answer a schedule may choose at a point: the frame that cannot be had, the walk that
 * is asked to yield.
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
#include "program_names.h"

/* Thread 3 has the operation in question; 0 to 2 make the tree, 4 and 5 use it afterwards. */
#define SUBJECT		3
#define MAX_POINTS	4000

/* A starting tree: the VM, then operations of vCPU 0, the VMM and the host, in that order. */
struct tree {
	const char *name;
	const char *vm;
	const char *backing;
	const char *vcpu;
	const char *vmm;
	const char *host;
};

static const struct tree trees[] = {
	{ "empty", "vm mmu=ept ad=on levels=4", "2M", "", "", "" },
	{ "4K pages", "vm mmu=ept ad=off levels=5", "4K", "\twrite 0x200 x8\n\tread 0x400 x4\n", "",
	  "" },
	{ "huge pages", "vm mmu=ept ad=on levels=4 eager_split=on", "2M",
	  "\twrite 0x200 x3/0x200\n\tread 0x800\n", "", "" },
	{ "huge pages, split on fault", "vm mmu=npt ad=on levels=4 nx_ratio=1", "1G",
	  "\twrite 0x200\n\texec 0x200\n\texec 0x401\n", "", "" },
	{ "huge pages, zapped on fault", "vm mmu=ept ad=on levels=4 fault_policy=zap nx_ratio=1",
	  "2M", "\twrite 0x200\n\texec 0x200\n", "", "" },
	{ "logging by write protection", "vm mmu=ept ad=on levels=4", "2M",
	  "\twrite 0x200 x2/0x200\n", "\tlog-start 0\n", "" },
	{ "logging by PML, split eagerly",
	  "vm mmu=ept ad=on levels=4 eager_split=on pml=on manual_protect=on init_set=on", "2M",
	  "\twrite 0x200 x2/0x200\n", "\tlog-start 0\n", "" },
	{ "aged without A bits", "vm mmu=ept ad=off levels=4 exec_only=off", "2M",
	  "\twrite 0x200\n\texec 0x400\n", "\ttrack 0 0x600\n", "\tage 0x0 0x1000\n" },
	{ "roots invalidated, slot zapped by leaf", "vm mmu=npt ad=on levels=5 quirk_zap_all=off",
	  "2M", "\twrite 0x200\n\texec 0x400\n", "\tzap-fast\n", "" },
};
#define NR_TREES (sizeof(trees) / sizeof(*trees))

/* Each operation, where it finds something to do. */
static const char *const subjects[OP_NR] = {
	[OP_READ] = "read 0x201",
	[OP_WRITE] = "write 0x200",
	[OP_EXEC] = "exec 0x202",
	[OP_SPECULATE] = "speculate 0x200",
	[OP_PREFAULT] = "prefault 0x1f0 0x220",
	[OP_ROOT_LOAD] = "root-load",
	[OP_ROOT_UNLOAD] = "root-unload",
	[OP_SMM_ENTER] = "smm-enter",
	[OP_SMM_LEAVE] = "smm-leave",
	[OP_GUEST_ENTER] = "guest-enter",
	[OP_GUEST_LEAVE] = "guest-leave",
	[OP_SLOT_ADD] = "slot-add 2 base=0x2000 pages=0x403 backing=2M flags=log",
	[OP_SLOT_DELETE] = "slot-delete 0",
	[OP_SLOT_MOVE] = "slot-move 0 0x4000",
	[OP_SLOT_FLAGS] = "slot-flags 0 log",
	[OP_LOG_START] = "log-start 0",
	[OP_LOG_GET] = "log-get 0",
	[OP_LOG_CLEAR] = "log-clear 0 0x200 0x240",
	[OP_LOG_STOP] = "log-stop 0",
	[OP_SPLIT] = "split 0 4K",
	[OP_WRPROT] = "write-protect 0 0x200 4K",
	[OP_TRACK] = "track 0 0x201",
	[OP_UNTRACK] = "untrack 0 0x600",
	[OP_ZAP_RANGE] = "zap-range 0x200 0x210",
	[OP_ZAP_FAST] = "zap-fast",
	[OP_NX_RECOVER] = "nx-recover",
	[OP_NX_TOGGLE] = "nx-toggle off",
	[OP_DESTROY] = "destroy",
	[OP_UNMAP] = "unmap 0x200 0x201",
	[OP_REMAP] = "remap 0x200 0x201",
	[OP_CLEAN] = "clean 0x200 0x201",
	[OP_AGE] = "age 0x0 0x1000",
	[OP_TEST_AGE] = "test-age 0x0 0x1000",
	[OP_HUGE_FORM] = "huge-form 0x200 2M",
	[OP_HUGE_BREAK] = "huge-break 0x200 0x200",
	[OP_PROTECT] = "protect 0x200 0x201",
};

static const char *thread_line(enum thread_kind kind)
{
	return kind == THREAD_VCPU ? "vcpu 1" : kind == THREAD_VMM ? "vmm" : "host";
}

/* The program without choices. A vCPU that has the operation goes on afterwards as another would. */
static void build(const struct tree *tree, enum op_kind kind)
{
	struct prog_error err;
	char text[2048];
	int n;

	n = snprintf(text, sizeof(text),
		     "tdp 1\n%s\n"
		     "slot 0 base=0x0 pages=0x1000 backing=%s\n"
		     "slot 1 as=1 base=0x0 pages=0x1000 backing=%s\n"
		     "thread vcpu 0\n%sthread vmm\n%sthread host\n%s"
		     "thread %s\n\t%s\n"
		     "thread vcpu 2\n\twrite 0x200\n\texec 0x201\n\tread 0x400\n\twrite 0x5ff x2\n"
		     "thread vmm\n\tlog-get 0\n\tnx-recover\n",
		     tree->vm, tree->backing, tree->backing, tree->vcpu, tree->vmm, tree->host,
		     thread_line(op_infos[kind].kind), subjects[kind]);
	assert_true(n > 0 && n < (int)sizeof(text));
	if (program_parse(prog, text, n, &err))
		fail_msg("%s, %s: line %d: %s", tree->name, subjects[kind], err.line, err.msg);
	assert_int_equal(prog->threads[SUBJECT].ops[0].kind, kind);
}

/* Runs it with one choice. Return: whether the choice's point came. */
static bool run_with(const struct tree *tree, enum op_kind kind, const struct prog_choice *choice)
{
	struct exec_result res;
	char text[64];

	prog->nr_choices = 1;
	prog->choices[0] = *choice;
	if (!executor_run(executor, prog, NULL, &res))
		return !res.nr_never;
	choice_print(choice, text, sizeof(text));
	finding_print(stderr, tree->name, prog, oracle_violation(executor_oracle(executor), 0));
	fail_msg("tree '%s', operation '%s', choice '%s': a rule is broken", tree->name,
		 subjects[kind], text);
	return false;
}

/* Every k until the operation has no k-th point of the kind. Return: how many it has. */
static uint32_t run_all(const struct tree *tree, enum op_kind kind, enum point_kind point,
			enum choice_action action)
{
	struct prog_choice choice = {
		.thread = SUBJECT,
		.kind = point,
		.k = 1,
		.action = action,
	};

	build(tree, kind);
	while (run_with(tree, kind, &choice)) {
		if (++choice.k > MAX_POINTS)
			fail_msg("tree '%s', operation '%s': more than %d points", tree->name,
				 subjects[kind], MAX_POINTS);
	}
	return choice.k - 1;
}

static uint32_t run_everywhere(enum point_kind point, enum choice_action action,
			       uint32_t by_kind[OP_NR])
{
	uint32_t sum = 0;
	size_t tree;
	int kind;

	memset(by_kind, 0, OP_NR * sizeof(*by_kind));
	for (kind = 0; kind < OP_NR; kind++) {
		assert_non_null(subjects[kind]);
		for (tree = 0; tree < NR_TREES; tree++)
			by_kind[kind] += run_all(&trees[tree], kind, point, action);
		sum += by_kind[kind];
	}
	return sum;
}

static void test_allocations_fail(void **state)
{
	uint32_t by_kind[OP_NR], sum = run_everywhere(POINT_ALLOC, CHOICE_FAIL, by_kind);

	(void)state;
	print_message("%u allocations made to fail\n", sum);
	/* Those that cannot do without: if their points stop coming, this test tests nothing. */
	assert_true(by_kind[OP_WRITE] && by_kind[OP_EXEC] && by_kind[OP_PREFAULT]);
	assert_true(by_kind[OP_ROOT_LOAD] && by_kind[OP_SLOT_ADD] && by_kind[OP_SLOT_MOVE]);
	assert_true(by_kind[OP_LOG_START] && by_kind[OP_LOG_CLEAR] && by_kind[OP_SPLIT]);
	assert_true(by_kind[OP_SLOT_DELETE] && by_kind[OP_SLOT_FLAGS]);
}

static void test_frames_fail(void **state)
{
	uint32_t by_kind[OP_NR], sum = run_everywhere(POINT_FAULTIN, CHOICE_FAIL, by_kind);

	(void)state;
	print_message("%u frames refused\n", sum);
	assert_true(by_kind[OP_WRITE] && by_kind[OP_EXEC] && by_kind[OP_PREFAULT]);
}

static void test_walks_yield(void **state)
{
	uint32_t by_kind[OP_NR], sum = run_everywhere(POINT_RESCHED, CHOICE_RESCHED, by_kind);

	(void)state;
	print_message("%u times asked to yield\n", sum);
	assert_true(by_kind[OP_UNMAP] && by_kind[OP_LOG_START] && by_kind[OP_SPLIT]);
	assert_true(by_kind[OP_ZAP_RANGE] && by_kind[OP_ZAP_FAST]);
}

static void test_grace_periods_end(void **state)
{
	uint32_t by_kind[OP_NR], sum = run_everywhere(POINT_CALL_RCU, CHOICE_GP_END, by_kind);

	(void)state;
	print_message("%u grace periods ended as soon as possible\n", sum);
	assert_true(sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allocations_fail),
		cmocka_unit_test(test_frames_fail),
		cmocka_unit_test(test_walks_yield),
		cmocka_unit_test(test_grace_periods_end),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
