// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=off levels=4
 *   slot 0 base=0x0 pages=0x1 backing=4K
 *   thread vcpu 0
 *       read 0x0
 *       write 0x0
 *   thread vmm
 *       log-start 0
 *       zap-fast
 *   schedule
 *       t0.1@op#1 -> t1
 *       t0.1@cmpxchg(4K)#1 -> t1
 *       t1.1@op#1 -> t0
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void table_freed_without_rcu_ept_ad_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x0);
	tdp_write(vm, 0, 0x0);
}

static void table_freed_without_rcu_ept_ad_t1(struct tdp_vm *vm)
{
	tdp_log_start(vm, 0, 0);
	tdp_zap_fast(vm);
}

static void (*const table_freed_without_rcu_ept_ad_threads[])(struct tdp_vm *vm) = {
	table_freed_without_rcu_ept_ad_t0,
	table_freed_without_rcu_ept_ad_t1,
};

static const struct tdp_switch table_freed_without_rcu_ept_ad_switches[] = {
	{ .thread = 0, .op = 1, .point = TDP_OP, .nth = 1, .to = 1 },
	{ .thread = 0, .op = 1, .point = TDP_CMPXCHG, .level = TDP_4K, .nth = 1, .to = 1 },
	{ .thread = 1, .op = 1, .point = TDP_OP, .nth = 1, .to = 0 },
};

static void table_freed_without_rcu_ept_ad(struct kunit *test)
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

	tdp_interleave(vm, table_freed_without_rcu_ept_ad_threads,
		       ARRAY_SIZE(table_freed_without_rcu_ept_ad_threads),
		       table_freed_without_rcu_ept_ad_switches,
		       ARRAY_SIZE(table_freed_without_rcu_ept_ad_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x1, "M: nothing is mapped beside the slot");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static void table_freed_without_rcu_ept_no_ad_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x0);
	tdp_write(vm, 0, 0x0);
}

static void table_freed_without_rcu_ept_no_ad_t1(struct tdp_vm *vm)
{
	tdp_log_start(vm, 0, 0);
	tdp_zap_fast(vm);
}

static void (*const table_freed_without_rcu_ept_no_ad_threads[])(struct tdp_vm *vm) = {
	table_freed_without_rcu_ept_no_ad_t0,
	table_freed_without_rcu_ept_no_ad_t1,
};

static const struct tdp_switch table_freed_without_rcu_ept_no_ad_switches[] = {
	{ .thread = 0, .op = 1, .point = TDP_OP, .nth = 1, .to = 1 },
	{ .thread = 0, .op = 1, .point = TDP_CMPXCHG, .level = TDP_4K, .nth = 1, .to = 1 },
	{ .thread = 1, .op = 1, .point = TDP_OP, .nth = 1, .to = 0 },
};

static void table_freed_without_rcu_ept_no_ad(struct kunit *test)
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

	tdp_interleave(vm, table_freed_without_rcu_ept_no_ad_threads,
		       ARRAY_SIZE(table_freed_without_rcu_ept_no_ad_threads),
		       table_freed_without_rcu_ept_no_ad_switches,
		       ARRAY_SIZE(table_freed_without_rcu_ept_no_ad_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x1, "M: nothing is mapped beside the slot");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static void table_freed_without_rcu_npt_t0(struct tdp_vm *vm)
{
	tdp_read(vm, 0, 0x0);
	tdp_write(vm, 0, 0x0);
}

static void table_freed_without_rcu_npt_t1(struct tdp_vm *vm)
{
	tdp_log_start(vm, 0, 0);
	tdp_zap_fast(vm);
}

static void (*const table_freed_without_rcu_npt_threads[])(struct tdp_vm *vm) = {
	table_freed_without_rcu_npt_t0,
	table_freed_without_rcu_npt_t1,
};

static const struct tdp_switch table_freed_without_rcu_npt_switches[] = {
	{ .thread = 0, .op = 1, .point = TDP_OP, .nth = 1, .to = 1 },
	{ .thread = 0, .op = 1, .point = TDP_CMPXCHG, .level = TDP_4K, .nth = 1, .to = 1 },
	{ .thread = 1, .op = 1, .point = TDP_OP, .nth = 1, .to = 0 },
};

static void table_freed_without_rcu_npt(struct kunit *test)
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

	tdp_interleave(vm, table_freed_without_rcu_npt_threads,
		       ARRAY_SIZE(table_freed_without_rcu_npt_threads),
		       table_freed_without_rcu_npt_switches,
		       ARRAY_SIZE(table_freed_without_rcu_npt_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x1, "M: nothing is mapped beside the slot");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static struct kunit_case table_freed_without_rcu_cases[] = {
	KUNIT_CASE(table_freed_without_rcu_ept_ad),
	KUNIT_CASE(table_freed_without_rcu_ept_no_ad),
	KUNIT_CASE(table_freed_without_rcu_npt),
	{}
};

static struct kunit_suite table_freed_without_rcu_suite = {
	.name = "tdp_table_freed_without_rcu",
	.test_cases = table_freed_without_rcu_cases,
};

kunit_test_suite(table_freed_without_rcu_suite);
