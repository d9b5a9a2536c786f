// SPDX-License-Identifier: GPL-2.0-only
/* The dirty log in all its modes: write-protection or PML, huge or split, at once or by hand. */
#include "vm_fixture.h"

#define LOG KVM_MEM_LOG_DIRTY_PAGES

static void create(bool pml, bool eager, bool manual, bool init_set)
{
	struct tdp_vm_config config = vm_config();

	config.pml = pml;
	config.eager_page_split = eager;
	config.manual_protect = manual;
	config.init_set = init_set;
	vm_create(&config);
}

/* Bitmap of slot 0; up to 1024 pages. */
static u64 bitmap[16];

static void get_log(void)
{
	memset(bitmap, 0xa5, sizeof(bitmap));
	assert_int_equal(kvm_vm_ioctl_get_dirty_log(kvm, 0, bitmap, ARRAY_SIZE(bitmap)), 0);
}

static u64 count(u64 words)
{
	u64 i, n = 0;

	for (i = 0; i < words; i++)
		n += __builtin_popcountll(bitmap[i]);
	return n;
}

static bool logged(u64 page)
{
	return bitmap[page / 64] >> page % 64 & 1;
}

/* The CPU with PML: what it sets D for, it logs. */
static gfn_t pml_buffer[64];
static int pml_entries;

static void pml_drain(void)
{
	int i;

	for (i = 0; i < pml_entries; i++)
		kvm_vcpu_mark_page_dirty(vcpu, pml_buffer[i]);
	pml_entries = 0;
}

static int guest_write_pml(gfn_t gfn)
{
	int level, faults = guest(gfn, READ);
	u64 *sptep = hw_walk(gfn, &level);
	bool logs = !(*sptep & VMX_EPT_DIRTY_BIT) && hw_allowed(*sptep, WRITE);

	faults += guest(gfn, WRITE);
	if (logs && pml_entries < 64)
		pml_buffer[pml_entries++] = gfn;
	return faults;
}

static void test_bad_arguments(void **state)
{
	u64 word = ~0ULL;

	(void)state;
	create(false, false, false, false);
	assert_int_equal(set_slot(0, 0, 100, 0, 0), 0);
	assert_int_equal(kvm_vm_ioctl_get_dirty_log(NULL, 0, bitmap, 2), -EINVAL);
	assert_int_equal(kvm_vm_ioctl_get_dirty_log(kvm, 0, NULL, 2), -EINVAL);
	assert_int_equal(kvm_vm_ioctl_get_dirty_log(kvm, 0, bitmap, 2), -ENOENT);
	assert_int_equal(kvm_vm_ioctl_get_dirty_log(kvm, 7, bitmap, 2), -ENOENT);
	assert_int_equal(kvm_vm_ioctl_get_dirty_log(kvm, 2u << 16, bitmap, 2), -EINVAL);
	assert_int_equal(set_slot(0, 0, 100, 0, LOG), 0);
	assert_int_equal(kvm_vm_ioctl_get_dirty_log(kvm, 0, bitmap, 1), -EINVAL);
	assert_int_equal(kvm_vm_ioctl_clear_dirty_log(kvm, 0, 1, 64, &word), -EINVAL);
	assert_int_equal(kvm_vm_ioctl_clear_dirty_log(kvm, 0, 0, 63, &word), -EINVAL);
	assert_int_equal(kvm_vm_ioctl_clear_dirty_log(kvm, 0, 64, 37, &word), -EINVAL);
	assert_int_equal(kvm_vm_ioctl_clear_dirty_log(kvm, 0, 128, 0, &word), -EINVAL);
	assert_int_equal(kvm_vm_ioctl_clear_dirty_log(kvm, 0, 0, 64, NULL), -EINVAL);
	assert_int_equal(kvm_vm_ioctl_clear_dirty_log(kvm, 1, 0, 64, &word), -ENOENT);
	assert_int_equal(kvm_vm_ioctl_clear_dirty_log(kvm, 0, 64, 36, &word), 0);
	assert_int_equal(kvm_mmu_slot_try_split_huge_pages(kvm, 5, PG_LEVEL_4K), -EINVAL);
	assert_int_equal(kvm_mmu_slot_try_split_huge_pages(kvm, 0, PG_LEVEL_1G), -EINVAL);
	assert_int_equal(kvm_mmu_slot_gfn_write_protect(kvm, 0, 100, PG_LEVEL_4K), -EINVAL);
	assert_int_equal(kvm_mmu_slot_gfn_write_protect(kvm, 0, 0, 4), -EINVAL);
	vm_destroy();
}

