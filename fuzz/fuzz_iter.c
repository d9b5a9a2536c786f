// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_iter: walks of trees that change meanwhile, against a walker that keeps a stack of tables and
 * positions and knows nothing of gfn arithmetic.  Where nothing changed and nobody yielded, the walk
 * must also have met what a recursion over all entries meets.
 *
 * Input, least significant byte first; a gfn is one byte per level, the lowest first, each the position
 * in a table: 0-15 pick one near an edge, others are taken times 2.
 *
 *	byte	bit 0: 5 levels, else 4; bits 1-3: lowest level - 1 (modulo levels);
 *		bit 4: most empty entries are passed over
 *	byte	how many changes are made before the walk (modulo 32), then so many changes
 *	gfn	first of the walk; 2 bytes: length, in units of the size at a level: bits 0-1 say which
 *	byte	one for each step until the end: modulo 8
 *		0-3 nothing, 4 yield, 5 restart, 6 a change, 7 two changes
 *	change	byte, modulo 5, level - 1 from its high half, and a gfn: 0 map, 1 zap, tables included,
 *		2 freeze, 3 link an empty table in the place of what is not one, 4 an MMIO SPTE
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byte_reader.h"
#include "driver.h"
#include "tdp_iter.h"

#define MAX_TABLES	24	/* linked, or unlinked and not freed yet */
#define MAX_STEPS	6000
#define LINK_BITS	0x8000000000000907ULL
#define LEAF_BITS	0x8600000000000b77ULL
#define MMIO_BITS	0x0000000000000016ULL
#define HUGE_BIT	0x80ULL
#define ADDRESS		0x000ffffffffff000ULL

static struct {
	struct kvm_mmu_page root;
	struct kvm_mmu_page unused;	/* stands for the tables' own */
	u64 *unlinked[MAX_TABLES];	/* freed when the walk is in no table */
	int nr_unlinked, nr_tables;
	struct sim_thread thread;
	bool changed;			/* since the walk began */
	int step;
} t;

/* Where the walk must be: the tables from the root's (highest level) down, and a position in each. */
static struct {
	u64 *table[6];
	int at[6];
	int level;
	gfn_t goal, yielded;
	bool valid;
} want;

static void __attribute__((noreturn, format(printf, 2, 3))) found(const struct tdp_iter *iter,
								  const char *what, ...)
{
	va_list args;

	va_start(args, what);
	fprintf(stderr, "fuzz_iter: step %d: ", t.step);
	vfprintf(stderr, what, args);
	fprintf(stderr,
		"\n\tat gfn %#" PRIx64 ", level %d, heading for %#" PRIx64
		"; %d levels, lowest %d\n",
		iter->gfn, iter->level, iter->next_last_level_gfn, iter->root_level,
		iter->min_level);
	va_end(args);
	abort();
}

static void on_warn(void *ctx, const char *cond, const struct sim_site *site)
{
	(void)ctx;
	fprintf(stderr, "fuzz_iter: step %d: WARN at %s:%d: %s\n", t.step, site->file, site->line,
		cond);
	abort();
}

static const struct sim_observer observer = { .warn = on_warn };

static gfn_t size_at(int level)
{
	return 1ULL << 9 * (level - 1);
}

static bool links(u64 spte, int level)
{
	return level > 1 && (spte & 1 << 11) && !(spte & HUGE_BIT);
}

static u64 *linked(u64 spte)
{
	return __va(spte & ADDRESS);
}

/* ---- trees ---- */

static u64 *new_table(void)
{
	u64 *table;

	if (t.nr_tables + t.nr_unlinked == MAX_TABLES)
		return NULL;
	table = tdp_page_alloc(SHADOW_NONPRESENT_VALUE);
	if (!table)
		abort();
	set_page_private(table, &t.unused);
	t.nr_tables++;
	t.changed = true;
	return table;
}

/* The table at @spte and all below it go once nobody can be in them, as RCU would have it. */
static void unlink_tables(u64 spte, int level)
{
	u64 *table;

	if (!links(spte, level))
		return;
	table = linked(spte);
	for (int i = 0; i < SPTE_ENT_PER_PAGE; i++)
		unlink_tables(table[i], level - 1);
	t.unlinked[t.nr_unlinked++] = table;
	t.nr_tables--;
}

