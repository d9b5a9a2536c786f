// SPDX-License-Identifier: GPL-2.0-only
/*
 * The oracle's host: which frame a page has, how large its mapping is, what becomes of both when
 * the host unmaps, collapses and breaks, and what a machine with few address bits does.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "host.h"
#include "oracle.h"

#define BASE	0x400000ULL
#define M2	512ULL
#define G1	(512ULL * 512)
#define T1	(G1 * 1024)

static const uint64_t *no_memory(void *ctx, uint64_t pa)
{
	(void)ctx;
	(void)pa;
	return NULL;
}

static const struct oracle_env env = { .sptep = no_memory };
static struct oracle *o;

static void start(const struct vm_desc *vm)
{
	oracle_reset(o, vm, &env);
	oracle_set_prediction(o, false);
}

static const struct vm_desc plain = { .mmu = VM_EPT, .ad = true, .levels = 4, .maxphyaddr = 46 };

static int setup(void **state)
{
	(void)state;
	o = oracle_create();
	start(&plain);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	oracle_destroy(o);
	return 0;
}

static uint64_t fault_in(uint64_t hvn)
{
	bool writable = false;
	uint64_t pfn = 0;

	assert_int_equal(oracle_host_fault_in(o, hvn, true, &writable, &pfn), 0);
	assert_true(writable);
	assert_int_equal(host_frame(o, hvn), pfn);
	if (!oracle_host_is_mmio_pfn(o, pfn))
		assert_int_equal(host_owner(o, pfn), hvn);
	return pfn;
}

static void test_nothing_there(void **state)
{
	bool writable;
	uint64_t pfn;

	(void)state;
	assert_int_equal(oracle_host_fault_in(o, 0x10, false, &writable, &pfn), -EFAULT);
	oracle_host_set_backing(o, 0x10, 1, BACKING_4K);
	assert_int_equal(fault_in(0x10), BASE + 0x10);
	assert_int_equal(oracle_host_fault_in(o, 0x11, false, &writable, &pfn), -EFAULT);
	oracle_host_busy(o);
	assert_int_equal(oracle_host_fault_in(o, 0x10, false, &writable, &pfn), -EAGAIN);
	assert_int_equal(fault_in(0x10), BASE + 0x10);
}

/* Pages that are not all of a huge page are small, whatever the backing. */
static void test_levels(void **state)
{
	(void)state;
	oracle_host_set_backing(o, 0x100, 2 * G1, BACKING_1G);
	assert_int_equal(oracle_host_mapping_level(o, 0x100), 1);
	assert_int_equal(oracle_host_mapping_level(o, 0x200), 2);
	assert_int_equal(oracle_host_mapping_level(o, G1 + 5), 3);
	assert_int_equal(oracle_host_mapping_level(o, 2 * G1 + 0xff), 1);
	assert_int_equal(fault_in(0x100), BASE + 0x100);
	assert_int_equal(fault_in(G1 + 5), BASE + G1 + 5);
}

static void test_unmap_huge(void **state)
{
	uint64_t pfn;

	(void)state;
	oracle_host_set_backing(o, 0, G1, BACKING_2M);
	oracle_host_unmap(o, M2 + 3, 1);
	assert_int_equal(host_frame(o, M2 + 3), HOST_NO_FRAME);
	assert_int_equal(host_owner(o, BASE + M2 + 3), HOST_NO_FRAME);
	assert_int_equal(oracle_host_mapping_level(o, M2 + 4), 1);
	assert_int_equal(fault_in(M2 + 4), BASE + M2 + 4);
	/* A hole is filled with one page; all of a huge page with a huge page. */
	pfn = fault_in(M2 + 3);
	assert_true(pfn != BASE + M2 + 3);
	assert_int_equal(oracle_host_mapping_level(o, M2 + 3), 1);
	oracle_host_unmap(o, M2, M2);
	assert_int_equal(host_owner(o, pfn), HOST_NO_FRAME);
	pfn = fault_in(M2 + 7);
	assert_int_equal(oracle_host_mapping_level(o, M2), 2);
	assert_int_equal(pfn % M2, 7);
	assert_int_equal(fault_in(M2), pfn - 7);
	assert_int_equal(oracle_host_mapping_level(o, 0), 2);
}

