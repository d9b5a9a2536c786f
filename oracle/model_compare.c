// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is, against what should be.  Only entries that a call concerns are looked at: those that the
 * model changed and those that the MMU wrote.  Real tables are known by their address, which
 * the model learns from the first entry (or vCPU) that it compares.
 */
#include "model_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A difference. What would follow from it is of no interest: predictions end here. */
void mreport(struct model *m, char rule, uint64_t gfn, uint64_t spte, const char *fmt, ...)
{
	char text[240];
	va_list ap;
	int n;

	if (!m->on)
		return;
	n = snprintf(text, sizeof(text), "%s: ", oracle_call_name(m->kind));
	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - n, fmt, ap);
	va_end(ap);
	m->env.report(m->env.ctx, rule, gfn, spte, text);
	m->on = false;
}

/*
 * Are calls of this kind there to take away what is mapped? A table that stays in a slot whose flags
 * have changed, and should make room for a huge page, still maps the right pages in the wrong size.
 */
static bool takes_away(const struct model *m, const struct mslot *slot, bool table)
{
	switch (m->kind) {
	case CALL_PAGE_FAULT:
	case CALL_PRE_FAULT:
		return false;
	case CALL_SET_REGION:
		return !table || !slot;
	default:
		return true;
	}
}

/* Which rule says it best that @is should be @want. */
static char rule_for(struct model *m, const struct mtable *t, uint64_t gfn, uint64_t want,
		     uint64_t is)
{
	const struct mfmt *f = &m->fmt;
	struct mslot *s = mslot_by_gfn(m, t->role & ROLE_SMM, gfn);
	uint64_t extra = is & ~want;

	if (mspte_is_mmio(f, want) && !mspte_present(is))
		return 'G';
	if (!mspte_present(want))
		return takes_away(m, s, mspte_is_table(is, t->level)) ? 'N' : 'M';
	if (!mspte_present(is))
		return 'M';
	if (mspte_is_leaf(is, t->level) != mspte_is_leaf(want, t->level))
		return 'M';
	if (t->level > LEVEL_4K && mspte_exec(f, is) && !mspte_exec(f, want))
		return 'X';
	if (extra & (SPTE_W | f->mmu_w)) {
		if (mslot_tracked(m, s, gfn))
			return 'W';
		if (s && s->logging)
			return 'D';
	}
	if ((is ^ want) == f->dirty)
		return 'D';
	return 'M';
}

static void differs(struct model *m, const struct mtable *t, unsigned int index, uint64_t want,
		    uint64_t is)
{
	char is_text[80], want_text[80];
	uint64_t gfn = mentry_gfn(t, index);

	mspte_describe(&m->fmt, is, t->level, is_text, sizeof(is_text));
	mspte_describe(&m->fmt, want, t->level, want_text, sizeof(want_text));
	if (mspte_is_table(want, t->level))
		snprintf(want_text, sizeof(want_text), "a table");
	mreport(m, rule_for(m, t, gfn, want, is), gfn, is,
		"level %d of %s%sroot is %016llx (%s), should be %016llx (%s)", t->level,
		t->role & ROLE_SMM ? "SMM " : "", t->role & ROLE_GUEST ? "guest-mode " : "",
		(unsigned long long)is, is_text, (unsigned long long)want, want_text);
}

static void gone(struct model *m, const struct mtable *t, uint64_t gfn, uint64_t want)
{
	mreport(m, 'U', gfn, want, "the page table at %#llx (level %d) is gone, and should not be",
		(unsigned long long)t->pa, t->level);
}

/* A link: of the table that it leads to, the address is learnt when it is seen first. */
static bool compare_link(struct model *m, struct mtable *t, unsigned int index, uint64_t want,
			 uint64_t is)
{
	const uint64_t address = SPTE_ADDR & ~m->fmt.me;
	struct mtable *child;

	if ((is & ~address) != mspte_table(&m->fmt)) {
		differs(m, t, index, mspte_table(&m->fmt), is);
		return false;
	}
	child = mtable(m, mchild(want));
	if (child->pa == NO_PA)
		return mcompare_bind(m, child, is & address);
	if (child->pa != (is & address)) {
		mreport(m, 'M', mentry_gfn(t, index), is,
			"level %d links the table at %#llx, should be the one at %#llx", t->level,
			(unsigned long long)(is & address), (unsigned long long)child->pa);
		return false;
	}
	return true;
}

/* Entries @which of @t, whose real SPTEs are @row. */
static bool compare_entries(struct model *m, struct mtable *t, const uint64_t *row,
			    const uint64_t which[8])
{
	unsigned int w, index;
	uint64_t bits, want;

	for (w = 0; w < 8; w++) {
		bits = which[w];
		/* What a split has left is equal word by word, but where there are tables. */
		if (bits == ~0ULL && t->set[w] == ~0ULL &&
		    !memcmp(row + w * 64, t->val + w * 64, 64 * sizeof(*row)))
			continue;
		for (; bits; bits &= bits - 1) {
			index = w * 64 + __builtin_ctzll(bits);
			want = mget(t, index);
			if (mspte_is_table(want, t->level)) {
				if (!compare_link(m, t, index, want, row[index]))
					return false;
			} else if (row[index] != (want == SPTE_INITIAL ? m->fmt.initial : want)) {
				differs(m, t, index, want, row[index]);
				return false;
			}
		}
	}
	return true;
}

