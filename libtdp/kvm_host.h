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

#include "slot_tree.h"

#define KVM_MAX_NR_ADDRESS_SPACES	2
#define KVM_NR_PAGE_SIZES		3	/* 4K 2M 1G */
#define KVM_USER_MEM_SLOTS		32764	/* of an address space */
#define KVM_MAX_VCPUS			64
#define KVM_MEM_MAX_NR_PAGES		((1ULL << 31) - 1)
#define KVM_MEMSLOT_INVALID		(1U << 16)	/* being deleted or moved */
/* The generation's top bit says that a slot update is in progress. */
#define KVM_MEMSLOT_GEN_UPDATE_IN_PROGRESS (1ULL << 63)

/* Pfns that are no pfn: an error, or no slot. */
#define KVM_PFN_ERR_MASK		(0x7ffULL << 52)
#define KVM_PFN_ERR_NOSLOT_MASK		(0xfffULL << 52)
#define KVM_PFN_NOSLOT			(1ULL << 63)
#define KVM_PFN_ERR_FAULT		KVM_PFN_ERR_MASK

static inline bool is_error_noslot_pfn(kvm_pfn_t pfn)
{
	return (pfn & KVM_PFN_ERR_NOSLOT_MASK) != 0;
}

#define VALID_PAGE(x)			((x) != INVALID_PAGE)

struct kvm_lpage_info {
	int disallow_lpage;
};

/**
 * struct kvm_write_track - write tracking of a slot; changed with mmu_lock held for writing
 * @nr: sum of @count
 * @count: how often each gfn is tracked
 */
struct kvm_write_track {
	u64 nr;
	u16 count[];
};

/**
 * struct kvm_arch_memory_slot - per-page data of a slot
 * @lpage_info: why huge pages are not allowed, for 2M and 1G
 * @lpage_misaligned: gfns and host pages are not congruent: no huge pages of that size at all
 * @gfn_write_track: how often each gfn is tracked; NULL until write tracking is used
 */
struct kvm_arch_memory_slot {
	struct kvm_lpage_info *lpage_info[KVM_NR_PAGE_SIZES - 1];
	bool lpage_misaligned[KVM_NR_PAGE_SIZES - 1];
	struct kvm_write_track *gfn_write_track;
};

/* The nodes: a slot may be in both of its address space's sets, the active and the other. */
struct kvm_memory_slot {
	struct slot_node id_node[2];
	struct slot_node gfn_node[2];
	struct slot_node hvn_node[2];
	gfn_t base_gfn;
	u64 npages;
	hvn_t hvn;		/* first host page: the kernel's userspace_addr */
	u64 *dirty_bitmap;
	struct kvm_arch_memory_slot arch;
	u32 flags;
	u16 id;
	u16 as_id;
};

static inline bool kvm_slot_dirty_track_enabled(const struct kvm_memory_slot *slot)
{
	return slot->flags & KVM_MEM_LOG_DIRTY_PAGES;
}

/**
 * struct kvm_memslots - one of an address space's two sets of slots
 * @generation: of this set
 * @last_used_slot: where the last look-up ended
 * @id_tree: by id
 * @gfn_tree: by gfn
 * @hvn_tree: by host page; these may overlap
 * @node_idx: which nodes of a slot are this set's
 */
struct kvm_memslots {
	u64 generation;
	struct kvm_memory_slot *last_used_slot;
	struct slot_node *id_tree;
	struct slot_node *gfn_tree;
	struct slot_node *hvn_tree;
	int node_idx;
};

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

/*
 * Objects kept ready, so that none need be allocated under mmu_lock.  The kernel
 * keeps 40; with the least that a fault may need, a vCPU is cheap to create and
 * every fault that builds a table meets the allocator (and its failures).
 */
#define KVM_ARCH_NR_OBJS_PER_MEMORY_CACHE PT64_ROOT_MAX_LEVEL

/**
 * struct kvm_mmu_memory_cache - stock of one kind of object
 * @nobjs: in stock
 * @object_size: bytes of an object, 0: a page-table page
 * @init_value: what the entries of a page-table page are set to
 * @objects: the stock
 */
