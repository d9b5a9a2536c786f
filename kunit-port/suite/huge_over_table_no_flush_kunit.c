// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=on levels=4
 *   slot 0 base=0x0 pages=0x200 backing=4K
 *   thread vcpu 0
 *       write 0x0
 *       write 0x0
 *   thread host
 *       huge-form 0x0 2M
 *   schedule
 *       t0.1@op#1 -> t1
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void huge_over_table_no_flush_ept_ad(struct kunit *test)
{
	const u64 rwx_4k_a_d = 0x8600000000000b77ULL;
	const u64 rw_2m_a_d = 0x8600000000000bf3ULL;
	const struct tdp_vm_params params = {
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.base = 0x0,
		.pages = 0x200,
		.hpage = 0x0,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");

	/* t0, vcpu 0: write 0x0 */
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_4K);
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x400000ULL << PAGE_SHIFT | rwx_4k_a_d,
			"M: mapped rwx");
	tdp_expect_stat(vm, 1, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, host: huge-form 0x0 2M */
	tdp_huge_form(vm, 0, TDP_2M, 0x200200000);
	tdp_expect_flushed(vm, true, "T: no CPU keeps what it has cached");
	tdp_expect_none(vm, TDP_NORMAL, 0x0, "N: nothing maps it any more");
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, by size");

	/* t0, vcpu 0: write 0x0 */
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x0), 0x200200000,
			 "T: the frame that the host has there");
	tdp_expect_flushed(vm, true, "T: no CPU keeps what it has cached");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_2M, 0x200200000ULL << PAGE_SHIFT | rw_2m_a_d,
			"M: mapped rw");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");
	tdp_expect_stat(vm, 0, 1, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 2, "L: page tables in use");
}

static void huge_over_table_no_flush_ept_no_ad(struct kunit *test)
{
	const u64 rwx_4k = 0x8610000000000877ULL;
	const u64 rw_2m = 0x86100000000008f3ULL;
	const struct tdp_vm_params params = {
		.ad_off = true,
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.base = 0x0,
		.pages = 0x200,
		.hpage = 0x0,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");

	/* t0, vcpu 0: write 0x0 */
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_4K);
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x400000ULL << PAGE_SHIFT | rwx_4k,
			"M: mapped rwx");
	tdp_expect_stat(vm, 1, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, host: huge-form 0x0 2M */
	tdp_huge_form(vm, 0, TDP_2M, 0x200200000);
	tdp_expect_flushed(vm, true, "T: no CPU keeps what it has cached");
	tdp_expect_none(vm, TDP_NORMAL, 0x0, "N: nothing maps it any more");
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, by size");

	/* t0, vcpu 0: write 0x0 */
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x0), 0x200200000,
			 "T: the frame that the host has there");
	tdp_expect_flushed(vm, true, "T: no CPU keeps what it has cached");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_2M, 0x200200000ULL << PAGE_SHIFT | rw_2m,
			"M: mapped rw");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");
	tdp_expect_stat(vm, 0, 1, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 2, "L: page tables in use");
}

static void huge_over_table_no_flush_npt(struct kunit *test)
{
	const u64 rwx_4k_a_d = 0x0000000000000e67ULL;
	const u64 rw_2m_a_d = 0x8000000000000ee7ULL;
	const struct tdp_vm_params params = {
		.npt = true,
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.base = 0x0,
		.pages = 0x200,
		.hpage = 0x0,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");

	/* t0, vcpu 0: write 0x0 */
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_4K);
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x400000ULL << PAGE_SHIFT | rwx_4k_a_d,
			"M: mapped rwx");
	tdp_expect_stat(vm, 1, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, host: huge-form 0x0 2M */
	tdp_huge_form(vm, 0, TDP_2M, 0x200200000);
	tdp_expect_flushed(vm, true, "T: no CPU keeps what it has cached");
	tdp_expect_none(vm, TDP_NORMAL, 0x0, "N: nothing maps it any more");
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, by size");

	/* t0, vcpu 0: write 0x0 */
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x0), 0x200200000,
			 "T: the frame that the host has there");
	tdp_expect_flushed(vm, true, "T: no CPU keeps what it has cached");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_2M, 0x200200000ULL << PAGE_SHIFT | rw_2m_a_d,
			"M: mapped rw");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");
	tdp_expect_stat(vm, 0, 1, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 2, "L: page tables in use");
}

static struct kunit_case huge_over_table_no_flush_cases[] = {
	KUNIT_CASE(huge_over_table_no_flush_ept_ad),
	KUNIT_CASE(huge_over_table_no_flush_ept_no_ad),
	KUNIT_CASE(huge_over_table_no_flush_npt),
	{}
};

static struct kunit_suite huge_over_table_no_flush_suite = {
	.name = "tdp_huge_over_table_no_flush",
	.test_cases = huge_over_table_no_flush_cases,
};

kunit_test_suite(huge_over_table_no_flush_suite);
