// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=off levels=4
 *   slot 0 base=0x0 pages=0x200 backing=2M
 *   thread vcpu 0
 *       write 0x0
 *       write 0x0
 *       write 0x1
 *   thread vmm
 *       log-start 0
 *       log-get 0
 *   schedule
 *       t0.1@op#1 -> t1
 *       t1.1@op#1 -> t0
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void fastpf_huge_logged_ept_ad(struct kunit *test)
{
	const u64 rw_2m_a_d = 0x8600000000000bf3ULL;
	const u64 r_2m_a_d = 0x8600000000000bf1ULL;
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

	/* t0, vcpu 0: write 0x0 */
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_2M);
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_2M, 0x400000ULL << PAGE_SHIFT | rw_2m_a_d,
			"M: mapped rw");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");
	tdp_expect_stat(vm, 0, 1, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 2, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, vmm: log-start 0 */
	tdp_expect_return(vm, tdp_log_start(vm, 0, 0), 0, "P: it is done");
	tdp_expect_flushed(vm, true, "T: no CPU keeps what it has cached");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_2M, 0x400000ULL << PAGE_SHIFT | r_2m_a_d,
			"D: mapped r");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");

	/* t0, vcpu 0: write 0x0 */
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_table(vm, TDP_NORMAL, 0x0, TDP_2M, "M: the huge page is split");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x400000ULL << PAGE_SHIFT | rwx_4k_a_d,
			"D: mapped rwx");
	tdp_expect_leaves(vm, TDP_NORMAL, 0x1, 511, TDP_4K, 0x400001ULL << PAGE_SHIFT | rx_4k_a_d,
			  "D: mapped rx");
	tdp_expect_stat(vm, 512, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 3, "L: page tables in use");

	/* t0, vcpu 0: write 0x1 */
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x1), 0x400001,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x1, TDP_4K, 0x400001ULL << PAGE_SHIFT | rwx_4k_a_d,
			"D: mapped rwx");

	/* t1, vmm: log-get 0 */
	tdp_expect_return(vm, tdp_log_get(vm, 0, 0), 0, "P: it is done");
	tdp_expect_flushed(vm, true, "T: no CPU keeps what it has cached");
	tdp_expect_ndirty(vm, 2, "D: pages that the log names");
	tdp_expect_dirty(vm, 0, 2, "D: the log names what was written");
	tdp_expect_leaves(vm, TDP_NORMAL, 0x0, 2, TDP_4K, 0x400000ULL << PAGE_SHIFT | rx_4k_a_d,
			  "D: mapped rx");

	/* When the guest has stopped, a last harvest */
	tdp_expect_return(vm, tdp_log_get(vm, 0, 0), 0, "P: it is done");
	tdp_expect_ndirty(vm, 0, "D: pages that the log names");
}

static void fastpf_huge_logged_ept_no_ad(struct kunit *test)
{
	const u64 rw_2m = 0x86100000000008f3ULL;
	const u64 r_2m = 0x86100000000008f1ULL;
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

	/* t0, vcpu 0: write 0x0 */
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_2M);
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_2M, 0x400000ULL << PAGE_SHIFT | rw_2m,
			"M: mapped rw");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");
	tdp_expect_stat(vm, 0, 1, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 2, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, vmm: log-start 0 */
	tdp_expect_return(vm, tdp_log_start(vm, 0, 0), 0, "P: it is done");
	tdp_expect_flushed(vm, true, "T: no CPU keeps what it has cached");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_2M, 0x400000ULL << PAGE_SHIFT | r_2m,
			"D: mapped r");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");

	/* t0, vcpu 0: write 0x0 */
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_table(vm, TDP_NORMAL, 0x0, TDP_2M, "M: the huge page is split");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x400000ULL << PAGE_SHIFT | rwx_4k,
			"D: mapped rwx");
	tdp_expect_leaves(vm, TDP_NORMAL, 0x1, 511, TDP_4K, 0x400001ULL << PAGE_SHIFT | rx_4k,
			  "D: mapped rx");
	tdp_expect_stat(vm, 512, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 3, "L: page tables in use");

	/* t0, vcpu 0: write 0x1 */
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x1), 0x400001,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x1, TDP_4K, 0x400001ULL << PAGE_SHIFT | rwx_4k,
			"D: mapped rwx");

	/* t1, vmm: log-get 0 */
	tdp_expect_return(vm, tdp_log_get(vm, 0, 0), 0, "P: it is done");
	tdp_expect_flushed(vm, true, "T: no CPU keeps what it has cached");
	tdp_expect_ndirty(vm, 2, "D: pages that the log names");
	tdp_expect_dirty(vm, 0, 2, "D: the log names what was written");
	tdp_expect_leaves(vm, TDP_NORMAL, 0x0, 2, TDP_4K, 0x400000ULL << PAGE_SHIFT | rx_4k,
			  "D: mapped rx");

	/* When the guest has stopped, a last harvest */
	tdp_expect_return(vm, tdp_log_get(vm, 0, 0), 0, "P: it is done");
	tdp_expect_ndirty(vm, 0, "D: pages that the log names");
}

