// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=on levels=4 pml=on
 *   slot 0 base=0x0 pages=0x200 backing=4K
 *   thread vcpu 0
 *       guest-enter
 *       write 0x0
 *       write 0x0
 *   thread vmm
 *       log-start 0
 *       log-get 0
 *   schedule
 *       t0.2@op#1 -> t1
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void l2_not_write_protected_ept_ad(struct kunit *test)
{
	const u64 rwx_4k_a_d = 0x8620000000000b77ULL;
	const u64 rx_4k_a_d = 0x8620000000000b75ULL;
	const struct tdp_vm_params params = {
		.pml = true,
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

	/* t0, vcpu 0: guest-enter */
	tdp_guest_enter(vm, 0);

	/* t0, vcpu 0: write 0x0 */
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_4K);
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_GUEST_MODE, 0x0, TDP_4K, 0x400000ULL << PAGE_SHIFT | rwx_4k_a_d,
			"M: mapped rwx");
	tdp_expect_stat(vm, 1, 0, 0, "L: pages mapped, by size");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, vmm: log-start 0 */
	tdp_expect_return(vm, tdp_log_start(vm, 0, 0), 0, "P: it is done");
	tdp_expect_flushed(vm, true, "T: no CPU keeps what it has cached");
	tdp_expect_leaf(vm, TDP_GUEST_MODE, 0x0, TDP_4K, 0x400000ULL << PAGE_SHIFT | rx_4k_a_d,
			"D: mapped rx");

	/* t1, vmm: log-get 0 */
	tdp_expect_return(vm, tdp_log_get(vm, 0, 0), 0, "P: it is done");
	tdp_expect_ndirty(vm, 0, "D: pages that the log names");

	/* t0, vcpu 0: write 0x0 */
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x0), 0x400000,
			 "T: the frame that the host has there");
	tdp_expect_leaf(vm, TDP_GUEST_MODE, 0x0, TDP_4K, 0x400000ULL << PAGE_SHIFT | rwx_4k_a_d,
			"D: mapped rwx");

	/* When the guest has stopped, a last harvest */
	tdp_expect_return(vm, tdp_log_get(vm, 0, 0), 0, "P: it is done");
	tdp_expect_ndirty(vm, 1, "D: pages that the log names");
	tdp_expect_dirty(vm, 0, 1, "D: the log names what was written");
}

static struct kunit_case l2_not_write_protected_cases[] = {
	KUNIT_CASE(l2_not_write_protected_ept_ad),
	{}
};

static struct kunit_suite l2_not_write_protected_suite = {
	.name = "tdp_l2_not_write_protected",
	.test_cases = l2_not_write_protected_cases,
};

kunit_test_suite(l2_not_write_protected_suite);
