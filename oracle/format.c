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
	f->frozen = f->nonpresent | FMT_FROZEN_BITS;
	f->suppress_ve = f->ept ? f->nonpresent : 0;
	f->host_writable = 1ULL << (f->ept ? 57 : 9);
	f->mmu_writable = 1ULL << (f->ept ? 58 : 10);
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

/* Bits 3..10 hold the generation's low 8 bits, bits 52..62 the next 11. */
uint64_t fmt_mmio_gen(uint64_t spte)
{
	return ((spte >> 3) & 0xff) | ((spte >> 52) & 0x7ff) << 8;
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
		if ((spte & FMT_AD_TYPE) == FMT_AD_TYPE)
			return "no such A/D type";
		if (f->ad == ((spte & FMT_AD_TYPE) == FMT_AD_DISABLED))
			return f->ad ? "A/D type says disabled, hardware has A/D" :
				       "A/D type says enabled, hardware has none";
		if (!f->ad && (spte & (3ULL << 8)))
			return "A or D set without A/D hardware";
		if (!tracked && (spte & FMT_SAVED))
			return "access-tracking bits saved in a leaf that is not tracked";
		if (tracked && !(spte & FMT_SAVED))
			return "access-tracked with nothing to restore";
		if (!tracked && !(spte & FMT_EPT_RWX))
			return "MMU-present but nothing is permitted";
		if ((spte & (0xfULL << 59)) != 0)
			return "unused bits 59 to 62 set";
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
	uint64_t ad_type = spte & FMT_AD_TYPE;

	if (fmt_perm(f, spte) != (FMT_R | FMT_W | FMT_X))
		return "a table that does not permit everything";
	if (spte & f->rsvd[0][level])
		return "reserved bits set";
	if ((spte & f->me_mask) != f->me_value)
		return "memory-encryption bits are not the VM's";
	if (ad_type != (f->ept && !f->ad ? FMT_AD_DISABLED : 0))
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
 * and access tracking)?  Mirrors spte_has_volatile_bits().
 */
bool fmt_volatile(const struct format *f, uint64_t spte)
{
	if (!(spte & FMT_BIT_W) && (spte & f->mmu_writable))
		return true;
	if (fmt_access_tracked(f, spte))
		return true;
	if (f->ept && (spte & FMT_AD_TYPE) == FMT_AD_DISABLED)
		return false;
	return !(spte & f->accessed) || ((spte & FMT_BIT_W) && !(spte & f->dirty));
}
