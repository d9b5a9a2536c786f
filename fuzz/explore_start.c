// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where exploration starts: each thread stands before the first of its operations that are
 * explored. What comes before runs in the order that the program's own schedule gives it; a thread
 * that has come so far lets the others catch up.
 */
#include "explore_internal.h"

/**
 * explore_start_init() - look for the start of a program
 * @start: is filled
 * @prog: program
 * @opts: how many operations of each thread are explored, and which threads are settled
 */
void explore_start_init(struct explore_start *start, const struct program *prog,
			const struct explore_options *opts)
{
	uint32_t i, last = opts->last;

	*start = (struct explore_start){ .nr_threads = prog->nr_threads };
	for (i = 0; i < prog->nr_threads; i++) {
		uint32_t nr = prog->threads[i].nr_ops;

		start->op[i] = -1;
		if (opts->settled & 1u << i) {
			/* Its end is still its own schedule's. */
			start->from[i] = nr + 1;
			continue;
		}
		start->from[i] = last && nr > last ? nr - last : 0;
		if (start->from[i])
			start->missing |= 1u << i;
	}
}

/**
 * explore_strip() - a program without what the exploration decides
 * @prog: loses the switches of its schedule that are at or after the start
 * @start: of the program
 */
void explore_strip(struct program *prog, const struct explore_start *start)
{
	uint32_t i, kept = 0;

	for (i = 0; i < prog->nr_choices; i++) {
		const struct prog_choice *choice = &prog->choices[i];

		if (choice->action == CHOICE_SWITCH && choice->op >= start->from[choice->thread])
			continue;
		prog->choices[kept++] = *choice;
	}
	prog->nr_choices = kept;
}

/**
 * explore_next() - who runs next if nobody says otherwise
 * @thread: gives way
 * @runnable: threads that can run, not 0
 *
 * Return: the first of them after @thread, from the lowest again after the highest.
 */
int explore_next(int thread, uint32_t runnable)
{
	uint32_t later = runnable & ~((2u << thread) - 1);

	return __builtin_ctz(later ? later : runnable);
}

/**
 * explore_arrive() - a thread is at a point, and exploration has not started
 * @start: where it does
 * @thread: number of the thread
 * @kind: of the point
 * @k: which of that kind in its operation
 * @runnable: threads that can run
 * @target: if it does not start here: the thread to run, @thread or another
 *
 * Return: whether it starts here.
 */
bool explore_arrive(struct explore_start *start, int thread, enum point_kind kind, uint32_t k,
		    uint32_t runnable, int *target)
{
	uint32_t bit = 1u << thread, others;

	*target = thread;
	if (kind == POINT_OP && k == 1)
		start->op[thread]++;
	else if (start->asked & bit)
		return true;
	if (start->op[thread] < (int64_t)start->from[thread])
		return false;
	start->asked |= bit;
	start->missing &= ~bit;
	others = runnable & start->missing;
	if (!others)
		return true;
	*target = explore_next(thread, others);
	return false;
}
