/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SPTEs: what their bits mean.  The kernel's masks are global variables, set once
 * for the CPU it runs on; here they are a value, since several kinds of CPU may
 * be modelled in one process.  Mirrors arch/x86/kvm/mmu/spte.h.
 */
#ifndef TDP_SPTE_H
#define TDP_SPTE_H

#include <tdp/spte_bits.h>
#include <tdp/tdp.h>
#include <tdp/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* x86 page tables, NPT included. */
#define PT_PRESENT_MASK			(1ULL << 0)
#define PT_WRITABLE_MASK		(1ULL << 1)
#define PT_USER_MASK			(1ULL << 2)
#define PT_ACCESSED_MASK		(1ULL << 5)
#define PT_DIRTY_MASK			(1ULL << 6)
#define PT_PAGE_SIZE_MASK		(1ULL << 7)	/* in EPT too */
#define PT64_NX_MASK			(1ULL << 63)

#define VMX_EPT_READABLE_MASK		(1ULL << 0)
#define VMX_EPT_WRITABLE_MASK		(1ULL << 1)
#define VMX_EPT_EXECUTABLE_MASK		(1ULL << 2)
#define VMX_EPT_RWX_MASK		(7ULL << 0)
#define VMX_EPT_MISCONFIG_WX_VALUE	(VMX_EPT_WRITABLE_MASK | VMX_EPT_EXECUTABLE_MASK)
#define VMX_EPT_MT_EPTE_SHIFT		3
#define VMX_EPT_MT_MASK			(7ULL << VMX_EPT_MT_EPTE_SHIFT)
#define VMX_EPT_IPAT_BIT		(1ULL << 6)
#define VMX_EPT_ACCESS_BIT		(1ULL << 8)
#define VMX_EPT_DIRTY_BIT		(1ULL << 9)
#define VMX_EPT_SUPPRESS_VE_BIT		(1ULL << 63)
#define MTRR_TYPE_UNCACHABLE		0ULL
#define MTRR_TYPE_WRBACK		6ULL

#define SPTE_BASE_ADDR_MASK		(((1ULL << 52) - 1) & ~(PAGE_SIZE - 1))
#define SPTE_LEVEL_SHIFT(level)		(PAGE_SHIFT + ((level) - 1) * SPTE_LEVEL_BITS)
#define SPTE_INDEX(address, level)	\
	(((address) >> SPTE_LEVEL_SHIFT(level)) & (SPTE_ENT_PER_PAGE - 1))

/* Access rights of a mapping, whatever the format. */
#define ACC_EXEC_MASK			1U
#define ACC_WRITE_MASK			2U
#define ACC_USER_MASK			4U
#define ACC_ALL				(ACC_EXEC_MASK | ACC_WRITE_MASK | ACC_USER_MASK)

#define TDP_BITS(hi, lo)		((~0ULL << (lo)) & (~0ULL >> (63 - (hi))))
#define MMIO_SPTE_GEN_LOW_MASK		TDP_BITS(MMIO_SPTE_GEN_LOW_END, MMIO_SPTE_GEN_LOW_START)
#define MMIO_SPTE_GEN_HIGH_MASK		TDP_BITS(MMIO_SPTE_GEN_HIGH_END, MMIO_SPTE_GEN_HIGH_START)
#define MMIO_SPTE_GEN_LOW_BITS		(MMIO_SPTE_GEN_LOW_END - MMIO_SPTE_GEN_LOW_START + 1)
#define MMIO_SPTE_GEN_HIGH_BITS		(MMIO_SPTE_GEN_HIGH_END - MMIO_SPTE_GEN_HIGH_START + 1)
#define MMIO_SPTE_GEN_LOW_SHIFT		MMIO_SPTE_GEN_LOW_START
#define MMIO_SPTE_GEN_HIGH_SHIFT	(MMIO_SPTE_GEN_HIGH_START - MMIO_SPTE_GEN_LOW_BITS)
#define MMIO_SPTE_GEN_MASK		\
	((1ULL << (MMIO_SPTE_GEN_LOW_BITS + MMIO_SPTE_GEN_HIGH_BITS)) - 1)

/* What an MMIO mask may use: RWX, the physical address and bit 63. */
#define SPTE_MMIO_ALLOWED_MASK		((1ULL << 63) | TDP_BITS(51, 12) | TDP_BITS(2, 0))

/* High-order address bits that L1TF's mitigation inverts the use of. */
#define SHADOW_NONPRESENT_OR_RSVD_MASK_LEN 5

/**
 * struct rsvd_bits_validate - bits that must be zero in an MMU-present SPTE
 * @rsvd_bits_mask: indexed by bit 7 (page size) and level - 1
 * @bad_mt_xwr: EPT: bit n is set if n is a bad value of bits 5:0
 */
struct rsvd_bits_validate {
	u64 rsvd_bits_mask[2][PT64_ROOT_MAX_LEVEL];
	u64 bad_mt_xwr;
};

