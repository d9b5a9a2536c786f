// SPDX-License-Identifier: GPL-2.0-only
/*
 * How SPTEs are made.  Mirrors arch/x86/kvm/mmu/spte.c; the masks are in
 * spte_format.c.
 */
#include "spte.h"

static u64 generation_mmio_spte_mask(u64 gen)
{
	u64 low = gen << MMIO_SPTE_GEN_LOW_SHIFT;
	u64 high = gen << MMIO_SPTE_GEN_HIGH_SHIFT;

	WARN_ON_ONCE(gen > MMIO_SPTE_GEN_MASK);
	return (low & MMIO_SPTE_GEN_LOW_MASK) | (high & MMIO_SPTE_GEN_HIGH_MASK);
}

/**
 * make_mmio_spte() - SPTE for a gfn without a slot
 * @vcpu: whose slots' generation is recorded
 * @gfn: page
 * @access: ACC_* that the guest has; kept as far as the format can
 *
 * The CPU faults on it in a way of its own, so that the access is emulated without
 * a slot look-up.  On an L1TF host the gpa's top bits move up by five, and ones
 * take their place.  Mirrors make_mmio_spte().
 *
 * Context: kvm->srcu held for reading.
 * Return: the SPTE.
 */
u64 make_mmio_spte(struct kvm_vcpu *vcpu, gfn_t gfn, unsigned int access)
{
	const struct tdp_spte_format *fmt = kvm_spte_format(vcpu->kvm);
	u64 gen = READ_ONCE(kvm_vcpu_memslots(vcpu)->generation) & MMIO_SPTE_GEN_MASK;
	u64 gpa = gfn << PAGE_SHIFT;
	u64 moved = gpa & fmt->shadow_nonpresent_or_rsvd_mask;

	WARN_ON_ONCE(!fmt->shadow_mmio_value);
	return fmt->shadow_mmio_value | (access & fmt->shadow_mmio_access_mask) |
	       generation_mmio_spte_mask(gen) | gpa | fmt->shadow_nonpresent_or_rsvd_mask |
	       moved << SHADOW_NONPRESENT_OR_RSVD_MASK_LEN;
}

/**
 * spte_has_volatile_bits() - may an SPTE change while mmu_lock is held for writing?
 * @fmt: masks
 * @spte: MMU-present leaf
 *
 * A fast page fault sets W where MMU-writable is set, and undoes access tracking;
 * the CPU sets A and D.  Mirrors spte_has_volatile_bits().
 *
 * Return: true if it must be replaced atomically.
 */
bool spte_has_volatile_bits(const struct tdp_spte_format *fmt, u64 spte)
{
	if (is_mmu_writable_spte(fmt, spte) && !is_writable_pte(spte))
		return true;
	if (!spte_ad_enabled(spte))
		return is_access_track_spte(fmt, spte);
	if (!(spte & fmt->shadow_accessed_mask))
		return true;
	return is_writable_pte(spte) && !(spte & fmt->shadow_dirty_mask);
}

/* EPT overrides the MTRRs. Guests without device assignment get WB whatever their PAT says. */
static u64 get_mt_mask(bool is_mmio)
{
	if (is_mmio)
		return MTRR_TYPE_UNCACHABLE << VMX_EPT_MT_EPTE_SHIFT;
	return MTRR_TYPE_WRBACK << VMX_EPT_MT_EPTE_SHIFT | VMX_EPT_IPAT_BIT;
}

/* How the leaves of @sp tell of accesses and writes. */
static u64 ad_type(struct kvm *kvm, const struct kvm_mmu_page *sp)
{
	if (sp->role.ad_disabled)
		return SPTE_TDP_AD_DISABLED;
	return kvm_mmu_page_ad_need_write_protect(kvm, sp) ? SPTE_TDP_AD_WRPROT_ONLY :
							     SPTE_TDP_AD_ENABLED;
}

/**
 * make_spte() - leaf SPTE that maps a page
 * @vcpu: that faulted
 * @sp: page table that will hold it
 * @slot: of @gfn
 * @access: ACC_* allowed
 * @gfn: first gfn mapped
 * @pfn: first frame mapped, aligned like @gfn
 * @old_spte: what is to be replaced
 * @prefetch: nothing accessed it yet: make it look so
 * @can_unsync: unused without shadow paging, as in the kernel
 * @host_writable: the host and the slot let the page be written
 * @new_spte: result
 *
 * Mirrors make_spte().
 *
 * Context: mmu_lock held; takes no other lock. Marks @gfn dirty in @slot's bitmap
 * if the SPTE is writable and the slot is logged.
 * Return: true if a tracked gfn had to be write-protected.
 */
