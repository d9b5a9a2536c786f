// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is done to mappings when a slot has changed, above all its flags.  Mirrors
 * kvm_arch_commit_memory_region() and its helpers in arch/x86/kvm/x86.c.
 */
#include "memslot.h"

#include "dirty_log.h"
#include "mmu_calls.h"
#include "page_track.h"

/*
 * The vCPUs leave the guest when page-modification logging begins or ends for the VM,
 * since only then can they switch it. All have left when this returns, so that none sets
 * a D bit without logging it once the bits are cleared.
 */
static void kvm_mmu_update_cpu_dirty_logging(struct kvm *kvm, bool enable)
{
	s64 nr_slots;

	if (!kvm->arch.cpu_dirty_log_size)
		return;

	nr_slots = atomic64_read(&kvm->nr_memslots_dirty_logging);
	if ((enable && nr_slots == 1) || !nr_slots)
		tdp_kick_vcpus(kvm, TDP_REQ_UPDATE_DIRTY_LOGGING);
}

/* Logging has begun for a slot whose pages are clean as of now. */
static void kvm_mmu_slot_start_logging(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	if (kvm->config.eager_page_split)
		__kvm_mmu_slot_try_split_huge_pages(kvm, slot, PG_LEVEL_4K);

	if (kvm->arch.cpu_dirty_log_size) {
		/*
		 * In this order, which is not the kernel's: a huge page that got D again could be
		 * split, and all its parts would have D: docs/findings/log-start-splits-dirty.md.
		 */
		kvm_mmu_slot_remove_write_access(kvm, slot, PG_LEVEL_2M);
		kvm_mmu_slot_leaf_clear_dirty(kvm, slot);
	} else {
		kvm_mmu_slot_remove_write_access(kvm, slot, PG_LEVEL_4K);
	}

	/*
	 * Always, whatever the walks found: an SPTE may have lost W or D to somebody who
	 * has not flushed yet, and a fast page fault may give W back at any time.
	 */
	kvm_flush_remote_tlbs_memslot(kvm, slot);
}

/* The flags of a slot have changed; read-only ones are never dirty. */
static void kvm_mmu_slot_apply_flags(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	if (slot->flags & KVM_MEM_READONLY)
		return;
	if (!kvm_slot_dirty_track_enabled(slot))
		kvm_mmu_zap_collapsible_sptes(kvm, slot);
	else if (!kvm_dirty_log_manual_protect_and_init_set(kvm))
		kvm_mmu_slot_start_logging(kvm, slot);
}

/**
 * kvm_arch_commit_memory_region() - adapt the mappings to a change that has taken effect
 * @kvm: the VM
 * @c: the change; nobody else sees the old slot any more
 *
 * A slot just created has no mappings, and one deleted or moved has lost them.
 *
 * Context: slots_lock held; takes mmu_lock.
 */
void kvm_arch_commit_memory_region(struct kvm *kvm, const struct kvm_memslot_change *c)
{
	int logging = kvm_memslot_logging_change(c);

	if (c->kind == KVM_MR_DELETE)
		kvm_page_track_delete_slot(kvm, c->old);
	if (logging)
		kvm_mmu_update_cpu_dirty_logging(kvm, logging > 0);
	if (c->kind == KVM_MR_FLAGS_ONLY)
		kvm_mmu_slot_apply_flags(kvm, c->new);
	if (c->kind == KVM_MR_MOVE)
		kvm_arch_free_memslot(c->old);
}
