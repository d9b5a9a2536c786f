/* SPDX-License-Identifier: GPL-2.0-only */
/* What the model's files share: its page tables, slots, roots and the call under way. */
#ifndef ORACLE_MODEL_INTERNAL_H
#define ORACLE_MODEL_INTERNAL_H

#include <errno.h>

#include "model.h"
#include "model_spte.h"

#define NO_PA	      (~0ULL)
#define SPTE_PT_PA    (0x100000ULL << 12) /* first page-table page there can be... */
#define SPTE_PT_PAGES (1u << 18)	 /* ...and how many */
#define NO_GFN	      (~0ULL)
#define LEVEL_4K      1
#define LEVEL_2M      2
#define LEVEL_1G      3

/* Answers of a page fault, by the kernel's numbers. */
enum model_pf {
	PF_CONTINUE,
	PF_RETRY,
	PF_EMULATE,
	PF_WRITE_PROTECTED,
	PF_INVALID,
	PF_FIXED,
	PF_SPURIOUS,
};

#define PFERR_P	    (1ULL << 0)
#define PFERR_W	    (1ULL << 1)
#define PFERR_RSVD  (1ULL << 3)
#define PFERR_FETCH (1ULL << 4)

#define ROLE_SMM   1
#define ROLE_GUEST 2

static inline uint64_t level_pages(int level)
{
	return 1ULL << (9 * (level - 1));
}

static inline uint64_t level_mask(int level)
{
	return level_pages(level) - 1;
}

/**
 * struct mtable - an expected page-table page
 * @set: which entries differ from the initial value; the others' @val means nothing
 * @touched: which entries the call under way concerns, good if @touch_epoch is the call's
 * @pa: the real page, NO_PA until the entry that links it was compared
 * @gfn: first gfn it maps
 * @id: its number; entries that link it hold the number where the address would be
 * @parent: number of the table that links it, 0 for a root
 * @root: number of its root
 * @level: of its entries
 * @role: ROLE_*
 * @nx_disallowed: made by an instruction fetch that the NX mitigation denied a huge page
 * @nx_listed: on the recovery list, between @nx_prev and @nx_next
 */
struct mtable {
	uint64_t set[8];
	uint64_t touched[8];
	uint64_t pa;
	uint64_t gfn;
	uint32_t id;
	uint32_t parent;
	uint32_t root;
	uint64_t touch_epoch;
	uint32_t nx_prev, nx_next;
	uint16_t index;
	uint8_t level;
	uint8_t role;
	bool live;
	bool nx_disallowed;
	bool nx_listed;
	uint64_t val[512];
};

/**
 * struct mroot - a root, newest first in struct model
 * @table: its top table
 * @refs: vCPUs that have it loaded, and one of the MMU's own while it is valid
 */
struct mroot {
	uint32_t table;
	uint32_t refs;
	bool invalid;
};

/* What is known of a real page-table page. */
#define MPAGE_WRITES 6
struct mpage {
	uint64_t epoch; /* of the VM; else nothing is known */
	uint32_t table; /* expected table it serves as, 0 if not yet or no more */
	uint64_t fill;
	uint16_t write[MPAGE_WRITES];
	uint8_t nr_writes; /* while it served as none; more than MPAGE_WRITES: too many to keep */
	bool live;
};

/* A sparse bitmap, one word or chunk at a time: equal to @all but for what the chunks say. */
#define MBITS_WORDS 8
struct mbits_chunk {
	uint64_t index;
	uint64_t diff[MBITS_WORDS];
};

struct mbits {
	uint64_t nbits;
	bool all;  /* default of every bit */
	struct mbits_chunk *chunk;
	uint32_t nr, cap;
	uint32_t *hash; /* chunk number + 1, 0 for free */
	uint32_t hash_cap;
};

struct mtrack {
	uint64_t gfn;
	uint32_t count;
};

struct mslot {
	bool used;
	bool logging;  /* has a dirty bitmap */
	uint8_t as, id;
	uint32_t flags;
	uint64_t base, npages, hvn;
	struct mbits dirty;
	struct mtrack *track;
	uint32_t nr_track, cap_track;
};
#define MODEL_SLOTS 16

struct mvcpu {
	bool used;
	uint8_t role;
	uint32_t root;  /* number of the root's table, 0 none */
	uint64_t mmio_gfn, mmio_gen;
};

