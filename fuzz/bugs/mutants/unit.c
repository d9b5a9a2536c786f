// SPDX-License-Identifier: GPL-2.0-only
/* The units: each runs something on the library and says what was wrong. */
#include "unit.h"

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor.h"
#include "program.h"
#include "program_random.h"
#include "schedule.h"

#define CORPUS TDP_SOURCE_DIR "/corpus"

/* Of random programs and inputs: as many as one unit runs. */
#define RANDOM_BATCH 200
#define MAX_ACCESSES 64
#define MAX_POINTS   20000
#define MAX_OPS	     40
#define MAX_INPUT    512

int fuzz_api_input(const uint8_t *data, size_t size);
int fuzz_iter_input(const uint8_t *data, size_t size);
int fuzz_spte_input(const uint8_t *data, size_t size);

#define TEST(name) int main_##name(void);
#include "tests.inc"
#undef TEST

static const struct input_target {
	const char *name;
	int (*run)(const uint8_t *data, size_t size);
} input_targets[] = {
	{ "fuzz_spte", fuzz_spte_input },
	{ "fuzz_iter", fuzz_iter_input },
	{ "fuzz_api", fuzz_api_input },
};

static const struct test {
	const char *name;
	int (*run)(void);
} tests[] = {
#define TEST(name) { #name, main_##name },
#include "tests.inc"
#undef TEST
};

/* A program of the corpus, and what its "# expect" lines say. */
struct corpus_program {
	struct program *prog;
	struct expectation {
		const struct exec_stat_info *info;
		uint64_t value;
	} expect[64];
	size_t nr_expect;
	bool idle_choices;
};

struct input {
	const struct input_target *target;
	size_t size;
	uint8_t data[];
};

static struct executor *executor;
static struct program *random_program;
static struct unit *all;
static size_t nr_all, room;

static void *need(void *memory)
{
	if (!memory) {
		fprintf(stderr, "tdp-mutants: no memory\n");
		exit(2);
	}
	return memory;
}

static struct unit *unit_add(enum stage stage, const char *name,
			     void (*run)(const struct unit *unit, struct verdict *verdict))
{
	if (nr_all == room) {
		room = room ? 2 * room : 256;
		all = need(realloc(all, room * sizeof(*all)));
	}
	all[nr_all] = (struct unit){ .stage = stage, .name = name, .run = run };
	return &all[nr_all++];
}

static bool broken(struct verdict *verdict)
{
	if (oracle_nr_violations(executor_oracle(executor)))
		verdict->rule = oracle_violation(executor_oracle(executor), 0)->rule;
	return verdict->rule;
}

/* ---- programs ---- */

static void run_program(const struct unit *unit, struct verdict *verdict)
{
	static const struct exec_options opts = { .count_dirty = true };
	struct corpus_program *c = unit->data;
	struct exec_result res;
	size_t i;

	executor_run(executor, c->prog, &opts, &res);
	if (broken(verdict))
		return;
	if (res.nr_never && !c->idle_choices)
		snprintf(verdict->failed, sizeof(verdict->failed), "a choice's point never comes");
	for (i = 0; i < c->nr_expect; i++) {
		uint64_t have = exec_stat_get(&res.stats, c->expect[i].info);

		if (have != c->expect[i].value)
			snprintf(verdict->failed, sizeof(verdict->failed), "counts %s=%llu",
				 c->expect[i].info->key, (unsigned long long)have);
	}
}

static void read_expectations(struct corpus_program *c, const char *path)
{
	static const char mark[] = "# expect ";
	FILE *file = need(fopen(path, "r"));
	char text[1024], *word, *rest;

	while (fgets(text, sizeof(text), file)) {
		if (strncmp(text, mark, strlen(mark)))
			continue;
		for (word = strtok_r(text + strlen(mark), " \t\n", &rest); word;
		     word = strtok_r(NULL, " \t\n", &rest)) {
			const char *equals = need(strchr(word, '='));

			if (c->nr_expect == sizeof(c->expect) / sizeof(*c->expect))
				break;
			c->expect[c->nr_expect++] = (struct expectation){
				.info = need((void *)exec_stat_find(word, equals - word)),
				.value = strtoull(equals + 1, NULL, 0),
			};
		}
	}
	fclose(file);
}

static void add_programs(void)
{
	glob_t found;
	size_t i;

	if (glob(CORPUS "/*/*.tdp", 0, NULL, &found)) {
		fprintf(stderr, "tdp-mutants: no programs in " CORPUS "\n");
		exit(2);
	}
	for (i = 0; i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];
		struct corpus_program *c = need(calloc(1, sizeof(*c)));
		struct exec_result res;
		struct prog_error err;

		c->prog = need(program_alloc());
		if (program_load(c->prog, path, &err)) {
			fprintf(stderr, "%s:%d: %s\n", path, err.line, err.msg);
			exit(2);
		}
		read_expectations(c, path);
		executor_run(executor, c->prog, NULL, &res);
		c->idle_choices = res.nr_never;
		unit_add(STAGE_CORPUS, strdup(path + strlen(CORPUS "/")), run_program)->data = c;
	}
	globfree(&found);
}

