// SPDX-License-Identifier: GPL-2.0-only
/* The iTLB-multihit mitigation: toggling it, and giving up its small pages. */
#include "vm_fixture.h"

static void create(u32 ratio)
{
	struct tdp_vm_config config = vm_config();

	config.nx_huge_pages = true;
	config.nx_recovery_ratio = ratio;
	vm_create(&config);
	host.level = PG_LEVEL_2M;
	assert_int_equal(set_slot(0, 0, 8 * 512, 0, 0), 0);
}

static void exec_all(void)
{
	int i;

	for (i = 0; i < 8; i++)
		guest(i * 512, EXEC);
	assert_int_equal(vm_stat().nx_lpage_splits, 8);
}

static void test_recover(void **state)
{
	(void)state;
	create(3);
	exec_all();
	/* A third, rounded up, the oldest first. */
	assert_int_equal(kvm_recover_nx_huge_pages(kvm), 0);
	assert_int_equal(vm_stat().nx_recoveries, 3);
	assert_int_equal(vm_stat().nx_lpage_splits, 5);
	assert_true(seen.flushes);
	assert_int_equal(leaf_level(2 * 512), 0);
	assert_int_equal(leaf_level(3 * 512), PG_LEVEL_4K);
	guest(0, READ);
	assert_int_equal(leaf_level(0), PG_LEVEL_2M);
	assert_int_equal(kvm_recover_nx_huge_pages(kvm), 0);
	assert_int_equal(kvm_recover_nx_huge_pages(kvm), 0);
	assert_int_equal(kvm_recover_nx_huge_pages(kvm), 0);
	assert_int_equal(kvm_recover_nx_huge_pages(kvm), 0);
	assert_int_equal(vm_stat().nx_recoveries, 8);
	assert_int_equal(vm_stat().nx_lpage_splits, 0);
	assert_int_equal(vm_stat().pages[0], 0);
	vm_destroy();
}

static void test_off(void **state)
{
	(void)state;
	create(0);
	exec_all();
	assert_int_equal(kvm_recover_nx_huge_pages(kvm), 0);
	assert_int_equal(vm_stat().nx_lpage_splits, 8);
	assert_int_equal(kvm_recover_nx_huge_pages(NULL), -EINVAL);
	vm_destroy();
}

/* Small pages that are logged stay small: they are taken off the list. */
static void test_logged(void **state)
{
	(void)state;
	create(1);
	assert_int_equal(set_slot(1, 16 * 512, 512, 16 * 512, 0), 0);
	exec_all();
	guest(16 * 512, EXEC);
	assert_int_equal(set_slot(0, 0, 8 * 512, 0, KVM_MEM_LOG_DIRTY_PAGES), 0);
	assert_int_equal(kvm_recover_nx_huge_pages(kvm), 0);
	assert_int_equal(vm_stat().nx_recoveries, 1);
	assert_int_equal(vm_stat().nx_lpage_splits, 0);
	assert_int_equal(leaf_level(0), PG_LEVEL_4K);
	assert_int_equal(leaf_level(16 * 512), 0);
	assert_int_equal(set_slot(0, 0, 8 * 512, 0, 0), 0);
	assert_int_equal(leaf_level(0), 0);
	vm_destroy();
}

/* Tables of a slot that has gone, while another is logged. */
static void test_no_slot(void **state)
{
	struct tdp_vm_config config = vm_config();

	(void)state;
	config.nx_huge_pages = true;
	config.quirk_slot_zap_all = false;
	vm_create(&config);
	host.level = PG_LEVEL_2M;
	assert_int_equal(set_slot(0, 0, 512, 0, 0), 0);
	assert_int_equal(set_slot(1, 1024, 512, 1024, KVM_MEM_LOG_DIRTY_PAGES), 0);
	guest(0, EXEC);
	assert_int_equal(set_slot(0, 0, 0, 0, 0), 0);
	assert_int_equal(vm_stat().nx_lpage_splits, 1);
	assert_int_equal(kvm_recover_nx_huge_pages(kvm), 0);
	assert_int_equal(vm_stat().nx_recoveries, 1);
	vm_destroy();
}

/* Recovery yields between pages, and flushes before it does. */
static void test_yield(void **state)
{
	struct sim_choice choices[] = { { .kind = POINT_RESCHED, .action = SIM_RESCHED, .k = 1 },
					{ .kind = POINT_RESCHED, .action = SIM_GP_END, .k = 2 } };
	static struct sim_thread thread;

	(void)state;
	create(1);
	exec_all();
	seen.flushes = 0;
	memset(&thread, 0, sizeof(thread));
	sim_begin_op(&thread, choices, ARRAY_SIZE(choices));
	assert_int_equal(kvm_recover_nx_huge_pages(kvm), 0);
	sim_end_op();
	assert_true(choices[0].fired);
	assert_int_equal(vm_stat().nx_recoveries, 8);
	assert_true(seen.flushes >= 2);
	vm_destroy();
}

static void test_toggle(void **state)
{
	(void)state;
	create(1);
	guest(0, READ);
	assert_int_equal(leaf_level(0), PG_LEVEL_2M);
	assert_false(leaf(0) & VMX_EPT_EXECUTABLE_MASK);
	assert_int_equal(kvm_set_nx_huge_pages(kvm, true), 0);
	assert_int_equal(seen.kicks, 0);

	assert_int_equal(kvm_set_nx_huge_pages(kvm, false), 0);
	assert_int_equal(seen.kicks, 1);
	assert_int_equal(guest(0, EXEC), 1);
	assert_int_equal(leaf_level(0), PG_LEVEL_2M);
	assert_true(leaf(0) & VMX_EPT_EXECUTABLE_MASK);
	assert_int_equal(kvm_recover_nx_huge_pages(kvm), 0);

	assert_int_equal(kvm_set_nx_huge_pages(kvm, true), 0);
	guest(0, READ);
	assert_false(leaf(0) & VMX_EPT_EXECUTABLE_MASK);
	assert_int_equal(guest(0, EXEC), 1);
	assert_int_equal(leaf_level(0), PG_LEVEL_4K);
	assert_int_equal(kvm_set_nx_huge_pages(NULL, true), -EINVAL);
	vm_destroy();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recover), cmocka_unit_test(test_off),
		cmocka_unit_test(test_logged),	cmocka_unit_test(test_no_slot),
		cmocka_unit_test(test_yield),	cmocka_unit_test(test_toggle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
