/* SPDX-License-Identifier: GPL-2.0-only */
/* The native platform's locks. */
#ifndef TDP_PLATFORM_NATIVE_LOCK_H
#define TDP_PLATFORM_NATIVE_LOCK_H

/**
 * rwlock_t - mmu_lock: readers do not meet in any cache line that they write
 * @turn: whoever has it lets no writer in but itself: a writer, or a reader who has lost patience
 * @queued: how many have it or want it
 * @writer: one is inside, or waits for the readers to leave
 * @waiting: readers who wait for the writer to leave
 * @used: shards that ever had a reader
 * @owner: the writer
 * @shard: readers inside
 *
 * As the kernel's queued rwlock writers come before readers that come later, but the count of
 * readers is spread out, and nobody has a place in a queue: who is next in it may not be running.
 */
typedef struct {
	pthread_mutex_t turn;
	u32 queued;
	u32 writer;
	u32 waiting;
	u64 used;
	const struct native_thread *owner;
	struct {
		u32 readers;
		char pad[NATIVE_LINE - sizeof(u32)];
	} shard[NATIVE_SHARDS];
} rwlock_t;

void native_rwlock_init(rwlock_t *lock);
void native_read_lock_slow(rwlock_t *lock, u32 *readers);
void native_write_lock(rwlock_t *lock);
void native_write_unlock(rwlock_t *lock);

/*
 * A reader shows itself, then looks for a writer; a writer shows itself, then looks for readers. All
 * four are sequentially consistent, so that one of the two sees the other. That holds for @used, too: who
 * finds the bit set comes after whoever set it.
 */
static inline void read_lock(rwlock_t *lock)
{
	const u32 shard = native_shard();
	u32 *readers = &lock->shard[shard].readers;

	(void)native_point(POINT_READ_LOCK, 0, lock);
	if (unlikely(!(__atomic_load_n(&lock->used, __ATOMIC_ACQUIRE) & BIT_ULL(shard))))
		__atomic_fetch_or(&lock->used, BIT_ULL(shard), __ATOMIC_SEQ_CST);
	__atomic_fetch_add(readers, 1, __ATOMIC_SEQ_CST);
	if (unlikely(__atomic_load_n(&lock->writer, __ATOMIC_SEQ_CST)))
		native_read_lock_slow(lock, readers);
}

static inline void read_unlock(rwlock_t *lock)
{
	__atomic_fetch_sub(&lock->shard[native_shard()].readers, 1, __ATOMIC_RELEASE);
}

#define rwlock_init(l)	native_rwlock_init(l)
#define write_lock(l)	native_write_lock(l)
#define write_unlock(l) native_write_unlock(l)

static inline bool native_is_held_read(const rwlock_t *lock)
{
	return __atomic_load_n(&lock->shard[native_shard()].readers, __ATOMIC_RELAXED);
}

static inline bool native_is_held_write(const rwlock_t *lock)
{
	return __atomic_load_n(&lock->owner, __ATOMIC_RELAXED) == &native_self;
}

/*
 * A walk that yields to another one which yields, too, gets no further than this between two turns. In the
 * kernel a step costs as much as passing the lock on; here that may be a thousand times as much.
 */
#define NATIVE_STEPS_PER_TURN 32

/* Somebody waits for the lock: who holds it should let go for a moment. */
static inline bool rwlock_needbreak(const rwlock_t *lock)
{
	const u32 queued = __atomic_load_n(&lock->queued, __ATOMIC_RELAXED);

	/* One may be the asker itself. */
	if (likely(!queued) || (queued == 1 && native_is_held_write(lock) &&
				!__atomic_load_n(&lock->waiting, __ATOMIC_RELAXED)))
		return false;
	return ++native_self.steps % NATIVE_STEPS_PER_TURN == 0;
}

void cond_resched_rwlock_read(rwlock_t *lock);
void cond_resched_rwlock_write(rwlock_t *lock);

/* Short and uncontended, or slow paths: the C library's. */
struct mutex {
	pthread_mutex_t lock;
	const struct native_thread *owner;
};
typedef struct mutex spinlock_t;

static inline void native_mutex_init(struct mutex *mutex)
{
	pthread_mutex_init(&mutex->lock, NULL);
	mutex->owner = NULL;
}

static inline void native_mutex_lock(struct mutex *mutex)
{
	pthread_mutex_lock(&mutex->lock);
	__atomic_store_n(&mutex->owner, &native_self, __ATOMIC_RELAXED);
}

static inline void native_mutex_unlock(struct mutex *mutex)
{
	__atomic_store_n(&mutex->owner, NULL, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&mutex->lock);
}

static inline bool native_is_owned(const struct mutex *mutex)
{
	return __atomic_load_n(&mutex->owner, __ATOMIC_RELAXED) == &native_self;
}

#define mutex_init(l)	  native_mutex_init(l)
#define mutex_lock(l)	  native_at(LOCK, 0, l, native_mutex_lock(l))
#define mutex_unlock(l)	  native_mutex_unlock(l)
#define spin_lock_init(l) native_mutex_init(l)
#define spin_lock(l)	  native_at(LOCK, 0, l, native_mutex_lock(l))
#define spin_unlock(l)	  native_mutex_unlock(l)

/* As without CONFIG_LOCKDEP, but in builds that look for mistakes. */
#define native_lockdep(held)	     ((void)(NATIVE_DEBUG && WARN_ON(!(held))))
#define lockdep_assert_held(l)	     native_lockdep(native_is_held_read(l) || native_is_held_write(l))
#define lockdep_assert_held_read(l)  native_lockdep(native_is_held_read(l))
#define lockdep_assert_held_write(l) native_lockdep(native_is_held_write(l))
#define lockdep_assert_owned(l)	     native_lockdep(native_is_owned(l)) /* spinlock, mutex */

#endif /* TDP_PLATFORM_NATIVE_LOCK_H */
