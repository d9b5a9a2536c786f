// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sim platform: points and schedule choices, and the budget of a run.
 */
#include "platform.h"

#include <stdio.h>
#include <stdlib.h>

#include "fiber.h"
#include "sim_internal.h"

/* Runs whatever is done outside any operation: VM creation, users without schedules. */
static struct sim_thread sim_idle_thread;

struct sim sim = {
	.current = &sim_idle_thread,
	.observer = &sim_nobody,
	.left = ~0ULL,
	.granted = ~0ULL,
};

static bool sim_observing;

/**
 * sim_reset() - back to an empty world, whatever state the last run was left in
 *
 * Frees all memory and page tables that are still allocated, drops threads, queued
 * RCU callbacks and schedule choices. The observer stays, the scheduler does not.
 * Cost: what the last run used. Not to be called on a scheduled thread.
 */
void sim_reset(void)
{
	sim_threads_reset();
	memset(&sim_idle_thread, 0, sizeof(sim_idle_thread));
	sim.current = &sim_idle_thread;
	sim.closely = sim_observing;
	sim.counting = false;
	sim.spent = 0;
	sim.granted = 0;
	sim.left = 0;
	sim_set_budget(0);
	sim_rcu_reset();
	sim_memory_reset();
}

/* There is another observer: has it to be told of every point? */
void sim_observe_points(void)
{
	sim_observing = sim.observer->point;
	sim_watch(sim.current);
}

/**
 * sim_points() - points passed since sim_reset()
 */
u64 sim_points(void)
{
	return sim.spent + (sim.granted - sim.left);
}

/* How many points may pass before one has to look closer. */
static void sim_grant(void)
{
	sim.spent = sim_points();
	if (sim.closely)
		sim.granted = 1;
	else if (sim.budget_end > sim.spent)
		sim.granted = sim.budget_end - sim.spent;
	else
		sim.granted = ~0ULL;
	sim.left = sim.granted;
}

/**
 * sim_set_budget() - stop the run as a livelock (rule P) after so many points
 * @points: from now; 0: never
 */
void sim_set_budget(u64 points)
{
	sim.budget_end = points ? sim_points() + points : 0;
	sim_grant();
}

static bool sim_asks_always(const struct sim_thread *t)
{
	return sim.scheduler && sim.scheduler->every_point && sim_is_scheduled(t);
}

/* @thread is who runs now: how closely need its points be looked at? */
void sim_watch(struct sim_thread *thread)
{
	sim.current = thread;
	sim.closely = sim_observing || thread->lap.watched || sim_asks_always(thread);
	sim.counting = thread->waiting && !sim.closely;
	sim.closely |= sim.counting;
	sim_grant();
}

static void sim_arm(struct sim_thread *t, const struct sim_choice *c)
{
	u32 *armed = &t->armed[c->kind][c->level];

	if (c->k > t->count[c->kind][c->level] && (!*armed || c->k < *armed))
		*armed = c->k;
}

static void sim_disarm(struct sim_thread *t)
{
	u32 i;

	for (i = 0; i < t->nr_choices; i++)
		t->armed[t->choices[i].kind][t->choices[i].level] = 0;
}

/**
 * sim_begin_op() - a thread begins an operation
 * @thread: the current thread, or one that is not scheduled, which becomes current
 * @choices: the schedule's choices for this operation, in any order; must stay until
 *	sim_end_op(). @fired is cleared here and set for each that comes
 * @nr: how many
 *
 * All points count from zero again.
 */
void sim_begin_op(struct sim_thread *thread, struct sim_choice *choices, u32 nr)
{
	u32 i;

	if (nr || sim_observing || sim_asks_always(thread)) {
		memset(thread->count, 0, sizeof(thread->count));
	} else {
		/* These are always counted, so that what a scheduler picks has an address. */
		thread->count[POINT_RELAX][0] = 0;
		thread->count[POINT_BLOCK][0] = 0;
		thread->count[POINT_END][0] = 0;
	}
	sim_disarm(thread);
	thread->choices = choices;
	thread->nr_choices = nr;
	thread->waiting = nr;
	thread->lap.watched = false;
	thread->lap.yields = 0;
	for (i = 0; i < nr; i++) {
		choices[i].fired = false;
		sim_arm(thread, &choices[i]);
	}
	sim_watch(thread);
}

/**
 * sim_end_op() - the current operation is over; what follows belongs to none
 *
 * Choices that have not fired stay so; their owner may look.
 */
void sim_end_op(void)
{
	struct sim_thread *t = sim.current;

	sim_disarm(t);
	t->choices = NULL;
	t->nr_choices = 0;
	t->waiting = 0;
	sim.progress++;
	sim_watch(sim_is_scheduled(t) ? t : &sim_idle_thread);
}

