// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations that belong together.  Each alone changes little; what they do in a row, over threads,
 * is what a random program seldom hits on: log, write, harvest; exec, recover, exec; and so on.
 */
#include "mutate_ops.h"
#include "program_edit.h"
#include "program_names.h"
#include "program_random.h"

#define PATTERN_MAX 6

/* In order; unused places are OP_NR. */
static const uint8_t patterns[][PATTERN_MAX] = {
	{ OP_LOG_START, OP_WRITE, OP_LOG_GET, OP_WRITE, OP_LOG_GET, OP_NR },
	{ OP_LOG_START, OP_WRITE, OP_LOG_GET, OP_LOG_CLEAR, OP_WRITE, OP_LOG_GET },
	{ OP_WRITE, OP_LOG_START, OP_LOG_CLEAR, OP_WRITE, OP_LOG_GET, OP_NR },
	{ OP_WRITE, OP_LOG_START, OP_WRITE, OP_LOG_STOP, OP_WRITE, OP_NR },
	{ OP_WRITE, OP_SPLIT, OP_WRITE, OP_NR, OP_NR, OP_NR },
	{ OP_EXEC, OP_NX_RECOVER, OP_EXEC, OP_NR, OP_NR, OP_NR },
	{ OP_WRITE, OP_NX_TOGGLE, OP_EXEC, OP_NX_TOGGLE, OP_EXEC, OP_NR },
	{ OP_TRACK, OP_WRITE, OP_UNTRACK, OP_WRITE, OP_NR, OP_NR },
	{ OP_WRITE, OP_WRPROT, OP_WRITE, OP_NR, OP_NR, OP_NR },
	{ OP_WRITE, OP_UNMAP, OP_WRITE, OP_NR, OP_NR, OP_NR },
	{ OP_WRITE, OP_REMAP, OP_READ, OP_NR, OP_NR, OP_NR },
	{ OP_WRITE, OP_CLEAN, OP_READ, OP_WRITE, OP_NR, OP_NR },
	{ OP_WRITE, OP_PROTECT, OP_READ, OP_WRITE, OP_NR, OP_NR },
	{ OP_READ, OP_AGE, OP_READ, OP_TEST_AGE, OP_NR, OP_NR },
	{ OP_WRITE, OP_HUGE_BREAK, OP_WRITE, OP_HUGE_FORM, OP_WRITE, OP_NR },
	{ OP_WRITE, OP_SLOT_DELETE, OP_READ, OP_SLOT_ADD, OP_WRITE, OP_NR },
	{ OP_SLOT_DELETE, OP_WRITE, OP_SLOT_ADD, OP_LOG_START, OP_WRITE, OP_LOG_GET },
	{ OP_WRITE, OP_SLOT_FLAGS, OP_WRITE, OP_SLOT_FLAGS, OP_WRITE, OP_NR },
	{ OP_WRITE, OP_SLOT_MOVE, OP_WRITE, OP_NR, OP_NR, OP_NR },
	{ OP_WRITE, OP_ZAP_RANGE, OP_WRITE, OP_NR, OP_NR, OP_NR },
	{ OP_WRITE, OP_ZAP_FAST, OP_WRITE, OP_NR, OP_NR, OP_NR },
	{ OP_WRITE, OP_SMM_ENTER, OP_WRITE, OP_UNMAP, OP_SMM_LEAVE, OP_WRITE },
	{ OP_WRITE, OP_GUEST_ENTER, OP_WRITE, OP_LOG_START, OP_GUEST_LEAVE, OP_WRITE },
	{ OP_WRITE, OP_ROOT_UNLOAD, OP_UNMAP, OP_ROOT_LOAD, OP_WRITE, OP_NR },
};

/* All that a pattern names are about one page, and the slot that has it. */
static struct op pattern_op(const struct program *prog, struct rng *rng, enum op_kind kind,
			    const struct slot_desc *slot, uint64_t offset)
{
	struct op op = { .kind = kind };
	const char *operand;

	for (operand = op_infos[kind].operands; *operand; operand++) {
		random_operand(prog, rng, &op, *operand);
		switch (*operand) {
		case 'G':
			op.gfn = slot->base + offset;
			break;
		case 'H':
			op.gfn = slot->hvn + offset;
			break;
		case 'S':
			op.slot = OP_SLOT(slot->as_id, slot->id);
			break;
		case 'D':
			op.desc = *slot;
			break;
		}
	}
	return op;
}

/**
 * struct place - where an operation of the pattern went
 * @thread: which thread
 * @at: which of its operations
 */
struct place {
	uint32_t thread;
	uint32_t at;
};

/* Switches such that the operations come in the order meant, whatever else the threads have. */
static void link_places(struct program *prog, const struct place *places, int nr)
{
	int i;

	for (i = 0; i + 1 < nr; i++) {
		struct prog_choice choice = {
			.thread = places[i].thread,
			.op = places[i].at + 1,
			.kind = POINT_OP,
			.k = 1,
			.action = CHOICE_SWITCH,
			.target = places[i + 1].thread,
		};

		if (choice.thread != choice.target)
			program_add_choice(prog, &choice);
	}
}

bool mutate_pattern(struct program *prog, struct rng *rng)
{
	const uint8_t *pattern = patterns[rng_below(rng, sizeof(patterns) / sizeof(*patterns))];
	uint32_t next[PROG_MAX_THREADS];
	struct place places[PATTERN_MAX];
	struct slot_desc slot;
	uint64_t offset;
	uint32_t t;
	int nr;

	if (!prog->nr_slots)
		return false;
	slot = prog->slots[rng_below(rng, prog->nr_slots)];
	offset = rng_below(rng, slot.npages);
	/* In each thread they go to one place, one after the other. */
	for (t = 0; t < PROG_MAX_THREADS; t++)
		next[t] = t < prog->nr_threads ? rng_below(rng, prog->threads[t].nr_ops + 1) : 0;

	for (nr = 0; nr < PATTERN_MAX && pattern[nr] != OP_NR; nr++) {
		enum thread_kind kind = op_infos[pattern[nr]].kind;
		int thread = random_thread(prog, rng, kind);
		struct op op;

		if (thread < 0)
			thread = program_add_thread(prog, kind, 0);
		if (thread < 0)
			break;
		op = pattern_op(prog, rng, pattern[nr], &slot, offset);
		if (program_insert_op(prog, thread, next[thread], &op))
			break;
		places[nr] = (struct place){ thread, next[thread]++ };
		/* What the first clear of a page does is decided by the VM. */
		if (op.kind == OP_LOG_CLEAR && rng_chance(rng, 40))
			random_vm_migrates(&prog->vm);
	}
	link_places(prog, places, nr);
	return nr;
}
