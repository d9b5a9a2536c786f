// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does the fixture work?  SPTEs whose values are known, and the ways of a page through the TDP MMU.
 */
#include <kunit/test.h>

#include "tdp_kunit.h"

#define SMOKE_PFN(gfn)	(0x400000 + (gfn))
#define SMOKE_NONE	0x8000000000000000ULL

/* Faults that split huge pages, prefaults and how many locks a fault takes are not 6.1's. */
static const struct tdp_vm_params smoke_6_12 = { .made_for = TDP_FOR_6_12 };

static const struct tdp_slot smoke_slot = { .id = 0, .base = 0, .pages = 0x1000, .hpage = 0 };

static struct tdp_vm *smoke_vm(struct kunit *test, const struct tdp_vm_params *params,
			       const struct tdp_slot *slot, enum tdp_level level)
{
	struct tdp_vm *vm = tdp_vm_create(test, params);

	tdp_host_map(vm, slot->hpage, slot->pages, SMOKE_PFN(slot->hpage), level);
	tdp_expect_return(vm, tdp_slot_add(vm, slot), 0, "P: a slot is added");
	return vm;
}

/* One format of SPTEs: what a 4K page, a read-only one, an aged one and a logged one look like */
static void smoke_format(struct kunit *test, const struct tdp_vm_params *params, u64 rwx, u64 ro,
			 u64 aged, u64 logged)
{
	struct tdp_vm *vm = smoke_vm(test, params, &smoke_slot, TDP_4K);

	tdp_expect_frame(vm, tdp_write(vm, 0, 0x10), SMOKE_PFN(0x10), "M: a write");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x10, TDP_4K, rwx, "M: a page that was written");
	tdp_expect_none(vm, TDP_NORMAL, 0x11, "M: a page that nobody used");
	tdp_expect_stat(vm, 1, 0, 0, "L: one page is mapped");
	tdp_expect_tables(vm, 3, "L: a table for each level but the root's");

	tdp_protect(vm, 0x12, 1);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x12), SMOKE_PFN(0x12), "M: a read");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x12, TDP_4K, ro, "M: a page that is read-only");

	tdp_expect_frame(vm, tdp_write(vm, 0, 0x11), SMOKE_PFN(0x11), "M: a write");
	tdp_expect_return(vm, tdp_age(vm, 0x11, 1), 1, "M: the page was used");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x11, TDP_4K, aged, "M: a page that was aged");

	tdp_expect_return(vm, tdp_log_start(vm, 0, 0), 0, "P: logging starts");
	tdp_expect_flushed(vm, true, "T: write access is taken away");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x10, TDP_4K, logged, "D: a write has to fault");
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x10), SMOKE_PFN(0x10), "M: a write");
	tdp_expect_return(vm, tdp_log_get(vm, 0, 0), 0, "P: the log is got");
	tdp_expect_dirty(vm, 0x10, 1, "D: the page was written");
	tdp_expect_ndirty(vm, 1, "D: no other page was");
}

static void smoke_ept(struct kunit *test)
{
	smoke_format(test, &(struct tdp_vm_params){}, 0x8600000400010b77, 0x8000000400012975,
		     0x8600000400011a77, 0x8600000400010b75);
}

static void smoke_ept_no_ad(struct kunit *test)
{
	smoke_format(test, &(struct tdp_vm_params){ .ad_off = true }, 0x8610000400010877,
		     0x8010000400012875, 0x8750000400011870, 0x8610000400010875);
}

static void smoke_npt(struct kunit *test)
{
	smoke_format(test, &(struct tdp_vm_params){ .npt = true }, 0x0000000400010e67,
		     0x0000000400012825, 0x0000000400011e47, 0x0000000400010e65);
}

/* A huge page, executed: split by the fault; all of it unmapped. */
static void smoke_huge(struct kunit *test)
{
	struct tdp_vm *vm = smoke_vm(test, &smoke_6_12, &smoke_slot, TDP_2M);

	tdp_expect_frame(vm, tdp_write(vm, 0, 0x400), SMOKE_PFN(0x400), "M: a write");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x400, TDP_2M, 0x8600000400400bf3, "M: a huge page");
	tdp_expect_executable(vm, TDP_NORMAL, 0x400, false, "X: no huge page is executable");
	tdp_expect_frame(vm, tdp_exec(vm, 0, 0x400), SMOKE_PFN(0x400), "M: a fetch");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x401, TDP_4K, 0x8600000400401b77, "M: a small page");
	tdp_expect_stat(vm, 512, 0, 0, "L: the huge page was split");
	tdp_expect_nx_splits(vm, 1, "X: the table may make way for a huge page again");
	tdp_unmap(vm, 0x400, 512);
	tdp_expect_flushed(vm, true, "T: the pages are gone");
	tdp_expect_none(vm, TDP_NORMAL, 0x401, "N: the host has taken it away");
	tdp_expect_pfn_dirty(vm, SMOKE_PFN(0x400), true, "D: it was written");
	tdp_expect_stat(vm, 0, 0, 0, "L: nothing is mapped");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x401), TDP_FAULT_ERROR, "T: there is no such page");
}

