/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libtdp's public interface: a VM whose guest memory is mapped by a mirror of
 * KVM's TDP MMU (Linux 6.12).  Functions with a kernel twin have its name.
 *
 * This header is the whole of what is public for users of VMs; <tdp/spte.h> and
 * <tdp/tdp_iter.h> add the layers below it for those who build on them.
 */
#ifndef TDP_TDP_H
#define TDP_TDP_H

#include <tdp/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct kvm;
struct kvm_vcpu;

enum tdp_mmu_kind { TDP_MMU_EPT, TDP_MMU_NPT };
enum tdp_fault_policy { TDP_FAULT_SPLIT, TDP_FAULT_ZAP };

/**
 * struct tdp_vm_config - what the CPU, the module parameters and the VMM decide
 * @mmu: EPT or NPT
 * @ad: EPT: accessed/dirty bits in hardware; NPT always has them
 * @root_level: 4 or 5
 * @nx_huge_pages: iTLB-multihit mitigation: huge pages are not executable
 * @eager_page_split: split huge pages when dirty logging starts or is cleared
 * @fault_policy: split (as the kernel since v6.2) or zap a huge leaf that a fault needs smaller
 * @pml: page-modification logging; EPT with A/D only
 * @exec_only: EPT supports execute-only mappings
 * @me_value: memory-encryption bits set in SPTEs of this VM (SME's C-bit), a subset of @me_mask
 * @me_mask: all physical address bits taken for memory encryption
 * @l1tf: the host is vulnerable to L1TF: non-present SPTEs must not hold a usable address
 * @maxphyaddr: host physical address bits, 36..52
 * @cachebits: bits of a physical address in the L1 cache's tag (x86_cache_bits), 36..52
 * @memslots_generation: first generation; bits above the 63 that KVM uses are refused
 * @mmu_invalidate_seq: first value
 * @manual_protect: KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 enabled
 * @init_set: its KVM_DIRTY_LOG_INITIALLY_SET
 * @nx_recovery_ratio: nx_huge_pages_recovery_ratio; 0 turns recovery off
 * @quirk_slot_zap_all: KVM_X86_QUIRK_SLOT_ZAP_ALL
 */
struct tdp_vm_config {
	enum tdp_mmu_kind mmu;
	bool ad;
	int root_level;
	bool nx_huge_pages;
	bool eager_page_split;
	enum tdp_fault_policy fault_policy;
	bool pml;
	bool exec_only;
	u64 me_value;
	u64 me_mask;
	bool l1tf;
	int maxphyaddr;
	int cachebits;
	u64 memslots_generation;
	u64 mmu_invalidate_seq;
	bool manual_protect;
	bool init_set;
	u32 nx_recovery_ratio;
	bool quirk_slot_zap_all;
};

/**
 * struct tdp_host_ops - what the host's memory management answers
 * @fault_in: make host page @hvn resident, for writing if @write; *@pfn is its frame and *@writable
 *	whether a writable mapping is allowed. 0, -EFAULT, or -EAGAIN (retry later). Mirrors the
 *	use of hva_to_pfn(). Called without any MMU lock
 * @mapping_level: level at which the host maps @hvn now (PG_LEVEL_4K if not mapped). Mirrors host_pfn_mapping_level().
 *	Called with mmu_lock held
 * @set_pfn_dirty: the frame was written through a mapping that is going away or being changed
 * @set_pfn_accessed: likewise, accessed
 * @set_pfns: both at once for frames @pfn to @pfn + @n - 1, all of one 2M page's worth of addresses, as @dirty
 *	and @accessed say; devices' frames among them are of no interest. NULL: the two above are called for each
 * @is_mmio_pfn: device memory: uncached and never encrypted; NULL means none is. Mirrors kvm_is_mmio_pfn()
 */
struct tdp_host_ops {
	int (*fault_in)(void *host, hvn_t hvn, bool write, bool *writable, kvm_pfn_t *pfn);
	int (*mapping_level)(void *host, hvn_t hvn);
	void (*set_pfn_dirty)(void *host, kvm_pfn_t pfn);
	void (*set_pfn_accessed)(void *host, kvm_pfn_t pfn);
	void (*set_pfns)(void *host, kvm_pfn_t pfn, u64 n, bool dirty, bool accessed);
	bool (*is_mmio_pfn)(void *host, kvm_pfn_t pfn);
};

/**
 * enum tdp_kernel - which Linux the MMU behaves like (docs/upstream.md says what differs)
 * @TDP_LINUX_6_12: libtdp does
 * @TDP_LINUX_6_1: other SPTEs, and every slot that goes zaps all roots
 * @TDP_LINUX_7_2: other SPTEs; faults tell the host of frames, zaps do not
 */
