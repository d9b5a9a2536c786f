// SPDX-License-Identifier: GPL-2.0-only
/* The schedule: which choices there can be, and their order. */
#include "program.h"

/**
 * choice_allowed - whether an action means something at a kind of point
 * @action: CHOICE_*
 * @kind: POINT_*
 *
 * Return: true if so.
 */
bool choice_allowed(enum choice_action action, enum point_kind kind)
{
	/* There the thread does nothing but give way. */
	if (kind == POINT_BLOCK || kind == POINT_END)
		return action == CHOICE_SWITCH;

	switch (action) {
	case CHOICE_FAIL:
	case CHOICE_REUSE:
		return kind == POINT_ALLOC || kind == POINT_FAULTIN;
	case CHOICE_EVICT:
		return kind == POINT_TLB || kind == POINT_WALK || kind == POINT_MEMORY;
	default:
		return true;
	}
}

/**
 * choice_compare - the canonical order of choices
 * @a: a choice
 * @b: another
 *
 * The target does not count: two switches at one point contradict each other.
 *
 * Return: less than, equal to or greater than 0.
 */
int choice_compare(const struct prog_choice *a, const struct prog_choice *b)
{
	if (a->thread != b->thread)
		return a->thread - b->thread;
	if (a->op != b->op)
		return a->op - b->op;
	if (a->kind != b->kind)
		return a->kind - b->kind;
	if (a->level != b->level)
		return a->level - b->level;
	if (a->k != b->k)
		return a->k < b->k ? -1 : 1;
	return a->action - b->action;
}

/**
 * program_sort_choices - put the choices in order and drop repetitions
 * @prog: program
 *
 * Shellsort, for it is called once per execution on a few choices that are nearly in order, and
 * the largest number that there can be must not be slow either.  It is not stable, but repetitions
 * must go the same way each time: of switches at one point the one to the lowest thread stays.
 */
void program_sort_choices(struct program *prog)
{
	static const uint32_t gaps[] = { 57, 23, 10, 4, 1 };
	struct prog_choice *c = prog->choices;
	uint32_t g, i, j, gap, nr = prog->nr_choices;

	for (g = 0; g < sizeof(gaps) / sizeof(*gaps); g++) {
		gap = gaps[g];
		for (i = gap; i < nr; i++) {
			struct prog_choice moving = c[i];

			for (j = i; j >= gap; j -= gap) {
				int order = choice_compare(&moving, &c[j - gap]);

				if (order > 0 || (!order && moving.target >= c[j - gap].target))
					break;
				c[j] = c[j - gap];
			}
			c[j] = moving;
		}
	}

	for (i = 1, j = 1; i < nr; i++) {
		if (choice_compare(&c[i], &c[j - 1]))
			c[j++] = c[i];
	}
	if (nr)
		prog->nr_choices = j;
}
