// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle's vCPUs: walks, faults and their error codes, A and D, what caches keep and lose, the
 * page-modification log.  Page tables are three pages of a fake memory, for gfns below 0x40000.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "oracle.h"

#define PT		(0x100000ULL << 12)
#define BIT(n)		(1ULL << (n))
#define NONE		BIT(63)
#define FRAME(gfn)	((0x400000ULL + (gfn)) << 12)

static struct oracle *o;
static uint64_t memory[5][512];
static struct vm_desc vm;
static uint64_t logged[1024];
static int nr_logged;
static bool evict;
static uint64_t race_with;	/* SPTE that another CPU stores before the next cmpxchg, 0: none */

static uint64_t *spte_ptr(uint64_t pa)
{
	return &memory[(pa - PT) >> 12][pa / 8 % 512];
}

static const uint64_t *sptep(void *ctx, uint64_t pa)
{
	(void)ctx;
	return pa - PT < sizeof(memory) ? spte_ptr(pa) : NULL;
}

static bool cmpxchg_spte(void *ctx, uint64_t pa, uint64_t old, uint64_t val)
{
	(void)ctx;
	if (race_with) {
		*spte_ptr(pa) = race_with;
		race_with = 0;
	}
	if (*spte_ptr(pa) != old)
		return false;
	*spte_ptr(pa) = val;
	return true;
}

static unsigned int point(void *ctx, int kind, int level, uint64_t pa)
{
	(void)ctx;
	(void)level;
	(void)pa;
	return kind == ORACLE_POINT_TLB && evict ? ORACLE_EVICT : 0;
}

static void pml(void *ctx, int vcpu, uint64_t gfn)
{
	(void)ctx;
	(void)vcpu;
	logged[nr_logged++ % 1024] = gfn;
}

static const struct oracle_env env = {
	.sptep = sptep,
	.cmpxchg_spte = cmpxchg_spte,
	.point = point,
	.pml = pml,
};

static void write_spte(int table, int idx, uint64_t val)
{
	uint64_t old = memory[table][idx];

	memory[table][idx] = val;
	oracle_ev_spte(o, ORACLE_CMPXCHG, PT + table * 4096ULL + idx * 8, 4 - table, old, val,
		       true);
}

static void call(struct oracle_call call)
{
	oracle_call_begin(o, &call);
	oracle_call_end(o, &call);
}

static void enter(int vcpu)
{
	call((struct oracle_call){ .kind = CALL_ENTER_GUEST, .vcpu = vcpu, .root = PT });
}

static uint64_t link_to(int table)
{
	uint64_t spte = (PT + table * 4096ULL) | BIT(11) | 7;

	if (vm.mmu == VM_NPT)
		return spte | BIT(5);
	return spte | NONE | (vm.ad ? BIT(8) : BIT(52));
}

/* Root, and one table of each level below it. */
static void start(const struct vm_desc *desc)
{
	int i, j;

	vm = *desc;
	oracle_reset(o, &vm, &env);
	oracle_set_prediction(o, false);
	nr_logged = 0;
	evict = false;
	oracle_host_set_backing(o, 0, 0x40000, BACKING_2M);
	call((struct oracle_call){
		.kind = CALL_SET_REGION,
		.root = ~0ULL,
		.region = { .npages = 0x40000, .flags = vm.pml ? SLOT_LOG : 0 },
	});
	for (i = 0; i < 4; i++) {
		for (j = 0; j < 512; j++)
			memory[i][j] = NONE;
		oracle_ev_page_alloc(o, PT + i * 4096ULL, NONE);
	}
	enter(0);
	enter(1);
	for (i = 0; i < 3; i++)
		write_spte(i, 0, link_to(i + 1));
}

static const struct vm_desc ept = { .mmu = VM_EPT, .ad = true, .levels = 4, .maxphyaddr = 46 };
static const struct vm_desc npt = { .mmu = VM_NPT, .levels = 4, .maxphyaddr = 46 };

