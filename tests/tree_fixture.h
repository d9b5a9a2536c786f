/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page-table trees built by hand, and a walker of them that knows nothing of
 * tdp_iter: it recurses over all 512 entries of every table.
 */
#ifndef TDP_TESTS_TREE_FIXTURE_H
#define TDP_TESTS_TREE_FIXTURE_H

#include "mmu_fixture.h"
#include "tdp_iter.h"

struct visit {
	gfn_t gfn;
	int level;
	u64 *sptep;
	u64 spte;
};

struct visits {
	struct visit *at;
	size_t nr, room;
};

static struct kvm_mmu_page *tree_root;

static inline u64 tree_size(int level)
{
	return 1ULL << 9 * (level - 1);
}

static inline void visits_add(struct visits *v, struct visit one)
{
	if (v->nr == v->room) {
		v->room = v->room ? 2 * v->room : 1024;
		v->at = realloc(v->at, v->room * sizeof(*v->at));
		assert_non_null(v->at);
	}
	v->at[v->nr++] = one;
}

static inline struct kvm_mmu_page *tree_table(int level, gfn_t gfn)
{
	struct kvm_mmu_page *sp = calloc(1, sizeof(*sp));

	assert_non_null(sp);
	sp->role.level = level;
	sp->gfn = gfn;
	sp->spt = tdp_page_alloc(SHADOW_NONPRESENT_VALUE);
	assert_non_null(sp->spt);
	set_page_private(sp->spt, sp);
	return sp;
}

static inline bool tree_links(u64 spte, int level)
{
	return level > 1 && (spte & 1 << 11) && !(spte & 1 << 7);
}

static inline u64 *tree_child(u64 spte)
{
	return __va(spte & 0x000ffffffffff000);
}

static inline void tree_free_below(u64 *table, int level)
{
	for (int i = 0; i < 512; i++)
		if (tree_links(table[i], level))
			tree_free_below(tree_child(table[i]), level - 1);
	free(page_private(table));
	tdp_page_free(table);
}

static inline void tree_init(int root_level)
{
	fixture_init(config_ept);
	tree_root = tree_table(root_level, 0);
}

static inline void tree_free(void)
{
	tree_free_below(tree_root->spt, tree_root->role.level);
	tree_root = NULL;
	assert_int_equal(sim_pages_in_use(), 0);
}

/* The entry of level @level for @gfn; tables above it are added. NULL if a leaf is in the way. */
static inline u64 *tree_entry(gfn_t gfn, int level)
{
	u64 *table = tree_root->spt;

	for (int l = tree_root->role.level;; l--) {
		u64 *entry = sim_spte_ptr(__pa(&table[gfn >> 9 * (l - 1) & 511]));

		if (l == level)
			return entry;
		if (!(*entry & 1 << 11)) {
			struct kvm_mmu_page *sp = tree_table(l - 1, gfn & -tree_size(l));

			*entry = __pa(sp->spt) | 0x8000000000000907;
		}
		if (!tree_links(*entry, l))
			return NULL;
		table = tree_child(*entry);
	}
}

static inline void tree_map(gfn_t gfn, int level)
{
	u64 *entry = tree_entry(gfn, level);

	if (entry && !tree_links(*entry, level))
		*entry = (gfn & -tree_size(level)) << 12 | 0x8600000000000b77 |
			 (level > 1 ? 1 << 7 : 0);
}

/* Zap whatever is there, tables included. */
static inline void tree_unmap(gfn_t gfn, int level)
{
	u64 *entry = tree_entry(gfn, level);

	if (!entry)
		return;
	if (tree_links(*entry, level))
		tree_free_below(tree_child(*entry), level - 1);
	*entry = SHADOW_NONPRESENT_VALUE;
}

/* Every entry that maps part of [start, end), links before what is below them. */
static inline void naive_walk(struct visits *v, u64 *table, gfn_t base, int level, int min_level,
			      gfn_t start, gfn_t end)
{
	for (int i = 0; i < 512; i++) {
		gfn_t gfn = base + i * tree_size(level);

		if (gfn >= end || gfn + tree_size(level) <= start)
			continue;
		visits_add(v, (struct visit){ gfn, level, &table[i], table[i] });
		if (level > min_level && tree_links(table[i], level))
			naive_walk(v, tree_child(table[i]), gfn, level - 1, min_level, start, end);
	}
}

static inline struct visits naive(int min_level, gfn_t start, gfn_t end)
{
	struct visits v = { 0 };

	naive_walk(&v, tree_root->spt, 0, tree_root->role.level, min_level, start, end);
	return v;
}

#endif /* TDP_TESTS_TREE_FIXTURE_H */
