// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sim platform's threads: each has a fiber, one runs at a time, and which one
 * is next is up to the schedule, the scheduler, or the order of their numbers.
 *
 * A thread that cannot go on is not runnable until somebody wakes it: who hands a
 * lock over to it, or sim_poll() where what it waits for has come true.  A thread
 * that spins or retries stays runnable and lets others run; when all that can run
 * have done so for several rounds, and nothing has happened in between, nothing
 * ever will.
 */
#include "fiber.h"
#include "sim_internal.h"

/* Rounds in a row, in which all that can run spin for nothing, after which it is a livelock. */
#define SIM_MAX_ROUNDS 16

/* Yields at one place, with nothing else going on, from which on a walk is watched; laps allowed then. */
#define SIM_YIELDS   4
#define SIM_MAX_LAPS 4

static bool sim_left_early;

/* Rounds since @progress was something else, and who has spun in the one that goes on. */
static struct {
	u64 progress;
	u32 n;
	u32 spun;
} sim_rounds;

/* Nobody runs. */
void sim_threads_reset(void)
{
	int i;

	for (i = 0; i < SIM_MAX_THREADS; i++)
		sim.threads[i] = NULL;
	sim.runnable = 0;
	sim.polled = 0;
	sim.queued = 0;
	sim.progress = 0;
	sim.switches = 0;
	memset(&sim_rounds, 0, sizeof(sim_rounds));
	sim.scheduler = NULL;
}

/**
 * sim_set_scheduler() - who decides beyond the schedule, until sim_reset()
 * @scheduler: stays the caller's; NULL: nobody
 */
void sim_set_scheduler(const struct sim_scheduler *scheduler)
{
	sim.scheduler = scheduler;
	sim_watch(sim.current);
}

/**
 * sim_thread_start() - a thread that will run in sim_threads_run()
 * @thread: zeroed; stays the caller's, until sim_reset()
 * @number: below SIM_MAX_THREADS, not in use
 * @run: its function, on a stack of its own; may return
 * @arg: passed to it
 */
void sim_thread_start(struct sim_thread *thread, int number, void (*run)(void *arg), void *arg)
{
	thread->number = number;
	thread->run = run;
	thread->arg = arg;
	thread->under_way = true;
	sim.threads[number] = thread;
	sim.runnable |= sim_bit(thread);
}

static void sim_thread_entry(void *arg)
{
	struct sim_thread *t = arg;

	t->run(t->arg);
	sim_thread_end();
}

/* @t is who runs from now on. */
static struct fiber *sim_enter(struct sim_thread *t)
{
	sim.switches++;
	sim_watch(t);
	sim.observer->thread(sim.observer->ctx, t->number);
	return t->fiber;
}

/**
 * sim_give_way_to() - another thread goes on; the current one when it is its turn again
 * @thread: can run, and is not the current one
 */
void sim_give_way_to(struct sim_thread *thread)
{
	fiber_switch(sim_enter(thread));
}

/* The first of @mask after @t in the order of the numbers, from the lowest again after the highest. */
static struct sim_thread *sim_after(const struct sim_thread *t, u32 mask)
{
	u32 later = mask & ~((2u << t->number) - 1);

	return sim.threads[__builtin_ctz(later ? later : mask)];
}

/* @t gives way at its @k-th point of kind @why. The schedule comes first, then the scheduler. */
static struct sim_thread *sim_pick(struct sim_thread *t, enum point_kind why, u32 k, u32 mask,
				   struct sim_thread *chosen)
{
	struct sim_thread *next = sim_after(t, mask);
	int number;

	if (chosen)
		return chosen;
	if (!sim.scheduler || !sim.scheduler->pick || !(mask & (mask - 1)))
		return next;
	number = sim.scheduler->pick(sim.scheduler->ctx, t->number, why, k, mask);
	if (!sim_among(mask, number) || sim.threads[number] == next)
		return next;
	sim.observer->decided(sim.observer->ctx, t->number, why, 0, k, SIM_SWITCH, number);
	return sim.threads[number];
}

/**
 * sim_alone() - whether what follows is done by the caller alone, outside of sim_threads_run()
 * @on: it is; switch it off before the process may end
 *
 * Nothing for TSan to find, so that it need not look, which is faster. Changes nothing in other builds.
 */