/* Bits of a leaf for RAM, host- and MMU-writable, without R, W, X, A and D. */
static uint64_t leaf(uint64_t gfn)
{
	if (vm.mmu == VM_NPT)
		return FRAME(gfn) | BIT(11) | BIT(9) | BIT(10) | 4;
	return NONE | FRAME(gfn) | BIT(11) | BIT(57) | BIT(58) | 0xeULL << 3;
}

static enum hw_result access(int vcpu, uint64_t gfn, enum hw_access how, uint64_t *code)
{
	struct hw_exit exit = { 0 };
	enum hw_result res = oracle_hw_access(o, vcpu, gfn, how, &exit);

	if (res != HW_DONE && res != HW_NO_ROOT)
		assert_int_equal(exit.gpa, gfn << 12);
	if (code)
		*code = exit.error_code;
	return res;
}

/* A fault of kind @how must have @code; the vCPU is sent back. */
static void expect_fault(uint64_t gfn, enum hw_access how, enum hw_result want, uint64_t code)
{
	uint64_t got;

	assert_int_equal(access(0, gfn, how, &got), want);
	assert_int_equal(got, code);
	assert_int_equal(access(0, gfn, how, NULL), HW_NO_ROOT);
	enter(0);
}

static int setup(void **state)
{
	(void)state;
	o = oracle_create();
	start(&ept);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(oracle_nr_violations(o), 0);
	oracle_destroy(o);
	return 0;
}

/* Error codes as KVM makes them of exit qualifications (SDM vol. 3, "EPT violations"). */
static void test_ept_codes(void **state)
{
	(void)state;
	expect_fault(0x10, HW_READ, HW_FAULT, 0x4);
	expect_fault(0x10, HW_WRITE, HW_FAULT, 0x2);
	expect_fault(0x10, HW_EXEC, HW_FAULT, 0x10);
	write_spte(3, 0x10, (leaf(0x10) & ~BIT(58)) | 1 | BIT(8));
	expect_fault(0x10, HW_WRITE, HW_FAULT, 0x3);
	expect_fault(0x10, HW_EXEC, HW_FAULT, 0x11);
	assert_int_equal(access(0, 0x10, HW_READ, NULL), HW_DONE);
	write_spte(3, 0x11, 0x11016);
	expect_fault(0x11, HW_READ, HW_MISCONFIG, 0x8);
	expect_fault(0x11, HW_WRITE, HW_MISCONFIG, 0x8);
}

/* #NPF's EXITINFO1 (APM vol. 2, "Nested page faults"). */
static void test_npt_codes(void **state)
{
	(void)state;
	start(&npt);
	expect_fault(0x10, HW_READ, HW_FAULT, 0x4);
	expect_fault(0x10, HW_WRITE, HW_FAULT, 0x6);
	expect_fault(0x10, HW_EXEC, HW_FAULT, 0x14);
	write_spte(3, 0x10, leaf(0x10) | BIT(63) | BIT(5) | 1);
	expect_fault(0x10, HW_WRITE, HW_FAULT, 0x7);
	expect_fault(0x10, HW_EXEC, HW_FAULT, 0x15);
	write_spte(3, 0x11, BIT(51) | 0x11017);
	expect_fault(0x11, HW_READ, HW_MISCONFIG, 0xd);
	expect_fault(0x11, HW_WRITE, HW_MISCONFIG, 0xf);
}

