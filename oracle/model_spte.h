/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SPTEs as rules about bits: which bit means what in each format, and which bits a mapping gets.
 * Restated from the manuals (Intel SDM volume 3, EPT; AMD APM volume 2, nested paging) and, for the
 * software bits, from the layout of the VM's Linux; nothing of it is shared with the MMU.
 */
#ifndef ORACLE_MODEL_SPTE_H
#define ORACLE_MODEL_SPTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "op.h"

#define SPTE_INITIAL (1ULL << 63)  /* maps nothing */
#define SPTE_P	     (1ULL << 11)  /* software: maps a page or a table */
#define SPTE_LARGE   (1ULL << 7)
#define SPTE_W	     (1ULL << 1)
#define SPTE_ADDR    0x000ffffffffff000ULL

/**
 * struct mfmt - one MMU's format
 * @ept: EPT, else NPT
 * @ad: hardware keeps A and D
 * @initial: what SPTE_INITIAL, as the model has it, is in a page table
 * @base: bits of every present entry
 * @table: further bits of an entry that links a table
 * @user: data may be read
 * @x: set where code may be fetched; @nx: set where it may not
 * @accessed: A; @dirty: D; 0 if neither hardware nor software keeps any
 * @ad_kind: how A and D are kept: this field...
 * @ad_off: ...without A/D bits: by access tracking
 * @ad_wrprot: ...with A/D bits, but writes are logged by write protection
 * @host_w: the host lets it be written; @mmu_w: so does the MMU, though W may be clear for logging
 * @wb: memory type of RAM; @uc: of device memory
 * @track_clear: access tracking clears these...
 * @track_save: ...and keeps these, shifted left by @track_shift
 * @me: encryption bits of RAM and tables
 * @mmio: value that marks an MMIO entry; 0: there are none
 * @mmio_mask: bits that @mmio is found under
 * @mmio_access: access bits it keeps
 * @gen_low: bits of the generation that it keeps from bit 3 on; 11 more are from bit 52 on
 * @dirty_with_w: D goes with W, always
 * @l1tf: address bits set in MMIO entries; the gfn's own are moved left by L1TF_SHIFT
 * @max_gfn: highest gfn there can be
 * @max_mmio_gfn: highest gfn that an MMIO SPTE can hold
 * @levels: of the page tables
 * @pml: page-modification logging is in use
 */
struct mfmt {
	bool ept, ad, pml;
	uint64_t initial, base, table;
	uint64_t user, x, nx, accessed, dirty, host_w, mmu_w, wb, uc;
	uint64_t ad_kind, ad_off, ad_wrprot;
	uint64_t track_clear, track_save;
	int track_shift, gen_low;
	bool dirty_with_w;
	uint64_t me;
	uint64_t mmio, mmio_mask, mmio_access, l1tf;
	uint64_t max_gfn;
	uint64_t max_mmio_gfn;
	int levels;
};

#define L1TF_SHIFT  5

/**
 * struct mleaf - a mapping to be made
 * @level: 1..3
 * @pfn: frame, aligned to @level
 * @read_only: the host or the slot lets it not be written
 * @tracked: writes to it must be seen
 * @device: device memory
 * @nx_huge: the mitigation forbids executable huge pages
 * @prefetch: no access has been made yet
 * @guest_mode: in a nested-like root
 * @old: SPTE that it replaces
 */
struct mleaf {
	int level;
	uint64_t pfn;
	bool read_only, tracked, device, nx_huge, prefetch, guest_mode;
	uint64_t old;
};

void mfmt_init(struct mfmt *f, const struct vm_desc *vm);
uint64_t mspte_leaf(const struct mfmt *f, const struct mleaf *leaf);
uint64_t mspte_table(const struct mfmt *f);
uint64_t mspte_mmio(const struct mfmt *f, uint64_t gfn, uint64_t gen);
uint64_t mspte_mmio_gen(const struct mfmt *f, uint64_t spte);
uint64_t mspte_split_first(const struct mfmt *f, uint64_t huge, int child_level, bool nx);
uint64_t mspte_collapsed(const struct mfmt *f, uint64_t small, int level, bool nx);
uint64_t mspte_untrack(const struct mfmt *f, uint64_t spte);
uint64_t mspte_track(const struct mfmt *f, uint64_t spte);
bool mspte_is_mmio(const struct mfmt *f, uint64_t spte);
void mspte_describe(const struct mfmt *f, uint64_t spte, int level, char *buf, size_t len);

static inline bool mspte_present(uint64_t spte)
{
	return spte & SPTE_P;
}

static inline bool mspte_is_leaf(uint64_t spte, int level)
{
	return mspte_present(spte) && (level == 1 || (spte & SPTE_LARGE));
}

static inline bool mspte_is_table(uint64_t spte, int level)
{
	return mspte_present(spte) && level > 1 && !(spte & SPTE_LARGE);
}

/* Bits of a generation that an MMIO entry keeps. */
static inline uint64_t mspte_gen_mask(const struct mfmt *f)
{
	return (1ULL << (f->gen_low + 11)) - 1;
}

static inline bool mspte_ad(const struct mfmt *f, uint64_t spte)
{
	return !f->ad_kind || (spte & f->ad_kind) != f->ad_off;
}

/* Its permissions were taken away so that the next access shows. */
static inline bool mspte_tracked(const struct mfmt *f, uint64_t spte)
{
	return !mspte_ad(f, spte) && !(spte & f->track_clear);
}

static inline bool mspte_accessed(const struct mfmt *f, uint64_t spte)
{
	return mspte_ad(f, spte) ? spte & f->accessed : !mspte_tracked(f, spte);
}

static inline bool mspte_dirty(const struct mfmt *f, uint64_t spte)
{
	return mspte_ad(f, spte) ? spte & f->dirty : spte & SPTE_W;
}

static inline bool mspte_exec(const struct mfmt *f, uint64_t spte)
{
	return f->x ? spte & f->x : !(spte & f->nx);
}

static inline uint64_t mspte_pfn(const struct mfmt *f, uint64_t spte)
{
	return (spte & SPTE_ADDR & ~f->me) >> 12;
}

#endif /* ORACLE_MODEL_SPTE_H */
