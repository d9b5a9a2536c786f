/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a thread has of its own on the native platform.  Nobody registers: a thread gets a number
 * when it first needs one, and gives it back when it ends.
 */
#ifndef TDP_PLATFORM_NATIVE_THREAD_H
#define TDP_PLATFORM_NATIVE_THREAD_H

/* Cache lines that what many threads write is spread over. */
#define NATIVE_SHARDS 64
#define NATIVE_LINE   64

#define NATIVE_MAGAZINE 32

struct rcuwait;

/**
 * struct native_thread - a thread
 * @shard: its share of what is spread, plus one; 0: it has none yet
 * @need_resched: it is to yield
 * @spins: how often it has spun
 * @steps: how often it was asked to let go of a lock
 * @asleep: it has announced to schedule() until somebody wakes it, under the lock of @sleeps_on
 * @sleeps_on: what it waits at
 * @nr_pages: free page-table pages that it keeps
 * @pages: their numbers; the last one was freed last
 */
struct native_thread {
	u32 shard;
	bool need_resched;
	u32 spins;
	u32 steps;
	bool asleep;
	struct rcuwait *sleeps_on;
	u32 nr_pages;
	u32 pages[NATIVE_MAGAZINE];
};

/* Where a load finds it without a call, in a shared library too. */
extern __thread struct native_thread native_self __attribute__((tls_model("initial-exec")));

u32 native_thread_join(void);

static inline u32 native_shard(void)
{
	const u32 shard = native_self.shard;

	return (likely(shard) ? shard : native_thread_join()) - 1;
}

static inline void native_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield" ::: "memory");
#else
	__asm__ volatile("" ::: "memory");
#endif
}

void native_backoff(u32 *tries);
void native_relax(void);

#define cpu_relax() native_relax()

/* Nobody but a test sets it: userspace is preempted anyway. */
static inline bool need_resched(void)
{
	(void)native_point(POINT_RESCHED, 0, NULL);
	return native_self.need_resched;
}

void cond_resched(void);

/* Sleeping until another thread changes something, see sim.h. */
struct rcuwait {
	pthread_mutex_t lock;
	pthread_cond_t woken;
	struct native_thread *task;
};

#define TASK_UNINTERRUPTIBLE true
void rcuwait_init(struct rcuwait *wait);
void prepare_to_rcuwait(struct rcuwait *wait);
void finish_rcuwait(struct rcuwait *wait);
void rcuwait_wake_up(struct rcuwait *wait);
void set_current_state(bool asleep);
void schedule(void);

#endif /* TDP_PLATFORM_NATIVE_THREAD_H */
