// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=on levels=4 seq=0x80000000
 *   slot 0 base=0x0 pages=0x200 backing=4K
 *   thread vcpu 0
 *       read 0x0
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void seq_truncated_ept_ad(struct kunit *test)
{
	const u64 rwx_4k_a_d = 0x8600000000000b77ULL;
	const struct tdp_vm_params params = {
		.seq = 0x80000000,
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
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_4K);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x400000ULL << PAGE_SHIFT | rwx_4k_a_d,
			"M: mapped rwx");
	tdp_expect_stat(vm, 1, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");
}

static void seq_truncated_ept_no_ad(struct kunit *test)
{
	const u64 rwx_4k = 0x8610000000000877ULL;
	const struct tdp_vm_params params = {
		.ad_off = true,
		.seq = 0x80000000,
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
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_4K);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x400000ULL << PAGE_SHIFT | rwx_4k,
			"M: mapped rwx");
	tdp_expect_stat(vm, 1, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");
}

static void seq_truncated_npt(struct kunit *test)
{
	const u64 rwx_4k_a_d = 0x0000000000000e67ULL;
	const struct tdp_vm_params params = {
		.npt = true,
		.seq = 0x80000000,
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
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_4K);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x400000ULL << PAGE_SHIFT | rwx_4k_a_d,
			"M: mapped rwx");
	tdp_expect_stat(vm, 1, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");
}

static struct kunit_case seq_truncated_cases[] = {
	KUNIT_CASE(seq_truncated_ept_ad),
	KUNIT_CASE(seq_truncated_ept_no_ad),
	KUNIT_CASE(seq_truncated_npt),
	{}
};

static struct kunit_suite seq_truncated_suite = {
	.name = "tdp_seq_truncated",
	.test_cases = seq_truncated_cases,
};

kunit_test_suite(seq_truncated_suite);