enum tdp_kernel { TDP_LINUX_6_12, TDP_LINUX_6_1, TDP_LINUX_7_2 };

/**
 * struct tdp_backend - whose TDP MMU is behind this interface
 * @name: "libtdp", or "upstream" for the kernel's own code
 * @split_policy: TDP_FAULT_SPLIT can be had; else every VM zaps
 * @zap_policy: TDP_FAULT_ZAP can be had; else every VM splits
 * @kernel: which Linux it behaves like
 */
struct tdp_backend {
	const char *name;
	bool split_policy;
	bool zap_policy;
	enum tdp_kernel kernel;
};
extern const struct tdp_backend tdp_backend;

/* vm.c */
int kvm_create_vm(const struct tdp_vm_config *config, const struct tdp_host_ops *ops, void *host,
		  struct kvm **kvmp);
void kvm_destroy_vm(struct kvm *kvm);
int kvm_create_vcpu(struct kvm *kvm, struct kvm_vcpu **vcpup);

/**
 * struct kvm_vm_stat - statistics, as in KVM's binary stats
 * @pages: leaf mappings by level: [0] 4K, [1] 2M, [2] 1G (pages_4k, pages_2m, pages_1g)
 * @nx_lpage_splits: page tables that NX recovery could turn back into a huge page
 * @tdp_mmu_pages: page-table pages in use, roots excluded
 * @pte_list..: not modelled (shadow MMU)
 */
struct kvm_vm_stat {
	s64 pages[3];
	s64 nx_lpage_splits;
	s64 tdp_mmu_pages;
	u64 remote_tlb_flush;
	u64 pf_taken, pf_fixed, pf_spurious, pf_fast, pf_emulate, pf_mmio_spte_created;
	u64 splits;  /* huge SPTEs replaced by a page table, fault and eager */
	u64 nx_recoveries; /* page tables zapped by NX recovery */
};
void kvm_vm_get_stat(struct kvm *kvm, struct kvm_vm_stat *stat);

/**
 * struct kvm_page_stat - those of struct kvm_vm_stat that are about the page tables as they are now
 * @pages: leaf mappings by level: [0] 4K, [1] 2M, [2] 1G
 * @nx_lpage_splits: page tables that NX recovery could turn back into a huge page
 * @tdp_mmu_pages: page-table pages in use, roots excluded
 */
struct kvm_page_stat {
	s64 pages[3];
	s64 nx_lpage_splits;
	s64 tdp_mmu_pages;
};
void kvm_vm_get_page_stat(struct kvm *kvm, struct kvm_page_stat *stat);

/* vcpu_api.c: error codes and results are the kernel's */
#define PFERR_PRESENT_MASK (1ULL << 0)
#define PFERR_WRITE_MASK   (1ULL << 1)
#define PFERR_USER_MASK	   (1ULL << 2)
#define PFERR_RSVD_MASK	   (1ULL << 3)
#define PFERR_FETCH_MASK   (1ULL << 4)

enum {
	RET_PF_CONTINUE = 0,
	RET_PF_RETRY,
	RET_PF_EMULATE,
	RET_PF_WRITE_PROTECTED,
	RET_PF_INVALID,
	RET_PF_FIXED,
	RET_PF_SPURIOUS,
};

/*
 * kvm_vcpu_enter_guest() does what vcpu_enter_guest() does for the MMU: serves the requests made of
 * the vCPU (free obsolete roots, flush) and loads a root if there is none. 0, -ENOMEM (no root: the
 * guest cannot run).
 */
int kvm_vcpu_enter_guest(struct kvm_vcpu *vcpu);
int kvm_mmu_load(struct kvm_vcpu *vcpu);
void kvm_mmu_unload(struct kvm_vcpu *vcpu);
/* SMM and nested-like guest mode: the vCPU's root role changes, the current root is put (kvm_mmu_reset_context) */
int kvm_vcpu_set_mode(struct kvm_vcpu *vcpu, bool smm, bool guest_mode);
hpa_t kvm_vcpu_root_hpa(struct kvm_vcpu *vcpu); /* INVALID_PAGE if none */
/* Grows when a root is loaded: the vCPU begins with empty TLB and paging-structure caches then. */
u64 kvm_vcpu_tlb_flushes(struct kvm_vcpu *vcpu);
/*
 * A violation (EPT) or nested page fault (NPT) of the vCPU. RET_PF_FIXED, RET_PF_SPURIOUS, RET_PF_RETRY,
 * RET_PF_EMULATE (MMIO, read-only slot), RET_PF_WRITE_PROTECTED (tracked gfn: the caller emulates), or -errno.
 * With PFERR_RSVD_MASK: an EPT misconfiguration / reserved-bit fault, i.e. handle_mmio_page_fault() first.
 */
