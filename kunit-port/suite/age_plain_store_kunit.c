// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=on levels=4 pml=on
 *   slot 0 base=0x0 pages=0x2 backing=4K flags=log
 *   thread vcpu 0
 *       write 0x0 x2
 *       write 0x0
 *   thread vmm
 *       log-get 0
 *   thread host
 *       age 0x0 0x2
 *   schedule
 *       t0.1@op#1 -> t1
 *       t2.0@write(4K)#1 -> t0
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void age_plain_store_ept_ad_t0(struct tdp_vm *vm)
{
	tdp_write(vm, 0, 0x0);
	tdp_write(vm, 0, 0x1);
	tdp_write(vm, 0, 0x0);
}

static void age_plain_store_ept_ad_t1(struct tdp_vm *vm)
{
	tdp_log_get(vm, 0, 0);
}

static void age_plain_store_ept_ad_t2(struct tdp_vm *vm)
{
	tdp_age(vm, 0x0, 0x2);
}

static void (*const age_plain_store_ept_ad_threads[])(struct tdp_vm *vm) = {
	age_plain_store_ept_ad_t0,
	age_plain_store_ept_ad_t1,
	age_plain_store_ept_ad_t2,
};

static const struct tdp_switch age_plain_store_ept_ad_switches[] = {
	{ .thread = 0, .op = 2, .point = TDP_OP, .nth = 1, .to = 1 },
	{ .thread = 2, .op = 0, .point = TDP_WRITE, .level = TDP_4K, .nth = 1, .to = 0 },
};

static void age_plain_store_ept_ad(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.pml = true,
		.vcpus = 1,
	};
	const struct tdp_slot slot_0 = {
		.id = 0,
		.flags = TDP_LOG,
		.base = 0x0,
		.pages = 0x2,
		.hpage = 0x0,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_0), 0, "P: the slot is added");
	tdp_host_map(vm, 0x0, 0x2, 0x400000, TDP_4K);

	tdp_interleave(vm, age_plain_store_ept_ad_threads,
		       ARRAY_SIZE(age_plain_store_ept_ad_threads), age_plain_store_ept_ad_switches,
		       ARRAY_SIZE(age_plain_store_ept_ad_switches));

	tdp_expect_none(vm, TDP_NORMAL, 0x2, "M: nothing is mapped beside the slot");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), 0x400000,
			 "N: the frame that the host has by now");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x1), 0x400001,
			 "N: the frame that the host has by now");

	tdp_root_unload(vm, 0);
	tdp_zap_fast(vm);
	tdp_expect_stat(vm, 0, 0, 0, "L: pages mapped, when all is zapped");
	tdp_expect_tables(vm, 0, "L: page tables, when all is zapped");
	tdp_expect_nx_splits(vm, 0, "X: none of them could be a huge page");
}

static struct kunit_case age_plain_store_cases[] = {
	KUNIT_CASE(age_plain_store_ept_ad),
	{}
};

static struct kunit_suite age_plain_store_suite = {
	.name = "tdp_age_plain_store",
	.test_cases = age_plain_store_cases,
};

kunit_test_suite(age_plain_store_suite);
