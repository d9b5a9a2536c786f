// SPDX-License-Identifier: GPL-2.0-only
/* Mutations of the VM and its slots. */
#include "mutate_ops.h"
#include "program_edit.h"
#include "program_random.h"

bool mutate_vm_key(struct program *prog, struct rng *rng)
{
	struct vm_desc *vm = &prog->vm;

	if (rng_chance(rng, 80)) {
		random_vm_key(vm, rng);
		return true;
	}
	/* How dirty pages are logged takes several keys, most of whose combinations differ. */
	vm->eager_split = rng_below(rng, 2);
	vm->pml = rng_below(rng, 2);
	vm->manual_protect = rng_below(rng, 2);
	vm->init_set = rng_below(rng, 2);
	if (rng_chance(rng, 50))
		random_vm_migrates(vm);
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
