// SPDX-License-Identifier: GPL-2.0-only
/* Facts about the page tables, the dirty log and the statistics, for expectations. */
#include "vm.h"

#include <stdarg.h>
#include <stdio.h>

struct kunit *tdp_test(struct tdp_vm *vm)
{
	return vm->test;
}

const char *tdp_found(struct tdp_vm *vm)
{
	return vm->found;
}

static __attribute__((format(printf, 2, 3))) void note(struct tdp_vm *vm, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(vm->found, sizeof(vm->found), fmt, ap);
	va_end(ap);
}

struct search {
	int mode;
	hpa_t root;
};

static int is_root(const struct tdp_spte_info *info, void *arg)
{
	struct search *s = arg;

	if (info->root_invalid || info->as_id != (s->mode & TDP_SMM) ||
	    info->guest_mode != !!(s->mode & TDP_GUEST_MODE))
		return 0;
	s->root = info->root;
	return 1;
}

/* The SPTE that a walk for @gfn comes to, at @least at the latest; level 0: there is no root in use. */
static u64 spte_of(struct tdp_vm *vm, int mode, u64 gfn, int least, int *level)
{
	struct search s = { .mode = mode };
	u64 spte = vm->fmt.nonpresent;
	hpa_t table;

	*level = 0;
	if (!tdp_for_each_spte(vm->kvm, is_root, &s))
		return spte;
	table = s.root;
	for (*level = vm->levels;; (*level)--) {
		u64 *sptep = sim_spte_ptr(table + (gfn >> (9 * (*level - 1)) & 511) * 8);

		if (!sptep)
			return ~0ULL;
		spte = *sptep;
		if (*level <= least || !fmt_mmu_present(spte) || fmt_is_leaf(spte, *level))
			return spte;
		table = fmt_table(&vm->fmt, spte);
	}
}

bool tdp_is_leaf(struct tdp_vm *vm, int mode, u64 gfn, enum tdp_level level, u64 spte)
{
	int l;
	u64 found = spte_of(vm, mode, gfn, PG_LEVEL_4K, &l);

	note(vm, "%#018llx at level %d for gfn %#llx, wanted %#018llx at level %d",
	     (unsigned long long)found, l, (unsigned long long)gfn, (unsigned long long)spte,
	     level);
	return found == spte && l == (int)level;
}

bool tdp_are_leaves(struct tdp_vm *vm, int mode, u64 gfn, u64 n, enum tdp_level level, u64 spte)
{
	const u64 pages = KVM_PAGES_PER_HPAGE(level);

	for (; n; n--, gfn += pages, spte += pages << PAGE_SHIFT)
		if (!tdp_is_leaf(vm, mode, gfn, level, spte))
			return false;
	return true;
}

bool tdp_is_none(struct tdp_vm *vm, int mode, u64 gfn)
{
	int level;
	u64 spte = spte_of(vm, mode, gfn, PG_LEVEL_4K, &level);

	note(vm, "%#018llx at level %d for gfn %#llx, wanted nothing", (unsigned long long)spte,
	     level, (unsigned long long)gfn);
	return spte == vm->fmt.nonpresent;
}

bool tdp_is_table(struct tdp_vm *vm, int mode, u64 gfn, enum tdp_level level)
{
	int l;
	u64 spte = spte_of(vm, mode, gfn, level, &l);

	note(vm, "%#018llx at level %d for gfn %#llx, wanted a table", (unsigned long long)spte, l,
	     (unsigned long long)gfn);
	return l == (int)level && fmt_mmu_present(spte) && !fmt_is_leaf(spte, l);
}

static unsigned int perm_of(struct tdp_vm *vm, int mode, u64 gfn)
{
	int level;
	u64 spte = spte_of(vm, mode, gfn, PG_LEVEL_4K, &level);

	note(vm, "%#018llx at level %d for gfn %#llx", (unsigned long long)spte, level,
	     (unsigned long long)gfn);
	return fmt_mmu_present(spte) && level ? fmt_perm(&vm->fmt, spte) : 0;
}