/* What of an EPT entry is a misconfiguration (SDM vol. 3, "EPT misconfigurations"). */
static void test_misconfigurations(void **state)
{
	static const struct {
		int table;
		uint64_t set, clear;
		bool bad;
	} cases[] = {
		{ 3, 7, 0, false },
		{ 3, 2, 0, true },
		{ 3, 6, 0, true },
		{ 3, 4, 0, true },
		{ 3, 7 | BIT(46), 0, true },
		{ 3, 7 | BIT(51), 0, true },
		{ 3, 7 | BIT(52), 0, false },
		{ 3, 7 | 7 << 3, 0, true },
		{ 3, 7, 6 << 3, false },
		{ 3, 7, 4 << 3, true },
		{ 3, 7 | BIT(7), 0, false },
		{ 2, 7 | BIT(7), 0, false },
		{ 2, 7 | BIT(7) | BIT(12), 0, true },
		{ 2, 7 | BIT(7) | BIT(20), 0, true },
		{ 1, 7 | BIT(7) | BIT(21), 0, true },
		{ 0, 7 | BIT(7), 0, true },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int table = cases[i].table, idx = table == 3 ? 0x20 : 0;
		uint64_t gfn = table == 3 ? 0x20 : 0, old = memory[table][idx];
		enum hw_result res;

		/* Behind the oracle's back: such entries are rule B's business. */
		memory[table][idx] = ((leaf(gfn) | BIT(8)) & ~cases[i].clear) | cases[i].set;
		if (table < 3 && !(cases[i].set & BIT(7)))
			memory[table][idx] = old | cases[i].set;
		oracle_ev_flush(o, 0, 0);
		res = access(0, gfn, HW_READ, NULL);
		if ((res == HW_MISCONFIG) != cases[i].bad)
			fail_msg("case %u: result %d", i, res);
		memory[table][idx] = old;
		oracle_ev_flush(o, 0, 0);
		enter(0);
	}
}

static void test_accessed_dirty(void **state)
{
	(void)state;
	write_spte(3, 0x10, leaf(0x10) | 7);
	assert_int_equal(access(0, 0x10, HW_READ, NULL), HW_DONE);
	assert_true(memory[3][0x10] == (leaf(0x10) | 7 | BIT(8)));
	/* The TLB has the page writable, but a write may not use an entry whose D is clear. */
	assert_int_equal(access(0, 0x10, HW_WRITE, NULL), HW_DONE);
	assert_true(memory[3][0x10] == (leaf(0x10) | 7 | BIT(8) | BIT(9)));
	/* From now on it may: D stays clear when it is cleared without a flush. */
	memory[3][0x10] &= ~BIT(9);
	assert_int_equal(access(0, 0x10, HW_WRITE, NULL), HW_DONE);
	assert_true(memory[3][0x10] == (leaf(0x10) | 7 | BIT(8)));
	/* Until it is flushed, or evicted, or used by another vCPU. */
	evict = true;
	assert_int_equal(access(0, 0x10, HW_WRITE, NULL), HW_DONE);
	evict = false;
	assert_true(memory[3][0x10] & BIT(9));
	memory[3][0x10] &= ~BIT(9);
	assert_int_equal(access(1, 0x10, HW_WRITE, NULL), HW_DONE);
	assert_true(memory[3][0x10] & BIT(9));
	memory[3][0x10] &= ~BIT(9);
	oracle_ev_flush(o, 0x10, 1);
	assert_int_equal(access(0, 0x10, HW_WRITE, NULL), HW_DONE);
	assert_true(memory[3][0x10] & BIT(9));
}

/* The update of A and D looks again: what became read-only meanwhile is not made dirty. */
static void test_assist_rechecks(void **state)
{
	uint64_t code;

	(void)state;
	write_spte(3, 0x10, leaf(0x10) | 7 | BIT(8));
	race_with = leaf(0x10) | 5 | BIT(8);
	assert_int_equal(access(0, 0x10, HW_WRITE, &code), HW_FAULT);
	assert_int_equal(code, 0x3);
	assert_true(memory[3][0x10] == (leaf(0x10) | 5 | BIT(8)));
	enter(0);
	memory[3][0x10] = leaf(0x10) | 7 | BIT(8);
	race_with = NONE;
	assert_int_equal(access(0, 0x10, HW_WRITE, &code), HW_FAULT);
	assert_int_equal(code, 0x2);
	assert_true(memory[3][0x10] == NONE);
	enter(0);
}

static void test_no_ad(void **state)
{
	struct vm_desc no_ad = ept;
	uint64_t spte;

	(void)state;
	no_ad.ad = false;
	start(&no_ad);
	write_spte(3, 0x10, spte = leaf(0x10) | 7 | BIT(52));
	assert_int_equal(access(0, 0x10, HW_WRITE, NULL), HW_DONE);
	assert_true(memory[3][0x10] == spte && !(memory[0][0] & BIT(8)));
}

