// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables as the log's changes make them.  They are found by what they map, (address space,
 * level, first gfn), of which each root has one, and by their address, which a log names.
 */
#include <stdlib.h>
#include <string.h>

#include "klog_internal.h"
#include "map.h"

#define FIRST_LISTS	1024u

static uint32_t mix(const struct klog *log, uint64_t key)
{
	return (uint32_t)(key * 0x9e3779b97f4a7c15ULL >> 32) & log->mask;
}

static uint32_t key_of(const struct klog *log, int as_id, uint64_t gfn, int level)
{
	return mix(log, gfn >> 9 * level << 4 | (uint64_t)level << 1 | as_id);
}

void klog_tree_init(struct klog *log)
{
	log->mask = FIRST_LISTS - 1;
	log->keys = oracle_alloc(FIRST_LISTS, sizeof(*log->keys));
	log->pas = oracle_alloc(FIRST_LISTS, sizeof(*log->pas));
}

static void free_list(struct klog_table *table)
{
	while (table) {
		struct klog_table *next = table->by_key;

		free(table);
		table = next;
	}
}

void klog_tree_free(struct klog *log)
{
	uint32_t i;

	/* Roots that nothing was mapped in are in no list. */
	for (i = 0; i < log->nr_roots; i++) {
		if (log->roots[i]->as_id == KLOG_NO_AS)
			free(log->roots[i]);
	}
	for (i = log->dead_first; i < log->nr_dead; i++) {
		if (log->dead[i]->as_id == KLOG_NO_AS)
			free(log->dead[i]);
	}
	for (i = 0; i <= log->mask; i++)
		free_list(log->keys[i]);
	free_list(log->free);
	free(log->keys);
	free(log->pas);
	free(log->roots);
	free(log->dead);
}

static void insert(struct klog *log, struct klog_table *table)
{
	struct klog_table **list;

	list = &log->keys[key_of(log, table->as_id, table->gfn, table->level)];
	table->by_key = *list;
	*list = table;
	if (!table->pa || table->state == KLOG_DEAD)
		return;
	list = &log->pas[mix(log, table->pa)];
	table->by_pa = *list;
	*list = table;
}

static void grow(struct klog *log)
{
	struct klog_table **old = log->keys, *table, *next, *prev;
	uint32_t i, n = log->mask + 1;

	log->mask = 2 * n - 1;
	log->keys = oracle_alloc(2 * n, sizeof(*log->keys));
	free(log->pas);
	log->pas = oracle_alloc(2 * n, sizeof(*log->pas));
	for (i = 0; i < n; i++) {
		/* A list has the newest first, and keeps that order. */
		for (prev = NULL, table = old[i]; table; table = next) {
			next = table->by_key;
			table->by_key = prev;
			prev = table;
		}
		for (table = prev; table; table = next) {
			next = table->by_key;
			insert(log, table);
		}
	}
	free(old);
}

static void leave(struct klog_table **list, struct klog_table *table, bool by_pa)
{
	while (*list && *list != table)
		list = by_pa ? &(*list)->by_pa : &(*list)->by_key;
	if (*list)
		*list = by_pa ? table->by_pa : table->by_key;
}

static void leave_pa(struct klog *log, struct klog_table *table)
{
	if (table->pa)
		leave(&log->pas[mix(log, table->pa)], table, true);
}

static bool is_at(const struct klog_table *t, int as_id, uint64_t gfn, int level)
{
	return t->as_id == as_id && t->level == level && t->gfn == klog_base(gfn, level + 1);
}

/**
 * klog_at() - page tables of a place, the newest first
 * @log: log
 * @as_id: address space
 * @gfn: any page that they map
 * @level: of their entries
 *
 * Return: the first, NULL if there is none; klog_next_at() has the others.
 */
struct klog_table *klog_at(struct klog *log, int as_id, uint64_t gfn, int level)
{
	struct klog_table *t = log->keys[key_of(log, as_id, gfn, level)];

	while (t && !is_at(t, as_id, gfn, level))
		t = t->by_key;
	return t;
}

struct klog_table *klog_next_at(struct klog_table *table)
{
	struct klog_table *t = table->by_key;

	while (t && !is_at(t, table->as_id, table->gfn, table->level))
		t = t->by_key;
	return t;
}

/* The page table at this address that is in use, or not all frozen yet; NULL if there is none. */
struct klog_table *klog_by_pa(struct klog *log, uint64_t pa)
{
	struct klog_table *t = log->pas[mix(log, pa)];

	while (t && t->pa != pa)
		t = t->by_pa;
	return t;
}

/* The page table that entry @i links, which an SPTE from before the log need not name. */
struct klog_table *klog_child(struct klog *log, struct klog_table *table, uint32_t i)
{
	uint64_t gfn = table->gfn + i * klog_span(table->level);
	struct klog_table *t = klog_by_pa(log, fmt_table(&log->fmt, table->spte[i]));

