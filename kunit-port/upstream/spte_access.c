// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the platform wants to know of an access to an SPTE and the tree does not say:
 * its level, and what was stored into a page table before it was linked.
 */
#include "mmu.h"
#include "mmu_internal.h"
#include "spte.h"

#define LINE 8 /* SPTEs that the platform keeps count of together */

/**
 * upstream_spte_level() - the level of an SPTE
 * @sptep: the SPTE
 *
 * Return: as its page table's role says; 0 if the table has been freed, or has no role yet.
 */
SIM_BOOKKEEPING int upstream_spte_level(const u64 *sptep)
{
	const struct kvm_mmu_page *sp;

	if (!upstream_is_spte(sptep) || !sim_ptr_is_live(sptep))
		return 0;
	sp = page_private(sptep);
	return sp ? sp->role.level : 0;
}

static SIM_BOOKKEEPING bool is_link(u64 spte)
{
	return is_shadow_present_pte(spte) && !is_large_pte(spte);
}

/* Did somebody store into the line, and not through the platform? */
static SIM_BOOKKEEPING bool line_was_stored(const struct sim_page *page, const u64 *line)
{
	u64 differs = 0;
	int i;

	if (page->touched & sim_line_bit(line))
		return false;
	for (i = 0; i < LINE; i++)
		differs |= line[i] ^ page->fill;
	return differs;
}

/* The steps of a line are even, unless what is stored has changed in the middle: the NX mitigation, say. */
static SIM_BOOKKEEPING void tell_line(u64 *line, int level)
{
	u64 step;
	int i, n;

	for (i = 0; i < LINE; i += n) {
		step = i + 1 < LINE ? line[i + 1] - line[i] : 0;
		n = sim_step_length(line + i, LINE - i, step);
		tdp_init_sptes(line + i, n, line[i], step, level);
	}
}

/* As tdp_init_sptes() would have told: all of a table that is filled at an even step, else what differs. */
static SIM_BOOKKEEPING void tell_stores(u64 *table, int level)
{
	const struct sim_page *page = &sim_pages[sim_page_index(table)];
	int i, n;

	if (page->late)
		return;
	n = sim_step_length(table, SPTE_ENT_PER_PAGE, table[1] - table[0]);
	if (n == SPTE_ENT_PER_PAGE && line_was_stored(page, table)) {
		tdp_init_sptes(table, n, table[0], table[1] - table[0], level);
		return;
	}
	for (i = 0; i < SPTE_ENT_PER_PAGE; i += LINE) {
		if (line_was_stored(page, table + i))
			tell_line(table + i, level);
	}
}

/**
 * upstream_will_link() - an SPTE is about to get a value
 * @sptep: the SPTE
 * @old: value that it has, as far as is known
 * @val: the value
 *
 * The tree fills a table that nobody else can see by plain stores. They are told when the table is linked,
 * before anybody can follow the link.
 */
SIM_BOOKKEEPING void upstream_will_link(const u64 *sptep, u64 old, u64 val)
{
	u64 *table;

	if (!is_link(val) || is_link(old) || upstream_spte_level(sptep) <= PG_LEVEL_4K)
		return;
	table = __va(val & SPTE_BASE_ADDR_MASK);
	if (sim_ptr_is_live(table))
		tell_stores(table, upstream_spte_level(table));
}

/**
 * upstream_linked() - an SPTE has got a value
 * @old: value before
 * @val: value now
 *
 * Counts huge pages that were split, which the kernel only traces.
 */
SIM_BOOKKEEPING void upstream_linked(u64 old, u64 val)
{
	if (is_link(val) && is_shadow_present_pte(old) && is_large_pte(old))
		tdp_count(upstream_vm->stat.splits);
}

/**
 * upstream_not_linked() - an SPTE has not got a value, since another thread was first
 * @sptep: the SPTE
 * @val: the value
 *
 * A table that it would have linked may be filled otherwise before it is tried again, and is to be told anew.
 */
SIM_BOOKKEEPING void upstream_not_linked(const u64 *sptep, u64 val)
{
	u64 *table;

	if (!is_link(val) || upstream_spte_level(sptep) <= PG_LEVEL_4K)
		return;
	table = __va(val & SPTE_BASE_ADDR_MASK);
	if (sim_ptr_is_live(table))
		sim_pages[sim_page_index(table)].touched = 0;
}

/**
 * upstream_page_free() - free a page-table page
 * @page: the page
 * @site: source line
 *
 * One that was filled, and could not be linked after all, is clean again for whoever gets it next.
 */
void upstream_page_free(u64 *page, const struct sim_site *site)
{
	int i;

	if (sim_ptr_is_live(page)) {
		for (i = 0; i < SPTE_ENT_PER_PAGE; i += LINE) {
			if (line_was_stored(&sim_pages[sim_page_index(page)], page + i))
				sim_touch(page + i);
		}
	}
	sim_page_free(page, site);
}
