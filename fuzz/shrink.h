/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shrinking: of a program that fails, a small one that fails the same way.
 *
 *   shrink.c		what is tried and kept, and in which order
 *   shrink_parts.c	fewer threads, operations, repeats and slots; simpler VMs
 *   shrink_operands.c	simpler operands: page 0, one page, the plainest operation
 *   shrink_schedule.c	fewer and plainer choices
 *   shrink_search.c	another schedule, where the old one does not carry over
 */
#ifndef FUZZ_SHRINK_H
#define FUZZ_SHRINK_H

#include "failure.h"
#include "program.h"

/**
 * struct shrink_size - how large a program is
 * @threads: threads
 * @ops: operations, a repeated one counts once
 * @accesses: operations, a repeated one counts as often as it is repeated
 * @preemptions: switches away from a thread that could have gone on
 * @choices: lines of the schedule, those switches included
 */
struct shrink_size {
	uint32_t threads;
	uint32_t ops;
	uint64_t accesses;
	uint32_t preemptions;
	uint32_t choices;
};

/**
 * struct shrink_progress - where shrinking stands
 * @size: of the smallest program found so far
 * @executions: runs made
 * @pass: what is being tried, a word or two
 */
struct shrink_progress {
	struct shrink_size size;
	uint64_t executions;
	const char *pass;
};

/**
 * struct shrink_options - how long, and who watches
 * @max_executions: runs after which the smallest program so far is the result; 0: a default
 * @max_points: points over all runs after which likewise; 0: a default, which programs of a few
 *	operations never reach
 * @progress: NULL, or is told where it stands after every run; false: that is enough
 * @ctx: passed back
 */
struct shrink_options {
	uint64_t max_executions;
	uint64_t max_points;
	bool (*progress)(void *ctx, const struct shrink_progress *progress);
	void *ctx;
};

/**
 * struct shrink_result - what came out
 * @failure: how the program fails, before and after
 * @before: size of the program given
 * @after: size of the program returned
 * @executions: runs made
 * @exhausted: a limit was reached, or it was enough: longer might find a smaller one
 */
struct shrink_result {
	struct failure failure;
	struct shrink_size before;
	struct shrink_size after;
	uint64_t executions;
	bool exhausted;
};

struct shrink_size shrink_size_of(const struct program *prog);
int shrink(struct executor *x, struct program *prog, const struct shrink_options *opts,
	   struct shrink_result *res);

#endif /* FUZZ_SHRINK_H */
