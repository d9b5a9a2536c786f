// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule T: no access through a translation that a completed zap, unmap or write-protect, with the
 * flush it owes, has taken away.
 *
 * What a TLB entry permits is compared with what the page tables say now, at the moment of use.
 * These differences are fine:
 * - the change was made by a call that has not returned and not flushed since (owed.c): its flush
 *   may still come;
 * - the flush was asked for and the vCPU, in the middle of an instruction, has yet to take it;
 * - the tables permit more than the entry: that is a spurious fault at worst;
 * - a huge entry whose page was split: the translation is the same;
 * - A/D bits: a missing flush after a D bit was cleared loses a write, which is rule D's to find;
 * - W that access tracking took away: aging does not flush, it marked the frame dirty, and
 *   everything that relies on the page not being written flushes by itself. A read fault restores
 *   the SPTE without W; from then on it looks as if it were write-protected for the log, so this is
 *   remembered (table.aged), and children of a split inherit it.
 *
 * Never fine is an entry that maps another frame than the page tables do: two vCPUs would see
 * different memory at the same place. Whoever takes a frame away keeps others from mapping the next
 * one until no TLB has the old one: by mmu_lock, held for writing, or by a frozen SPTE. So a page
 * that is mapped again while a flush is owed for its last mapping is a violation by itself, whether
 * or not a vCPU uses either of them.
 */
#include "mirror_internal.h"
#include "rules.h"

#include <string.h>

static void inherit_aged(struct mirror_table *child)
{
	if (child)
		memset(child->aged, 0xff, sizeof(child->aged));
}

/*
 * NX recovery of Linux 7.2 holds mmu_lock for reading until it has flushed, so the page may be mapped
 * again before that, by the same frame: to take that away is to hold mmu_lock for writing.
 */
static bool keeps_frames(struct oracle *o)
{
	const struct oracle_call *call = oracle_in_call(o);

	return o->vm.kernel == VM_LINUX_7_2 && call && call->kind == CALL_NX_RECOVER;
}

/* A split does not: what it maps is compared by rule M. */
static bool takes_away(const struct oracle *o, const struct spte_event *ev)
{
	if (!ev->is)
		return true;
	if (!ev->was_leaf)
		return ev->is_leaf || fmt_table(&o->fmt, ev->old) != fmt_table(&o->fmt, ev->val);
	return ev->is_leaf && (fmt_perm(&o->fmt, ev->old) & ~fmt_perm(&o->fmt, ev->val));
}

static bool is_valid_root(const struct oracle *o, uint64_t pa)
{
	const struct mirror_table *root = mirror_at(o->mirror, pa);

	return root && root->valid;
}

/*
 * A page is mapped that was not. In an invalid root, or in a table that is being removed, that is
 * nothing that anybody could come to use.
 */
static void check_refault(struct oracle *o, const struct spte_event *ev)
{
	if (!o->calls_open || !is_valid_root(o, ev->t->root) ||
	    !owed_any(o, ev->t->root, ev->gfn, true) || !mirror_reachable(o, ev->t))
		return;
	oracle_report(o, 'T', ev->gfn, ev->val,
		      "a page is mapped again before the flush that is owed for its last mapping");
}

void rule_t_spte(struct oracle *o, const struct spte_event *ev)
{
	uint32_t idx = (ev->pa >> 3) & 511;
	uint64_t bit = 1ULL << (idx & 63);

	/* What a table mapped went with the link to it; of an invalid root nobody has anything. */
	if (ev->was && (ev->t->linked || ev->t->is_root) && takes_away(o, ev) &&
	    is_valid_root(o, ev->t->root))
		owed_add(o, ev->t->root, ev->gfn, 1ULL << (9 * (ev->level - 1)),
			 !ev->is && !keeps_frames(o));
	if (ev->is_leaf && !ev->was)
		check_refault(o, ev);
	if (o->fmt.ad || !ev->was_leaf)
		return;
	if (ev->is && !ev->is_leaf && ev->t->aged[idx / 64] & bit)
		inherit_aged(mirror_at(o->mirror, fmt_table(&o->fmt, ev->val)));
	if (ev->is_leaf && !(ev->val & FMT_BIT_W) && fmt_access_tracked(&o->fmt, ev->old))
		ev->t->aged[idx / 64] |= bit;
	else if (!ev->is_leaf || (ev->val & FMT_BIT_W))
		ev->t->aged[idx / 64] &= ~bit;
}

/*
 * May the vCPU still have of @root what the page tables do not have for @gfn any more? @start and
 * @n: what it has cached there in one piece.
 */
static bool in_flight(const struct oracle *o, const struct vcpu *v, uint64_t root, uint64_t gfn,
		      uint64_t start, uint64_t n)
{
	return owed_any(o, root, gfn, false) || hw_flush_pending(v, start, n);
}

