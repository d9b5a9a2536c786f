// SPDX-License-Identifier: GPL-2.0-only
#include "slots.h"

#include <string.h>

/* No slots; address space 1 is one generation ahead, so that no two sets ever have the same. */
void slots_init(struct slots *s, uint64_t gen)
{
	memset(s, 0, sizeof(*s));
	s->gen[0] = gen;
	s->gen[1] = gen + 1;
}

static void rebuild(struct slots *s)
{
	int as, id;

	s->nr_logging = 0;
	for (as = 0; as < 2; as++) {
		s->nr[as] = 0;
		for (id = 0; id < PROG_MAX_SLOTS; id++) {
			struct slot *slot = &s->slot[as][id];

			if (!slot->used)
				continue;
			s->list[as][s->nr[as]++] = slot;
			s->nr_logging += !!(slot->desc.flags & SLOT_LOG);
		}
	}
}

static bool same(const struct slot_desc *a, const struct slot_desc *b)
{
	return a->base == b->base && a->npages == b->npages && a->hvn == b->hvn &&
	       a->flags == b->flags;
}

/**
 * slots_set() - kvm_set_memory_region() returned
 * @s: slots
 * @region: what it was asked
 * @ok: it succeeded
 *
 * A generation passes each time the set of slots is swapped: once when a slot is created or its
 * flags change, twice when it is deleted or moved, since it is first made invalid.
 *
 * Return: whether a slot changed.
 */
bool slots_set(struct slots *s, const struct slot_desc *region, bool ok)
{
	struct slot *slot;
	bool twice;

	if (region->as_id > 1 || region->id >= PROG_MAX_SLOTS)
		return false;
	slot = &s->slot[region->as_id][region->id];
	twice = slot->used && (!region->npages || region->base != slot->desc.base);
	if (!ok) {
		if (twice)
			s->gen_unsure[region->as_id] = true;
		return false;
	}
	if (slot->used && region->npages && same(&slot->desc, region))
		return false;
	s->gen[region->as_id] += twice ? 4 : 2;
	slot->used = region->npages;
	slot->number = OP_SLOT(region->as_id, region->id);
	slot->desc = *region;
	rebuild(s);
	return true;
}
