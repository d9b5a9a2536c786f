// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program's threads.  Each runs its operations one after the other, on a stack of its own, and the
 * platform decides at each point who goes on: docs/interleaving.md.
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
			.target = choice->target,
		};
	}
	for (i = 0; i < prog->nr_threads; i++) {
		struct exec_thread *t = &x->threads[i];

		*t = (struct exec_thread){
			.x = x,
			.prog = &prog->threads[i],
			.number = i,
			.choices = c,
		};
		while (c < prog->nr_choices && prog->choices[c].thread == i)
			c++;
		t->choices_end = c;
	}
}

static bool has_ended(const struct exec_thread *t)
{
	return t->op == t->prog->nr_ops;
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

static void begin_op(struct executor *x, struct exec_thread *t)
{
	const struct program *prog = x->prog;
	uint32_t nr = 0;

	while (t->choices + nr < t->choices_end && prog->choices[t->choices + nr].op == t->op)
		nr++;
	t->sim.op = t->op;
	oracle_set_thread(x->oracle, t->number, t->op);
	sim_begin_op(&t->sim, &x->choices[t->choices], nr);
	t->choices += nr;
}

static void trace_op(struct executor *x, const struct exec_thread *t)
{
	struct exec_event ev = { .kind = EXEC_EV_OP, .n = t->access };

	exec_emit(x, &ev);
}

static void run_op(struct executor *x, struct exec_thread *t)
{
	bool over;

	begin_op(x, t);
	do {
		/* Others need not wait for a step that has not begun. */
		t->sim.under_way = false;
		if (exec_tracing(x))
			trace_op(x, t);
		sim_point(POINT_OP, 0, NULL, SIM_SITE);
		t->sim.under_way = true;
		sim_set_budget(x->opts->op_budget);
		over = exec_op_step(x, t);
		/* As who leaves a system call puts the VM's file. */
		SIM_RELEASE(x);
	} while (!over);
	sim_end_op();
	t->op++;
	t->access = 0;
}

static void run_thread(void *arg)
{
	struct exec_thread *t = arg;

	while (!has_ended(t))
		run_op(t->x, t);
	t->sim.under_way = false;
	begin_op(t->x, t);	/* for the point "end" */
}

/* Operations in the order that the caller gives, one at a time. */
static void take_turns(struct executor *x)
{
	uint32_t i;

	for (i = 0; i < x->opts->nr_turns; i++) {
		struct exec_thread *t = &x->threads[x->opts->turns[i]];

		if (has_ended(t))
			continue;
		x->current = t;
		run_op(x, t);
	}
}

/**
 * exec_threads_run() - run all threads to their ends
 * @x: executor
 *
 * Return: false if something fatal ended the run.
 */
bool exec_threads_run(struct executor *x)
{
	uint32_t i;
	bool ended;

	if (x->opts->turns) {
		take_turns(x);
		return true;
	}
	for (i = 0; i < x->prog->nr_threads; i++) {
		if (!has_ended(&x->threads[i]))
			sim_thread_start(&x->threads[i].sim, i, run_thread, &x->threads[i]);
	}
	sim_set_scheduler(x->opts->scheduler);
	x->scheduled = true;
	ended = sim_threads_run();
	x->scheduled = false;
	return ended;
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
