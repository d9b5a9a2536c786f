// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "finding.h"
#include "measure.h"
#include "program_set.h"

static int is_program(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".tdp");
}

static void load_program(struct program_set *set, const char *path, struct program *prog)
{
	struct prog_error err;
	uint32_t i, j;
	size_t size;

	if (program_load(prog, path, &err))
		bench_die(path, err.msg);
	if (set->nr == SET_MAX_PROGRAMS)
		bench_die(path, "too many programs");
	for (i = 0; i < prog->nr_threads; i++) {
		for (j = 0; j < prog->threads[i].nr_ops; j++)
			set->kinds |= 1ULL << prog->threads[i].ops[j].kind;
	}
	size = program_encode(prog, NULL, 0);
	set->size[set->nr] = size;
	set->data[set->nr] = malloc(size);
	if (!set->data[set->nr])
		bench_die(path, "no memory");
	program_encode(prog, set->data[set->nr++], size);
}

/**
 * set_load() - reads every program of the set's folder; ends the program on an error
 * @set: with @dir set, otherwise empty
 * @prog: scratch
 */
void set_load(struct program_set *set, struct program *prog)
{
	struct dirent **names;
	char *dir, *path;
	int i, n;

	if (asprintf(&dir, TDP_SOURCE_DIR "/bench/programs/%s", set->dir) < 0)
		bench_die(set->dir, "no memory");
	n = scandir(dir, &names, is_program, alphasort);
	if (n <= 0)
		bench_die(dir, "no programs");
	for (i = 0; i < n; i++) {
		if (asprintf(&path, "%s/%s", dir, names[i]->d_name) < 0)
			bench_die(dir, "no memory");
		load_program(set, path, prog);
		free(path);
		free(names[i]);
	}
	free(names);
	free(dir);
}

static void check_verdict(const struct program_set *set, uint32_t i, struct executor *executor,
			  const struct program *prog, const struct exec_result *res)
{
	char name[64];

	if (!res->nr_violations)
		return;
	snprintf(name, sizeof(name), "%s, program %u", set->dir, i);
	finding_print(stderr, name, prog, oracle_violation(executor_oracle(executor), 0));
	bench_die(name, "a rule was broken: this is no benchmark");
}

/**
 * set_run() - runs each program once, from bytes to verdict, as a fuzz target does
 * @set: the programs
 * @executor: runs them
 * @prog: scratch
 * @opts: for the executor, may be NULL
 *
 * Ends the program if a rule is broken.
 */
void set_run(const struct program_set *set, struct executor *executor, struct program *prog,
	     const struct exec_options *opts)
{
	struct exec_result res;
	uint32_t i;

	for (i = 0; i < set->nr; i++) {
		program_decode(prog, set->data[i], set->size[i]);
		executor_run(executor, prog, opts, &res);
		check_verdict(set, i, executor, prog, &res);
	}
}

/**
 * set_rate() - executions a second of CPU time
 * @set: the programs, each of which is run as often as the others
 * @executor: runs them
 * @prog: scratch
 * @seconds: how long to measure at least
 */
double set_rate(const struct program_set *set, struct executor *executor, struct program *prog,
		double seconds)
{
	uint64_t runs = 0;
	double start, spent;

	set_run(set, executor, prog, NULL);
	start = bench_now();
	do {
		set_run(set, executor, prog, NULL);
		runs += set->nr;
		spent = bench_now() - start;
	} while (spent < seconds);
	return runs / spent;
}
