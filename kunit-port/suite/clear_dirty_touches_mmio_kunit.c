// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=on levels=4 pml=on gen=0x40
 *   thread vcpu 0
 *       read 0x0
 *   thread vmm
 *       slot-add 0 base=0x0 pages=0x200 backing=4K
 *       log-start 0
 *   schedule
 *       t0.1@end#1 -> t1
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void clear_dirty_touches_mmio_ept_ad(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.pml = true,
		.gen = 64,
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	const struct tdp_slot slot_t1_0 = {
		.id = 0,
		.base = 0x0,
		.pages = 0x200,
		.hpage = 0x0,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);

	/* t0, vcpu 0: read 0x0 */
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), TDP_EMULATED, "G: KVM emulates the access");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x0000000000000206ULL,
			"G: gfn and generation of what is no memory");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t1, vmm: slot-add 0 base=0x0 pages=0x200 backing=4K */
	tdp_expect_return(vm, tdp_slot_add(vm, &slot_t1_0), 0, "P: the slot is added");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x0000000000000206ULL,
			"G: gfn and generation of what is no memory");

	/* t1, vmm: log-start 0 */
	tdp_expect_return(vm, tdp_log_start(vm, 0, 0), 0, "P: it is done");
	tdp_expect_flushed(vm, true, "T: no CPU keeps what it has cached");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x0000000000000206ULL,
			"G: gfn and generation of what is no memory");

	/* When the guest has stopped, a last harvest */
	tdp_expect_return(vm, tdp_log_get(vm, 0, 0), 0, "P: it is done");
	tdp_expect_ndirty(vm, 0, "D: pages that the log names");
}

static struct kunit_case clear_dirty_touches_mmio_cases[] = {
	KUNIT_CASE(clear_dirty_touches_mmio_ept_ad),
	{}
};

static struct kunit_suite clear_dirty_touches_mmio_suite = {
	.name = "tdp_clear_dirty_touches_mmio",
	.test_cases = clear_dirty_touches_mmio_cases,
};

kunit_test_suite(clear_dirty_touches_mmio_suite);