/* Choices wait at this point: which actions, and who runs next. */
static unsigned int sim_choose(struct sim_thread *t, enum point_kind kind, int level, int *target)
{
	u32 k = t->count[kind][level], i;
	unsigned int actions = 0;

	t->armed[kind][level] = 0;
	for (i = 0; i < t->nr_choices; i++) {
		struct sim_choice *c = &t->choices[i];

		if (c->kind != kind || c->level != level)
			continue;
		sim_arm(t, c);
		if (c->k != k)
			continue;
		c->fired = true;
		t->waiting--;
		actions |= c->action;
		if (c->action == SIM_SWITCH)
			*target = c->target;
	}
	/* The last one came: the rest of the operation need not be watched. */
	if (!t->waiting)
		sim_watch(t);
	return actions;
}

/* What can happen at a kind of point. */
static unsigned int sim_possible(enum point_kind kind)
{
	unsigned int any = SIM_SWITCH | SIM_RESCHED | SIM_GP_END;

	switch (kind) {
	case POINT_ALLOC:
	case POINT_FAULTIN:
		return any | SIM_FAIL | SIM_REUSE;
	case POINT_TLB:
	case POINT_WALK:
	case POINT_MEMORY:
		return any | SIM_EVICT;
	default:
		return any;
	}
}

static void sim_decided(struct sim_thread *t, enum point_kind kind, int level, unsigned int action,
			int target)
{
	sim.observer->decided(sim.observer->ctx, t->number, kind, level, t->count[kind][level],
			      action, target);
}

static struct sim_thread *sim_target(const struct sim_thread *t, int target)
{
	if (target == t->number || !sim_among(sim.runnable, target))
		return NULL;
	return sim.threads[target];
}

/*
 * The scheduler's turn; what the schedule says for this point stays. What would change nothing is
 * no decision.
 */
static unsigned int sim_ask(struct sim_thread *t, enum point_kind kind, int level, const void *ptr,
			    unsigned int chosen, int *target)
{
	const struct sim_scheduler *s = sim.scheduler;
	unsigned int actions, bit;
	int to = -1;

	if (!s->at_point)
		return 0;
	actions = s->at_point(s->ctx, t->number, kind, level, t->count[kind][level],
			      sim_object(ptr), sim.runnable, &to);
	actions &= sim_possible(kind) & ~chosen;
	if ((actions & SIM_SWITCH) && !sim_target(t, to))
		actions &= ~SIM_SWITCH;
	if (t->need_resched)
		actions &= ~SIM_RESCHED;
	if (!sim_rcu_queued())
		actions &= ~SIM_GP_END;
	for (bit = 1; bit <= actions; bit <<= 1) {
		if (actions & bit)
			sim_decided(t, kind, level, bit, bit == SIM_SWITCH ? to : 0);
	}
	if (actions & SIM_SWITCH)
		*target = to;
	return actions;
}

/* What the run cannot go on after. The observer gets the chance to leave by longjmp. */
void sim_fatal(char rule, const char *what, hpa_t pa)
{
	if (sim.observer->fatal)
		sim.observer->fatal(sim.observer->ctx, rule, what, pa);
	if (fiber_current())
		sim_leave();
	fprintf(stderr, "libtdp: %s (rule %c, physical address %#llx)\n", what, rule,
		(unsigned long long)pa);
	abort();
}

static hpa_t sim_point_pa(const void *ptr)
{
	hpa_t pa = sim_ptr_pa(ptr);

	return sim_arena && pa - (SIM_PT_PFN << PAGE_SHIFT) < SIM_PT_PAGES << PAGE_SHIFT ? pa : 0;
}

/* The point is told of and counted. */
static void sim_pass(struct sim_thread *t, enum point_kind kind, int level, const void *ptr,
		     const char *text, const struct sim_site *site)
{
	if (sim_observing)
		sim.observer->point(sim.observer->ctx, kind, level, ptr ? sim_point_pa(ptr) : 0,
				    sim_object(ptr), text, site);
	++t->count[kind][level];
}

static void __attribute__((noreturn, cold)) sim_budget_used_up(void)
{
	sim_fatal('P', "step budget used up: the operation does not end", 0);
}

static void sim_check_budget(void)
{
	sim_grant();
	if (sim.spent == sim.budget_end)
		sim_budget_used_up();
}

/* How many times @per points of a kind and level may pass before a choice's comes? */
static u64 sim_free_of_choice(const struct sim_thread *t, enum point_kind kind, int level, int per)
{
	const u32 armed = t->armed[kind][level];

	return armed && per ? (armed - t->count[kind][level] - 1) / per : ~0ULL;
}

/**
 * sim_steps_to_choice() - how many equal steps are there before one with a choice, or the budget's end?
 * @n: look no further; nobody but choices watches
 * @step: their points
 */
int sim_steps_to_choice(int n, const struct sim_step *step)
{
	const struct sim_thread *t = sim.current;
	const u64 left = sim.budget_end ? sim.budget_end - sim_points() - 1 : ~0ULL;
	const u64 limits[] = {
		left / (step->touches + step->asks),
		sim_free_of_choice(t, step->kind, step->level, step->touches),
		sim_free_of_choice(t, POINT_RESCHED, 0, step->asks),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		if (limits[i] < (u64)n)
			n = limits[i];
	}
	return n;
}

