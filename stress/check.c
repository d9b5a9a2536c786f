// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules that need a quiet moment: nobody is in the guest or changes anything. Every SPTE is looked at, and
 * every page that the guests have written.
 */
#include <stdlib.h>

#include "stress.h"

/**
 * struct quiet - what was seen of the page tables
 * @leaves: leaves by level; @tables: links of page tables
 */
struct quiet {
	struct stress *stress;
	int64_t leaves[4];
	int64_t tables;
};

static void check_leaf(struct quiet *q, const struct tdp_spte_info *info)
{
	struct stress *s = q->stress;
	const struct format *f = &s->fmt;
	const uint64_t pages = 1ULL << 9 * (info->level - 1);
	const uint64_t pfn = fmt_pfn(f, info->spte);
	const struct frame *frame = frame_at(&s->host.frames, pfn);
	const char *problem = fmt_leaf_problem(f, info->spte, info->level);
	uint64_t hvn;

	q->leaves[info->level]++;
	if (problem)
		violation(s, 'B', info->gfn, "%016lx at level %d: %s", info->spte, info->level,
			  problem);
	slots_look(s, info->gfn, &hvn);
	/* What a slot left behind in a root that nobody uses any more must be memory, at least. */
	if (!frame || !frame->owner ||
	    (hvn == NO_PAGE ? !info->root_invalid : host_pfn(&s->host, hvn) != pfn))
		violation(s, hvn == NO_PAGE ? 'N' : 'M', info->gfn,
			  "%016lx at level %d of a%s root", info->spte, info->level,
			  info->root_invalid ? "n invalid" : "");
	if (hvn == NO_PAGE || info->root_invalid)
		return;
	if (info->level > host_level(&s->host, hvn) || hvn % s->slots.size + pages > s->slots.size)
		violation(s, 'M', info->gfn, "%016lx: level %d, and the host maps it at level %d",
			  info->spte, info->level, host_level(&s->host, hvn));
	if ((fmt_perm(f, info->spte) & FMT_X) && info->level > PG_LEVEL_4K && (s->nx & KNOWN_ON))
		violation(s, 'X', info->gfn, "%016lx: a huge page of level %d is executable",
			  info->spte, info->level);
}

static int check_spte(const struct tdp_spte_info *info, void *arg)
{
	struct quiet *q = arg;
	struct stress *s = q->stress;
	const struct format *f = &s->fmt;
	const char *problem;

	s->sptes_checked++;
	if (!fmt_mmu_present(info->spte)) {
		if (info->spte == f->frozen)
			violation(s, 'A', info->gfn,
				  "an SPTE of level %d is frozen, and nobody is at it",
				  info->level);
		if (!fmt_l1tf_safe(f, info->spte))
			violation(s, 'G', info->gfn, "%016lx holds a usable address", info->spte);
	} else if (fmt_is_leaf(info->spte, info->level)) {
		check_leaf(q, info);
	} else {
		q->tables++;
		problem = fmt_table_problem(f, info->spte, info->level);
		if (problem)
			violation(s, 'B', info->gfn, "%016lx at level %d: %s", info->spte,
				  info->level, problem);
	}
	return stress_done(s);
}

static void check_tables(struct stress *s)
{
	struct quiet q = { .stress = s };
	struct kvm_page_stat stat;
	int level;

	if (tdp_for_each_spte(s->kvm, check_spte, &q))
		return;
	kvm_vm_get_page_stat(s->kvm, &stat);
	for (level = PG_LEVEL_4K; level <= PG_LEVEL_1G; level++)
		if (stat.pages[level - 1] != q.leaves[level])
			violation(s, 'L', NO_PAGE, "%ld leaves of level %d, and statistics of %ld",
				  q.leaves[level], level, stat.pages[level - 1]);
	if (stat.tdp_mmu_pages != q.tables)
		violation(s, 'L', NO_PAGE, "%ld page tables are linked, and %ld counted", q.tables,
			  stat.tdp_mmu_pages);
}

/* What each vCPU wrote last is there. */
static void check_memory(struct stress *s)
{
	uint64_t hvn;
	unsigned int i;

	for (hvn = 0; hvn < s->opt.pages && !stress_done(s); hvn++) {
		uint64_t words[FRAME_WORDS];

		host_read(&s->host, hvn, words);
		for (i = 0; i < s->opt.vcpus; i++)
			if (words[i] != s->vcpus[i].written[hvn])
				violation(s, 'T', NO_PAGE,
					  "host page %#lx holds %lu, and vCPU %u wrote %lu", hvn,
					  words[i], i, s->vcpus[i].written[hvn]);
	}
}

/* All threads come to rest, are found to have left everything right, and go on. */
void check_quiet(struct stress *s)
{
	rest_stop(&s->rest, GROUP_OTHERS);
	rest_stop(&s->rest, GROUP_VCPUS);
	check_tables(s);
	check_memory(s);
	s->checks++;
	rest_resume(&s->rest, GROUP_VCPUS);
	rest_resume(&s->rest, GROUP_OTHERS);
}

/* The threads are gone: nothing is left of the VM once it is destroyed. */
void check_end(struct stress *s)
{
	check_tables(s);
	check_memory(s);
	kvm_destroy_vm(s->kvm);
	s->kvm = NULL;
	if (tdp_pages_in_use())
		violation(s, 'L', NO_PAGE, "%lu page tables are left", tdp_pages_in_use());
	if (tdp_allocs_in_use())
		violation(s, 'L', NO_PAGE, "%lu allocations are left", tdp_allocs_in_use());
	host_all_written(&s->host);
}
