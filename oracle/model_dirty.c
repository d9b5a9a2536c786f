// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty logging: harvesting and arming, by write protection or by D; splitting huge pages for it,
 * and giving up small ones after it.
 */
#include "model_internal.h"

/* In this root a write is seen by the loss of W, not by D. */
static bool by_write_protection(const struct model *m, const struct mtable *root)
{
	return !m->fmt.ad || (m->fmt.pml && (root->role & ROLE_GUEST));
}

/* ---- splitting ---- */

struct split {
	uint64_t start, end;
	int level;
};

/* Return: false once there is no page for another table. */
static bool split_table(struct model *m, struct mtable *t, const struct split *s)
{
	unsigned int index;
	uint64_t val;

	for_each_mentry(t, s->start, s->end, index) {
		val = t->val[index];
		if (mspte_is_leaf(val, t->level)) {
			if (malloc_refused(m))
				return false;
			msplit(m, t, index, mtable_new(m, t, index));
		} else if (!mspte_is_table(val, t->level)) {
			continue;
		}
		if (t->level - 1 > s->level && !split_table(m, mtable(m, mchild(t->val[index])), s))
			return false;
	}
	return true;
}

/* Split what is larger than @level in all valid roots, as far as memory allows. */
static void split_range(struct model *m, int as, uint64_t start, uint64_t end, int level)
{
	struct split s = { .start = start, .end = end, .level = level };
	uint32_t i;

	for_each_mroot(m, i, as, true)
		if (!split_table(m, mtable(m, m->root[i].table), &s))
			break;
}

long mdirty_split(struct model *m, const struct oracle_call *call)
{
	struct mslot *s = mslot_by_id(m, call->slot);

	if (!s || call->level < LEVEL_4K || call->level > LEVEL_2M)
		return -EINVAL;
	split_range(m, s->as, s->base, s->base + s->npages, call->level);
	return 0;
}

/* ---- write protection ---- */

/**
 * mdirty_protect_gfn() - take W, and the right to give it back without asking, from what maps a gfn
 * @m: model
 * @s: slot
 * @gfn: in it
 * @min_level: smaller leaves are left alone
 *
 * Return: was anything changed?
 */
bool mdirty_protect_gfn(struct model *m, struct mslot *s, uint64_t gfn, int min_level)
{
	const uint64_t w = SPTE_W | m->fmt.mmu_w;
	unsigned int index;
	struct mtable *t;
	bool any = false;
	uint64_t val;
	uint32_t i;

	for_each_mroot(m, i, s->as, true) {
		t = mwalk(m, m->root[i].table, gfn, &index);
		val = mget(t, index);
		if (!mspte_is_leaf(val, t->level) || t->level < min_level || !(val & w))
			continue;
		mset(m, t, index, val & ~w);
		any = true;
	}
	return any;
}

long mdirty_write_protect(struct model *m, const struct oracle_call *call)
{
	struct mslot *s = mslot_by_id(m, call->slot);

	if (!s || call->gfn - s->base >= s->npages || call->level < LEVEL_4K ||
	    call->level > LEVEL_1G)
		return -EINVAL;
	if (!mdirty_protect_gfn(m, s, call->gfn, call->level))
		return 0;
	mowe(m, call->gfn, 1, true);
	return 1;
}

struct arm {
	uint64_t bit;  /* W or D */
	int min_level;
};

static void arm_leaf(struct model *m, struct mtable *t, unsigned int index, void *arg)
{
	const struct arm *a = arg;

	if (t->level >= a->min_level)
		mset(m, t, index, t->val[index] & ~a->bit);
}

static void arm_range(struct model *m, const struct mtable *root, const struct mslot *s,
		      uint64_t bit, int min_level)
{
	struct arm a = { .bit = bit, .min_level = min_level };

	mleaves(m, mtable(m, root->id), s->base, s->base + s->npages, arm_leaf, &a);
}