/**
 * sim_count_steps() - steps were taken, as many as sim_steps_to_choice() said or fewer
 * @n: how many
 * @step: their points
 */
void sim_count_steps(int n, const struct sim_step *step)
{
	struct sim_thread *t = sim.current;

	sim.spent += (u64)n * (step->touches + step->asks);
	t->count[step->kind][step->level] += n * step->touches;
	t->count[POINT_RESCHED][0] += n * step->asks;
}

/* As sim_pass(), where the count is all that matters: is this the point of a choice? */
static inline bool sim_pass_counting(struct sim_thread *t, enum point_kind kind, int level)
{
	sim.left = sim.granted;
	if (unlikely(++sim.spent == sim.budget_end))
		sim_budget_used_up();
	return ++t->count[kind][level] == t->armed[kind][level];
}

/**
 * sim_look_closer() - a point at which there is, or may be, something to do
 * @kind: of the point
 * @level: of the point
 * @ptr: what is touched
 * @site: source line
 *
 * Where every point looks closer, points are counted by kind and level, for choices to find theirs.
 * A switch happens here, before the thread goes on to what it was about to do.
 *
 * Return: mask of SIM_*.
 */
unsigned int sim_look_closer(enum point_kind kind, int level, const void *ptr,
			     const struct sim_site *site)
{
	struct sim_thread *t = sim.current;
	unsigned int actions = 0;
	int target = -1;

	if (likely(sim.counting)) {
		if (likely(!sim_pass_counting(t, kind, level)))
			return 0;
	} else {
		sim_check_budget();
		sim_pass(t, kind, level, ptr, NULL, site);
	}
	if (t->lap.watched)
		sim_note_lap(t, kind, level, ptr);
	if (t->count[kind][level] == t->armed[kind][level])
		actions = sim_choose(t, kind, level, &target);
	if (sim_asks_always(t))
		actions |= sim_ask(t, kind, level, ptr, actions, &target);
	if (!actions)
		return 0;
	if (actions & SIM_RESCHED)
		t->need_resched = true;
	if (actions & SIM_GP_END)
		sim_gp_end();
	if ((actions & SIM_SWITCH) && sim_is_scheduled(t) && sim_target(t, target))
		sim_give_way_to(sim_target(t, target));
	return actions;
}

/**
 * sim_give_way_point() - a point at which the thread gives way by itself: block, end or relax
 * @kind: which
 * @text: what it waits for
 * @site: source line
 * @target: gets the thread that the schedule names, NULL if none that can run
 *
 * Return: which of these the point is in the operation, from 1.
 */
u32 sim_give_way_point(enum point_kind kind, const char *text, const struct sim_site *site,
		       struct sim_thread **target)
{
	struct sim_thread *t = sim.current;
	int number = -1;
	unsigned int actions;

	/* The end is not something that the program does. */
	if (kind != POINT_END && !--sim.left)
		sim_check_budget();
	sim_pass(t, kind, 0, NULL, text, site);
	*target = NULL;
	if (t->count[kind][0] == t->armed[kind][0]) {
		actions = sim_choose(t, kind, 0, &number);
		if (actions & SIM_RESCHED)
			t->need_resched = true;
		if (actions & SIM_GP_END)
			sim_gp_end();
		*target = sim_target(t, number);
	}
	return t->count[kind][0];
}

void sim_used_freed(const void *ptr)
{
	sim_fatal('U', "page-table page used after it was freed", sim_ptr_pa(ptr));
}

void sim_used_without_descriptor(const void *ptr)
{
	const u64 i = sim_page_index(ptr);

	if (i < SIM_PT_PAGES && sim_ptr_is_live(ptr))
		sim_fatal('U', "page-table page used before it was initialised", sim_ptr_pa(ptr));
	sim_used_freed(ptr);
}

void sim_warn(const char *cond, const struct sim_site *site)
{
	if (sim.observer->warn)
		sim.observer->warn(sim.observer->ctx, cond, site);
	else
		fprintf(stderr, "libtdp: WARN at %s:%d: %s\n", site->file, site->line, cond);
}

void sim_bug_lock(const char *what, const char *name)
{
	static char msg[128];

	snprintf(msg, sizeof(msg), "%s: %s", what, name ? name : "lock never initialised");
	sim_fatal('P', msg, 0);
}

/* ---- other CPUs ---- */

char sim_object_rcu, sim_object_tlbs, sim_object_host;

void sim_flush(gfn_t gfn, u64 nr, const struct sim_site *site)
{
	sim_point(POINT_FLUSH, 0, &sim_object_tlbs, site);
	sim.observer->flush(sim.observer->ctx, gfn, nr, site);
}

void sim_kick(int req, const struct sim_site *site)
{
	sim_point(POINT_KICK, 0, &sim_object_tlbs, site);
	sim.observer->kick(sim.observer->ctx, req, site);
}
