// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions that KVM keeps in mmu.c and x86.c, out of the tree, and what is called
 * from outside of them.  Shadow paging is stubbed out: nothing gets there.
 */
#include "mmu.h"
#include "mmu_internal.h"
#include "mmutrace.h"
#include "tdp_iter.h"
#include "tdp_mmu.h"
#include "spte.h"

#include <asm/vmx.h>

#ifdef UPSTREAM_REPAIRED
#define BACKEND_NAME "upstream-repaired"
#else
#define BACKEND_NAME "upstream"
#endif
/* UPSTREAM_ZAPS: the tree has zap-policy.kernel.cocci. */
#ifdef UPSTREAM_ZAPS
#define TREE_ZAPS true
#else
#define TREE_ZAPS (VERSION_KERNEL == TDP_LINUX_6_1)
#endif
const struct tdp_backend tdp_backend = {
	.name = BACKEND_NAME,
	.split_policy = !TREE_ZAPS,
	.zap_policy = TREE_ZAPS,
	.kernel = VERSION_KERNEL,
};

int nx_huge_pages;
bool eager_page_split;
unsigned int nx_huge_pages_recovery_ratio;
struct upstream_cpu boot_cpu_data;
struct upstream_kvm_host kvm_host;
struct upstream_x86_ops kvm_x86_ops;
u64 physical_mask;
static struct kmem_cache page_header_cache = { .size = sizeof(struct kvm_mmu_page) };
struct kmem_cache *mmu_page_header_cache = &page_header_cache;

/* Shadow pages: none. */
#define kvm_mmu_prepare_zap_page(kvm, sp, list)		  ((void)WARN_ON(sp))
#define __kvm_mmu_prepare_zap_page(kvm, sp, list, nr_ptr) ((void)(nr_ptr), WARN_ON(sp))
#define kvm_mmu_commit_zap_page(kvm, list)		  WARN_ON(!list_empty(list))
#define kvm_zap_obsolete_pages(kvm)			  ((void)0)
#define for_each_gfn_valid_sp_with_gptes(kvm, sp, gfn)	  for ((sp) = NULL; (sp); (sp) = NULL)
#define kvm_unsync_page(kvm, sp)			  ((void)0)
#define mmu_alloc_special_roots(vcpu)			  0
#define mmu_alloc_shadow_roots(vcpu)			  (-EIO)
#define mmu_alloc_root(vcpu, gfn, quadrant, level)	  ((hpa_t)INVALID_PAGE)
#define make_mmu_pages_available(vcpu)			  0
#define direct_map(vcpu, fault)				  (-EIO)
#define fast_pf_get_last_sptep(vcpu, gpa, spte)		  ((u64 *)NULL)
#define get_walk(vcpu, addr, sptes, root_level)		  (-1)

/* Reverse maps: none. */
#define gfn_to_rmap(gfn, level, slot)		  ((struct kvm_rmap_head *)NULL)
#define rmap_write_protect(rmap_head, pt_protect) ((void)(rmap_head), false)
#define __rmap_clear_dirty(kvm, rmap_head, slot)  ((void)(rmap_head), false)
#define walk_slot_rmaps(...)			  ((void)0)
#define walk_slot_rmaps_4k(...)			  ((void)0)
#define __kvm_rmap_zap_gfn_range(...)		  false
#define kvm_rmap_zap_gfn_range(...)		  false
#define kvm_rmap_age_gfn_range(...)		  false
#define kvm_rmap_zap_collapsible_sptes(...)	  ((void)0)
#define kvm_shadow_mmu_try_split_huge_pages(...)  ((void)0)

void kvm_mmu_sync_roots(struct kvm_vcpu *vcpu)
{
	(void)vcpu;
}

bool kvm_can_do_async_pf(struct kvm_vcpu *vcpu)
{
	(void)vcpu;
	return false;
}

void __kvm_mmu_refresh_passthrough_bits(struct kvm_vcpu *vcpu, struct kvm_mmu *mmu)
{
	(void)vcpu;
	(void)mmu;
}

bool kvm_check_request(int req, struct kvm_vcpu *vcpu)
{
	if (!(READ_ONCE(vcpu->requests) & BIT(req)))
		return false;
	tdp_fetch_andnot(&vcpu->requests, BIT(req));
	return true;
}

