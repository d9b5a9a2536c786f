// SPDX-License-Identifier: GPL-2.0-only
/* Faults: sizes, NX, the fast path, MMIO, races with invalidations. */
#include "vm_fixture.h"

static int setup(void **state)
{
	struct tdp_vm_config config = vm_config();

	(void)state;
	vm_create(&config);
	return 0;
}

static int setup_nx(void **state)
{
	struct tdp_vm_config config = vm_config();

	(void)state;
	config.nx_huge_pages = true;
	vm_create(&config);
	return 0;
}

static int setup_no_ad(void **state)
{
	struct tdp_vm_config config = vm_config();

	(void)state;
	config.ad = false;
	vm_create(&config);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vm_destroy();
	return 0;
}

static void test_sizes(void **state)
{
	static const int levels[] = { PG_LEVEL_4K, PG_LEVEL_2M, PG_LEVEL_1G };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		host.level = levels[i];
		assert_int_equal(set_slot(i, i * PAGES_1G, PAGES_1G, 0, 0), 0);
		assert_int_equal(guest(i * PAGES_1G + 1000, READ), 1);
		assert_int_equal(leaf_level(i * PAGES_1G + 1000), levels[i]);
		assert_int_equal(vm_stat().pages[i], 1);
	}
	assert_int_equal(spte_to_pfn(leaf(1000)), HOST_PFN + 1000);
	assert_int_equal(spte_to_pfn(leaf(PAGES_1G + 1000)), HOST_PFN + 512);
	assert_int_equal(spte_to_pfn(leaf(2 * PAGES_1G + 1000)), HOST_PFN);
	assert_int_equal(vm_stat().pf_fixed, 3);
}

/* The slot does not hold the whole huge page, or gfns and host pages are not congruent. */
static void test_sizes_disallowed(void **state)
{
	(void)state;
	host.level = PG_LEVEL_1G;
	assert_int_equal(set_slot(0, 512 + 256, PAGES_1G, 512 + 256, 0), 0);
	guest(512 + 300, READ);
	assert_int_equal(leaf_level(512 + 300), PG_LEVEL_4K);
	guest(2 * 512, READ);
	assert_int_equal(leaf_level(2 * 512), PG_LEVEL_2M);
	guest(PAGES_1G + 512 + 255, READ);
	assert_int_equal(leaf_level(PAGES_1G + 512 + 255), PG_LEVEL_4K);

	assert_int_equal(set_slot(1, 4 * PAGES_1G, PAGES_1G, 512, 0), 0);
	guest(4 * PAGES_1G, READ);
	assert_int_equal(leaf_level(4 * PAGES_1G), PG_LEVEL_2M);
	assert_int_equal(set_slot(2, 6 * PAGES_1G, PAGES_1G, 1, 0), 0);
	guest(6 * PAGES_1G, READ);
	assert_int_equal(leaf_level(6 * PAGES_1G), PG_LEVEL_4K);
}

static void test_nx_split(void **state)
{
	int i, faults = 0;

	(void)state;
	host.level = PG_LEVEL_2M;
	assert_int_equal(set_slot(0, 0, 512, 0, 0), 0);
	assert_int_equal(guest(0, WRITE), 1);
	assert_int_equal(leaf_level(0), PG_LEVEL_2M);
	for (i = 0; i < 512; i++)
		faults += guest(i, EXEC);
	/* One splits the page, into small ones that are executable. */
	assert_int_equal(faults, 1);
	assert_int_equal(leaf_level(511), PG_LEVEL_4K);
	assert_int_equal(vm_stat().pages[0], 512);
	assert_int_equal(vm_stat().splits, 1);
	assert_int_equal(vm_stat().nx_lpage_splits, 1);
}

static void test_nx_zap(void **state)
{
	struct tdp_vm_config config = vm_config();
	int i, faults = 0;

	(void)state;
	config.nx_huge_pages = true;
	config.fault_policy = TDP_FAULT_ZAP;
	vm_create(&config);
	host.level = PG_LEVEL_2M;
	assert_int_equal(set_slot(0, 0, 512, 0, 0), 0);
	guest(0, WRITE);
	for (i = 0; i < 512; i++)
		faults += guest(i, EXEC);
	assert_int_equal(faults, 512);
	assert_int_equal(vm_stat().splits, 0);
	vm_destroy();
}

