// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=on levels=4
 *   slot 0 base=0x0 pages=0x40000 backing=1G
 *   thread vcpu 0
 *       read 0x0
 *   thread vmm
 *       split 0 2M
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void split_child_not_initialised_ept_ad(struct kunit *test)
{
	const u64 rw_1g_a_d = 0x8600000000000bf3ULL;
	const struct tdp_vm_params params = {
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.base = 0x0,
		.pages = 0x40000,
		.hpage = 0x0,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");

	/* t0, vcpu 0: read 0x0 */
	tdp_host_map(vm, 0x0, 0x40000, 0x400000, TDP_1G);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_1G, 0x400000ULL << PAGE_SHIFT | rw_1g_a_d,
			"M: mapped rw");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");
	tdp_expect_stat(vm, 0, 0, 1, "L: pages mapped, by size");
	tdp_expect_tables(vm, 1, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, vmm: split 0 2M */
	tdp_expect_return(vm, tdp_split(vm, 0, 0, TDP_2M), 0, "P: it is done");
	tdp_expect_table(vm, TDP_NORMAL, 0x0, TDP_1G, "M: the huge page is split");
	tdp_expect_leaves(vm, TDP_NORMAL, 0x0, 512, TDP_2M, 0x400000ULL << PAGE_SHIFT | rw_1g_a_d,
			  "M: mapped rw");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");
	tdp_expect_stat(vm, 0, 512, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 2, "L: page tables in use");
}

static void split_child_not_initialised_ept_no_ad(struct kunit *test)
{
	const u64 rw_1g = 0x86100000000008f3ULL;
	const struct tdp_vm_params params = {
		.ad_off = true,
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.base = 0x0,
		.pages = 0x40000,
		.hpage = 0x0,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");

	/* t0, vcpu 0: read 0x0 */
	tdp_host_map(vm, 0x0, 0x40000, 0x400000, TDP_1G);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_1G, 0x400000ULL << PAGE_SHIFT | rw_1g,
			"M: mapped rw");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");
	tdp_expect_stat(vm, 0, 0, 1, "L: pages mapped, by size");
	tdp_expect_tables(vm, 1, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, vmm: split 0 2M */
	tdp_expect_return(vm, tdp_split(vm, 0, 0, TDP_2M), 0, "P: it is done");
	tdp_expect_table(vm, TDP_NORMAL, 0x0, TDP_1G, "M: the huge page is split");
	tdp_expect_leaves(vm, TDP_NORMAL, 0x0, 512, TDP_2M, 0x400000ULL << PAGE_SHIFT | rw_1g,
			  "M: mapped rw");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");
	tdp_expect_stat(vm, 0, 512, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 2, "L: page tables in use");
}

static void split_child_not_initialised_npt(struct kunit *test)
{
	const u64 rw_1g_a_d = 0x8000000000000ee7ULL;
	const struct tdp_vm_params params = {
		.npt = true,
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.base = 0x0,
		.pages = 0x40000,
		.hpage = 0x0,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");

	/* t0, vcpu 0: read 0x0 */
	tdp_host_map(vm, 0x0, 0x40000, 0x400000, TDP_1G);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_1G, 0x400000ULL << PAGE_SHIFT | rw_1g_a_d,
			"M: mapped rw");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");
	tdp_expect_stat(vm, 0, 0, 1, "L: pages mapped, by size");
	tdp_expect_tables(vm, 1, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, vmm: split 0 2M */
	tdp_expect_return(vm, tdp_split(vm, 0, 0, TDP_2M), 0, "P: it is done");
	tdp_expect_table(vm, TDP_NORMAL, 0x0, TDP_1G, "M: the huge page is split");
	tdp_expect_leaves(vm, TDP_NORMAL, 0x0, 512, TDP_2M, 0x400000ULL << PAGE_SHIFT | rw_1g_a_d,
			  "M: mapped rw");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");
	tdp_expect_stat(vm, 0, 512, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 2, "L: page tables in use");
}

static struct kunit_case split_child_not_initialised_cases[] = {
	KUNIT_CASE(split_child_not_initialised_ept_ad),
	KUNIT_CASE(split_child_not_initialised_ept_no_ad),
	KUNIT_CASE(split_child_not_initialised_npt),
	{}
};

static struct kunit_suite split_child_not_initialised_suite = {
	.name = "tdp_split_child_not_initialised",
	.test_cases = split_child_not_initialised_cases,
};

kunit_test_suite(split_child_not_initialised_suite);
