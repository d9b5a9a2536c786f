// SPDX-License-Identifier: GPL-2.0-only
/* Mutation and crossover of programs in binary form. */
#include <string.h>

#include "mutate_ops.h"
#include "program_edit.h"
#include "program_random.h"

/**
 * struct mutation_info - a kind of mutation
 * @run: does it
 * @weight: how often it is tried, in parts of the sum
 */
struct mutation_info {
	bool (*run)(struct program *prog, struct rng *rng);
	unsigned int weight;
};

static const struct mutation_info mutations[MUTATION_NR] = {
#define MUTATION(name, function, weight) [MUTATION_##name] = { mutate_##function, weight },
	MUTATION_LIST(MUTATION)
#undef MUTATION
};

/**
 * mutate - change a program
 * @prog: valid before and after
 * @how: MUTATION_*
 * @rng: random numbers
 *
 * Return: false if the program has nothing that could be changed so; it is as it was then.
 */
bool mutate(struct program *prog, enum mutation how, struct rng *rng)
{
	if (!mutations[how].run(prog, rng))
		return false;
	program_fix(prog);
	return true;
}

static enum mutation random_mutation(struct rng *rng)
{
	unsigned int sum = 0, pick;
	int i;

	for (i = 0; i < MUTATION_NR; i++)
		sum += mutations[i].weight;
	pick = rng_below(rng, sum);
	for (i = 0; pick >= mutations[i].weight; i++)
		pick -= mutations[i].weight;
	return i;
}

/*
 * Programs to work on: kept from call to call, for a fuzzer calls once per execution.  Not for
 * several threads at once.
 */
static struct program *scratch(int which)
{
	static struct program *programs[2];

	if (!programs[which])
		programs[which] = program_alloc();
	return programs[which];
}

/* Encodes into at most @max bytes, dropping operations from the ends until it fits. */
static size_t encode_within(struct program *prog, uint8_t *data, size_t max)
{
	size_t size = program_encode(prog, data, max);

	while (size > max) {
		uint32_t i, longest = 0, nr;

		for (i = 1; i < prog->nr_threads; i++) {
			if (prog->threads[i].nr_ops > prog->threads[longest].nr_ops)
				longest = i;
		}
		if (!prog->nr_threads || !prog->threads[longest].nr_ops)
			return max; /* not even the VM fits: its first bytes are a program too */
		/* A quarter at a time, so that a large program takes few rounds. */
		for (nr = 1 + prog->threads[longest].nr_ops / 4; nr; nr--)
			program_remove_op(prog, longest, prog->threads[longest].nr_ops - 1);
		size = program_encode(prog, data, max);
	}
	return size;
}

/**
 * program_mutate - change a program in binary form
 * @data: the program, and room for the result
 * @size: of the program, bytes
 * @max: of @data, bytes
 * @seed: the same seed makes the same change of the same program
 *
 * For LLVMFuzzerCustomMutator(), which should pass some of its calls on to the fuzzer's own
 * mutations of bytes.
 *
 * Return: the size of the result, at most @max; @size, with nothing changed, without memory.
 */
size_t program_mutate(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	struct rng rng = rng_seed(seed);
	struct program *prog = scratch(0);
	unsigned int times, tries;

	if (!prog)
		return size;
	program_decode(prog, data, size);
	if (!prog->nr_threads)
		mutate(prog, MUTATION_THREAD_ADD, &rng);
	/* Mostly one change; sometimes a few that only together make a difference. */
	times = 1 + (rng_chance(&rng, 40) ? rng_below(&rng, 4) : 0);
	for (tries = 0; times && tries < 32; tries++)
		times -= mutate(prog, random_mutation(&rng), &rng);
	return encode_within(prog, data, max);
}

/* The choices of operations that were copied come with them; switches go to the threads' doubles. */
static void splice_choices(struct program *to, const struct program *from, const int *doubles,
			   uint32_t source, uint32_t first, uint32_t count, uint32_t at)
{
	uint32_t i;

	for (i = 0; i < from->nr_choices; i++) {
		struct prog_choice choice = from->choices[i];

		if (choice.thread != source || choice.op < first || choice.op - first >= count)
			continue;
		choice.thread = doubles[source];
		choice.op = choice.op - first + at;
		if (choice.action == CHOICE_SWITCH) {
			if (doubles[choice.target] < 0)
				continue;
			choice.target = doubles[choice.target];
		}
		program_add_choice(to, &choice);
	}
}

/*
 * A run of operations of a thread of @from goes to its double in @to, mostly with its choices.
 * @doubles: the thread of @to for each of @from, -1 if it has none
 */
static void splice_thread(struct program *to, const struct program *from, const int *doubles,
			  uint32_t source, struct rng *rng)
{
	const struct prog_thread *thread = &from->threads[source];
	uint32_t first, count, i, at, t = doubles[source];

	if (!thread->nr_ops)
		return;
	first = rng_chance(rng, 50) ? 0 : rng_below(rng, thread->nr_ops);
	count = thread->nr_ops - first;
	if (rng_chance(rng, 70))
		count = 1 + rng_below(rng, count);
	at = rng_below(rng, to->threads[t].nr_ops + 1);
	if (rng_chance(rng, 50)) {
		/* The rest of the thread is replaced. */
		while (to->threads[t].nr_ops > at)
			program_remove_op(to, t, to->threads[t].nr_ops - 1);
	}
	for (i = 0; i < count; i++) {
		if (program_insert_op(to, t, at + i, &thread->ops[first + i]))
			return;
	}
	if (rng_chance(rng, 70))
		splice_choices(to, from, doubles, source, first, count, at);
}

static int matching_thread(struct program *to, const struct prog_thread *from, struct rng *rng)
{
	int thread = random_thread(to, rng, from->kind);

	if (thread < 0 || (from->kind == THREAD_VCPU && rng_chance(rng, 30))) {
		int added = program_add_thread(to, from->kind, from->vcpu);

		if (added >= 0)
			return added;
	}
	return thread;
}

/**
 * program_crossover - make a program of parts of two
 * @a: the first, which gives most
 * @size_a: bytes
 * @b: the second, whose threads give runs of operations to threads of the same kind
 * @size_b: bytes
 * @out: the result
 * @max: of @out, bytes
 * @seed: the same seed makes the same result of the same programs
 *
 * Return: the size of the result, at most @max; 0 without memory.
 */
size_t program_crossover(const uint8_t *a, size_t size_a, const uint8_t *b, size_t size_b,
			 uint8_t *out, size_t max, unsigned int seed)
{
	struct rng rng = rng_seed(seed);
	struct program *to = scratch(0), *from = scratch(1);
	int doubles[PROG_MAX_THREADS];
	uint32_t i;

	if (!to || !from)
		return 0;
	program_decode(to, a, size_a);
	program_decode(from, b, size_b);
	if (rng_chance(&rng, 20))
		to->vm = from->vm;
	if (rng_chance(&rng, 20)) {
		memcpy(to->slots, from->slots, sizeof(to->slots));
		to->nr_slots = from->nr_slots;
	}
	for (i = 0; i < from->nr_threads; i++) {
		doubles[i] = -1;
		if (from->nr_threads == 1 || rng_chance(&rng, 60))
			doubles[i] = matching_thread(to, &from->threads[i], &rng);
	}
	for (i = 0; i < from->nr_threads; i++) {
		if (doubles[i] >= 0)
			splice_thread(to, from, doubles, i, &rng);
	}
	if (rng_chance(&rng, 30))
		random_interleaving(to, &rng);
	program_fix(to);
	return encode_within(to, out, max);
}
