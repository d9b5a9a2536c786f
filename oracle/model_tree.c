// SPDX-License-Identifier: GPL-2.0-only
/*
 * The expected page tables: sparse, so that an empty table costs nothing to make and a walk over a
 * range only what is there; and mset(), through which every entry changes, so that statistics
 * and the marks that the host is owed follow from the change itself.
 */
#include "model_internal.h"

#include <stdlib.h>
#include <string.h>

#define TABLES_PER_CHUNK 16

/* Numbers begin at 1. */
static void more_tables(struct model *m)
{
	struct mtable *chunk = calloc(TABLES_PER_CHUNK, sizeof(*chunk));
	uint32_t i, first = m->nr_tables ? m->nr_tables : 1;

	if (!chunk)
		abort();
	if (first + TABLES_PER_CHUNK > m->cap_tables) {
		m->cap_tables = 2 * m->cap_tables + 2 * TABLES_PER_CHUNK;
		m->table = realloc(m->table, m->cap_tables * sizeof(*m->table));
		m->free_tables = realloc(m->free_tables, m->cap_tables * sizeof(*m->free_tables));
		if (!m->table || !m->free_tables)
			abort();
		m->table[0] = NULL;
	}
	m->nr_tables = first + TABLES_PER_CHUNK;
	for (i = 0; i < TABLES_PER_CHUNK; i++) {
		m->table[first + i] = &chunk[i];
		chunk[i].id = first + i;
	}
}

static struct mtable *new_table(struct model *m)
{
	struct mtable *t;
	uint32_t id;

	if (m->nr_free) {
		id = m->free_tables[--m->nr_free];
	} else {
		id = m->next_table++;
		if (id >= m->nr_tables)
			more_tables(m);
	}
	t = m->table[id];
	memset(t->set, 0, sizeof(t->set));
	t->pa = NO_PA;
	t->touch_epoch = 0;
	t->live = true;
	t->nx_disallowed = false;
	t->nx_listed = false;
	return t;
}

/**
 * mtable_new() - an empty table, to be linked by mlink()
 * @m: model
 * @parent: table that will link it
 * @index: by which entry
 */
struct mtable *mtable_new(struct model *m, struct mtable *parent, unsigned int index)
{
	struct mtable *t = new_table(m);

	t->parent = parent->id;
	t->index = index;
	t->root = parent->root;
	t->role = parent->role;
	t->level = parent->level - 1;
	t->gfn = mentry_gfn(parent, index);
	return t;
}

struct mtable *mtable_new_root(struct model *m, uint8_t role)
{
	struct mtable *t = new_table(m);

	t->parent = 0;
	t->index = 0;
	t->root = t->id;
	t->role = role;
	t->level = m->fmt.levels;
	t->gfn = 0;
	return t;
}

/* The table alone: what it links has been dealt with. */
void mtable_free(struct model *m, struct mtable *t)
{
	uint64_t page;

	if (t->pa != NO_PA) {
		page = (t->pa >> 12) - (SPTE_PT_PA >> 12);
		if (page < SPTE_PT_PAGES && m->page[page].table == t->id)
			m->page[page].table = 0;
	}
	t->live = false;
	m->free_tables[m->nr_free++] = t->id;
}

/* Forget every table. */
void mtree_reset(struct model *m)
{
	m->next_table = 1;
	m->nr_free = 0;
	m->nr_roots = 0;
	m->nr_touched = 0;
	m->nx_first = m->nx_last = 0;
	m->stat = (struct oracle_stat){ 0 };
}

/* Give the memory back. */
void mtree_free(struct model *m)
{
	uint32_t i;

	for (i = 1; i < m->nr_tables; i += TABLES_PER_CHUNK)
		free(m->table[i]);
	free(m->table);
	free(m->free_tables);
	free(m->touched);
	free(m->root);
}

/* From now on the table is among those that the call touches. */
void mtouch_table(struct model *m, struct mtable *t)
{
	t->touch_epoch = m->epoch;
	memset(t->touched, 0, sizeof(t->touched));
	if (m->nr_touched == m->cap_touched) {
		m->cap_touched = m->cap_touched ? 2 * m->cap_touched : 64;
		m->touched = realloc(m->touched, m->cap_touched * sizeof(*m->touched));
		if (!m->touched)
			abort();
	}
	m->touched[m->nr_touched++] = t->id;
}

/**
 * mtouch_run() - entries in a row are to be compared at the end of the call
 * @m: model
 * @t: table
 * @index: the first
 * @n: how many, at least 1
 */
void mtouch_run(struct model *m, struct mtable *t, unsigned int index, unsigned int n)
{
	unsigned int end = index + n, w;

	if (t->touch_epoch != m->epoch)
		mtouch_table(m, t);
	for (w = index / 64; w * 64 < end; w++)
		t->touched[w] |= (w == index / 64 ? ~0ULL << index % 64 : ~0ULL) &
				 (end - w * 64 < 64 ? (1ULL << (end - w * 64)) - 1 : ~0ULL);
}

/* Marks of frames in a row. */
void mmark_run(struct mmarks *marks, uint64_t pfn, uint64_t n)
{
	uint64_t sum = 0;

	for (; n && marks->nr < MARKS_KEPT; n--)
		mmark(marks, pfn++);
	marks->nr += n;
	for (; n; n--)
		sum += mmark_hash(pfn++);
	marks->sum += sum;
}