static void smoke_1g(struct kunit *test)
{
	const struct tdp_slot slot = {
		.id = 1, .base = 0x40000, .pages = 0x40000, .hpage = 0x40000
	};
	struct tdp_vm *vm = smoke_vm(test, &(struct tdp_vm_params){}, &slot, TDP_1G);

	tdp_expect_frame(vm, tdp_write(vm, 0, 0x40123), SMOKE_PFN(0x40123), "M: a write");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x40000, TDP_1G, 0x8600000440000bf3, "M: a huge page");
	tdp_expect_return(vm, tdp_split(vm, 0, 1, TDP_2M), 0, "P: it is split");
	tdp_expect_stat(vm, 0, 512, 0, "L: it was split");
	tdp_expect_executable(vm, TDP_NORMAL, 0x40000, false, "X: no huge page is executable");
}

static void smoke_mmio(struct kunit *test)
{
	struct tdp_vm *vm = tdp_vm_create(test, &(struct tdp_vm_params){ .gen = 2 });

	tdp_expect_frame(vm, tdp_read(vm, 0, 0x100123), TDP_EMULATED, "G: there is no memory");
	tdp_expect_leaf(vm, TDP_NORMAL, 0x100123, TDP_4K, 0x0000000100123016, "G: an MMIO SPTE");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x100123), TDP_EMULATED, "G: it is read back");
}

/* A guest's page behind the TLB: what an unmap owes is a flush. */
static void smoke_flush(struct kunit *test)
{
	struct tdp_vm *vm =
		smoke_vm(test, &(struct tdp_vm_params){ .vcpus = 2 }, &smoke_slot, TDP_4K);

	tdp_expect_frame(vm, tdp_read(vm, 0, 0x20), SMOKE_PFN(0x20), "M: a read");
	tdp_expect_frame(vm, tdp_read(vm, 1, 0x20), SMOKE_PFN(0x20), "M: a read by another vCPU");
	tdp_remap(vm, 0x20, 1, 0x500000, TDP_4K);
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x20), 0x500000, "T: the page moved");
	tdp_expect_frame(vm, tdp_read(vm, 1, 0x20), 0x500000, "T: the page moved for all");
}

/* Pages that are tracked are emulated. */
static void smoke_track(struct kunit *test)
{
	struct tdp_vm *vm = smoke_vm(test, &(struct tdp_vm_params){}, &smoke_slot, TDP_4K);

	tdp_expect_frame(vm, tdp_write(vm, 0, 0x30), SMOKE_PFN(0x30), "M: a write");
	tdp_expect_return(vm, tdp_track(vm, 0, 0, 0x30), 0, "P: it is tracked");
	tdp_expect_writable(vm, TDP_NORMAL, 0x30, false, "W: no write but KVM's");
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x30), TDP_EMULATED, "W: KVM stores");
	tdp_expect_return(vm, tdp_untrack(vm, 0, 0, 0x30), 0, "P: it is tracked no more");
	tdp_expect_frame(vm, tdp_write(vm, 0, 0x30), SMOKE_PFN(0x30), "W: the guest stores");
}

/* Modes have roots of their own; all go at once. */
static void smoke_roots(struct kunit *test)
{
	struct tdp_vm *vm = smoke_vm(test, &(struct tdp_vm_params){}, &smoke_slot, TDP_4K);

	tdp_expect_frame(vm, tdp_read(vm, 0, 0x40), SMOKE_PFN(0x40), "M: a read");
	tdp_guest_enter(vm, 0);
	tdp_expect_none(vm, TDP_GUEST_MODE, 0x40, "M: another root");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x40), SMOKE_PFN(0x40), "M: a read");
	tdp_expect_roots(vm, 2, "L: one root for each mode");
	tdp_zap_fast(vm);
	tdp_expect_none(vm, TDP_NORMAL, 0x40, "N: all is gone");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x40), SMOKE_PFN(0x40), "M: a read, in a new root");
	tdp_expect_roots(vm, 1, "L: the old ones are gone");
	tdp_expect_return(vm, tdp_slot_delete(vm, 0, 0), 0, "P: the slot goes");
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x40), TDP_EMULATED, "N: no memory is left");
	tdp_destroy(vm);
}

