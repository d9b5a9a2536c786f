/* SPDX-License-Identifier: GPL-2.0-only */
/* What judges mutants: programs, inputs of fuzz targets, tests, programs made up at random. */
#ifndef FUZZ_BUGS_UNIT_H
#define FUZZ_BUGS_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which they are asked. */
enum stage {
	STAGE_CORPUS, /* the corpus's programs */
	STAGE_INPUT, /* the corpus's inputs of the other fuzz targets, and random ones */
	STAGE_TEST, /* tests/ */
	STAGE_RANDOM, /* random programs */
	STAGE_NR,
};

/**
 * struct verdict - what a judge said of a mutant
 * @rule: letter of the rule that was broken; 0: none
 * @failed: something else was wrong: what
 */
struct verdict {
	char rule;
	char failed[80];
};

/**
 * struct unit - one thing to run
 * @stage: when
 * @name: what it is
 * @run: runs it; what crashes or aborts says as much
 * @data: of @run's own
 * @number: of @run's own
 * @passes: sites passed by the unchanged library
 * @usecs: processor time that it takes
 * @reached: which
 * @kills: mutants that it has told of so far
 */
struct unit {
	enum stage stage;
	const char *name;
	void (*run)(const struct unit *unit, struct verdict *verdict);
	void *data;
	size_t number;
	uint64_t passes;
	uint64_t usecs;
	uint8_t *reached;
	uint32_t kills;
};

size_t units_make(struct unit **units, size_t nr_random);

#endif /* FUZZ_BUGS_UNIT_H */
