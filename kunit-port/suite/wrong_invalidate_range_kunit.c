// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=on levels=4
 *   slot 0 base=0x10 pages=0x2 backing=4K
 *   thread vcpu 0
 *       read 0x10 x2
 *   thread vmm
 *       zap-range 0x10 0x4
 *   schedule
 *       t0.0@read-lock#3 -> t1
 *       t1.0@cond-resched#2 -> t0
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void wrong_invalidate_range_ept_ad_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x10);
	tdp_read(vm, 0, 0x11);
}

static void wrong_invalidate_range_ept_ad_t1(struct tdp_vm *vm)
{
	tdp_zap_range(vm, 0x10, 0x4);
	tdp_expect_none(vm, TDP_NORMAL, 0x10, "N: nothing maps it any more");
	tdp_expect_none(vm, TDP_NORMAL, 0x11, "N: nothing maps it any more");
}

static void (*const wrong_invalidate_range_ept_ad_threads[])(struct tdp_vm *vm) = {
	wrong_invalidate_range_ept_ad_t0,
	wrong_invalidate_range_ept_ad_t1,
};

static const struct tdp_switch wrong_invalidate_range_ept_ad_switches[] = {
	{ .thread = 0, .op = 1, .point = TDP_READ_LOCK, .nth = 1, .to = 1 },
	{ .thread = 1, .op = 0, .point = TDP_COND_RESCHED, .nth = 2, .to = 0 },
};

static void wrong_invalidate_range_ept_ad(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.base = 0x10,
		.pages = 0x2,
		.hpage = 0x10,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");
	tdp_host_map(vm, 0x10, 0x2, 0x400010, TDP_4K);

	tdp_interleave(vm, wrong_invalidate_range_ept_ad_threads,
		       ARRAY_SIZE(wrong_invalidate_range_ept_ad_threads),
		       wrong_invalidate_range_ept_ad_switches,
		       ARRAY_SIZE(wrong_invalidate_range_ept_ad_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x12, "M: nothing is mapped beside the slot");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x10), 0x400010,
			 "N: the frame that the host has by now");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x11), 0x400011,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static void wrong_invalidate_range_ept_no_ad_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x10);
	tdp_read(vm, 0, 0x11);
}

static void wrong_invalidate_range_ept_no_ad_t1(struct tdp_vm *vm)
{
	tdp_zap_range(vm, 0x10, 0x4);
	tdp_expect_none(vm, TDP_NORMAL, 0x10, "N: nothing maps it any more");
	tdp_expect_none(vm, TDP_NORMAL, 0x11, "N: nothing maps it any more");
}

static void (*const wrong_invalidate_range_ept_no_ad_threads[])(struct tdp_vm *vm) = {
	wrong_invalidate_range_ept_no_ad_t0,
	wrong_invalidate_range_ept_no_ad_t1,
};

static const struct tdp_switch wrong_invalidate_range_ept_no_ad_switches[] = {
	{ .thread = 0, .op = 1, .point = TDP_READ_LOCK, .nth = 1, .to = 1 },
	{ .thread = 1, .op = 0, .point = TDP_COND_RESCHED, .nth = 2, .to = 0 },
};

static void wrong_invalidate_range_ept_no_ad(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.ad_off = true,
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.base = 0x10,
		.pages = 0x2,
		.hpage = 0x10,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");
	tdp_host_map(vm, 0x10, 0x2, 0x400010, TDP_4K);

	tdp_interleave(vm, wrong_invalidate_range_ept_no_ad_threads,
		       ARRAY_SIZE(wrong_invalidate_range_ept_no_ad_threads),
		       wrong_invalidate_range_ept_no_ad_switches,
		       ARRAY_SIZE(wrong_invalidate_range_ept_no_ad_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x12, "M: nothing is mapped beside the slot");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x10), 0x400010,
			 "N: the frame that the host has by now");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x11), 0x400011,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static void wrong_invalidate_range_npt_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x10);
	tdp_read(vm, 0, 0x11);
}

static void wrong_invalidate_range_npt_t1(struct tdp_vm *vm)
{
	tdp_zap_range(vm, 0x10, 0x4);
	tdp_expect_none(vm, TDP_NORMAL, 0x10, "N: nothing maps it any more");
	tdp_expect_none(vm, TDP_NORMAL, 0x11, "N: nothing maps it any more");
}

static void (*const wrong_invalidate_range_npt_threads[])(struct tdp_vm *vm) = {
	wrong_invalidate_range_npt_t0,
	wrong_invalidate_range_npt_t1,
};

static const struct tdp_switch wrong_invalidate_range_npt_switches[] = {
	{ .thread = 0, .op = 1, .point = TDP_READ_LOCK, .nth = 1, .to = 1 },
	{ .thread = 1, .op = 0, .point = TDP_COND_RESCHED, .nth = 2, .to = 0 },
};

static void wrong_invalidate_range_npt(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.npt = true,
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.base = 0x10,
		.pages = 0x2,
		.hpage = 0x10,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");
	tdp_host_map(vm, 0x10, 0x2, 0x400010, TDP_4K);

	tdp_interleave(vm, wrong_invalidate_range_npt_threads,
		       ARRAY_SIZE(wrong_invalidate_range_npt_threads),
		       wrong_invalidate_range_npt_switches,
		       ARRAY_SIZE(wrong_invalidate_range_npt_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x12, "M: nothing is mapped beside the slot");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x10), 0x400010,
			 "N: the frame that the host has by now");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x11), 0x400011,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static struct kunit_case wrong_invalidate_range_cases[] = {
	KUNIT_CASE(wrong_invalidate_range_ept_ad),
	KUNIT_CASE(wrong_invalidate_range_ept_no_ad),
	KUNIT_CASE(wrong_invalidate_range_npt),
	{}
};

static struct kunit_suite wrong_invalidate_range_suite = {
	.name = "tdp_wrong_invalidate_range",
	.test_cases = wrong_invalidate_range_cases,
};

kunit_test_suite(wrong_invalidate_range_suite);
