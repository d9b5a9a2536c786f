// SPDX-License-Identifier: GPL-2.0-only
/* Operations -> program: threads, the order of their operations, repeats, what fits. */
#include <stdlib.h>
#include <string.h>

#include "import.h"

#define NO_THREAD	PROG_MAX_THREADS

/**
 * struct emitter - a program being built
 * @prog: it
 * @turns: thread of each operation, in order
 * @nr_turns: of @turns
 * @of_kind: thread of each kind, and of each vCPU; NO_THREAD if there is none yet
 */
struct emitter {
	struct program *prog;
	uint8_t *turns;
	uint32_t nr_turns;
	uint8_t vcpu_thread[PROG_MAX_VCPUS];
	uint8_t vmm_thread;
	uint8_t host_thread;
};

static enum thread_kind kind_of(const struct op *op)
{
	if (op->kind <= OP_GUEST_LEAVE)
		return THREAD_VCPU;
	return op->kind <= OP_DESTROY ? THREAD_VMM : THREAD_HOST;
}

static bool is_access(const struct op *op)
{
	return op->kind == OP_READ || op->kind == OP_WRITE || op->kind == OP_EXEC;
}

static bool is_vcpu_op(const struct import_op *op)
{
	return kind_of(&op->op) == THREAD_VCPU;
}

/*
 * What vCPUs do between two operations of others does not depend on which of them comes first,
 * but for whose fault builds what both need.  One vCPU after the other makes a program short.
 */
static void group_by_vcpu(struct import_op *ops, uint32_t nr)
{
	struct import_op *copy = malloc(nr * sizeof(*copy) + 1);
	uint32_t from, to, i, n;
	int vcpu;

	if (!copy)
		return;		/* a longer program, no worse */
	for (from = 0; from < nr; from = to + 1) {
		for (to = from; to < nr && is_vcpu_op(&ops[to]); to++)
			;
		memcpy(copy, ops + from, (to - from) * sizeof(*copy));
		for (vcpu = 0, n = from; vcpu < PROG_MAX_VCPUS; vcpu++) {
			for (i = 0; i < to - from; i++) {
				if (copy[i].vcpu == vcpu)
					ops[n++] = copy[i];
			}
		}
	}
	free(copy);
}

/* NX recovery takes the page tables that executing has made in the order of their making. */
static bool order_matters(const struct import_op *ops, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++) {
		if (ops[i].op.kind == OP_NX_RECOVER)
			return true;
	}
	return false;
}

static bool extend_access(struct op *last, const struct op *op)
{
	uint64_t end = last->gfn + (last->n - 1) * last->step;

	if (last->n == 1) {
		if (op->gfn <= last->gfn)
			return false;
		last->step = op->gfn - last->gfn;
	} else if (op->gfn != end + last->step || last->n == PROG_MAX_REPEAT) {
		return false;
	}
	last->n++;
	return true;
}

/* Whether @op was made part of @last. */
static bool merge(struct import_op *last, const struct import_op *next)
{
	const struct op *op = &next->op;

	if (last->op.kind != op->kind || last->vcpu != next->vcpu)
		return false;
	if (is_access(op))
		return extend_access(&last->op, op);
	switch (op->kind) {
	case OP_PREFAULT:
	case OP_UNMAP:
	case OP_AGE:
	case OP_TEST_AGE:
		if (op->gfn < last->op.gfn || op->gfn > last->op.gfn + last->op.n)
			return false;
		if (op->gfn + op->n > last->op.gfn + last->op.n)
			last->op.n = op->gfn + op->n - last->op.gfn;
		return true;
	default:
		return false;
	}
}

/* A pair that happened to be two steps apart is no repeat: let its second begin a better one. */
static bool breaks_pair(const struct import_op *last, const struct import_op *next,
			const struct import_op *after)
{
	return is_access(&last->op) && last->op.n == 1 && after && after->vcpu == next->vcpu &&
	       after->op.kind == next->op.kind && next->op.kind == last->op.kind &&
	       after->op.gfn - next->op.gfn != next->op.gfn - last->op.gfn;
}

static uint32_t merge_all(struct import_op *ops, uint32_t nr)
{
	uint32_t i, n = 0;

	for (i = 0; i < nr; i++) {
		const struct import_op *after = i + 1 < nr ? &ops[i + 1] : NULL;

		if (n && !breaks_pair(&ops[n - 1], &ops[i], after) && merge(&ops[n - 1], &ops[i]))
			continue;
		ops[n++] = ops[i];
	}
	return n;
}

static int thread_of(struct emitter *e, const struct import_op *op)
{
	enum thread_kind kind = kind_of(&op->op);
	uint8_t *thread = kind == THREAD_VCPU ? &e->vcpu_thread[op->vcpu] :
			  kind == THREAD_VMM  ? &e->vmm_thread :
						&e->host_thread;

	if (*thread == NO_THREAD)
		*thread = program_add_thread(e->prog, kind, op->vcpu);
	return *thread;
}

static void add_switch(struct emitter *e, int thread, uint32_t op, int target)
{
	e->prog->choices[e->prog->nr_choices++] = (struct prog_choice){
		.thread = thread,
		.op = op,
		.kind = POINT_OP,
		.k = 1,
		.action = CHOICE_SWITCH,
		.target = target,
	};
}