static void test_unmap_gigabyte(void **state)
{
	uint64_t pfn;

	(void)state;
	oracle_host_set_backing(o, 0, 2 * G1, BACKING_1G);
	oracle_host_unmap(o, 5 * M2 + 1, 1);
	assert_int_equal(oracle_host_mapping_level(o, 4 * M2), 2);
	assert_int_equal(oracle_host_mapping_level(o, 5 * M2), 1);
	assert_int_equal(fault_in(6 * M2 + 9), BASE + 6 * M2 + 9);
	assert_int_equal(oracle_host_mapping_level(o, G1), 3);

	oracle_host_unmap(o, 0, G1);
	assert_int_equal(host_frame(o, 6 * M2 + 9), HOST_NO_FRAME);
	pfn = fault_in(6 * M2 + 9);
	assert_int_equal(oracle_host_mapping_level(o, 0), 3);
	assert_int_equal(pfn % G1, 6 * M2 + 9);
	/* The pages are those of the new frames from now on, also when it is broken up again. */
	oracle_host_huge_break(o, 0, M2);
	assert_int_equal(oracle_host_mapping_level(o, 0), 1);
	assert_int_equal(oracle_host_mapping_level(o, M2), 2);
	assert_int_equal(fault_in(6 * M2 + 9), pfn);
	assert_int_equal(fault_in(0), pfn - 6 * M2 - 9);
}

static void test_form(void **state)
{
	uint64_t pfn;

	(void)state;
	oracle_host_set_backing(o, 0, 4 * M2, BACKING_4K);
	oracle_host_huge_form(o, M2 + 100, 2);
	assert_int_equal(oracle_host_mapping_level(o, M2), 2);
	pfn = fault_in(M2);
	assert_true(pfn != BASE + M2);
	assert_int_equal(pfn % M2, 0);
	assert_int_equal(host_owner(o, BASE + M2), HOST_NO_FRAME);
	oracle_host_huge_break(o, M2, 1);
	assert_int_equal(oracle_host_mapping_level(o, M2 + 511), 1);
	assert_int_equal(fault_in(M2), pfn);
	/* What is not all there cannot be collapsed. */
	oracle_host_unmap(o, 0, 1);
	oracle_host_huge_form(o, 0, 2);
	assert_int_equal(oracle_host_mapping_level(o, 1), 1);
	assert_int_equal(fault_in(1), BASE + 1);
}

static void test_populate(void **state)
{
	uint64_t pfn;

	(void)state;
	oracle_host_set_backing(o, 0, 2 * M2, BACKING_2M);
	oracle_host_unmap(o, 0, M2 + 5);
	oracle_host_populate(o, 0, M2 + 5);
	assert_int_equal(oracle_host_mapping_level(o, 0), 2);
	pfn = host_frame(o, 4);
	assert_true(pfn != HOST_NO_FRAME && pfn != BASE + 4);
	assert_int_equal(host_frame(o, M2 + 5), BASE + M2 + 5);
	assert_true(host_frame(o, M2 + 4) != BASE + M2 + 4);
}

/* "reuse" hands out the frame that was freed last, once. */
static void test_reuse(void **state)
{
	(void)state;
	oracle_host_set_backing(o, 0, 0x100, BACKING_4K);
	oracle_host_unmap(o, 0x10, 2);
	oracle_host_unmap(o, 0x20, 4);
	oracle_host_reuse(o);
	assert_int_equal(fault_in(0x10), BASE + 0x23);
	assert_true(fault_in(0x11) != BASE + 0x11);
	assert_int_equal(host_owner(o, BASE + 0x23), 0x10);
}

static void test_device(void **state)
{
	(void)state;
	oracle_host_set_backing(o, 0x40000000, 0x20, BACKING_MMIO);
	assert_true(oracle_host_is_mmio_pfn(o, fault_in(0x40000003)));
	assert_int_equal(oracle_host_mapping_level(o, 0x40000003), 1);
	host_written(o, 0x40000003, false);
	assert_int_equal(host_find_lost(o, 0x40000000, 0x20), HOST_NO_FRAME);
}

/* What has a device's page in it is no huge page, whatever is said of the memory around it later. */
static void check_device_inside(uint64_t size, enum slot_backing backing)
{
	oracle_host_set_backing(o, size + 10, 8, BACKING_MMIO);
	oracle_host_set_backing(o, 0, 2 * size, backing);
	oracle_host_unmap(o, 0, 2 * size);
	assert_int_equal(fault_in(0) % size, 0);
	assert_true(oracle_host_mapping_level(o, 0) > 1);
	fault_in(size + 9);
	assert_true(oracle_host_is_mmio_pfn(o, fault_in(size + 10)));
	assert_int_equal(oracle_host_mapping_level(o, size + 9), 1);
	oracle_host_protect(o, size + 9, 1);
	assert_true(host_protected(o, size + 9));
	assert_false(host_protected(o, size + 8));
}

static void test_device_inside(void **state)
{
	check_device_inside(M2, BACKING_2M);
	teardown(state);
	setup(state);
	check_device_inside(G1, BACKING_1G);
}

