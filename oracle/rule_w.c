// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule W: from the return of track to untrack, the gfn is writable through no entry that a vCPU can
 * still use: no SPTE of a valid root, which a fast fault could make writable either, and no TLB
 * entry.
 *
 * Calls that overlap: a page is tracked as long as more track calls have returned than untrack
 * calls have begun, of those that succeed. A slot that is being deleted or moved tracks nothing any
 * more.
 */
#include "rules.h"

#include <string.h>

static struct tracked_gfn *find(struct oracle *o, uint8_t slot, uint64_t gfn)
{
	uint32_t i;

	for (i = 0; i < o->nr_tracked; i++)
		if (o->tracked[i].slot == slot && o->tracked[i].gfn == gfn)
			return &o->tracked[i];
	return NULL;
}

static void count(struct oracle *o, uint8_t slot, uint64_t gfn, int n)
{
	struct tracked_gfn *t = find(o, slot, gfn);

	if (!t && o->nr_tracked < ORACLE_MAX_TRACKED) {
		t = &o->tracked[o->nr_tracked++];
		*t = (struct tracked_gfn){ .slot = slot, .gfn = gfn };
	}
	if (!t)
		return;
	t->count += n;
	if (!t->count)
		*t = o->tracked[--o->nr_tracked];
}

static bool writable(const struct oracle *o, uint64_t spte)
{
	return spte & (FMT_BIT_W | o->fmt.mmu_writable);
}

/* The tracked gfn in [@gfn, @gfn + @n) of address space @as; NO_GFN if none. */
static uint64_t tracked_in(const struct oracle *o, int as, uint64_t gfn, uint64_t n)
{
	uint32_t i;

	for (i = 0; i < o->nr_tracked; i++)
		if (OP_SLOT_AS(o->tracked[i].slot) == as && o->tracked[i].gfn - gfn < n &&
		    o->tracked[i].count > 0 && !oracle_slot_leaves(o, o->tracked[i].slot))
			return o->tracked[i].gfn;
	return NO_GFN;
}

void rule_w_spte(struct oracle *o, const struct spte_event *ev)
{
	const struct mirror_table *root;
	uint64_t gfn;

	if (!o->nr_tracked || !ev->is_leaf || !writable(o, ev->val))
		return;
	root = mirror_table(o, ev->t->root);
	if (!root || !root->valid)
		return;
	gfn = tracked_in(o, root->smm, ev->gfn, 1ULL << (9 * (ev->level - 1)));
	if (gfn != NO_GFN)
		oracle_report(o, 'W', gfn, ev->val, "a write-tracked page becomes writable");
}

static int check_leaf(struct oracle *o, const struct mirror_leaf *leaf, void *arg)
{
	if (!writable(o, leaf->spte))
		return 0;
	oracle_report(o, 'W', *(uint64_t *)arg, leaf->spte,
		      "a page is writable after it was write-tracked");
	return 1;
}

static void check_tlb(struct oracle *o, struct vcpu *v, struct tlb_entry *e, void *arg)
{
	uint64_t gfn = *(uint64_t *)arg;

	if (gfn - e->gfn < 1ULL << (9 * (e->level - 1)) && (e->perm & FMT_W))
		oracle_report(o, 'W', gfn, e->spte,
			      "vCPU %d's TLB has a page writable after it was write-tracked",
			      (int)(v - o->vcpus));
}

static void check(struct oracle *o, int as, uint64_t gfn)
{
	uint32_t i, n;
	struct mirror_table **roots = mirror_roots(o, &n);

	for (i = 0; i < n; i++)
		if (roots[i]->smm == as && roots[i]->valid)
			mirror_for_each_leaf(o, roots[i], gfn, gfn + 1, check_leaf, &gfn);
	for (i = 0; i < PROG_MAX_VCPUS; i++) {
		struct vcpu *v = &o->vcpus[i];

		if (v->root != MIRROR_NONE && !v->must_load && v->smm == as)
			tlb_for_each(o, v, check_tlb, &gfn);
	}
}

/* From here on nobody need keep the page from being written. */
void rule_w_call_begin(struct oracle *o, const struct oracle_call *call)
{
	if (call->kind == CALL_UNTRACK)
		count(o, call->slot, call->gfn, -1);
}

void rule_w_call_end(struct oracle *o, const struct oracle_call *call)
{
	/* It counts now if it is tracked, or was not untracked. */
	if (!(call->kind == CALL_TRACK && !call->ret) && !(call->kind == CALL_UNTRACK && call->ret))
		return;
	/* What was tracked may have gone with its slot since. */
	if (o->overlapped && oracle_region_changed(o, oracle_call_step(o))) {
		o->track_unsure = true;
		return;
	}
	count(o, call->slot, call->gfn, 1);
	if (call->kind == CALL_TRACK &&
	    tracked_in(o, OP_SLOT_AS(call->slot), call->gfn, 1) != NO_GFN)
		check(o, OP_SLOT_AS(call->slot), call->gfn);
}

/* The slot was deleted or moved: its pages are not tracked any more. */
void rule_w_slot(struct oracle *o, uint8_t number)
{
	uint32_t i = 0;

	while (i < o->nr_tracked) {
		if (o->tracked[i].slot == number)
			o->tracked[i] = o->tracked[--o->nr_tracked];
		else
			i++;
	}
}

void rule_w_use(struct oracle *o, const struct hw_use *use)
{
	if (o->nr_tracked && use->access == HW_WRITE &&
	    tracked_in(o, use->v->smm, use->gfn, 1) != NO_GFN)
		oracle_report(o, 'W', use->gfn, use->e->spte, "vCPU %d writes a write-tracked page",
			      use->vcpu);
}