/* A huge entry serves all its pages; a fault drops it, whatever page of it faulted. */
static void test_huge(void **state)
{
	(void)state;
	write_spte(2, 1, leaf(0x200) | BIT(7) | 3 | BIT(8) | BIT(9));
	assert_int_equal(access(0, 0x200, HW_WRITE, NULL), HW_DONE);
	/* Unseen: only the TLB knows the old value now. */
	memory[2][1] = leaf(0x200) | BIT(7) | 7 | BIT(8) | BIT(9);
	expect_fault(0x3ff, HW_EXEC, HW_FAULT, 0x11);
	/* After the fault the walk finds that it is executable. */
	assert_int_equal(access(0, 0x200, HW_EXEC, NULL), HW_DONE);
}

static void test_speculate(void **state)
{
	(void)state;
	write_spte(3, 0x10, leaf(0x10) | 7);
	write_spte(3, 0x11, leaf(0x11) | 7 | BIT(8));
	oracle_hw_speculate(o, 0, 0x10);
	oracle_hw_speculate(o, 0, 0x11);
	oracle_hw_speculate(o, 0, 0x12);
	/* It sets no bits and takes no faults, but what it can read is cached from then on. */
	assert_true(!(memory[3][0x10] & BIT(8)));
	memory[3][0x11] = NONE;
	memory[3][0x11] = leaf(0x11) | 7 | BIT(8);
	memory[2][0] = NONE;
	assert_int_equal(access(0, 0x11, HW_READ, NULL), HW_DONE);
	assert_int_equal(access(0, 0x10, HW_READ, NULL), HW_DONE);
	memory[2][0] = link_to(3);
}

/* A vCPU that was told to drop its root does not run before it has another. */
static void test_drop_roots(void **state)
{
	int i;

	(void)state;
	write_spte(3, 0x10, leaf(0x10) | 7 | BIT(8) | BIT(9));
	assert_int_equal(access(0, 0x10, HW_READ, NULL), HW_DONE);
	oracle_ev_kick(o, true);
	assert_int_equal(access(0, 0x10, HW_READ, NULL), HW_NO_ROOT);
	enter(0);
	assert_int_equal(access(0, 0x10, HW_READ, NULL), HW_NO_ROOT);
	for (i = 0; i < 512; i++)
		memory[4][i] = NONE;
	oracle_ev_page_alloc(o, PT + 4 * 4096, NONE);
	call((struct oracle_call){ .kind = CALL_ENTER_GUEST, .vcpu = 0, .root = PT + 4 * 4096 });
	/* The new root's tables are empty, and so are the caches. */
	assert_int_equal(access(0, 0x10, HW_READ, NULL), HW_FAULT);
}

/* A violation of @rule, the only one so far; the next test case begins with none. */
static void assert_one_violation(char rule, const char *part)
{
	assert_int_equal(oracle_nr_violations(o), 1);
	assert_int_equal(oracle_violation(o, 0)->rule, rule);
	assert_non_null(strstr(oracle_violation(o, 0)->text, part));
	start(&ept);
	oracle_ev_kick(o, false);
}

/* The short form of an entry: when it may be used, and what it finds. */
static void test_resume(void **state)
{
	struct oracle_resume resume;
	uint64_t hash;

	(void)state;
	assert_false(oracle_may_resume(o, 0, &resume)); /* it is in the guest */
	oracle_ev_kick(o, false);
	assert_false(oracle_may_resume(o, 2, &resume)); /* it has no root */
	assert_true(oracle_may_resume(o, 0, &resume));
	assert_true(oracle_resumed(o, 0, &resume, 0, PT));
	assert_int_equal(access(0, 0x10, HW_READ, NULL), HW_FAULT);
	assert_int_equal(oracle_nr_violations(o), 0);
	hash = oracle_hash(o);

	/* As far as anybody can tell it was the whole call. */
	start(&ept);
	oracle_ev_kick(o, false);
	enter(0);
	assert_int_equal(access(0, 0x10, HW_READ, NULL), HW_FAULT);
	assert_true(oracle_hash(o) == hash);

	start(&ept);
	oracle_ev_kick(o, false);
	assert_true(oracle_may_resume(o, 0, &resume));
	write_spte(3, 0x10, leaf(0x10) | 7);
	oracle_resumed(o, 0, &resume, 0, PT);
	assert_one_violation('M', "changed something");

	assert_true(oracle_may_resume(o, 0, &resume));
	assert_false(oracle_resumed(o, 0, &resume, -12, PT));
	assert_one_violation('M', "returned -12");

	assert_true(oracle_may_resume(o, 0, &resume));
	assert_false(oracle_resumed(o, 0, &resume, 0, PT + 4096));
	assert_one_violation('M', "root at");

	assert_true(oracle_may_resume(o, 0, &resume));
	oracle_ev_lock(o, "mmu_lock", 1);
	oracle_resumed(o, 0, &resume, 0, PT);
	assert_one_violation('L', "locks held");

	oracle_ev_kick(o, true); /* it has to load a root first */
	assert_false(oracle_may_resume(o, 0, &resume));
}

