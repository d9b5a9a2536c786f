// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_race: programs and their interleavings. Inputs have at least two threads, and preemptions
 * inside operations, many of them aimed at points where threads touch the same thing. Under TSan a
 * data race of the mirrored code is a finding as well.
 */
#include "driver.h"
#include "mutate.h"
#include "mutate_random.h"
#include "mutate_schedule.h"
#include "program_random.h"
#include "program_target.h"

/* A race needs few operations; what takes longer only leaves less time for other interleavings. */
#define MAX_ACCESSES 32
#define MAX_POINTS   10000

static bool is_race(const struct program *prog)
{
	uint32_t i, busy = 0;

	for (i = 0; i < prog->nr_threads; i++)
		busy += prog->threads[i].nr_ops > 0;
	return busy >= 2;
}

static struct program_target target = {
	.name = "fuzz_race",
	.limits = { .max_accesses = MAX_ACCESSES, .max_points = MAX_POINTS },
	.wanted = is_race,
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	target_options(*argc, *argv);
	target_set_up(&target);
	random_switches_inside(true);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return target_run(&target, data, size);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	switch (seed % 16) {
	case 0:
		return LLVMFuzzerMutate(data, size, max);
	case 1 ... 6:
		/* It costs a run of its own, but most other schedules change nothing. */
		return program_mutate_aimed(data, size, max, seed / 16, target.executor,
					    &target.limits);
	case 7 ... 9:
		return program_mutate_random(data, size, max, seed / 16, target.executor,
					     &target.limits);
	default:
		return program_mutate(data, size, max, seed);
	}
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
				 size_t size2, uint8_t *out, size_t max, unsigned int seed)
{
	return program_crossover(data1, size1, data2, size2, out, max, seed);
}

bool fuzz_load_text(const char *path, uint8_t **data, size_t *size)
{
	return target_load_text(&target, path, data, size);
}