/* A walk that has to yield comes to its end. */
static void smoke_yield(struct kunit *test)
{
	struct tdp_vm *vm = smoke_vm(test, &(struct tdp_vm_params){}, &smoke_slot, TDP_4K);
	int i;

	tdp_expect_frame(vm, tdp_write(vm, 0, 0x50), SMOKE_PFN(0x50), "M: a write");
	for (i = 1; i <= 10; i++)
		tdp_resched(vm, TDP_COND_RESCHED, 0, i);
	tdp_expect_return(vm, tdp_log_start(vm, 0, 0), 0, "P: logging starts");
	tdp_expect_writable(vm, TDP_NORMAL, 0x50, false, "D: a write has to fault");
}

static void smoke_prefault(struct kunit *test)
{
	struct tdp_vm *vm = smoke_vm(test, &smoke_6_12, &smoke_slot, TDP_4K);

	tdp_expect_return(vm, tdp_prefault(vm, 0, 0x60, 4), 4, "P: four pages");
	tdp_expect_stat(vm, 4, 0, 0, "L: four pages are mapped");
	tdp_expect_return(vm, tdp_prefault(vm, 0, 0x2000, 1), -2, "P: there is no memory");
}

/*
 * Logging stops while the CPU is about to read the entry of a table that goes: the flush waits for
 * it, with the entry frozen, and the fault that follows maps a huge page when that is over.
 */
static void smoke_reader(struct tdp_vm *vm)
{
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x200), SMOKE_PFN(0x200), "M: a read");
}

static void smoke_stops_log(struct tdp_vm *vm)
{
	tdp_expect_return(vm, tdp_log_stop(vm, 0, 0), 0, "P: logging stops");
}

static void smoke_threads(struct kunit *test)
{
	static void (*const threads[])(struct tdp_vm *vm) = { smoke_reader, smoke_stops_log };
	static const struct tdp_switch switches[] = {
		{ .thread = 0, .op = 0, .point = TDP_WALK, .level = TDP_2M, .nth = 1, .to = 1 },
	};
	struct tdp_slot slot = smoke_slot;
	struct tdp_vm *vm;

	slot.flags = TDP_LOG;
	vm = smoke_vm(test, &(struct tdp_vm_params){}, &slot, TDP_2M);
	tdp_interleave(vm, threads, ARRAY_SIZE(threads), switches, ARRAY_SIZE(switches));
	tdp_expect_leaf(vm, TDP_NORMAL, 0x200, TDP_2M, 0x8600000400200bf3,
			"M: a huge page where a table was");
	tdp_expect_stat(vm, 0, 1, 0, "L: that page only");
}

/* An unmap wants mmu_lock that a fault has: it waits, and takes away what the fault has mapped. */
static void smoke_reads_nothing(struct tdp_vm *vm)
{
	tdp_expect_frame(vm, tdp_read(vm, 0, 0x200), TDP_FAULT_ERROR, "N: the page is gone");
}

static void smoke_unmaps(struct tdp_vm *vm)
{
	tdp_unmap(vm, 0x200, 1);
}

static void smoke_locks(struct kunit *test)
{
	static void (*const threads[])(struct tdp_vm *vm) = { smoke_reads_nothing, smoke_unmaps };
	static const struct tdp_switch switches[] = {
		{ .thread = 0, .op = 0, .point = TDP_CMPXCHG, .level = TDP_4K, .nth = 1, .to = 1 },
		{ .thread = 0, .op = 0, .point = TDP_UNLOCK, .nth = 3, .to = 1 },
	};
	struct tdp_vm *vm = smoke_vm(test, &smoke_6_12, &smoke_slot, TDP_4K);

	tdp_interleave(vm, threads, ARRAY_SIZE(threads), switches, ARRAY_SIZE(switches));
	tdp_expect_none(vm, TDP_NORMAL, 0x200, "N: the host has taken the page away");
}

/* clang-format off */
static struct kunit_case smoke_cases[] = {
	KUNIT_CASE(smoke_ept),
	KUNIT_CASE(smoke_ept_no_ad),
	KUNIT_CASE(smoke_npt),
	KUNIT_CASE(smoke_huge),
	KUNIT_CASE(smoke_1g),
	KUNIT_CASE(smoke_mmio),
	KUNIT_CASE(smoke_flush),
	KUNIT_CASE(smoke_track),
	KUNIT_CASE(smoke_roots),
	KUNIT_CASE(smoke_yield),
	KUNIT_CASE(smoke_prefault),
	KUNIT_CASE(smoke_threads),
	KUNIT_CASE(smoke_locks),
	{}
};

/* clang-format on */

static struct kunit_suite smoke_suite = {
	.name = "tdp_smoke",
	.test_cases = smoke_cases,
};

kunit_test_suite(smoke_suite);
