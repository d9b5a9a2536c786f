// SPDX-License-Identifier: GPL-2.0-only
/* Random schedules. */
#include <string.h>

#include "program_edit.h"
#include "program_names.h"
#include "program_random.h"

static uint8_t other_thread(const struct program *prog, struct rng *rng, uint8_t thread)
{
	uint8_t other = rng_below(rng, prog->nr_threads - 1);

	return other + (other >= thread);
}

static bool inside_operations;

/**
 * random_switches_inside - whether random switches may be inside operations
 * @on: yes; else they are to where operations begin, as at the start
 *
 * For targets that are about interleavings; others check one operation at a time the closer.
 */
void random_switches_inside(bool on)
{
	inside_operations = on;
}

/* Where a switch goes: points that matter are there more often. */
static void random_switch_point(struct rng *rng, struct prog_choice *choice, uint32_t nr_ops)
{
	/* clang-format off */
	static const uint8_t kinds[] = {
		POINT_OP, POINT_OP, POINT_OP, POINT_OP, POINT_OP, POINT_OP,
		POINT_READ, POINT_READ, POINT_READ, POINT_READ,
		POINT_CMPXCHG, POINT_CMPXCHG, POINT_CMPXCHG, POINT_WRITE, POINT_WRITE,
		POINT_XCHG, POINT_XCHG, POINT_AND,
		POINT_TLB, POINT_WALK, POINT_WALK, POINT_ASSIST, POINT_ASSIST,
		POINT_MEMORY, POINT_MEMORY,
		POINT_FLUSH, POINT_FLUSH, POINT_KICK, POINT_FAULTIN, POINT_FAULTIN,
		POINT_UNLOCK, POINT_UNLOCK, POINT_READ_LOCK, POINT_WRITE_LOCK, POINT_LOCK,
		POINT_LOAD, POINT_STORE, POINT_ATOMIC, POINT_RCU, POINT_RCU_END, POINT_CALL_RCU,
		POINT_SYNC, POINT_SRCU, POINT_SRCU_END, POINT_ALLOC, POINT_FREE,
		POINT_RESCHED, POINT_RESCHED, POINT_RELAX, POINT_BLOCK, POINT_END,
	};
	/* clang-format on */

	choice->kind = POINT_OP;
	if (!inside_operations)
		return;
	choice->kind = kinds[rng_below(rng, sizeof(kinds))];
	if (choice->kind == POINT_END) {
		choice->op = nr_ops;
		choice->k = 1;
	}
}

/**
 * random_choice - a choice that a program could have in addition
 * @prog: program
 * @rng: random numbers
 * @choice: filled
 *
 * Return: false if the program has no operation to attach it to.
 */
bool random_choice(const struct program *prog, struct rng *rng, struct prog_choice *choice)
{
	static const uint8_t evict[] = { POINT_TLB, POINT_WALK, POINT_MEMORY };
	const struct prog_thread *thread;
	const struct op *op;

	memset(choice, 0, sizeof(*choice));
	if (!prog->nr_threads)
		return false;
	choice->thread = rng_below(rng, prog->nr_threads);
	thread = &prog->threads[choice->thread];
	if (!thread->nr_ops)
		return false;
	choice->op = rng_below(rng, thread->nr_ops);
	op = &thread->ops[choice->op];
	choice->action = rng_below(rng, CHOICE_NR);
	if (choice->action == CHOICE_SWITCH && prog->nr_threads == 1)
		choice->action = CHOICE_RESCHED;
	choice->k = 1 + rng_below(rng, rng_chance(rng, 80) ? 4 : 32);

	switch (choice->action) {
	case CHOICE_SWITCH:
		random_switch_point(rng, choice, thread->nr_ops);
		choice->target = other_thread(prog, rng, choice->thread);
		break;
	case CHOICE_FAIL:
	case CHOICE_REUSE:
		choice->kind = rng_chance(rng, 75) ? POINT_ALLOC : POINT_FAULTIN;
		break;
	case CHOICE_EVICT:
		choice->kind = evict[rng_below(rng, sizeof(evict))];
		break;
	case CHOICE_RESCHED:
		choice->kind = rng_chance(rng, 50) ? POINT_RESCHED : POINT_READ;
		break;
	default:
		choice->kind = rng_below(rng, POINT_BLOCK);
	}
	if (choice->kind == POINT_OP)
		choice->k = 1 + rng_below(rng, op_has(op, 'R') ? op->n : 1);
	if (point_infos[choice->kind].has_level)
		choice->level = 1 + rng_below(rng, rng_chance(rng, 80) ? 3 : prog->vm.levels);
	return true;
}

/**
 * random_interleaving - give a program's operations another order
 * @prog: switches where operations begin are replaced; other choices stay
 * @rng: random numbers
 *
 * Follows a run in which each thread goes on until it is switched away or ends.  Where the run
 * turns out another way, the switches mean something else, but are as good.
 */
void random_interleaving(struct program *prog, struct rng *rng)
{
	uint32_t done[PROG_MAX_THREADS] = { 0 }, left = 0, now = 0, i, kept = 0;
	unsigned int percent = 5 + rng_below(rng, 60);

	for (i = 0; i < prog->nr_choices; i++) {
		if (prog->choices[i].kind != POINT_OP || prog->choices[i].action != CHOICE_SWITCH)
			prog->choices[kept++] = prog->choices[i];
	}
	prog->nr_choices = kept;
	if (prog->nr_threads < 2)
		return;
	for (i = 0; i < prog->nr_threads; i++)
		left += prog->threads[i].nr_ops;
	while (left && prog->nr_choices < PROG_MAX_CHOICES) {
		struct prog_choice choice = { .kind = POINT_OP, .k = 1 };

		if (done[now] == prog->threads[now].nr_ops) {
			now = (now + 1) % prog->nr_threads;
			continue;
		}
		choice.thread = now;
		choice.op = done[now];
		choice.target = other_thread(prog, rng, now);
		if (rng_chance(rng, percent) && !program_add_choice(prog, &choice)) {
			now = choice.target;
			continue;
		}
		done[now]++;
		left--;
	}
}
