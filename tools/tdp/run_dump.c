// SPDX-License-Identifier: GPL-2.0-only
/* Every SPTE as a tree: roots, then entries below the tables that hold them. */
#include "run.h"
#include "spte_words.h"

struct dump {
	FILE *out;
	const struct program *prog;
	hpa_t root;
	uint64_t nr;
};

static void print_root(struct dump *d, const struct tdp_spte_info *info)
{
	fprintf(d->out, "root 0x%llx role 0x%x address space %d%s%s\n",
		(unsigned long long)info->root, info->root_role, info->as_id,
		info->guest_mode ? " guest mode" : "", info->root_invalid ? " invalid" : "");
}

static int print_spte(const struct tdp_spte_info *info, void *arg)
{
	struct dump *d = arg;
	int depth = d->prog->vm.levels - info->level + 1;
	uint64_t pages = KVM_PAGES_PER_HPAGE(info->level);
	char words[SPTE_WORDS_MAX];

	if (!d->nr || info->root != d->root)
		print_root(d, info);
	d->root = info->root;
	d->nr++;
	fprintf(d->out, "%*s%s gfn 0x%llx", 2 * depth, "", level_word(info->level),
		(unsigned long long)info->gfn);
	if (pages > 1)
		fprintf(d->out, "-0x%llx", (unsigned long long)(info->gfn + pages - 1));
	fprintf(d->out, " %016llx %s\n", (unsigned long long)info->spte,
		spte_words(&d->prog->vm, info->spte, info->level, words, sizeof(words)));
	return 0;
}

/**
 * run_dump() - print every SPTE
 * @out: where to
 * @prog: the program, for its VM
 * @kvm: the VM, at rest
 */
void run_dump(FILE *out, const struct program *prog, struct kvm *kvm)
{
	struct dump d = { .out = out, .prog = prog };

	tdp_for_each_spte(kvm, print_spte, &d);
	if (!d.nr)
		fprintf(out, "no SPTEs\n");
}