#ifdef TREE_HAS_kvm_mmu_do_page_fault
static int kvm_tdp_page_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault);
#endif
#include "tree_fault.h"

/* Who tries again has others go on first. */
static int do_page_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code, bool prefetch, u8 *level)
{
	int r = VERSION_DO_PAGE_FAULT(vcpu, gpa, error_code, prefetch, level);

	if (!prefetch || r != RET_PF_RETRY)
		return r;
#ifdef UPSTREAM_REPAIRED
	/* prefault-on-obsolete-root: neither the root nor the slot gets better by itself. */
	const struct kvm_memory_slot *slot = kvm_vcpu_gfn_to_memslot(vcpu, gpa >> PAGE_SHIFT);

	if (slot && slot->flags & KVM_MEMSLOT_INVALID)
		return -EAGAIN;
	r = __kvm_vcpu_enter_guest(vcpu);
	if (r)
		return r;
	r = RET_PF_RETRY;
#endif
	cpu_relax();
	return r;
}

/* Tables that NX recovery zaps are counted here, since the kernel does not. */
static bool recovery_zap_sp(struct kvm *kvm, struct kvm_mmu_page *sp)
{
	const bool zapped = kvm_tdp_mmu_zap_sp(kvm, sp);

	kvm->stat.nx_recoveries += zapped;
	return zapped;
}

#define kvm_mmu_do_page_fault(vcpu, gpa, err, prefetch, type, level) \
	do_page_fault(vcpu, gpa, err, prefetch, level)
#undef kvm_tdp_mmu_zap_sp
#define kvm_tdp_mmu_zap_sp(kvm, sp)		       recovery_zap_sp(kvm, sp)
#define kvm_tdp_mmu_zap_possible_nx_huge_page(kvm, sp) recovery_zap_sp(kvm, sp)
#ifdef UPSTREAM_REPAIRED
#include "repairs.h"
#endif
#include "tree_mmu.h"
#ifndef TREE_HAS_kvm_arch_flush_shadow_memslot
/* Who is told of slots that go is registered as a user of write tracking. */
void kvm_arch_flush_shadow_memslot(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	(void)slot;
	kvm_mmu_zap_all_fast(kvm);
}
#endif
#undef kvm_mmu_do_page_fault

#ifdef UPSTREAM_REPAIRED
/* log-start-splits-dirty: D is cleared once no huge page can be split dirty any more. */
static void repaired_remove_write_access(struct kvm *kvm, const struct kvm_memory_slot *slot,
					 int level)
{
	kvm_mmu_slot_remove_write_access(kvm, slot, level);
	if (kvm_x86_ops.cpu_dirty_log_size)
		kvm_mmu_slot_leaf_clear_dirty(kvm, slot);
}
#define kvm_mmu_slot_remove_write_access(kvm, slot, level) \
	repaired_remove_write_access(kvm, slot, level)
#define kvm_mmu_slot_leaf_clear_dirty(kvm, slot) ((void)0)
#endif
#include "tree_x86.h"

/* The CPU, the module parameters and what the vendor modules do with them. */
static void set_masks(const struct tdp_vm_config *config)
{
	const int me_bit = config->me_mask ? __builtin_ctzll(config->me_mask) : 64;

	boot_cpu_data = (struct upstream_cpu){
		.x86_phys_bits = min(me_bit, config->maxphyaddr),
		.x86_cache_bits = config->cachebits,
		.extended_cpuid_level = 0x80000008,
		.l1tf = config->l1tf,
		.maxphyaddr = config->maxphyaddr,
		.sme_mask = config->mmu == TDP_MMU_NPT ? config->me_mask : 0,
	};
	physical_mask = GENMASK_ULL(51, 0) & ~config->me_value;
	kvm_x86_ops.cpu_dirty_log_size = config->pml ? 512 : 0;
	kvm_x86_ops.get_mt_mask = config->mmu == TDP_MMU_EPT ? upstream_x86_get_mt_mask : NULL;
	eager_page_split = config->eager_page_split;
	nx_huge_pages = config->nx_huge_pages;
	nx_huge_pages_recovery_ratio = config->nx_recovery_ratio;

	enable_mmio_caching = true;
	kvm_mmu_spte_module_init();
	kvm_mmu_reset_all_pte_masks();
	if (config->mmu == TDP_MMU_EPT)
		VERSION_SET_EPT_MASKS(config->ad, config->exec_only);
	kvm_mmu_set_me_spte_mask(config->me_value, config->me_mask);
	if (config->mmu == TDP_MMU_NPT)
		svm_adjust_mmio_mask();
#ifdef TREE_HAS_tdp_mmu_allowed
	tdp_mmu_allowed = true;
#endif
	kvm_configure_mmu(true, config->root_level, config->root_level, PG_LEVEL_1G);
}

