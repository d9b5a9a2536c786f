// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads of the native platform: how they come, go, wait and sleep.
 */
#include "platform.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>

__thread struct native_thread native_self;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static pthread_mutex_t shards_lock = PTHREAD_MUTEX_INITIALIZER;
static u32 shard_users[NATIVE_SHARDS];

/* The thread ends. */
static void thread_leave(void *self)
{
	struct native_thread *t = self;

	native_give_pages_back(t);
	pthread_mutex_lock(&shards_lock);
	shard_users[t->shard - 1]--;
	pthread_mutex_unlock(&shards_lock);
	t->shard = 0;
}

static void make_key(void)
{
	if (pthread_key_create(&key, thread_leave))
		abort();
}

/**
 * native_thread_join() - give the current thread its share of what is spread
 *
 * That which fewest threads have.
 *
 * Return: its number, plus one.
 */
u32 native_thread_join(void)
{
	u32 i, best = 0;

	pthread_once(&once, make_key);
	pthread_mutex_lock(&shards_lock);
	for (i = 1; i < NATIVE_SHARDS; i++) {
		if (shard_users[i] < shard_users[best])
			best = i;
	}
	shard_users[best]++;
	pthread_mutex_unlock(&shards_lock);
	native_self.shard = best + 1;
	if (pthread_setspecific(key, &native_self))
		abort();
	return native_self.shard;
}

/* ---- waiting ---- */

#define SPINS  64
#define YIELDS 1024

/**
 * native_backoff() - wait a moment for another thread
 * @tries: how often that was done already, counted here
 *
 * First by spinning, then by giving the CPU away, at last by sleeping.
 */
void native_backoff(u32 *tries)
{
	const struct timespec moment = { .tv_nsec = 50000 };

	if (++*tries < SPINS)
		native_pause();
	else if (*tries < YIELDS)
		sched_yield();
	else
		nanosleep(&moment, NULL);
}

/**
 * native_relax() - cpu_relax(): the thread spins
 *
 * From time to time the CPU is given away, since who it spins for may not be running.
 */
void native_relax(void)
{
	(void)native_point(POINT_RELAX, 0, NULL);
	if (++native_self.spins % SPINS)
		native_pause();
	else
		sched_yield();
}

/**
 * cond_resched() - yield the CPU if that was asked for
 */
void cond_resched(void)
{
	if (!need_resched())
		return;
	native_self.need_resched = false;
	sched_yield();
}

/* ---- sleeping until woken ---- */

void rcuwait_init(struct rcuwait *wait)
{
	pthread_mutex_init(&wait->lock, NULL);
	pthread_cond_init(&wait->woken, NULL);
	wait->task = NULL;
}

void prepare_to_rcuwait(struct rcuwait *wait)
{
	native_self.sleeps_on = wait;
	pthread_mutex_lock(&wait->lock);
	wait->task = &native_self;
	pthread_mutex_unlock(&wait->lock);
}

void finish_rcuwait(struct rcuwait *wait)
{
	pthread_mutex_lock(&wait->lock);
	wait->task = NULL;
	native_self.asleep = false;
	pthread_mutex_unlock(&wait->lock);
	native_self.sleeps_on = NULL;
}

void set_current_state(bool asleep)
{
	struct rcuwait *wait = native_self.sleeps_on;

	pthread_mutex_lock(&wait->lock);
	native_self.asleep = asleep;
	pthread_mutex_unlock(&wait->lock);
}

void schedule(void)
{
	struct rcuwait *wait = native_self.sleeps_on;

	pthread_mutex_lock(&wait->lock);
	while (native_self.asleep)
		pthread_cond_wait(&wait->woken, &wait->lock);
	pthread_mutex_unlock(&wait->lock);
}

/* Nobody but the sleeper takes itself out, so it is there as long as it is named. */
void rcuwait_wake_up(struct rcuwait *wait)
{
	pthread_mutex_lock(&wait->lock);
	if (wait->task) {
		wait->task->asleep = false;
		pthread_cond_broadcast(&wait->woken);
	}
	pthread_mutex_unlock(&wait->lock);
}
