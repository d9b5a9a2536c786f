// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where nobody watches, walks of the native library take leaves that are alike in one go. That is to be the same
 * as one by one: two VMs get the same operations, taken at random, one of them watched, and are compared after each.
 * And a CPU that changes a leaf of such a run meanwhile loses nothing.
 */
#include <stdarg.h>
#include <pthread.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dirty_log.h"
#include "kvm_host.h"
#include "memslot.h"
#include "spte.h"

#include <tdp/native.h>
#include <tdp/tdp.h>

#define PAGES	  2048ULL /* four page tables */
#define WORDS	  (PAGES / 64)
#define FIRST_PFN 0x400000ULL
#define PFNS	  (32 * PAGES)
#define OPS	  400
#define SEEDS	  2
#define SLOT	  0
#define ROUNDS	  10000

#define NR_OPS	   15
#define FIRST_WALK 6 /* those before are about single pages */

#define ADDRESS_MASK 0x000ffffffffff000ULL

/* @points: at which walks read or changed an SPTE; @dirty, @accessed: how often the host was told so of a page */
struct vm {
	struct kvm *kvm;
	struct kvm_vcpu *vcpu;
	bool watched;
	u32 flags;
	u64 points;
	u32 dirty[PAGES], accessed[PAGES];
	u64 bitmap[WORDS];
};

struct op {
	u64 kind, first, n, bits;
};

static struct vm vms[2];
static struct vm *current = &vms[0];
static bool walks;
static u64 seed;

/* ---- what the library asks ---- */

bool native_watched(void)
{
	return current->watched;
}

bool native_point(enum point_kind kind, int level, const void *ptr)
{
	(void)level;
	(void)ptr;
	current->points += walks && (kind == POINT_READ || kind == POINT_CMPXCHG ||
				     kind == POINT_AND || kind == POINT_XCHG);
	return false;
}

static u64 below(u64 n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % n;
}

/* ---- the host ---- */

/* Frames in a row now and then do not follow one another, or end in the middle of a table. */
static kvm_pfn_t pfn_of(hvn_t hvn)
{
	const u64 shift[] = { 0, 5, 0, 0, 9, 7, 0, 0 };

	return FIRST_PFN + hvn + PAGES * (hvn / 37 % 5 == 3) + 2 * PAGES * shift[hvn / 256 % 8];
}

static hvn_t hvn_of(kvm_pfn_t pfn)
{
	static u16 hvns[PFNS];
	hvn_t hvn;

	if (!hvns[pfn_of(1) - FIRST_PFN]) {
		for (hvn = 0; hvn < PAGES; hvn++)
			hvns[pfn_of(hvn) - FIRST_PFN] = hvn;
	}
	assert_true(pfn - FIRST_PFN < PFNS);
	hvn = hvns[pfn - FIRST_PFN];
	assert_int_equal(pfn_of(hvn), pfn);
	return hvn;
}

/* Some pages are read-only. */
static int fault_in(void *host, hvn_t hvn, bool write, bool *writable, kvm_pfn_t *pfn)
{
	(void)host;
	*writable = write || hvn / 50 % 7 != 2;
	*pfn = pfn_of(hvn);
	return 0;
}

static int mapping_level(void *host, hvn_t hvn)
{
	(void)host;
	(void)hvn;
	return PG_LEVEL_4K;
}

static void set_pfn_dirty(void *host, kvm_pfn_t pfn)
{
	((struct vm *)host)->dirty[hvn_of(pfn)]++;
}

static void set_pfn_accessed(void *host, kvm_pfn_t pfn)
{
	((struct vm *)host)->accessed[hvn_of(pfn)]++;
}

static const struct tdp_host_ops host_ops = {
	.fault_in = fault_in,
	.mapping_level = mapping_level,
	.set_pfn_dirty = set_pfn_dirty,
	.set_pfn_accessed = set_pfn_accessed,
};

/* ---- operations ---- */

static int set_flags(struct vm *vm, u32 flags)
{
	const struct tdp_memory_region region = { .npages = PAGES, .flags = flags };

	vm->flags = flags;
	return kvm_set_memory_region(vm->kvm, &region);
}

static int fault(struct vm *vm, gfn_t gfn, u64 n, u64 code)
{
	int r = 0;

	for (; n--; gfn++)
		r |= kvm_mmu_page_fault(vm->vcpu, gfn << PAGE_SHIFT, code);
	return r;
}

/* NULL if it is not mapped by a 4K page. */
static u64 *sptep_of(struct vm *vm, gfn_t gfn)
{
	hpa_t table = kvm_vcpu_root_hpa(vm->vcpu);
	u64 *sptep;
	int level;

	for (level = PT64_ROOT_4LEVEL;; level--) {
		sptep = tdp_spte_at(table +
				    (gfn >> KVM_HPAGE_GFN_SHIFT(level) & (SPTE_ENT_PER_PAGE - 1)) *
					    sizeof(u64));
		if (!is_shadow_present_pte(*sptep))
			return NULL;
		if (level == PG_LEVEL_4K)
			return sptep;
		table = *sptep & ADDRESS_MASK;
	}
}

