// SPDX-License-Identifier: GPL-2.0-only
/*
 * Masks of a VM's SPTE format, and what can be wrong with an SPTE.
 */
#include "format.h"

#include <string.h>

/* Bits @lo to @hi, none if they are out of order. */
static uint64_t bits(int lo, int hi)
{
	return hi < lo ? 0 : (~0ULL << lo) & (~0ULL >> (63 - hi));
}

static void init_me(struct format *f, const struct vm_desc *vm)
{
	int cbit;

	switch (vm->me) {
	case VM_ME_SME:
		cbit = vm->maxphyaddr >= 48 ? 47 : vm->maxphyaddr - 1;
		f->me_mask = f->me_value = 1ULL << cbit;
		/* Memory encryption takes the address bits above the C-bit away. */
		f->rsvd_pa = bits(cbit + 1, 51);
		break;
	case VM_ME_TDX:
		f->me_mask = bits(vm->maxphyaddr - 2, vm->maxphyaddr - 1);
		break;
	case VM_ME_OFF:
		break;
	}
}

static void init_rsvd(struct format *f)
{
	int level;

	for (level = 1; level <= 5; level++) {
		uint64_t table = f->rsvd_pa, leaf = f->rsvd_pa;

		if (f->ept)
			table |= bits(3, level >= 4 ? 7 : 6);
		if (level >= 4) {
			/* No leaf exists up here: bit 7 itself is reserved. */
			table |= FMT_BIT_HUGE;
			leaf |= FMT_BIT_HUGE;
		} else if (level > 1) {
			/* Bit 12 of a huge NPT leaf selects the PAT entry. */
			leaf |= bits(f->ept ? 12 : 13, 12 + 9 * (level - 1) - 1);
		}
		f->rsvd[0][level] = table;
		f->rsvd[1][level] = leaf;
	}
}

static void init_mmio(struct format *f, const struct vm_desc *vm)
{
	if (f->ept) {
		f->mmio_mask = FMT_EPT_RWX | f->suppress_ve;
		f->mmio_value = 6;
	} else if (f->rsvd_pa) {
		/* Without memory encryption bit 51 alone is used, with it all that is reserved. */
		f->mmio_value = (vm->me == VM_ME_SME ? f->rsvd_pa : 1ULL << 51) | 1;
		f->mmio_mask = f->mmio_value;
		f->mmio_access = 6;
	}
}

/* Where a Linux keeps in SPTEs what hardware ignores, under EPT if that is not said. */
struct layout {
	uint64_t frozen;  /* in either format, besides what is empty */
	int gen_low;      /* likewise */
	uint64_t exec;
	int host_writable, mmu_writable;
	int ad_type;
	int saved;
	uint64_t unused;
	bool soft_ad;
	bool clobbers_accessed;
};

#define LAYOUT_6_12                                                                             \
	{                                                                                       \
		.frozen = 0x5a0, .gen_low = 8, .exec = 4, .host_writable = 57, .mmu_writable = 58, \
		.ad_type = 52, .saved = 54, .unused = 0xfULL << 59,                             \
	}

static const struct layout layouts[] = {
	[VM_LINUX_6_12] = LAYOUT_6_12,
	[VM_LINUX_6_1] = LAYOUT_6_12,
	[VM_LINUX_7_2] = {
		.frozen = 0x1a0,
		.gen_low = 7,
		.exec = 4 | 1ULL << 10,
		.host_writable = 53,
		.mmu_writable = 55,
		.ad_type = 60,
		.saved = 52,
		.unused = 0xfULL << 56,
		.soft_ad = true,
		.clobbers_accessed = true,
	},
};

