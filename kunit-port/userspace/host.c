// SPDX-License-Identifier: GPL-2.0-only
/* The host: what its page tables map, and its side of the MMU notifiers. */
#include "vm.h"

#include <stdlib.h>

static u64 pages_of(int level)
{
	return KVM_PAGES_PER_HPAGE(level);
}

static struct host_run *find(struct tdp_vm *vm, u64 hpage)
{
	u32 i;

	for (i = 0; i < vm->nr_host; i++)
		if (hpage - vm->host[i].first < vm->host[i].n)
			return &vm->host[i];
	return NULL;
}

static void add(struct tdp_vm *vm, struct host_run run)
{
	if (!run.n)
		return;
	if (vm->nr_host == vm->cap_host) {
		vm->cap_host = vm->cap_host ? 2 * vm->cap_host : 16;
		vm->host = realloc(vm->host, vm->cap_host * sizeof(*vm->host));
		if (!vm->host)
			abort();
	}
	vm->host[vm->nr_host++] = run;
}

/* Have a run begin at the page, if it is mapped. */
static void cut(struct tdp_vm *vm, u64 hpage)
{
	struct host_run *run = find(vm, hpage), rest;
	u64 before;

	if (!run || run->first == hpage)
		return;
	before = hpage - run->first;
	rest = *run;
	rest.first += before;
	rest.pfn += before;
	rest.n -= before;
	run->n = before;
	add(vm, rest);
}

/* Every run of [@hpage, @hpage + @pages), which begin and end there. */
#define for_each_run(vm, run, hpage, pages)                                            \
	for (cut(vm, hpage), cut(vm, (hpage) + (pages)), (run) = (vm)->host;            \
	     (run) < (vm)->host + (vm)->nr_host; (run)++)                              \
		if ((run)->first < (hpage) || (run)->first >= (hpage) + (pages)) {     \
		} else

static void unmap(struct tdp_vm *vm, u64 hpage, u64 pages)
{
	struct host_run *run;

	for_each_run(vm, run, hpage, pages) run->n = 0;
}

static void map(struct tdp_vm *vm, u64 hpage, u64 pages, u64 pfn, int level, bool device)
{
	KUNIT_EXPECT_TRUE_MSG(vm->test, !((hpage | pages) & (pages_of(level) - 1)),
			      "%#llx pages from %#llx are not of level %d",
			      (unsigned long long)pages, (unsigned long long)hpage, level);
	unmap(vm, hpage, pages);
	add(vm, (struct host_run){
			.first = hpage,
			.n = pages,
			.pfn = pfn,
			.level = level,
			.device = device,
		});
}

void tdp_host_map(struct tdp_vm *vm, u64 hpage, u64 pages, u64 pfn, enum tdp_level level)
{
	map(vm, hpage, pages, pfn, level, false);
}

void tdp_host_map_device(struct tdp_vm *vm, u64 hpage, u64 pages, u64 pfn, enum tdp_level level)
{
	map(vm, hpage, pages, pfn, level, true);
}

/* ---- what KVM asks ---- */

static int fault_in(void *ctx, hvn_t hvn, bool write, bool *writable, kvm_pfn_t *pfn)
{
	struct tdp_vm *vm = ctx;
	struct host_run *run;

	sim_point(POINT_FAULTIN, 0, &sim_object_host, SIM_SITE);
	run = find(vm, hvn);
	if (!run)
		return -EFAULT;
	*pfn = run->pfn + (hvn - run->first);
	*writable = write || !run->protected;
	if (write && run->protected) {
		u64 n = pages_of(run->level), start = hvn & -n;

		for_each_run(vm, run, start, n) run->protected = false;
	}
	return 0;
}

static int mapping_level(void *ctx, hvn_t hvn)
{
	struct host_run *run = find(ctx, hvn);

	return run ? run->level : PG_LEVEL_4K;
}

static void set_dirty(void *ctx, kvm_pfn_t pfn)
{
	struct tdp_vm *vm = ctx;

	if (vm->nr_dirty == vm->cap_dirty) {
		vm->cap_dirty = vm->cap_dirty ? 2 * vm->cap_dirty : 64;
		vm->dirty_pfns = realloc(vm->dirty_pfns, vm->cap_dirty * sizeof(*vm->dirty_pfns));
		if (!vm->dirty_pfns)
			abort();
	}
	vm->dirty_pfns[vm->nr_dirty++] = pfn;
}

static void set_accessed(void *ctx, kvm_pfn_t pfn)
{
	(void)ctx;
	(void)pfn;
}

static bool is_mmio_pfn(void *ctx, kvm_pfn_t pfn)
{
	struct tdp_vm *vm = ctx;
	u32 i;

	for (i = 0; i < vm->nr_host; i++)
		if (pfn - vm->host[i].pfn < vm->host[i].n)
			return vm->host[i].device;
	return false;
}