/* The CPU sets A, or A and D where it may write. */
static int hardware(struct vm *vm, gfn_t gfn, u64 n, u64 accessed, u64 dirty)
{
	u64 *sptep;

	for (; n--; gfn++) {
		sptep = sptep_of(vm, gfn);
		if (sptep && spte_ad_enabled(*sptep))
			*sptep |= accessed | (is_writable_pte(*sptep) ? dirty : 0);
	}
	return 0;
}

static int clear_log(struct vm *vm, const struct op *op)
{
	const u64 first = op->first & ~63ULL;

	return kvm_vm_ioctl_clear_dirty_log(vm->kvm, SLOT, first, op->n & ~63ULL, vm->bitmap);
}

static int run_op(struct vm *vm, const struct op *op)
{
	const struct tdp_spte_format *fmt = kvm_spte_format(vm->kvm);
	const gfn_t end = op->first + op->n;
	struct kvm_memory_slot *slot = kvm_vcpu_gfn_to_memslot(vm->vcpu, 0);

	switch (op->kind) {
	case 0:
	case 1:
		return fault(vm, op->first, op->n, 0);
	case 2:
	case 3:
		return fault(vm, op->first, op->n, PFERR_WRITE_MASK);
	case 4:
	case 5:
		return hardware(vm, op->first, op->n, fmt->shadow_accessed_mask,
				op->bits & 1 ? fmt->shadow_dirty_mask : 0);
	case 6:
		return kvm_zap_gfn_range(vm->kvm, op->first, end);
	case 7:
		return kvm_mmu_notifier_invalidate_range_start(vm->kvm, op->first, end) |
		       kvm_mmu_notifier_invalidate_range_end(vm->kvm, op->first, end);
	case 8:
		return kvm_mmu_notifier_clear_young(vm->kvm, op->first, end);
	case 9:
		return kvm_mmu_notifier_test_young(vm->kvm, op->first, end);
	case 10:
		kvm_mmu_slot_remove_write_access(vm->kvm, slot, PG_LEVEL_4K);
		return 0;
	case 11:
		kvm_mmu_slot_leaf_clear_dirty(vm->kvm, slot);
		return 0;
	case 12:
		return set_flags(vm, vm->flags ^ KVM_MEM_LOG_DIRTY_PAGES);
	case 13:
		return kvm_vm_ioctl_get_dirty_log(vm->kvm, SLOT, vm->bitmap, WORDS);
	default:
		return clear_log(vm, op);
	}
}

static struct op random_op(void)
{
	struct op op = { .kind = below(NR_OPS), .first = below(PAGES) };

	op.n = 1 + below(PAGES - op.first);
	op.bits = below(4);
	return op;
}

/* ---- comparison ---- */

static void same_state(void)
{
	struct kvm_page_stat stat[2];
	gfn_t gfn;
	int i;

	for (gfn = 0; gfn < PAGES; gfn++) {
		int level[2];

		assert_int_equal(kvm_vcpu_get_spte(vms[0].vcpu, gfn << PAGE_SHIFT, &level[0]) &
					 (level[0] == PG_LEVEL_4K ? ~0ULL : ~ADDRESS_MASK),
				 kvm_vcpu_get_spte(vms[1].vcpu, gfn << PAGE_SHIFT, &level[1]) &
					 (level[1] == PG_LEVEL_4K ? ~0ULL : ~ADDRESS_MASK));
		assert_int_equal(level[0], level[1]);
		assert_int_equal(vms[0].dirty[gfn], vms[1].dirty[gfn]);
		assert_int_equal(vms[0].accessed[gfn], vms[1].accessed[gfn]);
	}
	assert_memory_equal(vms[0].bitmap, vms[1].bitmap, sizeof(vms[0].bitmap));
	for (i = 0; i < 2; i++)
		kvm_vm_get_page_stat(vms[i].kvm, &stat[i]);
	assert_memory_equal(&stat[0], &stat[1], sizeof(stat[0]));
	assert_int_equal(kvm_vcpu_tlb_flushes(vms[0].vcpu), kvm_vcpu_tlb_flushes(vms[1].vcpu));
}

static void run_both(const struct op *op)
{
	int r[2], i;

	walks = op->kind >= FIRST_WALK;
	for (i = 0; i < 2; i++) {
		current = &vms[i];
		r[i] = run_op(&vms[i], op);
		r[i] |= kvm_vcpu_enter_guest(vms[i].vcpu) << 16;
	}
	walks = false;
	assert_int_equal(r[0], r[1]);
	same_state();
}

