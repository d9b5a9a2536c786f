// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=on levels=4
 *   thread vcpu 0
 *       root-load
 *       root-unload
 *   thread vmm
 *       zap-fast
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void root_not_freed_ept_ad(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);

	/* t0, vcpu 0: root-load */
	tdp_expect_return(vm, tdp_root_load(vm, 0), 0, "P: it is done");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t0, vcpu 0: root-unload */
	tdp_root_unload(vm, 0);

	/* t1, vmm: zap-fast */
	tdp_zap_fast(vm);
	tdp_expect_roots(vm, 0, "L: roots in use");
}

static void root_not_freed_ept_no_ad(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.ad_off = true,
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);

	/* t0, vcpu 0: root-load */
	tdp_expect_return(vm, tdp_root_load(vm, 0), 0, "P: it is done");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t0, vcpu 0: root-unload */
	tdp_root_unload(vm, 0);

	/* t1, vmm: zap-fast */
	tdp_zap_fast(vm);
	tdp_expect_roots(vm, 0, "L: roots in use");
}

static void root_not_freed_npt(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.npt = true,
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);

	/* t0, vcpu 0: root-load */
	tdp_expect_return(vm, tdp_root_load(vm, 0), 0, "P: it is done");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t0, vcpu 0: root-unload */
	tdp_root_unload(vm, 0);

	/* t1, vmm: zap-fast */
	tdp_zap_fast(vm);
	tdp_expect_roots(vm, 0, "L: roots in use");
}

static struct kunit_case root_not_freed_cases[] = {
	KUNIT_CASE(root_not_freed_ept_ad),
	KUNIT_CASE(root_not_freed_ept_no_ad),
	KUNIT_CASE(root_not_freed_npt),
	{}
};

static struct kunit_suite root_not_freed_suite = {
	.name = "tdp_root_not_freed",
	.test_cases = root_not_freed_cases,
};

kunit_test_suite(root_not_freed_suite);