const struct tdp_host_ops vm_host_ops = {
	.fault_in = fault_in,
	.mapping_level = mapping_level,
	.set_pfn_dirty = set_dirty,
	.set_pfn_accessed = set_accessed,
	.is_mmio_pfn = is_mmio_pfn,
};

/* ---- what the host does ---- */

static void start(struct tdp_vm *vm, u64 hpage, u64 pages)
{
	kvm_mmu_notifier_invalidate_range_start(vm->kvm, hpage, hpage + pages);
}

static void stop(struct tdp_vm *vm, u64 hpage, u64 pages)
{
	kvm_mmu_notifier_invalidate_range_end(vm->kvm, hpage, hpage + pages);
}

/* A huge mapping that reaches out of the range is split, and invalidated as a whole for that. */
static void split_at(struct tdp_vm *vm, u64 at, u64 hpage, u64 pages)
{
	u64 n = pages_of(mapping_level(vm, at)), first = at & -n;
	struct host_run *run;

	if (n == 1 || (first >= hpage && first + n <= hpage + pages))
		return;
	start(vm, first, n);
	for_each_run(vm, run, first, n) run->level = PG_LEVEL_4K;
	stop(vm, first, n);
}

static void start_split(struct tdp_vm *vm, u64 hpage, u64 pages)
{
	vm_begin(vm);
	start(vm, hpage, pages);
	split_at(vm, hpage, hpage, pages);
	split_at(vm, hpage + pages - 1, hpage, pages);
}

static void stop_split(struct tdp_vm *vm, u64 hpage, u64 pages)
{
	stop(vm, hpage, pages);
	vm_end(vm);
}

void tdp_unmap(struct tdp_vm *vm, u64 hpage, u64 pages)
{
	const struct host_run *run;
	u64 pfn = ~0ULL;

	start_split(vm, hpage, pages);
	run = find(vm, hpage);
	if (run)
		pfn = run->pfn + (hpage - run->first);
	unmap(vm, hpage, pages);
	stop(vm, hpage, pages);
	/* The first of them will do. */
	if (pfn != ~0ULL)
		checks_unmapped(vm, pfn, 1);
	vm_end(vm);
}

void tdp_remap(struct tdp_vm *vm, u64 hpage, u64 pages, u64 pfn, enum tdp_level level)
{
	start_split(vm, hpage, pages);
	map(vm, hpage, pages, pfn, level, false);
	stop_split(vm, hpage, pages);
}

void tdp_protect(struct tdp_vm *vm, u64 hpage, u64 pages)
{
	struct host_run *run;

	start_split(vm, hpage, pages);
	for_each_run(vm, run, hpage, pages) run->protected = true;
	stop_split(vm, hpage, pages);
}

/* A huge page is written back as a whole. */
void tdp_clean(struct tdp_vm *vm, u64 hpage, u64 pages)
{
	u64 last = hpage + pages - 1;
	u64 first = hpage & -pages_of(mapping_level(vm, hpage));
	u64 end = (last | (pages_of(mapping_level(vm, last)) - 1)) + 1;
	struct host_run *run;
	u32 i;

	vm_begin(vm);
	start(vm, first, end - first);
	for_each_run(vm, run, hpage, pages) for (i = 0; i < vm->nr_dirty;
						 i++) if (vm->dirty_pfns[i] - run->pfn < run->n)
		vm->dirty_pfns[i] = ~0ULL;
	stop(vm, first, end - first);
	vm_end(vm);
}

void tdp_huge_form(struct tdp_vm *vm, u64 hpage, enum tdp_level level, u64 pfn)
{
	u64 n = pages_of(level), first = hpage & -n;

	vm_begin(vm);
	start(vm, first, n);
	map(vm, first, n, pfn, level, false);
	stop(vm, first, n);
	vm_end(vm);
}

void tdp_huge_break(struct tdp_vm *vm, u64 hpage, u64 pages)
{
	struct host_run *run;

	start_split(vm, hpage, pages);
	for_each_run(vm, run, hpage, pages) run->level = PG_LEVEL_4K;
	stop_split(vm, hpage, pages);
}

bool tdp_age(struct tdp_vm *vm, u64 hpage, u64 pages)
{
	bool young;

	vm_begin(vm);
	young = kvm_mmu_notifier_clear_young(vm->kvm, hpage, hpage + pages);
	vm_end(vm);
	return young;
}

bool tdp_test_age(struct tdp_vm *vm, u64 hpage, u64 pages)
{
	bool young;

	vm_begin(vm);
	young = kvm_mmu_notifier_test_young(vm->kvm, hpage, hpage + pages);
	vm_end(vm);
	return young;
}
