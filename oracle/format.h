/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How hardware and KVM read an SPTE, restated from Intel's SDM (vol. 3, "EPT paging structures",
 * "EPT misconfigurations"), AMD's APM (vol. 2, "Nested paging", "Long-mode page translation") and,
 * for the bits that hardware ignores, from the format of Linux 6.12, or where it has moved 7.2.
 *
 *	bit		EPT (7.2)			NPT
 *	0		R				P
 *	1		W				W
 *	2		X				U (walks for a guest are user walks)
 *	5:3		memory type (leaf)		5: A
 *	6		ignore PAT (leaf)		D
 *	7		maps a page (levels 2, 3)	same
 *	8		A (7.2: software's, without A/D)	-
 *	9		D (likewise)			host-writable
 *	10		- (X of user pages)		MMU-writable
 *	11		MMU-present			MMU-present
 *	51:12		address				address
 *	53:52 (61:60)	A/D type			0
 *	54, 56 (52, 54)	R, X saved by access tracking	0
 *	- (62)		X of user pages, likewise	0
 *	57 (53)		host-writable			0
 *	58 (55)		MMU-writable			0
 *	63		suppress #VE			no execute
 *
 * Bit 10 means something to hardware with mode-based execute control alone, which Linux leaves off.
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
#define FMT_EPT_RWX		7ULL
#define FMT_EPT_MEMTYPE		(0xfULL << 3)	/* with ignore-PAT */

/* Of Linux 6.12, whose logs klog.c reads; struct format has those of the VM's kernel. */
#define FMT_NONPRESENT		FMT_BIT_63
#define FMT_FROZEN		(FMT_NONPRESENT | 0x5a0ULL)

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
 * @soft_accessed: A that software keeps without @ad, 0 with it or if it keeps none
 * @soft_dirty: likewise
 * @host_writable: software bit
 * @mmu_writable: software bit
 * @exec: bits of execution, which go together (EPT)
 * @ad_type: how A and D are kept: this field...
 * @ad_disabled: ...not by hardware
 * @ad_wrprot: ...by hardware, but writes are logged by write protection
 * @saved: what access tracking keeps of the permissions
 * @saved_shift: by how much it is shifted
 * @unused: software bits that are never set
 * @clobbers_accessed: KVM may lose A, and takes any leaf that hardware keeps no A/D in for one that
 *	changes
 * @gen_low: bits of the generation that an MMIO SPTE holds from bit 3 on; 11 more are from bit 52 on
 * @gen_mask: all that it holds
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
	uint64_t soft_accessed;
	uint64_t soft_dirty;
	uint64_t host_writable;
	uint64_t mmu_writable;
	uint64_t exec;
	uint64_t ad_type;
	uint64_t ad_disabled;
	uint64_t ad_wrprot;
	uint64_t saved;
	int saved_shift;
	uint64_t unused;
	bool clobbers_accessed;
	int gen_low;
	uint64_t gen_mask;
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
	return f->ept && (spte & f->ad_type) == f->ad_disabled && !(spte & (FMT_EPT_RWX | f->exec));
}

/* The permissions that access tracking took away, as far as it keeps them. */
static inline unsigned int fmt_saved_perm(const struct format *f, uint64_t spte)
{
	return (spte & f->saved) >> f->saved_shift & (FMT_R | FMT_X);
}

uint64_t fmt_mmio_gfn(const struct format *f, uint64_t spte);
uint64_t fmt_mmio_gen(const struct format *f, uint64_t spte);
const char *fmt_leaf_problem(const struct format *f, uint64_t spte, int level);
const char *fmt_table_problem(const struct format *f, uint64_t spte, int level);
bool fmt_l1tf_safe(const struct format *f, uint64_t spte);
bool fmt_volatile(const struct format *f, uint64_t spte);

#endif /* ORACLE_FORMAT_H */
