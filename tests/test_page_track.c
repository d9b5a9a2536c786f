// SPDX-License-Identifier: GPL-2.0-only
/* Write tracking: a tracked gfn is not written without the caller knowing. */
#include "vm_fixture.h"

#define SMM_SLOT(id) (1u << 16 | (id))

static int setup(void **state)
{
	struct tdp_vm_config config = vm_config();

	(void)state;
	vm_create(&config);
	host.level = PG_LEVEL_2M;
	assert_int_equal(set_slot(0, 0, 1024, 0, 0), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vm_destroy();
	return 0;
}

static void test_bad_arguments(void **state)
{
	(void)state;
	assert_int_equal(kvm_write_track_remove_gfn(kvm, 0, 5), -EINVAL);
	assert_int_equal(kvm_write_track_add_gfn(NULL, 0, 5), -EINVAL);
	assert_int_equal(kvm_write_track_add_gfn(kvm, 1, 5), -EINVAL);
	assert_int_equal(kvm_write_track_add_gfn(kvm, 2u << 16, 5), -EINVAL);
	assert_int_equal(kvm_write_track_add_gfn(kvm, 0, 1024), -EINVAL);
	assert_int_equal(kvm_write_track_add_gfn(kvm, 0, 5), 0);
	assert_int_equal(kvm_write_track_remove_gfn(kvm, 0, 6), -EINVAL);
	assert_int_equal(kvm_write_track_remove_gfn(kvm, 0, 5), 0);
	assert_int_equal(kvm_write_track_remove_gfn(kvm, 0, 5), -EINVAL);
}

static void test_track(void **state)
{
	(void)state;
	guest(5, WRITE);
	assert_int_equal(leaf_level(5), PG_LEVEL_2M);
	assert_int_equal(kvm_write_track_add_gfn(kvm, 0, 5), 0);
	assert_int_equal(seen.flushes, 1);
	assert_false(is_writable_pte(leaf(5)));
	assert_int_equal(guest_try(5, WRITE), RET_PF_WRITE_PROTECTED);
	assert_int_equal(vm_stat().pf_emulate, 1);
	/* Its neighbours become writable by small pages. */
	assert_int_equal(guest(6, WRITE), 1);
	assert_int_equal(leaf_level(6), PG_LEVEL_4K);
	assert_int_equal(guest_try(5, WRITE), RET_PF_WRITE_PROTECTED);
	assert_int_equal(guest(5, READ), 0);
	assert_int_equal(guest(600, WRITE), 1);
	assert_int_equal(leaf_level(600), PG_LEVEL_2M);

	/* Twice tracked, twice untracked. */
	assert_int_equal(kvm_write_track_add_gfn(kvm, 0, 5), 0);
	assert_int_equal(kvm_write_track_remove_gfn(kvm, 0, 5), 0);
	assert_int_equal(guest_try(5, WRITE), RET_PF_WRITE_PROTECTED);
	assert_int_equal(kvm_write_track_remove_gfn(kvm, 0, 5), 0);
	assert_int_equal(guest(5, WRITE), 1);
}

/* Not present: the fault maps it, without W. */
static void test_track_before_fault(void **state)
{
	(void)state;
	assert_int_equal(kvm_write_track_add_gfn(kvm, 0, 5), 0);
	assert_int_equal(guest_try(5, WRITE), RET_PF_WRITE_PROTECTED);
	assert_int_equal(leaf_level(5), PG_LEVEL_4K);
	assert_false(is_writable_pte(leaf(5)));
	assert_false(is_mmu_writable_spte(
		&(struct tdp_spte_format){ .shadow_mmu_writable_mask = EPT_SPTE_MMU_WRITABLE },
		leaf(5)));
	assert_int_equal(guest(5, READ), 0);
}

/* The other address space shares the memory, so it is tracked there, too. */
static void test_smm(void **state)
{
	(void)state;
	assert_int_equal(kvm_write_track_add_gfn(kvm, 0, 5), 0);
	assert_int_equal(set_slot(SMM_SLOT(0), 0, 16, 0, 0), 0);
	assert_int_equal(kvm_vcpu_set_mode(vcpu, true, false), 0);
	assert_int_equal(guest_try(5, WRITE), RET_PF_WRITE_PROTECTED);
	assert_int_equal(guest(6, WRITE), 1);
	assert_int_equal(kvm_write_track_add_gfn(kvm, SMM_SLOT(0), 6), 0);
	assert_int_equal(kvm_vcpu_set_mode(vcpu, false, false), 0);
	assert_int_equal(guest_try(6, WRITE), RET_PF_WRITE_PROTECTED);
}

static void test_slot_changes(void **state)
{
	(void)state;
	assert_int_equal(kvm_write_track_add_gfn(kvm, 0, 5), 0);
	assert_int_equal(set_slot(0, 2048, 1024, 0, 0), -EINVAL);
	/* Logging begins and ends; the gfn is still tracked. */
	assert_int_equal(set_slot(0, 0, 1024, 0, KVM_MEM_LOG_DIRTY_PAGES), 0);
	assert_int_equal(guest_try(5, WRITE), RET_PF_WRITE_PROTECTED);
	assert_int_equal(set_slot(0, 0, 1024, 0, 0), 0);
	assert_int_equal(guest_try(5, WRITE), RET_PF_WRITE_PROTECTED);
	/* A slot made later has counters, too. */
	assert_int_equal(set_slot(1, 4096, 16, 4096, 0), 0);
	assert_int_equal(kvm_write_track_add_gfn(kvm, 1, 4100), 0);
	assert_int_equal(guest_try(4100, WRITE), RET_PF_WRITE_PROTECTED);
	/* Deletion ends it; with nothing tracked slots can move again. */
	assert_int_equal(set_slot(0, 0, 0, 0, 0), 0);
	assert_int_equal(set_slot(1, 4097, 16, 4096, 0), -EINVAL);
	assert_int_equal(kvm_write_track_remove_gfn(kvm, 1, 4100), 0);
	assert_int_equal(set_slot(1, 4097, 16, 4096, 0), 0);
	assert_int_equal(set_slot(0, 0, 1024, 0, 0), 0);
	assert_int_equal(guest(5, WRITE), 1);
	assert_int_equal(leaf_level(5), PG_LEVEL_2M);
}

static void test_saturation(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 65535; i++)
		assert_int_equal(kvm_write_track_add_gfn(kvm, 0, 5), 0);
	assert_int_equal(kvm_write_track_add_gfn(kvm, 0, 5), -EBUSY);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bad_arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_track, setup, teardown),
		cmocka_unit_test_setup_teardown(test_track_before_fault, setup, teardown),
		cmocka_unit_test_setup_teardown(test_smm, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slot_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_saturation, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