/* All that was ever written to a new table: in most cases a few entries, told one by one. */
static bool compare_new_table(struct model *m, struct mtable *t, const struct mpage *page)
{
	const uint64_t *row = m->env.sptep(m->env.ctx, t->pa);
	uint64_t which[8];
	unsigned int i;

	if (!row) {
		gone(m, t, t->gfn, 0);
		return false;
	}
	memcpy(which, t->set, sizeof(which));
	if (page->nr_writes > MPAGE_WRITES || page->fill != m->fmt.initial)
		memset(which, 0xff, sizeof(which));
	else
		for (i = 0; i < page->nr_writes; i++)
			which[page->write[i] / 64] |= 1ULL << page->write[i] % 64;
	return compare_entries(m, t, row, which);
}

/**
 * mcompare_bind() - an expected table is the real one at an address
 * @m: model
 * @t: the table; its address was learnt now or before
 * @pa: address
 *
 * Return: is it right, as far as it goes down?
 */
bool mcompare_bind(struct model *m, struct mtable *t, uint64_t pa)
{
	uint64_t n = (pa - SPTE_PT_PA) >> 12;
	struct mpage *page;

	if (t->pa != NO_PA) {
		if (t->pa != pa)
			mreport(m, 'M', t->gfn, 0, "%s at %#llx, should be the one at %#llx",
				t->parent ? "table" : "root", (unsigned long long)pa,
				(unsigned long long)t->pa);
		return t->pa == pa;
	}
	if (pa < SPTE_PT_PA || n >= SPTE_PT_PAGES || m->page[n].epoch != m->vm_epoch ||
	    !m->page[n].live) {
		mreport(m, 'U', t->gfn, 0, "the %s at %#llx is no allocated page-table page",
			t->parent ? "table" : "root", (unsigned long long)pa);
		return false;
	}
	page = &m->page[n];
	if (page->table) {
		mreport(m, 'M', t->gfn, 0, "the page table at %#llx is in use elsewhere",
			(unsigned long long)pa);
		return false;
	}
	page->table = t->id;
	t->pa = pa;
	return compare_new_table(m, t, page);
}

/* Every entry that was touched since the last time. */
void mcompare_touched(struct model *m)
{
	const uint64_t *row;
	struct mtable *t;
	uint32_t i;

	for (i = 0; i < m->nr_touched && m->on; i++) {
		t = mtable(m, m->touched[i]);
		/* Of a table that has no address yet, its link will be compared. */
		if (!t->live || t->pa == NO_PA || t->touch_epoch != m->epoch)
			continue;
		row = m->env.sptep(m->env.ctx, t->pa);
		if (!row) {
			gone(m, t, t->gfn, 0);
			return;
		}
		if (!compare_entries(m, t, row, t->touched))
			return;
	}
	m->nr_touched = 0;
	m->epoch++;
}

static bool same_marks(const struct mmarks *is, const struct mmarks *want)
{
	return is->nr == want->nr && is->sum == want->sum;
}

static void other_marks(struct model *m, char rule, const char *what, const struct mmarks *is,
			const struct mmarks *want)
{
	uint64_t i, k, n = is->nr < MARKS_KEPT ? is->nr : MARKS_KEPT;
	uint64_t w = want->nr < MARKS_KEPT ? want->nr : MARKS_KEPT;

	for (i = 0; i < w; i++) {
		for (k = 0; k < n && is->kept[k] != want->kept[i]; k++)
			;
		if (k == n)
			break;
	}
	if (i < w)
		mreport(m, rule, NO_GFN, 0,
			"pfn %#llx was not marked %s (%llu were, %llu should be)",
			(unsigned long long)want->kept[i], what, (unsigned long long)is->nr,
			(unsigned long long)want->nr);
	else
		mreport(m, rule, NO_GFN, 0,
			"%llu pfns were marked %s (the first %#llx), should be %llu",
			(unsigned long long)is->nr, what, (unsigned long long)(n ? is->kept[0] : 0),
			(unsigned long long)want->nr);
}

void mcompare_marks(struct model *m)
{
	if (!same_marks(&m->c.dirty, &m->c.want_dirty))
		other_marks(m, 'D', "dirty", &m->c.dirty, &m->c.want_dirty);
	if (!same_marks(&m->c.accessed, &m->c.want_accessed))
		other_marks(m, 'M', "accessed", &m->c.accessed, &m->c.want_accessed);
}

static bool covers(const struct mflush *f, const struct mflush *owed)
{
	if (!f->nr)
		return true;
	return owed->nr && f->gfn <= owed->gfn && f->gfn + f->nr >= owed->gfn + owed->nr;
}

void mcompare_flushes(struct model *m)
{
	struct mcall *c = &m->c;
	const struct mflush *owed;
	uint32_t i, k;

	if (c->owe_kick && !c->kicked_roots)
		mreport(m, 'T', NO_GFN, 0, "vCPUs were not told to drop their roots");
	if (c->owe_drain && !c->kicked)
		mreport(m, 'D', NO_GFN, 0,
			"vCPUs were not made to hand over what the CPU had logged");
	for (i = 0; i < c->nr_owed; i++) {
		owed = &c->owed[i];
		for (k = 0; k < c->nr_flush; k++)
			if (covers(&c->flush[k], owed) &&
			    (!owed->last || c->flush[k].seq == c->seq))
				break;
		if (k < c->nr_flush || c->nr_flush == FLUSHES_KEPT)
			continue;
		if (owed->nr)
			mreport(m, 'T', owed->gfn, 0,
				"no flush of %llu pages from gfn %#llx on, which is owed",
				(unsigned long long)owed->nr, (unsigned long long)owed->gfn);
		else
			mreport(m, 'T', NO_GFN, 0, "no flush of everything, which is owed");
	}
}