	if (t)
		return t->parent == table ? t : NULL;
	t = log->midway ? klog_at(log, table->as_id, gfn, table->level - 1) : NULL;
	while (t && (t->pa || t->parent != table || t->state != KLOG_LIVE))
		t = klog_next_at(t);
	return t;
}

static struct klog_table *new_table(struct klog *log, int level)
{
	struct klog_table *table = log->free;

	if (table) {
		log->free = table->by_key;
	} else {
		table = oracle_alloc(1, sizeof(*table));
		log->totals.bytes += sizeof(*table);
	}
	memset(table, 0, offsetof(struct klog_table, spte));
	table->level = level;
	table->line = log->line;
	table->seq = ++log->seq;
	table->root = table;
	if (++log->nr_tables > log->mask)
		grow(log);
	if (++log->totals.tables > log->totals.most_tables)
		log->totals.most_tables = log->totals.tables;
	return table;
}

static void fill(struct klog_table *table)
{
	int i;

	for (i = 0; i < 512; i++)
		table->spte[i] = FMT_NONPRESENT;
}

/**
 * klog_new_root() - a root was allocated
 * @log: log
 * @kvm: VM, 0 if not known
 * @level: of its entries
 *
 * Return: the root, of no address space yet.
 */
struct klog_table *klog_new_root(struct klog *log, uint64_t kvm, int level)
{
	struct klog_table *root = new_table(log, level);

	fill(root);
	root->kvm = kvm;
	root->as_id = KLOG_NO_AS;
	log->levels = level;
	if (log->nr_roots == log->max_roots) {
		log->max_roots = log->max_roots ? 2 * log->max_roots : 16;
		log->roots = oracle_grow(log->roots, log->max_roots, sizeof(*log->roots));
	}
	log->roots[log->nr_roots++] = root;
	log->totals.roots++;
	return root;
}

/* Now it is known whose root it is. */
void klog_root_is_of(struct klog *log, struct klog_table *root, int as_id)
{
	root->as_id = as_id;
	insert(log, root);
}

/**
 * klog_adopt() - a page table that was in use before the log began
 * @log: log
 * @as_id: address space
 * @gfn: any page that it maps
 * @level: of its entries
 *
 * Return: it, with nothing known of its entries; NULL if there can be none, or one is known.
 */
struct klog_table *klog_adopt(struct klog *log, int as_id, uint64_t gfn, int level)
{
	struct klog_table *t, *parent;
	uint32_t i = klog_index(gfn, level + 1);

	for (t = klog_at(log, as_id, gfn, level); t; t = klog_next_at(t)) {
		if (t->state == KLOG_LIVE)
			return NULL;
	}
	if (!log->midway || level > log->levels)
		return NULL;
	if (level == log->levels) {
		t = klog_new_root(log, log->newest, level);
		t->gfn = klog_base(gfn, level + 1);
	} else {
		parent = klog_at(log, as_id, gfn, level + 1);
		while (parent &&
		       (parent->state != KLOG_LIVE || !parent->partial ||
			(klog_bit(parent->known, i) && !klog_is_table(parent->spte[i], level + 1))))
			parent = klog_next_at(parent);
		if (!parent)
			parent = klog_adopt(log, as_id, gfn, level + 1);
		if (!parent)
			return NULL;
		t = new_table(log, level);
		t->gfn = klog_base(gfn, level + 1);
		t->parent = parent;
		t->root = parent->root;
	}
	t->as_id = as_id;
	t->partial = true;
	insert(log, t);
	return t;
}

/**
 * klog_store() - an entry has another value
 * @log: log
 * @table: page table
 * @i: number of the entry
 * @spte: value
 */
void klog_store(struct klog *log, struct klog_table *table, uint32_t i, uint64_t spte)
{
	bool known = !table->partial || klog_bit(table->known, i);
	uint64_t old = known ? table->spte[i] : FMT_NONPRESENT;

	table->spte[i] = spte;
	klog_set_bit(table->known, i);
	table->nr_present += fmt_mmu_present(spte) - fmt_mmu_present(old);
	log->totals.leaves += klog_is_leaf(spte, table->level) - klog_is_leaf(old, table->level);
	if (log->totals.leaves > log->totals.most_leaves)
		log->totals.most_leaves = log->totals.leaves;
}

/* What a split makes of @huge: the same memory, X given back to 4K pages where it was withheld. */
static void fill_split(struct klog *log, struct klog_table *table, uint64_t huge)
{
	int i;

	if (table->level == 1)
		huge &= ~FMT_BIT_HUGE;
	table->unsure_x = table->level == 1 && !klog_executable(log, huge);
	for (i = 0; i < 512; i++)
		klog_store(log, table, i, huge + ((uint64_t)i << (12 + 9 * (table->level - 1))));
}

