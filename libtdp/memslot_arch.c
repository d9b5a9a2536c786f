// SPDX-License-Identifier: GPL-2.0-only
/*
 * What x86 keeps for each slot, and what it does to mappings when a slot changes.
 * Mirrors kvm_arch_*_memory_region() and their helpers in arch/x86/kvm/x86.c.
 */
#include "memslot.h"

#include "dirty_log.h"
#include "mmu_internal.h"
#include "page_track.h"
#include "zap.h"

static u64 kvm_mmu_slot_lpages(const struct kvm_memory_slot *slot, int level)
{
	return gfn_to_index(slot->base_gfn + slot->npages - 1, slot->base_gfn, level) + 1;
}

/**
 * kvm_arch_free_memslot() - free a slot's arch data
 * @slot: the slot; its pointers become NULL
 */
void kvm_arch_free_memslot(struct kvm_memory_slot *slot)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(slot->arch.lpage_info); i++) {
		kfree(slot->arch.lpage_info[i]);
		slot->arch.lpage_info[i] = NULL;
	}
	kvm_page_track_free_memslot(slot);
}

/*
 * A huge page must lie within the slot, and its gfns and host pages must be
 * congruent.  The kernel writes the latter into every entry; here it is one flag,
 * so that a slot of 1 TiB costs no more than a small one.
 */
static int kvm_alloc_lpage_info(struct kvm_memory_slot *slot, int level)
{
	u64 mask = KVM_PAGES_PER_HPAGE(level) - 1;
	u64 lpages = kvm_mmu_slot_lpages(slot, level);
	struct kvm_lpage_info *linfo = kvcalloc(lpages, sizeof(*linfo));

	if (!linfo)
		return -ENOMEM;
	if (slot->base_gfn & mask)
		linfo[0].disallow_lpage = 1;
	if ((slot->base_gfn + slot->npages) & mask)
		linfo[lpages - 1].disallow_lpage = 1;
	slot->arch.lpage_misaligned[level - PG_LEVEL_2M] = (slot->base_gfn ^ slot->hvn) & mask;
	slot->arch.lpage_info[level - PG_LEVEL_2M] = linfo;
	return 0;
}

static int kvm_alloc_memslot_metadata(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	int level, r;

	memset(&slot->arch, 0, sizeof(slot->arch));
	for (level = PG_LEVEL_2M; level <= KVM_MAX_HUGEPAGE_LEVEL; level++) {
		r = kvm_alloc_lpage_info(slot, level);
		if (r)
			goto out_free;
	}
	r = kvm_page_track_create_memslot(kvm, slot);
	if (!r)
		return 0;
out_free:
	kvm_arch_free_memslot(slot);
	return r;
}

/**
 * kvm_arch_prepare_memory_region() - what can fail, before the new slot is installed
 * @kvm: the VM
 * @old: slot that @new replaces, NULL for KVM_MR_CREATE
 * @new: slot to come, NULL for KVM_MR_DELETE; its arch data is filled
 * @change: kind of change
 *
 * Context: slots_lock and slots_arch_lock held.
 * Return: 0; -EINVAL for gfns that cannot be mapped, or a move while writes are tracked; -ENOMEM.
 */
int kvm_arch_prepare_memory_region(struct kvm *kvm, const struct kvm_memory_slot *old,
				   struct kvm_memory_slot *new, enum kvm_mr_change change)
{
	if (change == KVM_MR_MOVE && kvm_page_track_has_external_user(kvm))
		return -EINVAL;

	if (change == KVM_MR_CREATE || change == KVM_MR_MOVE) {
		if (new->base_gfn + new->npages - 1 > kvm_mmu_max_gfn(kvm))
			return -EINVAL;
		return kvm_alloc_memslot_metadata(kvm, new);
	}

	if (change == KVM_MR_FLAGS_ONLY)
		new->arch = old->arch;
	return 0;
}

/*
 * The vCPUs leave the guest when page-modification logging begins or ends for the VM,
 * since only then can they switch it.
 */
static void kvm_mmu_update_cpu_dirty_logging(struct kvm *kvm, bool enable)
{
	s64 nr_slots;

	if (!kvm->arch.cpu_dirty_log_size)
		return;

	nr_slots = atomic64_read(&kvm->nr_memslots_dirty_logging);
	if ((enable && nr_slots == 1) || !nr_slots)
		tdp_kick_vcpus(TDP_REQ_DRAIN);
}

