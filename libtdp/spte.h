/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SPTEs, as the MMU's files see them: <tdp/spte.h> plus what needs the VM or
 * checks itself.  Mirrors arch/x86/kvm/mmu/spte.h.
 */
#ifndef TDP_MMU_SPTE_H
#define TDP_MMU_SPTE_H

#include <tdp/spte.h>

#include "mmu_internal.h"

_Static_assert(!(FROZEN_SPTE & SPTE_MMU_PRESENT_MASK), "a frozen SPTE must not look present");
_Static_assert(!(SHADOW_NONPRESENT_VALUE & SPTE_MMU_PRESENT_MASK), "nor an empty one");
_Static_assert(!(SPTE_TDP_AD_MASK &
		 (SHADOW_ACC_TRACK_SAVED_BITS_MASK << SHADOW_ACC_TRACK_SAVED_BITS_SHIFT)),
	       "A/D type and saved access bits overlap");
_Static_assert(!((EPT_SPTE_HOST_WRITABLE | EPT_SPTE_MMU_WRITABLE) &
		 (SPTE_TDP_AD_MASK |
		  (SHADOW_ACC_TRACK_SAVED_BITS_MASK << SHADOW_ACC_TRACK_SAVED_BITS_SHIFT))),
	       "writable bits overlap others");
_Static_assert(!(SPTE_MMU_PRESENT_MASK & (MMIO_SPTE_GEN_LOW_MASK | MMIO_SPTE_GEN_HIGH_MASK)),
	       "an MMIO generation must not look present");
_Static_assert(!(SPTE_MMIO_ALLOWED_MASK &
		 (SPTE_MMU_PRESENT_MASK | MMIO_SPTE_GEN_LOW_MASK | MMIO_SPTE_GEN_HIGH_MASK)),
	       "MMIO value and generation overlap");
_Static_assert(MMIO_SPTE_GEN_LOW_BITS == 8 && MMIO_SPTE_GEN_HIGH_BITS == 11,
	       "the MMIO generation has 19 bits");

static inline const struct tdp_spte_format *kvm_spte_format(const struct kvm *kvm)
{
	return &kvm->arch.spte_format;
}

/* The page table that holds *@sptep. */
static inline struct kvm_mmu_page *sptep_to_sp(const u64 *sptep)
{
	return page_private(sptep);
}

/* The frame alone: a memory-encryption bit lies among the address bits of an SPTE. */
static inline kvm_pfn_t kvm_spte_to_pfn(const struct kvm *kvm, u64 spte)
{
	return spte_to_pfn(spte & ~kvm_spte_format(kvm)->shadow_me_value);
}

static inline struct kvm_mmu_page *spte_to_child_sp(u64 spte)
{
	return page_private(__va(spte & SPTE_BASE_ADDR_MASK));
}

/* NULL if no root is loaded. */
static inline struct kvm_mmu_page *root_to_sp(hpa_t root)
{
	return VALID_PAGE(root) ? spte_to_child_sp(root) : NULL;
}

/* Would a #VE reach a guest that has them enabled? */
static inline bool is_ept_ve_possible(const struct tdp_spte_format *fmt, u64 spte)
{
	if (!(fmt->shadow_present_mask & VMX_EPT_SUPPRESS_VE_BIT) ||
	    (spte & VMX_EPT_SUPPRESS_VE_BIT))
		return false;
	return (spte & VMX_EPT_RWX_MASK) != VMX_EPT_MISCONFIG_WX_VALUE;
}

static inline bool kvm_ad_enabled(const struct tdp_spte_format *fmt)
{
	return fmt->shadow_accessed_mask != 0;
}

/* The rest of this file is about MMU-present SPTEs. */

static inline u64 spte_ad_type(u64 spte)
{
	KVM_MMU_WARN_ON(!is_shadow_present_pte(spte));
	return spte & SPTE_TDP_AD_MASK;
}

static inline bool spte_ad_enabled(u64 spte)
{
	return spte_ad_type(spte) != SPTE_TDP_AD_DISABLED;
}

