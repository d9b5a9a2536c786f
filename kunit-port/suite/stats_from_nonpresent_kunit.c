// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=on levels=4
 *   slot 0 base=0x0 pages=0x200 backing=2M
 *   thread vcpu 0
 *       read 0x0
 *   thread vmm
 *       zap-fast
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void stats_from_nonpresent_ept_ad(struct kunit *test)
{
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

	/* t0, vcpu 0: read 0x0 */
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_2M);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_2M, 0x400000ULL << PAGE_SHIFT | rw_2m_a_d,
			"M: mapped rw");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");
	tdp_expect_stat(vm, 0, 1, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 2, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, vmm: zap-fast */
	tdp_zap_fast(vm);
	tdp_expect_none(vm, TDP_NORMAL, 0x0, "N: nothing maps it any more");
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 0, "L: page tables in use");
}

static void stats_from_nonpresent_ept_no_ad(struct kunit *test)
{
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

	/* t0, vcpu 0: read 0x0 */
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_2M);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_2M, 0x400000ULL << PAGE_SHIFT | rw_2m,
			"M: mapped rw");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");
	tdp_expect_stat(vm, 0, 1, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 2, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, vmm: zap-fast */
	tdp_zap_fast(vm);
	tdp_expect_none(vm, TDP_NORMAL, 0x0, "N: nothing maps it any more");
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 0, "L: page tables in use");
}

static void stats_from_nonpresent_npt(struct kunit *test)
{
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

	/* t0, vcpu 0: read 0x0 */
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_2M);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_2M, 0x400000ULL << PAGE_SHIFT | rw_2m_a_d,
			"M: mapped rw");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");
	tdp_expect_stat(vm, 0, 1, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 2, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, vmm: zap-fast */
	tdp_zap_fast(vm);
	tdp_expect_none(vm, TDP_NORMAL, 0x0, "N: nothing maps it any more");
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 0, "L: page tables in use");
}

static struct kunit_case stats_from_nonpresent_cases[] = {
	KUNIT_CASE(stats_from_nonpresent_ept_ad),
	KUNIT_CASE(stats_from_nonpresent_ept_no_ad),
	KUNIT_CASE(stats_from_nonpresent_npt),
	{}
};

static struct kunit_suite stats_from_nonpresent_suite = {
	.name = "tdp_stats_from_nonpresent",
	.test_cases = stats_from_nonpresent_cases,
};

kunit_test_suite(stats_from_nonpresent_suite);
