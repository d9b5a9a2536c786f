// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults -> guest accesses.  An access is placed where it took effect, at the SPTE that it
 * changed, since other tasks' events may lie between that and the fault's own event.
 */
#include <string.h>

#include "import_walk.h"

#define PFERR_WRITE	2u	/* the same in an exit qualification, which an EPT violation has instead */
#define PFERR_FETCH	16u
#define EPT_FETCH	4u

static uint8_t fold_vcpu(struct import *im, uint8_t vcpu)
{
	if (vcpu == IMPORT_NO_VCPU)
		return 0;
	im->counts.folded_vcpus += vcpu >= PROG_MAX_VCPUS;
	return vcpu % PROG_MAX_VCPUS;
}

static enum op_kind access_kind(const struct import *im, uint64_t error_code)
{
	if (error_code & (im->desc.mmu == VM_EPT ? EPT_FETCH : PFERR_FETCH))
		return OP_EXEC;
	return error_code & PFERR_WRITE ? OP_WRITE : OP_READ;
}

static bool is_mapped(const struct state *s, const struct task_state *t)
{
	const struct import_op *op = &s->im->ops[t->op - 1];
	uint64_t gfn = op->op.gfn;
	int level;

	for (level = 1; level <= 3; level++) {
		const struct history_key *key =
			history_find(&s->history, s->as_id[op->vcpu], gfn, level);
		const struct history_life *life = key ? &s->history.lives[key->last] : NULL;

		if (life && life->spte && life->steps[life->nr - 1].class.kind != SPTE_TABLE)
			return true;
		gfn &= ~((1ULL << 9 * level) - 1);
	}
	return false;
}

static void page_fault(struct state *s, struct task_state *t, uint32_t event)
{
	struct import *im = s->im;
	const struct ft_event *ev = &im->log->events[event];
	enum op_kind kind = access_kind(im, ev->b);
	struct op *last = last_op(im, t);
	struct import_op *op;

	im->counts.faults++;
	/*
	 * Nothing came of the task's last fault.  If the same access comes once more, or if its page is
	 * not mapped even now, then KVM let the guest retry, and the access has not been made.
	 */
	if (t->at_fault && !t->done && last->kind != OP_PREFAULT &&
	    ((last->gfn == ev->a >> 12 && last->kind == kind) || !is_mapped(s, t))) {
		last->kind = OP_NR;
		im->counts.retries++;
	}
	op = import_add_op(im, event, 3, kind);
	if (!op)
		return;
	op->vcpu = fold_vcpu(im, ev->vcpu);
	op->op.gfn = ev->a >> 12;
	op->op.n = op->op.step = 1;
	*t = (struct task_state){
		.op = im->nr_ops, .at_fault = true, .since = event, .began = event
	};
}

static void note_commit(struct state *s, const struct task_state *t, uint32_t event, int as_id)
{
	uint64_t gfn = s->im->ops[t->op - 1].op.gfn;
	const struct import_slot *slot = import_slot_at(s->im, as_id, gfn);

	s->commits[s->nr_commits++ % MAX_COMMITS] = (struct commit){ event, as_id, gfn };
	if (slot && slot->worked_at > t->began)
		import_raced(s->im, as_id, gfn);
}

/**
 * walk_took_effect - the access of a task's fault took effect
 * @s: state of the walk
 * @t: task, serving a fault
 * @event: number of the event at which it did
 * @as_id: address space if the event tells, else -1
 */
void walk_took_effect(struct state *s, struct task_state *t, uint32_t event, int as_id)
{
	struct import *im = s->im;
	struct import_op *op = &im->ops[t->op - 1];
	uint8_t vcpu = op->vcpu;

	if (t->done)
		return;
	t->done = true;
	note_commit(s, t, event, as_id < 0 ? s->as_id[vcpu] : as_id);
	op->at = 4ULL * event + 3;
	if (as_id < 0 || s->as_id[vcpu] == as_id)
		return;
	s->as_id[vcpu] = as_id;
	op = import_add_op(im, event, 2, as_id ? OP_SMM_ENTER : OP_SMM_LEAVE);
	if (op)
		op->vcpu = vcpu;
}

/* Why the mapping is small; if for no reason of KVM's own, the host's mapping is. */
static bool small_for_kvm(const struct import *im, const struct import_slot *slot,
			  const struct op *op, int level)
{
	if (level > 1)
		return false;
	return (op->kind == OP_EXEC && im->desc.nx_huge_pages) || (slot && slot->logging);
}

