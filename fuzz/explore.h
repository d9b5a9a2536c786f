/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bounded exploration: every schedule of a program with at most so many preemptions, and what the
 * oracle says of each.  docs/explore.md says which schedules are left out as equivalent to others
 * and why nothing is lost by it.
 *
 *   explore.c		explore_run(): the work in parts, workers, what they found
 *   explore_start.c	where every schedule starts
 *   explore_search.c	one part: depth first, schedule after schedule
 *   explore_order.c	which events are ordered: signatures of states, what depends on what
 *   explore_seen.c	states that were seen
 *   explore_world.c	schedules start from a copy of the memory as it was at their common start
 */
#ifndef FUZZ_EXPLORE_H
#define FUZZ_EXPLORE_H

#include <stdbool.h>
#include <stdint.h>

#include "oracle.h"
#include "program.h"

#define EXPLORE_MAX_JOBS 64
#define EXPLORE_PARTS	 16 /* that jobs share */

/**
 * struct explore_count - how far it is
 * @schedules: schedules run: @complete and @cut
 * @complete: run to their end
 * @cut: given up midway, in a state that had been seen
 * @skipped: preemptions not tried, as one a point later had been shown to do the same
 * @failing: schedules in which a rule was broken
 * @points: points passed
 * @states: distinct states of the VM at the end; destruction is checked once for each
 * @depth: preemptions and choices in the schedule that runs
 */
struct explore_count {
	uint64_t schedules;
	uint64_t complete;
	uint64_t cut;
	uint64_t skipped;
	uint64_t failing;
	uint64_t points;
	uint64_t states;
	uint64_t depth;
};

/**
 * struct explore_options - what to explore, and how
 * @preemptions: a thread that could go on is stopped at most so many times in a schedule
 * @last: explore how the last @last operations of each thread interleave; those before run once, in
 *	the order that the program's own schedule gives them, and are where every schedule starts.
 *	0: all
 * @settled: mask of threads of which no operation is explored from its start: the program's own
 *	schedule leaves them where they are when the others stand before theirs, at their end or in
 *	the middle
 * @no_reduction: run equivalent schedules too
 * @no_snapshot: run each schedule from the program's first operation
 * @first: stop at the first schedule that breaks a rule
 * @rules: those that count, as in struct explore_result; 0: all
 * @max_schedules: stop after so many, of each part; 0: none
 * @jobs: 0: in this process, in one part. Else that many workers share 16 parts. Results depend on
 *	whether it is 0, on nothing else
 * @state: NULL, or is told, when all is done, a hash for each way in which schedules ended that
 *	differs in anything that can be seen
 * @progress: NULL, or is called about ten times a second; only with @jobs
 * @ctx: passed back to both
 */
struct explore_options {
	uint32_t preemptions;
	uint32_t last;
	uint32_t settled;
	bool no_reduction;
	bool no_snapshot;
	bool first;
	uint32_t rules;
	uint64_t max_schedules;
	uint32_t jobs;
	void (*state)(void *ctx, uint64_t hash);
	void (*progress)(void *ctx, const struct explore_count *count);
	void *ctx;
};

/**
 * struct explore_result - what came out
 * @count: totals
 * @exhausted: all schedules within the bound were run or shown to be equivalent to one that was
 * @rules: broken ones: bit i for the letter 'A' + i, bit 26 for a WARN
 * @violation: of the smallest failing schedule, its first that counts; valid if @rules is not 0
 * @preemptions: in that schedule
 * @nr_choices: of that schedule; more than PROG_MAX_CHOICES: no program can hold it
 * @choices: the schedule
 */
struct explore_result {
	struct explore_count count;
	bool exhausted;
	uint32_t rules;
	struct oracle_violation violation;
	uint32_t preemptions;
	uint32_t nr_choices;
	struct prog_choice choices[PROG_MAX_CHOICES];
};

int explore_run(const struct program *prog, const struct explore_options *opts,
		struct explore_result *res);
void explore_program(struct program *prog, const struct explore_result *res);
uint32_t explore_rule(char rule);
uint32_t explore_rules(const struct oracle *oracle);

#endif /* FUZZ_EXPLORE_H */