/**
 * struct tdp_spte_format - the kernel's shadow_* masks, for one CPU model
 * @shadow_host_writable_mask: software: the host lets the page be written
 * @shadow_mmu_writable_mask: software: W may be set again without mmu_lock
 * @shadow_nx_mask: no-execute bit (NPT), or 0
 * @shadow_x_mask: execute bit (EPT), or 0
 * @shadow_user_mask: user bit (NPT), read bit (EPT)
 * @shadow_accessed_mask: 0 if the CPU keeps no accessed bits
 * @shadow_dirty_mask: likewise
 * @shadow_mmio_value: what an MMIO SPTE has under @shadow_mmio_mask; 0 if none are made
 * @shadow_mmio_mask: see @shadow_mmio_value
 * @shadow_mmio_access_mask: ACC_* bits that an MMIO SPTE keeps
 * @shadow_present_mask: set in every present SPTE
 * @shadow_memtype_mask: where the memory type goes, 0 if not in SPTEs
 * @shadow_me_value: memory encryption bits of RAM and page tables
 * @shadow_me_mask: address bits lost to memory encryption
 * @shadow_acc_track_mask: cleared in an access-tracked SPTE; 0 if tracking is not needed
 * @shadow_nonpresent_or_rsvd_mask: set in every MMIO SPTE of an L1TF host
 * @shadow_nonpresent_or_rsvd_lower_gfn_mask: gpa bits below those
 * @shadow_zero_check: bits that KVM never sets in an MMU-present SPTE
 * @enable_mmio_caching: MMIO SPTEs exist
 */
struct tdp_spte_format {
	u64 shadow_host_writable_mask;
	u64 shadow_mmu_writable_mask;
	u64 shadow_nx_mask;
	u64 shadow_x_mask;
	u64 shadow_user_mask;
	u64 shadow_accessed_mask;
	u64 shadow_dirty_mask;
	u64 shadow_mmio_value;
	u64 shadow_mmio_mask;
	u64 shadow_mmio_access_mask;
	u64 shadow_present_mask;
	u64 shadow_memtype_mask;
	u64 shadow_me_value;
	u64 shadow_me_mask;
	u64 shadow_acc_track_mask;
	u64 shadow_nonpresent_or_rsvd_mask;
	u64 shadow_nonpresent_or_rsvd_lower_gfn_mask;
	struct rsvd_bits_validate shadow_zero_check;
	bool enable_mmio_caching;
};

void tdp_spte_format_init(struct tdp_spte_format *fmt, const struct tdp_vm_config *config);

/* Bits @s to @e, both included; none if @e < @s. Mirrors rsvd_bits(). */
static inline u64 rsvd_bits(int s, int e)
{
	return e < s ? 0 : TDP_BITS(e & 63, s & 63);
}

/* KVM's own present bit: not set in MMIO, frozen and empty SPTEs. */
static inline bool is_shadow_present_pte(u64 spte)
{
	return (spte & SPTE_MMU_PRESENT_MASK) != 0;
}

/* Held by a thread in the middle of a zap; nobody else may change it. */
static inline bool is_frozen_spte(u64 spte)
{
	return spte == FROZEN_SPTE;
}

static inline bool is_large_pte(u64 spte)
{
	return (spte & PT_PAGE_SIZE_MASK) != 0;
}

/* Of a present SPTE: does it map a page, rather than link a table? */
static inline bool is_last_spte(u64 spte, int level)
{
	return level == PG_LEVEL_4K || is_large_pte(spte);
}

/* W is bit 1 in both formats. */
static inline bool is_writable_pte(u64 spte)
{
	return (spte & PT_WRITABLE_MASK) != 0;
}

static inline kvm_pfn_t spte_to_pfn(u64 spte)
{
	return (spte & SPTE_BASE_ADDR_MASK) >> PAGE_SHIFT;
}

static inline bool is_mmio_spte(const struct tdp_spte_format *fmt, u64 spte)
{
	return (spte & fmt->shadow_mmio_mask) == fmt->shadow_mmio_value && fmt->enable_mmio_caching;
}

static inline bool is_executable_pte(const struct tdp_spte_format *fmt, u64 spte)
{
	return (spte & (fmt->shadow_x_mask | fmt->shadow_nx_mask)) == fmt->shadow_x_mask;
}

static inline bool is_mmu_writable_spte(const struct tdp_spte_format *fmt, u64 spte)
{
	return (spte & fmt->shadow_mmu_writable_mask) != 0;
}

static inline bool is_rsvd_spte(const struct rsvd_bits_validate *check, u64 spte, int level)
{
	u64 bad = spte & check->rsvd_bits_mask[is_large_pte(spte)][level - 1];

	return bad || (check->bad_mt_xwr >> (spte & 0x3f) & 1);
}

static inline u64 get_mmio_spte_generation(u64 spte)
{
	u64 low = (spte & MMIO_SPTE_GEN_LOW_MASK) >> MMIO_SPTE_GEN_LOW_SHIFT;
	u64 high = (spte & MMIO_SPTE_GEN_HIGH_MASK) >> MMIO_SPTE_GEN_HIGH_SHIFT;

	return high | low;
}

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* TDP_SPTE_H */