bool make_spte(struct kvm_vcpu *vcpu, struct kvm_mmu_page *sp, const struct kvm_memory_slot *slot,
	       unsigned int access, gfn_t gfn, kvm_pfn_t pfn, u64 old_spte, bool prefetch,
	       bool can_unsync, bool host_writable, u64 *new_spte)
{
	struct kvm *kvm = vcpu->kvm;
	const struct tdp_spte_format *fmt = kvm_spte_format(kvm);
	const bool is_mmio = kvm_is_mmio_pfn(kvm, pfn);
	const int level = sp->role.level;
	bool exec = access & ACC_EXEC_MASK;
	bool write = (access & ACC_WRITE_MASK) && host_writable;
	bool wrprot = false;
	u64 spte = SPTE_MMU_PRESENT_MASK | ad_type(kvm, sp) | fmt->shadow_present_mask |
		   pfn << PAGE_SHIFT;

	WARN_ON_ONCE((access | fmt->shadow_present_mask) == SHADOW_NONPRESENT_VALUE);

	if (!prefetch)
		spte |= spte_shadow_accessed_mask(fmt, spte);

	if (level > PG_LEVEL_4K) {
		spte |= PT_PAGE_SIZE_MASK;
		/* A huge page that is executable could hit the erratum, whoever runs in it. */
		if (exec && is_nx_huge_page_enabled(kvm))
			exec = false;
	}
	spte |= exec ? fmt->shadow_x_mask : fmt->shadow_nx_mask;

	if (access & ACC_USER_MASK)
		spte |= fmt->shadow_user_mask;
	if (fmt->shadow_memtype_mask)
		spte |= get_mt_mask(is_mmio);
	if (!is_mmio)
		spte |= fmt->shadow_me_value;
	if (host_writable)
		spte |= fmt->shadow_host_writable_mask;

	if (write) {
		const u64 writable = PT_WRITABLE_MASK | fmt->shadow_mmu_writable_mask;

		/*
		 * In the place of a writable leaf, of the same frame by necessity, neither
		 * tracking nor D needs a look: the old SPTE has been accounted for.  The kernel
		 * does not ask whether it is present, and takes a stale MMIO SPTE, which has
		 * the bit of W set, for such a leaf: docs/findings/mmio-spte-taken-for-writable.md.
		 */
		if (is_shadow_present_pte(old_spte) && is_last_spte(old_spte, level) &&
		    is_writable_pte(old_spte)) {
			spte |= writable;
		} else if (mmu_try_to_unsync_pages(kvm, slot, gfn, can_unsync, prefetch)) {
			wrprot = true;
		} else {
			spte |= writable;
			spte |= spte_shadow_dirty_mask(fmt, spte);
		}
	}

	if (prefetch)
		spte = mark_spte_for_access_track(fmt, spte);

	WARN_ON_ONCE(is_rsvd_spte(&fmt->shadow_zero_check, spte, level));

	if (is_writable_pte(spte) && kvm_slot_dirty_track_enabled(slot)) {
		WARN_ON_ONCE(level > PG_LEVEL_4K);
		mark_page_dirty_in_slot(kvm, slot, gfn);
	}

	*new_spte = spte;
	return wrprot;
}

static u64 make_spte_executable(const struct tdp_spte_format *fmt, u64 spte)
{
	const bool tracked = is_access_track_spte(fmt, spte);

	if (tracked)
		spte = restore_acc_track_spte(fmt, spte);
	spte = (spte & ~fmt->shadow_nx_mask) | fmt->shadow_x_mask;
	return tracked ? mark_spte_for_access_track(fmt, spte) : spte;
}

/**
 * make_huge_page_split_spte() - SPTE for one part of a huge page
 * @kvm: VM
 * @huge_spte: leaf that maps the huge page
 * @role: of the table that takes its place
 * @index: position in that table
 *
 * Rights, A and D are those of the huge page, except that 4K pages may be executed
 * where only the NX mitigation forbade it.  Mirrors make_huge_page_split_spte().
 *
 * Return: the SPTE.
 */
u64 make_huge_page_split_spte(struct kvm *kvm, u64 huge_spte, union kvm_mmu_page_role role,
			      int index)
{
	u64 offset = index * KVM_PAGES_PER_HPAGE(role.level) << PAGE_SHIFT;
	u64 spte = huge_spte | offset;

	KVM_BUG_ON(!is_shadow_present_pte(huge_spte) || !is_large_pte(huge_spte), kvm);

	if (role.level > PG_LEVEL_4K)
		return spte;

	spte &= ~PT_PAGE_SIZE_MASK;
	if ((role.access & ACC_EXEC_MASK) && is_nx_huge_page_enabled(kvm))
		spte = make_spte_executable(kvm_spte_format(kvm), spte);
	return spte;
}

/**
 * make_nonleaf_spte() - SPTE that links a page table
 * @fmt: masks
 * @child_pt: the table
 * @ad_disabled: this VM keeps no accessed bits
 *
 * Mirrors make_nonleaf_spte().
 *
 * Return: the SPTE.
 */
u64 make_nonleaf_spte(const struct tdp_spte_format *fmt, u64 *child_pt, bool ad_disabled)
{
	u64 all = PT_WRITABLE_MASK | fmt->shadow_user_mask | fmt->shadow_x_mask;
	u64 ad = ad_disabled ? SPTE_TDP_AD_DISABLED : fmt->shadow_accessed_mask;

	return SPTE_MMU_PRESENT_MASK | fmt->shadow_present_mask | all | ad | fmt->shadow_me_value |
	       __pa(child_pt);
}

/**
 * mark_spte_for_access_track() - make an SPTE such that the next access is noticed
 * @fmt: masks
 * @spte: MMU-present leaf
 *
 * Clears A, or where the CPU has none takes all access away and keeps R and X in
 * software bits; W comes back through MMU-writable.  Mirrors the function of that name.
 *
 * Return: the new SPTE.
 */
u64 mark_spte_for_access_track(const struct tdp_spte_format *fmt, u64 spte)
{
	u64 saved;

	if (spte_ad_enabled(spte))
		return spte & ~fmt->shadow_accessed_mask;
	if (is_access_track_spte(fmt, spte))
		return spte;

	check_spte_writable_invariants(fmt, spte);
	WARN_ON_ONCE(spte >> SHADOW_ACC_TRACK_SAVED_BITS_SHIFT & SHADOW_ACC_TRACK_SAVED_BITS_MASK);

	saved = (spte & SHADOW_ACC_TRACK_SAVED_BITS_MASK) << SHADOW_ACC_TRACK_SAVED_BITS_SHIFT;
	return (spte & ~fmt->shadow_acc_track_mask) | saved;
}
