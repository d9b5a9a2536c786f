// SPDX-License-Identifier: GPL-2.0-only
/* Rows: what the machine takes for the memory accesses that an operation cannot do without. */
#include "measure.h"
#include "mmu_rows.h"

/* The compiler does not know what becomes of what is in @memory. */
#define used(memory) __asm__ volatile("" : : "r"(memory) : "memory")

static u64 memory[MMU_MOST_FILLED * SPTE_ENT_PER_PAGE] __attribute__((aligned(PAGE_SIZE)));

/**
 * mmu_fill_tables() - write page tables, as a split has to
 * @first: which, of MMU_MOST_FILLED
 * @n: how many
 */
void mmu_fill_tables(u64 first, u64 n)
{
	u64 *table = &memory[first * SPTE_ENT_PER_PAGE];
	u64 i;
	int j;

	for (i = 0; i < n; i++, table += SPTE_ENT_PER_PAGE) {
		for (j = 0; j < SPTE_ENT_PER_PAGE; j++)
			table[j] = (i * SPTE_ENT_PER_PAGE + j) << PAGE_SHIFT;
		used(table);
	}
}

static void fill(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	(void)vm;
	(void)thread;
	mmu_fill_tables(0, row->units);
}

static void read_all(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	u64 i, any = 0, *sptes = memory;

	(void)vm;
	(void)thread;
	for (i = 0; i < row->units; i++)
		any |= __atomic_load_n(&sptes[i], __ATOMIC_ACQUIRE);
	used(any);
}

static void exchange(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	u64 i, *sptes = memory;

	(void)vm;
	(void)thread;
	for (i = 0; i < row->units; i++)
		__atomic_exchange_n(&sptes[i], i, __ATOMIC_SEQ_CST);
}

const struct mmu_row mmu_limit_rows[] = {
	{
		.name = "limit-fill-table",
		.per = "table",
		.what = "the machine: 4 KiB written, in the L2 cache",
		.units = WARM_TABLES,
		.run = fill,
	},
	{
		.name = "limit-read",
		.per = "SPTE",
		.what = "the machine: page tables read in order",
		.units = WARM_TABLES * SPTE_ENT_PER_PAGE,
		.run = read_all,
	},
	{
		.name = "limit-exchange",
		.per = "SPTE",
		.what = "the machine: each SPTE of page tables exchanged atomically",
		.units = WARM_TABLES * SPTE_ENT_PER_PAGE,
		.run = exchange,
	},
	{},
};
