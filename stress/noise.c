// SPDX-License-Identifier: GPL-2.0-only
/*
 * Most races need a thread to stop at one place in particular, and the machine stops one there too seldom. So a
 * thread has a kind of point for a while (before it writes a 2M SPTE, before a flush, before it takes a
 * lock, ...), at which it often lets others go on: for a scheduler's round, for some microseconds, or for longer
 * than any operation takes. Everywhere else it is as fast as it can, and so are the others.
 */
#include <sched.h>
#include <time.h>

#include "platform.h"

#include "noise.h"

#define SPINS	 4096
#define SLEEP_NS 50000

#define PASSED	 20000 /* points until a thread has another kind */
#define STOPS	 50 /* or stops */

static bool noise_on;
static uint64_t noise_seed;
static uint64_t noise_threads;

/*
 * What a thread has of it. @passes, @stops: until it has another kind; @singly: runs of SPTEs are taken one by one;
 * @level: 0 for all levels
 */
static __thread struct {
	uint64_t random;
	uint32_t passes, stops;
	bool singly;
	enum point_kind kind;
	int level;
} noise;

/* Those that there are on this platform, the more worthwhile ones twice. */
static const enum point_kind kinds[] = {
	POINT_READ,	 POINT_WRITE,	POINT_WRITE, POINT_XCHG,      POINT_XCHG,
	POINT_CMPXCHG,	 POINT_CMPXCHG, POINT_AND,   POINT_LOAD,      POINT_LOCK,
	POINT_ALLOC,	 POINT_SYNC,	POINT_RELAX, POINT_READ_LOCK, POINT_FLUSH,
	POINT_READ_LOCK, POINT_FLUSH,	POINT_KICK,  POINT_RESCHED,
};

static uint32_t below(uint32_t n)
{
	noise.random = noise.random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (noise.random >> 33) % n;
}

static void choose_kind(void)
{
	if (!noise.random)
		noise.random = noise_seed + __atomic_add_fetch(&noise_threads, 1, __ATOMIC_RELAXED);
	noise.kind = kinds[below(ARRAY_SIZE(kinds))];
	noise.level = below(4);
	noise.singly = below(2);
	noise.passes = PASSED;
	noise.stops = STOPS;
}

static void stop_for_a_moment(void)
{
	const struct timespec ns = { .tv_nsec = SLEEP_NS };
	uint32_t i;

	switch (below(4)) {
	case 0:
		for (i = below(SPINS); i; i--)
			native_pause();
		break;
	case 1:
		nanosleep(&ns, NULL);
		break;
	default:
		sched_yield();
	}
}

/* The library asks at each point. Allocations are never refused. */
bool native_point(enum point_kind kind, int level, const void *ptr)
{
	(void)ptr;
	if (!noise_on)
		return false;
	if (!noise.passes-- || !noise.stops)
		choose_kind();
	if (unlikely(kind == noise.kind) && (!noise.level || !level || level == noise.level) &&
	    !below(4)) {
		noise.stops--;
		stop_for_a_moment();
	}
	return false;
}

/* In the midst of a run nobody could get in, so some threads take SPTEs one by one. */
bool native_watched(void)
{
	return noise_on && noise.singly;
}

/**
 * noise_init() - threads of the library stop, or do not
 * @seed: of the random numbers
 * @on: they do
 *
 * Before there are threads.
 */
void noise_init(uint64_t seed, bool on)
{
	noise_seed = seed << 32;
	noise_on = on;
}
