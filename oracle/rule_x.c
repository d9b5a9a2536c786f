// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule X: once a toggle of the mitigation has returned, no huge leaf under a valid root is
 * executable; the recovery list holds exactly the linked tables made by exec faults whose requested
 * level was at or above the replaced SPTE's, and not unaccounted since.
 *
 * The list itself is not visible, its length is (nx_lpage_splits, compared in rule_l.c at moments
 * when nothing runs): it is at least the number of tables that must be on it, and at most that plus
 * those of which it is not known. These are
 * - tables of slots that were logged during a recovery, which takes them off the list without
 *   zapping them, in the list's order (the sequential prediction knows it);
 * - tables made by a fault that ran while slots, the mitigation or what is tracked were being changed: it
 *   may have gone by the old state or the new;
 * - tables made after two toggles of the mitigation that overlapped, until the next toggle.
 */
#include "mirror_internal.h"
#include "rules.h"

#define PFERR_FETCH (1ULL << 4)

static bool executable(const struct oracle *o, uint64_t spte)
{
	if (fmt_access_tracked(&o->fmt, spte))
		return fmt_saved_perm(&o->fmt, spte) & FMT_X;
	return fmt_perm(&o->fmt, spte) & FMT_X;
}

/* Is some gfn of the huge page of @level around @gfn write-tracked? */
static bool tracked(const struct oracle *o, uint8_t number, uint64_t gfn, int level)
{
	uint64_t n = 1ULL << (9 * (level - 1));
	uint32_t i;

	for (i = 0; i < o->nr_tracked; i++)
		if (o->tracked[i].slot == number && o->tracked[i].gfn - (gfn & -n) < n)
			return true;
	return false;
}

/* The level that a fault would have mapped at without the mitigation. */
static int requested_level(struct oracle *o, const struct slot *slot, uint64_t gfn)
{
	uint64_t hvn = slot->desc.hvn + (gfn - slot->desc.base);
	int level = oracle_host_mapping_level(o, hvn);

	if (slot->desc.flags & SLOT_LOG)
		return 1;
	for (; level > 1; level--) {
		uint64_t n = 1ULL << (9 * (level - 1)), first = gfn & -n;

		if (!((slot->desc.base ^ slot->desc.hvn) & (n - 1)) && first >= slot->desc.base &&
		    first + n <= slot->desc.base + slot->desc.npages &&
		    !tracked(o, slot->number, gfn, level))
			break;
	}
	return level;
}

static void set_listed(struct oracle *o, struct mirror_table *t, enum nx_listed listed)
{
	o->nr_nx_splits += (listed == NX_LISTED) - (t->nx == NX_LISTED);
	o->nr_nx_maybe += (listed == NX_MAYBE) - (t->nx == NX_MAYBE);
	t->nx = listed;
}

static void note_link(struct oracle *o, const struct spte_event *ev)
{
	const struct oracle_call *call = oracle_in_call(o);
	struct mirror_table *child = mirror_table(o, fmt_table(&o->fmt, ev->val));
	const struct mirror_table *root = mirror_table(o, ev->t->root);
	uint64_t since = oracle_current(o)->calls[0].step;
	const struct slot *slot;

	if (!child || !root || !call || call->kind != CALL_PAGE_FAULT ||
	    !(call->error_code & PFERR_FETCH))
		return;
	if (o->overlapped &&
	    (o->nx_open || o->nx_step > since || o->nx_unsure || o->track_open ||
	     o->track_step > since || o->track_unsure || oracle_region_changed(o, since))) {
		set_listed(o, child, NX_MAYBE);
		return;
	}
	slot = slots_find(&o->slots, root->smm, call->gfn);
	if (o->nx_huge_pages && slot && requested_level(o, slot, call->gfn) >= ev->level)
		set_listed(o, child, NX_LISTED);
}

static void note_unlink(struct oracle *o, const struct spte_event *ev)
{
	struct mirror_table *child = mirror_table(o, fmt_table(&o->fmt, ev->old));

	if (child)
		set_listed(o, child, NX_NOT_LISTED);
}

