// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events -> operations.  A guest's access is placed where it took effect, at the SPTE that it
 * changed, since other tasks' events may lie between that and the fault's own event.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "import_history.h"

#define PFERR_WRITE	2u
#define PFERR_FETCH	16u
#define EPT_WRITE	2u	/* exit qualification, which an EPT violation has instead */
#define EPT_FETCH	4u

#define MAX_TOPS	64
#define MAX_COMMITS	256	/* a power of two */

/* What a task is doing, as far as the SPTEs that it changes are concerned. */
enum doing { NOTHING, UNMAPPING, AGING, ZAPPING_ALL, RECOVERING_NX, SETTING_REGION };

/**
 * struct task_state - what a task is in the middle of
 * @doing: which work
 * @op: number of the operation made of its last fault or prefault, plus 1
 * @at_fault: it serves a page fault
 * @requested: a mapping was asked for since
 * @done: the fault took effect
 * @began: event of the fault
 * @worked: event at which it last changed an SPTE other than by a fault
 * @region: it is setting a memory region
 * @since: event at which the work began
 * @slot: that it sets
 * @appears: number of the operation that makes it be where it is set to be, plus 1
 * @run: walk over a slot that it is in
 * @zap: number of the zap-range operation that it is in, plus 1
 */
struct task_state {
	enum doing doing;
	uint32_t op;
	bool at_fault;
	bool requested;
	bool done;
	uint32_t began;
	uint32_t worked;
	bool region;
	uint32_t since;
	struct import_slot *slot;
	uint32_t appears;
	struct import_run run;
	uint32_t zap;
};

/**
 * struct top - an entry of a root
 * @as_id: address space
 * @gfn: first page
 * @spte: value
 */
struct top {
	int as_id;
	uint64_t gfn;
	uint64_t spte;
};

/**
 * struct commit - an access that took effect
 * @event: at which
 * @as_id: address space
 * @gfn: page
 */
struct commit {
	uint32_t event;
	int as_id;
	uint64_t gfn;
};

/**
 * struct state - where the walk through the log is
 * @im: import
 * @tasks: of each
 * @as_id: address space that each vCPU is in
 * @last_fault: number of the VM's last event of a fault
 * @history: what each SPTE is
 * @guest_mode: vCPUs that run a nested guest, or have another second root
 * @nr_tops: of @tops
 * @tops: entries of the roots that are in use
 * @nr_commits: of all commits ever
 * @commits: the last of them, as a ring
 */
struct state {
	struct import *im;
	struct task_state *tasks;
	uint8_t as_id[PROG_MAX_VCPUS];
	uint32_t last_fault;
	struct history history;
	bool guest_mode[PROG_MAX_VCPUS];
	uint32_t nr_tops;
	struct top tops[MAX_TOPS];
	uint32_t nr_commits;
	struct commit commits[MAX_COMMITS];
};

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

static uint8_t fold_vcpu(struct import *im, uint8_t vcpu)
{
	if (vcpu == IMPORT_NO_VCPU)
		return 0;
	im->counts.folded_vcpus += vcpu >= PROG_MAX_VCPUS;
	return vcpu % PROG_MAX_VCPUS;
}

static enum op_kind access_kind(const struct import *im, uint64_t error_code)
{
	bool ept = im->desc.mmu == VM_EPT;

	if (error_code & (ept ? EPT_FETCH : PFERR_FETCH))
		return OP_EXEC;
	return error_code & (ept ? EPT_WRITE : PFERR_WRITE) ? OP_WRITE : OP_READ;
}

static struct op *last_op(struct import *im, struct task_state *t)
{
	return t->op ? &im->ops[t->op - 1].op : NULL;
}

