// SPDX-License-Identifier: GPL-2.0-only
/* Life of a VM: what configurations are refused, and what happens when memory runs out. */
#include "vm_fixture.h"

#define LOG KVM_MEM_LOG_DIRTY_PAGES

static void refused(struct tdp_vm_config config)
{
	assert_int_equal(kvm_create_vm(&config, &host_ops, &host, &kvm), -EINVAL);
}

#define REFUSED(member, value)                             \
	do {                                               \
		struct tdp_vm_config config = vm_config(); \
		config.member = value;                     \
		refused(config);                           \
	} while (0)

static void test_configurations(void **state)
{
	struct tdp_vm_config config = vm_config();
	struct tdp_host_ops ops = host_ops;

	(void)state;
	assert_int_equal(kvm_create_vm(NULL, &host_ops, &host, &kvm), -EINVAL);
	assert_int_equal(kvm_create_vm(&config, NULL, &host, &kvm), -EINVAL);
	assert_int_equal(kvm_create_vm(&config, &host_ops, &host, NULL), -EINVAL);
	ops.mapping_level = NULL;
	assert_int_equal(kvm_create_vm(&config, &ops, &host, &kvm), -EINVAL);

	REFUSED(mmu, (enum tdp_mmu_kind)2);
	REFUSED(fault_policy, (enum tdp_fault_policy)2);
	REFUSED(root_level, 3);
	REFUSED(root_level, 6);
	REFUSED(maxphyaddr, 35);
	REFUSED(maxphyaddr, 53);
	REFUSED(cachebits, 53);
	REFUSED(me_value, 1ULL << 47);
	REFUSED(me_mask, 1ULL << 52);
	REFUSED(me_mask, 1ULL << 11);
	REFUSED(memslots_generation, 1ULL << 62);
	REFUSED(init_set, true);

	config.pml = true;
	config.ad = false;
	refused(config);
	config = vm_config();
	config.pml = true;
	config.mmu = TDP_MMU_NPT;
	refused(config);
	config = vm_config();
	config.l1tf = true;
	config.cachebits = 47;
	refused(config);
	config.cachebits = 44;
	refused(config);
}

/* Every kind of MMU maps, is logged, and goes. */
static void test_kinds(void **state)
{
	unsigned int bits;
	u64 bitmap;

	(void)state;
	for (bits = 0; bits < 256; bits++) {
		struct tdp_vm_config config = vm_config();
		int level;
		u64 spte;

		config.mmu = bits & 1 ? TDP_MMU_NPT : TDP_MMU_EPT;
		config.ad = bits & 2;
		config.root_level = bits & 4 ? 5 : 4;
		config.nx_huge_pages = bits & 8;
		config.l1tf = bits & 16;
		config.fault_policy = bits & 32 ? TDP_FAULT_ZAP : TDP_FAULT_SPLIT;
		config.pml = bits & 64 && config.mmu == TDP_MMU_EPT && config.ad;
		config.maxphyaddr = bits & 128 ? 40 : 46;
		vm_create(&config);
		host.level = PG_LEVEL_2M;
		assert_int_equal(set_slot(0, 0, 1024, 0, 0), 0);
		assert_int_equal(kvm_vcpu_enter_guest(vcpu), 0);
		assert_int_equal(kvm_mmu_page_fault(vcpu, 5 << PAGE_SHIFT, PFERR_WRITE_MASK),
				 RET_PF_FIXED);
		spte = kvm_vcpu_get_spte(vcpu, 5 << PAGE_SHIFT, &level);
		assert_int_equal(level, PG_LEVEL_2M);
		assert_int_equal(spte_to_pfn(spte), HOST_PFN);
		assert_int_equal(set_slot(0, 0, 1024, 0, LOG), 0);
		assert_int_equal(kvm_mmu_page_fault(vcpu, 6 << PAGE_SHIFT,
						    PFERR_WRITE_MASK | PFERR_PRESENT_MASK),
				 RET_PF_FIXED);
		spte = kvm_vcpu_get_spte(vcpu, 6 << PAGE_SHIFT, &level);
		assert_int_equal(level, PG_LEVEL_4K);
		assert_int_equal(spte_to_pfn(spte), HOST_PFN + 6);
		assert_true(is_writable_pte(spte));
		assert_int_equal(set_slot(0, 0, 1024, 0, 0), 0);
		assert_int_equal(set_slot(1, 2048, 64, 2048, LOG), 0);
		assert_int_equal(kvm_mmu_page_fault(vcpu, 2050 << PAGE_SHIFT, PFERR_WRITE_MASK),
				 RET_PF_FIXED);
		assert_int_equal(kvm_vm_ioctl_get_dirty_log(kvm, 1, &bitmap, 1), 0);
		assert_int_equal(bitmap, 1ULL << 2);
		vm_destroy();
	}
}

