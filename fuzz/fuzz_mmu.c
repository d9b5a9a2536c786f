// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_mmu: programs against the MMU and the oracle, one operation at a time: threads take turns
 * where operations begin. The oracle predicts all that such a program does, bit for bit.
 */
#include "driver.h"
#include "mutate.h"
#include "mutate_schedule.h"
#include "program_target.h"

#define MAX_ACCESSES 64
#define MAX_POINTS   20000

static struct program_target target = {
	.name = "fuzz_mmu",
	.limits = { .max_accesses = MAX_ACCESSES, .max_points = MAX_POINTS },
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	target_options(*argc, *argv);
	target_set_up(&target);
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
	case 1:
		/* It costs a run of its own, but else no long walk would yield but at its start. */
		return program_mutate_yields(data, size, max, seed / 16, target.executor,
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
