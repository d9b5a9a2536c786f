// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_mmu: programs against the MMU and the oracle, one thread running at a time.
 *
 * Every input is a program.  On a finding the rule, the program as text and the command that replays
 * it are printed, and the program is saved beside libFuzzer's own artifact.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "executor.h"
#include "finding.h"
#include "mutate.h"
#include "program.h"

/*
 * What one input may do before the rest of it is left out, and libFuzzer is not to build on it: one
 * that splits 1 GiB into 4K pages takes as long as a thousand that change a table or two, and so
 * would its offspring.
 */
#define MAX_ACCESSES 64
#define MAX_POINTS   20000

static struct executor *executor;
static struct program *prog;
static const char *artifact_prefix = "";

static void set_up(void)
{
	executor = executor_create();
	prog = program_alloc();
	if (!executor || !prog) {
		fprintf(stderr, "fuzz_mmu: no memory\n");
		exit(2);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char option[] = "-artifact_prefix=";
	int i;

	for (i = 1; i < *argc; i++) {
		if (!strncmp((*argv)[i], option, strlen(option)))
			artifact_prefix = (*argv)[i] + strlen(option);
	}
	set_up();
	return 0;
}

static char *as_text(void)
{
	size_t size = program_print(prog, NULL, 0) + 1;
	char *text = malloc(size);

	if (!text)
		abort();
	program_print(prog, text, size);
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
static void drop_idle_choices(const struct exec_result *res)
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

static void report(const struct exec_result *res)
{
	struct oracle *oracle = executor_oracle(executor);
	char path[4096], *text;
	uint32_t i;

	drop_idle_choices(res);
	text = as_text();
	snprintf(path, sizeof(path), "%sfinding-%016" PRIx64 ".tdp", artifact_prefix,
		 name_of(text));
	fprintf(stderr, "\n==== finding: rule %c ====\n", oracle_violation(oracle, 0)->rule);
	for (i = 0; i < res->nr_violations && i < 8; i++)
		finding_print(stderr, path, prog, oracle_violation(oracle, i));
	fprintf(stderr, "---- program ----\n%s---- replay ----\n", text);
	save(path, text);
	fprintf(stderr, "tdp run --trace ");
	if (res->truncated)
		fprintf(stderr, "--max-accesses=%d --max-points=%d ", MAX_ACCESSES, MAX_POINTS);
	fprintf(stderr, "%s\n", path);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct exec_options opts = {
		.max_accesses = MAX_ACCESSES,
		.max_points = MAX_POINTS,
	};
	struct exec_result res;

	if (!executor)
		set_up();
	program_decode(prog, data, size);
	if (executor_run(executor, prog, &opts, &res)) {
		report(&res);
		abort();
	}
	return res.stats.points > MAX_POINTS ? -1 : 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	if (seed % 16 == 0)
		return LLVMFuzzerMutate(data, size, max);
	return program_mutate(data, size, max, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
				 size_t size2, uint8_t *out, size_t max, unsigned int seed)
{
	return program_crossover(data1, size1, data2, size2, out, max, seed);
}

bool fuzz_load_text(const char *path, uint8_t **data, size_t *size)
{
	const char *dot = strrchr(path, '.');
	struct prog_error err;

	if (!dot || strcmp(dot, ".tdp"))
		return false;
	if (!executor)
		set_up();
	*data = NULL;
	if (program_load(prog, path, &err)) {
		fprintf(stderr, "%s:%d: %s\n", path, err.line, err.msg);
		return true;
	}
	*size = program_encode(prog, NULL, 0);
	*data = malloc(*size + 1);
	if (!*data)
		abort();
	program_encode(prog, *data, *size);
	return true;
}