u32 cpuid_eax(u32 leaf)
{
	if (leaf == 0x80000008)
		return boot_cpu_data.maxphyaddr;
	return boot_cpu_data.sme_mask ? 0x8000001f : 0x80000008;
}

/* As vmx_get_mt_mask() for a guest without devices of its own. */
u64 upstream_x86_get_mt_mask(struct kvm_vcpu *vcpu, gfn_t gfn, bool is_mmio)
{
	(void)vcpu;
	(void)gfn;
	if (is_mmio)
		return 0;
	return 6ULL << VMX_EPT_MT_EPTE_SHIFT | VMX_EPT_IPAT_BIT;
}

void upstream_x86_flush_tlb_current(struct kvm_vcpu *vcpu)
{
	vcpu->stat.tlb_flush++;
}

void kvm_make_all_cpus_request(struct kvm *kvm, unsigned int req)
{
	int i, nr = smp_load_acquire(&kvm->created_vcpus);

	if (req == KVM_REQ_UPDATE_CPU_DIRTY_LOGGING) {
		tdp_kick_vcpus(kvm, TDP_REQ_UPDATE_DIRTY_LOGGING);
		return;
	}
	for (i = 0; i < nr; i++)
		tdp_fetch_or(&kvm->vcpus[i]->requests, BIT(req));
	tdp_kick_vcpus(kvm, TDP_REQ_FREE_OBSOLETE_ROOTS);
}

struct kvm_lpage_info *lpage_info_slot(gfn_t gfn, const struct kvm_memory_slot *slot, int level)
{
	static struct kvm_lpage_info never = { .disallow_lpage = 1 };

	if (slot->arch.lpage_misaligned[level - PG_LEVEL_2M])
		return &never;
	return &slot->arch.lpage_info[level - PG_LEVEL_2M][gfn_to_index(gfn, slot->base_gfn, level)];
}

void kvm_mmu_init_vm(struct kvm *kvm)
{
	upstream_vm = kvm;
	set_masks(&kvm->config);
	kvm->arch.shadow_mmio_value = shadow_mmio_value;
	kvm->arch.pre_fault_allowed = true;
	INIT_LIST_HEAD(&kvm->arch.active_mmu_pages);
	INIT_LIST_HEAD(VERSION_NX_HUGE_PAGES(kvm));
	kvm_mmu_init_tdp_mmu(kvm);
}

void kvm_mmu_uninit_vm(struct kvm *kvm)
{
	kvm_mmu_uninit_tdp_mmu(kvm);
}

static void clear_roots(struct kvm_mmu *mmu)
{
	int i;

	mmu->root.hpa = INVALID_PAGE;
#ifdef TREE_HAS_kvm_mmu_recover_huge_pages
	mmu->mirror_root_hpa = INVALID_PAGE;
#endif
	for (i = 0; i < KVM_MMU_NUM_PREV_ROOTS; i++)
		mmu->prev_roots[i].hpa = INVALID_PAGE;
}

/* As init_kvm_tdp_mmu(), for a guest of which nothing else matters. */
void kvm_init_mmu(struct kvm_vcpu *vcpu)
{
	struct kvm_mmu *mmu = &vcpu->arch.root_mmu;
	union kvm_cpu_role cpu_role = { 0 };

	cpu_role.base.smm = vcpu->arch.smm;
	cpu_role.base.guest_mode = vcpu->arch.guest_mode;
	mmu->cpu_role = cpu_role;
	mmu->root_role = kvm_calc_tdp_mmu_root_page_role(vcpu, cpu_role);
	mmu->page_fault = kvm_tdp_page_fault;
	reset_tdp_shadow_zero_bits_mask(mmu);
}

