// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events -> operations: what the VMM and the host did, and whose turn each event is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "import_walk.h"

/**
 * import_add_op - add an operation
 * @im: import
 * @event: number of the event at which it took effect
 * @sub: 0..3, its place among those of this event
 * @kind: which
 *
 * Return: the operation, valid until the next is added, or NULL.
 */
struct import_op *import_add_op(struct import *im, uint32_t event, int sub, enum op_kind kind)
{
	struct import_op *op;

	if (im->nr_ops == im->cap_ops) {
		uint32_t cap = im->cap_ops ? 2 * im->cap_ops : 1024;
		struct import_op *ops = realloc(im->ops, cap * sizeof(*ops));

		if (!ops) {
			im->no_memory = true;
			return NULL;
		}
		im->ops = ops;
		im->cap_ops = cap;
	}
	op = &im->ops[im->nr_ops++];
	memset(op, 0, sizeof(*op));
	op->at = 4ULL * event + sub;
	op->line = im->log->events[event].line;
	op->op.kind = kind;
	return op;
}

static void zapped_leaf(struct state *s, struct task_state *t, uint32_t event)
{
	struct import *im = s->im;
	const struct ft_event *ev = &im->log->events[event];
	uint64_t n = 1ULL << 9 * (ev->level - 1);
	struct op *last = t->zap ? &im->ops[t->zap - 1].op : NULL;
	struct import_op *op;

	/* The end of a VM zaps everything, and needs no operation. */
	if (t->doing != NOTHING || spte_is_frozen(ev->c) || event > s->last_fault)
		return;
	if (last && ev->a >= last->gfn + last->n) {
		last->n = ev->a + n - last->gfn;
		return;
	}
	op = import_add_op(im, event, 2, OP_ZAP_RANGE);
	if (!op)
		return;
	op->op.gfn = ev->a;
	op->op.n = n;
	t->zap = im->nr_ops;
}

static bool is_nx_worker(const struct import *im, const struct ft_event *ev)
{
	return !strncmp(im->log->tasks[ev->task].comm, "kvm-nx-lpage", 12);
}

static void zapped_table(struct state *s, struct task_state *t, uint32_t event)
{
	struct import *im = s->im;
	const struct ft_event *ev = &im->log->events[event];

	if (is_nx_worker(im, ev)) {
		/* It leaves alone what is of a logged slot, so logging has stopped meanwhile. */
		if (import_slot_logging(im, ev->as_id, ev->a) && !im->exact)
			import_log_collapsed(im, &t->run, event);
		else if (!im->exact)
			import_add_op(im, event, 2, OP_NX_RECOVER);
	} else if (t->doing != ZAPPING_ALL && !im->exact && event <= s->last_fault &&
		   ev->level == 2) {
		/* An unmap zaps leaves only, so the task has gone on to something else. */
		t->doing = NOTHING;
		import_log_collapsed(im, &t->run, event);
	}
}

static void logging(struct import *im, struct task_state *t, uint32_t event,
		    void (*step)(struct import *im, struct import_run *run, uint32_t event))
{
	uint32_t ops = im->nr_ops;

	t->doing = NOTHING;
	step(im, &t->run, event);
	if (im->nr_ops != ops)
		t->since = event;
}

/* An SPTE changed that is not of the fault which the task serves. */
static void changed_otherwise(struct state *s, struct task_state *t, uint32_t event)
{
	struct import *im = s->im;
	const struct ft_event *ev = &im->log->events[event];
	struct spte_class old = spte_classify(&im->desc, ev->level, ev->b);
	struct spte_class new = spte_classify(&im->desc, ev->level, ev->c);
	bool probed = im->exact && (t->doing == SETTING_REGION || im->log->seen[FT_CLEAR_MASKED]);

	if (old.kind != SPTE_NONE)
		walk_others_worked(s, t, event);
	if (old.kind == SPTE_LEAF && new.kind == SPTE_NONE)
		zapped_leaf(s, t, event);
	else if (old.kind == SPTE_TABLE && new.kind == SPTE_NONE)
		zapped_table(s, t, event);
	else if (old.kind == SPTE_LEAF && new.kind == SPTE_TABLE && !probed)
		logging(im, t, event, import_log_split);
	else if (spte_write_protected(&old, &new) && !probed)
		logging(im, t, event, import_log_protected);
}

