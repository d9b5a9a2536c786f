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
 *   thread host
 *       unmap 0x0 0x1
 *   schedule
 *       t1.0@read-lock#1 -> t2
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void unmap_skips_invalid_roots_ept_ad_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x0);
}

static void unmap_skips_invalid_roots_ept_ad_t1(struct tdp_vm *vm)
{
	tdp_zap_fast(vm);
}

static void unmap_skips_invalid_roots_ept_ad_t2(struct tdp_vm *vm)
{
	tdp_unmap(vm, 0x0, 0x1);
	tdp_expect_none(vm, TDP_NORMAL, 0x0, "N: nothing maps it any more");
}

static void (*const unmap_skips_invalid_roots_ept_ad_threads[])(struct tdp_vm *vm) = {
	unmap_skips_invalid_roots_ept_ad_t0,
	unmap_skips_invalid_roots_ept_ad_t1,
	unmap_skips_invalid_roots_ept_ad_t2,
};

static const struct tdp_switch unmap_skips_invalid_roots_ept_ad_switches[] = {
	{ .thread = 1, .op = 0, .point = TDP_READ_LOCK, .nth = 1, .to = 2 },
};

static void unmap_skips_invalid_roots_ept_ad(struct kunit *test)
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

	tdp_interleave(vm, unmap_skips_invalid_roots_ept_ad_threads,
		       ARRAY_SIZE(unmap_skips_invalid_roots_ept_ad_threads),
		       unmap_skips_invalid_roots_ept_ad_switches,
		       ARRAY_SIZE(unmap_skips_invalid_roots_ept_ad_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x1, "M: nothing is mapped beside the slot");
	tdp_host_map(vm, 0x0, 1, 0x300000, TDP_4K);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x300000,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static void unmap_skips_invalid_roots_ept_no_ad_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x0);
}

static void unmap_skips_invalid_roots_ept_no_ad_t1(struct tdp_vm *vm)
{
	tdp_zap_fast(vm);
}

static void unmap_skips_invalid_roots_ept_no_ad_t2(struct tdp_vm *vm)
{
	tdp_unmap(vm, 0x0, 0x1);
	tdp_expect_none(vm, TDP_NORMAL, 0x0, "N: nothing maps it any more");
}

static void (*const unmap_skips_invalid_roots_ept_no_ad_threads[])(struct tdp_vm *vm) = {
	unmap_skips_invalid_roots_ept_no_ad_t0,
	unmap_skips_invalid_roots_ept_no_ad_t1,
	unmap_skips_invalid_roots_ept_no_ad_t2,
};

static const struct tdp_switch unmap_skips_invalid_roots_ept_no_ad_switches[] = {
	{ .thread = 1, .op = 0, .point = TDP_READ_LOCK, .nth = 1, .to = 2 },
};

static void unmap_skips_invalid_roots_ept_no_ad(struct kunit *test)
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

	tdp_interleave(vm, unmap_skips_invalid_roots_ept_no_ad_threads,
		       ARRAY_SIZE(unmap_skips_invalid_roots_ept_no_ad_threads),
		       unmap_skips_invalid_roots_ept_no_ad_switches,
		       ARRAY_SIZE(unmap_skips_invalid_roots_ept_no_ad_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x1, "M: nothing is mapped beside the slot");
	tdp_host_map(vm, 0x0, 1, 0x300000, TDP_4K);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x300000,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static void unmap_skips_invalid_roots_npt_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x0);
}

static void unmap_skips_invalid_roots_npt_t1(struct tdp_vm *vm)
{
	tdp_zap_fast(vm);
}

static void unmap_skips_invalid_roots_npt_t2(struct tdp_vm *vm)
{
	tdp_unmap(vm, 0x0, 0x1);
	tdp_expect_none(vm, TDP_NORMAL, 0x0, "N: nothing maps it any more");
}

static void (*const unmap_skips_invalid_roots_npt_threads[])(struct tdp_vm *vm) = {
	unmap_skips_invalid_roots_npt_t0,
	unmap_skips_invalid_roots_npt_t1,
	unmap_skips_invalid_roots_npt_t2,
};

static const struct tdp_switch unmap_skips_invalid_roots_npt_switches[] = {
	{ .thread = 1, .op = 0, .point = TDP_READ_LOCK, .nth = 1, .to = 2 },
};

static void unmap_skips_invalid_roots_npt(struct kunit *test)
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

	tdp_interleave(vm, unmap_skips_invalid_roots_npt_threads,
		       ARRAY_SIZE(unmap_skips_invalid_roots_npt_threads),
		       unmap_skips_invalid_roots_npt_switches,
		       ARRAY_SIZE(unmap_skips_invalid_roots_npt_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x1, "M: nothing is mapped beside the slot");
	tdp_host_map(vm, 0x0, 1, 0x300000, TDP_4K);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x300000,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static struct kunit_case unmap_skips_invalid_roots_cases[] = {
	KUNIT_CASE(unmap_skips_invalid_roots_ept_ad),
	KUNIT_CASE(unmap_skips_invalid_roots_ept_no_ad),
	KUNIT_CASE(unmap_skips_invalid_roots_npt),
	{}
};

static struct kunit_suite unmap_skips_invalid_roots_suite = {
	.name = "tdp_unmap_skips_invalid_roots",
	.test_cases = unmap_skips_invalid_roots_cases,
};

kunit_test_suite(unmap_skips_invalid_roots_suite);