static void free_unlinked(void)
{
	while (t.nr_unlinked)
		tdp_page_free(t.unlinked[--t.nr_unlinked]);
}

/* The entry for @gfn at @level, with the tables above it; NULL if something else is in the way. */
static u64 *entry_for(gfn_t gfn, int level)
{
	u64 *table = t.root.spt;

	for (int l = t.root.role.level;; l--) {
		u64 *entry = sim_spte_ptr(__pa(&table[gfn / size_at(l) % SPTE_ENT_PER_PAGE]));

		if (l == level)
			return entry;
		if (*entry == SHADOW_NONPRESENT_VALUE) {
			u64 *child = new_table();

			if (!child)
				return NULL;
			*entry = __pa(child) | LINK_BITS;
		}
		if (!links(*entry, l))
			return NULL;
		table = linked(*entry);
	}
}

static gfn_t read_gfn(struct byte_reader *r, int levels)
{
	static const int edges[16] = { 0,   1,	 2,   3,   7,	8,   255, 256,
				       257, 300, 505, 508, 509, 510, 511, 511 };
	gfn_t gfn = 0;

	for (int level = 1; level <= levels; level++) {
		const uint8_t b = read_byte(r);

		gfn |= (b < 16 ? edges[b] : 2 * b) * size_at(level);
	}
	return gfn;
}

static void change(struct byte_reader *r)
{
	const uint8_t what = read_byte(r);
	const int levels = t.root.role.level;
	const int kind = (what & 15) % 5;
	int level = 1 + (what >> 4) % levels;
	gfn_t gfn = read_gfn(r, levels);
	u64 *entry, *child;

	if (kind == 0 && level > 3)
		level = 3;
	entry = entry_for(gfn, level);
	if (!entry)
		return;
	t.changed = true;
	if (kind == 3) {
		child = level > 1 && !links(*entry, level) ? new_table() : NULL;
		if (child)
			*entry = __pa(child) | LINK_BITS;
		return;
	}
	unlink_tables(*entry, level);
	switch (kind) {
	case 0:
		*entry = (gfn & -size_at(level)) << PAGE_SHIFT | LEAF_BITS |
			 (level > 1 ? HUGE_BIT : 0);
		break;
	case 1:
		*entry = SHADOW_NONPRESENT_VALUE;
		break;
	case 2:
		*entry = FROZEN_SPTE;
		break;
	case 4:
		*entry = (gfn & -size_at(level)) << PAGE_SHIFT | MMIO_BITS;
		break;
	}
}

/* ---- where the walk must go ---- */

static gfn_t want_gfn(void)
{
	gfn_t gfn = 0;

	for (int level = want.level; level <= t.root.role.level; level++)
		gfn += want.at[level] * size_at(level);
	return gfn;
}

static void want_restart(void)
{
	want.level = t.root.role.level;
	want.table[want.level] = t.root.spt;
	want.at[want.level] = want.goal / size_at(want.level) % SPTE_ENT_PER_PAGE;
	want.yielded = want.goal;
	want.valid = true;
}

/* Into the table that is linked here now; else on to the next entry of this table or of one above. */
static void want_next(int min_level)
{
	const u64 here = want.table[want.level][want.at[want.level]];

	if (want.level > min_level && links(here, want.level)) {
		want.level--;
		want.table[want.level] = linked(here);
		want.at[want.level] = want.goal / size_at(want.level) % SPTE_ENT_PER_PAGE;
		return;
	}
	while (want.at[want.level] == SPTE_ENT_PER_PAGE - 1) {
		if (want.level == (int)t.root.role.level) {
			want.valid = false;
			return;
		}
		want.level++;
	}
	want.at[want.level]++;
	want.goal = want_gfn();
}

/* On to an entry of this table that is used, the last one, or the end; but not where the walk yielded. */
static void want_used(gfn_t end)
{
	const u64 *table = want.table[want.level];

	if (!want.valid || want.goal == want.yielded)
		return;
	while (table[want.at[want.level]] == SHADOW_NONPRESENT_VALUE &&
	       want.at[want.level] < SPTE_ENT_PER_PAGE - 1 && want_gfn() < end) {
		want.at[want.level]++;
		want.goal = want_gfn();
	}
}