/* The leaf for @gfn in the tables as they are now. */
static bool current_leaf(struct oracle *o, uint64_t root, uint64_t gfn, struct mirror_leaf *leaf)
{
	struct mirror_table *t = mirror_at(o->mirror, root);

	while (t && t->live && t->level) {
		uint64_t pa = t->pa + ((gfn >> (9 * (t->level - 1))) & 511) * 8;
		uint64_t spte = mirror_read(o, pa);

		if (!fmt_mmu_present(spte))
			return false;
		if (fmt_is_leaf(spte, t->level)) {
			*leaf = (struct mirror_leaf){
				.table = t,
				.pa = pa,
				.gfn = mirror_entry_gfn(t, pa),
				.level = t->level,
				.spte = spte,
			};
			return true;
		}
		t = mirror_at(o->mirror, fmt_table(&o->fmt, spte));
	}
	return false;
}

/* What the leaf would permit to somebody who had used it before access tracking. */
static unsigned int permitted(const struct oracle *o, const struct mirror_leaf *leaf)
{
	uint32_t idx = (leaf->pa >> 3) & 511;
	unsigned int perm = fmt_perm(&o->fmt, leaf->spte);

	if (fmt_access_tracked(&o->fmt, leaf->spte))
		perm = FMT_W | fmt_saved_perm(&o->fmt, leaf->spte);
	else if (leaf->table->aged[idx / 64] >> (idx & 63) & 1)
		perm |= FMT_W;
	return perm;
}

static bool report(struct oracle *o, const struct hw_use *use, const char *what)
{
	static const char *const names[] = { "reads", "writes", "executes" };

	oracle_report(o, 'T', use->gfn, use->e->spte, "vCPU %d %s through a TLB entry %s",
		      use->vcpu, names[use->access], what);
	return false;
}

/**
 * rule_t_use() - a vCPU uses a TLB entry
 * @o: oracle
 * @use: which, for what
 *
 * Return: whether it may.
 */
bool rule_t_use(struct oracle *o, const struct hw_use *use)
{
	static const unsigned int needs[] = { FMT_R, FMT_W, FMT_X };
	const uint64_t ignore = o->fmt.accessed | o->fmt.dirty;
	struct tlb_entry *e = use->e;
	struct mirror_table *t = mirror_at(o->mirror, e->leaf);
	uint64_t n = 1ULL << (9 * (e->level - 1));
	struct mirror_leaf leaf;

	if (t && t->live && t->gen == e->leaf_gen) {
		if (e->unlinks != o->mirror->unlinks && mirror_reachable(o, t))
			e->unlinks = o->mirror->unlinks;
		if (e->unlinks == o->mirror->unlinks &&
		    !((mirror_read(o, e->leaf) ^ e->spte) & ~ignore))
			return true;
	}
	if (!current_leaf(o, e->root, use->gfn, &leaf))
		return in_flight(o, use->v, e->root, use->gfn, e->gfn, n) ||
		       report(o, use, "whose mapping is gone");
	if (fmt_pfn(&o->fmt, leaf.spte) + (use->gfn - leaf.gfn) != e->pfn + (use->gfn - e->gfn))
		return report(o, use, "that maps another frame than the page tables");
	/*
	 * While the mitigation is being turned on, a fault that goes by it already may take X from a huge
	 * leaf. That needs no flush: before the toggle returns no root that is in use now is any more.
	 */
	if (use->access == HW_EXEC && o->nx_open)
		return true;
	if (!(permitted(o, &leaf) & needs[use->access]))
		return in_flight(o, use->v, e->root, use->gfn, e->gfn, n) ||
		       report(o, use, "that permits what the page tables do not");
	return true;
}

/**
 * rule_t_walk() - a walk starts at a cached non-leaf entry
 * @o: oracle
 * @vcpu: whose
 * @gfn: page that is looked for
 * @level: of the entry
 * @e: the entry
 *
 * Return: whether the page tables still have it.
 */
bool rule_t_walk(struct oracle *o, int vcpu, uint64_t gfn, int level, struct psc_entry *e)
{
	struct mirror_table *t, *child;
	uint64_t now;

	if (e->unlinks == o->mirror->unlinks)
		return true;
	t = mirror_at(o->mirror, e->pa);
	child = mirror_at(o->mirror, e->table);
	if (t && t->live && t->gen == e->pa_gen && mirror_reachable(o, t)) {
		now = mirror_read(o, e->pa);
		if (fmt_mmu_present(now) && !fmt_is_leaf(now, level) &&
		    fmt_table(&o->fmt, now) == e->table && child && child->live &&
		    child->gen == e->table_gen) {
			e->unlinks = o->mirror->unlinks;
			return true;
		}
	}
	if (in_flight(o, &o->vcpus[vcpu], o->vcpus[vcpu].root, gfn, e->gfn,
		      1ULL << (9 * (level - 1))))
		return true;
	oracle_report(o, 'T', gfn, e->spte,
		      "vCPU %d walks through a cached level-%d entry whose table was removed", vcpu,
		      level);
	return false;
}