static void init_software(struct format *f, const struct layout *l)
{
	f->frozen = f->nonpresent | l->frozen;
	f->gen_low = l->gen_low;
	f->gen_mask = bits(0, l->gen_low + 11 - 1);
	f->clobbers_accessed = l->clobbers_accessed;
	f->host_writable = 1ULL << (f->ept ? l->host_writable : 9);
	f->mmu_writable = 1ULL << (f->ept ? l->mmu_writable : 10);
	if (!f->ept)
		return;
	f->exec = l->exec;
	f->ad_type = 3ULL << l->ad_type;
	f->ad_disabled = 1ULL << l->ad_type;
	f->ad_wrprot = 2ULL << l->ad_type;
	f->saved_shift = l->saved;
	f->saved = (FMT_R | l->exec) << l->saved;
	f->unused = l->unused;
	if (!f->ad && l->soft_ad) {
		f->soft_accessed = 1ULL << 8;
		f->soft_dirty = 1ULL << 9;
	}
}

/**
 * format_init() - derive the masks
 * @f: result
 * @vm: the virtual machine
 */
void format_init(struct format *f, const struct vm_desc *vm)
{
	memset(f, 0, sizeof(*f));
	f->ept = vm->mmu == VM_EPT;
	f->ad = !f->ept || vm->ad;
	f->exec_only = f->ept && vm->exec_only;
	f->nonpresent = vm->kernel == VM_LINUX_6_1 ? 0 : FMT_NONPRESENT;
	f->suppress_ve = f->ept ? f->nonpresent : 0;
	init_software(f, &layouts[vm->kernel]);
	if (f->ad) {
		f->accessed = 1ULL << (f->ept ? 8 : 5);
		f->dirty = 1ULL << (f->ept ? 9 : 6);
	}
	f->rsvd_pa = bits(vm->maxphyaddr, 51);
	init_me(f, vm);
	f->pa_mask = FMT_ADDRESS & ~f->me_mask & ~f->rsvd_pa;
	init_rsvd(f);
	if (vm->l1tf && vm->cachebits < 47)
		f->l1tf_mask = bits(vm->cachebits - 5, vm->cachebits - 1);
	init_mmio(f, vm);
}

/*
 * The gfn of an MMIO SPTE: the bits that L1TF's mask covers were moved up by the mask's five bits.
 */
uint64_t fmt_mmio_gfn(const struct format *f, uint64_t spte)
{
	uint64_t gpa;

	if (f->l1tf_mask) {
		gpa = spte & FMT_ADDRESS & ((f->l1tf_mask & -f->l1tf_mask) - 1);
		gpa |= (spte >> 5) & f->l1tf_mask;
	} else {
		gpa = spte & FMT_ADDRESS & ~(f->ept ? 0 : f->mmio_value);
	}
	return gpa >> 12;
}

/* The generation's low bits are from bit 3 on, the next 11 from bit 52 on. */
uint64_t fmt_mmio_gen(const struct format *f, uint64_t spte)
{
	return ((spte >> 3) & bits(0, f->gen_low - 1)) | ((spte >> 52) & 0x7ff) << f->gen_low;
}

/* What is wrong with A and D of a leaf that hardware keeps none in; NULL if nothing. */
static const char *soft_ad_problem(const struct format *f, uint64_t spte, bool tracked)
{
	if (spte & (3ULL << 8) & ~(f->soft_accessed | f->soft_dirty))
		return "A or D set without A/D hardware";
	if (f->soft_accessed && tracked == !!(spte & f->soft_accessed))
		return tracked ? "access-tracked and accessed" :
				 "neither access-tracked nor accessed";
	if (f->soft_dirty && (spte & FMT_BIT_W) && !(spte & f->soft_dirty))
		return "writable and not dirty without A/D hardware";
	return NULL;
}

/**
 * fmt_leaf_problem() - is this a legal MMU-present leaf?
 * @f: format
 * @spte: the leaf
 * @level: of the entry
 *
 * Return: what is wrong with it, NULL if nothing.
 */