/* Marks given to the host: order does not matter, number does. */
#define MARKS_KEPT 32
struct mmarks {
	uint64_t sum, nr;
	uint64_t kept[MARKS_KEPT];
};

struct mflush {
	uint64_t gfn, nr; /* nr 0: everything */
	uint64_t seq;
	bool last;  /* owed ones only: no SPTE may change after it */
};
#define FLUSHES_KEPT 64

/**
 * struct mcall - what has happened since the call under way began
 * @seq: counts SPTE changes
 * @last_pa: address of the last
 * @allocs: page allocations in order: true where one was refused (of any kind)
 */
struct mcall {
	uint64_t seq;
	uint64_t last_pa;
	bool *allocs;
	uint32_t nr_allocs, cap_allocs, next_alloc;
	uint32_t refused;
	struct mflush flush[FLUSHES_KEPT];
	uint32_t nr_flush;
	struct mflush owed[FLUSHES_KEPT];
	uint32_t nr_owed;
	bool kicked, kicked_roots, owe_drain, owe_kick;
	uint32_t fault_ins;
	bool expect_fault_in;
	struct {
		uint64_t hvn, pfn;
		int ret;
		bool write, writable;
	} fault_in;
	struct mmarks dirty, accessed;  /* actual */
	struct mmarks want_dirty, want_accessed;
};

struct model {
	struct model_env env;
	struct vm_desc vm;
	struct mfmt fmt;
	bool on;	 /* predictions are made */
	bool nx;	 /* mitigation in force */
	bool has_mmio_pfn;
	bool fault_marks; /* the host is told of frames by faults that map them, else when they go */
	enum oracle_call_kind kind;
	int depth;  /* of nested calls */

	/* tables */
	struct mtable **table; /* by number; 0 is none */
	uint32_t nr_tables, cap_tables;
	uint32_t next_table; /* first number not used since the reset */
	uint32_t *free_tables;
	uint32_t nr_free;
	uint64_t epoch; /* of the call */
	uint32_t *touched;
	uint32_t nr_touched, cap_touched;
	struct mroot *root;
	uint32_t nr_roots, cap_roots;
	uint32_t nx_first, nx_last;
	struct oracle_stat stat;

	/* real pages */
	struct mpage *page; /* SPTE_PT_PAGES of them */
	uint64_t vm_epoch;

	struct mslot slot[2][MODEL_SLOTS];
	uint64_t gen[2];
	uint64_t gen_doubt[2]; /* the generation may be this much further on */
	uint32_t nr_logging;
	uint64_t nr_tracked;
	uint32_t invalidating;
	uint64_t inv_start, inv_end;
	struct mvcpu vcpu[PROG_MAX_VCPUS];

	struct mcall c;
};

/* model_tree.c: tables and their entries, with all the book-keeping that a change entails */
struct mtable *mtable_new(struct model *m, struct mtable *parent, unsigned int index);
struct mtable *mtable_new_root(struct model *m, uint8_t role);
void mtable_free(struct model *m, struct mtable *t);
void mtree_reset(struct model *m);
void mtree_free(struct model *m);
void mtouch_table(struct model *m, struct mtable *t);
void mtouch_run(struct model *m, struct mtable *t, unsigned int index, unsigned int n);
void mset(struct model *m, struct mtable *t, unsigned int index, uint64_t val);
void mlink(struct model *m, struct mtable *t, unsigned int index, struct mtable *child);
void msplit(struct model *m, struct mtable *t, unsigned int index, struct mtable *child);
struct mtable *mwalk(struct model *m, uint32_t root, uint64_t gfn, unsigned int *index);
typedef void (*mleaf_fn)(struct model *m, struct mtable *t, unsigned int index, void *arg);
void mleaves(struct model *m, struct mtable *t, uint64_t start, uint64_t end, mleaf_fn fn,
	     void *arg);
void mmark_run(struct mmarks *marks, uint64_t pfn, uint64_t n);

/**
 * mtouch() - an entry is to be compared at the end of the call
 * @m: model
 * @t: table
 * @index: entry
 */
static inline void mtouch(struct model *m, struct mtable *t, unsigned int index)
{
	if (t->touch_epoch != m->epoch)
		mtouch_table(m, t);
	t->touched[index / 64] |= 1ULL << index % 64;
}

