// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=on levels=4
 *   slot 0 base=0x0 pages=0x200 backing=4K
 *   thread vcpu 0
 *       read 0x10
 *   thread vmm
 *       log-start 0
 *   schedule
 *       t1.0@cond-resched#1 resched
 *       t1.0@cond-resched#2 resched
 *       t1.0@cond-resched#3 resched
 *       t1.0@cond-resched#4 resched
 *       t1.0@cond-resched#5 resched
 *       t1.0@cond-resched#6 resched
 *       t1.0@cond-resched#7 resched
 *       t1.0@cond-resched#8 resched
 *       t1.0@cond-resched#9 resched
 *       t1.0@cond-resched#10 resched
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void yield_no_progress_ept_ad(struct kunit *test)
{
	const u64 rwx_4k_a_d = 0x8600000000000b77ULL;
	const u64 rx_4k_a_d = 0x8600000000000b75ULL;
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

	/* t0, vcpu 0: read 0x10 */
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_4K);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x10), 0x400010,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x10, TDP_4K, 0x400010ULL << PAGE_SHIFT | rwx_4k_a_d,
			"M: mapped rwx");
	tdp_expect_stat(vm, 1, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, vmm: log-start 0 */
	tdp_resched(vm, TDP_COND_RESCHED, 0, 1);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 2);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 3);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 4);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 5);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 6);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 7);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 8);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 9);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 10);
	tdp_expect_return(vm, tdp_log_start(vm, 0, 0), 0, "P: it is done");
	tdp_expect_flushed(vm, true, "T: no CPU keeps what it has cached");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x10, TDP_4K, 0x400010ULL << PAGE_SHIFT | rx_4k_a_d,
			"D: mapped rx");

	/* When the guest has stopped, a last harvest */
	tdp_expect_return(vm, tdp_log_get(vm, 0, 0), 0, "P: it is done");
	tdp_expect_ndirty(vm, 0, "D: pages that the log names");
}

static void yield_no_progress_ept_no_ad(struct kunit *test)
{
	const u64 rwx_4k = 0x8610000000000877ULL;
	const u64 rx_4k = 0x8610000000000875ULL;
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

	/* t0, vcpu 0: read 0x10 */
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_4K);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x10), 0x400010,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x10, TDP_4K, 0x400010ULL << PAGE_SHIFT | rwx_4k,
			"M: mapped rwx");
	tdp_expect_stat(vm, 1, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, vmm: log-start 0 */
	tdp_resched(vm, TDP_COND_RESCHED, 0, 1);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 2);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 3);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 4);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 5);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 6);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 7);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 8);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 9);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 10);
	tdp_expect_return(vm, tdp_log_start(vm, 0, 0), 0, "P: it is done");
	tdp_expect_flushed(vm, true, "T: no CPU keeps what it has cached");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x10, TDP_4K, 0x400010ULL << PAGE_SHIFT | rx_4k,
			"D: mapped rx");

	/* When the guest has stopped, a last harvest */
	tdp_expect_return(vm, tdp_log_get(vm, 0, 0), 0, "P: it is done");
	tdp_expect_ndirty(vm, 0, "D: pages that the log names");
}

static void yield_no_progress_npt(struct kunit *test)
{
	const u64 rwx_4k_a_d = 0x0000000000000e67ULL;
	const u64 rx_4k_a_d = 0x0000000000000e65ULL;
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

	/* t0, vcpu 0: read 0x10 */
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_4K);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x10), 0x400010,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x10, TDP_4K, 0x400010ULL << PAGE_SHIFT | rwx_4k_a_d,
			"M: mapped rwx");
	tdp_expect_stat(vm, 1, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, vmm: log-start 0 */
	tdp_resched(vm, TDP_COND_RESCHED, 0, 1);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 2);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 3);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 4);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 5);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 6);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 7);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 8);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 9);
	tdp_resched(vm, TDP_COND_RESCHED, 0, 10);
	tdp_expect_return(vm, tdp_log_start(vm, 0, 0), 0, "P: it is done");
	tdp_expect_flushed(vm, true, "T: no CPU keeps what it has cached");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x10, TDP_4K, 0x400010ULL << PAGE_SHIFT | rx_4k_a_d,
			"D: mapped rx");

	/* When the guest has stopped, a last harvest */
	tdp_expect_return(vm, tdp_log_get(vm, 0, 0), 0, "P: it is done");
	tdp_expect_ndirty(vm, 0, "D: pages that the log names");
}

static struct kunit_case yield_no_progress_cases[] = {
	KUNIT_CASE(yield_no_progress_ept_ad),
	KUNIT_CASE(yield_no_progress_ept_no_ad),
	KUNIT_CASE(yield_no_progress_npt),
	{}
};

static struct kunit_suite yield_no_progress_suite = {
	.name = "tdp_yield_no_progress",
	.test_cases = yield_no_progress_cases,
};

kunit_test_suite(yield_no_progress_suite);
