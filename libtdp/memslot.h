/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory slots, for the rest of the MMU.  Mirrors those parts of
 * include/linux/kvm_host.h.
 */
#ifndef LIBTDP_MEMSLOT_H
#define LIBTDP_MEMSLOT_H

#include "kvm_host.h"

/* Frame numbers, guest or host virtual, whose byte addresses fit in 64 bits. */
#define KVM_MAX_FRAME (1ULL << (64 - PAGE_SHIFT))

enum kvm_mr_change {
	KVM_MR_CREATE,
	KVM_MR_DELETE,
	KVM_MR_MOVE,
	KVM_MR_FLAGS_ONLY,
};

/**
 * struct kvm_memslot_change - one slot becomes another
 * @kind: how
 * @as_id: in which address space
 * @old: slot as it was; NULL for KVM_MR_CREATE
 * @new: slot as it will be; NULL for KVM_MR_DELETE
 * @invalid: what readers see of @old while it is deleted or moved; else NULL
 */
struct kvm_memslot_change {
	enum kvm_mr_change kind;
	int as_id;
	struct kvm_memory_slot *old;
	struct kvm_memory_slot *new;
	struct kvm_memory_slot *invalid;
};

/* 1 if the slot is logged from now on, -1 if not any more. */
static inline int kvm_memslot_logging_change(const struct kvm_memslot_change *c)
{
	return (c->new && kvm_slot_dirty_track_enabled(c->new)) -
	       (c->old && kvm_slot_dirty_track_enabled(c->old));
}

static inline struct kvm_memory_slot *gfn_node_slot(const struct kvm_memslots *slots,
						    struct slot_node *node)
{
	return node ? container_of(node - slots->node_idx, struct kvm_memory_slot, gfn_node[0]) :
		      NULL;
}

static inline struct kvm_memory_slot *hvn_node_slot(const struct kvm_memslots *slots,
						    struct slot_node *node)
{
	return node ? container_of(node - slots->node_idx, struct kvm_memory_slot, hvn_node[0]) :
		      NULL;
}

static inline struct kvm_memory_slot *id_node_slot(const struct kvm_memslots *slots,
						   struct slot_node *node)
{
	return node ? container_of(node - slots->node_idx, struct kvm_memory_slot, id_node[0]) :
		      NULL;
}

/* The slots of a set that overlap [start, end), lowest gfn first. */
#define kvm_for_each_memslot_in_gfn_range(slot, slots, start, end)                                \
	for (slot = gfn_node_slot(slots, slot_tree_first((slots)->gfn_tree, start, (end) - 1));   \
	     slot; slot = gfn_node_slot(slots, slot_tree_next((slots)->gfn_tree,                  \
							      &slot->gfn_node[(slots)->node_idx], \
							      start, (end) - 1)))

/* The slots of a set that are backed by some of the host pages [start, end), lowest first. */
#define kvm_for_each_memslot_in_hvn_range(slot, slots, start, end)                                \
	for (slot = hvn_node_slot(slots, slot_tree_first((slots)->hvn_tree, start, (end) - 1));   \
	     slot; slot = hvn_node_slot(slots, slot_tree_next((slots)->hvn_tree,                  \
							      &slot->hvn_node[(slots)->node_idx], \
							      start, (end) - 1)))

#define kvm_for_each_memslot(slot, slots) \
	kvm_for_each_memslot_in_gfn_range(slot, slots, 0, KVM_MAX_FRAME)

/* NULL if the set has no such slot. Context: SRCU read section, or slots_lock held. */
static inline struct kvm_memory_slot *id_to_memslot(struct kvm_memslots *slots, u16 id)
{
	return id_node_slot(slots, slot_tree_first(slots->id_tree, id, id));
}

/* By the number that the interface uses, as_id << 16 | id; NULL if there is none. */
static inline struct kvm_memory_slot *kvm_find_memslot(struct kvm *kvm, u32 slot)
{
	if (slot >> 16 >= KVM_MAX_NR_ADDRESS_SPACES)
		return NULL;
	return id_to_memslot(__kvm_memslots(kvm, slot >> 16), slot);
}

static inline bool memslot_has_gfn(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	return slot && gfn >= slot->base_gfn && gfn - slot->base_gfn < slot->npages;
}

/* Position of @gfn's page of size @level in an array that begins with @base_gfn's. */
static inline u64 gfn_to_index(gfn_t gfn, gfn_t base_gfn, int level)
{
	return (gfn >> KVM_HPAGE_GFN_SHIFT(level)) - (base_gfn >> KVM_HPAGE_GFN_SHIFT(level));
}

/* Entry of the huge page of size @level that holds @gfn. */
static inline struct kvm_lpage_info *lpage_info_slot(gfn_t gfn, const struct kvm_memory_slot *slot,
						     int level)
{
	u64 index = gfn_to_index(gfn, slot->base_gfn, level);

	return &slot->arch.lpage_info[level - PG_LEVEL_2M][index];
}

static inline bool kvm_dirty_log_manual_protect_and_init_set(const struct kvm *kvm)
{
	return kvm->config.manual_protect && kvm->config.init_set;
}

/* memslot.c */
void kvm_init_memslots(struct kvm *kvm, u64 generation);
void kvm_free_memslots(struct kvm *kvm);
void kvm_free_memslot(struct kvm_memory_slot *slot);
struct kvm_memory_slot *__gfn_to_memslot(struct kvm_memslots *slots, gfn_t gfn);
struct kvm_memory_slot *kvm_vcpu_gfn_to_memslot(struct kvm_vcpu *vcpu, gfn_t gfn);

/* memslot_arch.c */
void kvm_arch_free_memslot(struct kvm_memory_slot *slot);
void kvm_arch_memslots_updated(struct kvm *kvm, u64 gen);
int kvm_arch_prepare_memory_region(struct kvm *kvm, const struct kvm_memslot_change *c);
bool kvm_lpage_disallowed(const struct kvm_memory_slot *slot, gfn_t gfn, int level);
void kvm_mmu_gfn_count_lpage(const struct kvm_memory_slot *slot, gfn_t gfn, int count);

/* slot_flags.c */
void kvm_arch_commit_memory_region(struct kvm *kvm, const struct kvm_memslot_change *c);

/* One reason more against a huge page at @gfn. Context: mmu_lock held for writing. */
static inline void kvm_mmu_gfn_disallow_lpage(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	kvm_mmu_gfn_count_lpage(slot, gfn, 1);
}

/* One reason less. Context: mmu_lock held for writing. */
static inline void kvm_mmu_gfn_allow_lpage(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	kvm_mmu_gfn_count_lpage(slot, gfn, -1);
}

#endif /* LIBTDP_MEMSLOT_H */