static bool is_mapped(const struct state *s, const struct task_state *t)
{
	const struct import_op *op = &s->im->ops[t->op - 1];
	uint64_t gfn = op->op.gfn;
	int level;

	for (level = 1; level <= 3; level++) {
		const struct history_key *key = history_find(&s->history, s->as_id[op->vcpu], gfn,
							     level);
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
	*t = (struct task_state){ .op = im->nr_ops, .at_fault = true, .since = event,
				   .began = event };
}

static void note_commit(struct state *s, const struct task_state *t, uint32_t event, int as_id)
{
	uint64_t gfn = s->im->ops[t->op - 1].op.gfn;
	const struct import_slot *slot = import_slot_at(s->im, as_id, gfn);

	s->commits[s->nr_commits++ % MAX_COMMITS] = (struct commit){ event, as_id, gfn };
	if (slot && slot->worked_at > t->began)
		import_raced(s->im, as_id, gfn);
}

/* The access took effect at this event, in this address space. */
static void took_effect(struct state *s, struct task_state *t, uint32_t event, int as_id)
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
 * Where a slot is logged KVM maps small pages only.  So logging has stopped when a huge one appears,
 * and has begun when a small one does where the host has never taken its huge page away.
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
		*t = (struct task_state){ .op = im->nr_ops, .at_fault = true, .since = event,
				   .began = event };
	}
	t->requested = true;
	vcpu = im->ops[t->op - 1].vcpu;
	slot = import_slot_at(im, s->as_id[vcpu], ev->a);
	if (slot && !im->exact)
		shows_logging(s, t, event, slot);
	if (!small_for_kvm(im, slot, last_op(im, t), ev->level))
		import_host_level(im, slot, event, ev->a, ev->level);
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

/*
 * The host or the VMM changes an SPTE.  Accesses that took effect since it began to, or that had
 * begun before, may have come before or after, which the order of events does not tell.
 */
static void others_worked(struct state *s, struct task_state *t, uint32_t event)
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

/* Keeps up with what SPTEs are. */
static void follow(struct state *s, struct task_state *t, uint32_t event)
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
		others_worked(s, t, event);
	if (old.kind == SPTE_LEAF && new.kind == SPTE_NONE)
		zapped_leaf(s, t, event);
	else if (old.kind == SPTE_TABLE && new.kind == SPTE_NONE)
		zapped_table(s, t, event);
	else if (old.kind == SPTE_LEAF && new.kind == SPTE_TABLE && !probed)
		logging(im, t, event, import_log_split);
	else if (old.kind == SPTE_LEAF && new.kind == SPTE_LEAF && old.w && !new.w && !probed)
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
	took_effect(s, t, event, ev->as_id);
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
		*t = (struct task_state){ .since = event, .op = t->op, .at_fault = t->at_fault,
					   .requested = t->requested, .done = t->done,
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
	if (t->doing != SETTING_REGION && event < s->last_fault)
		import_add_op(s->im, event, 1, OP_ZAP_FAST);
	begin_work(t, ZAPPING_ALL, event);
}

static void zap_sp(struct state *s, struct task_state *t, uint32_t event)
{
	begin_work(t, RECOVERING_NX, event);
	import_add_op(s->im, event, 1, OP_NX_RECOVER);
}

/*
 * A slot comes to be at the end of the ioctl that sets it, which has no event; its operation stands at
 * the ioctl's begin.  An access that finds no slot where the program has one came in between.
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

static void fault_event(struct state *s, struct task_state *t, uint32_t event)
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
			took_effect(s, t, event, -1);
		break;
	case FT_HANDLE_MMIO:
		if (t->at_fault)
			took_effect(s, t, event, -1);
		break;
	default:	/* FT_SET_SPTE, FT_MARK_MMIO: the SPTE may have been right already */
		if (t->at_fault && last_op(im, t)->gfn == ev->a)
			took_effect(s, t, event, -1);
		if (ev->kind == FT_MARK_MMIO && t->at_fault)
			found_no_slot(s, im->ops[t->op - 1].vcpu, event);
	}
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
		fault_event(s, t, event);
		break;
	case FT_CHANGED:
		follow(s, t, event);
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
