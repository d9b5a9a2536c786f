/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mirror: page tables as the events show them.  It knows which page-table page is
 * allocated, which entry links it, what level, gfn and root that makes it, and which of its
 * entries are MMU-present.  Values of entries are read where hardware would read them.
 *
 * Addresses: a page-table page is named by its physical address, an entry by that plus 8 times its
 * index.  All of them are in [MIRROR_PT_PA, MIRROR_PT_END).
 *
 * Cost: O(1) an event; a reset pays for the pages that were allocated since the last one.
 */
#ifndef ORACLE_MIRROR_H
#define ORACLE_MIRROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MIRROR_PT_PAGES		(1u << 18)
#define MIRROR_PT_PA		(0x100000ULL << 12)
#define MIRROR_PT_END		(MIRROR_PT_PA + ((uint64_t)MIRROR_PT_PAGES << 12))
#define MIRROR_NONE		(~0ULL)		/* no such entry, no such page */

struct oracle;

/* Is the table on the list from which NX recovery takes? */
enum nx_listed { NX_NOT_LISTED, NX_LISTED, NX_MAYBE };

/**
 * struct mirror_table - a page-table page
 * @pa: its physical address
 * @gfn: first gfn that it maps; meaningful once @level is not 0
 * @parent: address of the entry that links it, or linked it last; MIRROR_NONE for a root and
 *	    for a page that was never linked
 * @root: physical address of the root above it (its own if it is one), MIRROR_NONE if none
 * @gen: how often the page was allocated: tells a page from its successor at the same address
 * @level: 1..5 of the entries in it, 0 while that is unknown (never linked, not a root)
 * @live: allocated, not yet freed
 * @linked: @parent holds a link to it now (a root: false; says nothing about the levels above:
 *	    see mirror_reachable())
 * @is_root: some vCPU had it loaded, or a fault built on it
 * @valid: a root that was not invalidated
 * @unsure: a root of which it is not known whether it was invalidated: not @valid until it is
 * @smm: root role: address space 1
 * @guest_mode: root role: nested-like
 * @nr_leaf: MMU-present leaf entries
 * @counted: those count as mappings of the VM: it is a root, or was linked
 * @fill: value of its entries when it was allocated
 * @nr_init: entries written before it was linked
 * @init_base: what entry 0 would be if all of those continue one run of frames
 * @init_level: the level that the MMU said they have
 * @init_uniform: they do continue one run
 * @nx: whether it was made by an execution that the iTLB-multihit mitigation kept from a huge page
 * @unlinked: step at which the last link to it was taken away, 0 if none was
 * @unlinked_by: thread that did that
 * @born: of the entries that it was linked with, @made and @made_level, see rule_n.c
 * @present: bit i: entry i is MMU-present
 * @aged: bit i: entry i lost W to access tracking, see rule T
 */
struct mirror_table {
	uint64_t pa;
	uint64_t gfn;
	uint64_t parent;
	uint64_t root;
	uint64_t fill;
	uint32_t gen;
	uint8_t level;
	uint8_t init_level;
	uint8_t made_level;
	bool live;
	bool linked;
	bool is_root;
	bool valid;
	bool unsure;
	bool smm;
	bool guest_mode;
	bool counted;
	uint8_t nx;
	bool init_uniform;
	uint16_t nr_leaf;
	uint16_t nr_init;
	uint64_t init_base;
	uint64_t unlinked;
	int unlinked_by;
	uint64_t born;
	uint64_t made;
	uint64_t present[8];
	uint64_t aged[8];
};

struct mirror;

/*
 * The page that holds @pa, an entry's or the page's own address; NULL if none was ever allocated
 * there.
 */
struct mirror_table *mirror_table(struct oracle *o, uint64_t pa);

/*
 * Value of the entry at @pa as the last event or hardware assist left it; 0 if the page is not
 * live.
 */
uint64_t mirror_read(struct oracle *o, uint64_t pa);

/* Is @table a live root, or linked all the way up to one? */
bool mirror_reachable(struct oracle *o, const struct mirror_table *table);

/* Live roots, in the order in which they were first loaded. */
struct mirror_table **mirror_roots(struct oracle *o, uint32_t *n);

/* First gfn that the entry at @pa of @table maps. */
uint64_t mirror_entry_gfn(const struct mirror_table *table, uint64_t pa);

/*
 * Calls @fn for every MMU-present leaf under @root that maps a gfn of [@start, @end), in order of
 * gfn; stops at, and returns, its first value other than 0.
 */
struct mirror_leaf {
	struct mirror_table *table;
	uint64_t pa;
	uint64_t gfn;
	int level;
	uint64_t spte;
};
int mirror_for_each_leaf(struct oracle *o, struct mirror_table *root, uint64_t start, uint64_t end,
			 int (*fn)(struct oracle *o, const struct mirror_leaf *leaf, void *arg),
			 void *arg);

/* ---- fed by oracle.c ---- */
struct mirror *mirror_create(void);
void mirror_destroy(struct mirror *m);
void mirror_reset(struct oracle *o);
void mirror_alloc(struct oracle *o, uint64_t pa, uint64_t fill);
void mirror_free(struct oracle *o, struct mirror_table *t);
void mirror_init(struct mirror_table *t, uint64_t pa, int level, uint64_t val);
void mirror_init_run(struct mirror_table *t, uint64_t pa, int level, int n, uint64_t first,
		     uint64_t step);
void mirror_spte(struct oracle *o, struct mirror_table *t, uint64_t pa, int level, uint64_t old,
		 uint64_t val);
void mirror_leaves_gone(struct oracle *o, struct mirror_table *t, uint64_t pa, int n);
struct mirror_table *mirror_load_root(struct oracle *o, uint64_t pa, bool smm, bool guest_mode,
				      uint64_t since);
void mirror_invalidate_roots(struct oracle *o);
void mirror_root_is_valid(struct mirror_table *t);

#endif /* ORACLE_MIRROR_H */