static void fastpf_huge_logged_npt(struct kunit *test)
{
	const u64 rw_2m_a_d = 0x8000000000000ee7ULL;
	const u64 r_2m_a_d = 0x8000000000000ee5ULL;
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

	/* t0, vcpu 0: write 0x0 */
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_2M);
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_2M, 0x400000ULL << PAGE_SHIFT | rw_2m_a_d,
			"M: mapped rw");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");
	tdp_expect_stat(vm, 0, 1, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 2, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, vmm: log-start 0 */
	tdp_expect_return(vm, tdp_log_start(vm, 0, 0), 0, "P: it is done");
	tdp_expect_flushed(vm, true, "T: no CPU keeps what it has cached");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_2M, 0x400000ULL << PAGE_SHIFT | r_2m_a_d,
			"D: mapped r");
	tdp_expect_executable(vm, TDP_NORMAL, 0x0, false, "X: no huge page is executable");

	/* t0, vcpu 0: write 0x0 */
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_table(vm, TDP_NORMAL, 0x0, TDP_2M, "M: the huge page is split");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x400000ULL << PAGE_SHIFT | rwx_4k_a_d,
			"D: mapped rwx");
	tdp_expect_leaves(vm, TDP_NORMAL, 0x1, 511, TDP_4K, 0x400001ULL << PAGE_SHIFT | rx_4k_a_d,
			  "D: mapped rx");
	tdp_expect_stat(vm, 512, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 3, "L: page tables in use");

	/* t0, vcpu 0: write 0x1 */
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x1), 0x400001,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x1, TDP_4K, 0x400001ULL << PAGE_SHIFT | rwx_4k_a_d,
			"D: mapped rwx");

	/* t1, vmm: log-get 0 */
	tdp_expect_return(vm, tdp_log_get(vm, 0, 0), 0, "P: it is done");
	tdp_expect_flushed(vm, true, "T: no CPU keeps what it has cached");
	tdp_expect_ndirty(vm, 2, "D: pages that the log names");
	tdp_expect_dirty(vm, 0, 2, "D: the log names what was written");
	tdp_expect_leaves(vm, TDP_NORMAL, 0x0, 2, TDP_4K, 0x400000ULL << PAGE_SHIFT | rx_4k_a_d,
			  "D: mapped rx");

	/* When the guest has stopped, a last harvest */
	tdp_expect_return(vm, tdp_log_get(vm, 0, 0), 0, "P: it is done");
	tdp_expect_ndirty(vm, 0, "D: pages that the log names");
}

static struct kunit_case fastpf_huge_logged_cases[] = {
	KUNIT_CASE(fastpf_huge_logged_ept_ad),
	KUNIT_CASE(fastpf_huge_logged_ept_no_ad),
	KUNIT_CASE(fastpf_huge_logged_npt),
	{}
};

static struct kunit_suite fastpf_huge_logged_suite = {
	.name = "tdp_fastpf_huge_logged",
	.test_cases = fastpf_huge_logged_cases,
};

kunit_test_suite(fastpf_huge_logged_suite);