/* A mark of a frame; the sum is of a hash, so that two frames never stand in for two others. */
static inline uint64_t mmark_hash(uint64_t pfn)
{
	uint64_t h = (pfn + 1) * 0x9e3779b97f4a7c15ULL;

	return (h ^ h >> 29) * 0xbf58476d1ce4e5b9ULL;
}

static inline void mmark(struct mmarks *marks, uint64_t pfn)
{
	if (marks->nr < MARKS_KEPT)
		marks->kept[marks->nr] = pfn;
	marks->nr++;
	marks->sum += mmark_hash(pfn);
}

/* ... that the host is owed: device memory has nobody to tell. */
static inline void mmark_pfn(struct model *m, struct mmarks *marks, uint64_t pfn)
{
	if (!m->has_mmio_pfn || !m->env.is_mmio_pfn(m->env.ctx, pfn))
		mmark(marks, pfn);
}

static inline struct mtable *mtable(struct model *m, uint32_t id)
{
	return m->table[id];
}

static inline uint64_t mget(const struct mtable *t, unsigned int index)
{
	return t->set[index / 64] >> index % 64 & 1 ? t->val[index] : SPTE_INITIAL;
}

static inline unsigned int mindex(uint64_t gfn, int level)
{
	return gfn >> 9 * (level - 1) & 511;
}

/* Number of the table that a link holds. Address bits from 35 up may be memory encryption's. */
static inline uint32_t mchild(uint64_t val)
{
	return (val & SPTE_ADDR & ((1ULL << 35) - 1)) >> 12;
}

static inline uint64_t mentry_gfn(const struct mtable *t, unsigned int index)
{
	return t->gfn + index * level_pages(t->level);
}

static inline void mtree_first_last(const struct mtable *t, uint64_t start, uint64_t end,
				    unsigned int *first, unsigned int *last)
{
	const int shift = 9 * (t->level - 1);

	*first = start > t->gfn ? (start - t->gfn) >> shift : 0;
	*last = end < t->gfn + (512ULL << shift) ? (end - 1 - t->gfn) >> shift : 511;
}

/*
 * Every entry of @t that is not initial and overlaps [@start, @end), in order. The body may change
 * the entry it is at.
 */
#define for_each_mentry(t, start, end, index)                                                 \
	for (unsigned int first_, last_, w_,                                                  \
	     more_ = (start) < (end) && (end) > (t)->gfn &&                                   \
		     (start) < (t)->gfn + 512 * level_pages((t)->level);                      \
	     more_ && (mtree_first_last(t, start, end, &first_, &last_), 1); more_ = 0)       \
		for (w_ = first_ / 64; w_ <= last_ / 64; w_++)                                \
			for (uint64_t b_ =                                                    \
				     (t)->set[w_] &                                           \
				     (w_ == first_ / 64 ? ~0ULL << first_ % 64 : ~0ULL) &     \
				     (w_ == last_ / 64 ? ~0ULL >> (63 - last_ % 64) : ~0ULL); \
			     b_ && ((index) = w_ * 64 + __builtin_ctzll(b_), 1); b_ &= b_ - 1)

/* Roots, newest first, of address space @as (or any, if negative). */
static inline bool mroot_in(struct model *m, uint32_t i, int as, bool only_valid)
{
	if (only_valid && m->root[i].invalid)
		return false;
	return as < 0 || (mtable(m, m->root[i].table)->role & ROLE_SMM) == as;
}

#define for_each_mroot(m, i, as, only_valid)           \
	for ((i) = 0; (i) < (m)->nr_roots; (i)++)      \
		if (!mroot_in(m, i, as, only_valid)) { \
		} else

/* model_bits.c */
void mbits_init(struct mbits *b, uint64_t nbits, bool all);
void mbits_free(struct mbits *b);
uint64_t mbits_word(const struct mbits *b, uint64_t word);
void mbits_set(struct mbits *b, uint64_t bit);
void mbits_clear_word(struct mbits *b, uint64_t word, uint64_t mask);
bool mbits_differs(const struct mbits *b, const uint64_t *words, size_t n, size_t *at);

