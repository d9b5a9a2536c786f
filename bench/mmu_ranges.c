// SPDX-License-Identifier: GPL-2.0-only
/* Rows: what is done to all of a slot at once. */
#include "dirty_log.h"
#include "mmu_rows.h"

#define SMALL (32 * PAGES_2M) /* pages, of which each is mapped by itself */
#define SLOT  0
#define WORD  64 /* pages of a word of the dirty log */

static void populate(struct mmu_vm *vm, const struct mmu_row *row)
{
	mmu_populate(vm, row->level);
}

/* The tables are new ones each time. */
static void populate_anew(struct mmu_vm *vm, const struct mmu_row *row)
{
	mmu_vm_empty(vm);
	mmu_populate(vm, row->level);
}

static bool none_mapped(struct mmu_vm *vm, const struct mmu_row *row)
{
	(void)row;
	return mmu_none_mapped(vm);
}

static u64 last_spte(struct mmu_vm *vm)
{
	return kvm_vcpu_get_spte(vm->vcpu[0], (vm->pages - 1) << PAGE_SHIFT, NULL);
}

/* ---- splitting ---- */

static void populate_huge(struct mmu_vm *vm, const struct mmu_row *row)
{
	populate_anew(vm, row);
	mmu_vm_warm_tables();
}

static void split(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	(void)thread;
	mmu_expect(vm, !kvm_mmu_slot_try_split_huge_pages(vm->kvm, SLOT, row->level - 1));
}

static bool all_split(struct mmu_vm *vm, const struct mmu_row *row)
{
	return mmu_all_mapped(vm, row->level - 1) && !mmu_vm_mapped(vm, row->level);
}

/* ---- zapping ---- */

static void zap_range(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	(void)row;
	(void)thread;
	mmu_expect(vm, !kvm_zap_gfn_range(vm->kvm, 0, vm->pages));
}

static void unmap(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	(void)row;
	(void)thread;
	mmu_expect(vm, !kvm_mmu_notifier_invalidate_range_start(vm->kvm, 0, vm->pages));
	mmu_expect(vm, !kvm_mmu_notifier_invalidate_range_end(vm->kvm, 0, vm->pages));
}

static void zap_roots(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	(void)row;
	(void)thread;
	kvm_mmu_zap_all_fast(vm->kvm);
}

/* The host has formed huge pages. */
static void populate_collapsible(struct mmu_vm *vm, const struct mmu_row *row)
{
	populate_anew(vm, row);
	vm->level = PG_LEVEL_2M;
}

static void collapse(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	(void)row;
	(void)thread;
	kvm_mmu_zap_collapsible_sptes(vm->kvm, vm->slot);
}

/* ---- dirty logging ---- */

static void write_all(struct mmu_vm *vm, const struct mmu_row *row)
{
	mmu_expect_none(vm, mmu_vm_fault(vm->vcpu[0], 0, 1, row->pages,
					 PFERR_WRITE_MASK | PFERR_PRESENT_MASK, RET_PF_FIXED));
}

static void write_protect(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	(void)row;
	(void)thread;
	kvm_mmu_slot_remove_write_access(vm->kvm, vm->slot, PG_LEVEL_4K);
}

static void populate_protected(struct mmu_vm *vm, const struct mmu_row *row)
{
	populate(vm, row);
	write_protect(vm, row, 0);
}

static bool last_is_protected(struct mmu_vm *vm, const struct mmu_row *row)
{
	(void)row;
	return !(last_spte(vm) & EPT_WRITABLE);
}

static void set_dirty(struct mmu_vm *vm, const struct mmu_row *row)
{
	(void)row;
	mmu_vm_hardware_sets(vm, EPT_DIRTY);
}

static void clear_dirty(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	(void)row;
	(void)thread;
	kvm_mmu_slot_leaf_clear_dirty(vm->kvm, vm->slot);
}

static bool last_is_clean(struct mmu_vm *vm, const struct mmu_row *row)
{
	(void)row;
	return !(last_spte(vm) & EPT_DIRTY);
}

static void populate_logged(struct mmu_vm *vm, const struct mmu_row *row)
{
	populate(vm, row);
	mmu_vm_log(vm);
}

/* As PML has it done. */
static void log_all(struct mmu_vm *vm, const struct mmu_row *row)
{
	gfn_t gfn;

	set_dirty(vm, row);
	for (gfn = 0; gfn < vm->pages; gfn++)
		kvm_vcpu_mark_page_dirty(vm->vcpu[0], gfn);
}

static void harvest(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	(void)row;
	(void)thread;
	mmu_expect(vm, !kvm_vm_ioctl_get_dirty_log(vm->kvm, SLOT, vm->bitmap, vm->pages / WORD));
	mmu_expect(vm, vm->bitmap[vm->pages / WORD - 1] == ~0ULL);
}

/* ---- aging ---- */

static void set_accessed(struct mmu_vm *vm, const struct mmu_row *row)
{
	(void)row;
	mmu_vm_hardware_sets(vm, EPT_ACCESSED);
}