static void check(const struct tdp_iter *iter)
{
	u64 *sptep;

	if (iter->valid != want.valid)
		found(iter,
		      want.valid ? "the walk is over too early" : "the walk goes on after its end");
	if (!want.valid)
		return;
	sptep = &want.table[want.level][want.at[want.level]];
	if (iter->level != want.level || iter->gfn != want_gfn())
		found(iter, "expected gfn %#" PRIx64 ", level %d", want_gfn(), want.level);
	if (iter->sptep != sptep)
		found(iter, "the SPTE is that of another table");
	if (iter->old_spte != *sptep)
		found(iter, "the SPTE is out of date");
	if (iter->next_last_level_gfn != want.goal || iter->yielded_gfn != want.yielded)
		found(iter, "expected to head for %#" PRIx64 ", yielded at %#" PRIx64, want.goal,
		      want.yielded);
}

/* ---- recursion ---- */

static u64 met(u64 hash, const u64 *sptep, bool used)
{
	if (used && *sptep == SHADOW_NONPRESENT_VALUE)
		return hash;
	return (hash ^ sim_ptr_pa(sptep)) * 0x100000001b3ULL;
}

/* A hash over the entries, all or the used ones, that map part of [start, end), in preorder. */
static u64 meet(u64 hash, u64 *table, gfn_t base, int level, int min_level, gfn_t start, gfn_t end,
		bool used)
{
	for (int i = 0; i < SPTE_ENT_PER_PAGE; i++) {
		const gfn_t gfn = base + i * size_at(level);

		if (gfn >= end || gfn + size_at(level) <= start)
			continue;
		hash = met(hash, &table[i], used);
		if (level > min_level && links(table[i], level))
			hash = meet(hash, linked(table[i]), gfn, level - 1, min_level, start, end,
				    used);
	}
	return hash;
}

static void walk(struct byte_reader *r, int min_level, gfn_t start, gfn_t end, bool used)
{
	const u64 all = meet(1, t.root.spt, 0, t.root.role.level, min_level, start, end, used);
	bool strayed = false;
	struct tdp_iter iter;
	u64 so_far = 1;

	want.goal = start;
	want_restart();
	t.changed = false;
	t.step = 0;
	tdp_iter_start(&iter, &t.root, min_level, start);
	while (iter.valid && iter.gfn < end) {
		uint8_t action = reader_empty(r) ? 0 : read_byte(r) % 8;

		check(&iter);
		so_far = met(so_far, iter.sptep, used);
		if (++t.step == MAX_STEPS) {
			strayed = true;
			break;
		}

		if (action == 4 && iter.next_last_level_gfn != iter.yielded_gfn) {
			free_unlinked();
			iter.yielded = true;
			want_restart();
			strayed = true;
		} else {
			if (action == 5) {
				free_unlinked();
				tdp_iter_restart(&iter);
				want_restart();
				check(&iter);
				strayed = true;
			}
			for (; action >= 6; action--)
				change(r);
			want_next(min_level);
		}
		tdp_iter_next(&iter);
		if (used) {
			tdp_iter_skip_empty(&iter, end, false);
			want_used(end);
		}
	}
	if (!strayed) {
		want.valid = iter.valid; /* the loop may end at @end, or at the tree's */
		check(&iter);
		if (!t.changed && so_far != all)
			found(&iter, "not what a recursion meets");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct byte_reader r = { data, data + size };
	const uint8_t shape = read_byte(&r);
	int changes = read_byte(&r) % 32;
	gfn_t start;
	u64 length;

	sim_reset();
	sim_set_observer(&observer);
	memset(&t, 0, sizeof(t));
	sim_begin_op(&t.thread, NULL, 0);
	t.root.role.level = shape & 1 ? PT64_ROOT_5LEVEL : PT64_ROOT_4LEVEL;
	t.root.spt = new_table();

	while (changes--)
		change(&r);
	free_unlinked();
	start = read_gfn(&r, t.root.role.level);
	length = read_number(&r, 2);
	walk(&r, 1 + (shape >> 1 & 7) % t.root.role.level, start,
	     start + (length >> 2) * size_at(1 + (length & 3)), shape & 16);

	free_unlinked();
	unlink_tables(__pa(t.root.spt) | LINK_BITS, t.root.role.level + 1);
	free_unlinked();
	sim_end_op();
	if (sim_pages_in_use() || t.nr_tables)
		abort();
	return 0;
}