/* Is W, rather than D, what tells of writes? */
static inline bool spte_ad_need_write_protect(u64 spte)
{
	return spte_ad_type(spte) != SPTE_TDP_AD_ENABLED;
}

static inline u64 spte_shadow_accessed_mask(const struct tdp_spte_format *fmt, u64 spte)
{
	return spte_ad_enabled(spte) ? fmt->shadow_accessed_mask : 0;
}

static inline u64 spte_shadow_dirty_mask(const struct tdp_spte_format *fmt, u64 spte)
{
	return spte_ad_enabled(spte) ? fmt->shadow_dirty_mask : 0;
}

/* Made inaccessible, so that the next access faults and is noticed. */
static inline bool is_access_track_spte(const struct tdp_spte_format *fmt, u64 spte)
{
	return !spte_ad_enabled(spte) && !(spte & fmt->shadow_acc_track_mask);
}

static inline bool is_accessed_spte(const struct tdp_spte_format *fmt, u64 spte)
{
	u64 mask = spte_shadow_accessed_mask(fmt, spte);

	if (mask)
		return (spte & mask) != 0;
	return !is_access_track_spte(fmt, spte);
}

static inline bool is_dirty_spte(const struct tdp_spte_format *fmt, u64 spte)
{
	u64 mask = spte_shadow_dirty_mask(fmt, spte);

	return (spte & (mask ? mask : PT_WRITABLE_MASK)) != 0;
}

/*
 * Of a leaf. Its three writable bits are in one of four states:
 *
 *	host	MMU	W
 *	0	0	0	the host or the slot forbids writes
 *	1	0	0	writes to the gfn are tracked: W needs mmu_lock
 *	1	1	0	logged, or access-tracked: a fast page fault may set W
 *	1	1	1	writable
 */
static inline void check_spte_writable_invariants(const struct tdp_spte_format *fmt, u64 spte)
{
	if (spte & fmt->shadow_mmu_writable_mask)
		WARN_ON_ONCE(!(spte & fmt->shadow_host_writable_mask));
	else
		WARN_ON_ONCE(is_writable_pte(spte));
}

/* Undo mark_spte_for_access_track(). */
static inline u64 restore_acc_track_spte(const struct tdp_spte_format *fmt, u64 spte)
{
	const u64 saved = SHADOW_ACC_TRACK_SAVED_BITS_MASK << SHADOW_ACC_TRACK_SAVED_BITS_SHIFT;
	u64 access = (spte & saved) >> SHADOW_ACC_TRACK_SAVED_BITS_SHIFT;

	return (spte & ~(saved | fmt->shadow_acc_track_mask)) | access;
}

/* spte.c */
void kvm_mmu_reset_all_pte_masks(struct tdp_spte_format *fmt, const struct tdp_vm_config *config);
void kvm_mmu_set_ept_masks(struct tdp_spte_format *fmt, bool has_ad_bits, bool has_exec_only);
void kvm_mmu_set_me_spte_mask(struct tdp_spte_format *fmt, u64 me_value, u64 me_mask);
void kvm_mmu_set_mmio_spte_mask(struct tdp_spte_format *fmt, u64 mmio_value, u64 mmio_mask,
				u64 access_mask);
bool spte_has_volatile_bits(const struct tdp_spte_format *fmt, u64 spte);
u64 mark_spte_for_access_track(const struct tdp_spte_format *fmt, u64 spte);
bool make_spte(struct kvm_vcpu *vcpu, struct kvm_mmu_page *sp, const struct kvm_memory_slot *slot,
	       unsigned int access, gfn_t gfn, kvm_pfn_t pfn, u64 old_spte, bool prefetch,
	       bool can_unsync, bool host_writable, u64 *new_spte);
u64 make_mmio_spte(struct kvm_vcpu *vcpu, gfn_t gfn, unsigned int access);
u64 make_nonleaf_spte(const struct tdp_spte_format *fmt, u64 *child_pt, bool ad_disabled);
u64 make_huge_page_split_spte(struct kvm *kvm, u64 huge_spte, union kvm_mmu_page_role role,
			      int index);

#endif /* TDP_MMU_SPTE_H */
