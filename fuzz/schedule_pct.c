// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probabilistic concurrency testing.  Of threads that can run, the one with the highest priority
 * does. Priorities are random, and change at depth - 1 random points, where the thread that runs
 * falls behind all others.  A bug that takes depth orderings of events, in a program of n threads
 * and k points, is met with a probability of at least 1 / (n k^(depth - 1)) in each run.
 * (Burckhardt, Kothari, Musuvathi, Nagarakatte: "A randomized scheduler with probabilistic
 * guarantees of finding bugs".)
 */
#include "schedule.h"

static int highest(const struct schedule_pct *s, uint32_t mask)
{
	int best = __builtin_ctz(mask);

	for (mask &= mask - 1; mask; mask &= mask - 1) {
		int i = __builtin_ctz(mask);

		if (s->priority[i] > s->priority[best])
			best = i;
	}
	return best;
}

static unsigned int at_point(void *ctx, int thread, enum point_kind kind, int level, u32 k,
			     u64 object, u32 runnable, int *target)
{
	struct schedule_pct *s = ctx;

	(void)kind;
	(void)level;
	(void)k;
	(void)object;
	/*
	 * Who ran before and could still, spins: where there is no choice nobody asked. It must not
	 * come before who it spins for.
	 */
	if (s->thread != thread && (runnable & 1u << s->thread))
		s->priority[s->thread] = s->lowest--;
	for (s->point++; s->next < s->nr_changes && s->change[s->next] <= s->point; s->next++)
		s->priority[thread] = s->lowest--;
	*target = highest(s, runnable);
	s->thread = *target;
	return *target == thread ? 0 : SIM_SWITCH;
}

static int pick(void *ctx, int thread, enum point_kind why, u32 k, u32 runnable)
{
	struct schedule_pct *s = ctx;

	(void)k;
	if (why == POINT_RELAX)
		s->priority[thread] = s->lowest--;
	s->thread = highest(s, runnable);
	return s->thread;
}

static void sort(uint64_t *list, uint32_t n)
{
	uint32_t i, j;

	for (i = 1; i < n; i++) {
		uint64_t val = list[i];

		for (j = i; j && list[j - 1] > val; j--)
			list[j] = list[j - 1];
		list[j] = val;
	}
}

/**
 * schedule_pct_init() - a schedule by priorities
 * @s: is filled
 * @seed: the same one makes the same schedule of the same program
 * @depth: priorities change @depth - 1 times; 1 to SCHEDULE_MAX_DEPTH
 * @points: that a run passes, about; at least 1
 */
void schedule_pct_init(struct schedule_pct *s, uint64_t seed, uint32_t depth, uint64_t points)
{
	int i;

	*s = (struct schedule_pct){
		.scheduler = {
			.ctx = s,
			.every_point = true,
			.at_point = at_point,
			.pick = pick,
		},
		.rng = rng_seed(seed),
		.nr_changes = depth - 1,
	};
	for (i = 0; i < PROG_MAX_THREADS; i++) {
		int j = rng_below(&s->rng, i + 1);

		s->priority[i] = s->priority[j];
		s->priority[j] = i + 1;
	}
	for (i = 0; i < (int)s->nr_changes; i++)
		s->change[i] = 1 + rng_below(&s->rng, points);
	sort(s->change, s->nr_changes);
}