static void test_null(void **state)
{
	struct kvm_page_stat pages = { .tdp_mmu_pages = 1 };
	struct kvm_vm_stat stat;
	int level = 7;

	(void)state;
	kvm_destroy_vm(NULL);
	kvm_mmu_unload(NULL);
	kvm_mmu_zap_all(NULL);
	kvm_mmu_zap_all_fast(NULL);
	kvm_mmu_invalidate_mmio_sptes(NULL, 0);
	kvm_vm_get_stat(NULL, &stat);
	assert_int_equal(stat.pf_taken, 0);
	kvm_vm_get_page_stat(NULL, &pages);
	assert_int_equal(pages.tdp_mmu_pages, 0);
	assert_int_equal(kvm_create_vcpu(NULL, &vcpu), -EINVAL);
	assert_int_equal(kvm_vcpu_enter_guest(NULL), -EINVAL);
	assert_int_equal(kvm_mmu_load(NULL), -EINVAL);
	assert_int_equal(kvm_vcpu_set_mode(NULL, true, true), -EINVAL);
	assert_int_equal(kvm_vcpu_root_hpa(NULL), INVALID_PAGE);
	assert_int_equal(kvm_mmu_page_fault(NULL, 0, 0), -EINVAL);
	assert_int_equal(kvm_arch_vcpu_pre_fault_memory(NULL, 0, 1), -EINVAL);
	assert_int_equal(kvm_vcpu_get_spte(NULL, 0, &level), 0);
	assert_int_equal(level, 0);
	assert_int_equal(kvm_memslots_generation(NULL, 0), 0);
	assert_int_equal(kvm_vcpu_mmio_gfn(NULL), 0);
	assert_int_equal(kvm_vcpu_tlb_flushes(NULL), 0);
	kvm_vcpu_mark_page_dirty(NULL, 0);
	assert_int_equal(kvm_set_nx_huge_pages(NULL, true), -EINVAL);
	assert_int_equal(kvm_recover_nx_huge_pages(NULL), -EINVAL);
	assert_int_equal(kvm_write_track_add_gfn(NULL, 0, 0), -EINVAL);
	assert_int_equal(kvm_write_track_remove_gfn(NULL, 0, 0), -EINVAL);
	assert_int_equal(kvm_mmu_slot_try_split_huge_pages(NULL, 0, PG_LEVEL_4K), -EINVAL);
	assert_int_equal(kvm_mmu_slot_gfn_write_protect(NULL, 0, 0, PG_LEVEL_4K), -EINVAL);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_end(NULL, 0, 1), -EINVAL);
	assert_int_equal(kvm_mmu_notifier_clear_young(NULL, 0, 1), -EINVAL);
	assert_int_equal(kvm_mmu_notifier_clear_flush_young(NULL, 0, 1), -EINVAL);
	assert_int_equal(kvm_mmu_notifier_test_young(NULL, 0, 1), -EINVAL);
	assert_int_equal(tdp_for_each_spte(NULL, NULL, NULL), -EINVAL);
}

