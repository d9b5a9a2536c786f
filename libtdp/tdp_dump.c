// SPDX-License-Identifier: GPL-2.0-only
/* What the page tables hold, for dumps and tests. */
#include "tdp_mmu.h"

struct dump {
	int (*fn)(const struct tdp_spte_info *info, void *arg);
	void *arg;
	struct tdp_spte_info info;
};

static int dump_table(struct dump *dump, const u64 *table, gfn_t base, int level)
{
	for (int i = 0; i < SPTE_ENT_PER_PAGE; i++) {
		const u64 spte = table[i];
		int r;

		if (spte == SHADOW_NONPRESENT_VALUE) {
			r = tdp_run_length(table + i, SPTE_ENT_PER_PAGE - i, spte);
			i += r ? r - 1 : 0;
			continue;
		}

		dump->info.table = __pa(table);
		dump->info.gfn = base + i * KVM_PAGES_PER_HPAGE(level);
		dump->info.level = level;
		dump->info.spte = spte;
		r = dump->fn(&dump->info, dump->arg);
		if (r)
			return r;

		if (!is_shadow_present_pte(spte) || is_last_spte(spte, level))
			continue;
		r = dump_table(dump, __va(spte & SPTE_BASE_ADDR_MASK),
			       base + i * KVM_PAGES_PER_HPAGE(level), level - 1);
		if (r)
			return r;
	}
	return 0;
}

/**
 * tdp_for_each_spte() - call a function for every SPTE that is not empty
 * @kvm: VM
 * @fn: called root by root, newest first, and in preorder within a root; a result other than
 *	0 ends it
 * @arg: passed on
 *
 * Invalid roots are included.  A thread that runs meanwhile is neither waited for nor
 * protected from.
 *
 * Context: no lock; quiet VM.
 * Return: 0, -EINVAL if a pointer is missing, or what @fn returned.
 */
int tdp_for_each_spte(struct kvm *kvm, int (*fn)(const struct tdp_spte_info *info, void *arg),
		      void *arg)
{
	struct dump dump = { .fn = fn, .arg = arg };
	struct kvm_mmu_page *root;
	int r;

	if (!kvm || !fn)
		return -EINVAL;

	cds_list_for_each_entry(root, &kvm->arch.tdp_mmu_roots, link) {
		dump.info.root = __pa(root->spt);
		dump.info.root_role = root->role.word;
		dump.info.root_invalid = root->role.invalid;
		dump.info.as_id = kvm_mmu_page_as_id(root);
		dump.info.guest_mode = root->role.guest_mode;
		r = dump_table(&dump, root->spt, 0, root->role.level);
		if (r)
			return r;
	}
	return 0;
}

/**
 * tdp_nr_roots() - how many roots a VM has
 * @kvm: VM
 *
 * Invalid roots, which somebody still uses, are included.
 *
 * Context: no lock; quiet VM.
 * Return: their number, or -EINVAL if there is no VM.
 */
int tdp_nr_roots(struct kvm *kvm)
{
	struct kvm_mmu_page *root;
	int nr = 0;

	if (!kvm)
		return -EINVAL;

	cds_list_for_each_entry(root, &kvm->arch.tdp_mmu_roots, link)
		nr++;
	return nr;
}
