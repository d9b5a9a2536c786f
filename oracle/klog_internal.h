/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the log checker share. */
#ifndef ORACLE_KLOG_INTERNAL_H
#define ORACLE_KLOG_INTERNAL_H

#include "format.h"
#include "klog.h"

#define KLOG_WINDOW	16384	/* lines by which a change may come before the one that it follows */
#define KLOG_MAX_HELD	4096	/* changes that wait for the one that they follow */
#define KLOG_MAX_UNMAPS	64	/* unmaps and zaps that are remembered */
#define KLOG_NX_WINDOW	256	/* lines from the first mapping after a toggle to the zap of roots */
#define KLOG_NO_AS	2	/* a root that nothing was mapped in so far */
#define KLOG_EMPTY_ROOTS 64	/* obsolete roots without an entry that are kept */

/*
 * LIVE: linked, or a root.  TAKEN: its link was taken away, its entries are being frozen.  DEAD: all
 * of them are; it is kept as long as a line about it may be late.
 */
enum klog_state { KLOG_LIVE, KLOG_TAKEN, KLOG_DEAD };

/**
 * struct klog_table - a page table
 * @by_key: next of the same place in the guest's memory
 * @by_pa: next with the same hash of its address
 * @up: the table whose entries were being frozen when this one was found in it
 * @root: of the tree that it was linked into, itself for a root
 * @parent: that links it; NULL for a root
 * @pa: address, 0 if not known (roots)
 * @gfn: first page
 * @kvm: VM, of a root, 0 if not known
 * @line: at which it was linked, or allocated; when DEAD, at which it became that
 * @seq: number, in the order in which they were linked
 * @level: of its entries
 * @as_id: address space, KLOG_NO_AS if not known yet
 * @state: see above
 * @obsolete: all roots were zapped since it was made (roots)
 * @unsure_x: it is of a split, and whether its entries got X back is not known yet
 * @partial: it was in use before the log began; entries not in @known are unknown
 * @all: other than present entries were frozen: then all of them must be
 * @nr_present: entries that are MMU-present
 * @next: after the last entry that was frozen by who took the table away
 * @known: bit i: entry i is known
 * @frozen: bit i: entry i was frozen by who took the table away, or that line waits
 * @spte: entries
 */
struct klog_table {
	struct klog_table *by_key, *by_pa, *up, *root, *parent;
	uint64_t pa, gfn, kvm;
	uint32_t line;
	uint32_t seq;
	uint8_t level, as_id, state;
	bool obsolete, unsure_x, partial, all;
	uint16_t nr_present, next;
	uint64_t known[8], frozen[8];
	uint64_t spte[512];
};

/**
 * struct klog_task - what a task is in the middle of
 * @kvm: VM that it named last
 * @mapping: it was asked for a mapping, and is not done
 * @fault: ... by a fault, with this @error code at page @fault_gfn, since line @began
 * @gfn: asked for; @pfn: looked up for it; @goal: level asked for
 * @requested: line of that
 * @got_gfn: @got_level: page table allocated and not linked, level 0 if none
 * @zap_gfn: @zap_level: page table that has to be given back next, level 0 if none
 * @split_gfn: @split_level: split that has to be told next, level 0 if none
 * @due: line that says so
 * @taken: page table whose entries it is freezing
 * @changed: line of its last change, or fast page fault; @before: of the one before that
 * @last: its last change; @table: in that page table, NULL if it waits
 * @unmapping: it is unmapping [@unmap_start, @unmap_end) of @unmap_kvm
 * @zapping: VM whose invalidated roots it is zapping
 * @zap_from: line since when
 * @mmio_valid: the MMIO SPTE that it found is up to date
 */
struct klog_task {
	uint64_t kvm;
	bool mapping, fault;
	uint64_t error, fault_gfn;
	uint64_t gfn, pfn;
	uint8_t goal;
	uint32_t began, requested;
	uint64_t got_gfn, zap_gfn, split_gfn;
	uint8_t got_level, zap_level, split_level;
	uint32_t due;
	struct klog_table *taken;
	uint32_t changed, before;
	struct klog_event last;
	struct klog_table *table;
	bool unmapping;
	uint64_t unmap_start, unmap_end, unmap_kvm;
	uint64_t zapping;
	uint32_t zap_from;
	bool mmio_valid;
};