static void age(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	(void)row;
	(void)thread;
	mmu_expect(vm, kvm_mmu_notifier_clear_young(vm->kvm, 0, vm->pages) == 1);
}

static bool last_is_old(struct mmu_vm *vm, const struct mmu_row *row)
{
	(void)row;
	return !(last_spte(vm) & EPT_ACCESSED);
}

static void populate_old(struct mmu_vm *vm, const struct mmu_row *row)
{
	populate(vm, row);
	age(vm, row, 0);
}

/* Looks at each leaf, and finds nothing. */
static void test_age(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	(void)row;
	(void)thread;
	mmu_expect(vm, !kvm_mmu_notifier_test_young(vm->kvm, 0, vm->pages));
}

const struct mmu_row mmu_range_rows[] = {
	{
		.name = "split-eager-2m",
		.per = "split",
		.limit = "limit-fill-table",
		.what = "2M pages of a slot split into 4K",
		.pages = WARM_TABLES * PAGES_2M,
		.level = PG_LEVEL_2M,
		.units = WARM_TABLES,
		.arm = populate_huge,
		.run = split,
		.done = all_split,
	},
	{
		.name = "split-eager-1g",
		.per = "split",
		.limit = "limit-fill-table",
		.what = "1G pages of a slot split into 2M",
		.pages = WARM_TABLES * PAGES_1G,
		.level = PG_LEVEL_1G,
		.units = WARM_TABLES,
		.arm = populate_huge,
		.run = split,
		.done = all_split,
	},
	{
		.name = "zap",
		.per = "SPTE",
		.limit = "limit-exchange",
		.what = "4K leaves of a range of gfns zapped",
		.pages = SMALL,
		.level = PG_LEVEL_4K,
		.units = SMALL,
		.arm = populate,
		.run = zap_range,
		.done = none_mapped,
	},
	{
		.name = "unmap",
		.per = "SPTE",
		.limit = "limit-exchange",
		.what = "4K leaves zapped by the host's notifier",
		.pages = SMALL,
		.level = PG_LEVEL_4K,
		.units = SMALL,
		.arm = populate,
		.run = unmap,
		.done = none_mapped,
	},
	{
		.name = "zap-roots",
		.per = "SPTE",
		.limit = "limit-exchange",
		.what = "all roots invalidated, then zapped, page tables and all",
		.pages = SMALL,
		.level = PG_LEVEL_4K,
		.units = SMALL,
		.arm = populate_anew,
		.run = zap_roots,
		.done = none_mapped,
	},
	{
		.name = "collapse",
		.per = "SPTE",
		.limit = "limit-exchange",
		.what = "page tables zapped that a 2M page could replace",
		.pages = SMALL,
		.level = PG_LEVEL_4K,
		.units = SMALL,
		.arm = populate_collapsible,
		.run = collapse,
		.done = none_mapped,
	},
	{
		.name = "write-protect",
		.per = "SPTE",
		.limit = "limit-exchange",
		.what = "4K leaves of a slot write-protected",
		.pages = SMALL,
		.level = PG_LEVEL_4K,
		.units = SMALL,
		.begin = populate_protected,
		.arm = write_all,
		.run = write_protect,
		.done = last_is_protected,
	},
	{
		.name = "clear-dirty",
		.per = "SPTE",
		.limit = "limit-exchange",
		.what = "D of a slot's 4K leaves cleared",
		.pages = SMALL,
		.level = PG_LEVEL_4K,
		.units = SMALL,
		.begin = populate,
		.arm = set_dirty,
		.run = clear_dirty,
		.done = last_is_clean,
	},
	{
		.name = "masked-clear-dirty",
		.per = "SPTE",
		.limit = "limit-exchange",
		.what = "dirty log taken under PML, with all pages in it",
		.pages = SMALL,
		.level = PG_LEVEL_4K,
		.pml = true,
		.units = SMALL,
		.begin = populate_logged,
		.arm = log_all,
		.run = harvest,
		.done = last_is_clean,
	},
	{
		.name = "masked-write-protect",
		.per = "SPTE",
		.limit = "limit-exchange",
		.what = "dirty log taken without PML, with all pages in it",
		.pages = SMALL,
		.level = PG_LEVEL_4K,
		.units = SMALL,
		.begin = populate_logged,
		.arm = write_all,
		.run = harvest,
		.done = last_is_protected,
	},
	{
		.name = "age",
		.per = "SPTE",
		.limit = "limit-exchange",
		.what = "A of 4K leaves cleared by the host's notifier",
		.pages = SMALL,
		.level = PG_LEVEL_4K,
		.units = SMALL,
		.begin = populate,
		.arm = set_accessed,
		.run = age,
		.done = last_is_old,
	},
	{
		.name = "iterate",
		.per = "SPTE",
		.limit = "limit-read",
		.what = "4K leaves looked at, one by one (the host asks whether they are young)",
		.pages = SMALL,
		.level = PG_LEVEL_4K,
		.units = SMALL,
		.begin = populate_old,
		.run = test_age,
	},
	{},
};
