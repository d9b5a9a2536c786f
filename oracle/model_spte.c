// SPDX-License-Identifier: GPL-2.0-only
/* Which bits an SPTE has: tables of the two formats, and the rules that pick from them. */
#include "model_spte.h"

#include <stdio.h>

/* Memory type in an EPT entry: bits 5:3, and bit 6 so that the guest's own type does not matter. */
#define EPT_TYPE_WB (6ULL << 3 | 1ULL << 6)
#define EPT_TYPE_UC (0ULL << 3)

static const struct mfmt format_ept = {
	.ept = true,
	.base = SPTE_P | 1ULL << 63, /* bit 63: no virtualization exception */
	.user = 1ULL << 0,
	.x = 1ULL << 2,
	.nx = 0,
	.accessed = 1ULL << 8,
	.dirty = 1ULL << 9,
	.host_w = 1ULL << 57,
	.mmu_w = 1ULL << 58,
	.wb = EPT_TYPE_WB,
	.uc = EPT_TYPE_UC,
	.track_clear = 7ULL, /* R, W, X */
	.track_save = 5ULL, /* R, X; W comes back with the next write */
	.track_shift = 54,
	.ad_kind = 3ULL << 52,
	.ad_off = 1ULL << 52,
	.ad_wrprot = 2ULL << 52,
	.gen_low = 8,
	.mmio = 6ULL, /* W and X without R: a misconfiguration */
	.mmio_mask = 7ULL | 1ULL << 63,
	.mmio_access = 0,
};

static const struct mfmt format_npt = {
	.base = SPTE_P | 1ULL << 0,
	.user = 1ULL << 2,
	.x = 0,
	.nx = 1ULL << 63,
	.accessed = 1ULL << 5,
	.dirty = 1ULL << 6,
	.host_w = 1ULL << 9,
	.mmu_w = 1ULL << 10,
	.mmio_access = 1ULL << 1 | 1ULL << 2,
	.gen_low = 8,
};

/* Linux 6.1: nothing is zero, and no bit says anything of virtualization exceptions. */
static void as_linux_6_1(struct mfmt *f)
{
	f->initial = 0;
	if (f->ept) {
		f->base &= ~SPTE_INITIAL;
		f->mmio_mask &= ~SPTE_INITIAL;
	}
}

/*
 * Linux 7.2: bit 10 is X for user pages and goes with X; software keeps A and D where hardware does
 * not, of which A goes with the permissions; the generation has one bit less.
 */
static void as_linux_7_2(struct mfmt *f)
{
	f->gen_low = 7;
	f->dirty_with_w = true;
	if (!f->ept)
		return;
	f->x |= 1ULL << 10;
	f->host_w = 1ULL << 53;
	f->mmu_w = 1ULL << 55;
	f->ad_kind = 3ULL << 60;
	f->ad_off = 1ULL << 60;
	f->ad_wrprot = 2ULL << 60;
	f->track_clear |= 1ULL << 10 | f->accessed;
	f->track_save |= 1ULL << 10;
	f->track_shift = 52;
}

static int sme_bit(const struct vm_desc *vm)
{
	return vm->maxphyaddr >= 48 ? 47 : vm->maxphyaddr - 1;
}

/* NPT marks MMIO by reserved address bits: the highest, or with encryption all above the C-bit. */
static uint64_t npt_mmio(const struct vm_desc *vm)
{
	uint64_t bits = vm->maxphyaddr < 52 ? 1ULL << 51 : 0;

	if (vm->me == VM_ME_SME)
		bits = SPTE_ADDR & ~((2ULL << sme_bit(vm)) - 1);
	return bits ? bits | 1 : 0;
}

/**
 * mfmt_init() - the format of a VM's SPTEs
 * @f: filled in
 * @vm: configuration
 */
