// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=off levels=4
 *   slot 0 base=0x0 pages=0x1 backing=4K
 *   thread vcpu 0
 *       prefault 0x0 0x1
 *       write 0x0
 *   thread host
 *       unmap 0x0 0x1
 *   schedule
 *       t0.1@op#1 -> t1
 *       t1.0@write(4K)#1 -> t0
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void nonatomic_volatile_ept_ad_t0(struct tdp_vm *vm)
{
	tdp_prefault(vm, 0, 0x0, 0x1);
	tdp_write(vm, 0, 0x0);
}

static void nonatomic_volatile_ept_ad_t1(struct tdp_vm *vm)
{
	tdp_unmap(vm, 0x0, 0x1);
	tdp_expect_none(vm, TDP_NORMAL, 0x0, "N: nothing maps it any more");
}

static void (*const nonatomic_volatile_ept_ad_threads[])(struct tdp_vm *vm) = {
	nonatomic_volatile_ept_ad_t0,
	nonatomic_volatile_ept_ad_t1,
};

static const struct tdp_switch nonatomic_volatile_ept_ad_switches[] = {
	{ .thread = 0, .op = 1, .point = TDP_OP, .nth = 1, .to = 1 },
	{ .thread = 1, .op = 0, .point = TDP_WRITE, .level = TDP_4K, .nth = 1, .to = 0 },
};

static void nonatomic_volatile_ept_ad(struct kunit *test)
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

	tdp_interleave(vm, nonatomic_volatile_ept_ad_threads,
		       ARRAY_SIZE(nonatomic_volatile_ept_ad_threads),
		       nonatomic_volatile_ept_ad_switches,
		       ARRAY_SIZE(nonatomic_volatile_ept_ad_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x1, "M: nothing is mapped beside the slot");
	tdp_host_map(vm, 0x0, 0x1, 0x200200000, TDP_4K);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x200200000,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static void nonatomic_volatile_ept_no_ad_t0(struct tdp_vm *vm)
{
	tdp_prefault(vm, 0, 0x0, 0x1);
	tdp_write(vm, 0, 0x0);
}

static void nonatomic_volatile_ept_no_ad_t1(struct tdp_vm *vm)
{
	tdp_unmap(vm, 0x0, 0x1);
	tdp_expect_none(vm, TDP_NORMAL, 0x0, "N: nothing maps it any more");
}

static void (*const nonatomic_volatile_ept_no_ad_threads[])(struct tdp_vm *vm) = {
	nonatomic_volatile_ept_no_ad_t0,
	nonatomic_volatile_ept_no_ad_t1,
};

static const struct tdp_switch nonatomic_volatile_ept_no_ad_switches[] = {
	{ .thread = 0, .op = 1, .point = TDP_OP, .nth = 1, .to = 1 },
	{ .thread = 1, .op = 0, .point = TDP_WRITE, .level = TDP_4K, .nth = 1, .to = 0 },
};

static void nonatomic_volatile_ept_no_ad(struct kunit *test)
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

	tdp_interleave(vm, nonatomic_volatile_ept_no_ad_threads,
		       ARRAY_SIZE(nonatomic_volatile_ept_no_ad_threads),
		       nonatomic_volatile_ept_no_ad_switches,
		       ARRAY_SIZE(nonatomic_volatile_ept_no_ad_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x1, "M: nothing is mapped beside the slot");
	tdp_host_map(vm, 0x0, 0x1, 0x200200000, TDP_4K);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x200200000,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static void nonatomic_volatile_npt_t0(struct tdp_vm *vm)
{
	tdp_prefault(vm, 0, 0x0, 0x1);
	tdp_write(vm, 0, 0x0);
}

static void nonatomic_volatile_npt_t1(struct tdp_vm *vm)
{
	tdp_unmap(vm, 0x0, 0x1);
	tdp_expect_none(vm, TDP_NORMAL, 0x0, "N: nothing maps it any more");
}

static void (*const nonatomic_volatile_npt_threads[])(struct tdp_vm *vm) = {
	nonatomic_volatile_npt_t0,
	nonatomic_volatile_npt_t1,
};

static const struct tdp_switch nonatomic_volatile_npt_switches[] = {
	{ .thread = 0, .op = 1, .point = TDP_OP, .nth = 1, .to = 1 },
	{ .thread = 1, .op = 0, .point = TDP_WRITE, .level = TDP_4K, .nth = 1, .to = 0 },
};

static void nonatomic_volatile_npt(struct kunit *test)
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

	tdp_interleave(vm, nonatomic_volatile_npt_threads,
		       ARRAY_SIZE(nonatomic_volatile_npt_threads), nonatomic_volatile_npt_switches,
		       ARRAY_SIZE(nonatomic_volatile_npt_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x1, "M: nothing is mapped beside the slot");
	tdp_host_map(vm, 0x0, 0x1, 0x200200000, TDP_4K);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x200200000,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static struct kunit_case nonatomic_volatile_cases[] = {
	KUNIT_CASE(nonatomic_volatile_ept_ad),
	KUNIT_CASE(nonatomic_volatile_ept_no_ad),
	KUNIT_CASE(nonatomic_volatile_npt),
	{}
};

static struct kunit_suite nonatomic_volatile_suite = {
	.name = "tdp_nonatomic_volatile",
	.test_cases = nonatomic_volatile_cases,
};

kunit_test_suite(nonatomic_volatile_suite);
