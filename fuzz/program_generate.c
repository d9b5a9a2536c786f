// SPDX-License-Identifier: GPL-2.0-only
/* Whole programs at random. */
#include <errno.h>
#include <stddef.h>

#include "program_edit.h"
#include "program_random.h"

static void generate_slots(struct program *prog, struct rng *rng)
{
	unsigned int wanted = 1 + rng_chance(rng, 50) + rng_chance(rng, 20), tries;

	for (tries = 0; tries < 8 && prog->nr_slots < wanted; tries++) {
		struct slot_desc slot;

		if (random_slot(prog, rng, &slot))
			prog->slots[prog->nr_slots++] = slot;
	}
}

static void generate_threads(struct program *prog, struct rng *rng)
{
	unsigned int nr = 1 + rng_chance(rng, 50) + rng_chance(rng, 15), i;

	for (i = 0; i < nr; i++)
		program_add_thread(prog, THREAD_VCPU, i);
	if (rng_chance(rng, 80))
		program_add_thread(prog, THREAD_VMM, 0);
	if (rng_chance(rng, 75))
		program_add_thread(prog, THREAD_HOST, 0);
	if (rng_chance(rng, 5))
		program_add_thread(prog, THREAD_VMM, 0);
}

/**
 * program_generate - make a random program
 * @prog: its former content is dropped
 * @seed: the same seed and @nr_ops make the same program
 * @nr_ops: operations over all threads
 *
 * Slots are of at most 8 MiB; more than half of the operations are such as change SPTEs.
 *
 * Return: 0, or -ENOMEM with a valid program that is shorter.
 */
int program_generate(struct program *prog, uint64_t seed, uint32_t nr_ops)
{
	struct rng rng = rng_seed(seed);
	unsigned int choices;
	uint32_t i;

	program_reset(prog);
	prog->vm = random_vm(&rng);
	generate_slots(prog, &rng);
	generate_threads(prog, &rng);
	for (i = 0; i < nr_ops; i++) {
		unsigned int how = rng_below(&rng, 100);
		enum thread_kind kind = how < 58 ? THREAD_VCPU :
					how < 82 ? THREAD_VMM :
						   THREAD_HOST;
		int thread = random_thread(prog, &rng, kind);
		struct op op;

		if (thread < 0)
			thread = random_thread(prog, &rng, THREAD_VCPU);
		op = random_op(prog, &rng, prog->threads[thread].kind);
		/* After it a thread finds nothing any more, so mostly not before the end. */
		if (op.kind == OP_DESTROY && i + 2 < nr_ops && !rng_chance(&rng, 5))
			op = (struct op){ .kind = OP_NX_RECOVER };
		if (!program_add_op(prog, thread, &op))
			return -ENOMEM;
	}
	if (rng_chance(&rng, 80))
		random_interleaving(prog, &rng);
	if (rng_chance(&rng, 40)) {
		for (choices = 1 + rng_below(&rng, 4); choices; choices--) {
			struct prog_choice choice;

			if (random_choice(prog, &rng, &choice))
				program_add_choice(prog, &choice);
		}
	}
	return 0;
}
