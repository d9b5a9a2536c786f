// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=on levels=4
 *   slot 0 base=0x0 pages=0x200 backing=2M flags=log
 *   thread vcpu 0
 *       read 0x0
 *   thread vmm
 *       log-stop 0
 *   schedule
 *       t0.0@walk(2M)#1 -> t1
 *       t1.0@flush#1 -> t0
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void refault_before_flush_ept_ad_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x0);
}

static void refault_before_flush_ept_ad_t1(struct tdp_vm *vm)
{
	tdp_log_stop(vm, 0, 0);
}

static void (*const refault_before_flush_ept_ad_threads[])(struct tdp_vm *vm) = {
	refault_before_flush_ept_ad_t0,
	refault_before_flush_ept_ad_t1,
};

static const struct tdp_switch refault_before_flush_ept_ad_switches[] = {
	{ .thread = 0, .op = 0, .point = TDP_WALK, .level = TDP_2M, .nth = 1, .to = 1 },
	{ .thread = 1, .op = 0, .point = TDP_FLUSH, .nth = 1, .to = 0 },
};

static void refault_before_flush_ept_ad(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.flags = TDP_LOG,
		.base = 0x0,
		.pages = 0x200,
		.hpage = 0x0,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_2M);

	tdp_interleave(vm, refault_before_flush_ept_ad_threads,
		       ARRAY_SIZE(refault_before_flush_ept_ad_threads),
		       refault_before_flush_ept_ad_switches,
		       ARRAY_SIZE(refault_before_flush_ept_ad_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x200, "M: nothing is mapped beside the slot");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static void refault_before_flush_ept_no_ad_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x0);
}

static void refault_before_flush_ept_no_ad_t1(struct tdp_vm *vm)
{
	tdp_log_stop(vm, 0, 0);
}

static void (*const refault_before_flush_ept_no_ad_threads[])(struct tdp_vm *vm) = {
	refault_before_flush_ept_no_ad_t0,
	refault_before_flush_ept_no_ad_t1,
};

static const struct tdp_switch refault_before_flush_ept_no_ad_switches[] = {
	{ .thread = 0, .op = 0, .point = TDP_WALK, .level = TDP_2M, .nth = 1, .to = 1 },
	{ .thread = 1, .op = 0, .point = TDP_FLUSH, .nth = 1, .to = 0 },
};

static void refault_before_flush_ept_no_ad(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.ad_off = true,
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.flags = TDP_LOG,
		.base = 0x0,
		.pages = 0x200,
		.hpage = 0x0,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_2M);

	tdp_interleave(vm, refault_before_flush_ept_no_ad_threads,
		       ARRAY_SIZE(refault_before_flush_ept_no_ad_threads),
		       refault_before_flush_ept_no_ad_switches,
		       ARRAY_SIZE(refault_before_flush_ept_no_ad_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x200, "M: nothing is mapped beside the slot");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static void refault_before_flush_npt_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x0);
}

static void refault_before_flush_npt_t1(struct tdp_vm *vm)
{
	tdp_log_stop(vm, 0, 0);
}

static void (*const refault_before_flush_npt_threads[])(struct tdp_vm *vm) = {
	refault_before_flush_npt_t0,
	refault_before_flush_npt_t1,
};

static const struct tdp_switch refault_before_flush_npt_switches[] = {
	{ .thread = 0, .op = 0, .point = TDP_WALK, .level = TDP_2M, .nth = 1, .to = 1 },
	{ .thread = 1, .op = 0, .point = TDP_FLUSH, .nth = 1, .to = 0 },
};

static void refault_before_flush_npt(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.npt = true,
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.flags = TDP_LOG,
		.base = 0x0,
		.pages = 0x200,
		.hpage = 0x0,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");
	tdp_host_map(vm, 0x0, 0x200, 0x400000, TDP_2M);

	tdp_interleave(vm, refault_before_flush_npt_threads,
		       ARRAY_SIZE(refault_before_flush_npt_threads),
		       refault_before_flush_npt_switches,
		       ARRAY_SIZE(refault_before_flush_npt_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x200, "M: nothing is mapped beside the slot");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static struct kunit_case refault_before_flush_cases[] = {
	KUNIT_CASE(refault_before_flush_ept_ad),
	KUNIT_CASE(refault_before_flush_ept_no_ad),
	KUNIT_CASE(refault_before_flush_npt),
	{}
};

static struct kunit_suite refault_before_flush_suite = {
	.name = "tdp_refault_before_flush",
	.test_cases = refault_before_flush_cases,
};

kunit_test_suite(refault_before_flush_suite);
