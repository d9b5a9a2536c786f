/* SPDX-License-Identifier: GPL-2.0-only */
/* Mutation that leaves the schedule, or all of the program, to chance. */
#ifndef FUZZ_MUTATE_RANDOM_H
#define FUZZ_MUTATE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "executor.h"

size_t program_mutate_random(uint8_t *data, size_t size, size_t max, unsigned int seed,
			     struct executor *x, const struct exec_options *limits);

#endif /* FUZZ_MUTATE_RANDOM_H */