static bool is_logged(struct oracle *o, const struct mirror_table *t)
{
	const struct mirror_table *root = mirror_table(o, t->root);
	const struct slot *slot = root ? slots_find(&o->slots, root->smm, t->gfn) : NULL;

	return slot && (slot->desc.flags & SLOT_LOG);
}

/* Recovery may have forgotten tables of slots that are logged. */
static void note_recovery(struct oracle *o)
{
	bool any = oracle_region_changed(o, oracle_call_step(o));
	uint32_t i;

	if (!o->nr_nx_splits || (!any && !o->slots.nr_logging))
		return;
	for (i = 0; i < o->mirror->nr_used; i++) {
		struct mirror_table *t = o->mirror->used[i];

		if (t->nx == NX_LISTED && (any || is_logged(o, t)))
			set_listed(o, t, NX_MAYBE);
	}
}

/* The children of a split are huge pages too, unless they are 4K pages. */
static uint64_t executable_child(struct oracle *o, const struct spte_event *ev)
{
	const struct mirror_table *child = mirror_table(o, fmt_table(&o->fmt, ev->val));
	uint32_t i;

	if (ev->level <= 2 || !child || !child->live || !child->nr_init)
		return 0;
	if (child->init_uniform)
		return executable(o, child->init_base) ? child->init_base : 0;
	for (i = 0; i < 512; i++) {
		uint64_t spte = mirror_read(o, child->pa + i * 8);

		if (fmt_mmu_present(spte) && fmt_is_leaf(spte, child->level) && executable(o, spte))
			return spte;
	}
	return 0;
}

void rule_x_spte(struct oracle *o, const struct spte_event *ev)
{
	const struct mirror_table *root;
	uint64_t spte = 0;

	if (ev->level == 1)
		return;
	if (ev->was && !ev->was_leaf && (!ev->is || ev->is_leaf))
		note_unlink(o, ev);
	if (ev->is && !ev->is_leaf && (!ev->was || ev->was_leaf))
		note_link(o, ev);
	if (!ev->is || !o->nx_huge_pages)
		return;
	if (!ev->is_leaf)
		spte = executable_child(o, ev);
	else if (executable(o, ev->val))
		spte = ev->val;
	root = mirror_table(o, ev->t->root);
	if (spte && root && root->valid)
		oracle_report(o, 'X', ev->gfn, spte,
			      "an executable huge page under the mitigation");
}

static int check_leaf(struct oracle *o, const struct mirror_leaf *leaf, void *arg)
{
	(void)arg;
	if (leaf->level == 1 || !executable(o, leaf->spte))
		return 0;
	oracle_report(o, 'X', leaf->gfn, leaf->spte,
		      "an executable huge page is left after the mitigation was turned on");
	return 1;
}

static bool changes_tracking(const struct oracle_call *call)
{
	return call->kind == CALL_TRACK || call->kind == CALL_UNTRACK;
}

void rule_x_call_begin(struct oracle *o, const struct oracle_call *call)
{
	o->track_open += changes_tracking(call);
	if (call->kind != CALL_SET_NX)
		return;
	o->nx_open++;
	if (!call->on)
		o->nx_huge_pages = false;
}

/* Of two toggles that overlap, nobody knows which one won. */
static void nx_was_set(struct oracle *o, const struct oracle_call *call)
{
	bool alone = !--o->nx_open && o->nx_step < oracle_call_step(o);

	o->nx_step = o->step;
	if (call->ret)
		return;
	o->nx_huge_pages = call->on && alone;
	o->nx_unsure = !alone;
}

void rule_x_call_end(struct oracle *o, const struct oracle_call *call)
{
	uint32_t i, n;
	struct mirror_table **roots;

	if (changes_tracking(call)) {
		o->track_open--;
		o->track_step = o->step;
	}
	if (call->kind == CALL_NX_RECOVER)
		note_recovery(o);
	if (call->kind != CALL_SET_NX)
		return;
	nx_was_set(o, call);
	if (!o->nx_huge_pages)
		return;
	roots = mirror_roots(o, &n);
	for (i = 0; i < n; i++)
		if (roots[i]->valid)
			mirror_for_each_leaf(o, roots[i], 0, ~0ULL, check_leaf, NULL);
}
