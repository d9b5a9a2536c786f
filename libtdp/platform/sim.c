// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sim platform: points, schedule choices, locks, RCU and scheduling of one
 * OS thread that plays all of them, one operation at a time.
 *
 * Memory is in sim_memory.c.
 */
#include "platform.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim_memory.h"

/* Runs whatever is done outside any operation: VM creation, users without schedules. */
static struct sim_thread sim_idle_thread;

/* Plays the RCU callbacks, so that they do not shift the counts of the thread they interrupt. */
static struct sim_thread sim_rcu_thread;

struct sim sim = {
	.current = &sim_idle_thread,
	.left = ~0ULL,
	.granted = ~0ULL,
};

static bool sim_observing;

/* Callbacks in the order of call_rcu(); those up to @ending run when the last reader leaves. */
static struct {
	struct rcu_head *first;
	struct rcu_head *last;
	struct rcu_head *ending;
	u32 readers;
} sim_rcu;

/**
 * sim_reset() - back to an empty world, whatever state the last run was left in
 *
 * Frees all memory and page tables that are still allocated, drops queued RCU
 * callbacks and schedule choices. The observer stays. Cost: what the last run used.
 */
void sim_reset(void)
{
	sim.current = &sim_idle_thread;
	sim.spent = 0;
	sim.granted = 0;
	sim.left = 0;
	sim_set_budget(0);
	sim_idle_thread.need_resched = false;
	sim_idle_thread.rcu_depth = 0;
	sim_idle_thread.srcu_depth = 0;
	sim_idle_thread.locks_held = 0;
	memset(&sim_rcu, 0, sizeof(sim_rcu));
	sim_memory_reset();
}

/**
 * sim_set_observer() - who is told of every event
 * @observer: stays the caller's and must outlive its use; NULL for nobody
 */
