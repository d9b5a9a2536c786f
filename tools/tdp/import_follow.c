// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeping up with what SPTEs are, and what that shows of what has no event: accesses without
 * a fault, the host's own mappings, second roots, clears of a part of a dirty log, races.
 */
#include "import_walk.h"

/*
 * A and D that were not there when the SPTE last changed: the guest has been at the page since.
 * When, nobody tells; most likely before the host began to look at what guests had touched.
 */
static void seen_accessed(struct state *s, struct task_state *t, uint32_t event, uint64_t before)
{
	struct import *im = s->im;
	const struct ft_event *ev = &im->log->events[event];
	struct spte_class was = spte_classify(&im->desc, ev->level, before);
	struct spte_class is = spte_classify(&im->desc, ev->level, ev->b);
	struct import_op *op;

	if (was.kind != SPTE_LEAF || is.kind != SPTE_LEAF || (was.a >= is.a && was.d >= is.d))
		return;
	op = import_add_op(im, t->since, 0, is.d > was.d ? OP_WRITE : OP_READ);
	if (!op)
		return;
	op->op.gfn = ev->a;
	op->op.n = op->op.step = 1;
	im->counts.seen_accesses++;
}

/* By a write fault the host makes its mapping writable itself. */
static void mapped(struct state *s, struct task_state *t, uint32_t event)
{
	struct import *im = s->im;
	const struct ft_event *ev = &im->log->events[event];
	const struct op *op = last_op(im, t);
	struct import_slot *slot = import_slot_at(im, ev->as_id, ev->a);
	const struct history_key *key;
	bool untouched = true;

	if (!t->at_fault || (op->gfn & ~((1ULL << 9 * (ev->level - 1)) - 1)) != ev->a)
		return;
	key = history_find(&s->history, ev->as_id, ev->a, ev->level);
	if (key && slot) {
		const struct history_life *last = &s->history.lives[key->last];

		untouched = last->steps[last->nr - 1].line <
			    im->log->events[slot->protected_at].line;
	}
	if (op->kind == OP_WRITE)
		import_host_written(im, slot, event);
	else
		import_host_access(im, slot, event, untouched);
}

/*
 * A page that stays writable although the log was read since it became so: not all of the log was
 * read, but a part of it cleared.
 */
static void shows_partial_clear(struct state *s, const struct task_state *t, uint32_t event,
				const struct history_life *life)
{
	struct import *im = s->im;
	const struct ft_event *ev = &im->log->events[event];
	struct import_slot *slot = import_slot_at(im, ev->as_id, ev->a);
	uint32_t line = life->steps[life->nr - 1].line;
	bool reading = t->run.slot == slot && !t->run.stop;

	if (!slot || !life->steps[life->nr - 1].class.w || ev->level > 1)
		return;
	if (line < slot->read_before || (!reading && line < slot->read_last))
		im->partial_clears = true;
}

/*
 * Entries of roots.  Where a fault makes one that a root has already, and roots were not
 * invalidated, there are two roots at once: the vCPU has changed its role, as for a nested guest.
 */
static void follow_roots(struct state *s, struct task_state *t, uint32_t event)
{
	struct import *im = s->im;
	const struct ft_event *ev = &im->log->events[event];
	bool linked = spte_classify(&im->desc, ev->level, ev->c).kind == SPTE_TABLE;
	struct import_op *op;
	uint32_t i, same = 0;
	uint8_t vcpu;

	for (i = 0; i < s->nr_tops; i++) {
		struct top *top = &s->tops[i];

		same += top->as_id == ev->as_id && top->gfn == ev->a;
		if (top->as_id == ev->as_id && top->gfn == ev->a && top->spte == ev->b)
			*top = s->tops[--s->nr_tops];
	}
	if (!linked || s->nr_tops == MAX_TOPS)
		return;
	s->tops[s->nr_tops++] = (struct top){ ev->as_id, ev->a, ev->c };
	if (!same || !t->at_fault)
		return;
	vcpu = im->ops[t->op - 1].vcpu;
	s->guest_mode[vcpu] = !s->guest_mode[vcpu];
	op = import_add_op(im, event, 2, s->guest_mode[vcpu] ? OP_GUEST_ENTER : OP_GUEST_LEAVE);
	if (op)
		op->vcpu = vcpu;
}

/**
 * walk_others_worked - the host or the VMM changes an SPTE
 * @s: state of the walk
 * @t: task that does
 * @event: number of the event FT_CHANGED
 *
 * Accesses that took effect since it began to work at the slot, or that had begun before, may have
 * come before or after, which the order of events does not tell.
 */
void walk_others_worked(struct state *s, struct task_state *t, uint32_t event)
{
	struct import *im = s->im;
	const struct ft_event *ev = &im->log->events[event];
	struct import_slot *slot = import_slot_at(im, ev->as_id, ev->a);
	uint32_t from = t->worked > t->since ? t->worked : t->since;
	uint32_t i;

	t->worked = event;
	if (!slot)
		return;
	slot->worked_at = event;
	for (i = s->nr_commits; i-- > 0 && s->nr_commits - i <= MAX_COMMITS;) {
		const struct commit *c = &s->commits[i % MAX_COMMITS];

		if (c->event < from)
			break;
		if (import_slot_at(im, c->as_id, c->gfn) == slot)
			import_raced(im, c->as_id, c->gfn);
	}
}

/**
 * walk_follow - keep up with what SPTEs are
 * @s: state of the walk
 * @t: task that changes one
 * @event: number of the event FT_CHANGED
 */
void walk_follow(struct state *s, struct task_state *t, uint32_t event)
{
	const struct ft_event *ev = &s->im->log->events[event];
	struct history *h = &s->history;
	uint32_t life = history_of_value(h, ev->as_id, ev->a, ev->level, ev->b);

	if (ev->level == h->vm->levels)
		follow_roots(s, t, event);
	if (spte_classify(h->vm, ev->level, ev->c).kind == SPTE_LEAF)
		mapped(s, t, event);
	if (spte_classify(h->vm, ev->level, ev->b).kind == SPTE_NONE)
		life = HISTORY_OPEN;
	if (life != HISTORY_OPEN) {
		if (!((h->lives[life].spte ^ ev->b) & ~0xfffULL))
			seen_accessed(s, t, event, h->lives[life].spte);
		shows_partial_clear(s, t, event, &h->lives[life]);
		history_change(h, life, ev->level, ev->c, ev->line);
	} else if (spte_classify(h->vm, ev->level, ev->c).kind != SPTE_NONE) {
		history_begin(h, ev->as_id, ev->a, ev->level, ev->c, ev->line, BORN_MAPPED);
	}
}