struct kvm_mmu_memory_cache {
	int nobjs;
	u32 object_size;
	u64 init_value;
	void *objects[KVM_ARCH_NR_OBJS_PER_MEMORY_CACHE];
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
	atomic64_t pages[KVM_NR_PAGE_SIZES];
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
	atomic64_t tdp_mmu_pages;
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

/**
 * struct kvm_gfn_range - part of a slot that an MMU notifier concerns
 * @slot: within which
 * @start: first gfn
 * @end: first gfn after it
 * @may_block: the walk may yield mmu_lock
 * @flush: a flush is owed for other slots, which must not wait longer than until mmu_lock is dropped
 */
struct kvm_gfn_range {
	struct kvm_memory_slot *slot;
	gfn_t start;
	gfn_t end;
	bool may_block;
	bool flush;
};

/* A condition that means the VM is broken: reported, and the VM is marked. */
#define KVM_BUG_ON(cond, kvm) ({					\
	bool bug_ = WARN_ON(cond);					\
	if (bug_)							\
		(kvm)->vm_bugged = true;				\
	bug_;								\
})

/* Counts what nothing is decided by; so it is no point. */
#define tdp_count(counter)	((void)__atomic_fetch_add(&(counter), 1, __ATOMIC_RELAXED))

/* Flush all TLB entries of all vCPUs. Mirrors kvm_flush_remote_tlbs(). */
static inline void kvm_flush_remote_tlbs(struct kvm *kvm)
{
	tdp_count(kvm->stat.remote_tlb_flush);
	tdp_flush_tlbs();
}

/* Flush the entries that overlap [@gfn, @gfn + @nr_pages). Mirrors kvm_flush_remote_tlbs_range(). */
static inline void kvm_flush_remote_tlbs_range(struct kvm *kvm, gfn_t gfn, u64 nr_pages)
{
	tdp_count(kvm->stat.remote_tlb_flush);
	tdp_flush_tlbs_range(gfn, nr_pages);
}

static inline bool kvm_is_mmio_pfn(struct kvm *kvm, kvm_pfn_t pfn)
{
	return kvm->ops.is_mmio_pfn && kvm->ops.is_mmio_pfn(kvm->host, pfn);
}

/* Tell the host. Frames of devices have nobody to tell. Mirror kvm_set_pfn_dirty(), _accessed(). */
static inline void kvm_set_pfn_dirty(struct kvm *kvm, kvm_pfn_t pfn)
{
	if (!WARN_ON(is_error_noslot_pfn(pfn)) && !kvm_is_mmio_pfn(kvm, pfn))
		kvm->ops.set_pfn_dirty(kvm->host, pfn);
}

static inline void kvm_set_pfn_accessed(struct kvm *kvm, kvm_pfn_t pfn)
{
	if (!WARN_ON(is_error_noslot_pfn(pfn)) && !kvm_is_mmio_pfn(kvm, pfn))
		kvm->ops.set_pfn_accessed(kvm->host, pfn);
}

/* Likewise for @n frames from @pfn on. */
static inline void kvm_set_pfns(struct kvm *kvm, kvm_pfn_t pfn, u64 n, bool dirty, bool accessed)
{
	if (kvm->ops.set_pfns) {
		kvm->ops.set_pfns(kvm->host, pfn, n, dirty, accessed);
		return;
	}
	for (; n--; pfn++) {
		if (dirty)
			kvm_set_pfn_dirty(kvm, pfn);
		if (accessed)
			kvm_set_pfn_accessed(kvm, pfn);
	}
}

static inline void kvm_update_page_stats(struct kvm *kvm, int level, int count)
{
	atomic64_add(count, &kvm->stat.pages[level - 1]);
}

/* Needs kvm->srcu or slots_lock. */
static inline struct kvm_memslots *__kvm_memslots(struct kvm *kvm, int as_id)
{
	return rcu_dereference(kvm->memslots[as_id]);
}

static inline struct kvm_memslots *kvm_vcpu_memslots(struct kvm_vcpu *vcpu)
{
	return __kvm_memslots(vcpu->kvm, vcpu->arch.smm);
}

/* memslot.c, dirty_log.c: what the MMU asks of them */
void mark_page_dirty_in_slot(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn);

/* mmu_cache.c */
int kvm_mmu_topup_memory_cache(struct kvm_mmu_memory_cache *mc, int min);
void *kvm_mmu_memory_cache_alloc(struct kvm_mmu_memory_cache *mc);
void kvm_mmu_free_memory_cache(struct kvm_mmu_memory_cache *mc);
int mmu_topup_memory_caches(struct kvm_vcpu *vcpu);
void mmu_free_memory_caches(struct kvm_vcpu *vcpu);
void mmu_init_memory_caches(struct kvm_vcpu *vcpu);

#endif /* TDP_KVM_HOST_H */