/* Results that nobody wants, and arguments at and beyond the ends of their ranges. */
static void test_extreme_arguments(void **state)
{
	struct tdp_vm_config config = vm_config();
	u64 bitmap[16] = { 0 };
	gfn_t gfn = ~0ULL;

	(void)state;
	vm_create(&config);
	assert_int_equal(set_slot(0, 0, 1024, 0, KVM_MEM_LOG_DIRTY_PAGES), 0);
	assert_int_equal(kvm_vcpu_enter_guest(vcpu), 0);
	assert_int_equal(kvm_mmu_page_fault(vcpu, 0, PFERR_WRITE_MASK), RET_PF_FIXED);
	assert_int_equal(kvm_mmu_page_fault(vcpu, ~0ULL, PFERR_WRITE_MASK), RET_PF_EMULATE);
	assert_true(kvm_vcpu_get_spte(vcpu, 0, NULL) & 1);
	assert_false(kvm_vcpu_get_spte(vcpu, ~0ULL, NULL) & 1);
	kvm_vm_get_stat(kvm, NULL);
	kvm_vm_get_page_stat(kvm, NULL);
	kvm_vcpu_mark_page_dirty(vcpu, gfn);
	assert_int_equal(kvm_arch_vcpu_pre_fault_memory(vcpu, gfn, 1), -EINVAL);
	assert_int_equal(kvm_arch_vcpu_pre_fault_memory(vcpu, 0, ~0ULL), 1);
	assert_int_equal(kvm_arch_vcpu_pre_fault_memory(vcpu, gfn - 5, 10), -EINVAL);
	assert_int_equal(kvm_vm_ioctl_get_dirty_log(kvm, ~0U, bitmap, 16), -EINVAL);
	assert_int_equal(kvm_vm_ioctl_clear_dirty_log(kvm, 0, ~0ULL - 63, 128, bitmap), -EINVAL);
	assert_int_equal(kvm_vm_ioctl_clear_dirty_log(kvm, 0, 64, ~0ULL - 63, bitmap), -EINVAL);
	assert_int_equal(kvm_vm_ioctl_clear_dirty_log(kvm, ~0U, 0, 64, bitmap), -EINVAL);
	assert_int_equal(kvm_mmu_slot_try_split_huge_pages(kvm, 0, PG_LEVEL_NONE), -EINVAL);
	assert_int_equal(kvm_mmu_slot_try_split_huge_pages(kvm, 0, PG_LEVEL_512G), -EINVAL);
	assert_int_equal(kvm_mmu_slot_try_split_huge_pages(kvm, ~0U, PG_LEVEL_4K), -EINVAL);
	assert_int_equal(kvm_mmu_slot_gfn_write_protect(kvm, 0, gfn, PG_LEVEL_4K), -EINVAL);
	assert_int_equal(kvm_mmu_slot_gfn_write_protect(kvm, 0, 0, PG_LEVEL_NONE), -EINVAL);
	assert_int_equal(kvm_mmu_slot_gfn_write_protect(kvm, 0, 0, PG_LEVEL_1G + 6), -EINVAL);
	assert_int_equal(kvm_write_track_add_gfn(kvm, 0, gfn), -EINVAL);
	assert_int_equal(kvm_write_track_add_gfn(kvm, 0, 1024), -EINVAL);
	assert_int_equal(kvm_write_track_add_gfn(kvm, ~0U, 0), -EINVAL);
	assert_int_equal(kvm_write_track_remove_gfn(kvm, 0, 1), -EINVAL); /* it is not tracked */
	assert_int_equal(kvm_zap_gfn_range(kvm, gfn - 1, gfn), 0);
	assert_int_equal(kvm_memslots_generation(kvm, -1), 0);
	assert_int_equal(kvm_memslots_generation(kvm, 2), 0);
	assert_int_equal(tdp_for_each_spte(kvm, NULL, NULL), -EINVAL);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(kvm, 0, 1ULL << 52), 0);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_end(kvm, 0, 1ULL << 52), 0);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_end(kvm, 0, 1), -EINVAL);
	vm_destroy();
}

static void test_vcpus(void **state)
{
	struct tdp_vm_config config = vm_config();
	struct kvm_vcpu *other;
	int level, i;

	(void)state;
	vm_create(&config);
	assert_int_equal(kvm_create_vcpu(kvm, NULL), -EINVAL);
	for (i = 1; i < 512; i++)
		assert_int_equal(kvm_create_vcpu(kvm, &other), 0);
	assert_int_equal(kvm_create_vcpu(kvm, &other), -EBUSY);
	assert_int_equal(set_slot(0, 0, 16, 0, 0), 0);
	/* vCPUs of equal role share a root, and it stays while one has it. */
	guest(3, WRITE);
	kvm_vcpu_get_spte(other, 3 << PAGE_SHIFT, &level);
	assert_int_equal(level, 0);
	assert_int_equal(kvm_mmu_load(other), 0);
	assert_int_equal(kvm_mmu_load(other), 0);
	assert_int_equal(kvm_vcpu_root_hpa(other), kvm_vcpu_root_hpa(vcpu));
	kvm_mmu_unload(vcpu);
	kvm_vcpu_get_spte(other, 3 << PAGE_SHIFT, &level);
	assert_int_equal(level, PG_LEVEL_4K);
	kvm_mmu_unload(other);
	/* Valid roots are kept for the next vCPU. */
	assert_int_equal(guest(3, READ), 0);
	/* A fault without a root cannot be. */
	kvm_mmu_unload(vcpu);
	assert_int_equal(kvm_mmu_page_fault(vcpu, 0, 0), RET_PF_RETRY);
	assert_int_equal(seen.warns, 1);
	seen.warns = 0;
	vm_destroy();
}

