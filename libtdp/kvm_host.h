/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VM, its vCPUs and memory slots: those members of the kernel's structures
 * that the TDP MMU uses.  Mirrors include/linux/kvm_host.h and
 * arch/x86/include/asm/kvm_host.h.
 */
#ifndef TDP_KVM_HOST_H
#define TDP_KVM_HOST_H

#include <platform.h>
#include <urcu/list.h>

#include <tdp/spte.h>
#include <tdp/tdp.h>
#include <tdp/types.h>

#include "kvm_slot.h"

#define KVM_MAX_VCPUS			512

/* Names the page tables that may be shared: those of equal role. */
union kvm_mmu_page_role {
	u32 word;
	struct {
		u32 level:4;
		u32 has_4_byte_gpte:1;
		u32 quadrant:2;
		u32 direct:1;
		u32 access:3;
		u32 invalid:1;
		u32 efer_nx:1;
		u32 cr0_wp:1;
		u32 smep_andnot_wp:1;
		u32 smap_andnot_wp:1;
		u32 ad_disabled:1;
		u32 guest_mode:1;
		u32 passthrough:1;
		u32:5;
		u32 smm:8;
	};
};

struct kvm_mmu_root_info {
	hpa_t hpa;
};

struct kvm_mmu {
	struct kvm_mmu_root_info root;
	union kvm_mmu_page_role root_role;
};

/* Each vCPU counts for itself. */
struct kvm_vcpu_stat {
	u64 pf_taken, pf_fixed, pf_spurious, pf_fast, pf_emulate, pf_mmio_spte_created;
	u64 tlb_flush;		/* roots loaded: each starts with an empty TLB */
};

struct kvm_vcpu_arch {
	struct kvm_mmu *mmu;
	struct kvm_mmu root_mmu;
	struct kvm_mmu_memory_cache mmu_shadow_page_cache;
	struct kvm_mmu_memory_cache mmu_page_header_cache;
	bool smm;
	bool guest_mode;

	/* The last MMIO access, good while the slots are of generation mmio_gen. */
	gfn_t mmio_gfn;
	unsigned int mmio_access;
	u64 mmio_gen;
};

/* Requests of the vCPU are bits, served before it enters the guest. */
#define KVM_REQ_MMU_FREE_OBSOLETE_ROOTS	(1ULL << 0)

struct kvm_vcpu {
	struct kvm *kvm;
	int vcpu_id;
	u64 requests;
	struct kvm_memory_slot *last_used_slot;
	u64 last_used_slot_gen;
	struct kvm_vcpu_arch arch;
	struct kvm_vcpu_stat stat;
	struct tdp_cpu cpu;
};

/**
 * struct kvm_stats - the VM's counters
 * @pages: leaf SPTEs by level - 1
 * @nx_lpage_splits: entries of possible_nx_huge_pages, under tdp_mmu_pages_lock or mmu_lock held for writing
 * @remote_tlb_flush: flushes requested of all vCPUs
 * @splits: huge SPTEs replaced by tables
 * @nx_recoveries: tables zapped by NX recovery
 */
struct kvm_stats {
	tdp_stat_t pages[KVM_NR_PAGE_SIZES];
	u64 nx_lpage_splits;
	u64 remote_tlb_flush;
	u64 splits;
	u64 nx_recoveries;
};

/**
 * struct kvm_arch - the MMU's part of the VM
 * @spte_format: masks
 * @maxphyaddr: host physical address bits; guests cannot address more
 * @fault_policy: what a fault does to a huge leaf it cannot use
 * @nx_huge_pages: iTLB-multihit mitigation; toggled at run time, so READ_ONCE()
 * @cpu_dirty_log_size: entries of the CPU's page-modification log, 0 if off
 * @external_write_tracking_enabled: slots have gfn_write_track; only ever set
 * @nr_write_tracked: sum of the slots', under mmu_lock
 * @tdp_mmu_roots: roots, valid and invalid; changed under tdp_mmu_pages_lock, read under RCU
 * @tdp_mmu_pages_lock: protects the lists while mmu_lock is only held for reading
 * @tdp_mmu_pages: page tables in use, roots excluded
 * @possible_nx_huge_pages: tables that NX recovery could replace, oldest first
 */
struct kvm_arch {
	struct tdp_spte_format spte_format;
	int maxphyaddr;
	enum tdp_fault_policy fault_policy;
	bool nx_huge_pages;
	u32 cpu_dirty_log_size;
	bool external_write_tracking_enabled;
	u64 nr_write_tracked;

	struct cds_list_head tdp_mmu_roots;
	spinlock_t tdp_mmu_pages_lock;
	tdp_stat_t tdp_mmu_pages;
	struct cds_list_head possible_nx_huge_pages;
};

struct kvm {
	rwlock_t mmu_lock;
	struct mutex slots_lock;
	struct mutex slots_arch_lock;
	struct srcu_struct srcu;

	struct kvm_memslots __memslots[KVM_MAX_NR_ADDRESS_SPACES][2];
	struct kvm_memslots *memslots[KVM_MAX_NR_ADDRESS_SPACES];
	atomic64_t nr_memslots_dirty_logging;

	spinlock_t mn_invalidate_lock;
	u64 mn_active_invalidate_count;
	struct rcuwait mn_memslots_update_rcuwait;

	u64 mmu_invalidate_seq;
	s64 mmu_invalidate_in_progress;
	gfn_t mmu_invalidate_range_start;
	gfn_t mmu_invalidate_range_end;

	int created_vcpus;
	struct kvm_vcpu *vcpus[KVM_MAX_VCPUS];
	refcount_t users_count;
	bool vm_bugged;

	struct tdp_vm_config config;
	struct tdp_host_ops ops;
	void *host;
	struct kvm_stats stat;
	struct kvm_arch arch;
};

static inline void kvm_update_page_stats(struct kvm *kvm, int level, int count)
{
	tdp_stat_add(count, &kvm->stat.pages[level - 1]);
}

#include "kvm_calls.h"

/* vcpu_cache.c */
int mmu_topup_memory_caches(struct kvm_vcpu *vcpu);
void mmu_free_memory_caches(struct kvm_vcpu *vcpu);
void mmu_init_memory_caches(struct kvm_vcpu *vcpu);

#endif /* TDP_KVM_HOST_H */
