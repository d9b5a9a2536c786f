// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log: bitmaps that vCPUs set bits in, and the calls that harvest them and
 * arm the pages again.  Mirrors the dirty-log part of virt/kvm/kvm_main.c; how
 * mappings are armed is in dirty_log_mmu.c.
 */
#include "dirty_log.h"

#include "dirty_log_mmu.h"
#include "memslot.h"

#define BITS_PER_WORD 64

static u64 kvm_dirty_bitmap_words(u64 npages)
{
	return (npages + BITS_PER_WORD - 1) / BITS_PER_WORD;
}

/**
 * kvm_alloc_dirty_bitmap() - a bitmap for a slot that will be logged
 * @kvm: the VM
 * @slot: the slot, not yet visible
 *
 * All clear, or all set if the VMM has asked for that. Mirrors kvm_alloc_dirty_bitmap().
 *
 * Return: 0 or -ENOMEM.
 */
int kvm_alloc_dirty_bitmap(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	u64 words = kvm_dirty_bitmap_words(slot->npages);

	slot->dirty_bitmap = kvcalloc(words, sizeof(*slot->dirty_bitmap));
	if (!slot->dirty_bitmap)
		return -ENOMEM;

	if (kvm_dirty_log_manual_protect_and_init_set(kvm)) {
		memset(slot->dirty_bitmap, 0xff, words * sizeof(*slot->dirty_bitmap));
		if (slot->npages % BITS_PER_WORD)
			slot->dirty_bitmap[words - 1] = (1ULL << slot->npages % BITS_PER_WORD) - 1;
	}
	return 0;
}

/**
 * kvm_destroy_dirty_bitmap() - free a slot's bitmap, if it has one
 * @slot: the slot
 */
void kvm_destroy_dirty_bitmap(struct kvm_memory_slot *slot)
{
	kfree(slot->dirty_bitmap);
	slot->dirty_bitmap = NULL;
}

/**
 * kvm_flush_remote_tlbs_memslot() - flush a slot's gfns
 * @kvm: the VM
 * @slot: the slot
 *
 * Mirrors kvm_flush_remote_tlbs_memslot().
 *
 * Context: slots_lock held, so that whoever works on the slot next finds the flush done.
 */
void kvm_flush_remote_tlbs_memslot(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	lockdep_assert_owned(&kvm->slots_lock);
	kvm_flush_remote_tlbs_range(kvm, slot->base_gfn, slot->npages);
}

/**
 * mark_page_dirty_in_slot() - a page was, or is about to be, written
 * @kvm: the VM
 * @slot: that holds @gfn; NULL: nothing to mark
 * @gfn: guest frame
 *
 * Mirrors mark_page_dirty_in_slot(), for bitmaps.
 *
 * Context: SRCU read section; with or without mmu_lock.
 */
void mark_page_dirty_in_slot(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn)
{
	u64 rel_gfn;

	(void)kvm;
	if (!slot || !kvm_slot_dirty_track_enabled(slot) || !slot->dirty_bitmap)
		return;
	rel_gfn = gfn - slot->base_gfn;
	tdp_fetch_or(&slot->dirty_bitmap[rel_gfn / BITS_PER_WORD], 1ULL << rel_gfn % BITS_PER_WORD);
}

/**
 * kvm_vcpu_mark_page_dirty() - a vCPU wrote a page otherwise than through its mapping, or its PML
 * buffer says so
 * @vcpu: the vCPU
 * @gfn: guest frame; nothing happens if no slot of the vCPU's address space holds it
 *
 * For stores that KVM emulates, and for each gpa that the hardware logged (vmx_flush_pml_buffer()).
 * Mirrors kvm_vcpu_mark_page_dirty().
 *
 * Context: an SRCU read section inside.
 */
void kvm_vcpu_mark_page_dirty(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	int idx;

	if (!vcpu)
		return;
	idx = srcu_read_lock(&vcpu->kvm->srcu);
	mark_page_dirty_in_slot(vcpu->kvm, kvm_vcpu_gfn_to_memslot(vcpu, gfn), gfn);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
}

/* Vcpus hand their PML buffers over whenever they leave the guest, so make them leave. */
static void kvm_arch_sync_dirty_log(struct kvm *kvm)
{
	if (kvm->arch.cpu_dirty_log_size)
		tdp_kick_vcpus(kvm, TDP_REQ_DRAIN);
}

/* The slot whose log is asked for; or an error. */
static int kvm_find_logged_memslot(struct kvm *kvm, u32 slot_id, struct kvm_memory_slot **slotp)
{
	if (slot_id >> 16 >= KVM_MAX_NR_ADDRESS_SPACES || (u16)slot_id >= KVM_USER_MEM_SLOTS)
		return -EINVAL;
	*slotp = kvm_find_memslot(kvm, slot_id);
	return *slotp && (*slotp)->dirty_bitmap ? 0 : -ENOENT;
}