/**
 * struct klog_held - a change that waits for the one that it follows
 * @ev: it
 * @table: where it belongs, NULL if that is open
 * @before: line of the change that its task made before it
 * @placed: there was a page table for it when it came
 * @spte: what the SPTE was then
 */
struct klog_held {
	struct klog_event ev;
	struct klog_table *table;
	uint32_t before;
	bool placed;
	uint64_t spte;
};

/**
 * struct klog_unmap - memory that was unmapped
 * @kvm: VM, 0 if nothing names any
 * @start: @end: gfns
 * @line: of the zap, or of the end of the unmap
 */
struct klog_unmap {
	uint64_t kvm, start, end;
	uint32_t line;
};

/**
 * struct klog_region - a memory slot
 * @kvm: VM; @slot: number, address space in bits 16 and up; @gfn: first page; @n: pages
 */
struct klog_region {
	uint64_t kvm, slot, gfn, n;
};

/**
 * struct klog - a log being checked
 * @setup: given
 * @totals: so far
 * @fmt: SPTE format; @fmt_known: the first SPTE was seen
 * @line: of the event that is looked at
 * @levels: of the roots seen last
 * @began: a root was allocated, or a change was seen; @midway: a change came first
 * @newest: VM that began last
 * @seq: page tables linked so far
 * @keys: @pas: hash tables of page tables, @mask + 1 lists
 * @nr_tables: in them, of any state
 * @roots: in use, newest last
 * @dead: DEAD tables, oldest first; @dead_first: first that is kept
 * @free: tables to be used again, linked by @by_key
 * @tasks: by number
 * @held: oldest first
 * @unmaps: the last ones, a ring; @nr_unmaps ever
 * @regions: memory slots
 * @nx_expect: mitigation: 'n' on, 'x' off, 0 not known
 * @nx_zapped: roots were zapped since @nx_expect was set
 * @nx_line: first line that differs from it, 0 if none; @nx_ev: that change
 * @nx_doubt: a zap of all roots came after @nx_ev, so that it was a toggle, unless what is mapped
 *	next is as it was before
 */
struct klog {
	struct klog_setup setup;
	struct klog_totals totals;
	struct format fmt;
	bool fmt_known, began, midway;
	uint32_t line;
	uint8_t levels;
	uint64_t newest;
	uint32_t seq;
	struct klog_table **keys, **pas;
	uint32_t mask, nr_tables;
	struct klog_table **roots;
	uint32_t nr_roots, max_roots;
	struct klog_table **dead;
	uint32_t dead_first, nr_dead, max_dead;
	struct klog_table *free;
	struct klog_task *tasks;
	uint32_t nr_tasks;
	struct klog_held held[KLOG_MAX_HELD];
	uint32_t nr_held;
	struct klog_unmap unmaps[KLOG_MAX_UNMAPS];
	uint32_t nr_unmaps;
	struct klog_region *regions;
	uint32_t nr_regions, max_regions;
	char nx_expect;
	bool nx_zapped, nx_doubt;
	uint32_t nx_line;
	struct klog_event nx_ev;
};

static inline uint64_t klog_span(int level)
{
	return 1ULL << 9 * (level - 1);
}

static inline uint64_t klog_base(uint64_t gfn, int level)
{
	return gfn & ~(klog_span(level) - 1);
}

static inline uint32_t klog_index(uint64_t gfn, int level)
{
	return gfn >> 9 * (level - 1) & 511;
}

static inline bool klog_bit(const uint64_t *bits, uint32_t i)
{
	return bits[i / 64] >> (i & 63) & 1;
}

static inline void klog_set_bit(uint64_t *bits, uint32_t i)
{
	bits[i / 64] |= 1ULL << (i & 63);
}

static inline bool klog_is_leaf(uint64_t spte, int level)
{
	return fmt_mmu_present(spte) && fmt_is_leaf(spte, level);
}

static inline bool klog_is_table(uint64_t spte, int level)
{
	return fmt_mmu_present(spte) && !fmt_is_leaf(spte, level);
}

static inline bool klog_absent(const struct klog *log, enum klog_kind kind)
{
	return log->setup.absent >> kind & 1;
}

