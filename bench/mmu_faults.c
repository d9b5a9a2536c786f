// SPDX-License-Identifier: GPL-2.0-only
/* Rows: faults, and walks for one page. */
#include "dirty_log.h"
#include "mmu_rows.h"

#define SMALL (32 * PAGES_2M) /* pages, of which each is mapped by itself */

static u64 stride(const struct mmu_row *row)
{
	return row->pages / row->units;
}

static void run_faults(struct mmu_vm *vm, const struct mmu_row *row, u64 code, int expected)
{
	mmu_expect_none(vm, mmu_vm_fault(vm->vcpu[0], 0, stride(row), row->units, code, expected));
}

/* ---- nothing is mapped ---- */

static void populate(struct mmu_vm *vm, const struct mmu_row *row)
{
	mmu_populate(vm, row->level);
}

/* Page tables stay. */
static void zap(struct mmu_vm *vm, const struct mmu_row *row)
{
	(void)row;
	mmu_expect(vm, !kvm_zap_gfn_range(vm->kvm, 0, vm->pages));
	mmu_expect(vm, mmu_none_mapped(vm));
}

static void empty(struct mmu_vm *vm, const struct mmu_row *row)
{
	(void)row;
	mmu_vm_empty(vm);
	mmu_vm_warm_tables();
}

static void fault(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	(void)thread;
	run_faults(vm, row, PFERR_WRITE_MASK, RET_PF_FIXED);
}

static bool all_mapped(struct mmu_vm *vm, const struct mmu_row *row)
{
	return mmu_all_mapped(vm, row->level);
}

static bool some_mapped(struct mmu_vm *vm, const struct mmu_row *row)
{
	return mmu_vm_mapped(vm, PG_LEVEL_4K) == (s64)row->units;
}

/* ---- it is mapped already ---- */

static void populate_clean(struct mmu_vm *vm, const struct mmu_row *row)
{
	mmu_populate_clean(vm, row->level);
}

static void fault_again(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	(void)thread;
	run_faults(vm, row, PFERR_WRITE_MASK, RET_PF_SPURIOUS);
}

static void write_protect(struct mmu_vm *vm, const struct mmu_row *row)
{
	(void)row;
	kvm_mmu_slot_remove_write_access(vm->kvm, vm->slot, PG_LEVEL_4K);
}

static void fault_fast(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	(void)thread;
	run_faults(vm, row, PFERR_WRITE_MASK | PFERR_PRESENT_MASK, RET_PF_FIXED);
}

static bool last_is_writable(struct mmu_vm *vm, const struct mmu_row *row)
{
	(void)row;
	return kvm_vcpu_get_spte(vm->vcpu[0], (vm->pages - 1) << PAGE_SHIFT, NULL) & EPT_WRITABLE;
}

/* Neighbours in different cache lines, if there are that many. */
#define WALK_STEP 4099

static void walk(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	u64 i, wrong = 0;
	gfn_t gfn = 0;
	int level;

	(void)thread;
	for (i = 0; i < row->units; i++, gfn = (gfn + WALK_STEP) % row->pages) {
		kvm_vcpu_get_spte(vm->vcpu[0], gfn << PAGE_SHIFT, &level);
		wrong += level != PG_LEVEL_4K;
	}
	mmu_expect_none(vm, wrong);
}

/* ---- it is mapped by larger pages than the host does by now ---- */

static void populate_huge(struct mmu_vm *vm, const struct mmu_row *row)
{
	mmu_vm_empty(vm);
	mmu_populate_clean(vm, row->level);
	vm->level = row->level - 1;
	mmu_vm_warm_tables();
}

static bool all_split(struct mmu_vm *vm, const struct mmu_row *row)
{
	return mmu_all_mapped(vm, row->level - 1) && !mmu_vm_mapped(vm, row->level);
}

const struct mmu_row mmu_fault_rows[] = {
	{
		.name = "fault-4k",
		.per = "fault",
		.what = "a fault maps 4K; its page table is there",
		.pages = SMALL,
		.level = PG_LEVEL_4K,
		.units = SMALL,
		.begin = populate,
		.arm = zap,
		.run = fault,
		.done = all_mapped,
	},
	{
		.name = "fault-4k-table",
		.per = "fault",
		.limit = "limit-fill-table",
		.what = "a fault maps 4K by a page table of its own",
		.pages = WARM_TABLES * PAGES_2M,
		.level = PG_LEVEL_4K,
		.units = WARM_TABLES,
		.arm = empty,
		.run = fault,
		.done = some_mapped,
	},
	{
		.name = "fault-2m",
		.per = "fault",
		.what = "a fault maps 2M; its page table is there",
		.pages = 2048 * PAGES_2M,
		.level = PG_LEVEL_2M,
		.units = 2048,
		.begin = populate,
		.arm = zap,
		.run = fault,
		.done = all_mapped,
	},
	{
		.name = "fault-1g",
		.per = "fault",
		.what = "a fault maps 1G; its page table is there",
		.pages = 512 * PAGES_1G,
		.level = PG_LEVEL_1G,
		.units = 512,
		.begin = populate,
		.arm = zap,
		.run = fault,
		.done = all_mapped,
	},
	{
		.name = "fault-spurious",
		.per = "fault",
		.what = "a fault finds its 4K mapped already",
		.pages = SMALL,
		.level = PG_LEVEL_4K,
		.units = SMALL,
		.begin = populate_clean,
		.run = fault_again,
		.done = all_mapped,
	},
	{
		.name = "fault-fast",
		.per = "fault",
		.what = "a fault makes 4K writable again, without mmu_lock",
		.pages = SMALL,
		.level = PG_LEVEL_4K,
		.units = SMALL,
		.begin = populate,
		.arm = write_protect,
		.run = fault_fast,
		.done = last_is_writable,
	},
	{
		.name = "walk",
		.per = "walk",
		.what = "SPTEs from the root to a 4K page, here and there",
		.pages = SMALL,
		.level = PG_LEVEL_4K,
		.units = SMALL,
		.begin = populate,
		.run = walk,
	},
	{
		.name = "split-fault-2m",
		.per = "split",
		.limit = "limit-fill-table",
		.what = "a fault splits 2M into 4K",
		.pages = WARM_TABLES * PAGES_2M,
		.level = PG_LEVEL_2M,
		.units = WARM_TABLES,
		.arm = populate_huge,
		.run = fault_again,
		.done = all_split,
	},
	{
		.name = "split-fault-1g",
		.per = "split",
		.limit = "limit-fill-table",
		.what = "a fault splits 1G into 2M",
		.pages = WARM_TABLES * PAGES_1G,
		.level = PG_LEVEL_1G,
		.units = WARM_TABLES,
		.arm = populate_huge,
		.run = fault_again,
		.done = all_split,
	},
	{},
};