const char *fmt_leaf_problem(const struct format *f, uint64_t spte, int level)
{
	bool tracked = fmt_access_tracked(f, spte);
	const char *problem;

	if (level > 3)
		return "a leaf at a level that has none";
	if ((spte & FMT_BIT_W) && !(spte & f->mmu_writable))
		return "writable but not MMU-writable";
	if ((spte & f->mmu_writable) && !(spte & f->host_writable))
		return "MMU-writable but not host-writable";
	if ((spte & f->me_mask) != f->me_value && f->me_value == 0)
		return "memory-encryption key bits set";
	if (!f->ept) {
		if (spte & (0x7ffULL << 52))
			return "software bits 52 to 62 set under NPT";
		if (!(spte & 1) || !(spte & 4))
			return "MMU-present but not present and user for hardware";
	} else {
		if ((spte & f->ad_type) == f->ad_type)
			return "no such A/D type";
		if (f->ad == ((spte & f->ad_type) == f->ad_disabled))
			return f->ad ? "A/D type says disabled, hardware has A/D" :
				       "A/D type says enabled, hardware has none";
		problem = f->ad ? NULL : soft_ad_problem(f, spte, tracked);
		if (problem)
			return problem;
		if (!tracked && (spte & f->saved))
			return "access-tracking bits saved in a leaf that is not tracked";
		if (tracked && !(spte & f->saved))
			return "access-tracked with nothing to restore";
		if ((spte & f->exec) && (spte & f->exec) != f->exec)
			return "executable for users or supervisors only";
		if (!tracked && !(spte & FMT_EPT_RWX))
			return "MMU-present but nothing is permitted";
		if (spte & f->unused)
			return "unused software bits set";
		if ((spte & FMT_BIT_63) != f->suppress_ve)
			return f->suppress_ve ? "#VE is not suppressed" : "bit 63 is set";
	}
	if (spte & f->rsvd[1][level])
		return "reserved bits set";
	if (fmt_hw_present(f, spte) && fmt_hw_bad(f, spte, level))
		return "a combination that hardware rejects";
	return NULL;
}

/**
 * fmt_table_problem() - is this a legal MMU-present non-leaf?
 * @f: format
 * @spte: the entry
 * @level: of the entry
 *
 * Return: what is wrong with it, NULL if nothing.
 */
const char *fmt_table_problem(const struct format *f, uint64_t spte, int level)
{
	uint64_t ad_type = spte & f->ad_type;

	if (fmt_perm(f, spte) != (FMT_R | FMT_W | FMT_X) || (spte & f->exec) != f->exec)
		return "a table that does not permit everything";
	if (spte & f->rsvd[0][level])
		return "reserved bits set";
	if ((spte & f->me_mask) != f->me_value)
		return "memory-encryption bits are not the VM's";
	if (ad_type != (f->ad ? 0 : f->ad_disabled))
		return "A/D type is not the MMU's";
	return NULL;
}

/* May the value of an SPTE without MMU-present lie in a page table of an L1TF host? */
bool fmt_l1tf_safe(const struct format *f, uint64_t spte)
{
	uint64_t reach;

	if (!f->l1tf_mask || (spte & f->l1tf_mask) == f->l1tf_mask)
		return true;
	reach = f->l1tf_mask | ((f->l1tf_mask & -f->l1tf_mask) - 1);
	return !(spte & FMT_ADDRESS & reach);
}

/*
 * Can a leaf change while mmu_lock is held for write: by the CPU (A, D), or by a fast page fault (W
 * and access tracking)?  Mirrors spte_has_volatile_bits(), which became spte_needs_atomic_update().
 */
bool fmt_volatile(const struct format *f, uint64_t spte)
{
	if (!(spte & FMT_BIT_W) && (spte & f->mmu_writable))
		return true;
	if (fmt_access_tracked(f, spte))
		return true;
	if (f->ept && (spte & f->ad_type) == f->ad_disabled)
		return f->clobbers_accessed;
	if (!(spte & f->accessed) && !f->clobbers_accessed)
		return true;
	return (spte & FMT_BIT_W) && !(spte & f->dirty);
}