static void changed(struct state *s, struct task_state *t, uint32_t event)
{
	struct import *im = s->im;
	const struct ft_event *ev = &im->log->events[event];
	const struct op *op = last_op(im, t);
	uint64_t mask = ~((1ULL << 9 * (ev->level - 1)) - 1);
	enum spte_kind kind = spte_classify(&im->desc, ev->level, ev->c).kind;

	if (!t->at_fault || t->done || (op->gfn & mask) != ev->a || kind == SPTE_NONE) {
		changed_otherwise(s, t, event);
		return;
	}
	if (kind == SPTE_TABLE)
		return;
	walk_took_effect(s, t, event, ev->as_id);
	op = last_op(im, t);
	if (op->kind == OP_PREFAULT)
		im->ops[t->op - 1].op.n = (op->gfn | ~mask) + 1 - op->gfn;
}

/* Events that begin some other work of the task. */
static void begin_work(struct task_state *t, enum doing doing, uint32_t event)
{
	bool region = t->region && doing == ZAPPING_ALL; /* part of setting it */

	/* What a fault does to the host's memory does not end the fault. */
	if (!region)
		*t = (struct task_state){ .since = event,
					  .op = t->op,
					  .at_fault = t->at_fault,
					  .requested = t->requested,
					  .done = t->done,
					  .began = t->began };
	t->doing = doing;
}

static void region(struct state *s, struct task_state *t, uint32_t event)
{
	struct import *im = s->im;
	const struct ft_event *ev = &im->log->events[event];
	struct import_slot *slot = import_slot_by_kernel_id(im, ev->d);
	struct import_slot before;
	struct import_op *op = NULL;

	/* What is done to a slot that the program does not have shows in other slots only. */
	begin_work(t, slot ? SETTING_REGION : NOTHING, event);
	t->region = true;
	if (!slot)
		return;
	before = *slot;
	import_region_moves(im, ev);
	if (!slot->alive) {
		op = before.alive ? import_add_op(im, event, 1, OP_SLOT_DELETE) : NULL;
	} else if (!before.alive) {
		op = import_add_op(im, event, 1, OP_SLOT_ADD);
		if (op) {
			op->op.desc = import_region_desc(im, slot, ev);
			t->slot = slot;
			t->appears = im->nr_ops;
			return; /* its description names it */
		}
	} else if (before.base != slot->base) {
		op = import_add_op(im, event, 1, OP_SLOT_MOVE);
		if (op) {
			op->op.gfn = slot->base;
			t->slot = slot;
			t->appears = im->nr_ops;
		}
	} else if (before.logging != slot->logging) {
		op = import_add_op(im, event, 1, slot->logging ? OP_LOG_START : OP_LOG_STOP);
	}
	if (op)
		op->op.slot = import_slot_operand(slot);
}

static void zap_fast(struct state *s, struct task_state *t, uint32_t event)
{
	s->nr_tops = 0;
	/* Setting a region is what zaps all roots most of the time, and then is an operation itself. */
	if (t->doing != SETTING_REGION)
		import_add_op(s->im, event, 1, OP_ZAP_FAST);
	begin_work(t, ZAPPING_ALL, event);
}

static void zap_sp(struct state *s, struct task_state *t, uint32_t event)
{
	begin_work(t, RECOVERING_NX, event);
	import_add_op(s->im, event, 1, OP_NX_RECOVER);
}

static void host_event(struct state *s, struct task_state *t, uint32_t event)
{
	struct import *im = s->im;
	const struct ft_event *ev = &im->log->events[event];

	switch (ev->kind) {
	case FT_UNMAP_HVA:
		begin_work(t, UNMAPPING, event);
		import_host_op(im, OP_UNMAP, event, ev->a, ev->b, &im->counts.unmaps_elsewhere);
		break;
	case FT_AGE_HVA:
		begin_work(t, AGING, event);
		import_host_op(im, OP_AGE, event, ev->a, ev->b, &im->counts.ages_elsewhere);
		break;
	default:
		begin_work(t, AGING, event);
		import_host_op(im, OP_TEST_AGE, event, ev->a, ev->a + 1,
			       &im->counts.ages_elsewhere);
	}
}

