// SPDX-License-Identifier: GPL-2.0-only
/* What is checked without being asked for, as in the kernel's fixture (points.c and facts.c there). */
#include "vm.h"

/* A leaf that CPUs or fast page faults may change at any time has to be exchanged (A). */
void checks_point(void *ctx, enum point_kind kind, int level, hpa_t pa, u64 object,
		  const char *text, const struct sim_site *site)
{
	struct tdp_vm *vm = ctx;
	const u64 *sptep = kind == POINT_WRITE && pa ? sim_spte_ptr(pa) : NULL;
	const u64 old = sptep ? *sptep : vm->fmt.nonpresent;

	(void)object;
	(void)text;
	if (fmt_mmu_present(old) && fmt_is_leaf(old, level) && fmt_volatile(&vm->fmt, old))
		kunit_fail(vm->test, site->file, site->line, "an exchange",
			   "rule A: a plain store over the SPTE %#018llx", (unsigned long long)old);
}

/*
 * With mmu_lock held for reading others may fault: what is emptied must not be mapped anew before the
 * flush that this takes (T).
 */
static void check_refault(struct tdp_vm *vm, hpa_t pa, u64 old, u64 new,
			  const struct sim_site *site)
{
	u32 i;

	if (fmt_mmu_present(old) && new == vm->fmt.nonpresent && vm->nr_zapped < VM_MAX_ZAPPED)
		vm->zapped[vm->nr_zapped++] = pa;
	for (i = 0; i < vm->nr_zapped && fmt_mmu_present(new); i++)
		if (vm->zapped[i] == pa && !fmt_mmu_present(old))
			kunit_fail(vm->test, site->file, site->line, "a flush before that",
				   "rule T: %#018llx is mapped before the flush of what was there",
				   (unsigned long long)new);
}

void checks_spte(void *ctx, enum point_kind how, hpa_t pa, int level, u64 old, u64 new, bool ok,
		 const struct sim_site *site)
{
	(void)level;
	if (how == POINT_CMPXCHG && ok)
		check_refault(ctx, pa, old, new, site);
}

void checks_flush(struct tdp_vm *vm)
{
	vm->nr_zapped = 0;
}

struct frames {
	struct tdp_vm *vm;
	u64 first, n;
};

static int maps_frame(const struct tdp_spte_info *info, void *arg)
{
	const struct frames *f = arg;

	if (fmt_mmu_present(info->spte) && fmt_is_leaf(info->spte, info->level) &&
	    fmt_pfn(&f->vm->fmt, info->spte) < f->first + f->n &&
	    f->first < fmt_pfn(&f->vm->fmt, info->spte) + KVM_PAGES_PER_HPAGE(info->level))
		kunit_fail(f->vm->test, "the run", 0, "nothing to map the frames",
			   "rule N: gfn %#llx is still mapped, by %#018llx",
			   (unsigned long long)info->gfn, (unsigned long long)info->spte);
	return 0;
}

void checks_unmapped(struct tdp_vm *vm, u64 pfn, u64 n)
{
	struct frames f = { .vm = vm, .first = pfn, .n = n };

	tdp_for_each_spte(vm->kvm, maps_frame, &f);
}