void sim_alone(bool on)
{
	fiber_alone(on);
}

/**
 * sim_threads_run() - run the threads that were started to their ends
 *
 * Begins with the one of the lowest number. What the threads leave behind stays until sim_reset().
 *
 * Return: false if the run was left early, after something fatal.
 */
bool sim_threads_run(void)
{
	struct sim_thread *outside = sim.current, *t;
	const bool alone = fiber_alone(false);
	u32 left;
	int i;

	sim_left_early = false;
	sim_rcu_meet();
	/*
	 * Here rather than at its first turn: a thread's beginning is ordered after what was done
	 * outside, not after what the thread did that gave way to it.
	 */
	for (left = sim.runnable; left; left &= left - 1) {
		t = sim.threads[__builtin_ctz(left)];
		t->fiber = fiber_get(sim_thread_entry, t);
	}
	if (sim.runnable)
		fiber_switch(sim_enter(sim.threads[__builtin_ctz(sim.runnable)]));
	/* They have ended, or are left in the middle of things. */
	for (i = 0; i < SIM_MAX_THREADS; i++) {
		if (sim.threads[i] && sim.threads[i]->fiber) {
			fiber_put(sim.threads[i]->fiber);
			sim.threads[i]->fiber = NULL;
		}
	}
	sim_rcu_meet();
	fiber_alone(alone);
	sim_watch(outside);
	sim.observer->thread(sim.observer->ctx, -1);
	return !sim_left_early;
}

/* Away from the current fiber for good; what was under way on the others stays where it is. */
void sim_leave(void)
{
	sim_left_early = true;
	fiber_end(NULL);
	__builtin_unreachable();
}

static void __attribute__((noreturn, cold)) sim_stuck(const struct sim_thread *t, const char *spins)
{
	const struct sim_stuck stuck = { .thread = t, .spins = spins };

	sim_fatal('P', sim.observer->stuck(sim.observer->ctx, &stuck), 0);
}

/* The current thread has nothing left to do. */
void sim_thread_end(void)
{
	struct sim_thread *t = sim.current, *chosen;
	u32 k, i;

	k = sim_give_way_point(POINT_END, NULL, SIM_SITE, &chosen);
	t->ended = true;
	t->under_way = false;
	sim.progress++;
	sim.runnable &= ~sim_bit(t);
	sim_poll();
	if (sim.runnable)
		fiber_end(sim_enter(sim_pick(t, POINT_END, k, sim.runnable, chosen)));
	for (i = 0; i < SIM_MAX_THREADS; i++) {
		if (sim.threads[i] && !sim.threads[i]->ended)
			sim_stuck(sim.threads[i], NULL);
	}
	fiber_end(NULL);
}

/* ---- waiting ---- */

/**
 * sim_wait() - the current thread is not runnable until somebody wakes it
 * @wait: what for; it is in the queue, or whatever, of who will wake it
 */
void sim_wait(const struct sim_wait *wait)
{
	struct sim_thread *t = sim.current, *chosen;
	u32 k;

	t->wait = *wait;
	if (!sim_is_scheduled(t))
		sim_stuck(t, NULL);
	k = sim_give_way_point(POINT_BLOCK, wait->what, SIM_SITE, &chosen);
	sim.runnable &= ~sim_bit(t);
	if (!sim.runnable)
		sim_stuck(t, NULL);
	sim_give_way_to(sim_pick(t, POINT_BLOCK, k, sim.runnable, chosen));
	t->wait.what = NULL;
}

/**
 * sim_wake() - a thread need not wait any longer
 * @thread: waits
 */
void sim_wake(struct sim_thread *thread)
{
	sim.runnable |= sim_bit(thread);
	sim.polled &= ~sim_bit(thread);
}

/* sim_poll() where somebody waits. */
void sim_poll_slowly(void)
{
	u32 left = sim.polled;

	for (; left; left &= left - 1) {
		struct sim_thread *t = sim.threads[__builtin_ctz(left)];

		if (t->wait.ready(t->wait.arg))
			sim_wake(t);
	}
}

/**
 * sim_wait_until() - wait for something that comes true while other threads run
 * @wait: what for; @wait->ready is asked at each sim_poll(), and what makes it true calls that
 */