/* Where the guest executes small pages, a read must not bring the huge one back. */
static void test_nx_no_huge_over_exec(void **state)
{
	(void)state;
	host.level = PG_LEVEL_1G;
	assert_int_equal(set_slot(0, 0, PAGES_1G, 0, 0), 0);
	guest(7, EXEC);
	assert_int_equal(leaf_level(7), PG_LEVEL_4K);
	guest(8, READ);
	assert_int_equal(leaf_level(8), PG_LEVEL_4K);
	assert_int_equal(spte_to_pfn(leaf(8)), HOST_PFN + 8);
	guest(512 * 5 + 3, READ);
	assert_int_equal(leaf_level(512 * 5 + 3), PG_LEVEL_2M);
	assert_int_equal(spte_to_pfn(leaf(512 * 5 + 3)), HOST_PFN + 512 * 5);
	assert_int_equal(guest(512 * 5 + 3, EXEC), 1);
	assert_int_equal(leaf_level(512 * 5 + 4), PG_LEVEL_4K);
}

static void test_fast_write_protected(void **state)
{
	u64 bitmap;

	(void)state;
	assert_int_equal(set_slot(0, 0, 64, 0, 0), 0);
	guest(5, WRITE);
	assert_int_equal(set_slot(0, 0, 64, 0, KVM_MEM_LOG_DIRTY_PAGES), 0);
	assert_false(is_writable_pte(leaf(5)));
	host.calls = 0;
	assert_int_equal(guest(5, WRITE), 1);
	assert_int_equal(vm_stat().pf_fast, 1);
	assert_int_equal(host.calls, 0);
	assert_int_equal(kvm_vm_ioctl_get_dirty_log(kvm, 0, &bitmap, 1), 0);
	assert_int_equal(bitmap, 1ULL << 5);
	/* A fault that comes late finds it done. */
	guest(5, WRITE);
	assert_int_equal(kvm_mmu_page_fault(vcpu, 5 << PAGE_SHIFT,
					    PFERR_WRITE_MASK | PFERR_PRESENT_MASK),
			 RET_PF_SPURIOUS);
}

static void test_fast_access_track(void **state)
{
	(void)state;
	assert_int_equal(set_slot(0, 0, 64, 0, 0), 0);
	guest(5, WRITE);
	assert_int_equal(kvm_mmu_notifier_clear_young(kvm, 5, 6), 1);
	assert_int_equal(leaf(5) & VMX_EPT_RWX_MASK, 0);
	assert_true(host.dirty[5]);
	assert_int_equal(kvm_mmu_notifier_test_young(kvm, 5, 6), 0);
	host.calls = 0;
	assert_int_equal(guest(5, WRITE), 1);
	assert_int_equal(host.calls, 0);
	assert_int_equal(vm_stat().pf_fast, 1);
	assert_int_equal(kvm_mmu_notifier_test_young(kvm, 5, 6), 1);
}