/* model_slot.c */
struct mslot *mslot_by_id(struct model *m, uint8_t slot);
struct mslot *mslot_by_gfn(struct model *m, int as, uint64_t gfn);
bool mslot_huge_disallowed(const struct mslot *s, uint64_t gfn, int level);
int mslot_max_level(struct model *m, const struct mslot *s, uint64_t gfn);
bool mslot_tracked(struct model *m, const struct mslot *s, uint64_t gfn);
void mslot_mark_dirty(struct model *m, struct mslot *s, uint64_t gfn);
void mslot_reset(struct model *m);
uint64_t mslot_generation(struct model *m, int as);
long mslot_set_region(struct model *m, const struct oracle_call *call);
long mslot_track(struct model *m, const struct oracle_call *call);
long mslot_untrack(struct model *m, const struct oracle_call *call);

/* model_fault.c */
long mfault(struct model *m, const struct oracle_call *call);
long mfault_pre_fault(struct model *m, const struct oracle_call *call);

/* model_dirty.c */
long mdirty_get(struct model *m, const struct oracle_call *call);
long mdirty_clear(struct model *m, const struct oracle_call *call);
void mdirty_start(struct model *m, struct mslot *s);
void mdirty_stop(struct model *m, struct mslot *s);
bool mdirty_protect_gfn(struct model *m, struct mslot *s, uint64_t gfn, int min_level);
long mdirty_write_protect(struct model *m, const struct oracle_call *call);
long mdirty_split(struct model *m, const struct oracle_call *call);

/* model_zap.c */
bool mzap_leaves(struct model *m, int as, bool only_valid, uint64_t start, uint64_t end);
void mzap_fast(struct model *m);
long mzap_unmap_start(struct model *m, const struct oracle_call *call);
long mzap_unmap_end(struct model *m, const struct oracle_call *call);
long mzap_range(struct model *m, const struct oracle_call *call);
void mzap_destroy(struct model *m);

/* model_vcpu.c */
long mvcpu_load(struct model *m, const struct oracle_call *call, bool enter);
long mvcpu_unload(struct model *m, const struct oracle_call *call);
long mvcpu_set_mode(struct model *m, const struct oracle_call *call);
struct mroot *mroot_of(struct model *m, uint32_t table);
void mroot_put(struct model *m, uint32_t table);

/* model_nx.c */
void mnx_track(struct model *m, struct mtable *t);
void mnx_untrack(struct model *m, struct mtable *t);
long mnx_recover(struct model *m);
long mnx_set(struct model *m, bool on);

/* model_age.c */
long mage(struct model *m, const struct oracle_call *call, bool clear);

/* model_compare.c */
void mcompare_touched(struct model *m);
void mcompare_marks(struct model *m);
void mcompare_flushes(struct model *m);
bool mcompare_bind(struct model *m, struct mtable *t, uint64_t pa);
void mreport(struct model *m, char rule, uint64_t gfn, uint64_t spte, const char *fmt, ...)
	__attribute__((format(printf, 5, 6), cold));
const char *mcall_name(enum oracle_call_kind kind);

/* Most calls end with this, and many have touched nothing. */
static inline void mcompare_tree(struct model *m)
{
	if (m->nr_touched)
		mcompare_touched(m);
}

/* A flush that the call owes: nr 0 for everything; @last: after every change it makes. */
static inline void mowe(struct model *m, uint64_t gfn, uint64_t nr, bool last)
{
	if (m->c.nr_owed < FLUSHES_KEPT)
		m->c.owed[m->c.nr_owed++] = (struct mflush){ .gfn = gfn, .nr = nr, .last = last };
}

/* The next page-table page that the call wants: was it refused? */
static inline bool malloc_refused(struct model *m)
{
	struct mcall *c = &m->c;

	if (c->next_alloc < c->nr_allocs)
		return c->allocs[c->next_alloc++];
	return false;
}

/* Part of @s that host pages [@hvn, @hvn + @n) back. */
static inline bool mslot_hvn_range(const struct mslot *s, uint64_t hvn, uint64_t n, uint64_t *start,
				   uint64_t *end)
{
	uint64_t from = hvn > s->hvn ? hvn : s->hvn;
	uint64_t to = hvn + n < s->hvn + s->npages ? hvn + n : s->hvn + s->npages;

	if (!s->used || from >= to)
		return false;
	*start = s->base + (from - s->hvn);
	*end = s->base + (to - s->hvn);
	return true;
}

#endif /* ORACLE_MODEL_INTERNAL_H */