/*
 * Where a slot is logged KVM maps small pages only.  So logging has stopped when a huge one
 * appears, and has begun when a small one does where the host has never taken its huge page away.
 */
static void shows_logging(struct state *s, struct task_state *t, uint32_t event,
			  struct import_slot *slot)
{
	struct import *im = s->im;
	const struct ft_event *ev = &im->log->events[event];

	if (ev->level > 1 && slot->logging)
		import_log_off(im, slot, event);
	else if (ev->level == 1 && !small_for_kvm(im, slot, last_op(im, t), 1) &&
		 import_host_is_huge(slot, ev->a) &&
		 history_find(&s->history, slot->desc.as_id, ev->a & ~511ULL, 2))
		import_log_on(im, slot, event);
}

static void requested(struct state *s, struct task_state *t, uint32_t event)
{
	struct import *im = s->im;
	const struct ft_event *ev = &im->log->events[event];
	struct import_slot *slot;
	struct import_op *op;
	uint8_t vcpu;

	if (!t->at_fault || t->requested) {
		op = import_add_op(im, event, 3, OP_PREFAULT);
		if (!op)
			return;
		op->vcpu = fold_vcpu(im, im->log->tasks[ev->task].vcpu);
		op->op.gfn = ev->a;
		op->op.n = 1;
		*t = (struct task_state){
			.op = im->nr_ops, .at_fault = true, .since = event, .began = event
		};
	}
	t->requested = true;
	vcpu = im->ops[t->op - 1].vcpu;
	slot = import_slot_at(im, s->as_id[vcpu], ev->a);
	if (slot && !im->exact)
		shows_logging(s, t, event, slot);
	if (!small_for_kvm(im, slot, last_op(im, t), ev->level))
		import_host_level(im, slot, event, ev->a, ev->level);
}

/*
 * A slot comes to be at the end of the ioctl that sets it, which has no event; its operation stands
 * at the ioctl's begin.  An access that finds no slot where the program has one came in between.
 * A slot that moves is gone from its old place all that while.
 */
static void found_no_slot(struct state *s, uint8_t vcpu, uint32_t event)
{
	struct import *im = s->im;
	struct import_slot *slot = import_slot_at(im, s->as_id[vcpu], im->log->events[event].a);
	struct task_state *t = NULL;
	struct import_op *op;
	uint32_t i;

	for (i = 0; i < im->log->nr_tasks && slot; i++) {
		if (s->tasks[i].appears && s->tasks[i].slot == slot)
			t = &s->tasks[i];
	}
	if (!t)
		return;
	import_raced(im, s->as_id[vcpu], im->log->events[event].a);
	op = &im->ops[t->appears - 1];
	if (op->op.kind == OP_SLOT_MOVE) {
		op->op.kind = OP_SLOT_DELETE;
		op->op.gfn = 0;
		op = import_add_op(im, event, 0, OP_SLOT_ADD);
		if (!op)
			return;
		op->op.desc = import_region_desc(im, slot, &im->log->events[t->since]);
		t->appears = im->nr_ops;
	}
	op->at = 4ULL * (event + 1);
}

/**
 * walk_fault_event - an event of a page fault or prefault
 * @s: state of the walk
 * @t: task that serves it
 * @event: number of the event
 */
void walk_fault_event(struct state *s, struct task_state *t, uint32_t event)
{
	struct import *im = s->im;
	const struct ft_event *ev = &im->log->events[event];

	switch (ev->kind) {
	case FT_PAGE_FAULT:
		page_fault(s, t, event);
		break;
	case FT_REQUESTED:
		requested(s, t, event);
		break;
	case FT_FAST_FAULT:
		history_fast_fault(&s->history, ev);
		if (t->at_fault && ev->d)
			walk_took_effect(s, t, event, -1);
		break;
	case FT_HANDLE_MMIO:
		if (t->at_fault)
			walk_took_effect(s, t, event, -1);
		break;
	default:	/* FT_SET_SPTE, FT_MARK_MMIO: the SPTE may have been right already */
		if (t->at_fault && last_op(im, t)->gfn == ev->a)
			walk_took_effect(s, t, event, -1);
		if (ev->kind == FT_MARK_MMIO && t->at_fault)
			found_no_slot(s, im->ops[t->op - 1].vcpu, event);
	}
}