static void test_modes(void **state)
{
	struct tdp_vm_config config = vm_config();
	hpa_t roots[4];
	int i, j;

	(void)state;
	vm_create(&config);
	assert_int_equal(set_slot(0, 0, 16, 0, 0), 0);
	for (i = 0; i < 4; i++) {
		assert_int_equal(kvm_vcpu_set_mode(vcpu, i & 1, i & 2), 0);
		assert_int_equal(kvm_vcpu_enter_guest(vcpu), 0);
		roots[i] = kvm_vcpu_root_hpa(vcpu);
		for (j = 0; j < i; j++)
			assert_int_not_equal(roots[i], roots[j]);
	}
	kvm_mmu_zap_all(kvm);
	vm_destroy();
}

/* The limits of a 4-level root hold where the CPU's are wider. */
static void test_gpa_limit(void **state)
{
	struct tdp_vm_config config = vm_config();

	(void)state;
	config.maxphyaddr = 52;
	vm_create(&config);
	assert_int_equal(set_slot(0, 1ULL << 36, 16, 0, 0), -EINVAL);
	assert_int_equal(set_slot(0, (1ULL << 36) - 16, 16, 0, 0), 0);
	assert_int_equal(guest((1ULL << 36) - 1, WRITE), 1);
	assert_int_equal(kvm_vcpu_enter_guest(vcpu), 0);
	assert_int_equal(kvm_mmu_page_fault(vcpu, 1ULL << 48, 0), RET_PF_EMULATE);
	vm_destroy();
	config.root_level = 5;
	vm_create(&config);
	assert_int_equal(set_slot(0, 1ULL << 36, 16, 0, 0), 0);
	vm_destroy();
}

/* ---- every allocation of every operation made to fail in turn ---- */

static int op_add_slot(void)
{
	return set_slot(1, 4096, 512, 4096, LOG);
}

static int op_delete_slot(void)
{
	return set_slot(0, 0, 0, 0, 0);
}

static int op_move_slot(void)
{
	return set_slot(0, 2048, 1024, 0, 0);
}

static int op_log_start(void)
{
	return set_slot(0, 0, 1024, 0, LOG);
}

static int op_create_vcpu(void)
{
	struct kvm_vcpu *other;

	return kvm_create_vcpu(kvm, &other);
}

static int op_track(void)
{
	return kvm_write_track_add_gfn(kvm, 0, 9);
}

static int op_fault(void)
{
	int r = kvm_vcpu_enter_guest(vcpu);

	if (r)
		return r;
	r = kvm_mmu_page_fault(vcpu, 600 << PAGE_SHIFT, PFERR_WRITE_MASK);
	return r < 0 ? r : 0;
}

static int op_split_fault(void)
{
	int r = kvm_mmu_page_fault(vcpu, 9 << PAGE_SHIFT, PFERR_FETCH_MASK | PFERR_PRESENT_MASK);

	return r < 0 ? r : 0;
}

static int op_split(void)
{
	return kvm_mmu_slot_try_split_huge_pages(kvm, 0, PG_LEVEL_4K);
}

static int op_smm(void)
{
	int r = kvm_vcpu_set_mode(vcpu, true, false);

	return r ? r : kvm_vcpu_enter_guest(vcpu);
}

static int op_prefault(void)
{
	s64 r = kvm_arch_vcpu_pre_fault_memory(vcpu, 0, 1024);

	if (r > 0)
		r = kvm_arch_vcpu_pre_fault_memory(vcpu, r, 1024 - r);
	return r < 0 ? r : 0;
}

static void prepare(bool warm)
{
	struct tdp_vm_config config = vm_config();

	config.nx_huge_pages = true;
	config.eager_page_split = true;
	vm_create(&config);
	host.level = PG_LEVEL_2M;
	assert_int_equal(set_slot(0, 0, 1024, 0, 0), 0);
	if (warm)
		guest(3, WRITE);
}

/* The VM must still do all that a VM does. */
static void check_usable(void)
{
	seen.kicks = 0;
	assert_int_equal(kvm_vcpu_set_mode(vcpu, false, false), 0);
	set_slot(1, 0, 0, 0, 0);
	set_slot(0, 0, 0, 0, 0);
	assert_int_equal(set_slot(0, 0, 1024, 0, 0), 0);
	guest(3, WRITE);
	guest(4, EXEC);
	guest(700, WRITE);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_start(kvm, 0, 1024), 0);
	assert_int_equal(kvm_mmu_notifier_invalidate_range_end(kvm, 0, 1024), 0);
	assert_int_equal(vm_stat().pages[0] + vm_stat().pages[1], 0);
}

