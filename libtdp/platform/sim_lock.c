// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sim platform's locks, reference counts and yielding.
 *
 * Locks are fair, as the kernel's queued ones: who releases one hands it over to who
 * has waited longest, and readers wait behind a writer that waits.
 */
#include "sim_internal.h"

/* ---- reference counts: saturation is a bug here, never silent ---- */

bool sim_refcount_inc_not_zero(refcount_t *r, const struct sim_site *site)
{
	sim_point(POINT_ATOMIC, 0, r, site);
	/* Nobody comes in between: the next point is after both. */
	if (!__atomic_load_n(&r->refs, __ATOMIC_RELAXED))
		return false;
	__atomic_fetch_add(&r->refs, 1, __ATOMIC_RELAXED);
	return true;
}

bool sim_refcount_dec_and_test(refcount_t *r, const struct sim_site *site)
{
	u32 refs;

	sim_point(POINT_ATOMIC, 0, r, site);
	SIM_RELEASE(r);
	refs = __atomic_fetch_sub(&r->refs, 1, __ATOMIC_ACQ_REL);
	if (refs == 1)
		SIM_ACQUIRE(r);
	if (!refs)
		sim_warn("reference count below zero", site);
	return refs == 1;
}

/* ---- who holds what, and who waits ---- */

/* "&kvm->mmu_lock" is how the code names it. */
static const char *plain(const char *name)
{
	return *name == '&' ? name + 1 : name;
}

static void sim_taken(const void *lock, const char *name, bool shared)
{
	struct sim_thread *t = sim.current;
	struct sim_held *held = &t->held[t->locks_held];

	if (unlikely(t->locks_held == SIM_MAX_HELD))
		sim_bug_lock("a thread holds too many locks", plain(name));
	t->locks_held++;
	held->lock = lock;
	held->shared = shared;
	held->op = t->op;
	sim.observer->lock(sim.observer->ctx, name, shared ? 1 : 2);
}

static void sim_released(const void *lock, const char *name, bool shared)
{
	struct sim_thread *t = sim.current;
	u32 i = t->locks_held;

	/* It is the one taken last, nearly always. */
	while (i > 0 && t->held[i - 1].lock != lock)
		i--;
	if (i > 0) {
		for (; i < t->locks_held; i++)
			t->held[i - 1] = t->held[i];
		t->locks_held--;
	}
	sim.observer->lock(sim.observer->ctx, name, shared ? -1 : -2);
}

static u32 sim_holders(const void *lock)
{
	u32 mask = 0, i, j;

	for (i = 0; i < SIM_MAX_THREADS; i++) {
		const struct sim_thread *t = sim.threads[i];

		for (j = 0; t && j < t->locks_held; j++) {
			if (t->held[j].lock == lock)
				mask |= 1u << i;
		}
	}
	return mask;
}

/* Somebody may be first in the queue for as long; so those ahead are in the way too. */
static u32 sim_in_the_way(const struct sim_thread *waiting)
{
	const void *lock = waiting->wait.on;
	u32 mask = sim_holders(lock), i;

	for (i = 0; i < SIM_MAX_THREADS; i++) {
		const struct sim_thread *t = sim.threads[i], *behind;

		if (!t || t == waiting || !t->wait.what || t->wait.on != lock)
			continue;
		for (behind = t->next; behind; behind = behind->next) {
			if (behind == waiting)
				mask |= 1u << i;
		}
	}
	return mask;
}

static char *append(char *to, const char *end, const char *text)
{
	const size_t len = strnlen(text, end - to);

	memcpy(to, text, len);
	return to + len;
}

/* The current thread waits at the end of the queue until the lock is handed to it. */
static void sim_queue_up(struct sim_queue *queue, const void *lock, const char *name, bool shared,
			 const char *how)
{
	struct sim_thread *t = sim.current;
	char what[64], *end = what + sizeof(what) - 1;
	struct sim_wait wait = {
		.what = what,
		.who = sim_in_the_way,
		.on = lock,
	};

	*append(append(what, end, plain(name)), end, how) = '\0';
	if (sim_is_scheduled(t)) {
		t->shared = shared;
		t->next = NULL;
		if (queue->first)
			queue->last->next = t;
		else
			queue->first = t;
		queue->last = t;
	}
	sim_wait(&wait);
}

static struct sim_thread *sim_dequeue(struct sim_queue *queue)
{
	struct sim_thread *t = queue->first;

	queue->first = t->next;
	t->next = NULL;
	sim_wake(t);
	return t;
}

/* ---- rwlocks ---- */

static void sim_rwlock_wait(rwlock_t *lock, bool shared)
{
	sim.queued++;
	sim_queue_up(&lock->queue, lock, lock->name, shared, shared ? " for read" : " for write");
}

