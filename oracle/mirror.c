// SPDX-License-Identifier: GPL-2.0-only
#include "mirror.h"

#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "mirror_internal.h"
#include "oracle_internal.h"
#include "rules.h"

struct mirror *mirror_create(void)
{
	struct mirror *m = oracle_alloc(1, sizeof(*m));

	m->table = oracle_alloc(MIRROR_PT_PAGES, sizeof(*m->table));
	return m;
}

void mirror_destroy(struct mirror *m)
{
	if (!m)
		return;
	free(m->table);
	free(m->used);
	free(m->roots);
	free(m);
}

/* Forget everything; pays for the pages that were allocated since the last reset. */
void mirror_reset(struct oracle *o)
{
	struct mirror *m = o->mirror;
	uint32_t i;

	for (i = 0; i < m->nr_used; i++)
		m->used[i]->gen = 0;
	m->nr_used = 0;
	m->nr_roots = 0;
	m->nr_live = 0;
	m->nr_tables = 0;
	m->unlinks = 0;
	memset(m->leaves, 0, sizeof(m->leaves));
}

struct mirror_table *mirror_table(struct oracle *o, uint64_t pa)
{
	return mirror_at(o->mirror, pa);
}

uint64_t mirror_read(struct oracle *o, uint64_t pa)
{
	bool live;
	uint64_t val = oracle_read_spte(o, pa, &live);

	return live ? val : 0;
}

uint64_t mirror_entry_gfn(const struct mirror_table *table, uint64_t pa)
{
	return table->gfn + (((pa >> 3) & 511) << (9 * (table->level - 1)));
}

bool mirror_reachable(struct oracle *o, const struct mirror_table *table)
{
	while (table && table->live && table->linked)
		table = mirror_table(o, table->parent);
	return table && table->live && table->is_root;
}

struct mirror_table **mirror_roots(struct oracle *o, uint32_t *n)
{
	*n = o->mirror->nr_roots;
	return o->mirror->roots;
}

static int walk_leaves(struct oracle *o, struct mirror_table *t, uint64_t start, uint64_t end,
		       int (*fn)(struct oracle *o, const struct mirror_leaf *leaf, void *arg),
		       void *arg)
{
	int shift = 9 * (t->level - 1), ret = 0;
	uint64_t first = start > t->gfn ? (start - t->gfn) >> shift : 0;
	uint64_t last = (end - 1 - t->gfn) >> shift;
	uint32_t w;

	if (last > 511)
		last = 511;
	for (w = first / 64; w <= last / 64 && !ret; w++) {
		uint64_t bits = t->present[w];

		if (w == first / 64)
			bits &= ~0ULL << (first & 63);
		if (w == last / 64)
			bits &= ~0ULL >> (63 - (last & 63));
		for (; bits && !ret; bits &= bits - 1) {
			uint64_t idx = w * 64 + __builtin_ctzll(bits);
			struct mirror_leaf leaf = {
				.table = t,
				.pa = t->pa + idx * 8,
				.gfn = t->gfn + (idx << shift),
				.level = t->level,
			};

			leaf.spte = mirror_read(o, leaf.pa);
			if (fmt_is_leaf(leaf.spte, t->level)) {
				ret = fn(o, &leaf, arg);
			} else {
				struct mirror_table *child;

				child = mirror_table(o, fmt_table(&o->fmt, leaf.spte));
				if (child && child->live && child->level == t->level - 1)
					ret = walk_leaves(o, child, start, end, fn, arg);
			}
		}
	}
	return ret;
}

int mirror_for_each_leaf(struct oracle *o, struct mirror_table *root, uint64_t start, uint64_t end,
			 int (*fn)(struct oracle *o, const struct mirror_leaf *leaf, void *arg),
			 void *arg)
{
	uint64_t limit = 1ULL << (9 * root->level);

	if (end > limit)
		end = limit;
	return root->live && start < end ? walk_leaves(o, root, start, end, fn, arg) : 0;
}

/* ---- events ---- */

/* A page-table page was allocated, every entry @fill. */
void mirror_alloc(struct oracle *o, uint64_t pa, uint64_t fill)
{
	struct mirror *m = o->mirror;
	struct mirror_table *t = &m->table[(pa - MIRROR_PT_PA) >> 12];
	uint32_t gen;

	if (!t->gen) {
		if (m->nr_used == m->max_used) {
			m->max_used = m->max_used ? m->max_used * 2 : 64;
			m->used = oracle_grow(m->used, m->max_used, sizeof(*m->used));
		}
		m->used[m->nr_used++] = t;
	}
	gen = t->gen + 1;
	memset(t, 0, sizeof(*t));
	t->gen = gen;
	t->pa = pa;
	t->parent = MIRROR_NONE;
	t->root = MIRROR_NONE;
	t->fill = fill;
	t->live = true;
	m->nr_live++;
}

