// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose turn it is.  One thread runs at a time, and hands over only where an operation (or an access
 * of a repeated one) begins: at the point "op", if the schedule says so, and when it has ended.
 * The next thread is then the one after it in the program's order, from the first again after the last.
 */
#include "executor_internal.h"

static const uint8_t sim_actions[CHOICE_NR] = {
	[CHOICE_SWITCH] = SIM_SWITCH, [CHOICE_RESCHED] = SIM_RESCHED, [CHOICE_FAIL] = SIM_FAIL,
	[CHOICE_GP_END] = SIM_GP_END, [CHOICE_REUSE] = SIM_REUSE,     [CHOICE_EVICT] = SIM_EVICT,
};

/**
 * exec_threads_init() - get the program's threads and choices ready
 * @x: executor whose program is set
 */
void exec_threads_init(struct executor *x)
{
	const struct program *prog = x->prog;
	uint32_t i, c = 0;

	for (i = 0; i < prog->nr_choices; i++) {
		const struct prog_choice *choice = &prog->choices[i];

		x->choices[i] = (struct sim_choice){
			.kind = choice->kind,
			.level = choice->level,
			.k = choice->k,
			.action = sim_actions[choice->action],
		};
	}
	for (i = 0; i < prog->nr_threads; i++) {
		struct exec_thread *t = &x->threads[i];

		*t = (struct exec_thread){ .prog = &prog->threads[i], .number = i, .choices = c };
		while (c < prog->nr_choices && prog->choices[c].thread == i)
			c++;
		t->choices_end = c;
	}
}

static bool has_ended(const struct exec_thread *t)
{
	return t->op == t->prog->nr_ops;
}

static struct exec_thread *next_thread(struct executor *x, uint32_t after)
{
	uint32_t i, nr = x->prog->nr_threads;

	for (i = 1; i <= nr; i++) {
		struct exec_thread *t = &x->threads[(after + i) % nr];

		if (!has_ended(t))
			return t;
	}
	return NULL;
}

/**
 * exec_outside() - what follows belongs to no thread of the program
 * @x: executor
 */
void exec_outside(struct executor *x)
{
	x->current = NULL;
	oracle_set_thread(x->oracle, EXEC_NO_THREAD, 0);
	sim_begin_op(&x->outside, NULL, 0);
}

static void switch_to(struct executor *x, struct exec_thread *t)
{
	const struct program *prog = x->prog;
	uint32_t nr = 0;

	x->current = t;
	oracle_set_thread(x->oracle, t->number, t->op);
	if (t->begun) {
		sim_switch(&t->sim);
		return;
	}
	while (t->choices + nr < t->choices_end && prog->choices[t->choices + nr].op == t->op)
		nr++;
	sim_begin_op(&t->sim, &x->choices[t->choices], nr);
	t->choices += nr;
	t->begun = true;
}

/* Which thread the choices that just fired at the point "op" want. */
static struct exec_thread *switch_target(struct executor *x, const struct exec_thread *t)
{
	uint32_t i, k = t->sim.count[POINT_OP][0];

	for (i = t->choices; i-- > 0;) {
		const struct prog_choice *c = &x->prog->choices[i];

		if (c->thread != t->number || c->op != t->op)
			break;
		if (c->kind == POINT_OP && c->k == k && c->action == CHOICE_SWITCH)
			return &x->threads[c->target];
	}
	return NULL;
}

static void trace_op(struct executor *x, const struct exec_thread *t)
{
	struct exec_event ev = { .kind = EXEC_EV_OP, .n = t->access };

	exec_emit(x, &ev);
}

/* The point at which a step begins. Return: the thread to go on with, @t or another. */
static struct exec_thread *arrive(struct executor *x, struct exec_thread *t)
{
	struct exec_thread *target = NULL;

	t->arrived = true;
	if (exec_tracing(x))
		trace_op(x, t);
	if (sim_point(POINT_OP, 0, NULL, SIM_SITE) & SIM_SWITCH)
		target = switch_target(x, t);
	return target && !has_ended(target) ? target : t;
}

static void step(struct executor *x, struct exec_thread *t)
{
	sim_set_budget(x->opts->op_budget);
	t->arrived = false;
	if (!exec_op_step(x, t))
		return;
	sim_end_op();
	t->op++;
	t->access = 0;
	t->begun = false;
}

/* Operations in the order that the caller gives. */
static void take_turns(struct executor *x)
{
	uint32_t i;

	for (i = 0; i < x->opts->nr_turns; i++) {
		struct exec_thread *t = &x->threads[x->opts->turns[i]];

		if (has_ended(t))
			continue;
		switch_to(x, t);
		do {
			arrive(x, t);
			step(x, t);
		} while (t->begun);
	}
}

/**
 * exec_threads_run() - run all threads to their ends
 * @x: executor
 */
void exec_threads_run(struct executor *x)
{
	struct exec_thread *t = x->prog->nr_threads ? next_thread(x, x->prog->nr_threads - 1) :
						      NULL;

	if (x->opts->turns) {
		take_turns(x);
		return;
	}
	while (t) {
		struct exec_thread *target;

		if (x->current != t || !t->begun)
			switch_to(x, t);
		target = t->arrived ? t : arrive(x, t);
		if (target != t) {
			t = target;
			continue;
		}
		step(x, t);
		if (has_ended(t))
			t = next_thread(x, t->number);
	}
}

/**
 * exec_threads_never() - list the choices whose point never came
 * @x: executor; its result receives them
 */
void exec_threads_never(struct executor *x)
{
	uint32_t i;

	for (i = 0; i < x->prog->nr_choices; i++) {
		if (!x->choices[i].fired)
			x->res->never[x->res->nr_never++] = i;
	}
}
