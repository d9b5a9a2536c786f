// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=on levels=4
 *   slot 0 base=0x0 pages=0x1 backing=4K
 *   thread vcpu 0
 *       read 0x0
 *   thread vmm
 *       zap-fast
 *   schedule
 *       t0.0@faultin#1 -> t1
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void fault_on_stale_root_ept_ad_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x0);
}

static void fault_on_stale_root_ept_ad_t1(struct tdp_vm *vm)
{
	tdp_zap_fast(vm);
}

static void (*const fault_on_stale_root_ept_ad_threads[])(struct tdp_vm *vm) = {
	fault_on_stale_root_ept_ad_t0,
	fault_on_stale_root_ept_ad_t1,
};

static const struct tdp_switch fault_on_stale_root_ept_ad_switches[] = {
	{ .thread = 0, .op = 0, .point = TDP_FAULTIN, .nth = 1, .to = 1 },
};

static void fault_on_stale_root_ept_ad(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.base = 0x0,
		.pages = 0x1,
		.hpage = 0x0,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");
	tdp_host_map(vm, 0x0, 0x1, 0x400000, TDP_4K);

	tdp_interleave(vm, fault_on_stale_root_ept_ad_threads,
		       ARRAY_SIZE(fault_on_stale_root_ept_ad_threads),
		       fault_on_stale_root_ept_ad_switches,
		       ARRAY_SIZE(fault_on_stale_root_ept_ad_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x1, "M: nothing is mapped beside the slot");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static void fault_on_stale_root_ept_no_ad_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x0);
}

static void fault_on_stale_root_ept_no_ad_t1(struct tdp_vm *vm)
{
	tdp_zap_fast(vm);
}

static void (*const fault_on_stale_root_ept_no_ad_threads[])(struct tdp_vm *vm) = {
	fault_on_stale_root_ept_no_ad_t0,
	fault_on_stale_root_ept_no_ad_t1,
};

static const struct tdp_switch fault_on_stale_root_ept_no_ad_switches[] = {
	{ .thread = 0, .op = 0, .point = TDP_FAULTIN, .nth = 1, .to = 1 },
};

static void fault_on_stale_root_ept_no_ad(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.ad_off = true,
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.base = 0x0,
		.pages = 0x1,
		.hpage = 0x0,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");
	tdp_host_map(vm, 0x0, 0x1, 0x400000, TDP_4K);

	tdp_interleave(vm, fault_on_stale_root_ept_no_ad_threads,
		       ARRAY_SIZE(fault_on_stale_root_ept_no_ad_threads),
		       fault_on_stale_root_ept_no_ad_switches,
		       ARRAY_SIZE(fault_on_stale_root_ept_no_ad_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x1, "M: nothing is mapped beside the slot");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static void fault_on_stale_root_npt_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x0);
}

static void fault_on_stale_root_npt_t1(struct tdp_vm *vm)
{
	tdp_zap_fast(vm);
}

static void (*const fault_on_stale_root_npt_threads[])(struct tdp_vm *vm) = {
	fault_on_stale_root_npt_t0,
	fault_on_stale_root_npt_t1,
};

static const struct tdp_switch fault_on_stale_root_npt_switches[] = {
	{ .thread = 0, .op = 0, .point = TDP_FAULTIN, .nth = 1, .to = 1 },
};

static void fault_on_stale_root_npt(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.npt = true,
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.base = 0x0,
		.pages = 0x1,
		.hpage = 0x0,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");
	tdp_host_map(vm, 0x0, 0x1, 0x400000, TDP_4K);

	tdp_interleave(vm, fault_on_stale_root_npt_threads,
		       ARRAY_SIZE(fault_on_stale_root_npt_threads),
		       fault_on_stale_root_npt_switches,
		       ARRAY_SIZE(fault_on_stale_root_npt_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x1, "M: nothing is mapped beside the slot");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static struct kunit_case fault_on_stale_root_cases[] = {
	KUNIT_CASE(fault_on_stale_root_ept_ad),
	KUNIT_CASE(fault_on_stale_root_ept_no_ad),
	KUNIT_CASE(fault_on_stale_root_npt),
	{}
};

static struct kunit_suite fault_on_stale_root_suite = {
	.name = "tdp_fault_on_stale_root",
	.test_cases = fault_on_stale_root_cases,
};

kunit_test_suite(fault_on_stale_root_suite);