/**
 * klog_link() - an entry links a page table
 * @log: log
 * @parent: whose entry it is
 * @ev: change that links it, in place of nothing or of a huge page, which is split then
 */
void klog_link(struct klog *log, struct klog_table *parent, const struct klog_event *ev)
{
	uint64_t pa = fmt_table(&log->fmt, ev->c);
	struct klog_table *table = klog_by_pa(log, pa);

	if (table) {
		klog_violation(log, 'L', ev,
			       "page table %llx is linked, which %s (linked in line %u)",
			       (unsigned long long)pa,
			       table->state == KLOG_LIVE ? "is in use" : "is being taken away",
			       table->line);
		leave_pa(log, table);
		table->pa = 0;
	}
	table = new_table(log, parent->level - 1);
	table->as_id = parent->as_id;
	table->gfn = ev->a;
	table->line = ev->line;
	table->pa = pa;
	table->parent = parent;
	table->root = parent->root;
	fill(table);
	if (klog_is_leaf(ev->b, parent->level))
		fill_split(log, table, ev->b);
	insert(log, table);
}

/**
 * klog_die() - all entries of a page table are frozen
 * @log: log
 * @table: page table, whose address may be used again from now on
 */
void klog_die(struct klog *log, struct klog_table *table)
{
	leave_pa(log, table);
	table->state = KLOG_DEAD;
	table->parent = NULL;
	table->line = log->line;
	log->totals.tables--;
	if (log->nr_dead == log->max_dead) {
		log->max_dead = log->max_dead ? 2 * log->max_dead : 64;
		log->dead = oracle_grow(log->dead, log->max_dead, sizeof(*log->dead));
	}
	log->dead[log->nr_dead++] = table;
}

static void release(struct klog *log, struct klog_table *table)
{
	uint32_t i;

	klog_forget_held(log, table);
	for (i = 0; i < log->nr_tasks; i++) {
		if (log->tasks[i].table == table)
			log->tasks[i].table = NULL;
	}
	if (table->as_id != KLOG_NO_AS)
		leave(&log->keys[key_of(log, table->as_id, table->gfn, table->level)], table,
		      false);
	table->by_key = log->free;
	log->free = table;
	log->nr_tables--;
}

/* Lines about a page table that has been dead for long do not come any more. */
void klog_expire_dead(struct klog *log)
{
	while (log->dead_first < log->nr_dead &&
	       log->dead[log->dead_first]->line + KLOG_WINDOW < log->line)
		release(log, log->dead[log->dead_first++]);
	if (log->dead_first && 2 * log->dead_first >= log->nr_dead) {
		log->nr_dead -= log->dead_first;
		memmove(log->dead, log->dead + log->dead_first, log->nr_dead * sizeof(*log->dead));
		log->dead_first = 0;
	}
}

/**
 * klog_drop_root() - a root is freed, of which there is no event
 * @log: log
 * @i: number in log->roots; nothing is linked in it any more
 */
void klog_drop_root(struct klog *log, uint32_t i)
{
	struct klog_table *root = log->roots[i];

	log->nr_roots--;
	memmove(&log->roots[i], &log->roots[i + 1], (log->nr_roots - i) * sizeof(*log->roots));
	klog_die(log, root);
}

/* Roots that are obsolete and empty go some time; the oldest go first. */
void klog_drop_empty_roots(struct klog *log)
{
	uint32_t i, n = 0;

	for (i = log->nr_roots; i-- > 0;) {
		const struct klog_table *root = log->roots[i];

		if (root->obsolete && !root->nr_present && n++ >= KLOG_EMPTY_ROOTS)
			klog_drop_root(log, i);
	}
}

/**
 * klog_leaf_in() - find a leaf
 * @log: log
 * @table: page table to look through, and what it links
 * @start: first gfn
 * @end: gfn after the last
 * @found: set to the place of the leaf
 *
 * Return: whether one maps any of the range, other than those about which a line waits.
 */
bool klog_leaf_in(struct klog *log, struct klog_table *table, uint64_t start, uint64_t end,
		  struct klog_event *found)
{
	uint64_t span = klog_span(table->level), gfn = table->gfn;
	uint64_t i = start > gfn ? (start - gfn) / span : 0;

	for (gfn += i * span; i < 512 && gfn < end; i++, gfn += span) {
		uint64_t spte = table->spte[i];
		struct klog_table *child;

		if ((table->partial && !klog_bit(table->known, i)) || !fmt_mmu_present(spte))
			continue;
		if (klog_is_leaf(spte, table->level)) {
			if (klog_waits(log, table->as_id, gfn, table->level))
				continue;
			found->as_id = table->as_id;
			found->level = table->level;
			found->a = gfn;
			found->b = spte;
			return true;
		}
		child = klog_child(log, table, i);
		if (child && klog_leaf_in(log, child, start, end, found))
			return true;
	}
	return false;
}
