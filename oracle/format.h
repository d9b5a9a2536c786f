/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How hardware and KVM read an SPTE, restated from Intel's SDM (vol. 3, "EPT paging structures",
 * "EPT misconfigurations"), AMD's APM (vol. 2, "Nested paging", "Long-mode page translation") and,
 * for the bits that hardware ignores, from the format of Linux 6.12.
 *
 *	bit		EPT				NPT
 *	0		R				P
 *	1		W				W
 *	2		X				U (walks for a guest are user walks)
 *	5:3		memory type (leaf)		5: A
 *	6		ignore PAT (leaf)		D
 *	7		maps a page (levels 2, 3)	same
 *	8		A (if A/D are on)		-
 *	9		D (if A/D are on)		host-writable
 *	10		-				MMU-writable
 *	11		MMU-present			MMU-present
 *	51:12		address				address
 *	53:52		A/D type			0
 *	54, 56		R, X saved by access tracking	0
 *	57		host-writable			0
 *	58		MMU-writable			0
 *	63		suppress #VE			no execute
 */
#ifndef ORACLE_FORMAT_H
#define ORACLE_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "op.h"

#define FMT_R			1u	/* permissions as hardware grants them */
#define FMT_W			2u
#define FMT_X			4u

#define FMT_BIT_W		(1ULL << 1)	/* same bit in both formats */
#define FMT_BIT_HUGE		(1ULL << 7)
#define FMT_BIT_MMU_PRESENT	(1ULL << 11)
#define FMT_BIT_63		(1ULL << 63)
#define FMT_ADDRESS		0x000ffffffffff000ULL
#define FMT_AD_TYPE		(3ULL << 52)
#define FMT_AD_DISABLED		(1ULL << 52)
#define FMT_AD_WRPROT_ONLY	(2ULL << 52)
#define FMT_SAVED_SHIFT		54
#define FMT_SAVED		(5ULL << FMT_SAVED_SHIFT)
#define FMT_EPT_RWX		7ULL
#define FMT_EPT_MEMTYPE		(0xfULL << 3)	/* with ignore-PAT */

/* Of Linux 6.12; struct format has those of the VM's kernel. */
#define FMT_NONPRESENT		FMT_BIT_63
#define FMT_FROZEN_BITS		0x5a0ULL
#define FMT_FROZEN		(FMT_NONPRESENT | FMT_FROZEN_BITS)
#define FMT_GEN_MASK		0x7ffffULL	/* bits of a generation that an MMIO SPTE holds */

/**
 * struct format - masks that follow from the VM's description
 * @ept: EPT, else NPT
 * @ad: hardware sets A and D
 * @exec_only: X without R is allowed (EPT)
 * @nonpresent: what is empty
 * @frozen: what nobody else may change
 * @suppress_ve: EPT: bit of every SPTE, or 0
 * @accessed: A bit, 0 without @ad
 * @dirty: D bit, 0 without @ad
 * @host_writable: software bit
 * @mmu_writable: software bit
 * @me_mask: address bits that belong to memory encryption
 * @me_value: those that are set in this VM's SPTEs
 * @pa_mask: address bits of an SPTE that hold the frame number
 * @rsvd_pa: address bits that hardware reserves
 * @rsvd: bits that hardware reserves, by [is a leaf][level]
 * @l1tf_mask: on an L1TF host: address bits that must all be set in an SPTE without MMU-present
 * @mmio_mask: with @mmio_value: tells MMIO SPTEs; 0 if the VM has none
 * @mmio_access: access bits that an MMIO SPTE keeps
 */
struct format {
	bool ept;
	bool ad;
	bool exec_only;
	uint64_t nonpresent;
	uint64_t frozen;
	uint64_t suppress_ve;
	uint64_t accessed;
	uint64_t dirty;
	uint64_t host_writable;
	uint64_t mmu_writable;
	uint64_t me_mask;
	uint64_t me_value;
	uint64_t pa_mask;
	uint64_t rsvd_pa;
	uint64_t rsvd[2][6];
	uint64_t l1tf_mask;
	uint64_t mmio_mask;
	uint64_t mmio_value;
	uint64_t mmio_access;
};

void format_init(struct format *f, const struct vm_desc *vm);

static inline bool fmt_mmu_present(uint64_t spte)
{
	return spte & FMT_BIT_MMU_PRESENT;
}

static inline bool fmt_is_leaf(uint64_t spte, int level)
{
	return level == 1 || (spte & FMT_BIT_HUGE);
}

/* An entry that hardware would follow or map with (it may still be misconfigured). */
static inline bool fmt_hw_present(const struct format *f, uint64_t spte)
{
	return f->ept ? spte & FMT_EPT_RWX : spte & 1;
}

static inline uint64_t fmt_pfn(const struct format *f, uint64_t spte)
{
	return (spte & f->pa_mask) >> 12;
}

/* Address of the page table that a non-leaf links. */
static inline uint64_t fmt_table(const struct format *f, uint64_t spte)
{
	return spte & f->pa_mask;
}

/* FMT_R | FMT_W | FMT_X that a hardware-present entry grants. */
static inline unsigned int fmt_perm(const struct format *f, uint64_t spte)
{
	if (f->ept)
		return spte & FMT_EPT_RWX;
	if (!(spte & 1) || !(spte & 4))
		return 0;
	return FMT_R | (spte & FMT_BIT_W) | (spte & FMT_BIT_63 ? 0 : FMT_X);
}

/*
 * EPT misconfiguration, or a reserved bit that an NPT walk would fault on; @spte is
 * hardware-present.
 */
static inline bool fmt_hw_bad(const struct format *f, uint64_t spte, int level)
{
	bool leaf = fmt_is_leaf(spte, level);

	if (spte & f->rsvd[leaf][level])
		return true;
	if (!f->ept)
		return false;
	/* W needs R; X needs R unless execute-only is supported. */
	if ((spte & 3) == 2 || ((spte & FMT_EPT_RWX) == 4 && !f->exec_only))
		return true;
	/* Memory types 2, 3 and 7 do not exist. */
	return leaf && ((0x8cu >> ((spte >> 3) & 7)) & 1);
}

static inline bool fmt_is_mmio(const struct format *f, uint64_t spte)
{
	return f->mmio_mask && (spte & f->mmio_mask) == f->mmio_value &&
	       !(spte & FMT_BIT_MMU_PRESENT);
}

/* SPTE whose A bit is emulated: its permissions were taken away to see the next access. */
static inline bool fmt_access_tracked(const struct format *f, uint64_t spte)
{
	return f->ept && (spte & FMT_AD_TYPE) == FMT_AD_DISABLED && !(spte & FMT_EPT_RWX);
}

uint64_t fmt_mmio_gfn(const struct format *f, uint64_t spte);
uint64_t fmt_mmio_gen(uint64_t spte);
const char *fmt_leaf_problem(const struct format *f, uint64_t spte, int level);
const char *fmt_table_problem(const struct format *f, uint64_t spte, int level);
bool fmt_l1tf_safe(const struct format *f, uint64_t spte);
bool fmt_volatile(const struct format *f, uint64_t spte);

#endif /* ORACLE_FORMAT_H */