static void test_mmio(void **state)
{
	(void)state;
	assert_int_equal(set_slot(0, 0, 16, 0, 0), 0);
	assert_int_equal(guest_try(100, READ), RET_PF_EMULATE);
	assert_int_equal(vm_stat().pf_mmio_spte_created, 1);
	assert_int_equal(leaf(100) & VMX_EPT_RWX_MASK, VMX_EPT_MISCONFIG_WX_VALUE);
	/* From now on a misconfiguration, answered by cache or by SPTE. */
	assert_int_equal(guest_try(100, WRITE), RET_PF_EMULATE);
	assert_int_equal(guest_try(200, READ), RET_PF_EMULATE);
	assert_int_equal(guest_try(100, WRITE), RET_PF_EMULATE);
	assert_int_equal(vm_stat().pf_taken, 2);
	assert_int_equal(vm_stat().pf_emulate, 2);

	/* New slots: the SPTE is out of date, and is made anew. */
	assert_int_equal(set_slot(1, 1000, 16, 1000, 0), 0);
	assert_int_equal(guest_try(100, WRITE), RET_PF_EMULATE);
	assert_int_equal(vm_stat().pf_taken, 3);
	assert_int_equal(guest_try(100, WRITE), RET_PF_EMULATE);
	assert_int_equal(vm_stat().pf_taken, 3);

	/* A slot where the MMIO SPTE is: the fault maps it. */
	assert_int_equal(set_slot(2, 96, 16, 96, 0), 0);
	assert_int_equal(guest(100, WRITE), 1);
	assert_int_equal(spte_to_pfn(leaf(100)), HOST_PFN + 100);
	/* The SPTE has changed since the hardware saw it. */
	assert_int_equal(kvm_mmu_page_fault(vcpu, 100 << PAGE_SHIFT, PFERR_RSVD_MASK),
			 RET_PF_RETRY);
	assert_int_equal(kvm_mmu_page_fault(vcpu, 1ULL << 46, PFERR_WRITE_MASK), RET_PF_EMULATE);
}

static void test_mmio_generation_wrap(void **state)
{
	struct tdp_vm_config config = vm_config();

	(void)state;
	config.memslots_generation = (1 << 19) - 4;
	vm_create(&config);
	assert_int_equal(guest_try(100, READ), RET_PF_EMULATE);
	assert_int_equal(set_slot(0, 0, 1, 0, 0), 0);
	assert_int_equal(seen.kicks, 0);
	assert_int_equal(kvm_memslots_generation(kvm, 0), (1 << 19) - 2);
	assert_int_equal(set_slot(1, 1, 1, 1, 0), 0);
	assert_int_equal(kvm_memslots_generation(kvm, 0), 1 << 19);
	assert_int_equal(kvm_memslots_generation(kvm, 1), (1 << 19) - 3);
	assert_int_equal(seen.kicks, 1);
	vm_destroy();
}

static void test_readonly_slot(void **state)
{
	(void)state;
	assert_int_equal(set_slot(0, 0, 16, 0, KVM_MEM_READONLY), 0);
	assert_int_equal(guest(3, READ), 1);
	assert_false(is_writable_pte(leaf(3)));
	assert_int_equal(guest_try(3, WRITE), RET_PF_EMULATE);
	assert_int_equal(guest(3, READ), 0);
}

static void test_host_readonly(void **state)
{
	(void)state;
	host.readonly = true;
	assert_int_equal(set_slot(0, 0, 16, 0, 0), 0);
	guest(3, READ);
	assert_false(is_writable_pte(leaf(3)));
	host.readonly = false;
	assert_int_equal(guest(3, WRITE), 1);
	assert_true(is_writable_pte(leaf(3)));

	host.readonly = true;
	assert_int_equal(guest(4, READ), 1);
	/* The host breaks copy-on-write. */
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(kvm, 3, 4), 0);
	host.readonly = false;
	host.shift = 0x1000;
	assert_int_equal(kvm_mmu_notifier_invalidate_range_end(kvm, 3, 4), 0);
	assert_int_equal(guest(3, WRITE), 1);
	assert_int_equal(spte_to_pfn(leaf(3)), HOST_PFN + 0x1003);
}

static void test_host_errors(void **state)
{
	(void)state;
	assert_int_equal(set_slot(0, 0, 16, 0, 0), 0);
	host.error = -EFAULT;
	assert_int_equal(guest_try(3, READ), -EFAULT);
	host.error = -EAGAIN;
	assert_int_equal(guest_try(3, READ), RET_PF_RETRY);
	host.error = 0;
	assert_int_equal(guest(3, READ), 1);
}

