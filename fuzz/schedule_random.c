// SPDX-License-Identifier: GPL-2.0-only
#include "schedule.h"

/* Of the points at which a thread is not stopped, one in this many times one_in brings something else. */
#define RARER 4

static int random_thread(struct rng *rng, uint32_t mask)
{
	uint32_t skip = rng_below(rng, __builtin_popcount(mask));

	while (skip--)
		mask &= mask - 1;
	return __builtin_ctz(mask);
}

/* The platform leaves out what cannot happen at this kind of point. */
static unsigned int random_action(struct rng *rng, enum point_kind kind)
{
	switch (kind) {
	case POINT_ALLOC:
	case POINT_FAULTIN:
		return rng_chance(rng, 50) ? SIM_FAIL : SIM_REUSE;
	case POINT_TLB:
	case POINT_WALK:
	case POINT_MEMORY:
		return SIM_EVICT;
	default:
		return rng_chance(rng, 50) ? SIM_RESCHED : SIM_GP_END;
	}
}

static unsigned int at_point(void *ctx, int thread, enum point_kind kind, int level, u32 k,
			     u64 object, u32 runnable, int *target)
{
	struct schedule_random *s = ctx;
	uint32_t others = runnable & ~(1u << thread);

	(void)level;
	(void)k;
	(void)object;
	if (others && !rng_below(&s->rng, s->one_in)) {
		*target = random_thread(&s->rng, others);
		return SIM_SWITCH;
	}
	if (!rng_below(&s->rng, (uint64_t)s->one_in * RARER))
		return random_action(&s->rng, kind);
	return 0;
}

static int pick(void *ctx, int thread, enum point_kind why, u32 k, u32 runnable)
{
	struct schedule_random *s = ctx;

	(void)thread;
	(void)why;
	(void)k;
	return random_thread(&s->rng, runnable);
}

/**
 * schedule_random_init() - a random schedule
 * @s: is filled
 * @seed: the same one makes the same schedule of the same program
 * @one_in: a thread is stopped at one point in so many, at least 1; what else a schedule can say
 *	comes at one in four times as many
 */
void schedule_random_init(struct schedule_random *s, uint64_t seed, uint32_t one_in)
{
	*s = (struct schedule_random){
		.scheduler = {
			.ctx = s,
			.every_point = true,
			.at_point = at_point,
			.pick = pick,
		},
		.rng = rng_seed(seed),
		.one_in = one_in,
	};
}
