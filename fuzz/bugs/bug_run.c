// SPDX-License-Identifier: GPL-2.0-only
/*
 * bug-NAME: runs programs on a libtdp that has a known bug, and says whether they show it (watch.c).
 *
 *   bug-NAME FILE.tdp...		each of them
 *   bug-NAME --random [--seed=N] [--runs=N]	programs and schedules made up at random, until one does
 *
 * The second form is what fuzzing is compared with: nothing is learned from what was run before.
 * Exit status: 1 the bug was detected, 0 it was not, 2 bad usage.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bug.h"
#include "data_race.h"
#include "executor.h"
#include "program.h"
#include "program_random.h"
#include "schedule.h"
#include "watch.h"

/* What one random program may do: as much as an input of fuzz_mmu. */
#define MAX_ACCESSES 64
#define MAX_POINTS   20000
#define MAX_OPS	     40

static struct executor *executor;
static struct program *prog;

static int usage(const char *name, const char *what)
{
	fprintf(stderr, "%s: %s: expected FILE.tdp..., or --random [--seed=N] [--runs=N]\n", name,
		what);
	return 2;
}

static bool run(const struct exec_options *opts)
{
	struct exec_result res;

	bug_run_begins();
	executor_run(executor, prog, opts, &res);
	return bug_run_ends(executor_oracle(executor), data_races());
}

static int run_file(const char *path)
{
	static const struct exec_options opts = { .max_points = 0 };
	struct prog_error err;
	bool found;

	if (program_load(prog, path, &err)) {
		fprintf(stderr, "%s:%d: %s\n", path, err.line, err.msg);
		return 2;
	}
	found = run(&opts);
	printf("%s: %s %s\n", path, found ? "shows" : "does not show", bug.name);
	return found;
}

/* Half of the runs of a bug that needs an interleaving have threads stopped anywhere. */
static int run_random(uint64_t seed, uint64_t runs)
{
	static const uint32_t every[] = { 5, 20, 80 };
	struct rng rng = rng_seed(seed);
	uint64_t done;

	random_switches_inside(bug.kind == 'C');
	for (done = 0; done < runs; done++) {
		uint64_t of_program = rng_next(&rng), of_schedule = rng_next(&rng);
		struct exec_options opts = {
			.max_accesses = MAX_ACCESSES,
			.max_points = MAX_POINTS,
		};
		struct schedule_random schedule;

		if (program_generate(prog, of_program, 2 + rng_below(&rng, MAX_OPS)))
			abort();
		if (bug.kind == 'C' && rng_chance(&rng, 50)) {
			schedule_random_init(&schedule, of_schedule, every[of_schedule % 3]);
			opts.scheduler = &schedule.scheduler;
		}
		/* For who stops this: as libFuzzer says how far it is. */
		if (done >= 1024 && !(done & (done - 1)))
			fprintf(stderr, "#%" PRIu64 "\tpulse\n", done);
		if (run(&opts))
			return 1;
	}
	return 0;
}

static bool number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return !errno && end != text && !*end && *text != '-';
}

int main(int argc, char **argv)
{
	static const char seed_is[] = "--seed=", runs_is[] = "--runs=";
	uint64_t seed = 1, runs = UINT64_MAX;
	bool random = false;
	int i, ret = 0;

	/* What was said is not lost with a process that a bug ends. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	executor = executor_create();
	prog = program_alloc();
	if (!executor || !prog) {
		fprintf(stderr, "%s: no memory\n", argv[0]);
		return 2;
	}
	if (argc < 2)
		return usage(argv[0], "nothing to run");
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--random"))
			random = true;
		else if (!strncmp(argv[i], seed_is, strlen(seed_is))) {
			if (!number(argv[i] + strlen(seed_is), &seed))
				return usage(argv[0], argv[i]);
		} else if (!strncmp(argv[i], runs_is, strlen(runs_is))) {
			if (!number(argv[i] + strlen(runs_is), &runs))
				return usage(argv[0], argv[i]);
		} else if (*argv[i] == '-' || random) {
			return usage(argv[0], argv[i]);
		}
	}
	if (random) {
		ret = run_random(seed, runs);
	} else {
		for (i = 1; i < argc; i++) {
			int one = run_file(argv[i]);

			ret = one > ret ? one : ret;
		}
	}
	program_free(prog);
	executor_destroy(executor);
	return ret;
}