static void test_device_memory(void **state)
{
	(void)state;
	host.mmio_to = 8;
	assert_int_equal(set_slot(0, 0, 16, 0, 0), 0);
	guest(3, WRITE);
	guest(9, WRITE);
	assert_int_equal((leaf(3) & VMX_EPT_MT_MASK) >> VMX_EPT_MT_EPTE_SHIFT,
			 MTRR_TYPE_UNCACHABLE);
	assert_int_equal((leaf(9) & VMX_EPT_MT_MASK) >> VMX_EPT_MT_EPTE_SHIFT, MTRR_TYPE_WRBACK);
}

static void invalidate_page_3(void)
{
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(kvm, 3, 4), 0);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_end(kvm, 3, 4), 0);
}

static void invalidate_page_9(void)
{
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(kvm, 9, 10), 0);
	host.during_fault_in = NULL;
}

/* The pfn is looked up, then the page is taken away: the fault must not map the old frame. */
static void test_invalidated_since_lookup(void **state)
{
	(void)state;
	assert_int_equal(set_slot(0, 0, 16, 0, 0), 0);
	host.during_fault_in = invalidate_page_3;
	assert_int_equal(guest_try(3, READ), RET_PF_RETRY);
	assert_int_equal(leaf_level(3), 0);
	host.during_fault_in = NULL;
	assert_int_equal(guest(3, READ), 1);
}

static void test_invalidation_in_progress(void **state)
{
	(void)state;
	assert_int_equal(set_slot(0, 0, 16, 0, 0), 0);
	guest(3, WRITE);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(kvm, 2, 5), 0);
	assert_int_equal(leaf_level(3), 0);
	assert_int_equal(seen.flushes, 1);
	assert_true(host.dirty[3]);
	host.calls = 0;
	assert_int_equal(guest_try(3, READ), RET_PF_RETRY);
	assert_int_equal(host.calls, 0);
	assert_int_equal(guest(9, READ), 1);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_end(kvm, 2, 5), 0);
	assert_int_equal(guest(3, READ), 1);

	/* One begins, elsewhere, between look-up and mapping: no reason to retry. */
	host.during_fault_in = invalidate_page_9;
	assert_int_equal(guest(4, READ), 1);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_end(kvm, 9, 10), 0);
}

static void zap_all_fast(void)
{
	kvm_mmu_zap_all_fast(kvm);
	host.during_fault_in = NULL;
}

static void test_root_obsolete(void **state)
{
	hpa_t root;

	(void)state;
	assert_int_equal(set_slot(0, 0, 16, 0, 0), 0);
	guest(1, READ);
	root = kvm_vcpu_root_hpa(vcpu);
	host.during_fault_in = zap_all_fast;
	assert_int_equal(guest_try(3, READ), RET_PF_RETRY);
	assert_int_equal(kvm_vcpu_root_hpa(vcpu), root);
	assert_int_equal(seen.kicks, 1);
	assert_int_equal(guest(3, READ), 1);
	assert_int_not_equal(kvm_vcpu_root_hpa(vcpu), root);
	assert_int_equal(leaf_level(1), 0);
}

static void test_prefault(void **state)
{
	(void)state;
	host.level = PG_LEVEL_2M;
	assert_int_equal(set_slot(0, 0, 2048, 0, 0), 0);
	assert_int_equal(kvm_arch_vcpu_pre_fault_memory(vcpu, 700, 1), 1);
	assert_int_equal(leaf_level(700), PG_LEVEL_2M);
	assert_int_equal(guest(700, READ), 0);
	assert_int_equal(kvm_arch_vcpu_pre_fault_memory(vcpu, 4000, 1), -ENOENT);
	/* What is left of the huge page; the next whole; a part of the third. */
	assert_int_equal(kvm_arch_vcpu_pre_fault_memory(vcpu, 300, 1000), 212);
	assert_int_equal(kvm_arch_vcpu_pre_fault_memory(vcpu, 512, 788), 512);
	assert_int_equal(kvm_arch_vcpu_pre_fault_memory(vcpu, 1024, 276), 276);
	assert_int_equal(vm_stat().pages[1], 3);
	assert_int_equal(kvm_arch_vcpu_pre_fault_memory(vcpu, 2000, 100), 48);
	assert_int_equal(kvm_arch_vcpu_pre_fault_memory(vcpu, 2048, 1), -ENOENT);
	assert_int_equal(vm_stat().pf_taken, 0);
	/* An obsolete root is left, not tried again and again. */
	kvm_mmu_zap_all_fast(kvm);
	assert_int_equal(kvm_arch_vcpu_pre_fault_memory(vcpu, 700, 1), 1);
	assert_int_equal(kvm_arch_vcpu_pre_fault_memory(vcpu, 0, 0), -EINVAL);
	assert_int_equal(kvm_arch_vcpu_pre_fault_memory(vcpu, 1ULL << 34, 1), -EINVAL);
}

