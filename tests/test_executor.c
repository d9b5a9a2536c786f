// SPDX-License-Identifier: GPL-2.0-only
/* The executor: whose turn it is, which choices fire, what is counted and what is the same each time. */
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
#include "spte_words.h"

#define HEAD "tdp 1\nvm mmu=ept ad=on levels=4\nslot 0 base=0x0 pages=0x1000 backing=2M\n"

static void parse(const char *text)
{
	struct prog_error err;

	if (program_parse(prog, text, strlen(text), &err))
		fail_msg("line %d: %s", err.line, err.msg);
}

/* The order of operations, as "THREAD.OPERATION" or, within a repeated one, "THREAD.OPERATION:ACCESS". */
struct order {
	char text[512];
	size_t len;
};

static void note_order(void *ctx, const struct exec_event *ev)
{
	struct order *o = ctx;

	if (ev->kind != EXEC_EV_OP)
		return;
	o->len += snprintf(o->text + o->len, sizeof(o->text) - o->len, "%s%d.%u", o->len ? " " : "",
			   ev->thread, ev->op);
	if (ev->n)
		o->len += snprintf(o->text + o->len, sizeof(o->text) - o->len, ":%u",
				   (unsigned int)ev->n);
	assert_true(o->len < sizeof(o->text));
}

static void run_clean(const struct exec_options *opts, struct exec_result *res)
{
	if (!executor_run(executor, prog, opts, res))
		return;
	finding_print(stderr, "test", prog, oracle_violation(executor_oracle(executor), 0));
	fail_msg("a rule is broken");
}

static void expect_order(const char *text, const char *order)
{
	struct order seen = { .len = 0 };
	struct exec_options opts = { .event = note_order, .ctx = &seen };
	struct exec_result res;

	parse(text);
	run_clean(&opts, &res);
	assert_string_equal(seen.text, order);
	assert_int_equal(res.nr_never, 0);
}

#define THREADS								\
	"thread vcpu 0\n\twrite 0x1\n\twrite 0x2\n"			\
	"thread vmm\n\tlog-start 0\n\tlog-get 0\n"			\
	"thread host\n\tage 0x0 0x10\n\tunmap 0x1 0x1\n"

static void test_threads_in_order(void **state)
{
	(void)state;
	expect_order(HEAD THREADS, "0.0 0.1 1.0 1.1 2.0 2.1");
}

/* A thread that is left stays at its operation, which then begins without its point coming again. */
static void test_switches(void **state)
{
	(void)state;
	expect_order(HEAD THREADS "schedule\n\tt0.1@op#1 -> t1\n", "0.0 0.1 1.0 1.1 2.0 2.1");
	expect_order(HEAD THREADS "schedule\n\tt0.0@op#1 -> t2\n\tt2.1@op#1 -> t1\n",
		     "0.0 2.0 2.1 1.0 1.1 0.1");
	expect_order(HEAD THREADS "schedule\n\tt0.1@op#1 -> t1\n\tt1.1@op#1 -> t0\n",
		     "0.0 0.1 1.0 1.1 2.0 2.1");
}

/* A switch to a thread that has ended changes nothing. */
static void test_switch_to_ended(void **state)
{
	(void)state;
	expect_order(HEAD THREADS "schedule\n\tt1.0@op#1 -> t0\n", "0.0 0.1 1.0 1.1 2.0 2.1");
}

static void test_switch_within_repeated(void **state)
{
	(void)state;
	expect_order(HEAD "thread vcpu 0\n\twrite 0x1 x3\nthread host\n\tunmap 0x1 0x1\n"
			  "schedule\n\tt0.0@op#3 -> t1\n",
		     "0.0 0.0:1 0.0:2 1.0");
}

static void test_choice_that_never_comes(void **state)
{
	struct exec_result res;

	(void)state;
	parse(HEAD
	      "thread vcpu 0\n\twrite 0x1\nthread vmm\n\tlog-start 0\n"
	      "schedule\n\tt0.0@op#1 -> t1\n\tt0.0@alloc#999 fail\n\tt0.0@cmpxchg(4K)#1 -> t1\n");
	run_clean(NULL, &res);
	assert_int_equal(res.nr_never, 1);
	assert_int_equal(prog->choices[res.never[0]].k, 999);
}