void mfmt_init(struct mfmt *f, const struct vm_desc *vm)
{
	*f = vm->mmu == VM_EPT ? format_ept : format_npt;
	f->initial = SPTE_INITIAL;
	if (vm->kernel == VM_LINUX_6_1)
		as_linux_6_1(f);
	if (vm->kernel == VM_LINUX_7_2)
		as_linux_7_2(f);
	f->ad = vm->mmu == VM_NPT || vm->ad;
	f->pml = vm->mmu == VM_EPT && vm->ad && vm->pml;
	f->levels = vm->levels;
	/* Four levels translate 48 bits, whatever the CPU could address. */
	f->max_gfn =
		(1ULL << ((vm->levels == 4 && vm->maxphyaddr > 48 ? 48 : vm->maxphyaddr) - 12)) - 1;

	f->max_mmio_gfn = f->max_gfn;
	if (vm->me != VM_ME_OFF && !vm->l1tf) {
		int bit = vm->me == VM_ME_SME ? sme_bit(vm) : vm->maxphyaddr - 2;

		/* It could not be read back from the bits that are left. */
		f->max_mmio_gfn = (1ULL << (bit - 12)) - 1;
	}

	if (f->ept && !vm->exec_only)
		f->base |= 1; /* else what may be read is said by @user alone */
	if (!f->ad && vm->kernel != VM_LINUX_7_2)
		f->accessed = f->dirty = 0;
	if (vm->me == VM_ME_SME)
		f->me = 1ULL << sme_bit(vm); /* TDX reserves bits too, but a plain VM's are zero */

	if (!f->ept)
		f->mmio = f->mmio_mask = npt_mmio(vm);
	if (vm->l1tf)
		f->l1tf = ((1ULL << L1TF_SHIFT) - 1) << (vm->cachebits - L1TF_SHIFT);

	f->table = SPTE_W | f->user | f->x | f->me | (f->ad ? f->accessed : f->ad_off);
}

/**
 * mspte_leaf() - SPTE of a new mapping, as a fault makes it
 * @f: format
 * @leaf: the mapping
 *
 * What the rules are (make_spte() is where the kernel keeps them): A unless nobody has accessed the
 * page; D with W, unless a writable leaf is replaced, whose dirtiness the host has been told of
 * (Linux 7.2 tells it when a page is mapped, and has no exception); no X for huge pages under the
 * mitigation; MMU-writable goes with W until something is write-protected.
 */
uint64_t mspte_leaf(const struct mfmt *f, const struct mleaf *leaf)
{
	bool old_leaf = mspte_is_leaf(leaf->old, leaf->level);
	bool replaces_writable = old_leaf && (leaf->old & SPTE_W);
	uint64_t spte = f->base | f->user | leaf->pfn << 12;
	bool writable = !leaf->read_only && (replaces_writable || !leaf->tracked);

	if (!f->ad)
		spte |= f->ad_off;
	else if (f->pml && leaf->guest_mode)
		spte |= f->ad_wrprot;

	if (!leaf->prefetch)
		spte |= f->accessed;
	spte |= leaf->level > 1 && leaf->nx_huge ? f->nx : f->x;
	if (leaf->level > 1)
		spte |= SPTE_LARGE;
	spte |= leaf->device ? f->uc : f->wb | f->me;
	if (!leaf->read_only)
		spte |= f->host_w;
	if (writable) {
		spte |= SPTE_W | f->mmu_w;
		if (!replaces_writable || f->dirty_with_w)
			spte |= f->dirty;
	}
	if (leaf->prefetch && !f->ad)
		spte = mspte_track(f, spte);
	return spte;
}

/**
 * mspte_table() - SPTE that links a table, without its address
 * @f: format
 */
uint64_t mspte_table(const struct mfmt *f)
{
	return f->base | f->table;
}

/**
 * mspte_mmio() - SPTE of a gfn that no slot has
 * @f: format
 * @gfn: guest frame
 * @gen: the slots' generation, of which @f->gen_low bits fit from bit 3 on, 11 more in bits 62:52
 */
uint64_t mspte_mmio(const struct mfmt *f, uint64_t gfn, uint64_t gen)
{
	uint64_t gpa = gfn << 12;

	return f->mmio | f->mmio_access | (gen & ((1ULL << f->gen_low) - 1)) << 3 |
	       (gen >> f->gen_low & 0x7ff) << 52 | gpa | f->l1tf | (gpa & f->l1tf) << L1TF_SHIFT;
}

/**
 * mspte_mmio_gen() - generation that an MMIO SPTE was made in, as much as it keeps
 * @f: format
 * @spte: the SPTE
 */