int kvm_mmu_page_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code);
/*
 * Map what comes first in a range before the guest asks for it; loads a root if there is none. The
 * pages of the range that are mapped now, or -errno; ask again for the others.
 */
s64 kvm_arch_vcpu_pre_fault_memory(struct kvm_vcpu *vcpu, gfn_t gfn, u64 npages);
/* The leaf (or last) SPTE for gpa in the vCPU's root; *level 0 if no root. Mirrors get_walk(). */
u64 kvm_vcpu_get_spte(struct kvm_vcpu *vcpu, gpa_t gpa, int *level);
gfn_t kvm_vcpu_mmio_gfn(struct kvm_vcpu *vcpu); /* of the MMIO access handled last; 0: none */

/* memslot.c */
#define KVM_MEM_LOG_DIRTY_PAGES (1U << 0)
#define KVM_MEM_READONLY	(1U << 1)
/**
 * struct tdp_memory_region - kvm_userspace_memory_region in pages
 * @slot: as_id << 16 | id
 * @flags: KVM_MEM_*
 * @base_gfn: first gfn
 * @npages: 0 deletes the slot
 * @hvn: first host virtual page number
 */
struct tdp_memory_region {
	u32 slot;
	u32 flags;
	gfn_t base_gfn;
	u64 npages;
	hvn_t hvn;
};
int kvm_set_memory_region(struct kvm *kvm, const struct tdp_memory_region *region);
u64 kvm_memslots_generation(struct kvm *kvm, int as_id);

/* dirty_log.c: bitmaps are arrays of u64, one bit a page, (npages + 63) / 64 words */
int kvm_vm_ioctl_get_dirty_log(struct kvm *kvm, u32 slot, u64 *bitmap, size_t words);
int kvm_vm_ioctl_clear_dirty_log(struct kvm *kvm, u32 slot, u64 first_page, u64 num_pages,
				 const u64 *bitmap);
void kvm_vcpu_mark_page_dirty(struct kvm_vcpu *vcpu, gfn_t gfn);

/* vm_api.c */
int kvm_mmu_slot_try_split_huge_pages(struct kvm *kvm, u32 slot, int target_level);
int kvm_mmu_slot_gfn_write_protect(struct kvm *kvm, u32 slot, gfn_t gfn, int min_level);
int kvm_set_nx_huge_pages(struct kvm *kvm, bool on);
int kvm_recover_nx_huge_pages(struct kvm *kvm);
int kvm_zap_gfn_range(struct kvm *kvm, gfn_t start, gfn_t end);
void kvm_mmu_zap_all_fast(struct kvm *kvm);
void kvm_mmu_zap_all(struct kvm *kvm);
void kvm_mmu_invalidate_mmio_sptes(struct kvm *kvm, u64 gen);

/* notifier.c: [start, end) in host page numbers */
int kvm_mmu_notifier_invalidate_range_start(struct kvm *kvm, hvn_t start, hvn_t end);
int kvm_mmu_notifier_invalidate_range_end(struct kvm *kvm, hvn_t start, hvn_t end);
int kvm_mmu_notifier_clear_flush_young(struct kvm *kvm, hvn_t start, hvn_t end);
int kvm_mmu_notifier_clear_young(struct kvm *kvm, hvn_t start, hvn_t end); /* does not flush */
int kvm_mmu_notifier_test_young(struct kvm *kvm, hvn_t start, hvn_t end);

/* page_track.c */
int kvm_write_track_add_gfn(struct kvm *kvm, u32 slot, gfn_t gfn);
int kvm_write_track_remove_gfn(struct kvm *kvm, u32 slot, gfn_t gfn);

/*
 * Every SPTE that is not the initial non-present value, root by root, in preorder; for dumps.
 * @fn's return value other than 0 stops the walk and is returned. Needs a quiet VM.
 */
struct tdp_spte_info {
	hpa_t root; /* of the root page table */
	u32 root_role;
	bool root_invalid;
	int as_id;
	bool guest_mode;
	hpa_t table; /* page table that holds the SPTE */
	gfn_t gfn;
	int level;
	u64 spte;
};
int tdp_for_each_spte(struct kvm *kvm, int (*fn)(const struct tdp_spte_info *info, void *arg),
		      void *arg);
int tdp_nr_roots(struct kvm *kvm); /* invalid ones included; needs a quiet VM */

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* TDP_TDP_H */
