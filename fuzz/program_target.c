// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz targets whose inputs are programs.  On a finding the rule, the program as text and the command
 * that replays it are printed, and the program is saved beside libFuzzer's own artifact.
 */
#include "program_target.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bugs/watch.h"
#include "data_race.h"
#include "finding.h"

/* Of a slot that is logged, in pages: 4 GiB. Its bitmap alone takes as much as an input should. */
#define MAX_LOGGED_PAGES (1u << 20)

static const char *artifact_prefix = "";

/**
 * target_set_up() - makes what is needed to run programs, if it is not there; ends the program if it cannot
 * @t: the target
 */
void target_set_up(struct program_target *t)
{
	if (t->executor)
		return;
	t->executor = executor_create();
	t->prog = program_alloc();
	if (!t->executor || !t->prog) {
		fprintf(stderr, "%s: no memory\n", t->name);
		exit(2);
	}
}

/**
 * target_options() - reads those of libFuzzer's options that targets need
 * @argc: arguments
 * @argv: of the command line
 */
void target_options(int argc, char **argv)
{
	static const char option[] = "-artifact_prefix=";
	int i;

	for (i = 1; i < argc; i++) {
		if (!strncmp(argv[i], option, strlen(option)))
			artifact_prefix = argv[i] + strlen(option);
	}
}

static char *as_text(const struct program *prog)
{
	char *text = program_text(prog);

	if (!text)
		abort();
	return text;
}

/* FNV-1a: a name that depends on the program alone. */
static uint64_t name_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	while (*text)
		hash = (hash ^ (uint8_t)*text++) * 0x100000001b3ULL;
	return hash;
}

static void save(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0 || fclose(file))
		fprintf(stderr, "%s: cannot be written; the program is above\n", path);
}

/* Choices that did not come had no part in it; tdp run would refuse the program for them. */
static void drop_idle_choices(struct program *prog, const struct exec_result *res)
{
	uint32_t i, from, kept = 0;

	for (i = 0, from = 0; from < prog->nr_choices; from++) {
		if (i < res->nr_never && res->never[i] == from)
			i++;
		else
			prog->choices[kept++] = prog->choices[from];
	}
	prog->nr_choices = kept;
}

static void report(const struct program_target *t, const struct exec_result *res)
{
	struct oracle *oracle = executor_oracle(t->executor);
	char path[4096], *text;
	uint32_t i;

	drop_idle_choices(t->prog, res);
	text = as_text(t->prog);
	snprintf(path, sizeof(path), "%sfinding-%016" PRIx64 ".tdp", artifact_prefix,
		 name_of(text));
	if (res->nr_violations)
		fprintf(stderr, "\n==== finding: rule %c ====\n",
			oracle_violation(oracle, 0)->rule);
	else
		fprintf(stderr, "\n==== finding: data race, see above ====\n");
	for (i = 0; i < res->nr_violations && i < 8; i++)
		finding_print(stderr, path, t->prog, oracle_violation(oracle, i));
	fprintf(stderr, "---- program ----\n%s---- replay ----\n", text);
	save(path, text);
	fprintf(stderr, "tdp run --trace ");
	if (res->truncated)
		fprintf(stderr, "--max-accesses=%u --max-points=%u ",
			(unsigned int)t->limits.max_accesses, (unsigned int)t->limits.max_points);
	fprintf(stderr, "%s\n", path);
	free(text);
}

/* In a build with a known bug only what shows that bug is a finding. */
static bool is_finding(const struct program_target *t)
{
	const struct oracle *oracle = executor_oracle(t->executor);

	if (bug_run_ends)
		return bug_run_ends(oracle, data_races());
	return oracle_nr_violations(oracle) || data_races();
}

static bool logs(const struct program *prog)
{
	uint32_t i, t;

	for (i = 0; i < prog->nr_slots; i++) {
		if (prog->slots[i].flags & SLOT_LOG)
			return true;
	}
	for (t = 0; t < prog->nr_threads; t++) {
		const struct prog_thread *thread = &prog->threads[t];

		for (i = 0; i < thread->nr_ops; i++) {
			const struct op *op = &thread->ops[i];

			if (op->kind == OP_LOG_START || (op->flags & SLOT_LOG) ||
			    (op->desc.flags & SLOT_LOG))
				return true;
		}
	}
	return false;
}

static void shorten(struct slot_desc *slot)
{
	if (slot->npages > MAX_LOGGED_PAGES)
		slot->npages = MAX_LOGGED_PAGES;
}

/* A program that logs may have terabytes, and then each bitmap takes seconds. */
static void shorten_slots(struct program *prog)
{
	uint32_t i, t;

	for (i = 0; i < prog->nr_slots; i++)
		shorten(&prog->slots[i]);
	for (t = 0; t < prog->nr_threads; t++) {
		for (i = 0; i < prog->threads[t].nr_ops; i++)
			shorten(&prog->threads[t].ops[i].desc);
	}
}

/**
 * target_run() - runs one input; a finding ends the process
 * @t: the target
 * @data: a program in binary form
 * @size: in bytes
 *
 * Return: -1 if the fuzzer should not build on this input.
 */
int target_run(struct program_target *t, const uint8_t *data, size_t size)
{
	struct exec_result res;

	target_set_up(t);
	program_decode(t->prog, data, size);
	if (t->wanted && !t->wanted(t->prog))
		return -1;
	if (logs(t->prog))
		shorten_slots(t->prog);
	if (bug_run_begins)
		bug_run_begins();
	executor_run(t->executor, t->prog, &t->limits, &res);
	if (is_finding(t)) {
		report(t, &res);
		abort();
	}
	return res.stats.points > t->limits.max_points ? -1 : 0;
}

/**
 * target_load_text() - fuzz_load_text() of driver.h
 * @t: the target
 * @path: a file, a program if its name ends in .tdp
 * @data: set to the program in binary form
 * @size: set to its size
 */
bool target_load_text(struct program_target *t, const char *path, uint8_t **data, size_t *size)
{
	const char *dot = strrchr(path, '.');
	struct prog_error err;

	if (!dot || strcmp(dot, ".tdp"))
		return false;
	target_set_up(t);
	*data = NULL;
	if (program_load(t->prog, path, &err)) {
		fprintf(stderr, "%s:%d: %s\n", path, err.line, err.msg);
		return true;
	}
	*size = program_encode(t->prog, NULL, 0);
	*data = malloc(*size + 1);
	if (!*data)
		abort();
	program_encode(t->prog, *data, *size);
	return true;
}
