/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between kernel versions, other than by name (for names see the manifest).
 */
#ifndef UPSTREAM_VERSIONS_H
#define UPSTREAM_VERSIONS_H

#ifndef TREE_HAS_track_possible_nx_huge_page
/*
 * Linux 6.1: a fault below a huge page zaps it, page tables begin with zeroes, faults are counted
 * where they are handled, and a write to a tracked gfn is not told from MMIO.
 */
#define VERSION_DO_PAGE_FAULT(vcpu, gpa, err, prefetch, level) \
	((void)(level), kvm_mmu_do_page_fault(vcpu, gpa, err, prefetch, NULL))
#define VERSION_RET_PF_WRITE_PROTECTED INT_MAX
#define SHADOW_NONPRESENT_VALUE	       0ULL

/* Names. */
#undef kvm_recover_nx_huge_pages
#define kvm_recover_nx_huge_pages		      kvm_recover_nx_lpages
#define lpage_disallowed_mmu_pages		      possible_nx_huge_pages
#define kvm_flush_remote_tlbs_gfn(kvm, gfn, level)                            \
	kvm_flush_remote_tlbs_range(kvm, (gfn) & -KVM_PAGES_PER_HPAGE(level), \
				    KVM_PAGES_PER_HPAGE(level))
#define kvm_arch_flush_remote_tlbs_memslot	      kvm_flush_remote_tlbs_memslot
#define kvm_flush_remote_tlbs_with_address	      kvm_flush_remote_tlbs_range
#define kvm_slot_page_track_is_active(k, s, gfn, mode) kvm_gfn_is_write_tracked(k, s, gfn)
#define kvm_read_cr4_bits(vcpu, bits)		      0UL
#define KVM_ADDRESS_SPACE_NUM			      KVM_MAX_NR_ADDRESS_SPACES
#define static_call(name)			      upstream_call_##name
#define upstream_call_kvm_x86_get_mt_mask	      upstream_x86_get_mt_mask
#define upstream_call_kvm_x86_flush_tlb_current	      upstream_x86_flush_tlb_current
#define upstream_call_kvm_x86_load_mmu_pgd(...)	      ((void)0)
#define upstream_call_kvm_x86_get_rflags(vcpu)	      0UL
#define printk_once(...)			      ((void)0)
#define kmem_cache_alloc(cache, gfp)		      kmem_cache_zalloc(cache, gfp)
#define GFP_NOWAIT				      0
#define __GFP_ACCOUNT				      0

/* Page tables are a list there; the statistics count what is accounted. */
#define tdp_mmu_pages			   tdp_mmu_page_list
#undef kvm_account_pgtable_pages
#define kvm_account_pgtable_pages(page, n) upstream_account_page(n)
void upstream_account_page(int n);

/* Reverse maps, a guest's MTRRs, changes of the host's PTEs: none. */
#define kvm_handle_gfn_range(...)	     false
#define slot_handle_level(...)		     false
#define slot_handle_level_4k(...)	     false
#define kvm_arch_has_noncoherent_dma(kvm)    false
#define kvm_mtrr_check_gfn_range_consistency(...) true
#define pte_huge(pte)			     false
#define pte_write(pte)			     false
#define pte_pfn(pte)			     0UL

/* Slots and notifiers are libtdp's, which go by gfn. */
#include "notifier.h"
#define kvm_is_visible_memslot(slot) \
	((slot) && (slot)->id < KVM_USER_MEM_SLOTS && !((slot)->flags & KVM_MEMSLOT_INVALID))
#define kvm_mmu_invalidate_begin(kvm, start, end) \
	(kvm_mmu_invalidate_begin(kvm), kvm_mmu_invalidate_range_add(kvm, 0, ~(gfn_t)0 - 1))
#define kvm_mmu_invalidate_end(kvm, start, end) kvm_mmu_invalidate_end(kvm)
#define mmu_invalidate_retry_hva(kvm, seq, hva) mmu_invalidate_retry_gfn(kvm, seq, fault->gfn)
#define __gfn_to_pfn_memslot(slot, gfn, atomic, async, write, writable, hva) \
	__gfn_to_pfn_memslot(slot, gfn, atomic, false, async, write, writable, hva)
#else
#define VERSION_DO_PAGE_FAULT(vcpu, gpa, err, prefetch, level) \
	kvm_mmu_do_page_fault(vcpu, gpa, err, prefetch, NULL, level)
#define VERSION_RET_PF_WRITE_PROTECTED RET_PF_WRITE_PROTECTED
#endif

#ifndef TREE_HAS_kvm_mmu_recover_huge_pages
#define VERSION_NX_HUGE_PAGES(kvm)     (&(kvm)->arch.possible_nx_huge_pages)
#define VERSION_RECOVER(kvm)	       kvm_recover_nx_huge_pages(kvm)
#define VERSION_SET_EPT_MASKS(ad, exec_only) kvm_mmu_set_ept_masks(ad, exec_only)
#else
/* Linux 7.2. */
#define VERSION_NX_HUGE_PAGES(kvm)     (&(kvm)->arch.possible_nx_huge_pages[KVM_TDP_MMU].pages)
#define VERSION_RECOVER(kvm)	       kvm_recover_nx_huge_pages(kvm, KVM_TDP_MMU)
#define VERSION_SET_EPT_MASKS(ad, exec_only) ((void)(exec_only), kvm_mmu_set_ept_masks(ad))

/* Names. */
#define kvm_tdp_mmu_zap_sp	 kvm_tdp_mmu_zap_possible_nx_huge_page
#define kvm_tdp_map_page	 kvm_tdp_page_prefault
#define kvm_mmu_invalidate_start kvm_mmu_invalidate_begin
#define zero_pfn(addr)		 0UL

/* TDX, memory that only guests have, mode-based execute control: none. */
enum kvm_gfn_range_filter { KVM_FILTER_SHARED = 1, KVM_FILTER_PRIVATE = 2 };
#define attr_filter			may_block
#define kvm_memslot_is_gmem_only(slot)	false
#define kvm_gmem_max_mapping_level(...) PG_LEVEL_4K
#define kvm_mmu_faultin_pfn_gmem(...)	(-EFAULT)
#define upstream_x86_tdp_has_smep(kvm)	false
#define kvm_nested_call(name)			upstream_nested_##name
#define upstream_nested_translate_nested_gpa(...) INVALID_GPA
#define upstream_x86_set_external_spte(...) 0
#define upstream_x86_free_external_spt(...) ((void)0)

/* The host's memory: who faults marks the page, for as long as it is mapped. */
#define FOLL_WRITE	   1
#define FOLL_NOWAIT	   2
#define FOLL_INTERRUPTIBLE 4
kvm_pfn_t __kvm_faultin_pfn(const struct kvm_memory_slot *slot, gfn_t gfn, unsigned int foll,
			    bool *writable, struct page **refcounted_page);
void kvm_release_faultin_page(struct kvm *kvm, struct page *page, bool unused, bool dirty);

/* Devices' stale CPU buffers (VERW): nothing to do with page tables. */
#define X86_FEATURE_CLEAR_CPU_BUF_VM_MMIO 0
#define cpu_feature_enabled(feature)	  false
#define KVM_REQ_OUTSIDE_GUEST_MODE	  KVM_REQ_APF_HALT
#endif

#endif /* UPSTREAM_VERSIONS_H */