/* Written, not marked; marked; cleaned: each for small pages, huge ones and gigabytes. */
static void check_dirty(uint64_t hvn, uint64_t size)
{
	uint64_t pfn = fault_in(hvn);

	host_written(o, hvn, false);
	assert_int_equal(host_find_lost(o, 0, T1), hvn);
	assert_int_equal(host_find_lost(o, hvn + 1, 1), HOST_NO_FRAME);
	/* A mark on any frame of a huge page is one on all of it. */
	oracle_host_set_dirty(o, pfn & -size);
	assert_int_equal(host_find_lost(o, 0, T1), HOST_NO_FRAME);
	host_written(o, hvn, false);
	assert_int_equal(host_find_lost(o, hvn, 1), HOST_NO_FRAME);
	oracle_host_clean(o, hvn & -size, 1);
	host_written(o, hvn, false);
	assert_int_equal(host_find_lost(o, hvn, 1), hvn);
	oracle_host_set_dirty(o, pfn);
	oracle_host_huge_break(o, hvn, 1);
	assert_int_equal(host_find_lost(o, hvn, 1), HOST_NO_FRAME);
	host_written(o, hvn, true);
	oracle_host_clean(o, hvn, 1);
	host_written(o, hvn, true);
	assert_int_equal(host_find_lost(o, 0, T1), HOST_NO_FRAME);
}

static void test_dirty(void **state)
{
	(void)state;
	oracle_host_set_backing(o, 0, M2, BACKING_4K);
	oracle_host_set_backing(o, M2, M2, BACKING_2M);
	oracle_host_set_backing(o, G1, G1, BACKING_1G);
	check_dirty(0x33, 1);
	check_dirty(M2 + 0x33, M2);
	check_dirty(G1 + 0x1234, G1);
	assert_int_equal(oracle_nr_violations(o), 0);
}

/*
 * Ranges are as cheap as what is touched of them: this would take minutes if it went page by page.
 */
static void test_terabytes(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		oracle_host_set_backing(o, i * T1, T1, i % 3 == 0 ? BACKING_4K : BACKING_1G);
		oracle_host_unmap(o, i * T1 + 7, T1 - 9);
		oracle_host_clean(o, 0, PROG_MAX_GFN);
		oracle_host_populate(o, i * T1, T1);
		oracle_host_huge_break(o, 0, PROG_MAX_GFN);
		fault_in(i * T1 + T1 / 2);
		host_find_lost(o, 0, PROG_MAX_GFN);
	}
}

/* A machine with few address bits, some of which memory encryption takes. */
static void test_small_machines(void **state)
{
	static const struct vm_desc machines[] = {
		{ .mmu = VM_EPT, .ad = true, .levels = 4, .maxphyaddr = 36 },
		{ .mmu = VM_EPT, .ad = true, .levels = 4, .maxphyaddr = 36, .me = VM_ME_TDX },
		{ .mmu = VM_NPT, .levels = 4, .maxphyaddr = 36, .me = VM_ME_SME },
		{ .mmu = VM_NPT, .levels = 4, .maxphyaddr = 52, .me = VM_ME_SME },
	};
	static const int bits[] = { 36, 34, 35, 47 };
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		uint64_t end = 1ULL << (bits[i] - 12), far = T1 / 2 + 0x123;
		bool writable;
		uint64_t pfn, n;
		int ret = 0;

		start(&machines[i]);
		oracle_host_set_backing(o, 0, T1, BACKING_2M);
		assert_true(fault_in(1) < end);
		pfn = fault_in(far);
		assert_true(pfn < end);
		assert_int_equal(pfn % M2, far % M2);
		assert_int_equal(oracle_host_mapping_level(o, far), 2);
		/* Memory ends somewhere, and that is an error like any other. */
		for (n = 0; n < 40000 && !ret; n++)
			ret = oracle_host_fault_in(o, T1 / 2 + n * M2, true, &writable, &pfn);
		if (bits[i] < 40)
			assert_int_equal(ret, -ENOMEM);
		assert_true(fault_in(far) < end);
	}
}

/* The same operations give the same frames. */
static void test_deterministic(void **state)
{
	uint64_t hash[2];
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		start(&plain);
		oracle_host_set_backing(o, 0, G1, BACKING_2M);
		oracle_host_unmap(o, 3, 2 * M2);
		fault_in(4);
		oracle_host_reuse(o);
		fault_in(M2 + 1);
		oracle_host_huge_form(o, 0, 2);
		oracle_host_populate(o, 0, M2);
		fault_in(5);
		hash[i] = oracle_hash(o);
	}
	assert_true(hash[0] == hash[1]);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_there), TEST(test_levels),	TEST(test_unmap_huge),
		TEST(test_unmap_gigabyte), TEST(test_form),	TEST(test_populate),
		TEST(test_reuse),	  TEST(test_device),	TEST(test_dirty),
		TEST(test_terabytes),	  TEST(test_small_machines), TEST(test_deterministic),
		TEST(test_device_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
