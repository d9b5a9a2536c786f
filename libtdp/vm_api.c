// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the VMM and the host ask of a VM's MMU, on whatever MMU there is: arguments are
 * checked, slots_lock is taken, and the MMU does the rest.
 */
#include "memslot.h"
#include "mmu_calls.h"

/**
 * kvm_set_nx_huge_pages() - turn the mitigation on or off
 * @kvm: the VM; the kernel's switch is global and does this to every VM
 * @on: huge pages are not executable
 *
 * All mappings are built anew under the new rule. Mirrors set_nx_huge_pages().
 *
 * Context: takes slots_lock and mmu_lock.
 * Return: 0 or -EINVAL.
 */
int kvm_set_nx_huge_pages(struct kvm *kvm, bool on)
{
	if (!kvm)
		return -EINVAL;
	__kvm_set_nx_huge_pages(kvm, on);
	return 0;
}

/**
 * kvm_recover_nx_huge_pages() - give up the oldest tables that the mitigation has made
 * @kvm: the VM
 *
 * One in nx_huge_pages_recovery_ratio, rounded up; none if that is 0 or the mitigation is off, as
 * then the kernel's worker does not run. Mirrors kvm_recover_nx_huge_pages().
 *
 * Context: takes mmu_lock for writing, inside an SRCU read section; yields.
 * Return: 0 or -EINVAL.
 */
int kvm_recover_nx_huge_pages(struct kvm *kvm)
{
	if (!kvm)
		return -EINVAL;
	__kvm_recover_nx_huge_pages(kvm);
	return 0;
}

/**
 * kvm_zap_gfn_range() - zap what maps a range of gfns in any valid root
 * @kvm: the VM
 * @start: first gfn
 * @end: first gfn after it
 *
 * Counts as an invalidation of the range, so that faults which looked their pfn up
 * before do not map it after. Mirrors kvm_zap_gfn_range().
 *
 * Context: takes mmu_lock for writing, inside an SRCU read section.
 * Return: 0; -EINVAL if the range is empty.
 */
int kvm_zap_gfn_range(struct kvm *kvm, gfn_t start, gfn_t end)
{
	if (!kvm || end <= start)
		return -EINVAL;
	__kvm_zap_gfn_range(kvm, start, end);
	return 0;
}

/**
 * kvm_mmu_zap_all_fast() - make all page tables obsolete, then zap them while vCPUs build new ones
 * @kvm: the VM
 *
 * When this returns no vCPU runs on an old root, and the old roots map nothing.
 * Mirrors kvm_mmu_zap_all_fast().
 *
 * Context: takes slots_lock and mmu_lock.
 */
void kvm_mmu_zap_all_fast(struct kvm *kvm)
{
	if (!kvm)
		return;
	mutex_lock(&kvm->slots_lock);
	__kvm_mmu_zap_all_fast(kvm);
	mutex_unlock(&kvm->slots_lock);
}

/**
 * kvm_mmu_zap_all() - zap every mapping of every root
 * @kvm: the VM
 *
 * For a VM that will not run again, as when its host memory is torn down: vCPUs are not made to
 * leave the guest, and what they still have in their TLBs is not flushed.
 * Mirrors kvm_mmu_zap_all() and kvm_arch_flush_shadow_all().
 *
 * Context: takes mmu_lock for writing.
 */
void kvm_mmu_zap_all(struct kvm *kvm)
{
	if (kvm)
		__kvm_mmu_zap_all(kvm);
}

/**
 * kvm_mmu_invalidate_mmio_sptes() - zap everything if the generation that MMIO SPTEs hold has
 * wrapped
 * @kvm: the VM
 * @gen: the new generation of the slots, without the in-progress bit
 *
 * Else a very old MMIO SPTE could pass for a new one. Mirrors kvm_mmu_invalidate_mmio_sptes().
 *
 * Context: takes slots_lock; may take mmu_lock.
 */
void kvm_mmu_invalidate_mmio_sptes(struct kvm *kvm, u64 gen)
{
	if (!kvm)
		return;
	mutex_lock(&kvm->slots_lock);
	__kvm_mmu_invalidate_mmio_sptes(kvm, gen);
	mutex_unlock(&kvm->slots_lock);
}

static int kvm_lock_memslot(struct kvm *kvm, u32 slot_id, struct kvm_memory_slot **slotp)
{
	mutex_lock(&kvm->slots_lock);
	*slotp = kvm_find_memslot(kvm, slot_id);
	if (*slotp)
		return 0;
	mutex_unlock(&kvm->slots_lock);
	return -EINVAL;
}

/**
 * kvm_mmu_slot_try_split_huge_pages() - split a slot's huge pages, as far as memory allows
 * @kvm: the VM
 * @slot: as_id << 16 | id
 * @target_level: PG_LEVEL_4K or PG_LEVEL_2M: the largest mappings that may stay
 *
 * Mirrors kvm_mmu_slot_try_split_huge_pages().
 *
 * Context: takes slots_lock, and mmu_lock for reading.
 * Return: 0, also if memory ran out on the way; -EINVAL for bad arguments.
 */
int kvm_mmu_slot_try_split_huge_pages(struct kvm *kvm, u32 slot, int target_level)
{
	struct kvm_memory_slot *memslot;

	if (!kvm || target_level < PG_LEVEL_4K || target_level > PG_LEVEL_2M)
		return -EINVAL;
	if (kvm_lock_memslot(kvm, slot, &memslot))
		return -EINVAL;
	__kvm_mmu_slot_try_split_huge_pages(kvm, memslot, target_level);
	mutex_unlock(&kvm->slots_lock);
	return 0;
}

/**
 * kvm_mmu_slot_gfn_write_protect() - make a gfn unwritable, as shadow paging does, and flush
 * @kvm: the VM
 * @slot: as_id << 16 | id
 * @gfn: guest frame in the slot
 * @min_level: PG_LEVEL_4K to PG_LEVEL_1G: lowest level of mappings to protect
 *
 * The next write fault makes it writable again, unless the gfn is tracked.
 * Mirrors kvm_mmu_slot_gfn_write_protect() and the flush that its callers owe.
 *
 * Context: takes slots_lock, and mmu_lock for writing.
 * Return: 1 if a mapping was changed, else 0; -EINVAL for bad arguments.
 */
int kvm_mmu_slot_gfn_write_protect(struct kvm *kvm, u32 slot, gfn_t gfn, int min_level)
{
	struct kvm_memory_slot *memslot;
	bool flush;

	if (!kvm || min_level < PG_LEVEL_4K || min_level > KVM_MAX_HUGEPAGE_LEVEL)
		return -EINVAL;
	if (kvm_lock_memslot(kvm, slot, &memslot))
		return -EINVAL;
	if (!memslot_has_gfn(memslot, gfn)) {
		mutex_unlock(&kvm->slots_lock);
		return -EINVAL;
	}

	write_lock(&kvm->mmu_lock);
	flush = __kvm_mmu_slot_gfn_write_protect(kvm, memslot, gfn, min_level);
	if (flush)
		kvm_flush_remote_tlbs(kvm);
	write_unlock(&kvm->mmu_lock);
	mutex_unlock(&kvm->slots_lock);
	return flush;
}
