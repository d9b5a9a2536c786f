// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=on levels=4 gen=0x800
 *   thread vcpu 0
 *       read 0x0
 *       read 0x1
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void mmio_gen_high_ept_ad(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.gen = 2048,
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);

	/* t0, vcpu 0: read 0x0 */
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), TDP_EMULATED, "G: KVM emulates the access");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x0080000000000006ULL,
			"G: gfn and generation of what is no memory");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t0, vcpu 0: read 0x1 */
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x1), TDP_EMULATED, "G: KVM emulates the access");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x1, TDP_4K, 0x0080000000001006ULL,
			"G: gfn and generation of what is no memory");
}

static void mmio_gen_high_ept_no_ad(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.ad_off = true,
		.gen = 2048,
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);

	/* t0, vcpu 0: read 0x0 */
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), TDP_EMULATED, "G: KVM emulates the access");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x0080000000000006ULL,
			"G: gfn and generation of what is no memory");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t0, vcpu 0: read 0x1 */
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x1), TDP_EMULATED, "G: KVM emulates the access");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x1, TDP_4K, 0x0080000000001006ULL,
			"G: gfn and generation of what is no memory");
}

static void mmio_gen_high_npt(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.npt = true,
		.gen = 2048,
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);

	/* t0, vcpu 0: read 0x0 */
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), TDP_EMULATED, "G: KVM emulates the access");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x0088000000000007ULL,
			"G: gfn and generation of what is no memory");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t0, vcpu 0: read 0x1 */
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x1), TDP_EMULATED, "G: KVM emulates the access");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x1, TDP_4K, 0x0088000000001007ULL,
			"G: gfn and generation of what is no memory");
}

static struct kunit_case mmio_gen_high_cases[] = {
	KUNIT_CASE(mmio_gen_high_ept_ad),
	KUNIT_CASE(mmio_gen_high_ept_no_ad),
	KUNIT_CASE(mmio_gen_high_npt),
	{}
};

static struct kunit_suite mmio_gen_high_suite = {
	.name = "tdp_mmio_gen_high",
	.test_cases = mmio_gen_high_cases,
};

kunit_test_suite(mmio_gen_high_suite);