static struct sim_thread *sim_rwlock_dequeue(rwlock_t *lock)
{
	sim.queued--;
	return sim_dequeue(&lock->queue);
}

/* Whoever waits is handed a lock as soon as that can be: none is free with somebody in its queue. */
static void sim_rwlock_hand_over(rwlock_t *lock)
{
	if (!lock->queue.first)
		return;
	if (!lock->queue.first->shared) {
		if (!lock->readers)
			lock->writer = sim_rwlock_dequeue(lock);
		return;
	}
	while (lock->queue.first && lock->queue.first->shared) {
		sim_rwlock_dequeue(lock);
		lock->readers++;
	}
}

void sim_read_lock(rwlock_t *lock, const struct sim_site *site)
{
	sim_point(POINT_READ_LOCK, 0, lock, site);
	if (!lock->name)
		sim_bug_lock("read_lock", NULL);
	if (lock->writer || lock->queue.first)
		sim_rwlock_wait(lock, true);
	else
		lock->readers++;
	SIM_ACQUIRE(&lock->writer);
	sim_taken(lock, lock->name, true);
}

void sim_read_unlock(rwlock_t *lock, const struct sim_site *site)
{
	sim_point(POINT_UNLOCK, 0, lock, site);
	if (!lock->readers)
		sim_bug_lock("read_unlock of a lock not held", lock->name);
	SIM_RELEASE(&lock->readers);
	lock->readers--;
	sim_released(lock, lock->name, true);
	sim_rwlock_hand_over(lock);
}

void sim_write_lock(rwlock_t *lock, const struct sim_site *site)
{
	sim_point(POINT_WRITE_LOCK, 0, lock, site);
	if (!lock->name)
		sim_bug_lock("write_lock", NULL);
	if (lock->writer || lock->readers)
		sim_rwlock_wait(lock, false);
	else
		lock->writer = sim.current;
	SIM_ACQUIRE(&lock->writer);
	SIM_ACQUIRE(&lock->readers);
	sim_taken(lock, lock->name, false);
}

void sim_write_unlock(rwlock_t *lock, const struct sim_site *site)
{
	sim_point(POINT_UNLOCK, 0, lock, site);
	if (lock->writer != sim.current)
		sim_bug_lock("write_unlock of a lock not held", lock->name);
	SIM_RELEASE(&lock->writer);
	lock->writer = NULL;
	sim_released(lock, lock->name, false);
	sim_rwlock_hand_over(lock);
}

/* ---- spinlocks and mutexes ---- */

void sim_lock(struct sim_lock *lock, const struct sim_site *site)
{
	sim_point(POINT_LOCK, 0, lock, site);
	if (!lock->name)
		sim_bug_lock("lock", NULL);
	if (lock->owner)
		sim_queue_up(&lock->queue, lock, lock->name, false, "");
	else
		lock->owner = sim.current;
	SIM_ACQUIRE(lock);
	sim_taken(lock, lock->name, false);
}

void sim_unlock(struct sim_lock *lock, const struct sim_site *site)
{
	sim_point(POINT_UNLOCK, 0, lock, site);
	if (lock->owner != sim.current)
		sim_bug_lock("unlock of a lock not held", lock->name);
	SIM_RELEASE(lock);
	lock->owner = lock->queue.first ? sim_dequeue(&lock->queue) : NULL;
	sim_released(lock, lock->name, false);
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
	sim_yielded(sim.current);
	if (write)
		sim_write_lock(lock, site);
	else
		sim_read_lock(lock, site);
}

/* ---- sleeping until woken ---- */

void sim_prepare_to_rcuwait(struct rcuwait *wait)
{
	wait->task = sim.current;
}

void sim_finish_rcuwait(struct rcuwait *wait)
{
	wait->task = NULL;
	sim.current->asleep = false;
}

void sim_set_asleep(bool asleep)
{
	sim.current->asleep = asleep;
}

static u32 sim_everybody_else(const struct sim_thread *waiting)
{
	u32 mask = 0, i;

	for (i = 0; i < SIM_MAX_THREADS; i++) {
		if (sim.threads[i] && sim.threads[i] != waiting && !sim.threads[i]->ended)
			mask |= 1u << i;
	}
	return mask;
}

void sim_schedule(const struct sim_site *site)
{
	struct sim_thread *t = sim.current;
	const struct sim_wait wait = {
		.what = "somebody to wake it",
		.who = sim_everybody_else,
		.on = t,
	};

	(void)site;
	if (t->asleep)
		sim_wait(&wait);
	SIM_ACQUIRE(t);
}

void sim_rcuwait_wake_up(struct rcuwait *wait)
{
	struct sim_thread *t = wait->task;

	if (!t || !t->asleep)
		return;
	SIM_RELEASE(t);
	t->asleep = false;
	if (t->wait.what && t->wait.on == t)
		sim_wake(t);
}