/**
 * mdirty_start() - logging begins for a slot
 * @m: model
 * @s: the slot
 *
 * With everything dirty from the start there is nothing to arm. Else huge pages are split if that
 * is wanted; with PML small ones are cleaned and huge ones protected, without it all are protected.
 */
void mdirty_start(struct model *m, struct mslot *s)
{
	struct mtable *root;
	uint32_t i;

	if (m->vm.manual_protect && m->vm.init_set)
		return;
	if (m->vm.eager_split)
		split_range(m, s->as, s->base, s->base + s->npages, LEVEL_4K);
	for_each_mroot(m, i, s->as, true) {
		root = mtable(m, m->root[i].table);
		if (m->fmt.pml)
			arm_range(m, root, s, by_write_protection(m, root) ? SPTE_W : m->fmt.dirty,
				  LEVEL_4K);
		arm_range(m, root, s, SPTE_W, m->fmt.pml ? LEVEL_2M : LEVEL_4K);
	}
	mowe(m, s->base, s->npages, true);
}

/* ---- collapse ---- */

/* The first leaf under a table, 0 if there is none. */
static uint64_t first_leaf(struct model *m, struct mtable *t)
{
	unsigned int index;
	uint64_t val;

	for_each_mentry(t, 0, ~0ULL, index) {
		val = t->val[index];
		if (mspte_is_table(val, t->level))
			val = first_leaf(m, mtable(m, mchild(val)));
		if (mspte_present(val))
			return val;
	}
	return 0;
}

/* What takes the place of a table: nothing, or (Linux 7.2) a huge page, unless nothing is mapped. */
static uint64_t collapsed(struct model *m, uint64_t link, int level)
{
	uint64_t leaf;

	if (m->vm.kernel != VM_LINUX_7_2)
		return SPTE_INITIAL;
	leaf = first_leaf(m, mtable(m, mchild(link)));
	return leaf ? mspte_collapsed(&m->fmt, leaf, level, m->nx) : link;
}

static void collapse_table(struct model *m, struct mtable *t, const struct mslot *s)
{
	unsigned int index;
	uint64_t gfn, val;

	for_each_mentry(t, s->base, s->base + s->npages, index) {
		if (!mspte_is_table(t->val[index], t->level))
			continue;
		gfn = mentry_gfn(t, index);
		if (t->level <= LEVEL_1G && gfn >= s->base &&
		    mslot_max_level(m, s, gfn) >= t->level) {
			val = collapsed(m, t->val[index], t->level);
			if (val == t->val[index])
				continue;
			mset(m, t, index, val);
			mowe(m, gfn, level_pages(t->level), false);
		} else if (t->level > LEVEL_2M) {
			collapse_table(m, mtable(m, mchild(t->val[index])), s);
		}
	}
}

/* Logging is over: tables go where the host has a huge page. */
void mdirty_stop(struct model *m, struct mslot *s)
{
	uint32_t i;

	for_each_mroot(m, i, s->as, true)
		collapse_table(m, mtable(m, m->root[i].table), s);
}

/* ---- harvest ---- */

struct arm_word {
	uint64_t gfn, mask, bit;
};

static void arm_word_leaf(struct model *m, struct mtable *t, unsigned int index, void *arg)
{
	const struct arm_word *a = arg;
	uint64_t val = t->val[index];

	if (t->level > LEVEL_4K || !(a->mask >> (mentry_gfn(t, index) - a->gfn) & 1) ||
	    !(val & a->bit))
		return;

	/* Linux 6.1 tells the host of D bits that go, 7.2 of nothing. */
	if (m->vm.kernel != VM_LINUX_6_12) {
		mset(m, t, index, val & ~a->bit);
		return;
	}
	/* The host is told, whichever bit says that it was written and whatever still does. */
	mtouch(m, t, index);
	t->val[index] = val & ~a->bit;
	mmark_pfn(m, &m->c.want_dirty, mspte_pfn(&m->fmt, val));
}