/* Write-protection: a write faults once per page and harvest. */
static void test_get(void **state)
{
	int round;

	(void)state;
	create(false, false, false, false);
	assert_int_equal(set_slot(0, 100, 130, 0, 0), 0);
	guest(103, WRITE);
	guest(229, WRITE);
	assert_int_equal(set_slot(0, 100, 130, 0, LOG), 0);
	get_log();
	assert_int_equal(count(3), 0);
	for (round = 0; round < 3; round++) {
		assert_int_equal(guest(103, WRITE), 1);
		assert_int_equal(guest(103, WRITE), 0);
		assert_int_equal(guest(229, WRITE), 1);
		seen.flushes = 0;
		get_log();
		assert_int_equal(count(3), 2);
		assert_true(logged(3) && logged(129));
		assert_int_equal(seen.flushes, 1);
		assert_int_equal(seen.flush_gfn, 100);
		assert_int_equal(seen.flush_nr, 130);
		get_log();
		assert_int_equal(count(3), 0);
		assert_int_equal(seen.flushes, 1);
	}
	/* Words beyond the slot are the caller's. */
	assert_int_equal(bitmap[3], 0xa5a5a5a5a5a5a5a5);
	vm_destroy();
}

/* What KVM writes itself is in the log, too. */
static void test_mark(void **state)
{
	(void)state;
	create(false, false, false, false);
	assert_int_equal(set_slot(0, 0, 64, 0, LOG), 0);
	kvm_vcpu_mark_page_dirty(vcpu, 7);
	kvm_vcpu_mark_page_dirty(vcpu, 64);
	kvm_vcpu_mark_page_dirty(NULL, 1);
	get_log();
	assert_int_equal(bitmap[0], 1ULL << 7);
	vm_destroy();
}

static void test_manual(void **state)
{
	u64 mask = 1ULL << 9;

	(void)state;
	create(false, false, true, false);
	assert_int_equal(set_slot(0, 0, 128, 0, LOG), 0);
	guest(9, WRITE);
	guest(70, WRITE);
	get_log();
	get_log();
	assert_true(logged(9) && logged(70));
	assert_int_equal(guest(9, WRITE), 0);
	/* Bits that are not set stay out of it, also beyond the slot's end. */
	assert_int_equal(kvm_vm_ioctl_clear_dirty_log(kvm, 0, 0, 64, &mask), 0);
	get_log();
	assert_false(logged(9));
	assert_true(logged(70));
	assert_int_equal(guest(9, WRITE), 1);
	assert_int_equal(guest(70, WRITE), 0);
	get_log();
	assert_true(logged(9));
	vm_destroy();
}

/* Huge pages when logging begins: the first write to each makes small ones. */
static void huge_pages(void)
{
	host.level = PG_LEVEL_2M;
	assert_int_equal(set_slot(0, 0, 1024, 0, 0), 0);
	guest(3, WRITE);
	guest(600, WRITE);
	assert_int_equal(vm_stat().pages[1], 2);
	assert_int_equal(set_slot(0, 0, 1024, 0, LOG), 0);
}

static void test_huge_lazy(void **state)
{
	(void)state;
	create(false, false, false, false);
	huge_pages();
	assert_int_equal(vm_stat().pages[1], 2);
	assert_int_equal(guest(5, READ), 0);
	assert_int_equal(guest(5, WRITE), 1);
	assert_int_equal(leaf_level(5), PG_LEVEL_4K);
	assert_false(is_writable_pte(leaf(6)));
	assert_int_equal(vm_stat().splits, 1);
	assert_int_equal(leaf_level(600), PG_LEVEL_2M);
	get_log();
	assert_int_equal(count(16), 1);
	assert_true(logged(5));
	assert_int_equal(guest(6, WRITE), 1);
	assert_int_equal(vm_stat().pf_fast, 1);
	get_log();
	assert_int_equal(count(16), 1);
	assert_true(logged(6));
	vm_destroy();
}

static void test_huge_zap_policy(void **state)
{
	struct tdp_vm_config config = vm_config();

	(void)state;
	config.fault_policy = TDP_FAULT_ZAP;
	vm_create(&config);
	huge_pages();
	assert_int_equal(guest(5, WRITE), 1);
	assert_int_equal(leaf_level(5), PG_LEVEL_4K);
	assert_int_equal(leaf_level(6), 0);
	assert_true(host.dirty[0]);
	get_log();
	assert_int_equal(count(16), 1);
	assert_int_equal(guest(6, READ), 1);
	vm_destroy();
}