static int kvm_get_dirty_log_protect(struct kvm *kvm, u32 slot_id, u64 *bitmap, size_t words)
{
	struct kvm_memory_slot *slot;
	bool flush = false;
	u64 i;
	int r;

	r = kvm_find_logged_memslot(kvm, slot_id, &slot);
	if (r)
		return r;
	if (words < kvm_dirty_bitmap_words(slot->npages))
		return -EINVAL;
	words = kvm_dirty_bitmap_words(slot->npages);

	kvm_arch_sync_dirty_log(kvm);

	/* The VMM will clear what it wants cleared, and when it wants. */
	if (kvm->config.manual_protect) {
		for (i = 0; i < words; i++)
			bitmap[i] = tdp_read_word(&slot->dirty_bitmap[i]);
		return 0;
	}

	/*
	 * First the bit is taken, then the page armed: a write between the two is reported
	 * by this call, one after them by the next.
	 */
	write_lock(&kvm->mmu_lock);
	for (i = 0; i < words; i++) {
		bitmap[i] = 0;
		if (!tdp_read_word(&slot->dirty_bitmap[i]))
			continue;
		flush = true;
		bitmap[i] = tdp_xchg_word(&slot->dirty_bitmap[i], 0);
		kvm_arch_mmu_enable_log_dirty_pt_masked(kvm, slot, i * BITS_PER_WORD, bitmap[i]);
	}
	write_unlock(&kvm->mmu_lock);

	if (flush)
		kvm_flush_remote_tlbs_memslot(kvm, slot);
	return 0;
}

/**
 * kvm_vm_ioctl_get_dirty_log() - which pages of a slot were written?
 * @kvm: the VM
 * @slot: as_id << 16 | id
 * @bitmap: gets one bit a page, bit 0 of word 0 the first
 * @words: size of @bitmap in words of 64 bits, at least that of the slot; only the slot's are
 *	written
 *
 * Without manual protection the log is cleared, and the pages armed to be logged again.
 * Mirrors KVM_GET_DIRTY_LOG and kvm_get_dirty_log_protect().
 *
 * Context: takes slots_lock, and mmu_lock for writing. May split huge pages.
 * Return: 0; -EINVAL for bad arguments; -ENOENT if there is no such slot or it is not logged.
 */
int kvm_vm_ioctl_get_dirty_log(struct kvm *kvm, u32 slot, u64 *bitmap, size_t words)
{
	int r;

	if (!kvm || !bitmap)
		return -EINVAL;
	mutex_lock(&kvm->slots_lock);
	r = kvm_get_dirty_log_protect(kvm, slot, bitmap, words);
	mutex_unlock(&kvm->slots_lock);
	return r;
}

static int kvm_clear_dirty_log_protect(struct kvm *kvm, u32 slot_id, u64 first_page, u64 num_pages,
				       const u64 *bitmap)
{
	u64 i, rest, mask, *word, words = kvm_dirty_bitmap_words(num_pages);
	struct kvm_memory_slot *slot;
	bool flush = false;
	int r;

	if (first_page % BITS_PER_WORD)
		return -EINVAL;
	r = kvm_find_logged_memslot(kvm, slot_id, &slot);
	if (r)
		return r;
	if (first_page > slot->npages)
		return -EINVAL;
	rest = slot->npages - first_page;
	if (num_pages > rest || (num_pages < rest && num_pages % BITS_PER_WORD))
		return -EINVAL;

	kvm_arch_sync_dirty_log(kvm);

	write_lock(&kvm->mmu_lock);
	for (i = 0; i < words; i++) {
		if (!bitmap[i])
			continue;
		/* Only what was set is cleared and armed; so bits beyond the slot do no harm. */
		word = &slot->dirty_bitmap[first_page / BITS_PER_WORD + i];
		mask = bitmap[i] & tdp_fetch_andnot(word, bitmap[i]);
		if (!mask)
			continue;
		flush = true;
		kvm_arch_mmu_enable_log_dirty_pt_masked(kvm, slot, first_page + i * BITS_PER_WORD,
							mask);
	}
	write_unlock(&kvm->mmu_lock);

	if (flush)
		kvm_flush_remote_tlbs_memslot(kvm, slot);
	return 0;
}

/**
 * kvm_vm_ioctl_clear_dirty_log() - clear part of a slot's log, and arm the pages to be logged again
 * @kvm: the VM
 * @slot: as_id << 16 | id
 * @first_page: within the slot, a multiple of 64
 * @num_pages: a multiple of 64, or all that follow @first_page
 * @bitmap: one bit a page from @first_page on: set bits are cleared in the log
 *
 * Mirrors KVM_CLEAR_DIRTY_LOG and kvm_clear_dirty_log_protect(); like that it works with or
 * without manual protection.
 *
 * Context: takes slots_lock, and mmu_lock for writing. May split huge pages.
 * Return: 0; -EINVAL for bad arguments; -ENOENT if there is no such slot or it is not logged.
 */
int kvm_vm_ioctl_clear_dirty_log(struct kvm *kvm, u32 slot, u64 first_page, u64 num_pages,
				 const u64 *bitmap)
{
	int r;

	if (!kvm || !bitmap)
		return -EINVAL;
	mutex_lock(&kvm->slots_lock);
	r = kvm_clear_dirty_log_protect(kvm, slot, first_page, num_pages, bitmap);
	mutex_unlock(&kvm->slots_lock);
	return r;
}
