/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bits of an SPTE that software owns, as Linux 6.12 lays them out: the one
 * table to exchange for another kernel's format.  What hardware defines is in
 * spte.h.
 *
 *	bit	EPT				NPT
 *	11	MMU-present			MMU-present
 *	52,53	A/D type			A/D type (always 0)
 *	54,56	saved R, X (access tracking)	-
 *	57	host-writable			bit 9
 *	58	MMU-writable			bit 10
 *
 * MMIO SPTEs: generation bits 0-7 in bits 3-10, bits 8-18 in bits 52-62.
 */
#ifndef TDP_SPTE_BITS_H
#define TDP_SPTE_BITS_H

#define SPTE_MMU_PRESENT_MASK			(1ULL << 11)

#define SPTE_TDP_AD_SHIFT			52
#define SPTE_TDP_AD_MASK			(3ULL << SPTE_TDP_AD_SHIFT)
#define SPTE_TDP_AD_ENABLED			(0ULL << SPTE_TDP_AD_SHIFT)
#define SPTE_TDP_AD_DISABLED			(1ULL << SPTE_TDP_AD_SHIFT)
#define SPTE_TDP_AD_WRPROT_ONLY			(2ULL << SPTE_TDP_AD_SHIFT)

#define SHADOW_ACC_TRACK_SAVED_BITS_MASK	5ULL	/* EPT's R and X */
#define SHADOW_ACC_TRACK_SAVED_BITS_SHIFT	54

#define DEFAULT_SPTE_HOST_WRITABLE		(1ULL << 9)
#define DEFAULT_SPTE_MMU_WRITABLE		(1ULL << 10)
#define EPT_SPTE_HOST_WRITABLE			(1ULL << 57)
#define EPT_SPTE_MMU_WRITABLE			(1ULL << 58)

#define MMIO_SPTE_GEN_LOW_START			3
#define MMIO_SPTE_GEN_LOW_END			10
#define MMIO_SPTE_GEN_HIGH_START		52
#define MMIO_SPTE_GEN_HIGH_END			62

/* Bit 63 suppresses #VE on EPT and means nothing in a non-present NPT entry. */
#define SHADOW_NONPRESENT_VALUE			(1ULL << 63)
#define FROZEN_SPTE				(SHADOW_NONPRESENT_VALUE | 0x5a0ULL)

#endif /* TDP_SPTE_BITS_H */