/* The host has a huge page now: it takes the page table's place, entries and all. */
static void test_huge_over_table(void **state)
{
	(void)state;
	assert_int_equal(set_slot(0, 0, 1024, 0, 0), 0);
	guest(3, READ);
	host.level = PG_LEVEL_2M;
	seen.flushes = 0;
	assert_int_equal(guest(4, READ), 1);
	assert_int_equal(leaf_level(4), PG_LEVEL_2M);
	assert_int_equal(leaf_level(3), PG_LEVEL_2M);
	assert_true(seen.flushes);
	assert_int_equal(vm_stat().pages[0], 0);
	assert_int_equal(vm_stat().pages[1], 1);
}

/* ---- other CPUs in the middle ---- */

static void fault_in_dying_slot(void)
{
	assert_int_equal(guest_try(3, READ), RET_PF_RETRY);
	assert_int_equal(kvm_arch_vcpu_pre_fault_memory(vcpu, 3, 1), -EAGAIN);
	assert_int_equal(guest(100, READ), 1);
}

/* Between the INVALID slot and its end, nothing of it is mapped, nor taken for MMIO. */
static void test_slot_being_deleted(void **state)
{
	(void)state;
	assert_int_equal(set_slot(0, 0, 16, 0, 0), 0);
	assert_int_equal(set_slot(1, 96, 16, 96, 0), 0);
	do_meanwhile(POINT_SYNC, 1, fault_in_dying_slot);
	assert_int_equal(set_slot(0, 0, 0, 0, 0), 0);
	assert_null(meanwhile.fn);
	assert_int_equal(guest_try(3, READ), RET_PF_EMULATE);
}

static void mmio_during_update(void)
{
	u64 taken = vm_stat().pf_taken;

	assert_int_not_equal(kvm_memslots_generation(kvm, 0) >> 63, 0);
	/* Neither the cache nor the SPTE is believed; nor are they afterwards. */
	assert_int_equal(guest_try(100, READ), RET_PF_EMULATE);
	assert_int_equal(vm_stat().pf_taken, taken + 1);
	assert_int_equal(guest_try(100, READ), RET_PF_EMULATE);
	assert_int_equal(vm_stat().pf_taken, taken + 2);
}

static void test_mmio_during_update(void **state)
{
	u64 taken;

	(void)state;
	assert_int_equal(guest_try(100, READ), RET_PF_EMULATE);
	do_meanwhile(POINT_SYNC, 1, mmio_during_update);
	assert_int_equal(set_slot(0, 0, 16, 0, 0), 0);
	assert_null(meanwhile.fn);
	taken = vm_stat().pf_taken;
	assert_int_equal(guest_try(100, READ), RET_PF_EMULATE);
	assert_int_equal(vm_stat().pf_taken, taken + 1);
	assert_int_equal(guest_try(100, READ), RET_PF_EMULATE);
	assert_int_equal(vm_stat().pf_taken, taken + 1);
}

/* A slot takes the place of MMIO between the exit and its handling. */
static void test_mmio_spte_gone(void **state)
{
	(void)state;
	assert_int_equal(guest_try(100, READ), RET_PF_EMULATE);
	assert_int_equal(set_slot(0, 96, 16, 96, 0), 0);
	assert_int_equal(guest(100, READ), 1);
	assert_int_equal(kvm_mmu_page_fault(vcpu, 100 << PAGE_SHIFT, PFERR_RSVD_MASK),
			 RET_PF_RETRY);
}

