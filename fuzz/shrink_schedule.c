// SPDX-License-Identifier: GPL-2.0-only
/* Shrinking: fewer choices, at plainer points. */
#include "program_edit.h"
#include "shrink_internal.h"

static bool try_without(struct shrink *s, uint32_t from, uint32_t nr)
{
	struct program *trial = shrink_begin(s);

	while (nr--)
		program_remove_choice(trial, from + nr);
	return shrink_try(s);
}

bool shrink_choices(struct shrink *s)
{
	uint32_t chunk, end;
	bool found = false;

	for (chunk = s->best->nr_choices; chunk; chunk /= 2) {
		for (end = s->best->nr_choices; end >= chunk && !shrink_done(s);) {
			bool gone = try_without(s, end - chunk, chunk);

			found |= gone;
			end -= chunk;
			/* Others may have gone with those. */
			if (end > s->best->nr_choices)
				end = s->best->nr_choices;
		}
	}
	return found;
}

/* Choice @i at another point. */
static bool try_moved(struct shrink *s, uint32_t i, const struct prog_choice *to)
{
	struct program *trial = shrink_begin(s);

	program_remove_choice(trial, i);
	return !program_add_choice(trial, to) && shrink_try(s);
}

/* Where operations begin is the plainest point to switch at. */
static bool try_between_operations(struct shrink *s, uint32_t i)
{
	struct prog_choice choice = s->best->choices[i];

	if (choice.action != CHOICE_SWITCH || choice.kind == POINT_OP)
		return false;
	choice.kind = POINT_OP;
	choice.level = 0;
	choice.k = 1;
	if (try_moved(s, i, &choice))
		return true;
	choice.op++;
	return try_moved(s, i, &choice);
}

static bool try_smaller_k(struct shrink *s, uint32_t i)
{
	struct prog_choice choice = s->best->choices[i];
	const uint32_t k = choice.k;

	if (k == 1)
		return false;
	choice.k = 1;
	if (try_moved(s, i, &choice))
		return true;
	choice.k = k / 2;
	if (k > 3 && try_moved(s, i, &choice))
		return true;
	choice.k = k - 1;
	return k > 2 && try_moved(s, i, &choice);
}

bool shrink_points(struct shrink *s)
{
	bool found = false;
	uint32_t i;

	for (i = 0; i < s->best->nr_choices; i++) {
		found |= try_between_operations(s, i);
		while (i < s->best->nr_choices && try_smaller_k(s, i))
			found = true;
	}
	return found;
}

/*
 * Two threads in each other's place in the program's order, by which the next one is chosen where
 * the schedule does not say: kept if that makes a choice unnecessary.
 */
bool shrink_order(struct shrink *s)
{
	bool found = false;
	uint32_t a, b, i;

	for (a = 0; a + 1 < s->best->nr_threads; a++) {
		for (b = a + 1; b < s->best->nr_threads; b++) {
			for (i = 0; i < s->best->nr_choices; i++) {
				struct program *trial = shrink_begin(s);

				program_remove_choice(trial, i);
				program_swap_threads(trial, a, b);
				if (shrink_try(s)) {
					found = true;
					break;
				}
			}
		}
	}
	return found;
}
