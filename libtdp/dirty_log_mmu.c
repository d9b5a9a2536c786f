// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings and the dirty log: write-protection, dirty bits, and page sizes.  Mirrors
 * those parts of arch/x86/kvm/mmu/mmu.c.
 */
#include "dirty_log_mmu.h"

#include "dirty_log.h"
#include "memslot.h"
#include "mmu_calls.h"
#include "mmu_internal.h"
#include "tdp_mmu.h"

/**
 * kvm_mmu_slot_remove_write_access() - write-protect a slot for logging
 * @kvm: the VM
 * @slot: the slot
 * @start_level: lowest level of mappings to protect; the larger ones are, too
 *
 * Mirrors kvm_mmu_slot_remove_write_access().
 *
 * Context: takes mmu_lock for reading; the caller flushes.
 */
void kvm_mmu_slot_remove_write_access(struct kvm *kvm, const struct kvm_memory_slot *slot,
				      int start_level)
{
	read_lock(&kvm->mmu_lock);
	kvm_tdp_mmu_wrprot_slot(kvm, slot, start_level);
	read_unlock(&kvm->mmu_lock);
}

/**
 * kvm_mmu_slot_leaf_clear_dirty() - clear the dirty bits of a slot's 4K mappings
 * @kvm: the VM
 * @slot: the slot
 *
 * Mirrors kvm_mmu_slot_leaf_clear_dirty().
 *
 * Context: takes mmu_lock for reading; the caller flushes.
 */
void kvm_mmu_slot_leaf_clear_dirty(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	read_lock(&kvm->mmu_lock);
	kvm_tdp_mmu_clear_dirty_slot(kvm, slot);
	read_unlock(&kvm->mmu_lock);
}

/**
 * kvm_mmu_zap_collapsible_sptes() - zap what could be huge again, now that the slot is not logged
 * @kvm: the VM
 * @slot: the slot
 *
 * The next faults map huge pages. Mirrors kvm_mmu_zap_collapsible_sptes().
 *
 * Context: takes mmu_lock for reading.
 */
void kvm_mmu_zap_collapsible_sptes(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	read_lock(&kvm->mmu_lock);
	kvm_tdp_mmu_zap_collapsible_sptes(kvm, slot);
	read_unlock(&kvm->mmu_lock);
}

/**
 * __kvm_mmu_slot_try_split_huge_pages() - split a slot's huge pages, as far as memory allows
 * @kvm: the VM
 * @slot: the slot
 * @target_level: largest mappings that may stay
 *
 * Nothing is flushed: the new SPTEs allow no less than the old ones, and what the
 * caller does to them next is followed by a flush. Mirrors kvm_mmu_slot_try_split_huge_pages().
 *
 * Context: slots_lock held; takes mmu_lock for reading.
 */
void __kvm_mmu_slot_try_split_huge_pages(struct kvm *kvm, const struct kvm_memory_slot *slot,
					 int target_level)
{
	read_lock(&kvm->mmu_lock);
	kvm_tdp_mmu_try_split_huge_pages(kvm, slot, slot->base_gfn, slot->base_gfn + slot->npages,
					 target_level, true);
	read_unlock(&kvm->mmu_lock);
}

/**
 * __kvm_mmu_slot_gfn_write_protect() - take write access, and the right to get it back without
 * mmu_lock
 * @kvm: the VM
 * @slot: that holds @gfn
 * @gfn: guest frame
 * @min_level: lowest level of mappings to protect
 *
 * Mirrors kvm_mmu_slot_gfn_write_protect().
 *
 * Context: mmu_lock held for writing.
 * Return: true if a flush is owed.
 */
bool __kvm_mmu_slot_gfn_write_protect(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn,
				      int min_level)
{
	return kvm_tdp_mmu_write_protect_gfn(kvm, slot, gfn, min_level);
}

/*
 * A slot that began all dirty may still have writable huge pages: split them now, or
 * protect them so that the next write does.  @start and @end are the first and the
 * last gfn of a word of the bitmap, so they lie in at most two 2M pages.
 */
static void kvm_mmu_enable_log_dirty_huge(struct kvm *kvm, struct kvm_memory_slot *slot,
					  gfn_t start, gfn_t end)
{
	if (kvm->config.eager_page_split)
		kvm_tdp_mmu_try_split_huge_pages(kvm, slot, start, end + 1, PG_LEVEL_4K, false);

	__kvm_mmu_slot_gfn_write_protect(kvm, slot, start, PG_LEVEL_2M);
	if (gfn_round_for_level(start, PG_LEVEL_2M) != gfn_round_for_level(end, PG_LEVEL_2M))
		__kvm_mmu_slot_gfn_write_protect(kvm, slot, end, PG_LEVEL_2M);
}

/**
 * kvm_arch_mmu_enable_log_dirty_pt_masked() - pages are to be logged at their next write
 * @kvm: the VM
 * @slot: that holds them
 * @gfn_offset: of the first of 64 pages from the slot's first, a multiple of 64
 * @mask: which of the 64; not 0
 *
 * With PML by clearing D, or else by write-protection.
 * Mirrors kvm_arch_mmu_enable_log_dirty_pt_masked().
 *
 * Context: mmu_lock held for writing; the caller flushes.
 */
void kvm_arch_mmu_enable_log_dirty_pt_masked(struct kvm *kvm, struct kvm_memory_slot *slot,
					     u64 gfn_offset, u64 mask)
{
	gfn_t gfn = slot->base_gfn + gfn_offset;

	if (kvm_dirty_log_manual_protect_and_init_set(kvm))
		kvm_mmu_enable_log_dirty_huge(kvm, slot, gfn + __builtin_ctzll(mask),
					      gfn + 63 - __builtin_clzll(mask));

	kvm_tdp_mmu_clear_dirty_pt_masked(kvm, slot, gfn, mask, !kvm->arch.cpu_dirty_log_size);
}
