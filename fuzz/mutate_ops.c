// SPDX-License-Identifier: GPL-2.0-only
/* Mutations of operations and threads. */
#include <string.h>

#include "mutate_ops.h"
#include "program_edit.h"
#include "program_names.h"
#include "program_random.h"

bool mutate_pick_op(const struct program *prog, struct rng *rng, uint32_t *thread, uint32_t *at)
{
	uint32_t nr = program_nr_ops(prog), pick;

	if (!nr)
		return false;
	pick = rng_below(rng, nr);
	for (*thread = 0; pick >= prog->threads[*thread].nr_ops; (*thread)++)
		pick -= prog->threads[*thread].nr_ops;
	*at = pick;
	return true;
}

static struct op *op_at(struct program *prog, uint32_t thread, uint32_t at)
{
	return &prog->threads[thread].ops[at];
}

bool mutate_op_add(struct program *prog, struct rng *rng)
{
	uint32_t thread, at;
	struct op op;

	if (!prog->nr_threads)
		return false;
	thread = rng_below(rng, prog->nr_threads);
	at = rng_below(rng, prog->threads[thread].nr_ops + 1);
	op = random_op(prog, rng, prog->threads[thread].kind);
	return !program_insert_op(prog, thread, at, &op);
}

bool mutate_op_drop(struct program *prog, struct rng *rng)
{
	uint32_t thread, at;

	if (!mutate_pick_op(prog, rng, &thread, &at))
		return false;
	program_remove_op(prog, thread, at);
	return true;
}

bool mutate_op_duplicate(struct program *prog, struct rng *rng)
{
	uint32_t thread, at, to;
	struct op op;

	if (!mutate_pick_op(prog, rng, &thread, &at))
		return false;
	op = *op_at(prog, thread, at);
	to = rng_chance(rng, 50) ? at + 1 : rng_below(rng, prog->threads[thread].nr_ops + 1);
	return !program_insert_op(prog, thread, to, &op);
}

bool mutate_op_swap(struct program *prog, struct rng *rng)
{
	uint32_t thread, at, to;
	struct op op;

	if (!mutate_pick_op(prog, rng, &thread, &at) || prog->threads[thread].nr_ops < 2)
		return false;
	to = rng_below(rng, prog->threads[thread].nr_ops - 1);
	to += to >= at;
	op = *op_at(prog, thread, at);
	*op_at(prog, thread, at) = *op_at(prog, thread, to);
	*op_at(prog, thread, to) = op;
	return true;
}

bool mutate_op_replace(struct program *prog, struct rng *rng)
{
	uint32_t thread, at;

	if (!mutate_pick_op(prog, rng, &thread, &at))
		return false;
	*op_at(prog, thread, at) = random_op(prog, rng, prog->threads[thread].kind);
	return true;
}

/* Another operation with the same operands: a read becomes a write, an unmap a remap. */
bool mutate_op_kind(struct program *prog, struct rng *rng)
{
	uint8_t found[OP_NR];
	uint32_t thread, at;
	struct op *op;
	int i, nr = 0;

	if (!mutate_pick_op(prog, rng, &thread, &at))
		return false;
	op = op_at(prog, thread, at);
	for (i = 0; i < OP_NR; i++) {
		if (i != (int)op->kind && op_infos[i].kind == op_infos[op->kind].kind &&
		    !strcmp(op_infos[i].operands, op_infos[op->kind].operands))
			found[nr++] = i;
	}
	if (!nr)
		return false;
	op->kind = found[rng_below(rng, nr)];
	return true;
}

bool mutate_op_operand(struct program *prog, struct rng *rng)
{
	uint32_t thread, at;
	const char *operands;

	if (!mutate_pick_op(prog, rng, &thread, &at))
		return false;
	operands = op_infos[op_at(prog, thread, at)->kind].operands;
	if (!*operands)
		return false;
	random_operand(prog, rng, op_at(prog, thread, at),
		       operands[rng_below(rng, strlen(operands))]);
	return true;
}

bool mutate_op_retarget(struct program *prog, struct rng *rng)
{
	uint32_t thread, at;
	struct op *op;

	if (!mutate_pick_op(prog, rng, &thread, &at))
		return false;
	op = op_at(prog, thread, at);
	if (!op_has(op, 'G') && !op_has(op, 'H'))
		return false;
	random_operand(prog, rng, op, op_has(op, 'H') ? 'H' : 'G');
	return true;
}

bool mutate_op_move(struct program *prog, struct rng *rng)
{
	uint32_t thread, at;
	struct op op;
	int to;

	if (!mutate_pick_op(prog, rng, &thread, &at))
		return false;
	to = random_thread(prog, rng, prog->threads[thread].kind);
	if (to == (int)thread)
		return false;
	op = *op_at(prog, thread, at);
	if (program_insert_op(prog, to, rng_below(rng, prog->threads[to].nr_ops + 1), &op))
		return false;
	program_remove_op(prog, thread, at);
	return true;
}

bool mutate_thread_add(struct program *prog, struct rng *rng)
{
	enum thread_kind kind = rng_below(rng, THREAD_HOST + 1);
	int thread = program_add_thread(prog, kind, rng_below(rng, PROG_MAX_VCPUS));
	struct op op;

	if (thread < 0)
		return false;
	op = random_op(prog, rng, kind);
	program_add_op(prog, thread, &op);
	return true;
}

bool mutate_thread_drop(struct program *prog, struct rng *rng)
{
	if (prog->nr_threads < 2)
		return false;
	program_remove_thread(prog, rng_below(rng, prog->nr_threads));
	return true;
}
