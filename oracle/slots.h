/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory slots that the VM has, as the calls that succeeded left them. */
#ifndef ORACLE_SLOTS_H
#define ORACLE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "op.h"

/**
 * struct slot - one memory slot
 * @used: it exists
 * @desc: as it was set last
 * @number: OP_SLOT()
 */
struct slot {
	bool used;
	uint8_t number;
	struct slot_desc desc;
};

/**
 * struct slots - all of them
 * @slot: by address space and id
 * @list: those in use, by address space
 * @nr: length of each list
 * @nr_logging: slots with SLOT_LOG, both address spaces
 * @gen: generation of the address space's slots
 * @gen_unsure: a change failed midway, so @gen may be behind
 */
struct slots {
	struct slot slot[2][PROG_MAX_SLOTS];
	struct slot *list[2][PROG_MAX_SLOTS];
	uint32_t nr[2];
	uint32_t nr_logging;
	uint64_t gen[2];
	bool gen_unsure[2];
};

void slots_init(struct slots *s, uint64_t gen);
bool slots_set(struct slots *s, const struct slot_desc *region, bool ok);

/* The slot that has @gfn of address space @as, NULL if none. */
static inline struct slot *slots_find(struct slots *s, int as, uint64_t gfn)
{
	uint32_t i;

	for (i = 0; i < s->nr[as]; i++) {
		struct slot *slot = s->list[as][i];

		if (gfn - slot->desc.base < slot->desc.npages)
			return slot;
	}
	return NULL;
}

static inline struct slot *slots_get(struct slots *s, uint8_t number)
{
	struct slot *slot;

	if (OP_SLOT_AS(number) > 1 || OP_SLOT_ID(number) >= PROG_MAX_SLOTS)
		return NULL;
	slot = &s->slot[OP_SLOT_AS(number)][OP_SLOT_ID(number)];
	return slot->used ? slot : NULL;
}

#endif /* ORACLE_SLOTS_H */
