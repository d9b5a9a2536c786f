// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs whose schedule a scheduler has made up. Mutation of one choice at a time gets far where
 * each step shows something new; a race of which nothing shows before all of it is there is found
 * sooner by chance.
 */
#include "mutate_random.h"

#include <string.h>

#include "mutate.h"
#include "program_edit.h"
#include "program_rng.h"
#include "schedule.h"

/* Operations of a program that is made up as well. */
#define MAX_OPS 24

/**
 * union scheduler - one of several kinds
 * @random: threads are stopped anywhere
 * @pct: few preemptions, anywhere
 */
union scheduler {
	struct schedule_random random;
	struct schedule_pct pct;
};

static const struct sim_scheduler *make_up(union scheduler *s, struct rng *rng)
{
	static const uint32_t one_in[] = { 5, 20, 80 };
	static const uint64_t points[] = { 100, 400, 1600 };
	uint64_t seed = rng_next(rng);

	if (rng_chance(rng, 50)) {
		schedule_random_init(&s->random, seed, one_in[rng_below(rng, 3)]);
		return &s->random.scheduler;
	}
	schedule_pct_init(&s->pct, seed, 1 + rng_below(rng, 3), points[rng_below(rng, 3)]);
	return &s->pct.scheduler;
}

/* The choices of the program are kept where they came: the scheduler decided the rest. */
static bool run_and_record(struct program *prog, struct executor *x,
			   const struct exec_options *limits, struct rng *rng)
{
	static struct prog_choice record[PROG_MAX_CHOICES];
	struct exec_options opts = *limits;
	struct exec_result res;
	union scheduler scheduler;

	opts.scheduler = make_up(&scheduler, rng);
	opts.record = record;
	opts.max_record = PROG_MAX_CHOICES;
	executor_run(x, prog, &opts, &res);
	if (res.nr_record > PROG_MAX_CHOICES)
		return false;
	prog->nr_choices = res.nr_record;
	memcpy(prog->choices, record, res.nr_record * sizeof(*record));
	return true;
}

/**
 * program_mutate_random() - a schedule at random for a program in binary form, or for a new one
 * @data: the program, and room for the result
 * @size: of the program, bytes
 * @max: room, bytes
 * @seed: all chance comes from it
 * @x: runs the program once, under a random scheduler or PCT; what that decides is written down
 * @limits: for that run
 *
 * Return: bytes of the result, at most @max.
 */
size_t program_mutate_random(uint8_t *data, size_t size, size_t max, unsigned int seed,
			     struct executor *x, const struct exec_options *limits)
{
	static struct program *prog;
	struct rng rng = rng_seed(seed);
	size_t result;

	if (!prog)
		prog = program_alloc();
	if (!prog)
		return program_mutate(data, size, max, seed);
	if (rng_chance(&rng, 50)) {
		if (program_generate(prog, rng_next(&rng), 2 + rng_below(&rng, MAX_OPS)))
			return program_mutate(data, size, max, seed);
	} else {
		program_decode(prog, data, size);
		while (prog->nr_choices && rng_chance(&rng, 80))
			program_remove_choice(prog, rng_below(&rng, prog->nr_choices));
	}
	if (!run_and_record(prog, x, limits, &rng))
		return program_mutate(data, size, max, seed);
	result = program_encode(prog, data, max);
	return result <= max ? result : program_mutate(data, max, max, seed);
}
