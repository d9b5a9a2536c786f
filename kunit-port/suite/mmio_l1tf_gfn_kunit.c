// SPDX-License-Identifier: GPL-2.0-only
/*
 * Made by "tdp kunit" from this program:
 *
 *   tdp 1
 *   vm mmu=ept ad=on levels=4 l1tf=on
 *   thread vcpu 0
 *       read 0x200000000
 *       read 0x0
 *       read 0x200000000
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

static void mmio_l1tf_gfn_ept_ad(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.l1tf = true,
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);

	/* t0, vcpu 0: read 0x200000000 */
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x200000000), TDP_EMULATED,
			 "G: KVM emulates the access");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x200000000, TDP_4K, 0x00043e0000000006ULL,
			"G: gfn and generation of what is no memory");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t0, vcpu 0: read 0x0 */
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), TDP_EMULATED, "G: KVM emulates the access");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x00003e0000000006ULL,
			"G: gfn and generation of what is no memory");
	tdp_expect_tables(vm, 6, "L: page tables in use");

	/* t0, vcpu 0: read 0x200000000 */
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x200000000), TDP_EMULATED,
			 "G: KVM emulates the access");
}

static void mmio_l1tf_gfn_ept_no_ad(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.ad_off = true,
		.l1tf = true,
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);

	/* t0, vcpu 0: read 0x200000000 */
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x200000000), TDP_EMULATED,
			 "G: KVM emulates the access");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x200000000, TDP_4K, 0x00043e0000000006ULL,
			"G: gfn and generation of what is no memory");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t0, vcpu 0: read 0x0 */
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), TDP_EMULATED, "G: KVM emulates the access");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x00003e0000000006ULL,
			"G: gfn and generation of what is no memory");
	tdp_expect_tables(vm, 6, "L: page tables in use");

	/* t0, vcpu 0: read 0x200000000 */
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x200000000), TDP_EMULATED,
			 "G: KVM emulates the access");
}

static void mmio_l1tf_gfn_npt(struct kunit *test)
{
	const struct tdp_vm_params params = {
		.npt = true,
		.l1tf = true,
		.made_for = TDP_FOR_6_12,
		.vcpus = 1,
	};
	struct tdp_vm *vm;

	vm = tdp_vm_create(test, &params);

	/* t0, vcpu 0: read 0x200000000 */
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x200000000), TDP_EMULATED,
			 "G: KVM emulates the access");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x200000000, TDP_4K, 0x000c3e0000000007ULL,
			"G: gfn and generation of what is no memory");
	tdp_expect_tables(vm, 3, "L: page tables in use");
	tdp_expect_roots(vm, 1, "L: roots in use");

	/* t0, vcpu 0: read 0x0 */
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x0), TDP_EMULATED, "G: KVM emulates the access");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x0, TDP_4K, 0x00083e0000000007ULL,
			"G: gfn and generation of what is no memory");
	tdp_expect_tables(vm, 6, "L: page tables in use");

	/* t0, vcpu 0: read 0x200000000 */
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x200000000), TDP_EMULATED,
			 "G: KVM emulates the access");
}

static struct kunit_case mmio_l1tf_gfn_cases[] = {
	KUNIT_CASE(mmio_l1tf_gfn_ept_ad),
	KUNIT_CASE(mmio_l1tf_gfn_ept_no_ad),
	KUNIT_CASE(mmio_l1tf_gfn_npt),
	{}
};

static struct kunit_suite mmio_l1tf_gfn_suite = {
	.name = "tdp_mmio_l1tf_gfn",
	.test_cases = mmio_l1tf_gfn_cases,
};

kunit_test_suite(mmio_l1tf_gfn_suite);
