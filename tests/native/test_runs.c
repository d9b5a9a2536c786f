// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where nobody watches, walks of the native library take leaves that are alike in one go. That is to be the same
 * as one by one: two VMs get the same operations, taken at random, one of them watched, and are compared after each.
 * And what somebody else does to a leaf of such a run meanwhile is not lost.
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

#define PAGES	  2048ULL /* four page tables, or 2M pages: */
#define HUGE	  1536
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
	u64 kind, first, n, bits, mask;
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

/* Frames in a row now and then do not follow one another, or end in the middle of a table. Not those of a 2M page. */
static kvm_pfn_t pfn_of(hvn_t hvn)
{
	const u64 shift[] = { 0, 5, 0, 0, 9, 7, 0, 0 };

	return FIRST_PFN + hvn + PAGES * (hvn < HUGE && hvn / 37 % 5 == 3) +
	       2 * PAGES * shift[hvn / 256 % 8];
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
	return hvn < HUGE ? PG_LEVEL_4K : PG_LEVEL_2M;
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

/* NULL if it is not mapped. */
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
		if (is_last_spte(*sptep, level))
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

/* Of the pages that the log had last, some. */
static int clear_log(struct vm *vm, const struct op *op)
{
	const u64 first = op->first & ~63ULL;
	u64 some[WORDS];
	size_t i;

	for (i = 0; i < WORDS; i++)
		some[i] = vm->bitmap[i] & (i & 1 ? op->mask : ~op->mask);
	return kvm_vm_ioctl_clear_dirty_log(vm->kvm, SLOT, first, op->n & ~63ULL,
					    some + first / 64);
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
	const u64 up_from = ~0ULL << below(64), others = ~0ULL << below(64);

	op.n = 1 + below(PAGES - op.first);
	op.bits = below(4);
	op.mask = up_from ^ others;
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

/* ---- somebody else changes leaves meanwhile ---- */

/* @sets: bits that it sets where they are not, @clears: likewise; @changed: how often it did */
struct other {
	u64 *sptes, sets, clears, changed;
	bool done;
};

static void *change_all(void *arg)
{
	struct other *o = arg;
	int i;

	while (!__atomic_load_n(&o->done, __ATOMIC_RELAXED)) {
		for (i = SPTE_ENT_PER_PAGE - 1; i >= 0; i--) {
			if (o->sets)
				o->changed += !(
					__atomic_fetch_or(&o->sptes[i], o->sets, __ATOMIC_RELAXED) &
					o->sets);
			else
				o->changed += !!(__atomic_fetch_and(&o->sptes[i], ~o->clears,
								    __ATOMIC_RELAXED) &
						 o->clears);
		}
	}
	return NULL;
}

/* A walk takes @bits from all leaves, again and again, and what @o does to them has to stay. */
static void take_from_all(struct other *o, u64 bits, void (*walk)(void))
{
	const u64 puts = bits | o->clears;
	pthread_t thread;
	u64 seen = 0;
	int round, i;

	assert_int_equal(fault(&vms[0], 0, SPTE_ENT_PER_PAGE, PFERR_WRITE_MASK), RET_PF_FIXED);
	o->sptes = sptep_of(&vms[0], 0);
	for (i = 0; i < SPTE_ENT_PER_PAGE; i++) {
		o->sptes[i] &= ~o->sets;
		o->sptes[i] |= puts;
	}
	assert_int_equal(pthread_create(&thread, NULL, change_all, o), 0);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < SPTE_ENT_PER_PAGE; i++) {
			u64 was = __atomic_fetch_or(&o->sptes[i], puts, __ATOMIC_RELAXED);

			if (o->sets)
				was = ~__atomic_fetch_and(&o->sptes[i], ~o->sets, __ATOMIC_RELAXED);
			seen += !(was & (o->sets | o->clears));
		}
		walk();
	}
	__atomic_store_n(&o->done, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	for (i = 0; i < SPTE_ENT_PER_PAGE; i++)
		seen += o->sets ? !!(o->sptes[i] & o->sets) : !(o->sptes[i] & o->clears);
	assert_int_equal(seen, o->changed);
}

static void age(void)
{
	kvm_mmu_notifier_clear_young(vms[0].kvm, 0, SPTE_ENT_PER_PAGE);
}

static void write_protect(void)
{
	kvm_mmu_slot_remove_write_access(vms[0].kvm, kvm_vcpu_gfn_to_memslot(vms[0].vcpu, 0),
					 PG_LEVEL_4K);
}

static void clear_dirty(void)
{
	kvm_mmu_slot_leaf_clear_dirty(vms[0].kvm, kvm_vcpu_gfn_to_memslot(vms[0].vcpu, 0));
}

/* Nobody else ages meanwhile, but the CPU asks no lock. */
static void test_dirty_meanwhile(void **state)
{
	const struct tdp_vm_config config = ept();
	const struct tdp_spte_format *fmt;

	(void)state;
	create(&vms[0], &config, false);
	fmt = kvm_spte_format(vms[0].kvm);
	take_from_all(&(struct other){ .sets = fmt->shadow_dirty_mask }, fmt->shadow_accessed_mask,
		      age);
	kvm_destroy_vm(vms[0].kvm);
}

/* Who holds the lock for reading is not alone, though no CPU changes a leaf that has A and D. */
static void test_shared(void **state)
{
	const struct tdp_vm_config config = ept();
	const struct tdp_spte_format *fmt;
	u64 all;

	(void)state;
	create(&vms[0], &config, false);
	fmt = kvm_spte_format(vms[0].kvm);
	all = PT_WRITABLE_MASK | fmt->shadow_dirty_mask;
	take_from_all(&(struct other){ .clears = fmt->shadow_accessed_mask }, all, write_protect);
	take_from_all(&(struct other){ .clears = fmt->shadow_accessed_mask }, all, clear_dirty);
	kvm_destroy_vm(vms[0].kvm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ept),
		cmocka_unit_test(test_pml),
		cmocka_unit_test(test_ept_without_ad),
		cmocka_unit_test(test_npt),
		cmocka_unit_test(test_dirty_meanwhile),
		cmocka_unit_test(test_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
