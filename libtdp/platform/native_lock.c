// SPDX-License-Identifier: GPL-2.0-only
/*
 * The native platform's rwlock, off the readers' fast path.
 *
 * There may be more threads than CPUs, and the one that somebody waits for may not be running: so waiters
 * sleep, or give the CPU away, and whoever is there first gets the lock.  Who yields it waits a moment for
 * those who want it.
 */
#include "platform.h"

/* How often a reader tries to get in between two writers before it queues up with them. */
#define PATIENCE 8
/* How often who yields gives those who wait a chance to run. */
#define YIELD_TRIES 80

static void take_turn(rwlock_t *lock)
{
	__atomic_fetch_add(&lock->queued, 1, __ATOMIC_RELAXED);
	pthread_mutex_lock(&lock->turn);
}

static void pass_turn(rwlock_t *lock)
{
	__atomic_fetch_sub(&lock->queued, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&lock->turn);
}

/**
 * native_rwlock_init() - rwlock_init()
 * @lock: the lock
 */
void native_rwlock_init(rwlock_t *lock)
{
	memset(lock, 0, sizeof(*lock));
	pthread_mutex_init(&lock->turn, NULL);
}

/* Wait for the writer to leave, and get in before the next one. False: that did not work. */
static bool slip_in(rwlock_t *lock, u32 *readers)
{
	u32 tries = 0;

	while (__atomic_load_n(&lock->writer, __ATOMIC_RELAXED))
		native_backoff(&tries);
	__atomic_fetch_add(readers, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&lock->writer, __ATOMIC_SEQ_CST))
		return true;
	__atomic_fetch_sub(readers, 1, __ATOMIC_RELEASE);
	return false;
}

/**
 * native_read_lock_slow() - a reader found a writer
 * @lock: the lock
 * @readers: where the reader has counted itself
 *
 * A writer keeps its turn to the end, so who has the turn meets none.
 */
void native_read_lock_slow(rwlock_t *lock, u32 *readers)
{
	bool inside = false;
	int tries;

	__atomic_fetch_sub(readers, 1, __ATOMIC_RELEASE);
	__atomic_fetch_add(&lock->waiting, 1, __ATOMIC_RELAXED);
	for (tries = 0; tries < PATIENCE && !inside; tries++)
		inside = slip_in(lock, readers);
	__atomic_fetch_sub(&lock->waiting, 1, __ATOMIC_RELAXED);
	if (inside)
		return;
	take_turn(lock);
	__atomic_fetch_add(readers, 1, __ATOMIC_SEQ_CST);
	pass_turn(lock);
}

/**
 * native_write_lock() - write_lock()
 * @lock: the lock
 */
void native_write_lock(rwlock_t *lock)
{
	u32 tries = 0;
	u64 used;

	take_turn(lock);
	__atomic_store_n(&lock->owner, &native_self, __ATOMIC_RELAXED);
	__atomic_store_n(&lock->writer, 1, __ATOMIC_SEQ_CST);
	for (used = __atomic_load_n(&lock->used, __ATOMIC_SEQ_CST); used; used &= used - 1) {
		const u32 *readers = &lock->shard[__builtin_ctzll(used)].readers;

		while (__atomic_load_n(readers, __ATOMIC_SEQ_CST))
			native_backoff(&tries);
	}
}

/**
 * native_write_unlock() - write_unlock()
 * @lock: the lock
 */
void native_write_unlock(rwlock_t *lock)
{
	__atomic_store_n(&lock->owner, NULL, __ATOMIC_RELAXED);
	__atomic_store_n(&lock->writer, 0, __ATOMIC_RELEASE);
	pass_turn(lock);
}

/* Until those who want the lock are inside, or a moment has passed. */
static void let_others_in(rwlock_t *lock)
{
	u32 tries = 0;

	cond_resched();
	while (tries < YIELD_TRIES && !__atomic_load_n(&lock->writer, __ATOMIC_RELAXED) &&
	       (__atomic_load_n(&lock->queued, __ATOMIC_RELAXED) ||
		__atomic_load_n(&lock->waiting, __ATOMIC_RELAXED)))
		native_backoff(&tries);
}

/**
 * cond_resched_rwlock_read() - let go of a lock held for reading, for as long as others want it
 * @lock: the lock
 */
void cond_resched_rwlock_read(rwlock_t *lock)
{
	read_unlock(lock);
	let_others_in(lock);
	read_lock(lock);
}

/**
 * cond_resched_rwlock_write() - let go of a lock held for writing, for as long as others want it
 * @lock: the lock
 */
void cond_resched_rwlock_write(rwlock_t *lock)
{
	write_unlock(lock);
	let_others_in(lock);
	write_lock(lock);
}
