// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=on levels=4 quirk_zap_all=off
 *   slot 0 base=0x0 pages=0x2 backing=4K flags=ro
 *   thread vcpu 0
 *       read 0x0
 *       read 0x1
 *   thread vcpu 1
 *       write 0x0
 *   thread vmm
 *       slot-delete 0
 *   schedule
 *       t0.1@op#1 -> t2
 *       t0.1@read-lock#1 -> t2
 *       t1.1@end#1 -> t0
 *       t2.0@write-lock#1 -> t1
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void fault_in_invalid_slot_ept_ad_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x0);
	tdp_read(vm, 0, 0x1);
}

static void fault_in_invalid_slot_ept_ad_t1(struct tdp_vm *vm)
{
	tdp_write(vm, 1, 0x0);
}

static void fault_in_invalid_slot_ept_ad_t2(struct tdp_vm *vm)
{
	tdp_slot_delete(vm, 0, 0);
}

static void (*const fault_in_invalid_slot_ept_ad_threads[])(struct tdp_vm *vm) = {
	fault_in_invalid_slot_ept_ad_t0,
	fault_in_invalid_slot_ept_ad_t1,
	fault_in_invalid_slot_ept_ad_t2,
};

static const struct tdp_switch fault_in_invalid_slot_ept_ad_switches[] = {
	{ .thread = 0, .op = 1, .point = TDP_OP, .nth = 1, .to = 2 },
	{ .thread = 0, .op = 1, .point = TDP_READ_LOCK, .nth = 1, .to = 2 },
	{ .thread = 1, .op = 1, .point = TDP_END, .nth = 1, .to = 0 },
	{ .thread = 2, .op = 0, .point = TDP_WRITE_LOCK, .nth = 1, .to = 1 },
};

static void fault_in_invalid_slot_ept_ad(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.zap_all_quirk_off = true,
		.vcpus = 2,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.flags = TDP_READONLY,
		.base = 0x0,
		.pages = 0x2,
		.hpage = 0x0,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");
	tdp_host_map(vm, 0x0, 0x2, 0x400000, TDP_4K);

	tdp_interleave(vm, fault_in_invalid_slot_ept_ad_threads,
		       ARRAY_SIZE(fault_in_invalid_slot_ept_ad_threads),
		       fault_in_invalid_slot_ept_ad_switches,
		       ARRAY_SIZE(fault_in_invalid_slot_ept_ad_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x2, "M: nothing is mapped beside the slot");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), TDP_EMULATED, "N: there is no memory any more");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x1), TDP_EMULATED, "N: there is no memory any more");

	tdp_root_unload(vm, 0);
	tdp_root_unload(vm, 1);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static void fault_in_invalid_slot_ept_no_ad_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x0);
	tdp_read(vm, 0, 0x1);
}

static void fault_in_invalid_slot_ept_no_ad_t1(struct tdp_vm *vm)
{
	tdp_write(vm, 1, 0x0);
}

static void fault_in_invalid_slot_ept_no_ad_t2(struct tdp_vm *vm)
{
	tdp_slot_delete(vm, 0, 0);
}

static void (*const fault_in_invalid_slot_ept_no_ad_threads[])(struct tdp_vm *vm) = {
	fault_in_invalid_slot_ept_no_ad_t0,
	fault_in_invalid_slot_ept_no_ad_t1,
	fault_in_invalid_slot_ept_no_ad_t2,
};

static const struct tdp_switch fault_in_invalid_slot_ept_no_ad_switches[] = {
	{ .thread = 0, .op = 1, .point = TDP_OP, .nth = 1, .to = 2 },
	{ .thread = 0, .op = 1, .point = TDP_READ_LOCK, .nth = 1, .to = 2 },
	{ .thread = 1, .op = 1, .point = TDP_END, .nth = 1, .to = 0 },
	{ .thread = 2, .op = 0, .point = TDP_WRITE_LOCK, .nth = 1, .to = 1 },
};

static void fault_in_invalid_slot_ept_no_ad(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.ad_off = true,
		.zap_all_quirk_off = true,
		.vcpus = 2,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.flags = TDP_READONLY,
		.base = 0x0,
		.pages = 0x2,
		.hpage = 0x0,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");
	tdp_host_map(vm, 0x0, 0x2, 0x400000, TDP_4K);

	tdp_interleave(vm, fault_in_invalid_slot_ept_no_ad_threads,
		       ARRAY_SIZE(fault_in_invalid_slot_ept_no_ad_threads),
		       fault_in_invalid_slot_ept_no_ad_switches,
		       ARRAY_SIZE(fault_in_invalid_slot_ept_no_ad_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x2, "M: nothing is mapped beside the slot");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), TDP_EMULATED, "N: there is no memory any more");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x1), TDP_EMULATED, "N: there is no memory any more");

	tdp_root_unload(vm, 0);
	tdp_root_unload(vm, 1);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static void fault_in_invalid_slot_npt_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x0);
	tdp_read(vm, 0, 0x1);
}

static void fault_in_invalid_slot_npt_t1(struct tdp_vm *vm)
{
	tdp_write(vm, 1, 0x0);
}

static void fault_in_invalid_slot_npt_t2(struct tdp_vm *vm)
{
	tdp_slot_delete(vm, 0, 0);
}

static void (*const fault_in_invalid_slot_npt_threads[])(struct tdp_vm *vm) = {
	fault_in_invalid_slot_npt_t0,
	fault_in_invalid_slot_npt_t1,
	fault_in_invalid_slot_npt_t2,
};

static const struct tdp_switch fault_in_invalid_slot_npt_switches[] = {
	{ .thread = 0, .op = 1, .point = TDP_OP, .nth = 1, .to = 2 },
	{ .thread = 0, .op = 1, .point = TDP_READ_LOCK, .nth = 1, .to = 2 },
	{ .thread = 1, .op = 1, .point = TDP_END, .nth = 1, .to = 0 },
	{ .thread = 2, .op = 0, .point = TDP_WRITE_LOCK, .nth = 1, .to = 1 },
};

static void fault_in_invalid_slot_npt(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.npt = true,
		.zap_all_quirk_off = true,
		.vcpus = 2,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.flags = TDP_READONLY,
		.base = 0x0,
		.pages = 0x2,
		.hpage = 0x0,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");
	tdp_host_map(vm, 0x0, 0x2, 0x400000, TDP_4K);

	tdp_interleave(vm, fault_in_invalid_slot_npt_threads,
		       ARRAY_SIZE(fault_in_invalid_slot_npt_threads),
		       fault_in_invalid_slot_npt_switches,
		       ARRAY_SIZE(fault_in_invalid_slot_npt_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x2, "M: nothing is mapped beside the slot");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), TDP_EMULATED, "N: there is no memory any more");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x1), TDP_EMULATED, "N: there is no memory any more");

	tdp_root_unload(vm, 0);
	tdp_root_unload(vm, 1);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static struct kunit_case fault_in_invalid_slot_cases[] = {
	KUNIT_CASE(fault_in_invalid_slot_ept_ad),
	KUNIT_CASE(fault_in_invalid_slot_ept_no_ad),
	KUNIT_CASE(fault_in_invalid_slot_npt),
	{}
};

static struct kunit_suite fault_in_invalid_slot_suite = {
	.name = "tdp_fault_in_invalid_slot",
	.test_cases = fault_in_invalid_slot_cases,
};

kunit_test_suite(fault_in_invalid_slot_suite);