static void test_huge_eager(void **state)
{
	(void)state;
	create(false, true, false, false);
	huge_pages();
	assert_int_equal(vm_stat().splits, 2);
	assert_int_equal(vm_stat().pages[0], 1024);
	assert_false(is_writable_pte(leaf(1023)));
	assert_int_equal(guest(1023, WRITE), 1);
	assert_int_equal(vm_stat().pf_fast, 1);
	get_log();
	assert_int_equal(count(16), 1);
	vm_destroy();
}

/* Begin with all dirty: nothing is protected until it is cleared. */
static void init_set(bool eager)
{
	u64 mask = 1ULL << 5, level = eager ? PG_LEVEL_4K : PG_LEVEL_2M;

	create(false, eager, true, true);
	huge_pages();
	assert_int_equal(vm_stat().pages[1], 2);
	assert_true(is_writable_pte(leaf(5)));
	get_log();
	assert_int_equal(count(16), 1024);
	assert_int_equal(guest(5, WRITE), 0);
	assert_int_equal(kvm_vm_ioctl_clear_dirty_log(kvm, 0, 0, 64, &mask), 0);
	assert_int_equal(leaf_level(5), level);
	assert_false(is_writable_pte(leaf(5)));
	assert_int_equal(leaf_level(600), PG_LEVEL_2M);
	assert_true(is_writable_pte(leaf(600)));
	get_log();
	assert_int_equal(count(16), 1023);
	assert_int_equal(guest(5, WRITE), 1);
	get_log();
	assert_int_equal(count(16), 1024);
	vm_destroy();
}

static void test_init_set(void **state)
{
	(void)state;
	init_set(false);
	init_set(true);
}

/*
 * A word of the bitmap may lie in two huge pages, as the slot begins where it likes; the
 * last page of the word may be the first of the second.
 */
static void test_init_set_two_huge_pages(void **state)
{
	u64 mask = 1ULL << 61 | 1ULL << 63;

	(void)state;
	create(false, false, true, true);
	host.level = PG_LEVEL_2M;
	assert_int_equal(set_slot(0, 1024 - 63, 1024, 1024 - 63, 0), 0);
	guest(1023, WRITE);
	guest(1024, WRITE);
	assert_int_equal(leaf_level(1024), PG_LEVEL_2M);
	assert_int_equal(set_slot(0, 1024 - 63, 1024, 1024 - 63, LOG), 0);
	assert_int_equal(kvm_vm_ioctl_clear_dirty_log(kvm, 0, 0, 64, &mask), 0);
	assert_false(is_writable_pte(leaf(1024)));
	assert_int_equal(guest(1024, WRITE), 1);
	get_log();
	assert_true(logged(63));
	assert_false(logged(61));
	vm_destroy();
}

static void test_pml(void **state)
{
	(void)state;
	create(true, false, false, false);
	seen.on_drain = pml_drain;
	assert_int_equal(set_slot(0, 0, 64, 0, 0), 0);
	guest_write_pml(3);
	pml_entries = 0; /* PML is off as long as nothing is logged */
	assert_int_equal(set_slot(0, 0, 64, 0, LOG), 0);
	assert_int_equal(seen.drains, 1);
	assert_true(is_writable_pte(leaf(3)));
	assert_int_equal(leaf(3) & VMX_EPT_DIRTY_BIT, 0);
	assert_int_equal(guest_write_pml(3), 0);
	seen.drains = 0;
	get_log();
	assert_int_equal(seen.drains, 1);
	assert_int_equal(bitmap[0], 1ULL << 3);
	assert_true(host.dirty[3]);
	assert_int_equal(guest_write_pml(3), 0);
	get_log();
	assert_int_equal(bitmap[0], 1ULL << 3);
	/* A second slot changes nothing for the CPU. */
	seen.drains = 0;
	assert_int_equal(set_slot(1, 100, 64, 100, LOG), 0);
	assert_int_equal(seen.drains, 0);
	assert_int_equal(set_slot(1, 100, 64, 100, 0), 0);
	assert_int_equal(seen.drains, 0);
	assert_int_equal(set_slot(0, 0, 64, 0, 0), 0);
	assert_int_equal(seen.drains, 1);
	seen.on_drain = NULL;
	vm_destroy();
}

/* A nested guest's gpas are not what the log wants: its writes are intercepted even with PML. */
static void test_pml_guest_mode(void **state)
{
	(void)state;
	create(true, false, false, false);
	assert_int_equal(set_slot(0, 0, 64, 0, 0), 0);
	assert_int_equal(kvm_vcpu_set_mode(vcpu, false, true), 0);
	guest(3, WRITE);
	assert_int_equal(set_slot(0, 0, 64, 0, LOG), 0);
	assert_false(is_writable_pte(leaf(3)));
	assert_int_equal(guest(3, WRITE), 1);
	get_log();
	assert_int_equal(bitmap[0], 1ULL << 3);
	assert_int_equal(guest(3, WRITE), 1);
	vm_destroy();
}