enum promise { ALL_OR_ENOMEM, MAY_DO_WITHOUT, NEVER_FAILS };

static int fail_each(bool warm, int (*op)(void), enum promise promise)
{
	struct sim_choice choice = { .kind = POINT_ALLOC, .action = SIM_FAIL };
	static struct sim_thread thread;
	int r;

	for (choice.k = 1;; choice.k++) {
		prepare(warm);
		memset(&thread, 0, sizeof(thread));
		sim_begin_op(&thread, &choice, 1);
		r = op();
		sim_end_op();
		if (choice.fired && promise == ALL_OR_ENOMEM)
			assert_int_equal(r, -ENOMEM);
		else if (!choice.fired || promise == NEVER_FAILS)
			assert_int_equal(r, 0);
		else
			assert_true(!r || r == -ENOMEM);
		check_usable();
		vm_destroy();
		if (!choice.fired)
			return choice.k - 1;
	}
}

static void test_fail_nth(void **state)
{
	(void)state;
	/* The slot, its bitmap, two sizes of huge page. */
	assert_int_equal(fail_each(false, op_add_slot, ALL_OR_ENOMEM), 4);
	/* The new slot, and the INVALID one. */
	assert_int_equal(fail_each(true, op_delete_slot, ALL_OR_ENOMEM), 1);
	assert_int_equal(fail_each(true, op_move_slot, ALL_OR_ENOMEM), 4);
	assert_int_equal(fail_each(false, op_create_vcpu, ALL_OR_ENOMEM), 1);
	assert_int_equal(fail_each(true, op_track, ALL_OR_ENOMEM), 1);
	assert_true(fail_each(false, op_fault, MAY_DO_WITHOUT) >= 2);
	assert_true(fail_each(true, op_split_fault, MAY_DO_WITHOUT) >= 1);
	assert_true(fail_each(true, op_smm, MAY_DO_WITHOUT) >= 1);
	assert_true(fail_each(true, op_prefault, MAY_DO_WITHOUT) >= 1);
	/* Splitting is a favour: without memory the page stays huge. */
	assert_true(fail_each(true, op_split, NEVER_FAILS) >= 2);
}

/* The bitmap and the slot are owed; the split is a favour here, too. */
static void test_fail_log_start(void **state)
{
	struct sim_choice choice = { .kind = POINT_ALLOC, .action = SIM_FAIL };
	static struct sim_thread thread;
	u64 bitmap[16];
	int r;

	(void)state;
	for (choice.k = 1;; choice.k++) {
		prepare(true);
		memset(&thread, 0, sizeof(thread));
		sim_begin_op(&thread, &choice, 1);
		r = op_log_start();
		sim_end_op();
		assert_int_equal(r, choice.fired && choice.k <= 2 ? -ENOMEM : 0);
		assert_int_equal(kvm_vm_ioctl_get_dirty_log(kvm, 0, bitmap, 16), r ? -ENOENT : 0);
		if (!r) {
			guest(3, WRITE);
			assert_int_equal(kvm_vm_ioctl_get_dirty_log(kvm, 0, bitmap, 16), 0);
			assert_int_equal(bitmap[0], 1 << 3);
		}
		check_usable();
		vm_destroy();
		if (!choice.fired)
			break;
	}
	assert_true(choice.k > 4);
}

static void test_fail_create(void **state)
{
	struct sim_choice choice = { .kind = POINT_ALLOC, .action = SIM_FAIL, .k = 1 };
	struct tdp_vm_config config = vm_config();
	static struct sim_thread thread;

	(void)state;
	sim_reset();
	sim_begin_op(&thread, &choice, 1);
	assert_int_equal(kvm_create_vm(&config, &host_ops, &host, &kvm), -ENOMEM);
	sim_end_op();
	assert_int_equal(sim_allocs_in_use(), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_configurations), cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_null),	       cmocka_unit_test(test_extreme_arguments),
		cmocka_unit_test(test_vcpus),	       cmocka_unit_test(test_modes),
		cmocka_unit_test(test_gpa_limit),      cmocka_unit_test(test_fail_nth),
		cmocka_unit_test(test_fail_log_start), cmocka_unit_test(test_fail_create),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
