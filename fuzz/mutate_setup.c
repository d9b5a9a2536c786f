// SPDX-License-Identifier: GPL-2.0-only
/* Mutations of the VM, its slots and the schedule. */
#include "mutate_ops.h"
#include "program_edit.h"
#include "program_names.h"
#include "program_random.h"

bool mutate_vm_key(struct program *prog, struct rng *rng)
{
	random_vm_key(&prog->vm, rng);
	return true;
}

bool mutate_slot_add(struct program *prog, struct rng *rng)
{
	struct slot_desc slot;

	if (!random_slot(prog, rng, &slot))
		return false;
	prog->slots[prog->nr_slots++] = slot;
	return true;
}

bool mutate_slot_drop(struct program *prog, struct rng *rng)
{
	if (!prog->nr_slots)
		return false;
	program_remove_slot(prog, rng_below(rng, prog->nr_slots));
	return true;
}

bool mutate_slot_change(struct program *prog, struct rng *rng)
{
	static const uint16_t sizes[] = { 1, 16, 511, 512, 513, 1024, 1536, 2048 };
	struct slot_desc *slot;
	uint64_t shift;

	if (!prog->nr_slots)
		return false;
	slot = &prog->slots[rng_below(rng, prog->nr_slots)];
	switch (rng_below(rng, 5)) {
	case 0:
		slot->backing = rng_below(rng, BACKING_MMIO + 1);
		break;
	case 1:
		slot->flags ^= 1u << rng_below(rng, 2);
		break;
	case 2:
		slot->npages = sizes[rng_below(rng, sizeof(sizes) / sizeof(*sizes))];
		break;
	case 3:
		shift = rng_chance(rng, 50) ? 512 : 1;
		slot->base = rng_chance(rng, 50) && slot->base >= shift ? slot->base - shift :
									  slot->base + shift;
		break;
	default:
		slot->hvn = rng_chance(rng, 50) ? slot->base : slot->base + rng_below(rng, 513);
	}
	return true;
}

bool mutate_choice_add(struct program *prog, struct rng *rng)
{
	struct prog_choice choice;

	return random_choice(prog, rng, &choice) && !program_add_choice(prog, &choice);
}

bool mutate_choice_drop(struct program *prog, struct rng *rng)
{
	if (!prog->nr_choices)
		return false;
	program_remove_choice(prog, rng_below(rng, prog->nr_choices));
	return true;
}

bool mutate_choice_move(struct program *prog, struct rng *rng)
{
	struct prog_choice *choice;
	int by = rng_chance(rng, 50) ? 1 : -1;

	if (!prog->nr_choices)
		return false;
	choice = &prog->choices[rng_below(rng, prog->nr_choices)];
	/* Beyond the first or last there is no place: mutate() drops it, which is as good. */
	switch (rng_below(rng, 3)) {
	case 0:
		choice->op += by;
		break;
	case 1:
		choice->k += by;
		break;
	default:
		if (point_infos[choice->kind].has_level)
			choice->level += by;
		else
			choice->op = rng_below(rng, prog->threads[choice->thread].nr_ops);
	}
	return true;
}

bool mutate_choice_change(struct program *prog, struct rng *rng)
{
	struct prog_choice *choice, other;

	if (!prog->nr_choices || !random_choice(prog, rng, &other))
		return false;
	choice = &prog->choices[rng_below(rng, prog->nr_choices)];
	/* What to do, and if it is not possible there, where. */
	choice->action = other.action;
	choice->target = 0;
	if (other.action == CHOICE_SWITCH)
		choice->target = (choice->thread + 1) % prog->nr_threads;
	if (!choice_allowed(choice->action, choice->kind)) {
		choice->kind = other.kind;
		choice->level = other.level;
		choice->k = other.k;
	}
	return true;
}

bool mutate_interleave(struct program *prog, struct rng *rng)
{
	if (prog->nr_threads < 2)
		return false;
	random_interleaving(prog, rng);
	return true;
}