bool tdp_is_executable(struct tdp_vm *vm, int mode, u64 gfn)
{
	return perm_of(vm, mode, gfn) & FMT_X;
}

bool tdp_is_writable(struct tdp_vm *vm, int mode, u64 gfn)
{
	return perm_of(vm, mode, gfn) & FMT_W;
}

bool tdp_is_flushed(struct tdp_vm *vm)
{
	note(vm, vm->flushed ? "a flush" : "no flush");
	return vm->flushed;
}

bool tdp_is_stat(struct tdp_vm *vm, u64 pages_4k, u64 pages_2m, u64 pages_1g)
{
	const u64 want[] = { pages_4k, pages_2m, pages_1g };
	struct kvm_page_stat stat;

	kvm_vm_get_page_stat(vm->kvm, &stat);
	note(vm, "%lld of 4K, %lld of 2M, %lld of 1G, wanted %llu, %llu, %llu",
	     (long long)stat.pages[0], (long long)stat.pages[1], (long long)stat.pages[2],
	     (unsigned long long)want[0], (unsigned long long)want[1], (unsigned long long)want[2]);
	return (u64)stat.pages[0] == want[0] && (u64)stat.pages[1] == want[1] &&
	       (u64)stat.pages[2] == want[2];
}

bool tdp_is_tables(struct tdp_vm *vm, u64 tables)
{
	struct kvm_page_stat stat;

	kvm_vm_get_page_stat(vm->kvm, &stat);
	note(vm, "%lld tables, wanted %llu", (long long)stat.tdp_mmu_pages,
	     (unsigned long long)tables);
	return (u64)stat.tdp_mmu_pages == tables;
}

bool tdp_is_roots(struct tdp_vm *vm, int roots)
{
	int found = tdp_nr_roots(vm->kvm);

	note(vm, "%d roots, wanted %d", found, roots);
	return found == roots;
}

bool tdp_is_nx_splits(struct tdp_vm *vm, u64 nx_splits)
{
	struct kvm_page_stat stat;

	kvm_vm_get_page_stat(vm->kvm, &stat);
	note(vm, "%lld, wanted %llu", (long long)stat.nx_lpage_splits,
	     (unsigned long long)nx_splits);
	return (u64)stat.nx_lpage_splits == nx_splits;
}

static bool logged(const struct tdp_vm *vm, u64 page)
{
	return page < vm->log_pages && vm->log[page / 64] >> page % 64 & 1;
}

bool tdp_is_dirty(struct tdp_vm *vm, u64 first, u64 n)
{
	u64 i;

	for (i = first; i < first + n; i++) {
		note(vm, "page %#llx clean", (unsigned long long)i);
		if (!logged(vm, i))
			return false;
	}
	return true;
}

bool tdp_is_ndirty(struct tdp_vm *vm, u64 n)
{
	u64 i, found = 0;

	for (i = 0; i < vm->log_pages; i++)
		found += logged(vm, i);
	note(vm, "%llu pages, wanted %llu", (unsigned long long)found, (unsigned long long)n);
	return found == n;
}

bool tdp_is_pfn_dirty(struct tdp_vm *vm, u64 pfn)
{
	u32 i;

	note(vm, "frame %#llx", (unsigned long long)pfn);
	for (i = 0; i < vm->nr_dirty; i++)
		if (vm->dirty_pfns[i] == pfn)
			return true;
	return false;
}

bool tdp_is_frame(struct tdp_vm *vm, u64 found, u64 pfn)
{
	note(vm, "%#llx, wanted %#llx", (unsigned long long)found, (unsigned long long)pfn);
	return found == pfn;
}

bool tdp_is_return(struct tdp_vm *vm, long found, long ret)
{
	note(vm, "%ld, wanted %ld", found, ret);
	return found == ret;
}