static inline bool klog_executable(const struct klog *log, uint64_t spte)
{
	return log->fmt.ept ? spte & 4 : !(spte & FMT_BIT_63);
}

/* klog.c */
void klog_violation(struct klog *log, char rule, const struct klog_event *ev, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void klog_known(struct klog *log, enum klog_known known, const struct klog_event *ev);

/* klog_tree.c */
void klog_tree_init(struct klog *log);
void klog_tree_free(struct klog *log);
struct klog_table *klog_at(struct klog *log, int as_id, uint64_t gfn, int level);
struct klog_table *klog_next_at(struct klog_table *table);
struct klog_table *klog_by_pa(struct klog *log, uint64_t pa);
struct klog_table *klog_child(struct klog *log, struct klog_table *table, uint32_t i);
struct klog_table *klog_new_root(struct klog *log, uint64_t kvm, int level);
struct klog_table *klog_adopt(struct klog *log, int as_id, uint64_t gfn, int level);
void klog_root_is_of(struct klog *log, struct klog_table *root, int as_id);
void klog_link(struct klog *log, struct klog_table *parent, const struct klog_event *ev);
void klog_store(struct klog *log, struct klog_table *table, uint32_t i, uint64_t spte);
void klog_die(struct klog *log, struct klog_table *table);
void klog_expire_dead(struct klog *log);
void klog_drop_root(struct klog *log, uint32_t i);
void klog_drop_empty_roots(struct klog *log);
bool klog_leaf_in(struct klog *log, struct klog_table *table, uint64_t start, uint64_t end,
		  struct klog_event *found);

/* klog_chain.c */
void klog_chain(struct klog *log, struct klog_task *task, const struct klog_event *ev,
		struct klog_table *table);
void klog_chain_fast(struct klog *log, struct klog_task *task, const struct klog_event *ev);
void klog_moved(struct klog *log, struct klog_task *task, uint64_t pa);
bool klog_taking(const struct klog *log, const struct klog_event *ev);
bool klog_waits(const struct klog *log, int as_id, uint64_t gfn, int level);
void klog_expire_held(struct klog *log, bool all);
void klog_forget_held(struct klog *log, struct klog_table *table);

/* klog_change.c */
void klog_learn_format(struct klog *log, const struct klog_event *ev);
void klog_check_change(struct klog *log, struct klog_task *task, const struct klog_event *ev);

/* klog_remove.c */
void klog_taken(struct klog *log, struct klog_task *task, struct klog_table *parent, uint32_t i);
bool klog_freezes(struct klog_task *task, const struct klog_event *ev);
void klog_removed(struct klog *log, struct klog_task *task, const struct klog_event *ev);

/* klog_fault.c */
void klog_fault(struct klog_task *task, const struct klog_event *ev);
void klog_requested(struct klog_task *task, const struct klog_event *ev);
void klog_set(struct klog *log, struct klog_task *task, const struct klog_event *ev);
void klog_check_mapped(struct klog *log, struct klog_task *task, const struct klog_event *ev);
void klog_mark_mmio(struct klog *log, struct klog_task *task, const struct klog_event *ev);
void klog_check_mmio(struct klog *log, struct klog_task *task, const struct klog_event *ev);
void klog_handle_mmio(struct klog *log, struct klog_task *task, const struct klog_event *ev);

/* klog_vm.c */
void klog_region(struct klog *log, const struct klog_event *ev);
void klog_unmap(struct klog_task *task, const struct klog_event *ev);
void klog_unmap_end(struct klog *log, struct klog_task *task, const struct klog_event *ev);
void klog_zapped(struct klog *log, const struct klog_task *task, const struct klog_event *ev);
void klog_check_looked_up(struct klog *log, const struct klog_task *task,
			  const struct klog_event *ev);
void klog_zap_fast(struct klog *log, const struct klog_task *task);
void klog_zap_roots_end(struct klog *log, struct klog_task *task, const struct klog_event *ev);
void klog_vm_end(struct klog *log, const struct klog_event *ev);
void klog_check_nx(struct klog *log, const struct klog_task *task, const struct klog_event *ev);
void klog_expire_nx(struct klog *log, bool all);

#endif /* ORACLE_KLOG_INTERNAL_H */