static void forget_root(struct mirror *m, struct mirror_table *t)
{
	uint32_t i;

	for (i = 0; i < m->nr_roots && m->roots[i] != t; i++)
		;
	if (i == m->nr_roots)
		return;
	m->nr_roots--;
	memmove(&m->roots[i], &m->roots[i + 1], (m->nr_roots - i) * sizeof(*m->roots));
}

/* The page was freed; what it held is gone. */
void mirror_free(struct oracle *o, struct mirror_table *t)
{
	struct mirror *m = o->mirror;

	t->live = false;
	m->nr_live--;
	if (t->counted)
		m->leaves[t->level - 1] -= t->nr_leaf;
	if (t->linked)
		m->nr_tables--;
	t->linked = false;
	if (t->is_root)
		forget_root(m, t);
}

/* From now on the leaves of @t are mappings of the VM. */
static void count_leaves(struct mirror *m, struct mirror_table *t)
{
	if (!t->counted)
		m->leaves[t->level - 1] += t->nr_leaf;
	t->counted = true;
}

static void unlink_child(struct oracle *o, uint64_t spte)
{
	struct mirror_table *child = mirror_table(o, fmt_table(&o->fmt, spte));

	o->mirror->unlinks++;
	if (!child || !child->linked)
		return;
	child->linked = false;
	child->unlinked = o->step;
	child->unlinked_by = o->thread;
	o->mirror->nr_tables--;
}

static void link_child(struct oracle *o, struct mirror_table *t, uint64_t pa, uint64_t spte)
{
	struct mirror_table *child = mirror_table(o, fmt_table(&o->fmt, spte));
	uint64_t gfn = mirror_entry_gfn(t, pa);

	if (!child || !child->live || t->level < 2) {
		oracle_report(o, 'U', gfn, spte,
			      "an SPTE links a page that is no page table, or a freed one");
		return;
	}
	if (child->linked || child->is_root) {
		oracle_report(o, 'L', gfn, spte, "a page table is linked that is in use already");
		return;
	}
	child->linked = true;
	child->parent = pa;
	child->root = t->root;
	child->level = t->level - 1;
	child->gfn = gfn;
	o->mirror->nr_tables++;
	count_leaves(o->mirror, child);
}

/**
 * mirror_init() - an entry of a page table that nobody can see yet was written
 * @t: page table
 * @pa: address of the entry
 * @level: of the entry, as the MMU has it
 * @val: its value
 *
 * Notes whether the entries continue one run of frames, so that a split need not be looked
 * through when it is linked.
 */
void mirror_init(struct mirror_table *t, uint64_t pa, int level, uint64_t val)
{
	uint32_t idx = (pa >> 3) & 511;
	uint64_t bit = 1ULL << (idx & 63);
	uint64_t offset = (uint64_t)idx << (12 + 9 * (level - 1));

	if (!t->nr_init) {
		t->init_base = val - offset;
		t->init_level = level;
		t->init_uniform = true;
	} else if (val != t->init_base + offset || level != t->init_level) {
		t->init_uniform = false;
	}
	t->nr_init++;
	if (!fmt_mmu_present(val) || (t->present[idx / 64] & bit))
		return;
	t->present[idx / 64] |= bit;
	t->nr_leaf += fmt_is_leaf(val, level);
}

/**
 * mirror_init_run() - likewise for several entries, whose values are @step apart
 * @t: page table
 * @pa: address of the first
 * @level: of the entries, as the MMU has it
 * @n: how many
 * @first: value of the first
 * @step: distance
 */
void mirror_init_run(struct mirror_table *t, uint64_t pa, int level, int n, uint64_t first,
		     uint64_t step)
{
	int i;

	/* A whole table that maps what one huge page did. */
	if (n == 512 && !t->nr_init && !(pa & 0xfff) && step == 1ULL << (12 + 9 * (level - 1)) &&
	    fmt_mmu_present(first)) {
		t->init_base = first;
		t->init_level = level;
		t->init_uniform = true;
		t->nr_init = n;
		t->nr_leaf = fmt_is_leaf(first, level) ? n : 0;
		memset(t->present, 0xff, sizeof(t->present));
		return;
	}
	for (i = 0; i < n; i++)
		mirror_init(t, pa + i * 8, level, first + i * step);
}

