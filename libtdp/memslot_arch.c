// SPDX-License-Identifier: GPL-2.0-only
/*
 * What x86 keeps for each slot.  Mirrors kvm_arch_prepare_memory_region() and its
 * helpers in arch/x86/kvm/x86.c; what becomes of the mappings is in slot_flags.c.
 */
#include "memslot.h"

#include "mmu_calls.h"
#include "mmu_internal.h"
#include "page_track.h"

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
 * @c: the change; the new slot gets its arch data
 *
 * Context: slots_lock and slots_arch_lock held.
 * Return: 0; -EINVAL for gfns that cannot be mapped, or a move while writes are tracked; -ENOMEM.
 */
int kvm_arch_prepare_memory_region(struct kvm *kvm, const struct kvm_memslot_change *c)
{
	gfn_t last;

	switch (c->kind) {
	case KVM_MR_FLAGS_ONLY:
		c->new->arch = c->old->arch;
		return 0;
	case KVM_MR_MOVE:
		if (kvm_page_track_has_external_user(kvm))
			return -EINVAL;
		break;
	case KVM_MR_CREATE:
		break;
	case KVM_MR_DELETE:
		return 0;
	}

	last = c->new->base_gfn + c->new->npages - 1;
	return last > kvm_mmu_max_gfn(kvm) ? -EINVAL : kvm_alloc_memslot_metadata(kvm, c->new);
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

/**
 * kvm_mmu_gfn_count_lpage() - reasons against huge pages come and go
 * @slot: that holds @gfn
 * @gfn: guest frame that needs a small mapping
 * @count: reasons more, or less
 *
 * Mirrors update_gfn_disallow_lpage_count().
 *
 * Context: mmu_lock held for writing.
 */
void kvm_mmu_gfn_count_lpage(const struct kvm_memory_slot *slot, gfn_t gfn, int count)
{
	int level;

	for (level = PG_LEVEL_2M; level <= KVM_MAX_HUGEPAGE_LEVEL; level++) {
		int *disallow = &lpage_info_slot(gfn, slot, level)->disallow_lpage;

		WARN_ON_ONCE(*disallow + count < 0);
		WRITE_ONCE(*disallow, *disallow + count);
	}
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
