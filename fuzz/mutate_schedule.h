/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mutation of schedules that goes by what a run of the program did: preemptions are aimed at points
 * where two threads touch the same thing, and yields at points where a walk asks whether to.
 */
#ifndef FUZZ_MUTATE_SCHEDULE_H
#define FUZZ_MUTATE_SCHEDULE_H

#include "executor.h"
#include "point_log.h"
#include "program.h"
#include "program_rng.h"

bool mutate_aim(struct program *prog, const struct point_log *log, struct rng *rng);
bool mutate_yield(struct program *prog, const struct point_log *log, struct rng *rng);
size_t program_mutate_aimed(uint8_t *data, size_t size, size_t max, unsigned int seed,
			    struct executor *x, const struct exec_options *limits);
size_t program_mutate_yields(uint8_t *data, size_t size, size_t max, unsigned int seed,
			     struct executor *x, const struct exec_options *limits);

#endif /* FUZZ_MUTATE_SCHEDULE_H */