static void create(struct vm *vm, const struct tdp_vm_config *config, bool watched)
{
	*vm = (struct vm){ .watched = watched };
	current = vm;
	assert_int_equal(kvm_create_vm(config, &host_ops, vm, &vm->kvm), 0);
	assert_int_equal(kvm_create_vcpu(vm->kvm, &vm->vcpu), 0);
	assert_int_equal(set_flags(vm, 0), 0);
	assert_int_equal(kvm_vcpu_enter_guest(vm->vcpu), 0);
}

static void run_config(const struct tdp_vm_config *config)
{
	struct op op;
	int i, n;

	for (i = 0; i < 2; i++)
		create(&vms[i], config, !i);
	for (n = 0; n < OPS; n++) {
		op = random_op();
		run_both(&op);
	}
	/* They did go different ways. */
	assert_true(vms[1].points < vms[0].points / 2);
	for (i = 0; i < 2; i++) {
		current = &vms[i];
		kvm_destroy_vm(vms[i].kvm);
	}
}

static struct tdp_vm_config ept(void)
{
	return (struct tdp_vm_config){
		.mmu = TDP_MMU_EPT,
		.ad = true,
		.root_level = PT64_ROOT_4LEVEL,
		.manual_protect = true,
		.maxphyaddr = 46,
		.cachebits = 46,
	};
}

static void run_seeds(const struct tdp_vm_config *config)
{
	u64 i;

	for (i = 1; i <= SEEDS; i++) {
		seed = i;
		run_config(config);
	}
}

static void test_ept(void **state)
{
	const struct tdp_vm_config config = ept();

	(void)state;
	run_seeds(&config);
}

static void test_pml(void **state)
{
	struct tdp_vm_config config = ept();

	(void)state;
	config.pml = true;
	run_seeds(&config);
}

static void test_ept_without_ad(void **state)
{
	struct tdp_vm_config config = ept();

	(void)state;
	config.ad = false;
	run_seeds(&config);
}

static void test_npt(void **state)
{
	struct tdp_vm_config config = ept();

	(void)state;
	config.mmu = TDP_MMU_NPT;
	run_seeds(&config);
}

/* ---- a CPU that sets D meanwhile ---- */

struct dirtier {
	u64 *sptes, dirty, set;
	bool done;
};

static void *dirty_all(void *arg)
{
	struct dirtier *d = arg;
	int i;

	while (!__atomic_load_n(&d->done, __ATOMIC_RELAXED)) {
		for (i = SPTE_ENT_PER_PAGE - 1; i >= 0; i--)
			d->set += !(__atomic_fetch_or(&d->sptes[i], d->dirty, __ATOMIC_RELAXED) &
				    d->dirty);
	}
	return NULL;
}

/* Nobody else ages meanwhile, but the CPU asks no lock: what it adds to a run that loses A has to stay. */
static void test_cpu_meanwhile(void **state)
{
	const struct tdp_vm_config config = ept();
	const struct tdp_spte_format *fmt;
	struct dirtier d;
	pthread_t thread;
	u64 seen = 0;
	int round, i;

	(void)state;
	create(&vms[0], &config, false);
	fmt = kvm_spte_format(vms[0].kvm);
	assert_int_equal(fault(&vms[0], 0, SPTE_ENT_PER_PAGE, PFERR_WRITE_MASK), RET_PF_FIXED);
	d = (struct dirtier){ .sptes = sptep_of(&vms[0], 0), .dirty = fmt->shadow_dirty_mask };
	for (i = 0; i < SPTE_ENT_PER_PAGE; i++)
		__atomic_fetch_and(&d.sptes[i], ~d.dirty, __ATOMIC_RELAXED);
	assert_int_equal(pthread_create(&thread, NULL, dirty_all, &d), 0);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < SPTE_ENT_PER_PAGE; i++) {
			__atomic_fetch_or(&d.sptes[i], fmt->shadow_accessed_mask, __ATOMIC_RELAXED);
			seen += !!(__atomic_fetch_and(&d.sptes[i], ~d.dirty, __ATOMIC_RELAXED) &
				   d.dirty);
		}
		kvm_mmu_notifier_clear_young(vms[0].kvm, 0, SPTE_ENT_PER_PAGE);
	}
	__atomic_store_n(&d.done, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	for (i = 0; i < SPTE_ENT_PER_PAGE; i++)
		seen += !!(d.sptes[i] & d.dirty);
	assert_int_equal(seen, d.set);
	kvm_destroy_vm(vms[0].kvm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ept),
		cmocka_unit_test(test_pml),
		cmocka_unit_test(test_ept_without_ad),
		cmocka_unit_test(test_npt),
		cmocka_unit_test(test_cpu_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