static void test_counts(void **state)
{
	static const struct exec_options opts = { .count_dirty = true };
	struct exec_result res;

	(void)state;
	/* One fault maps the 2M page; logging write-protects it; each 4K written is split off and named. */
	parse("tdp 1\nvm mmu=ept ad=on levels=4 nx_huge_pages=off\n"
	      "slot 0 base=0x0 pages=0x1000 backing=2M\n"
	      "thread vcpu 0\n\twrite 0x200 x4\nthread vmm\n\tlog-start 0\nthread vcpu 1\n"
	      "\twrite 0x201 x3/0x10\n\tread 0x2000\n");
	run_clean(&opts, &res);
	assert_int_equal(res.stats.accesses, 8);
	assert_int_equal(res.stats.faults_write, 4);
	assert_int_equal(res.stats.splits, 1);
	assert_int_equal(res.stats.dirty_pages, 3);
	assert_int_equal(res.stats.faults_emulate, 1);
	assert_int_equal(res.stats.leaves_2m, 0);
	assert_int_equal(res.stats.leaves_4k, 512);
}

static void test_truncation(void **state)
{
	struct exec_options opts = { .max_accesses = 5 };
	struct exec_result res;

	(void)state;
	parse(HEAD "thread vcpu 0\n\twrite 0x1 x100\n\tread 0x5\n");
	run_clean(&opts, &res);
	assert_true(res.truncated);
	assert_int_equal(res.stats.accesses, 5);
	opts.max_accesses = 101;
	run_clean(&opts, &res);
	assert_false(res.truncated);
	assert_int_equal(res.stats.accesses, 101);

	opts.max_points = 50;
	run_clean(&opts, &res);
	assert_true(res.truncated);
	assert_in_range(res.stats.accesses, 1, 5);
}

static void count_ends(void *ctx, struct kvm *kvm)
{
	assert_non_null(kvm);
	++*(int *)ctx;
}

static void test_destroy_early(void **state)
{
	int ends = 0;
	struct exec_options opts = { .before_destroy = count_ends, .ctx = &ends };
	struct exec_result res;

	(void)state;
	parse(HEAD
	      "thread vmm\n\tlog-start 0\n\tdestroy\n\tlog-get 0\nthread vcpu 0\n\twrite 0x1\n");
	run_clean(&opts, &res);
	assert_int_equal(ends, 1);
	assert_int_equal(res.stats.accesses, 0);
}

/* What is left of one run is nothing to the next. */
static void test_leave_vm(void **state)
{
	struct exec_options leave = { .leave_vm = true };
	struct exec_result first, left, again;

	(void)state;
	parse(HEAD "thread vmm\n\tlog-start 0\nthread vcpu 0\n\twrite 0x1\n");
	run_clean(NULL, &first);
	run_clean(&leave, &left);
	assert_true(left.stats.points < first.stats.points);
	assert_int_equal(left.stats.tables_end, first.stats.tables_end);
	run_clean(NULL, &again);
	assert_int_equal(again.hash, first.hash);
	assert_int_equal(again.stats.points, first.stats.points);
}

static uint64_t hash_of(const char *text, bool points)
{
	struct exec_options opts = { .hash_points = points };
	struct exec_result res;

	parse(text);
	run_clean(&opts, &res);
	return res.hash;
}

static void test_hash(void **state)
{
	static const char one[] = HEAD THREADS;
	static const char other[] = HEAD THREADS "schedule\n\tt0.1@op#1 -> t2\n";
	uint64_t a, b;

	(void)state;
	a = hash_of(one, true);
	b = hash_of(other, true);
	assert_true(a != b);
	assert_true(a == hash_of(one, true));
	assert_true(b == hash_of(other, true));
	assert_true(hash_of(one, false) == hash_of(one, false));
}

static void expect_words(const struct vm_desc *vm, uint64_t spte, int level, const char *words)
{
	char text[SPTE_WORDS_MAX];

	assert_string_equal(spte_words(vm, spte, level, text, sizeof(text)), words);
}