/**
 * mirror_spte() - an SPTE was given another value
 * @o: oracle
 * @t: page that holds it, live
 * @pa: its address
 * @level: as the MMU had it
 * @old: value before
 * @val: value after
 */
void mirror_spte(struct oracle *o, struct mirror_table *t, uint64_t pa, int level, uint64_t old,
		 uint64_t val)
{
	uint32_t idx = (pa >> 3) & 511;
	bool was = fmt_mmu_present(old), is = fmt_mmu_present(val);
	bool was_leaf = was && fmt_is_leaf(old, level), is_leaf = is && fmt_is_leaf(val, level);

	if (is)
		t->present[idx / 64] |= 1ULL << (idx & 63);
	else
		t->present[idx / 64] &= ~(1ULL << (idx & 63));
	t->nr_leaf += is_leaf - was_leaf;
	if (t->counted)
		o->mirror->leaves[t->level - 1] += is_leaf - was_leaf;

	if (was && !was_leaf &&
	    (!is || is_leaf || fmt_table(&o->fmt, old) != fmt_table(&o->fmt, val)))
		unlink_child(o, old);
	if (is && !is_leaf && t->level &&
	    (!was || was_leaf || fmt_table(&o->fmt, old) != fmt_table(&o->fmt, val)))
		link_child(o, t, pa, val);
}

/**
 * mirror_leaves_gone() - likewise for a run of leaves that map nothing any more
 * @o: oracle
 * @t: page that holds them, live
 * @pa: address of the first
 * @n: how many
 */
void mirror_leaves_gone(struct oracle *o, struct mirror_table *t, uint64_t pa, int n)
{
	uint32_t from = (pa >> 3) & 511, to = from + n, w;

	for (w = from / 64; w * 64 < to; w++) {
		uint64_t gone = w == from / 64 ? ~0ULL << (from & 63) : ~0ULL;

		if (to - w * 64 < 64)
			gone &= (1ULL << (to - w * 64)) - 1;
		t->present[w] &= ~gone;
		t->aged[w] &= ~gone;
	}
	t->nr_leaf -= n;
	if (t->counted)
		o->mirror->leaves[t->level - 1] -= n;
}

/**
 * mirror_load_root() - a vCPU has this root
 * @o: oracle
 * @pa: root page
 * @smm: role: address space 1
 * @guest_mode: role: nested-like
 * @since: step at which the call began, or an older one that is open: one of them made it
 *
 * A root is known from when it is first seen, which may be after another call has invalidated it:
 * then mirror_root_is_valid() has to tell. It is empty until then: faults build on valid roots.
 *
 * Return: the page; NULL if it is not allocated.
 */
struct mirror_table *mirror_load_root(struct oracle *o, uint64_t pa, bool smm, bool guest_mode,
				      uint64_t since)
{
	struct mirror *m = o->mirror;
	struct mirror_table *t = mirror_table(o, pa);

	if (!t || !t->live)
		return NULL;
	if (t->is_root)
		return t;
	t->is_root = true;
	t->unsure = o->invalidated > since;
	t->valid = !t->unsure;
	t->level = o->vm.levels;
	t->gfn = 0;
	t->root = t->pa;
	t->smm = smm;
	t->guest_mode = guest_mode;
	count_leaves(m, t);
	if (m->nr_roots == m->max_roots) {
		m->max_roots = m->max_roots ? m->max_roots * 2 : 16;
		m->roots = oracle_grow(m->roots, m->max_roots, sizeof(*m->roots));
	}
	m->roots[m->nr_roots++] = t;
	return t;
}

/* All roots were invalidated: no vCPU may load them again. */
void mirror_invalidate_roots(struct oracle *o)
{
	uint32_t i;

	o->invalidated = o->step;
	for (i = 0; i < o->mirror->nr_roots; i++)
		o->mirror->roots[i]->valid = o->mirror->roots[i]->unsure = false;
}

/*
 * A vCPU that has served all requests runs on the root, or a fault that found it valid maps
 * something.
 */
void mirror_root_is_valid(struct mirror_table *t)
{
	if (t->unsure)
		t->valid = true;
	t->unsure = false;
}