/* Logging has begun for a slot whose pages are clean as of now. */
static void kvm_mmu_slot_start_logging(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	if (kvm->config.eager_page_split)
		__kvm_mmu_slot_try_split_huge_pages(kvm, slot, PG_LEVEL_4K);

	if (kvm->arch.cpu_dirty_log_size) {
		kvm_mmu_slot_leaf_clear_dirty(kvm, slot);
		kvm_mmu_slot_remove_write_access(kvm, slot, PG_LEVEL_2M);
	} else {
		kvm_mmu_slot_remove_write_access(kvm, slot, PG_LEVEL_4K);
	}

	/*
	 * Always, whatever the walks found: an SPTE may have lost W or D to somebody who
	 * has not flushed yet, and a fast page fault may give W back at any time.
	 */
	kvm_flush_remote_tlbs_memslot(kvm, slot);
}

static void kvm_mmu_slot_apply_flags(struct kvm *kvm, const struct kvm_memory_slot *old,
				     const struct kvm_memory_slot *new, enum kvm_mr_change change)
{
	u32 old_flags = old ? old->flags : 0;
	u32 new_flags = new ? new->flags : 0;
	bool log_dirty_pages = new_flags & KVM_MEM_LOG_DIRTY_PAGES;

	if ((old_flags ^ new_flags) & KVM_MEM_LOG_DIRTY_PAGES)
		kvm_mmu_update_cpu_dirty_logging(kvm, log_dirty_pages);

	/*
	 * A slot just created has no mappings, one deleted or moved has lost them, a read-only one
	 * is never dirty.
	 */
	if (change != KVM_MR_FLAGS_ONLY || (new_flags & KVM_MEM_READONLY))
		return;
	if (WARN_ON_ONCE(!((old_flags ^ new_flags) & KVM_MEM_LOG_DIRTY_PAGES)))
		return;

	if (!log_dirty_pages)
		kvm_mmu_zap_collapsible_sptes(kvm, new);
	else if (!kvm_dirty_log_manual_protect_and_init_set(kvm))
		kvm_mmu_slot_start_logging(kvm, new);
}

/**
 * kvm_arch_commit_memory_region() - adapt the mappings to a change that has taken effect
 * @kvm: the VM
 * @old: slot as it was, NULL for KVM_MR_CREATE; nobody else sees it any more
 * @new: slot as it is, NULL for KVM_MR_DELETE
 * @change: kind of change
 *
 * Context: slots_lock held; takes mmu_lock.
 */
void kvm_arch_commit_memory_region(struct kvm *kvm, struct kvm_memory_slot *old,
				   const struct kvm_memory_slot *new, enum kvm_mr_change change)
{
	if (change == KVM_MR_DELETE)
		kvm_page_track_delete_slot(kvm, old);

	kvm_mmu_slot_apply_flags(kvm, old, new, change);

	if (change == KVM_MR_MOVE)
		kvm_arch_free_memslot(old);
}

/**
 * kvm_arch_memslots_updated() - readers have left the old slots, and a new generation begins
 * @kvm: the VM
 * @gen: the new generation
 *
 * Context: slots_lock held; takes mmu_lock if the MMIO generation has wrapped.
 */
void kvm_arch_memslots_updated(struct kvm *kvm, u64 gen)
{
	__kvm_mmu_invalidate_mmio_sptes(kvm, gen);
}

static void update_gfn_disallow_lpage_count(const struct kvm_memory_slot *slot, gfn_t gfn,
					    int count)
{
	struct kvm_lpage_info *linfo;
	int level;

	for (level = PG_LEVEL_2M; level <= KVM_MAX_HUGEPAGE_LEVEL; level++) {
		linfo = lpage_info_slot(gfn, slot, level);
		WRITE_ONCE(linfo->disallow_lpage, linfo->disallow_lpage + count);
		WARN_ON_ONCE(linfo->disallow_lpage < 0);
	}
}

/**
 * kvm_mmu_gfn_disallow_lpage() - a gfn needs a small mapping: one reason more
 * @slot: that holds @gfn
 * @gfn: guest frame
 *
 * Context: mmu_lock held for writing.
 */
void kvm_mmu_gfn_disallow_lpage(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	update_gfn_disallow_lpage_count(slot, gfn, 1);
}

/**
 * kvm_mmu_gfn_allow_lpage() - one reason less
 * @slot: that holds @gfn
 * @gfn: guest frame
 *
 * Context: mmu_lock held for writing.
 */
void kvm_mmu_gfn_allow_lpage(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	update_gfn_disallow_lpage_count(slot, gfn, -1);
}

/**
 * kvm_lpage_disallowed() - is there a reason against a huge page?
 * @slot: that holds @gfn
 * @gfn: guest frame
 * @level: PG_LEVEL_2M or PG_LEVEL_1G
 */
bool kvm_lpage_disallowed(const struct kvm_memory_slot *slot, gfn_t gfn, int level)
{
	return slot->arch.lpage_misaligned[level - PG_LEVEL_2M] ||
	       READ_ONCE(lpage_info_slot(gfn, slot, level)->disallow_lpage);
}
