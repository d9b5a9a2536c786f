// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sim platform's RCU and SRCU.
 *
 * Read sections have numbers, in the order in which they begin.  A grace period waits for
 * those that are older than it is and still open, and for no others.
 */
#include "fiber.h"
#include "sim_internal.h"

/* Plays the RCU callbacks, so that they do not shift the counts of the thread they interrupt. */
struct sim_thread sim_rcu_thread;
static void *sim_rcu_part;	/* whom TSan takes it for */

/*
 * Callbacks are in the order of call_rcu(). @readers of a callback is 0 until a grace period for it has
 * begun, then that period's place among the read sections.
 */
static struct {
	struct rcu_head *first;
	struct rcu_head *last;
	struct rcu_head *idle;	/* the first for which no grace period has begun */
	u64 queued;		/* callbacks, ever */
	u64 done;		/* of those that have run */
	u64 sections;		/* number of the last read section, RCU's or SRCU's */
} sim_rcu = { .sections = 1 };

void sim_rcu_reset(void)
{
	memset(&sim_rcu, 0, sizeof(sim_rcu));
	sim_rcu.sections = 1;	/* 0: no grace period has begun */
	memset(&sim_rcu_thread, 0, sizeof(sim_rcu_thread));
}

/* Nobody runs but the current thread: what callbacks did, and will do, is ordered. */
void sim_rcu_meet(void)
{
	fiber_meet(sim_rcu_part);
}

/* Is anybody in a read section that began before section number @before did? */
static bool sim_rcu_read_before(u64 before)
{
	int i;

	for (i = 0; i < SIM_EVERYBODY; i++) {
		const struct sim_thread *t = sim_somebody(i);

		if (t && t->rcu_depth && t->rcu_since <= before)
			return true;
	}
	return false;
}

/* Run the callbacks whose grace period is over. */
static void sim_rcu_advance(void)
{
	struct sim_thread *interrupted = sim.current;
	struct rcu_head *head;

	if (!sim_rcu.first || !sim_rcu.first->readers || interrupted == &sim_rcu_thread ||
	    sim_rcu_read_before(sim_rcu.first->readers))
		return;
	sim.observer->rcu(sim.observer->ctx, 0);
	fiber_play(&sim_rcu_part);
	SIM_ACQUIRE(&sim_rcu);
	do {
		head = sim_rcu.first;
		sim_rcu.first = head->next;
		if (!sim_rcu.first)
			sim_rcu.last = NULL;
		SIM_ACQUIRE(head);
		sim.current = &sim_rcu_thread;
		head->func(head);
		sim.current = interrupted;
		sim_rcu.done++;
	} while (sim_rcu.first && sim_rcu.first->readers &&
		 !sim_rcu_read_before(sim_rcu.first->readers));
	SIM_RELEASE(&sim_rcu);
	fiber_play(NULL);
	sim_watch(interrupted);
	sim.progress++;
	sim_poll();
}

/* A grace period for all that is queued begins, and ends as soon as its readers have left. */
void sim_gp_end(void)
{
	for (; sim_rcu.idle; sim_rcu.idle = sim_rcu.idle->next)
		sim_rcu.idle->readers = sim_rcu.sections;
	sim_rcu_advance();
}

/* Is there anything that a grace period would free? */
bool sim_rcu_queued(void)
{
	return sim_rcu.idle;
}

void sim_rcu_read_lock(const struct sim_site *site)
{
	struct sim_thread *t = sim.current;

	sim_point(POINT_RCU, 0, &sim_object_rcu, site);
	if (!t->rcu_depth++)
		t->rcu_since = ++sim_rcu.sections;
	sim.observer->rcu(sim.observer->ctx, 1);
}

void sim_rcu_read_unlock(const struct sim_site *site)
{
	struct sim_thread *t = sim.current;

	if (!t->rcu_depth) {
		sim_warn("rcu_read_unlock() without rcu_read_lock()", site);
		return;
	}
	SIM_RELEASE(&sim_rcu);
	t->rcu_depth--;
	sim.observer->rcu(sim.observer->ctx, -1);
	if (!t->rcu_depth)
		sim_rcu_advance();
	sim_point(POINT_RCU_END, 0, &sim_object_rcu, site);
}