static void test_stop_collapses(void **state)
{
	int i;

	(void)state;
	create(false, false, false, false);
	huge_pages();
	for (i = 0; i < 512; i++)
		guest(i, WRITE);
	assert_int_equal(vm_stat().pages[0], 512);
	assert_int_equal(set_slot(0, 0, 1024, 0, 0), 0);
	assert_int_equal(vm_stat().pages[0], 0);
	assert_int_equal(guest(9, WRITE), 1);
	assert_int_equal(leaf_level(9), PG_LEVEL_2M);
	assert_int_equal(kvm_vm_ioctl_get_dirty_log(kvm, 0, bitmap, 16), -ENOENT);
	vm_destroy();
}

/* A slot that is moved or deleted while it is logged; and a read-only one. */
static void test_slot_changes(void **state)
{
	(void)state;
	create(false, false, false, false);
	assert_int_equal(set_slot(0, 0, 64, 0, LOG), 0);
	guest(3, WRITE);
	assert_int_equal(set_slot(0, 100, 64, 0, LOG), 0);
	get_log();
	assert_int_equal(bitmap[0], 1ULL << 3);
	guest(104, WRITE);
	get_log();
	assert_int_equal(bitmap[0], 1ULL << 4);
	assert_int_equal(set_slot(0, 0, 0, 0, 0), 0);
	assert_int_equal(set_slot(0, 0, 64, 0, KVM_MEM_READONLY), 0);
	seen.flushes = 0;
	assert_int_equal(set_slot(0, 0, 64, 0, KVM_MEM_READONLY | LOG), 0);
	assert_int_equal(seen.flushes, 0);
	assert_int_equal(set_slot(0, 0, 64, 0, KVM_MEM_READONLY), 0);
	vm_destroy();
}

static void test_split_by_hand(void **state)
{
	(void)state;
	create(false, false, false, false);
	host.level = PG_LEVEL_1G;
	assert_int_equal(set_slot(0, 0, PAGES_1G, 0, 0), 0);
	guest(1, WRITE);
	assert_int_equal(kvm_mmu_slot_try_split_huge_pages(kvm, 0, PG_LEVEL_2M), 0);
	assert_int_equal(vm_stat().pages[1], 512);
	assert_int_equal(kvm_mmu_slot_try_split_huge_pages(kvm, 0, PG_LEVEL_4K), 0);
	assert_int_equal(vm_stat().pages[0], PAGES_1G);
	assert_int_equal(vm_stat().tdp_mmu_pages, 1 + 1 + 512);
	assert_int_equal(spte_to_pfn(leaf(PAGES_1G - 1)), HOST_PFN + PAGES_1G - 1);
	vm_destroy();
}

static void test_write_protect(void **state)
{
	(void)state;
	create(false, false, false, false);
	assert_int_equal(set_slot(0, 0, 64, 0, 0), 0);
	guest(3, WRITE);
	assert_int_equal(kvm_mmu_slot_gfn_write_protect(kvm, 0, 3, PG_LEVEL_2M), 0);
	assert_int_equal(kvm_mmu_slot_gfn_write_protect(kvm, 0, 3, PG_LEVEL_4K), 1);
	assert_int_equal(seen.flushes, 1);
	assert_int_equal(kvm_mmu_slot_gfn_write_protect(kvm, 0, 3, PG_LEVEL_4K), 0);
	assert_int_equal(seen.flushes, 1);
	/* MMU-writable is gone: this is no fault for the fast path. */
	assert_int_equal(guest(3, WRITE), 1);
	assert_int_equal(vm_stat().pf_fast, 0);
	vm_destroy();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_arguments),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_mark),
		cmocka_unit_test(test_manual),
		cmocka_unit_test(test_huge_lazy),
		cmocka_unit_test(test_huge_zap_policy),
		cmocka_unit_test(test_huge_eager),
		cmocka_unit_test(test_init_set),
		cmocka_unit_test(test_init_set_two_huge_pages),
		cmocka_unit_test(test_pml),
		cmocka_unit_test(test_pml_guest_mode),
		cmocka_unit_test(test_stop_collapses),
		cmocka_unit_test(test_slot_changes),
		cmocka_unit_test(test_split_by_hand),
		cmocka_unit_test(test_write_protect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