static void one_event(struct state *s, uint32_t event)
{
	struct import *im = s->im;
	const struct ft_event *ev = &im->log->events[event];
	struct task_state *t = &s->tasks[ev->task];

	switch (ev->kind) {
	case FT_PAGE_FAULT:
	case FT_REQUESTED:
	case FT_FAST_FAULT:
	case FT_SET_SPTE:
	case FT_MARK_MMIO:
	case FT_HANDLE_MMIO:
		walk_fault_event(s, t, event);
		break;
	case FT_CHANGED:
		walk_follow(s, t, event);
		changed(s, t, event);
		break;
	case FT_UNMAP_HVA:
	case FT_AGE_HVA:
	case FT_TEST_AGE_HVA:
		host_event(s, t, event);
		break;
	case FT_REGION:
		region(s, t, event);
		break;
	case FT_CLEAR_MASKED:
		logging(im, t, event, import_log_masked);
		break;
	case FT_ZAP_FAST:
		zap_fast(s, t, event);
		break;
	case FT_ZAP_ALL:
		begin_work(t, ZAPPING_ALL, event);
		break;
	case FT_ZAP_SP:
		zap_sp(s, t, event);
		break;
	default:
		break;
	}
}

/* Faults decide what an event after the last of them means, so that is found first. */
static void find_last_fault(struct state *s)
{
	const struct import_log *log = s->im->log;
	uint32_t i;

	for (i = log->nr_events; i-- > 0;) {
		const struct ft_event *ev = &log->events[i];

		if (ev->vm == s->im->vm &&
		    (ev->kind == FT_PAGE_FAULT || ev->kind == FT_REQUESTED)) {
			s->last_fault = i;
			return;
		}
	}
}

static int by_place(const void *a, const void *b)
{
	const struct import_op *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	/* Of one event: in the order in which they were made, which the line cannot tell. */
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void sort_ops(struct import *im)
{
	uint32_t i, n = 0;

	for (i = 0; i < im->nr_ops; i++)
		im->ops[i].seq = i;
	if (im->nr_ops)
		qsort(im->ops, im->nr_ops, sizeof(*im->ops), by_place);
	for (i = 0; i < im->nr_ops; i++) {
		if (im->ops[i].op.kind != OP_NR)
			im->ops[n++] = im->ops[i];
	}
	im->nr_ops = n;
}

static int find_ops(struct import *im)
{
	const struct import_log *log = im->log;
	struct state s = { .im = im };
	uint32_t i;

	s.tasks = calloc(log->nr_tasks, sizeof(*s.tasks));
	if (!s.tasks)
		return -ENOMEM;
	history_init(&s.history, &im->desc);
	im->history = &s.history;
	if (s.history.no_memory) {
		free(s.tasks);
		return -ENOMEM;
	}
	find_last_fault(&s);
	for (i = log->vms[im->vm].first; i <= log->vms[im->vm].last; i++) {
		if (log->events[i].vm == im->vm)
			one_event(&s, i);
	}
	free(s.tasks);
	im->no_memory |= s.history.no_memory;
	history_free(&s.history);
	im->history = NULL;
	return im->no_memory ? -ENOMEM : 0;
}

/**
 * import_find_ops - make the operations of a VM out of its events
 * @im: import; its VM is described and its slots are known
 * @err: filled on failure
 *
 * Return: 0 or -EINVAL.
 */
int import_find_ops(struct import *im, struct import_error *err)
{
	int ret = find_ops(im);

	if (!ret && im->partial_clears && !im->desc.manual_protect) {
		im->desc.manual_protect = true;
		im->nr_ops = 0;
		memset(&im->counts, 0, sizeof(im->counts));
		import_slots_rewind(im);
		import_races_free(im);
		ret = find_ops(im);
	}
	sort_ops(im);
	return ret ? import_fail(err, 0, "no memory for the operations") : 0;
}