static void test_pml(void **state)
{
	struct vm_desc desc = ept;
	int i;

	(void)state;
	desc.pml = true;
	start(&desc);
	for (i = 0; i < 3; i++)
		write_spte(3, i, leaf(i) | 7 | BIT(8));
	assert_int_equal(access(0, 1, HW_READ, NULL), HW_DONE);
	assert_int_equal(access(0, 1, HW_WRITE, NULL), HW_DONE);
	assert_int_equal(access(0, 2, HW_WRITE, NULL), HW_DONE);
	assert_int_equal(access(0, 1, HW_WRITE, NULL), HW_DONE);
	assert_int_equal(nr_logged, 0);
	/* An exit, of whatever kind, empties the buffer; in the order of the writes, each once. */
	oracle_ev_kick(o, false);
	assert_int_equal(nr_logged, 2);
	assert_int_equal(logged[0], 1);
	assert_int_equal(logged[1], 2);
	enter(0);
	assert_int_equal(access(0, 0, HW_WRITE, NULL), HW_DONE);
	assert_int_equal(access(0, 0x30, HW_READ, NULL), HW_FAULT);
	assert_int_equal(nr_logged, 3);
}

/* 512 entries fill the buffer: that is an exit of its own. */
static void test_pml_full(void **state)
{
	struct vm_desc desc = ept;
	int i;

	(void)state;
	desc.pml = true;
	start(&desc);
	for (i = 0; i < 512; i++)
		write_spte(3, i, leaf(i) | 7 | BIT(8));
	for (i = 0; i < 512; i++)
		assert_int_equal(access(0, i, HW_WRITE, NULL), HW_DONE);
	assert_int_equal(nr_logged, 0);
	memory[2][1] = leaf(0x200) | BIT(7) | 3 | BIT(8);
	assert_int_equal(access(0, 0x234, HW_WRITE, NULL), HW_DONE);
	assert_int_equal(nr_logged, 512);
	oracle_ev_kick(o, false);
	assert_int_equal(nr_logged, 513);
	assert_int_equal(logged[512], 0x234);
}

/* More pages than the TLB has entries: what is replaced is walked again. */
static void test_capacity(void **state)
{
	int i, round;

	(void)state;
	for (i = 0; i < 512; i++)
		write_spte(3, i, leaf(i) | 7 | BIT(8) | BIT(9));
	for (round = 0; round < 3; round++)
		for (i = 0; i < 512; i++)
			assert_int_equal(access(0, i, HW_WRITE, NULL), HW_DONE);
	for (i = 0; i < 512; i++)
		memory[3][i] &= ~BIT(9);
	for (i = 0; i < 512; i++)
		assert_int_equal(access(0, i, HW_WRITE, NULL), HW_DONE);
	for (i = 0, round = 0; i < 512; i++)
		round += !(memory[3][i] & BIT(9));
	assert_true(round <= 64);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_ept_codes),
		TEST(test_npt_codes),
		TEST(test_misconfigurations),
		TEST(test_accessed_dirty),
		TEST(test_assist_rechecks),
		TEST(test_no_ad),
		TEST(test_huge),
		TEST(test_speculate),
		TEST(test_drop_roots),
		TEST(test_resume),
		TEST(test_pml),
		TEST(test_pml_full),
		TEST(test_capacity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
