// SPDX-License-Identifier: GPL-2.0-only
/*
 * States that were seen.  A state is known by a 64-bit hash: of a billion of them, two are the same
 * by accident with a probability of 3%, and a schedule would then be left out.
 */
#include "explore_internal.h"

#define SEEN_FIRST (1ULL << 14)
#define SEEN_MAX   (1ULL << 28) /* 2.3 GiB; later ones are not kept, which costs time alone */

static void seen_map(struct seen *seen, uint64_t size)
{
	seen->slots = explore_alloc(size * sizeof(*seen->slots));
	seen->budgets = explore_alloc(size);
	seen->mask = size - 1;
	seen->used = 0;
}

void seen_init(struct seen *seen)
{
	seen_map(seen, SEEN_FIRST);
}

void seen_free(struct seen *seen)
{
	explore_free(seen->slots, (seen->mask + 1) * sizeof(*seen->slots));
	explore_free(seen->budgets, seen->mask + 1);
}

static uint64_t slot_of(const struct seen *seen, uint64_t state)
{
	uint64_t i = (state * 0x9e3779b97f4a7c15ULL >> 20) & seen->mask;

	while (seen->slots[i] && seen->slots[i] != state)
		i = (i + 1) & seen->mask;
	return i;
}

static void seen_double(struct seen *seen)
{
	struct seen old = *seen;
	uint64_t i;

	seen_map(seen, (old.mask + 1) * 2);
	seen->used = old.used;
	for (i = 0; i <= old.mask; i++) {
		uint64_t to;

		if (!old.slots[i])
			continue;
		to = slot_of(seen, old.slots[i]);
		seen->slots[to] = old.slots[i];
		seen->budgets[to] = old.budgets[i];
	}
	seen_free(&old);
}

/**
 * seen_before() - was a state seen with at least this budget?
 * @seen: states
 * @state: hash of the state
 * @budget: preemptions left
 *
 * If not, it is now.
 *
 * Return: whether it was.
 */
bool seen_before(struct seen *seen, uint64_t state, uint32_t budget)
{
	uint64_t i;

	state += !state;
	i = slot_of(seen, state);
	if (seen->slots[i]) {
		if (seen->budgets[i] >= budget)
			return true;
		seen->budgets[i] = budget;
		return false;
	}
	if (seen->used * 2 > seen->mask) {
		if (seen->mask + 1 >= SEEN_MAX)
			return false;
		seen_double(seen);
		i = slot_of(seen, state);
	}
	seen->slots[i] = state;
	seen->budgets[i] = budget;
	seen->used++;
	return false;
}