void sim_wait_until(const struct sim_wait *wait)
{
	while (!wait->ready(wait->arg)) {
		if (sim_is_scheduled(sim.current))
			sim.polled |= sim_bit(sim.current);
		sim_wait(wait);
	}
	SIM_ACQUIRE(wait->on);
}

/* ---- spinning ---- */

/* Stands still while nothing happens that could let a thread get on. */
u64 sim_progress(void)
{
	return sim.progress + sim.observer->progress(sim.observer->ctx);
}

static u32 sim_spins(const struct sim_thread *t, u64 progress)
{
	return t->spun_at == progress ? t->spins : 0;
}

/* A round is over when each thread that can run has spun. */
static void sim_count_rounds(const struct sim_thread *t, u64 progress)
{
	if (sim_rounds.progress != progress) {
		sim_rounds.progress = progress;
		sim_rounds.n = 0;
		sim_rounds.spun = 0;
	}
	sim_rounds.spun |= sim_bit(t);
	if (sim.runnable & ~sim_rounds.spun)
		return;
	sim_rounds.n++;
	sim_rounds.spun = sim_bit(t);
}

static bool sim_any_under_way(u32 mask)
{
	for (; mask; mask &= mask - 1) {
		if (sim.threads[__builtin_ctz(mask)]->under_way)
			return true;
	}
	return false;
}

static void sim_spin(const char *what, const struct sim_site *site)
{
	struct sim_thread *t = sim.current, *chosen;
	u64 progress = sim_progress();
	u32 k, others, turn;

	k = sim_give_way_point(POINT_RELAX, NULL, site, &chosen);
	if (!sim_is_scheduled(t))
		return;
	t->spins = sim_spins(t, progress) + 1;
	t->spun_at = progress;
	sim_count_rounds(t, progress);
	if (sim_rounds.n == SIM_MAX_ROUNDS)
		sim_stuck(t, what);
	if (chosen) {
		sim_give_way_to(chosen);
		return;
	}
	others = sim.runnable & ~sim_bit(t);
	/* Nobody is in the middle of anything: it can only have been bad luck. */
	if (!others || (t->spins == 1 && !sim_any_under_way(others)))
		return;
	/* Everybody has a turn before anybody has another. */
	turn = others & ~sim_rounds.spun;
	sim_give_way_to(sim_pick(t, POINT_RELAX, k, turn ? turn : others, NULL));
}

void sim_relax(const struct sim_site *site)
{
	sim_spin("spins", site);
}

/**
 * sim_retry() - the current thread tries once more what it could not do, for somebody was in its way
 * @site: source line
 *
 * Others run meanwhile. A point like cpu_relax().
 */
void sim_retry(const struct sim_site *site)
{
	sim_spin("retries", site);
}

/* ---- walks that yield ---- */

/*
 * A walk that yields whenever it may must get on in between.  One that has yielded several times with
 * nothing else going on is watched: if what it reads from one yield to the next is always the same, it is
 * going round in circles.
 */
void sim_yielded(struct sim_thread *t)
{
	u64 progress = sim_progress();

	if (t->lap.progress != progress) {
		t->lap.progress = progress;
		t->lap.yields = 0;
		t->lap.watched = false;
		return;
	}
	if (++t->lap.yields < SIM_YIELDS)
		return;
	if (!t->lap.watched) {
		t->lap.watched = true;
		t->lap.laps = 0;
		t->lap.last = 0;
		sim_watch(t);
	} else if (t->lap.read && t->lap.hash == t->lap.last) {
		if (++t->lap.laps == SIM_MAX_LAPS)
			sim_stuck(t, "yields at one place for ever");
	} else {
		t->lap.laps = 0;
		t->lap.last = t->lap.hash;
	}
	t->lap.read = false;
	t->lap.hash = 0;
}

/* A point of a thread that is watched. */
void sim_note_lap(struct sim_thread *t, enum point_kind kind, int level, const void *ptr)
{
	t->lap.read |= kind == POINT_READ;
	t->lap.hash = (t->lap.hash ^ sim_object(ptr) ^ (u64)kind << 56 ^ (u64)level << 48) *
		      0x9fb21c651e98df25ULL;
	t->lap.hash ^= t->lap.hash >> 32;
}