void kvm_mmu_create(struct kvm_vcpu *vcpu)
{
	vcpu->arch.mmu = &vcpu->arch.root_mmu;
	vcpu->arch.walk_mmu = &vcpu->arch.root_mmu;
	clear_roots(&vcpu->arch.root_mmu);
	clear_roots(&vcpu->arch.guest_mmu);
	vcpu->arch.mmu_pte_list_desc_cache.nobjs = INT_MAX;
	vcpu->arch.mmu_shadowed_info_cache.nobjs = INT_MAX;
	vcpu->arch.mmu_page_header_cache.object_size = sizeof(struct kvm_mmu_page);
	vcpu->arch.mmu_shadow_page_cache.init_value = SHADOW_NONPRESENT_VALUE;
	kvm_init_mmu(vcpu);
}

void kvm_mmu_destroy(struct kvm_vcpu *vcpu)
{
	kvm_mmu_free_memory_cache(&vcpu->arch.mmu_shadow_page_cache);
	kvm_mmu_free_memory_cache(&vcpu->arch.mmu_page_header_cache);
}

int __kvm_mmu_load(struct kvm_vcpu *vcpu)
{
	return kvm_mmu_reload(vcpu);
}

void __kvm_mmu_unload(struct kvm_vcpu *vcpu)
{
	kvm_mmu_unload(vcpu);
}

/* What vcpu_enter_guest() does for the MMU. */
int __kvm_vcpu_enter_guest(struct kvm_vcpu *vcpu)
{
	if (kvm_check_request(KVM_REQ_MMU_FREE_OBSOLETE_ROOTS, vcpu))
		kvm_mmu_free_obsolete_roots(vcpu);
	return kvm_mmu_reload(vcpu);
}

/* The results' numbers are the tree's own. */
static int tdp_result(int r)
{
	switch (r) {
	case RET_PF_CONTINUE:
		return TDP_RET_PF_CONTINUE;
	case RET_PF_RETRY:
		return TDP_RET_PF_RETRY;
	case RET_PF_EMULATE:
		return TDP_RET_PF_EMULATE;
	case VERSION_RET_PF_WRITE_PROTECTED:
		return TDP_RET_PF_WRITE_PROTECTED;
	case RET_PF_INVALID:
		return TDP_RET_PF_INVALID;
	case RET_PF_FIXED:
		return TDP_RET_PF_FIXED;
	case RET_PF_SPURIOUS:
		return TDP_RET_PF_SPURIOUS;
	default:
		return r;
	}
}

/* Where the tree does not say why something is emulated. */
static bool is_tracked_write(struct kvm_vcpu *vcpu, gpa_t gpa, int r)
{
	const gfn_t gfn = gpa >> PAGE_SHIFT;
	const struct kvm_memory_slot *slot = kvm_vcpu_gfn_to_memslot(vcpu, gfn);

	return r == RET_PF_EMULATE && slot && kvm_gfn_is_write_tracked(vcpu->kvm, slot, gfn);
}

/* As kvm_mmu_page_fault() without the emulator. */
static int page_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	int r;

	if (error_code & PFERR_RSVD_MASK) {
		r = handle_mmio_page_fault(vcpu, gpa, true);
		if (r != RET_PF_INVALID)
			return r;
	}
	if (VERSION_KERNEL != TDP_LINUX_6_1)
		vcpu->stat.pf_taken++;
	r = do_page_fault(vcpu, gpa, error_code, false, NULL);
	if (KVM_BUG_ON(r == RET_PF_INVALID, vcpu->kvm))
		return -EIO;
	if (VERSION_KERNEL == TDP_LINUX_6_1)
		return is_tracked_write(vcpu, gpa, r) ? VERSION_RET_PF_WRITE_PROTECTED : r;
	if (r == RET_PF_FIXED)
		vcpu->stat.pf_fixed++;
	else if (r == RET_PF_EMULATE || r == VERSION_RET_PF_WRITE_PROTECTED)
		vcpu->stat.pf_emulate++;
	else if (r == RET_PF_SPURIOUS)
		vcpu->stat.pf_spurious++;
	return r;
}

int __kvm_mmu_page_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	return tdp_result(page_fault(vcpu, gpa, error_code));
}