static void run_random(const struct unit *unit, struct verdict *verdict)
{
	static const uint32_t every[] = { 5, 20, 80 };
	struct rng rng = rng_seed(unit->number);
	size_t i;

	for (i = 0; i < RANDOM_BATCH; i++) {
		struct exec_options opts = {
			.max_accesses = MAX_ACCESSES,
			.max_points = MAX_POINTS,
		};
		struct schedule_random schedule;
		struct exec_result res;
		uint64_t seed = rng_next(&rng);

		random_switches_inside(i % 2);
		if (program_generate(random_program, rng_next(&rng), 2 + rng_below(&rng, MAX_OPS)))
			abort();
		if (i % 4 == 3) {
			schedule_random_init(&schedule, seed, every[seed % 3]);
			opts.scheduler = &schedule.scheduler;
		}
		executor_run(executor, random_program, &opts, &res);
		if (broken(verdict))
			return;
	}
}

/* ---- inputs ---- */

static void run_input(const struct unit *unit, struct verdict *verdict)
{
	const struct input *input = unit->data;

	(void)verdict;
	input->target->run(input->data, input->size);
}

static void run_random_inputs(const struct unit *unit, struct verdict *verdict)
{
	const struct input_target *target = unit->data;
	struct rng rng = rng_seed(unit->number);
	uint8_t data[MAX_INPUT];
	size_t i, at, size;

	(void)verdict;
	for (i = 0; i < RANDOM_BATCH; i++) {
		size = 1 + rng_below(&rng, MAX_INPUT);
		for (at = 0; at < size; at++)
			data[at] = rng_next(&rng);
		target->run(data, size);
	}
}

/* Pairs of hexadecimal digits, "#" to the end of the line a comment. */
static struct input *read_hex(const char *path)
{
	FILE *file = need(fopen(path, "r"));
	struct input *input = need(calloc(1, sizeof(*input) + 65536));
	int c, high = -1;

	while ((c = fgetc(file)) != EOF && input->size < 65536) {
		if (c == '#') {
			while (c != '\n' && c != EOF)
				c = fgetc(file);
		} else if (isxdigit(c)) {
			int digit = isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;

			if (high < 0) {
				high = digit;
				continue;
			}
			input->data[input->size++] = high << 4 | digit;
			high = -1;
		}
	}
	fclose(file);
	return input;
}

static void add_inputs(size_t nr_random)
{
	size_t t, i;

	for (t = 0; t < sizeof(input_targets) / sizeof(*input_targets); t++) {
		char pattern[4096];
		glob_t found;

		snprintf(pattern, sizeof(pattern), CORPUS "/%s/*.hex", input_targets[t].name);
		if (glob(pattern, 0, NULL, &found)) {
			fprintf(stderr, "tdp-mutants: no inputs: %s\n", pattern);
			exit(2);
		}
		for (i = 0; i < found.gl_pathc; i++) {
			struct input *input = read_hex(found.gl_pathv[i]);

			input->target = &input_targets[t];
			unit_add(STAGE_INPUT, strdup(found.gl_pathv[i] + strlen(CORPUS "/")),
				 run_input)
				->data = input;
		}
		globfree(&found);
		for (i = 0; i < nr_random; i += RANDOM_BATCH) {
			struct unit *unit =
				unit_add(STAGE_INPUT, input_targets[t].name, run_random_inputs);

			unit->data = (void *)&input_targets[t];
			unit->number = i;
		}
	}
}

/* ---- tests ---- */

static void run_test(const struct unit *unit, struct verdict *verdict)
{
	const struct test *test = unit->data;

	if (test->run())
		snprintf(verdict->failed, sizeof(verdict->failed), "test failed");
}

/**
 * units_make() - all that judges
 * @units: result
 * @nr_random: random programs, and random inputs of each other fuzz target
 *
 * Ends the process if something is missing.
 *
 * Return: how many.
 */
size_t units_make(struct unit **units, size_t nr_random)
{
	size_t i;

	executor = need(executor_create());
	random_program = need(program_alloc());
	add_programs();
	add_inputs(nr_random);
	for (i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		unit_add(STAGE_TEST, tests[i].name, run_test)->data = (void *)&tests[i];
	for (i = 0; i < nr_random; i += RANDOM_BATCH)
		unit_add(STAGE_RANDOM, "random programs", run_random)->number = i;
	*units = all;
	return nr_all;
}
