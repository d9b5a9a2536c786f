/* SPDX-License-Identifier: GPL-2.0-only */
/* tdp run --scheduler: schedules that are made up. */
#ifndef TDP_RUN_SCHEDULES_H
#define TDP_RUN_SCHEDULES_H

#include "executor.h"

enum run_scheduler { RUN_REPLAY, RUN_RANDOM, RUN_PCT };

/**
 * struct run_schedules - which schedules
 * @scheduler: who makes them
 * @seed: of the first; the others have those that follow
 * @runs: how many
 * @one_in: of RUN_RANDOM: stops a thread at one point in so many
 * @depth: of RUN_PCT
 */
struct run_schedules {
	enum run_scheduler scheduler;
	uint64_t seed;
	uint64_t runs;
	uint64_t one_in;
	uint64_t depth;
};

int run_schedules(const struct run_schedules *how, struct executor *x, struct program *prog,
		  const struct exec_options *opts, const char *path, bool quiet, bool *replay);

#endif /* TDP_RUN_SCHEDULES_H */
