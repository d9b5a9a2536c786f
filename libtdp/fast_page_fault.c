// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults that need no lock: the SPTE is there, and lacks only what was taken from it
 * for logging or for access tracking.  Mirrors fast_page_fault() and its helpers in
 * arch/x86/kvm/mmu/mmu.c.
 */
#include "page_fault.h"

#include "spte.h"
#include "tdp_mmu.h"

/* Attempts at the cmpxchg before the slow path is the better choice. */
#define FAST_PF_RETRIES 4

/*
 * Two kinds: the SPTE was made inaccessible to see whether the page is used, which
 * looks like a non-present one; or it is present and the access is a write.  A
 * reserved bit means MMIO with an old generation, which needs a new SPTE.
 */
static bool page_fault_can_be_fast(struct kvm *kvm, const struct kvm_page_fault *fault)
{
	if (fault->rsvd)
		return false;
	if (!fault->present)
		return !kvm_ad_enabled(kvm_spte_format(kvm));
	return fault->write;
}

static bool is_access_allowed(const struct tdp_spte_format *fmt, const struct kvm_page_fault *fault,
			      u64 spte)
{
	if (fault->exec)
		return is_executable_pte(fmt, spte);
	if (fault->write)
		return is_writable_pte(spte);
	return spte & PT_PRESENT_MASK;
}

/*
 * What the SPTE should be for the access to succeed; @spte itself if only the slow path can tell.
 * A huge page that is logged stays as it is: one write may dirty but one 4K page.
 */
static u64 fast_pf_new_spte(const struct tdp_spte_format *fmt, const struct kvm_page_fault *fault,
			    u64 spte, int level)
{
	u64 new_spte = spte;

	if (unlikely(!kvm_ad_enabled(fmt)) && is_access_track_spte(fmt, spte))
		new_spte = restore_acc_track_spte(fmt, new_spte);

	if (fault->write && is_mmu_writable_spte(fmt, spte)) {
		if (level > PG_LEVEL_4K && kvm_slot_dirty_track_enabled(fault->slot))
			return spte;
		new_spte |= PT_WRITABLE_MASK;
	}

	return is_access_allowed(fmt, fault, new_spte) ? new_spte : spte;
}

/* False if the SPTE has changed meanwhile. */
static bool fast_pf_fix_direct_spte(struct kvm_vcpu *vcpu, const struct kvm_page_fault *fault,
				    u64 *sptep, int level, u64 old_spte, u64 new_spte)
{
	u64 found = old_spte;

	if (!tdp_cmpxchg_spte(sptep, &found, new_spte, level))
		return false;
	if (is_writable_pte(new_spte) && !is_writable_pte(old_spte))
		mark_page_dirty_in_slot(vcpu->kvm, fault->slot, fault->gfn);
	return true;
}

/**
 * fast_page_fault() - try to resolve a fault without mmu_lock
 * @vcpu: that faulted
 * @fault: the fault; gfn and slot are known
 *
 * The page tables stay allocated while RCU says so; the SPTE is changed only by a
 * cmpxchg against the value that was judged. Mirrors fast_page_fault().
 *
 * Context: SRCU read section.
 * Return: RET_PF_FIXED, RET_PF_SPURIOUS, or RET_PF_INVALID: not for this path.
 */
int fast_page_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	const struct tdp_spte_format *fmt = kvm_spte_format(vcpu->kvm);
	int ret = RET_PF_INVALID, level, tries;
	u64 spte = FROZEN_SPTE, new_spte, *sptep;

	if (!page_fault_can_be_fast(vcpu->kvm, fault))
		return ret;

	kvm_tdp_mmu_walk_lockless_begin();
	for (tries = 0; tries <= FAST_PF_RETRIES; tries++) {
		sptep = kvm_tdp_mmu_fast_pf_get_last_sptep(vcpu, fault->gfn, &spte);
		if (WARN_ON_ONCE(!sptep) || !is_shadow_present_pte(spte))
			break;
		level = sptep_to_sp(sptep)->role.level;
		if (!is_last_spte(spte, level))
			break;

		/* Somebody else has resolved it, or the TLB was out of date. */
		if (is_access_allowed(fmt, fault, spte)) {
			ret = RET_PF_SPURIOUS;
			break;
		}

		new_spte = fast_pf_new_spte(fmt, fault, spte, level);
		if (new_spte == spte)
			break;
		if (fast_pf_fix_direct_spte(vcpu, fault, sptep, level, spte, new_spte)) {
			ret = RET_PF_FIXED;
			break;
		}
	}
	kvm_tdp_mmu_walk_lockless_end();

	if (ret != RET_PF_INVALID)
		vcpu->stat.pf_fast++;
	return ret;
}
