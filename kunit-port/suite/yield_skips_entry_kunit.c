// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=on levels=4 maxphyaddr=40
 *   slot 0 base=0x8000000 pages=0x200 backing=4K
 *   thread vcpu 0
 *       read 0x8000000
 *   thread vmm
 *       zap-fast
 *   schedule
 *       t1.0@read(512G)#6 resched
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void yield_skips_entry_ept_ad(struct kunit *test)
{
	const u64 rwx_4k_a_d = 0x8600000000000b77ULL;
	const struct tdp_vm_params params = {
		.maxphyaddr = 40,
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.base = 0x8000000,
		.pages = 0x200,
		.hpage = 0x8000000,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");

	/* t0, vcpu 0: read 0x8000000 */
	tdp_host_map(vm, 0x8000000, 0x200, 0x8200000, TDP_4K);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x8000000), 0x8200000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x8000000, TDP_4K, 0x8200000ULL << PAGE_SHIFT | rwx_4k_a_d,
			"M: mapped rwx");
	tdp_expect_stat(vm, 1, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, vmm: zap-fast */
	tdp_resched(vm, TDP_READ, TDP_512G, 6);
	tdp_zap_fast(vm);
	tdp_expect_none(vm, TDP_NORMAL, 0x8000000, "N: nothing maps it any more");
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 0, "L: page tables in use");
}

static void yield_skips_entry_ept_no_ad(struct kunit *test)
{
	const u64 rwx_4k = 0x8610000000000877ULL;
	const struct tdp_vm_params params = {
		.ad_off = true,
		.maxphyaddr = 40,
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.base = 0x8000000,
		.pages = 0x200,
		.hpage = 0x8000000,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");

	/* t0, vcpu 0: read 0x8000000 */
	tdp_host_map(vm, 0x8000000, 0x200, 0x8200000, TDP_4K);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x8000000), 0x8200000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x8000000, TDP_4K, 0x8200000ULL << PAGE_SHIFT | rwx_4k,
			"M: mapped rwx");
	tdp_expect_stat(vm, 1, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, vmm: zap-fast */
	tdp_resched(vm, TDP_READ, TDP_512G, 6);
	tdp_zap_fast(vm);
	tdp_expect_none(vm, TDP_NORMAL, 0x8000000, "N: nothing maps it any more");
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 0, "L: page tables in use");
}

static void yield_skips_entry_npt(struct kunit *test)
{
	const u64 rwx_4k_a_d = 0x0000000000000e67ULL;
	const struct tdp_vm_params params = {
		.npt = true,
		.maxphyaddr = 40,
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.base = 0x8000000,
		.pages = 0x200,
		.hpage = 0x8000000,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");

	/* t0, vcpu 0: read 0x8000000 */
	tdp_host_map(vm, 0x8000000, 0x200, 0x8200000, TDP_4K);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x8000000), 0x8200000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x8000000, TDP_4K, 0x8200000ULL << PAGE_SHIFT | rwx_4k_a_d,
			"M: mapped rwx");
	tdp_expect_stat(vm, 1, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, vmm: zap-fast */
	tdp_resched(vm, TDP_READ, TDP_512G, 6);
	tdp_zap_fast(vm);
	tdp_expect_none(vm, TDP_NORMAL, 0x8000000, "N: nothing maps it any more");
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 0, "L: page tables in use");
}

static struct kunit_case yield_skips_entry_cases[] = {
	KUNIT_CASE(yield_skips_entry_ept_ad),
	KUNIT_CASE(yield_skips_entry_ept_no_ad),
	KUNIT_CASE(yield_skips_entry_npt),
	{}
};

static struct kunit_suite yield_skips_entry_suite = {
	.name = "tdp_yield_skips_entry",
	.test_cases = yield_skips_entry_cases,
};

kunit_test_suite(yield_skips_entry_suite);
