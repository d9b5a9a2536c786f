/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations of the MMU that are timed, each a row of a table. */
#ifndef MMU_ROWS_H
#define MMU_ROWS_H

#include "mmu_vm.h"

/**
 * struct mmu_row - an operation
 * @name: for the command line
 * @per: what the nanoseconds are for one of
 * @limit: name of the row that says what the machine itself takes; NULL: none
 * @what: for people, a line
 * @pages: of 4K, of the slot; 0: no VM
 * @level: of the host's pages when the VM is new
 * @pml: of the VM
 * @threads: that do it at once; 0 is one, without a thread of its own
 * @units: of it in a batch, of all threads
 * @begin: once, to a new VM. May be NULL
 * @arm: before each batch, not timed. May be NULL
 * @run: the batch. Thread @thread's part of it, if there are several
 * @done: after each batch, not timed: has what was timed really been done? May be NULL
 */
struct mmu_row {
	const char *name;
	const char *per;
	const char *limit;
	const char *what;
	u64 pages;
	int level;
	bool pml;
	int threads;
	u64 units;
	void (*begin)(struct mmu_vm *vm, const struct mmu_row *row);
	void (*arm)(struct mmu_vm *vm, const struct mmu_row *row);
	void (*run)(struct mmu_vm *vm, const struct mmu_row *row, int thread);
	bool (*done)(struct mmu_vm *vm, const struct mmu_row *row);
};

/* Each ends with a row without a name. */
extern const struct mmu_row mmu_fault_rows[];
extern const struct mmu_row mmu_range_rows[];
extern const struct mmu_row mmu_thread_rows[];
extern const struct mmu_row mmu_limit_rows[];

/* Tables that mmu_fill_tables() has. */
#define MMU_MOST_FILLED 1024

void mmu_fill_tables(u64 first, u64 n);
double mmu_threads_ns(struct mmu_vm *vm, const struct mmu_row *row);

/* What an operation adds to the count of calls that were not answered as expected. */
static inline void mmu_expect(struct mmu_vm *vm, bool ok)
{
	if (!ok)
		__atomic_fetch_add(&vm->wrong, 1, __ATOMIC_RELAXED);
}

static inline void mmu_expect_none(struct mmu_vm *vm, u64 wrong)
{
	__atomic_fetch_add(&vm->wrong, wrong, __ATOMIC_RELAXED);
}

/* Map all of the slot by pages of @level, writable and with D. */
static inline void mmu_populate(struct mmu_vm *vm, int level)
{
	const u64 size = KVM_PAGES_PER_HPAGE(level);

	vm->level = level;
	mmu_expect_none(vm, mmu_vm_fault(vm->vcpu[0], 0, size, vm->pages / size, PFERR_WRITE_MASK,
					 RET_PF_FIXED));
}

/*
 * And without D, which a second fault on a writable leaf takes away: from then on such faults change
 * nothing.
 */
static inline void mmu_populate_clean(struct mmu_vm *vm, int level)
{
	mmu_populate(vm, level);
	mmu_populate(vm, level);
}

/* Nothing else is mapped. */
static inline bool mmu_all_mapped(struct mmu_vm *vm, int level)
{
	return mmu_vm_mapped(vm, level) == (s64)(vm->pages / KVM_PAGES_PER_HPAGE(level));
}

static inline bool mmu_none_mapped(struct mmu_vm *vm)
{
	return !mmu_vm_mapped(vm, PG_LEVEL_4K) && !mmu_vm_mapped(vm, PG_LEVEL_2M) &&
	       !mmu_vm_mapped(vm, PG_LEVEL_1G);
}

#endif /* MMU_ROWS_H */
