// SPDX-License-Identifier: GPL-2.0-only
/* What fuzz_diff has compared: programs for every kind of VM, and how many of each. */
#include "compared.h"

#include <inttypes.h>
#include <stdlib.h>

#include "program_edit.h"
#include "program_rng.h"

#define MAX_OPS	   40 /* of a program made at random */
#define MIN_LEVELS 4
#define MAX_LEVELS 5

static const struct {
	const char *name;
	enum vm_mmu mmu;
	bool ad;
} kinds[] = {
	{ "ept-ad", VM_EPT, true },
	{ "ept-no-ad", VM_EPT, false },
	{ "npt", VM_NPT, true },
};
#define NR_KINDS (sizeof(kinds) / sizeof(*kinds))

static const char *const policies[] = { [VM_SPLIT] = "split", [VM_ZAP] = "zap" };

static struct {
	uint64_t programs[NR_KINDS][MAX_LEVELS - MIN_LEVELS + 1][2];
	uint64_t whole;
	uint64_t calls;
} compared;

/**
 * compared_generate() - make a program at random
 * @prog: used for it
 * @data: gets its binary form
 * @max: room at @data, bytes
 * @seed: the same seed makes the same program
 *
 * All kinds of VM come equally often: most of what mutation makes of the corpus has the default's.
 *
 * Return: the size of the binary form.
 */
size_t compared_generate(struct program *prog, uint8_t *data, size_t max, uint64_t seed)
{
	struct rng rng = rng_seed(seed);
	size_t size, kind = rng_below(&rng, NR_KINDS);

	do {
		if (program_generate(prog, rng_next(&rng), 2 + rng_below(&rng, MAX_OPS)))
			abort();
		prog->vm.mmu = kinds[kind].mmu;
		prog->vm.ad = kinds[kind].ad;
		prog->vm.levels = MIN_LEVELS + rng_below(&rng, MAX_LEVELS - MIN_LEVELS + 1);
		program_fix(prog);
		size = program_encode(prog, data, max);
	} while (size > max);
	return size;
}

/**
 * compared_count() - a program behaved the same on both
 * @vm: its VM
 * @calls: after which both were compared
 * @whole: it was compared to its end
 */
void compared_count(const struct vm_desc *vm, uint32_t calls, bool whole)
{
	size_t i;

	for (i = 0; i < NR_KINDS; i++) {
		if (vm->mmu == kinds[i].mmu && vm->ad == kinds[i].ad)
			compared.programs[i][vm->levels - MIN_LEVELS][vm->policy]++;
	}
	compared.whole += whole;
	compared.calls += calls;
}

/**
 * compared_print() - say what was counted
 * @out: gets a line for each kind of VM there was, and one for all
 */
void compared_print(FILE *out)
{
	size_t i, policy;
	int levels;

	for (i = 0; i < NR_KINDS; i++) {
		for (levels = MIN_LEVELS; levels <= MAX_LEVELS; levels++) {
			for (policy = 0; policy < 2; policy++) {
				const uint64_t n =
					compared.programs[i][levels - MIN_LEVELS][policy];

				if (n)
					fprintf(out, "compared: %" PRIu64 " %s %d-levels %s\n", n,
						kinds[i].name, levels, policies[policy]);
			}
		}
	}
	fprintf(out, "compared: %" PRIu64 " whole, %" PRIu64 " calls\n", compared.whole,
		compared.calls);
}
