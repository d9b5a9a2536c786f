/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Schedulers that make schedules up.  What they decide is recorded like a program's own choices
 * (struct exec_options), so that a run under any of them is a program that repeats it.
 */
#ifndef FUZZ_SCHEDULE_H
#define FUZZ_SCHEDULE_H

#include <stdint.h>

#include "platform.h"
#include "program.h"
#include "program_rng.h"

/**
 * struct schedule_random - at each point, with some probability, something happens
 * @scheduler: for &struct exec_options; the rest is its own
 * @rng: what happens
 * @one_in: a thread is stopped at one point in so many
 */
struct schedule_random {
	struct sim_scheduler scheduler;
	struct rng rng;
	uint32_t one_in;
};

void schedule_random_init(struct schedule_random *s, uint64_t seed, uint32_t one_in);

#define SCHEDULE_MAX_DEPTH 64

/**
 * struct schedule_pct - the thread with the highest priority runs, and priorities change a few
 * times
 * @scheduler: for &struct exec_options; the rest is its own
 * @rng: what ties there are
 * @priority: of each thread; the higher runs
 * @change: points at which the thread that runs falls behind all others, in order
 * @nr_changes: how many
 * @next: of @change
 * @point: points passed
 * @lowest: priority of who falls behind next
 * @thread: that runs, as far as was asked
 */
struct schedule_pct {
	struct sim_scheduler scheduler;
	struct rng rng;
	int64_t priority[PROG_MAX_THREADS];
	uint64_t change[SCHEDULE_MAX_DEPTH];
	uint32_t nr_changes;
	uint32_t next;
	uint64_t point;
	int64_t lowest;
	int thread;
};

void schedule_pct_init(struct schedule_pct *s, uint64_t seed, uint32_t depth, uint64_t points);

#endif /* FUZZ_SCHEDULE_H */
