/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory slots, parts of them, and stocks of memory: what does not depend on how the
 * MMU keeps its page tables.  Mirrors those parts of include/linux/kvm_host.h,
 * kvm_types.h and arch/x86/include/asm/kvm_host.h.
 */
#ifndef TDP_KVM_SLOT_H
#define TDP_KVM_SLOT_H

#include <tdp/tdp.h>
#include <tdp/types.h>

#include "slot_tree.h"

#define KVM_MAX_NR_ADDRESS_SPACES 2
#define KVM_NR_PAGE_SIZES	  3 /* 4K 2M 1G */
#define KVM_USER_MEM_SLOTS	  32764 /* of an address space */
#define KVM_MEM_MAX_NR_PAGES	  ((1ULL << 31) - 1)
#define KVM_MEMSLOT_INVALID	  (1U << 16) /* being deleted or moved */
/* The generation's top bit says that a slot update is in progress. */
#define KVM_MEMSLOT_GEN_UPDATE_IN_PROGRESS (1ULL << 63)

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
	hvn_t hvn;  /* first host page: the kernel's userspace_addr */
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
 * @set_later: they are not yet: who takes the page does so, by tdp_page_set()
 * @objects: the stock
 */
struct kvm_mmu_memory_cache {
	int nobjs;
	u32 object_size;
	u64 init_value;
	bool set_later;
	void *objects[KVM_ARCH_NR_OBJS_PER_MEMORY_CACHE];
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

#endif /* TDP_KVM_SLOT_H */