static void other_cpu_uses_page_5(void)
{
	int level;

	*hw_walk(5, &level) ^= VMX_EPT_ACCESS_BIT;
}

/* The SPTE changes under the fast path: it looks again, but not for ever. */
static void fast_race(u32 times, bool fast)
{
	assert_int_equal(set_slot(0, 0, 64, 0, 0), 0);
	guest(5, WRITE);
	assert_int_equal(set_slot(0, 0, 64, 0, KVM_MEM_LOG_DIRTY_PAGES), 0);
	do_meanwhile(POINT_CMPXCHG, times, other_cpu_uses_page_5);
	assert_int_equal(guest_try(5, WRITE), RET_PF_FIXED);
	assert_int_equal(vm_stat().pf_fast, fast);
	assert_null(meanwhile.fn);
	assert_int_equal(guest(5, WRITE), 0);
}

static void test_fast_retries(void **state)
{
	(void)state;
	fast_race(4, true);
}

static void test_fast_gives_up(void **state)
{
	(void)state;
	fast_race(5, false);
}

static void unmap_page_5(void)
{
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(kvm, 5, 6), 0);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_end(kvm, 5, 6), 0);
}

static void test_fast_unmapped(void **state)
{
	(void)state;
	assert_int_equal(set_slot(0, 0, 64, 0, 0), 0);
	guest(5, WRITE);
	assert_int_equal(set_slot(0, 0, 64, 0, KVM_MEM_LOG_DIRTY_PAGES), 0);
	do_meanwhile(POINT_CMPXCHG, 1, unmap_page_5);
	assert_int_equal(guest_try(5, WRITE), RET_PF_FIXED);
	assert_int_equal(vm_stat().pf_fast, 0);
	assert_null(meanwhile.fn);
}

/* An invalidation begins after the last look at the sequence, before mmu_lock is taken. */
static void test_invalidated_before_lock(void **state)
{
	(void)state;
	assert_int_equal(set_slot(0, 0, 64, 0, 0), 0);
	assert_int_equal(guest(4, READ), 1);
	do_meanwhile(POINT_READ_LOCK, 1, unmap_page_5);
	assert_int_equal(guest_try(5, READ), RET_PF_RETRY);
	assert_int_equal(leaf_level(5), 0);
	assert_null(meanwhile.fn);
}

static void test_invalidation_before_lock(void **state)
{
	(void)state;
	assert_int_equal(set_slot(0, 0, 64, 0, 0), 0);
	assert_int_equal(guest(4, READ), 1);
	do_meanwhile(POINT_READ_LOCK, 1, invalidate_page_9);
	assert_int_equal(guest_try(9, READ), RET_PF_RETRY);
	assert_int_equal(leaf_level(9), 0);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_end(kvm, 9, 10), 0);
	assert_int_equal(guest(9, READ), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sizes_disallowed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nx_split, setup_nx, teardown),
		cmocka_unit_test(test_nx_zap),
		cmocka_unit_test_setup_teardown(test_nx_no_huge_over_exec, setup_nx, teardown),
		cmocka_unit_test_setup_teardown(test_fast_write_protected, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fast_access_track, setup_no_ad, teardown),
		cmocka_unit_test_setup_teardown(test_mmio, setup, teardown),
		cmocka_unit_test(test_mmio_generation_wrap),
		cmocka_unit_test_setup_teardown(test_readonly_slot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_host_readonly, setup, teardown),
		cmocka_unit_test_setup_teardown(test_host_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_device_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_invalidated_since_lookup, setup, teardown),
		cmocka_unit_test_setup_teardown(test_invalidation_in_progress, setup, teardown),
		cmocka_unit_test_setup_teardown(test_root_obsolete, setup, teardown),
		cmocka_unit_test_setup_teardown(test_prefault, setup, teardown),
		cmocka_unit_test_setup_teardown(test_huge_over_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slot_being_deleted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mmio_during_update, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mmio_spte_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fast_retries, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fast_gives_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fast_unmapped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_invalidated_before_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_invalidation_before_lock, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