/* An operation that changes nothing, for a thread that must not end before others. */
static bool add_idle(struct import *im, struct emitter *e, int thread)
{
	const struct prog_thread *t = &e->prog->threads[thread];
	struct op op = { 0 };

	switch (t->kind) {
	case THREAD_VCPU:
		op.kind = OP_SPECULATE;
		op.gfn = im->slots[0].desc.base;
		break;
	case THREAD_VMM:
		op.kind = OP_NX_TOGGLE;
		op.on = im->desc.nx_huge_pages;
		break;
	default:
		op.kind = OP_TEST_AGE;
		op.gfn = im->slots[0].desc.hvn;
		op.n = 1;
	}
	return program_add_op(e->prog, thread, &op);
}

/*
 * The schedule that gives these turns.  A thread is left at the point where its next operation
 * begins.  Where it has none, the executor goes on with the thread after it, which is right
 * only by chance; so a thread that ends before the last turn gets an idle operation.
 *
 * Return: how many turns fit into the schedule.
 */
static uint32_t schedule(struct import *im, struct emitter *e, bool *no_memory)
{
	uint32_t done[PROG_MAX_THREADS] = { 0 };
	uint32_t i;

	for (i = 0; i + 1 < e->nr_turns; i++) {
		int from = e->turns[i], to = e->turns[i + 1];

		done[from]++;
		if (from == to)
			continue;
		if (e->prog->nr_choices == PROG_MAX_CHOICES)
			return i + 1;
		if (done[from] == e->prog->threads[from].nr_ops && !add_idle(im, e, from)) {
			*no_memory = true;
			return i + 1;
		}
		add_switch(e, from, done[from], to);
	}
	return e->nr_turns;
}

static void truncate_threads(struct emitter *e, uint32_t turns)
{
	uint32_t done[PROG_MAX_THREADS] = { 0 };
	uint32_t i;

	for (i = 0; i < turns; i++)
		done[e->turns[i]]++;
	for (i = 0; i < e->prog->nr_threads; i++)
		e->prog->threads[i].nr_ops = done[i];
	e->nr_turns = turns;
}

static int add_ops(struct import *im, struct emitter *e, const struct import_op *ops, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++) {
		int thread = thread_of(e, &ops[i]);

		if (e->prog->threads[thread].nr_ops >= PROG_MAX_OPS - 1) {
			im->counts.ops_left_out += nr - i;
			break;
		}
		if (!program_add_op(e->prog, thread, &ops[i].op))
			return -1;
		e->turns[e->nr_turns++] = thread;
	}
	return 0;
}

/* Adds the schedule; where the turns are more than a schedule can have, the program ends there. */
static int add_schedule(struct import *im, struct emitter *e)
{
	bool no_memory = false;
	uint32_t turns = schedule(im, e, &no_memory);

	if (no_memory)
		return -1;
	if (turns < e->nr_turns) {
		im->counts.switches_left_out += e->nr_turns - turns;
		truncate_threads(e, turns);
		e->prog->nr_choices = 0;
		schedule(im, e, &no_memory);
	}
	program_sort_choices(e->prog);
	return no_memory ? -1 : 0;
}

/**
 * import_emit - make the program
 * @im: import with its operations
 * @limits: how much of it
 * @prog: filled
 * @err: filled on failure
 *
 * Return: 0 or -EINVAL.
 */
int import_emit(struct import *im, const struct import_limits *limits, struct program *prog,
		struct import_error *err)
{
	struct emitter e = { .prog = prog, .vmm_thread = NO_THREAD, .host_thread = NO_THREAD };
	struct import_op *ops = malloc(im->nr_ops * sizeof(*ops) + 1);
	uint32_t nr = im->nr_ops, i;
	struct prog_error bad;
	int ret;

	e.turns = malloc(im->nr_ops + 1);
	if (!ops || !e.turns) {
		free(ops);
		free(e.turns);
		return import_fail(err, 0, "no memory for the program");
	}
	memset(e.vcpu_thread, NO_THREAD, sizeof(e.vcpu_thread));
	memcpy(ops, im->ops, nr * sizeof(*ops));
	if (!limits->exact_order && !order_matters(ops, nr))
		group_by_vcpu(ops, nr);
	nr = merge_all(ops, nr);
	if (limits->max_ops && nr > limits->max_ops) {
		im->counts.ops_left_out += nr - limits->max_ops;
		nr = limits->max_ops;
	}
	program_reset(prog);
	prog->vm = im->desc;
	for (i = 0; i < im->nr_slots; i++) {
		if (im->slots[i].declared)
			prog->slots[prog->nr_slots++] = im->slots[i].desc;
	}
	ret = add_ops(im, &e, ops, nr);
	free(ops);
	if (!ret && !limits->turns)
		ret = add_schedule(im, &e);
	if (limits->turns && !ret)
		*limits->turns = (struct import_turns){ e.turns, e.nr_turns };
	else
		free(e.turns);
	if (ret)
		return import_fail(err, 0, "no memory for the program");
	if (program_check(prog, &bad))
		return import_fail(err, 0, "the program made of this log is not valid: %s",
				   bad.msg);
	return 0;
}