/* A leaf stops being what @old was: tell the host what only @old knew. */
static inline void leaf_changed(struct model *m, uint64_t old, uint64_t val, int level)
{
	const struct mfmt *f = &m->fmt;
	bool same_page = mspte_is_leaf(val, level) && mspte_pfn(f, old) == mspte_pfn(f, val);

	if (m->fault_marks)
		return;
	if (mspte_dirty(f, old) && !(same_page && mspte_dirty(f, val)))
		mmark_pfn(m, &m->c.want_dirty, mspte_pfn(f, old));
	if (mspte_accessed(f, old) && !(same_page && mspte_accessed(f, val)))
		mmark_pfn(m, &m->c.want_accessed, mspte_pfn(f, old));
}

/* A leaf is no more: the host is told what only it knew. */
static inline void leaf_gone(struct model *m, uint64_t old)
{
	const struct mfmt *f = &m->fmt;

	if (m->fault_marks)
		return;
	if (mspte_dirty(f, old))
		mmark_pfn(m, &m->c.want_dirty, mspte_pfn(f, old));
	if (mspte_accessed(f, old))
		mmark_pfn(m, &m->c.want_accessed, mspte_pfn(f, old));
}

/* A table is no more, and all that it led to. */
static void remove_subtree(struct model *m, struct mtable *t)
{
	unsigned int w, index, leaves = 0;
	uint64_t bits, val;

	for (w = 0; w < 8; w++) {
		for (bits = t->set[w]; bits; bits &= bits - 1) {
			index = w * 64 + __builtin_ctzll(bits);
			val = t->val[index];
			if (mspte_is_table(val, t->level)) {
				remove_subtree(m, mtable(m, mchild(val)));
			} else if (mspte_present(val)) {
				leaves++;
				leaf_gone(m, val);
			}
		}
	}
	if (t->nx_disallowed)
		mnx_untrack(m, t);
	if (leaves)
		m->stat.pages[t->level - 1] -= leaves;
	m->stat.tdp_mmu_pages--;
	mtable_free(m, t);
}

/**
 * mset() - change an entry, with everything that follows from it
 * @m: model
 * @t: table
 * @index: entry
 * @val: new value; a link must come through mlink()
 */
void mset(struct model *m, struct mtable *t, unsigned int index, uint64_t val)
{
	uint64_t old = mget(t, index);
	bool was_leaf = mspte_is_leaf(old, t->level), is_leaf = mspte_is_leaf(val, t->level);

	if (old == val)
		return;
	mtouch(m, t, index);
	t->val[index] = val;
	if (val == SPTE_INITIAL)
		t->set[index / 64] &= ~(1ULL << index % 64);
	else
		t->set[index / 64] |= 1ULL << index % 64;

	if (was_leaf != is_leaf)
		m->stat.pages[t->level - 1] += is_leaf ? 1 : -1;
	if (was_leaf)
		leaf_changed(m, old, val, t->level);
	else if (mspte_is_table(old, t->level))
		remove_subtree(m, mtable(m, mchild(old)));
}

/**
 * mlink() - an entry links a table
 * @m: model
 * @t: table
 * @index: entry
 * @child: the table, from mtable_new(@t, @index)
 */
void mlink(struct model *m, struct mtable *t, unsigned int index, struct mtable *child)
{
	mset(m, t, index, mspte_table(&m->fmt) | (uint64_t)child->id << 12);
	m->stat.tdp_mmu_pages++;
}

/**
 * msplit() - a huge leaf becomes a table that maps the same
 * @m: model
 * @t: table
 * @index: entry: a huge leaf
 * @child: the table, from mtable_new(@t, @index)
 */
void msplit(struct model *m, struct mtable *t, unsigned int index, struct mtable *child)
{
	uint64_t val = mspte_split_first(&m->fmt, mget(t, index), child->level, m->nx);
	uint64_t step = level_pages(child->level) << 12;
	unsigned int i;

	for (i = 0; i < 512; i++, val += step)
		child->val[i] = val;
	memset(child->set, 0xff, sizeof(child->set));
	mlink(m, t, index, child);
	m->stat.pages[child->level - 1] += 512;
}

/**
 * mwalk() - last entry of the walk for a gfn
 * @m: model
 * @root: number of the root
 * @gfn: guest frame
 * @index: the entry
 *
 * Return: its table.
 */
struct mtable *mwalk(struct model *m, uint32_t root, uint64_t gfn, unsigned int *index)
{
	struct mtable *t = mtable(m, root);
	uint64_t val;

	for (;;) {
		*index = mindex(gfn, t->level);
		val = mget(t, *index);
		if (!mspte_is_table(val, t->level))
			return t;
		t = mtable(m, mchild(val));
	}
}

/**
 * mleaves() - visit the leaves that overlap a range, in order
 * @m: model
 * @t: table to begin at
 * @start: first gfn
 * @end: gfn after the last
 * @fn: called for each; may change that entry and no other
 * @arg: passed on
 */
void mleaves(struct model *m, struct mtable *t, uint64_t start, uint64_t end, mleaf_fn fn,
	     void *arg)
{
	unsigned int index;
	uint64_t val;

	for_each_mentry(t, start, end, index) {
		val = t->val[index];
		if (mspte_is_table(val, t->level))
			mleaves(m, mtable(m, mchild(val)), start, end, fn, arg);
		else if (mspte_present(val))
			fn(m, t, index, arg);
	}
}