uint64_t mspte_mmio_gen(const struct mfmt *f, uint64_t spte)
{
	return (spte >> 3 & ((1ULL << f->gen_low) - 1)) | (spte >> 52 & 0x7ff) << f->gen_low;
}

bool mspte_is_mmio(const struct mfmt *f, uint64_t spte)
{
	return f->mmio && (spte & f->mmio_mask) == f->mmio;
}

/**
 * mspte_track() - take the permissions away, so that the next access shows; only without A bits
 * @f: format
 * @spte: a leaf
 */
uint64_t mspte_track(const struct mfmt *f, uint64_t spte)
{
	if (mspte_tracked(f, spte))
		return spte;
	return (spte | (spte & f->track_save) << f->track_shift) & ~f->track_clear;
}

/**
 * mspte_untrack() - give them back, but for W
 * @f: format
 * @spte: a leaf that mspte_track() has changed
 */
uint64_t mspte_untrack(const struct mfmt *f, uint64_t spte)
{
	uint64_t saved = spte >> f->track_shift & f->track_save;

	return (spte & ~f->track_clear & ~(f->track_save << f->track_shift)) | saved;
}

/* Let code be fetched, or not; an SPTE whose permissions were taken away has them kept elsewhere. */
static uint64_t set_exec(const struct mfmt *f, uint64_t spte, bool exec)
{
	bool tracked = mspte_tracked(f, spte);

	if (tracked)
		spte = mspte_untrack(f, spte);
	spte = exec ? (spte & ~f->nx) | f->x : (spte & ~f->x) | f->nx;
	return tracked ? mspte_track(f, spte) : spte;
}

/**
 * mspte_split_first() - first of the 512 SPTEs that a huge one is split into
 * @f: format
 * @huge: the huge SPTE
 * @child_level: level of the new ones
 * @nx: the mitigation is in force, and need not be for 4K pages
 *
 * The others differ by their address only.
 */
uint64_t mspte_split_first(const struct mfmt *f, uint64_t huge, int child_level, bool nx)
{
	if (child_level > 1)
		return huge;
	huge &= ~SPTE_LARGE;
	return nx ? set_exec(f, huge, true) : huge;
}

/**
 * mspte_collapsed() - huge SPTE that takes the place of a table
 * @f: format
 * @small: first leaf under the table
 * @level: of the huge one
 * @nx: the mitigation is in force
 */
uint64_t mspte_collapsed(const struct mfmt *f, uint64_t small, int level, bool nx)
{
	uint64_t huge = (small | SPTE_LARGE) & ~(((1ULL << 9 * (level - 1)) - 1) << 12);

	return nx ? set_exec(f, huge, false) : huge;
}

/**
 * mspte_describe() - an SPTE in words
 * @f: format
 * @spte: the SPTE
 * @level: of the table that holds it
 * @buf: result, always terminated
 * @len: size of @buf
 */
void mspte_describe(const struct mfmt *f, uint64_t spte, int level, char *buf, size_t len)
{
	const char *kind;

	if (spte == SPTE_INITIAL || !spte) {
		snprintf(buf, len, "nothing");
		return;
	}
	if (!mspte_present(spte)) {
		if (mspte_is_mmio(f, spte))
			snprintf(buf, len, "MMIO gen %#llx",
				 (unsigned long long)mspte_mmio_gen(f, spte));
		else
			snprintf(buf, len, "not present");
		return;
	}
	if (mspte_is_table(spte, level)) {
		snprintf(buf, len, "table, pfn %#llx", (unsigned long long)mspte_pfn(f, spte));
		return;
	}
	kind = level == 1 ? "4K" : level == 2 ? "2M" : "1G";
	snprintf(buf, len, "%s pfn %#llx %s%s%s%s%s%s%s%s", kind,
		 (unsigned long long)mspte_pfn(f, spte), spte & (f->ept ? 1 : f->user) ? "R" : "-",
		 spte & SPTE_W ? "W" : "-", mspte_exec(f, spte) ? "X" : "-",
		 spte & f->accessed ? " A" : "", spte & f->dirty ? " D" : "",
		 spte & f->host_w ? "" : " host-ro", spte & f->mmu_w ? "" : " mmu-ro",
		 mspte_tracked(f, spte) ? " access-tracked" : "");
}
