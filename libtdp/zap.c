// SPDX-License-Identifier: GPL-2.0-only
/*
 * Zaps of whole roots, slots and gfn ranges.  Mirrors those parts of
 * arch/x86/kvm/mmu/mmu.c.
 */
#include "mmu_calls.h"

#include "memslot.h"
#include "notifier.h"
#include "tdp_mmu.h"
#include "vcpu.h"

/*
 * Make every root invalid and every vCPU drop its own, in one critical section, so
 * that no vCPU is left with an invalid root and without the request to leave it.
 */
static void __kvm_mmu_zap_all_fast_front_half(struct kvm *kvm)
{
	lockdep_assert_owned(&kvm->slots_lock);
	lockdep_assert_held_write(&kvm->mmu_lock);

	kvm_tdp_mmu_invalidate_all_roots(kvm);
	kvm_make_all_cpus_request(kvm, KVM_REQ_MMU_FREE_OBSOLETE_ROOTS);
}

/*
 * What the invalid roots map must be gone before a slot is: no MMU notifier would find it
 * afterwards.
 */
static void __kvm_mmu_zap_all_fast_back_half(struct kvm *kvm)
{
	lockdep_assert_owned(&kvm->slots_lock);

	kvm_tdp_mmu_zap_invalidated_roots(kvm);
}

/**
 * __kvm_mmu_zap_all_fast() - kvm_mmu_zap_all_fast() for callers that hold slots_lock
 * @kvm: the VM
 *
 * Context: slots_lock held; takes mmu_lock for writing, then for reading.
 */
void __kvm_mmu_zap_all_fast(struct kvm *kvm)
{
	write_lock(&kvm->mmu_lock);
	__kvm_mmu_zap_all_fast_front_half(kvm);
	write_unlock(&kvm->mmu_lock);

	__kvm_mmu_zap_all_fast_back_half(kvm);
}

/**
 * __kvm_mmu_zap_all() - zap every mapping of every root
 * @kvm: the VM
 *
 * Mirrors kvm_mmu_zap_all().
 *
 * Context: takes mmu_lock for writing.
 */
void __kvm_mmu_zap_all(struct kvm *kvm)
{
	write_lock(&kvm->mmu_lock);
	kvm_tdp_mmu_zap_all(kvm);
	write_unlock(&kvm->mmu_lock);
}

/**
 * __kvm_zap_gfn_range() - zap what maps a range of gfns in any valid root
 * @kvm: the VM
 * @start: first gfn
 * @end: first gfn after it
 *
 * Counts as an invalidation of the range, so that faults which looked their pfn up
 * before do not map it after. Mirrors kvm_zap_gfn_range().
 *
 * Context: takes mmu_lock for writing, inside an SRCU read section.
 */
void __kvm_zap_gfn_range(struct kvm *kvm, gfn_t start, gfn_t end)
{
	bool flush;
	int idx;

	idx = srcu_read_lock(&kvm->srcu);
	write_lock(&kvm->mmu_lock);

	kvm_mmu_invalidate_begin(kvm);
	kvm_mmu_invalidate_range_add(kvm, start, end);
	flush = kvm_tdp_mmu_zap_leafs(kvm, start, end, false);
	if (flush)
		kvm_flush_remote_tlbs_range(kvm, start, end - start);
	kvm_mmu_invalidate_end(kvm);

	write_unlock(&kvm->mmu_lock);
	srcu_read_unlock(&kvm->srcu, idx);
}

/**
 * kvm_arch_flush_shadow_memslot() - nothing of a slot stays mapped
 * @kvm: the VM
 * @slot: the slot; readers see it as INVALID
 *
 * All roots at once, or the slot's leaves, as KVM_X86_QUIRK_SLOT_ZAP_ALL says.
 * Mirrors kvm_arch_flush_shadow_memslot().
 *
 * Context: slots_lock held; takes mmu_lock.
 */
void kvm_arch_flush_shadow_memslot(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	struct kvm_gfn_range all = { .slot = slot, .may_block = true };

	if (kvm->config.quirk_slot_zap_all) {
		__kvm_mmu_zap_all_fast(kvm);
		return;
	}

	all.start = slot->base_gfn;
	all.end = all.start + slot->npages;
	write_lock(&kvm->mmu_lock);
	if (kvm_unmap_gfn_range(kvm, &all))
		kvm_flush_remote_tlbs(kvm);
	write_unlock(&kvm->mmu_lock);
}

/**
 * __kvm_mmu_invalidate_mmio_sptes() - kvm_mmu_invalidate_mmio_sptes() for callers that hold
 * slots_lock
 * @kvm: the VM
 * @gen: the new generation
 *
 * Context: slots_lock held; may take mmu_lock.
 */
void __kvm_mmu_invalidate_mmio_sptes(struct kvm *kvm, u64 gen)
{
	WARN_ON_ONCE(gen & KVM_MEMSLOT_GEN_UPDATE_IN_PROGRESS);

	/* What tells address spaces apart would hide the wrap of all but the first. */
	if (!(gen & MMIO_SPTE_GEN_MASK & ~(u64)(KVM_MAX_NR_ADDRESS_SPACES - 1)))
		__kvm_mmu_zap_all_fast(kvm);
}