void sim_set_observer(const struct sim_observer *observer)
{
	sim.observer = observer;
	sim_observe_points(observer && observer->point);
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
 * sim_observe_points() - have the observer told of every point, or not
 * @on: costs speed; an observer without a point function stays without
 */
void sim_observe_points(bool on)
{
	sim_observing = on && sim.observer && sim.observer->point;
	sim_switch(sim.current);
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

/**
 * sim_switch() - another thread goes on with its operation
 * @thread: becomes current; its operation has begun
 */
void sim_switch(struct sim_thread *thread)
{
	sim.current = thread;
	sim.closely = sim_observing || thread->waiting;
	sim_grant();
}

static void sim_arm(struct sim_thread *t, const struct sim_choice *c)
{
	u32 *armed = &t->armed[c->kind][c->level];

	if (c->k > t->count[c->kind][c->level] && (!*armed || c->k < *armed))
		*armed = c->k;
}

/**
 * sim_begin_op() - @thread runs now and begins an operation
 * @thread: becomes current; zeroed before its first operation by whoever owns it
 * @choices: the schedule's choices for this operation, in any order; must stay until
 *	sim_end_op(). @fired is cleared here and set for each that comes
 * @nr: how many
 *
 * All points count from zero again.
 */
void sim_begin_op(struct sim_thread *thread, struct sim_choice *choices, u32 nr)
{
	u32 i;

	if (nr || sim_observing)
		memset(thread->count, 0, sizeof(thread->count));
	for (i = 0; i < thread->nr_choices; i++)
		thread->armed[thread->choices[i].kind][thread->choices[i].level] = 0;
	thread->choices = choices;
	thread->nr_choices = nr;
	thread->waiting = nr;
	for (i = 0; i < nr; i++) {
		choices[i].fired = false;
		sim_arm(thread, &choices[i]);
	}
	sim_switch(thread);
}

/**
 * sim_end_op() - the current operation is over; what follows belongs to no thread
 *
 * Choices that have not fired stay so; their owner may look.
 */
void sim_end_op(void)
{
	struct sim_thread *t = sim.current;
	u32 i;

	for (i = 0; i < t->nr_choices; i++)
		t->armed[t->choices[i].kind][t->choices[i].level] = 0;
	t->choices = NULL;
	t->nr_choices = 0;
	t->waiting = 0;
	sim_switch(&sim_idle_thread);
}

static void sim_rcu_run(struct rcu_head *last)
{
	struct sim_thread *interrupted = sim.current;
	struct rcu_head *head;

	sim_rcu.ending = NULL;
	if (sim.observer && sim.observer->rcu)
		sim.observer->rcu(sim.observer->ctx, 0);
	sim.current = &sim_rcu_thread;
	do {
		head = sim_rcu.first;
		sim_rcu.first = head->next;
		if (!sim_rcu.first)
			sim_rcu.last = NULL;
		head->func(head);
	} while (head != last);
	sim.current = interrupted;
}

/* A grace period covers the callbacks queued before it ends, and ends when no reader is left. */
static void sim_gp_end(void)
{
	if (!sim_rcu.last || sim.current == &sim_rcu_thread)
		return;
	if (sim_rcu.readers)
		sim_rcu.ending = sim_rcu.last;
	else
		sim_rcu_run(sim_rcu.last);
}

/*
 * A choice waits at this point. Acts on resched and gp-end at once; the other actions are the caller's.
 * This build runs one operation at a time, so a switch inside an operation does not fire.
 */
static unsigned int sim_choose(enum point_kind kind, int level)
{
	struct sim_thread *t = sim.current;
	u32 k = t->count[kind][level], i;
	unsigned int actions = 0;

	t->armed[kind][level] = 0;
	for (i = 0; i < t->nr_choices; i++) {
		struct sim_choice *c = &t->choices[i];

		if (c->kind != kind || c->level != level)
			continue;
		sim_arm(t, c);
		if (c->k != k || (c->action == SIM_SWITCH && kind != POINT_OP))
			continue;
		c->fired = true;
		t->waiting--;
		actions |= c->action;
	}
	/* The last one came: the rest of the operation need not be watched. */
	if (!t->waiting)
		sim_switch(t);
	if (actions & SIM_RESCHED)
		t->need_resched = true;
	if (actions & SIM_GP_END)
		sim_gp_end();
	return actions;
}

/* What the run cannot go on after. The observer gets the chance to leave by longjmp. */
static void __attribute__((noreturn)) sim_fatal(char rule, const char *what, hpa_t pa)
{
	if (sim.observer && sim.observer->fatal)
		sim.observer->fatal(sim.observer->ctx, rule, what, pa);
	fprintf(stderr, "libtdp: %s (rule %c, physical address %#llx)\n", what, rule,
		(unsigned long long)pa);
	abort();
}

/**
 * sim_look_closer() - a point at which there is, or may be, something to do
 * @kind: of the point
 * @level: of the point
 * @ptr: the SPTE, NULL if none
 * @site: source line
 *
 * Where every point looks closer, points are counted by kind and level, for choices to find theirs.
 *
 * Return: mask of SIM_*.
 */
unsigned int sim_look_closer(enum point_kind kind, int level, const void *ptr,
			     const struct sim_site *site)
{
	struct sim_thread *t = sim.current;

	sim_grant();
	if (sim.spent == sim.budget_end)
		sim_fatal('P', "step budget used up: the operation does not end", 0);
	if (sim_observing)
		sim.observer->point(sim.observer->ctx, kind, level, ptr ? sim_ptr_pa(ptr) : 0,
				    site);
	if (++t->count[kind][level] == t->armed[kind][level])
		return sim_choose(kind, level);
	return 0;
}

void sim_used_freed(const void *ptr)
{
	sim_fatal('U', "page-table page used after it was freed", sim_ptr_pa(ptr));
}

void sim_warn(const char *cond, const struct sim_site *site)
{
	if (sim.observer && sim.observer->warn)
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

/* ---- reference counts: saturation is a bug here, never silent ---- */

bool sim_refcount_inc_not_zero(refcount_t *r, const struct sim_site *site)
{
	u32 refs = __atomic_load_n(&r->refs, __ATOMIC_RELAXED);

	sim_point(POINT_ATOMIC, 0, NULL, site);
	do {
		if (!refs)
			return false;
	} while (!__atomic_compare_exchange_n(&r->refs, &refs, refs + 1, false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return true;
}

bool sim_refcount_dec_and_test(refcount_t *r, const struct sim_site *site)
{
	u32 refs;

	sim_point(POINT_ATOMIC, 0, NULL, site);
	refs = __atomic_fetch_sub(&r->refs, 1, __ATOMIC_ACQ_REL);
	if (!refs)
		sim_warn("reference count below zero", site);
	return refs == 1;
}

/* ---- locks: with one thread at a time, a lock that is not free never will be ---- */

static void sim_lock_event(const char *name, int delta)
{
	if (delta > 0)
		sim.current->locks_held++;
	else
		sim.current->locks_held--;
	if (sim.observer && sim.observer->lock)
		sim.observer->lock(sim.observer->ctx, name, delta);
}

void sim_read_lock(rwlock_t *lock, const struct sim_site *site)
{
	sim_point(POINT_READ_LOCK, 0, NULL, site);
	if (lock->writer || !lock->name)
		sim_bug_lock("deadlock: read_lock of a lock held for write", lock->name);
	lock->readers++;
	sim_lock_event(lock->name, 1);
}

void sim_read_unlock(rwlock_t *lock, const struct sim_site *site)
{
	sim_point(POINT_UNLOCK, 0, NULL, site);
	if (!lock->readers)
		sim_bug_lock("read_unlock of a lock not held", lock->name);
	lock->readers--;
	sim_lock_event(lock->name, -1);
}

void sim_write_lock(rwlock_t *lock, const struct sim_site *site)
{
	sim_point(POINT_WRITE_LOCK, 0, NULL, site);
	if (lock->writer || lock->readers || !lock->name)
		sim_bug_lock("deadlock: write_lock of a lock already held", lock->name);
	lock->writer = sim.current;
	sim_lock_event(lock->name, 2);
}

void sim_write_unlock(rwlock_t *lock, const struct sim_site *site)
{
	sim_point(POINT_UNLOCK, 0, NULL, site);
	if (lock->writer != sim.current)
		sim_bug_lock("write_unlock of a lock not held", lock->name);
	lock->writer = NULL;
	sim_lock_event(lock->name, -2);
}

void sim_lock(struct sim_thread **owner, const char *name, const struct sim_site *site)
{
	sim_point(POINT_LOCK, 0, NULL, site);
	if (*owner || !name)
		sim_bug_lock("deadlock: lock already held", name);
	*owner = sim.current;
	sim_lock_event(name, 2);
}

void sim_unlock(struct sim_thread **owner, const char *name, const struct sim_site *site)
{
	sim_point(POINT_UNLOCK, 0, NULL, site);
	if (*owner != sim.current)
		sim_bug_lock("unlock of a lock not held", name);
	*owner = NULL;
	sim_lock_event(name, -2);
}

/* ---- scheduling ---- */

void sim_cond_resched(const struct sim_site *site)
{
	sim_need_resched(site);
	sim.current->need_resched = false;
}

void sim_cond_resched_rwlock(rwlock_t *lock, bool write, const struct sim_site *site)
{
	if (write)
		sim_write_unlock(lock, site);
	else
		sim_read_unlock(lock, site);
	sim.current->need_resched = false;
	if (write)
		sim_write_lock(lock, site);
	else
		sim_read_lock(lock, site);
}

/* ---- RCU and SRCU ---- */

void sim_rcu_read_lock(const struct sim_site *site)
{
	sim_point(POINT_RCU, 0, NULL, site);
	sim.current->rcu_depth++;
	sim_rcu.readers++;
	if (sim.observer && sim.observer->rcu)
		sim.observer->rcu(sim.observer->ctx, 1);
}

void sim_rcu_read_unlock(const struct sim_site *site)
{
	if (!sim.current->rcu_depth) {
		sim_warn("rcu_read_unlock() without rcu_read_lock()", site);
		return;
	}
	sim.current->rcu_depth--;
	sim_rcu.readers--;
	if (sim.observer && sim.observer->rcu)
		sim.observer->rcu(sim.observer->ctx, -1);
	if (sim_rcu.ending && !sim_rcu.readers)
		sim_rcu_run(sim_rcu.ending);
	sim_point(POINT_RCU_END, 0, NULL, site);
}

void sim_call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head),
		  const struct sim_site *site)
{
	head->func = func;
	head->next = NULL;
	if (sim_rcu.last)
		sim_rcu.last->next = head;
	else
		sim_rcu.first = head;
	sim_rcu.last = head;
	sim_point(POINT_CALL_RCU, 0, NULL, site);
}

void sim_rcu_barrier(const struct sim_site *site)
{
	sim_point(POINT_SYNC, 0, NULL, site);
	if (sim.current->rcu_depth)
		sim_bug_lock("deadlock: waits for a grace period inside a read section", "RCU");
	if (sim_rcu.last)
		sim_rcu_run(sim_rcu.last);
}

int sim_srcu_read_lock(struct srcu_struct *srcu, const struct sim_site *site)
{
	sim_point(POINT_SRCU, 0, NULL, site);
	srcu->readers++;
	sim.current->srcu_depth++;
	return 0;
}

void sim_srcu_read_unlock(struct srcu_struct *srcu, int idx, const struct sim_site *site)
{
	(void)idx;
	if (!srcu->readers || !sim.current->srcu_depth) {
		sim_warn("srcu_read_unlock() without srcu_read_lock()", site);
		return;
	}
	srcu->readers--;
	sim.current->srcu_depth--;
	sim_point(POINT_SRCU_END, 0, NULL, site);
}

void sim_synchronize_srcu(struct srcu_struct *srcu, const struct sim_site *site)
{
	sim_point(POINT_SYNC, 0, NULL, site);
	if (srcu->readers)
		sim_bug_lock("deadlock: waits for an SRCU reader that waits for it", "SRCU");
}

/* ---- other CPUs ---- */

void sim_flush(gfn_t gfn, u64 nr, const struct sim_site *site)
{
	sim_point(POINT_FLUSH, 0, NULL, site);
	if (sim.observer && sim.observer->flush)
		sim.observer->flush(sim.observer->ctx, gfn, nr, site);
}

void sim_kick(int req, const struct sim_site *site)
{
	sim_point(POINT_KICK, 0, NULL, site);
	if (sim.observer && sim.observer->kick)
		sim.observer->kick(sim.observer->ctx, req, site);
}
