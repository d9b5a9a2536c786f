// SPDX-License-Identifier: GPL-2.0-only
/* The host's memory management: unmapping and aging, over slots that overlap and that do not. */
#include "vm_fixture.h"

static int setup(void **state)
{
	struct tdp_vm_config config = vm_config();

	(void)state;
	vm_create(&config);
	assert_int_equal(set_slot(0, 100, 64, 0, 0), 0);
	assert_int_equal(set_slot(1, 300, 64, 32, 0), 0); /* shares host pages 32..63 */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vm_destroy();
	return 0;
}

static void test_bad_ranges(void **state)
{
	(void)state;
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(NULL, 0, 1), -EINVAL);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(kvm, 1, 1), -EINVAL);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(kvm, 2, 1), -EINVAL);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(kvm, 0, ~0ULL), -EINVAL);
	assert_int_equal(kvm_mmu_notifier_clear_young(kvm, 1, 1), -EINVAL);
	assert_int_equal(kvm_mmu_notifier_clear_flush_young(kvm, 1, 0), -EINVAL);
	assert_int_equal(kvm_mmu_notifier_test_young(kvm, 5, 5), -EINVAL);
	/* An end without a start. */
	assert_int_equal(kvm_mmu_notifier_invalidate_range_end(kvm, 0, 1), -EINVAL);
}

static void test_unmap(void **state)
{
	gfn_t gfn;

	(void)state;
	for (gfn = 0; gfn < 64; gfn++) {
		guest(100 + gfn, WRITE);
		guest(300 + gfn, READ);
	}
	seen.flushes = 0;
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(kvm, 40, 50), 0);
	assert_int_equal(seen.flushes, 1);
	for (gfn = 0; gfn < 64; gfn++) {
		assert_int_equal(leaf_level(100 + gfn), gfn >= 40 && gfn < 50 ? 0 : PG_LEVEL_4K);
		assert_int_equal(leaf_level(300 + gfn), gfn >= 8 && gfn < 18 ? 0 : PG_LEVEL_4K);
		assert_int_equal(host.dirty[gfn], gfn >= 40 && gfn < 50);
	}
	assert_true(host.accessed[45]);
	/* One invalidation covers both slots: all gfns between wait. */
	assert_int_equal(guest_try(140, READ), RET_PF_RETRY);
	assert_int_equal(guest_try(317, READ), RET_PF_RETRY);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_end(kvm, 40, 50), 0);
	assert_int_equal(guest(140, READ), 1);
	assert_int_equal(guest(317, READ), 1);
}

/* No slot behind the range: mmu_lock is not taken, nothing is flushed, faults go on. */
static void test_no_slot(void **state)
{
	(void)state;
	guest(100, WRITE);
	seen.flushes = 0;
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(kvm, 1000, 2000), 0);
	assert_int_equal(guest(101, READ), 1);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_end(kvm, 1000, 2000), 0);
	assert_int_equal(seen.flushes, 0);
	assert_int_equal(kvm_mmu_notifier_clear_young(kvm, 1000, 2000), 0);
}

static void test_nested_invalidations(void **state)
{
	(void)state;
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(kvm, 0, 2), 0);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(kvm, 20, 22), 0);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_end(kvm, 0, 2), 0);
	/* The ranges have become one, until both are over. */
	assert_int_equal(guest_try(100, READ), RET_PF_RETRY);
	assert_int_equal(guest_try(110, READ), RET_PF_RETRY);
	assert_int_equal(guest(125, READ), 1);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_end(kvm, 20, 22), 0);
	assert_int_equal(guest(110, READ), 1);
}

static void test_age(void **state)
{
	(void)state;
	guest(105, WRITE);
	seen.flushes = 0;
	assert_int_equal(kvm_mmu_notifier_test_young(kvm, 5, 6), 1);
	assert_int_equal(kvm_mmu_notifier_test_young(kvm, 6, 7), 0);
	assert_int_equal(kvm_mmu_notifier_clear_young(kvm, 0, 64), 1);
	assert_int_equal(seen.flushes, 0);
	assert_int_equal(kvm_mmu_notifier_clear_young(kvm, 0, 64), 0);
	/* A is gone, D stays; the CPU sets A again without a fault. */
	assert_int_equal(leaf(105) & VMX_EPT_ACCESS_BIT, 0);
	assert_int_not_equal(leaf(105) & VMX_EPT_DIRTY_BIT, 0);
	assert_int_equal(guest(105, READ), 0);
	assert_int_equal(kvm_mmu_notifier_clear_flush_young(kvm, 0, 64), 1);
	assert_int_equal(seen.flushes, 1);
	assert_int_equal(kvm_mmu_notifier_clear_flush_young(kvm, 0, 64), 0);
	assert_int_equal(seen.flushes, 1);
	assert_false(host.dirty[5]);
}

/* The VM may go in the middle of an invalidation. */
static void test_destroy_during_invalidation(void **state)
{
	(void)state;
	guest(105, WRITE);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(kvm, 0, 2), 0);
}

static void test_zap_range(void **state)
{
	(void)state;
	guest(105, WRITE);
	guest(106, WRITE);
	seen.flushes = 0;
	assert_int_equal(kvm_zap_gfn_range(kvm, 5, 5), -EINVAL);
	assert_int_equal(kvm_zap_gfn_range(NULL, 0, 5), -EINVAL);
	assert_int_equal(kvm_zap_gfn_range(kvm, 106, 200), 0);
	assert_int_equal(seen.flushes, 1);
	assert_int_equal(seen.flush_gfn, 106);
	assert_int_equal(seen.flush_nr, 94);
	assert_int_equal(leaf_level(105), PG_LEVEL_4K);
	assert_int_equal(leaf_level(106), 0);
	assert_true(host.dirty[6]);
	assert_int_equal(kvm_zap_gfn_range(kvm, 106, 200), 0);
	assert_int_equal(seen.flushes, 1);
	assert_int_equal(kvm_zap_gfn_range(kvm, 0, ~0ULL), 0);
	assert_int_equal(vm_stat().pages[0], 0);
	assert_int_equal(guest(106, WRITE), 1);
}

static void zap_page_110(void)
{
	host.during_fault_in = NULL;
	assert_int_equal(kvm_zap_gfn_range(kvm, 110, 111), 0);
}

static void test_zap_range_races_with_fault(void **state)
{
	(void)state;
	host.during_fault_in = zap_page_110;
	assert_int_equal(guest_try(110, READ), RET_PF_RETRY);
	assert_int_equal(guest(110, READ), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bad_ranges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unmap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_slot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nested_invalidations, setup, teardown),
		cmocka_unit_test_setup_teardown(test_age, setup, teardown),
		cmocka_unit_test_setup_teardown(test_destroy_during_invalidation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zap_range, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zap_range_races_with_fault, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
