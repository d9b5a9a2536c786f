// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses to gfns without a slot: they are emulated, and SPTEs that cause a
 * misconfiguration or reserved-bit fault remember that, for one generation of slots.
 * Mirrors the MMIO parts of arch/x86/kvm/mmu/mmu.c and x86.h.
 */
#include "page_fault.h"

#include "memslot.h"
#include "spte.h"
#include "tdp_mmu.h"

/* Nothing is remembered while the slots change. Mirrors vcpu_cache_mmio_info(). */
static void vcpu_cache_mmio_info(struct kvm_vcpu *vcpu, gfn_t gfn, unsigned int access)
{
	u64 gen = READ_ONCE(kvm_vcpu_memslots(vcpu)->generation);

	if (unlikely(gen & KVM_MEMSLOT_GEN_UPDATE_IN_PROGRESS))
		return;
	vcpu->arch.mmio_gfn = gfn;
	vcpu->arch.mmio_access = access;
	vcpu->arch.mmio_gen = gen;
}

/* gfn 0 stands for nothing cached. Mirrors vcpu_match_mmio_gpa(). */
static bool mmio_info_in_cache(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	return vcpu->arch.mmio_gfn && vcpu->arch.mmio_gfn == gpa >> PAGE_SHIFT &&
	       vcpu->arch.mmio_gen == READ_ONCE(kvm_vcpu_memslots(vcpu)->generation);
}

/*
 * Can the gfn be read back from an MMIO SPTE? The kernel does not ask, and forgets the bits above
 * those that memory encryption leaves of a host address: docs/findings/mmio-gfn-above-key-bits.md.
 */
static bool mmio_spte_can_hold(const struct tdp_spte_format *fmt, gfn_t gfn)
{
	return !(gfn << PAGE_SHIFT & ~(fmt->shadow_nonpresent_or_rsvd_lower_gfn_mask |
				       fmt->shadow_nonpresent_or_rsvd_mask));
}

static gfn_t get_mmio_spte_gfn(const struct tdp_spte_format *fmt, u64 spte)
{
	u64 high = spte >> SHADOW_NONPRESENT_OR_RSVD_MASK_LEN & fmt->shadow_nonpresent_or_rsvd_mask;

	return ((spte & fmt->shadow_nonpresent_or_rsvd_lower_gfn_mask) | high) >> PAGE_SHIFT;
}

/*
 * Is the SPTE of the present generation of slots?  While they change, nothing is.
 * Mirrors check_mmio_spte().
 */
static bool check_mmio_spte(struct kvm_vcpu *vcpu, u64 spte)
{
	u64 gen = READ_ONCE(kvm_vcpu_memslots(vcpu)->generation);

	if (unlikely(gen & KVM_MEMSLOT_GEN_UPDATE_IN_PROGRESS))
		return false;
	return (gen & MMIO_SPTE_GEN_MASK) == get_mmio_spte_generation(spte);
}

/*
 * The last SPTE for @gpa.  A reserved bit in a present one on the way means that
 * this is no MMIO but broken page tables.  Mirrors get_mmio_spte().
 *
 * Return: false if a reserved bit is set.
 */
static bool get_mmio_spte(struct kvm_vcpu *vcpu, gpa_t gpa, u64 *sptep)
{
	const struct rsvd_bits_validate *check = &kvm_spte_format(vcpu->kvm)->shadow_zero_check;
	u64 sptes[PT64_ROOT_MAX_LEVEL + 1];
	int root, leaf, level;

	kvm_tdp_mmu_walk_lockless_begin();
	leaf = kvm_tdp_mmu_get_walk(vcpu, gpa, sptes, &root);
	kvm_tdp_mmu_walk_lockless_end();

	*sptep = 0;
	if (unlikely(leaf < 0))
		return true;
	*sptep = sptes[leaf];

	/* MMIO SPTEs have reserved bits set on purpose. */
	if (!is_shadow_present_pte(sptes[leaf]))
		leaf++;
	for (level = root; level >= leaf; level--) {
		if (is_rsvd_spte(check, sptes[level], level))
			return false;
	}
	return true;
}

/**
 * handle_mmio_page_fault() - a misconfiguration or reserved-bit fault
 * @vcpu: that faulted
 * @gpa: guest physical address, bytes
 *
 * Mirrors handle_mmio_page_fault().
 *
 * Context: SRCU read section; no lock.
 * Return: RET_PF_EMULATE: MMIO. RET_PF_INVALID: an SPTE of old slots, treat it as any fault.
 *	RET_PF_RETRY: it has gone. -EINVAL: the page tables are broken.
 */
int handle_mmio_page_fault(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	const struct tdp_spte_format *fmt = kvm_spte_format(vcpu->kvm);
	u64 spte;

	if (mmio_info_in_cache(vcpu, gpa))
		return RET_PF_EMULATE;
	if (WARN_ON_ONCE(!get_mmio_spte(vcpu, gpa, &spte)))
		return -EINVAL;
	if (!is_mmio_spte(fmt, spte))
		return RET_PF_RETRY;
	if (!check_mmio_spte(vcpu, spte))
		return RET_PF_INVALID;

	vcpu_cache_mmio_info(vcpu, get_mmio_spte_gfn(fmt, spte),
			     spte & fmt->shadow_mmio_access_mask);
	return RET_PF_EMULATE;
}

/**
 * kvm_handle_noslot_fault() - there is no slot: an MMIO SPTE is to be made
 * @vcpu: that faulted
 * @fault: the fault; gets the pfn that stands for "no slot"
 * @access: ACC_* of the SPTE to be
 *
 * Mirrors kvm_handle_noslot_fault().
 *
 * Context: SRCU read section; no lock.
 * Return: RET_PF_CONTINUE; RET_PF_EMULATE if no SPTE can tell of it.
 */
int kvm_handle_noslot_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault,
			    unsigned int access)
{
	const struct tdp_spte_format *fmt = kvm_spte_format(vcpu->kvm);

	vcpu_cache_mmio_info(vcpu, fault->gfn, access & fmt->shadow_mmio_access_mask);

	fault->slot = NULL;
	fault->pfn = KVM_PFN_NOSLOT;
	fault->map_writable = false;

	if (unlikely(!fmt->enable_mmio_caching || fault->gfn > kvm_mmu_max_gfn(vcpu->kvm) ||
		     !mmio_spte_can_hold(fmt, fault->gfn)))
		return RET_PF_EMULATE;
	return RET_PF_CONTINUE;
}