static void test_spte_words(void **state)
{
	struct vm_desc ept = { .mmu = VM_EPT, .ad = true, .maxphyaddr = 46 };
	struct vm_desc npt = { .mmu = VM_NPT, .ad = true, .maxphyaddr = 48 };

	(void)state;
	expect_words(&ept, 0x8600000400010b77, 1,
		     "page pfn 0x400010 rwx A D WB host-writable MMU-writable");
	expect_words(&ept, 0x8600000400400bf3, 2,
		     "page pfn 0x400400 rw- A D WB host-writable MMU-writable");
	expect_words(
		&ept, 0x8750000400011870, 1,
		"page pfn 0x400011 --- ad=off access-tracked(rx) WB host-writable MMU-writable");
	expect_words(&npt, 0x8000000400400ee7, 2,
		     "page pfn 0x400400 rw- A D host-writable MMU-writable");
	expect_words(&ept, 0x8000000000000000, 1, "none");
	expect_words(&ept, 0x80000000000005a0, 2, "frozen");
	expect_words(&ept, 0x0000000100123016, 1, "MMIO gen 2 address field 0x100123000");
	expect_words(&npt, 0x0008000100123017, 1, "MMIO gen 2 address field 0x8000100123000");
	expect_words(&ept, 0x100, 1, "0x100 without MMU-present");
}

static void expect_finding(const struct oracle_violation *v, const char *text)
{
	char *printed;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	assert_non_null(out);
	finding_print(out, "x.tdp", prog, v);
	fclose(out);
	assert_string_equal(printed, text);
	free(printed);
}

static void test_findings_in_words(void **state)
{
	struct oracle_violation v = {
		.rule = 'W',
		.gfn = 0x10,
		.spte = 0x8600000400010b77,
		.thread = 1,
		.op = 0,
		.step = 7,
		.text = "a page is writable",
	};

	(void)state;
	parse(HEAD "thread vcpu 0\n\twrite 0x10\nthread vmm\n\ttrack 0 0x10\n");
	expect_finding(
		&v, "x.tdp:7: rule W broken (a tracked page is not writable): a page is writable\n"
		    "\tt1.0 (vmm): track 0 0x10\n"
		    "\tgfn 0x10, SPTE 8600000400010b77: page pfn 0x400010 rwx A D WB host-writable "
		    "MMU-writable\n"
		    "\tstep 7\n");
	v = (struct oracle_violation){ .rule = 'L', .gfn = ~0ULL, .thread = -1, .text = "leak" };
	expect_finding(&v, "x.tdp: rule L broken (pages, counts and references balance): leak\n"
			   "\tbefore the first or after the last operation\n\tstep 0\n");
}

/* A run that is cut short leaves nothing behind for the next one. */
static void test_livelock_is_reported(void **state)
{
	struct exec_options opts = { .op_budget = 100 };
	struct exec_result res;

	(void)state;
	parse(HEAD "thread vcpu 0\n\twrite 0x200\n\texec 0x200\n");
	assert_int_equal(executor_run(executor, prog, &opts, &res), 1);
	assert_int_equal(oracle_violation(executor_oracle(executor), 0)->rule, 'P');
	run_clean(NULL, &res);
}

/* What is long because there is a lot to do is no livelock: the harvest of a terabyte. */
static void test_large_slot(void **state)
{
	struct exec_result res;

	(void)state;
	parse("tdp 1\nvm manual_protect=on init_set=on eager_split=on\n"
	      "slot 0 base=0x0 pages=0x10000000 backing=2M flags=log\n"
	      "thread vcpu 0\n\twrite 0x200\n");
	run_clean(NULL, &res);
	assert_true(res.stats.points > 1ULL << 26);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads_in_order),
		cmocka_unit_test(test_switches),
		cmocka_unit_test(test_switch_to_ended),
		cmocka_unit_test(test_switch_within_repeated),
		cmocka_unit_test(test_choice_that_never_comes),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_destroy_early),
		cmocka_unit_test(test_leave_vm),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_spte_words),
		cmocka_unit_test(test_findings_in_words),
		cmocka_unit_test(test_livelock_is_reported),
		cmocka_unit_test(test_large_slot),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