u64 __kvm_vcpu_get_spte(struct kvm_vcpu *vcpu, gpa_t gpa, int *level)
{
	u64 sptes[PT64_ROOT_MAX_LEVEL + 1];
	int leaf, root_level;

	kvm_tdp_mmu_walk_lockless_begin();
	leaf = kvm_tdp_mmu_get_walk(vcpu, gpa, sptes, &root_level);
	kvm_tdp_mmu_walk_lockless_end();
	*level = leaf < 0 ? 0 : leaf;
	return leaf < 0 ? 0 : sptes[leaf];
}

#if !defined(TREE_HAS_kvm_tdp_map_page) && !defined(kvm_tdp_map_page)
/* As it came to be in v6.11. */
static int kvm_tdp_map_page(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code, u8 *level)
{
	int found, r;

	do {
		r = __kvm_vcpu_enter_guest(vcpu);
		if (!r)
			r = do_page_fault(vcpu, gpa, error_code, true, NULL);
	} while (r == RET_PF_RETRY);
	if (r == RET_PF_EMULATE)
		return -ENOENT;
	if (r != RET_PF_FIXED && r != RET_PF_SPURIOUS)
		return r;
	__kvm_vcpu_get_spte(vcpu, gpa, &found);
	*level = found ? found : PG_LEVEL_4K;
	return 0;
}
#endif

/* As kvm_arch_vcpu_pre_fault_memory(). */
int __kvm_vcpu_pre_fault(struct kvm_vcpu *vcpu, gfn_t gfn, u8 *level)
{
#ifdef UPSTREAM_REPAIRED
	/* prefault-on-obsolete-root: another one is loaded first. */
	int r = __kvm_vcpu_enter_guest(vcpu);
#else
	int r = kvm_mmu_reload(vcpu);
#endif

	return r ? r : kvm_tdp_map_page(vcpu, gfn << PAGE_SHIFT, 0, level);
}

static enum kvm_mr_change kind_of_change(const struct kvm_memory_slot *old,
					 const struct kvm_memory_slot *new)
{
	if (!old)
		return KVM_MR_CREATE;
	if (!new)
		return KVM_MR_DELETE;
	return old->base_gfn == new->base_gfn ? KVM_MR_FLAGS_ONLY : KVM_MR_MOVE;
}

void upstream_slot_changed(struct kvm *kvm, struct kvm_memory_slot *old,
			   const struct kvm_memory_slot *new)
{
	kvm_mmu_slot_apply_flags(kvm, old, new, kind_of_change(old, new));
}

void __kvm_mmu_slot_try_split_huge_pages(struct kvm *kvm, const struct kvm_memory_slot *slot,
					 int target_level)
{
	kvm_mmu_slot_try_split_huge_pages(kvm, slot, target_level);
}

bool __kvm_mmu_slot_gfn_write_protect(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn,
				      int min_level)
{
	return kvm_mmu_slot_gfn_write_protect(kvm, slot, gfn, min_level);
}

void __kvm_zap_gfn_range(struct kvm *kvm, gfn_t start, gfn_t end)
{
	kvm_zap_gfn_range(kvm, start, end);
}

void __kvm_mmu_zap_all_fast(struct kvm *kvm)
{
	kvm_mmu_zap_all_fast(kvm);
}

void __kvm_mmu_zap_all(struct kvm *kvm)
{
	kvm_mmu_zap_all(kvm);
}

void __kvm_mmu_invalidate_mmio_sptes(struct kvm *kvm, u64 gen)
{
	kvm_mmu_invalidate_mmio_sptes(kvm, gen);
}

/* As set_nx_huge_pages() does for each VM. */
void __kvm_set_nx_huge_pages(struct kvm *kvm, bool on)
{
	const bool old = READ_ONCE(nx_huge_pages);

	WRITE_ONCE(nx_huge_pages, on);
	if (on == old)
		return;
	mutex_lock(&kvm->slots_lock);
	kvm_mmu_zap_all_fast(kvm);
	mutex_unlock(&kvm->slots_lock);
}

/* What the worker does, when it does anything. */
void __kvm_recover_nx_huge_pages(struct kvm *kvm)
{
	if (is_nx_huge_page_enabled(kvm) && nx_huge_pages_recovery_ratio)
		VERSION_RECOVER(kvm);
}
