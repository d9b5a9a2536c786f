/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VM as both sides of the upstream backend see it: the kernel's files and those of
 * libtdp that serve them (slots, notifiers, the dirty log).  Stands for libtdp's
 * kvm_host.h there, and for those members of include/linux/kvm_host.h and
 * arch/x86/include/asm/kvm_host.h that the TDP MMU uses.  Roles and roots are the
 * tree's own.
 */
#ifndef UPSTREAM_HOST_H
#define UPSTREAM_HOST_H

/* Headers of libtdp that describe its own page tables. */
#define TDP_KVM_HOST_H
#define TDP_MMU_INTERNAL_H
#define TDP_MMU_TDP_MMU_H

#include <limits.h>

#include <platform.h>

#include <tdp/tdp.h>
#include <tdp/types.h>

#include "kvm_slot.h"

#include "versions_host.h"

#define CONFIG_X86_64 1 /* the tree's types depend on it */
#define KVM_MAX_VCPUS 512

typedef u64 gva_t;
typedef unsigned long hva_t;
typedef unsigned int gfp_t;

typedef atomic64_t atomic_long_t;

/* The tree adds to the VM's counters by itself, and all threads to the same one. */
#undef tdp_stat_read
#define tdp_stat_read(stat) atomic64_read(stat)

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

struct kvm;
struct kvm_vcpu;
struct kvm_mmu_page;
struct kvm_page_fault;
struct x86_exception;

#include "tree_types.h"

/* Each vCPU counts for itself. */
struct kvm_vcpu_stat {
	u64 pf_taken, pf_fixed, pf_spurious, pf_fast, pf_emulate, pf_mmio_spte_created;
	u64 tlb_flush;
};

/**
 * struct kvm_vcpu_arch - the MMU's part of a vCPU
 * @mmu: the one in use
 * @walk_mmu: always @mmu
 * @root_mmu: of the guest
 * @guest_mmu: of nested guests' shadow page tables: never has a root
 * @nested_mmu: likewise
 * @pkru: no keys
 * @mmu_pte_list_desc_cache: for shadow paging: pretends to be full
 * @mmu_shadowed_info_cache: likewise
 * @mmu_shadow_page_cache: page tables
 * @mmu_page_header_cache: struct kvm_mmu_page
 * @mmu_external_spt_cache: of TDX: never used
 * @mmio_gva: of the last MMIO access; always 0 with TDP
 * @mmio_gfn: of the last MMIO access
 * @mmio_access: ACC_* of it
 * @mmio_gen: of slots, for which that is good
 * @smm: in system management mode
 * @guest_mode: in the nested-like mode, which has roots of its own
 * @lost_access: for repairs.h: a fault took away access that another one had given
 */
struct kvm_vcpu_arch {
	struct kvm_mmu *mmu;
	struct kvm_mmu *walk_mmu;
	struct kvm_mmu root_mmu;
	struct kvm_mmu guest_mmu;
	struct kvm_mmu nested_mmu;
	struct kvm_mmu_memory_cache mmu_pte_list_desc_cache;
	struct kvm_mmu_memory_cache mmu_shadowed_info_cache;
	struct kvm_mmu_memory_cache mmu_shadow_page_cache;
	struct kvm_mmu_memory_cache mmu_page_header_cache;
	struct kvm_mmu_memory_cache mmu_external_spt_cache;
	u32 pkru;
	gva_t mmio_gva;
	gfn_t mmio_gfn;
	unsigned int mmio_access;
	u64 mmio_gen;
	bool smm;
	bool guest_mode;
	bool lost_access;
	bool mapped_since;
};

struct kvm_vcpu {
	struct kvm *kvm;
	int vcpu_id;
	int mode;
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
 * @nx_lpage_splits: entries of possible_nx_huge_pages
 * @remote_tlb_flush: flushes requested of all vCPUs
 * @splits: huge SPTEs replaced by tables
 * @nx_recoveries: tables zapped by NX recovery
 */
struct kvm_stats {
	atomic64_t pages[KVM_NR_PAGE_SIZES];
	u64 nx_lpage_splits;
	u64 remote_tlb_flush;
	u64 splits;
	u64 nx_recoveries;
};

/**
 * struct kvm_arch - the MMU's part of the VM
 * @maxphyaddr: highest bit, plus one, of a gpa that a slot may have
 * @cpu_dirty_log_size: entries of the CPU's page-modification log, 0 if off
 * @external_write_tracking_enabled: slots have gfn_write_track; only ever set
 * @nr_write_tracked: sum of the slots', under mmu_lock
 * @shadow_mmio_value: the VM's
 * @disable_nx_huge_pages: the VM is trusted not to hit the erratum: never
 * @pre_fault_allowed: always
 * @shadow_root_allocated: there is shadow paging: never
 * @has_private_mem: never
 * @vm_type: KVM_X86_DEFAULT_VM
 * @mmu_valid_gen: of shadow pages
 * @active_mmu_pages: shadow pages: empty
 * @mmu_unsync_pages_lock: of shadow pages
 * @tdp_mmu_roots: roots, valid and invalid
 * @tdp_mmu_pages_lock: as in the kernel
 * @tdp_mmu_pages: page tables in use, roots excluded
 * @tdp_mmu_page_list: Linux 6.1: those page tables
 * @tdp_mmu_enabled: Linux 6.1: always
 * @cpu_dirty_logging_count: Linux 6.1: slots that are logged
 * @possible_nx_huge_pages: tables that NX recovery could replace, oldest first; Linux 7.2: by MMU
 * @indirect_shadow_pages: Linux 7.2: of shadow paging: none
 * @gfn_direct_bits: Linux 7.2: of TDX: none
 * @has_mapped_host_mmio: Linux 7.2: a device has been mapped
 */
struct kvm_arch {
	int maxphyaddr;
	u32 cpu_dirty_log_size;
	bool external_write_tracking_enabled;
	u64 nr_write_tracked;

	u64 shadow_mmio_value;
	bool disable_nx_huge_pages;
	bool pre_fault_allowed;
	bool shadow_root_allocated;
	bool has_private_mem;
	int vm_type;
	u8 mmu_valid_gen;
	struct list_head active_mmu_pages;
	spinlock_t mmu_unsync_pages_lock;
	struct list_head tdp_mmu_roots;
	spinlock_t tdp_mmu_pages_lock;
	atomic64_t tdp_mmu_pages;
	struct list_head tdp_mmu_page_list;
	bool tdp_mmu_enabled;
	int cpu_dirty_logging_count;
#ifdef TREE_HAS_kvm_possible_nx_huge_pages
	struct kvm_possible_nx_huge_pages possible_nx_huge_pages[KVM_NR_MMU_TYPES];
#else
	struct list_head possible_nx_huge_pages;
#endif
	unsigned int indirect_shadow_pages;
	gfn_t gfn_direct_bits;
	bool has_mapped_host_mmio;
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

#include "kvm_calls.h"

#include "mmu_calls.h"

/* front.c: kvm_arch_commit_memory_region() in the tree. */
void upstream_slot_changed(struct kvm *kvm, struct kvm_memory_slot *old,
			   const struct kvm_memory_slot *new);

#endif /* UPSTREAM_HOST_H */