/* Pages of one word of the log were harvested: log the next write to each. */
static void arm_word(struct model *m, struct mslot *s, uint64_t offset, uint64_t mask)
{
	uint64_t first = s->base + offset + __builtin_ctzll(mask);
	uint64_t last = s->base + offset + 63 - __builtin_clzll(mask);
	struct arm_word a = { .gfn = s->base + offset, .mask = mask };
	struct mtable *root;
	uint32_t i;

	if (m->vm.manual_protect && m->vm.init_set) {
		if (m->vm.eager_split)
			split_range(m, s->as, first, last + 1, LEVEL_4K);
		mdirty_protect_gfn(m, s, first, LEVEL_2M);
		if ((first ^ last) & ~level_mask(LEVEL_2M))
			mdirty_protect_gfn(m, s, last, LEVEL_2M);
	}
	for_each_mroot(m, i, s->as, true) {
		root = mtable(m, m->root[i].table);
		a.bit = !m->fmt.pml || by_write_protection(m, root) ? SPTE_W : m->fmt.dirty;
		mleaves(m, root, first, last + 1, arm_word_leaf, &a);
	}
}

static uint64_t bitmap_words(const struct mslot *s)
{
	return (s->npages + 63) / 64;
}

/**
 * mdirty_get() - predict KVM_GET_DIRTY_LOG
 * @m: model
 * @call: CALL_LOG_GET with the bitmap that came out
 *
 * Return: what the call must.
 */
long mdirty_get(struct model *m, const struct oracle_call *call)
{
	struct mslot *s = mslot_by_id(m, call->slot);
	uint64_t word, mask, gfn;
	uint32_t i, k;
	size_t at;
	bool any = false;

	if (!s || !s->logging)
		return -ENOENT;
	if (call->words < bitmap_words(s))
		return -EINVAL;
	m->c.owe_drain = m->fmt.pml;
	if (!call->ret && mbits_differs(&s->dirty, call->bitmap, bitmap_words(s), &at)) {
		gfn = s->base + at * 64;
		mreport(m, 'D', gfn, 0, "dirty log from gfn %#llx on is %016llx, should be %016llx",
			(unsigned long long)gfn, (unsigned long long)call->bitmap[at],
			(unsigned long long)mbits_word(&s->dirty, at));
	}
	if (m->vm.manual_protect)
		return 0;

	for (i = 0; i < s->dirty.nr; i++) {
		for (k = 0; k < MBITS_WORDS; k++) {
			word = s->dirty.chunk[i].index * MBITS_WORDS + k;
			mask = s->dirty.chunk[i].diff[k];
			if (!mask)
				continue;
			arm_word(m, s, word * 64, mask);
			any = true;
		}
	}
	mbits_init(&s->dirty, s->npages, false);
	if (any)
		mowe(m, s->base, s->npages, true);
	return 0;
}

/**
 * mdirty_clear() - predict KVM_CLEAR_DIRTY_LOG
 * @m: model
 * @call: CALL_LOG_CLEAR with the bitmap that went in
 *
 * Return: what the call must.
 */
long mdirty_clear(struct model *m, const struct oracle_call *call)
{
	struct mslot *s = mslot_by_id(m, call->slot);
	uint64_t i, left, mask, word;
	bool any = false;

	if (call->gfn % 64)
		return -EINVAL;
	if (!s || !s->logging)
		return -ENOENT;
	if (call->gfn > s->npages)
		return -EINVAL;
	left = s->npages - call->gfn;
	if (call->n > left || (call->n < left && call->n % 64))
		return -EINVAL;

	m->c.owe_drain = m->fmt.pml;
	for (i = 0; i < (call->n + 63) / 64; i++) {
		word = call->gfn / 64 + i;
		mask = call->bitmap[i] ? call->bitmap[i] & mbits_word(&s->dirty, word) : 0;
		if (!mask)
			continue;
		mbits_clear_word(&s->dirty, word, mask);
		arm_word(m, s, word * 64, mask);
		any = true;
	}
	if (any)
		mowe(m, s->base, s->npages, true);
	return 0;
}
