// SPDX-License-Identifier: GPL-2.0-only
/*
 * The native platform's rwlock, off the readers' fast path.
 *
 * Who has to wait takes a ticket, so that nobody is overtaken for ever, and whoever yields the lock
 * has let those who waited go first when it is its turn again.  Waiters give the CPU away: there may be
 * more threads than CPUs, and the one they wait for may not be running.
 */
#include "platform.h"

static void take_turn(rwlock_t *lock)
{
	const u32 ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);
	u32 tries = 0;

	while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket)
		native_backoff(&tries);
}

static void pass_turn(rwlock_t *lock)
{
	__atomic_store_n(&lock->serving, lock->serving + 1, __ATOMIC_RELEASE);
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
	__atomic_fetch_sub(readers, 1, __ATOMIC_RELEASE);
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

/**
 * cond_resched_rwlock_read() - let go of a lock held for reading, for as long as others want it
 * @lock: the lock
 */
void cond_resched_rwlock_read(rwlock_t *lock)
{
	read_unlock(lock);
	cond_resched();
	read_lock(lock);
}

/**
 * cond_resched_rwlock_write() - let go of a lock held for writing, for as long as others want it
 * @lock: the lock
 */
void cond_resched_rwlock_write(rwlock_t *lock)
{
	write_unlock(lock);
	cond_resched();
	write_lock(lock);
}