void sim_call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head),
		  const struct sim_site *site)
{
	head->func = func;
	head->next = NULL;
	head->readers = 0;
	SIM_RELEASE(head);
	if (sim_rcu.last)
		sim_rcu.last->next = head;
	else
		sim_rcu.first = head;
	sim_rcu.last = head;
	if (!sim_rcu.idle)
		sim_rcu.idle = head;
	sim_rcu.queued++;
	sim_point(POINT_CALL_RCU, 0, &sim_object_rcu, site);
}

static bool sim_rcu_done(void *arg)
{
	return sim_rcu.done >= *(u64 *)arg;
}

static u32 sim_rcu_readers(const struct sim_thread *waiting)
{
	u32 mask = 0, i;

	(void)waiting;
	for (i = 0; i < SIM_MAX_THREADS; i++) {
		if (sim.threads[i] && sim.threads[i]->rcu_depth)
			mask |= 1u << i;
	}
	return mask;
}

void sim_rcu_barrier(const struct sim_site *site)
{
	u64 queued;
	const struct sim_wait wait = {
		.what = "a grace period of RCU",
		.ready = sim_rcu_done,
		.who = sim_rcu_readers,
		.arg = &queued,
		.on = &sim_rcu,
	};

	sim_point(POINT_SYNC, 0, &sim_object_rcu, site);
	queued = sim_rcu.queued;
	if (sim.current->rcu_depth)
		sim_bug_lock("deadlock: waits for a grace period inside a read section", "RCU");
	sim_gp_end();
	sim_wait_until(&wait);
}

/* ---- SRCU ---- */

int sim_srcu_read_lock(struct srcu_struct *srcu, const struct sim_site *site)
{
	struct sim_thread *t = sim.current;
	u32 idx;

	sim_point(POINT_SRCU, 0, srcu, site);
	for (idx = 0; idx < SIM_MAX_SRCU && t->srcu[idx].srcu; idx++)
		;
	if (idx == SIM_MAX_SRCU)
		sim_bug_lock("a thread is in too many read sections", srcu->name);
	t->srcu[idx].srcu = srcu;
	t->srcu[idx].since = ++sim_rcu.sections;
	t->srcu_depth++;
	return idx;
}

void sim_srcu_read_unlock(struct srcu_struct *srcu, int idx, const struct sim_site *site)
{
	struct sim_thread *t = sim.current;

	if (idx < 0 || idx >= SIM_MAX_SRCU || t->srcu[idx].srcu != srcu) {
		sim_warn("srcu_read_unlock() without srcu_read_lock()", site);
		return;
	}
	SIM_RELEASE(srcu);
	t->srcu[idx].srcu = NULL;
	t->srcu_depth--;
	sim_poll();
	sim_point(POINT_SRCU_END, 0, srcu, site);
}

struct srcu_period {
	const struct srcu_struct *srcu;
	u64 before;
};

static bool sim_srcu_reads(const struct sim_thread *t, const struct srcu_period *period)
{
	u32 i;

	for (i = 0; i < SIM_MAX_SRCU; i++) {
		if (t->srcu[i].srcu == period->srcu && t->srcu[i].since <= period->before)
			return true;
	}
	return false;
}

static bool sim_srcu_done(void *arg)
{
	int i;

	for (i = 0; i < SIM_EVERYBODY; i++) {
		if (sim_somebody(i) && sim_srcu_reads(sim_somebody(i), arg))
			return false;
	}
	return true;
}

static u32 sim_srcu_readers(const struct sim_thread *waiting)
{
	u32 mask = 0, i;

	for (i = 0; i < SIM_MAX_THREADS; i++) {
		if (sim.threads[i] && sim_srcu_reads(sim.threads[i], waiting->wait.arg))
			mask |= 1u << i;
	}
	return mask;
}

void sim_synchronize_srcu(struct srcu_struct *srcu, const struct sim_site *site)
{
	struct srcu_period period = { .srcu = srcu };
	const struct sim_wait wait = {
		.what = "the readers of SRCU",
		.ready = sim_srcu_done,
		.who = sim_srcu_readers,
		.arg = &period,
		.on = srcu,
	};

	sim_point(POINT_SYNC, 0, srcu, site);
	period.before = sim_rcu.sections;
	sim_wait_until(&wait);
}
