// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every program of the corpus replays clean, none of its choices is in vain, and what its
 * "# expect KEY=VALUE ..." lines say is what is counted.  Keys are those of `tdp run --stat`.
 * Of a program that shows a known bug, a choice may be where only the bug goes.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "executor.h"
#include "finding.h"
#include "program.h"

struct corpus {
	struct executor *executor;
	struct program *prog;
};

static int set_up(void **state)
{
	struct corpus *c = calloc(1, sizeof(*c));

	if (!c)
		return -1;
	c->executor = executor_create();
	c->prog = program_alloc();
	*state = c;
	return c->executor && c->prog ? 0 : -1;
}

static int tear_down(void **state)
{
	struct corpus *c = *state;

	program_free(c->prog);
	executor_destroy(c->executor);
	free(c);
	return 0;
}

/* One KEY=VALUE. Return: what is wrong, 0 or 1. */
static int check_one(const char *path, int line, const char *word, const struct exec_stats *stats)
{
	const char *equals = strchr(word, '=');
	const struct exec_stat_info *info;
	unsigned long long want, have;
	char *end;

	info = equals ? exec_stat_find(word, equals - word) : NULL;
	if (!info) {
		print_error("%s:%d: '%s': expected KEY=VALUE with a key of tdp run --stat\n", path,
			    line, word);
		return 1;
	}
	want = strtoull(equals + 1, &end, 0);
	if (end == equals + 1 || *end) {
		print_error("%s:%d: '%s': expected a number after '='\n", path, line, word);
		return 1;
	}
	have = exec_stat_get(stats, info);
	if (have == want)
		return 0;
	print_error("%s:%d: expected %s=%llu, counted %llu\n", path, line, info->key, want, have);
	return 1;
}

static int check_expectations(const char *path, const struct exec_stats *stats)
{
	static const char mark[] = "# expect ";
	char text[1024], *word, *rest;
	FILE *file = fopen(path, "r");
	int line = 0, wrong = 0;

	assert_non_null(file);
	while (fgets(text, sizeof(text), file)) {
		line++;
		if (strncmp(text, mark, strlen(mark)))
			continue;
		for (word = strtok_r(text + strlen(mark), " \t\n", &rest); word;
		     word = strtok_r(NULL, " \t\n", &rest))
			wrong += check_one(path, line, word, stats);
	}
	fclose(file);
	return wrong;
}

/* regress/NAME.tdp shows the bug fuzz/bugs/NAME.cocci. */
static bool shows_bug(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	char patch[4096];

	snprintf(patch, sizeof(patch), "%s/fuzz/bugs/%.*s.cocci", TDP_SOURCE_DIR,
		 (int)(strlen(name) - strlen(".tdp")), name);
	return !access(patch, F_OK);
}

static int check_program(struct corpus *c, const char *path)
{
	static const struct exec_options opts = { .count_dirty = true };
	struct exec_result res;
	struct prog_error err;
	uint32_t i;

	if (program_load(c->prog, path, &err)) {
		print_error("%s:%d: %s\n", path, err.line, err.msg);
		return 1;
	}
	executor_run(c->executor, c->prog, &opts, &res);
	for (i = 0; i < res.nr_violations && i < 4; i++)
		finding_print(stderr, path, c->prog,
			      oracle_violation(executor_oracle(c->executor), i));
	if (shows_bug(path))
		res.nr_never = 0;
	for (i = 0; i < res.nr_never; i++)
		print_error("%s:%d: the point of this choice never comes\n", path,
			    c->prog->choices[res.never[i]].line);
	return (res.nr_violations || res.nr_never) + check_expectations(path, &res.stats);
}

static void test_corpus(void **state)
{
	struct corpus *c = *state;
	int wrong = 0;
	glob_t found;
	size_t i;

	assert_int_equal(glob(TDP_SOURCE_DIR "/corpus/*/*.tdp", 0, NULL, &found), 0);
	for (i = 0; i < found.gl_pathc; i++)
		wrong += check_program(c, found.gl_pathv[i]);
	print_message("%zu programs\n", found.gl_pathc);
	globfree(&found);
	assert_int_equal(wrong, 0);
}

static void look_on(void *ctx, const struct exec_event *ev)
{
	(void)ctx, (void)ev;
}

/* What the platform and the oracle do a run at a time is what single steps do, which is what happens when
 * every point is looked at.
 */
static int compare_watched(struct corpus *c, const char *path)
{
	static const struct exec_options watched = { .event = look_on };
	struct exec_result with, without;
	struct prog_error err;

	assert_int_equal(program_load(c->prog, path, &err), 0);
	executor_run(c->executor, c->prog, NULL, &without);
	executor_run(c->executor, c->prog, &watched, &with);
	if (with.hash == without.hash && with.nr_violations == without.nr_violations &&
	    !memcmp(&with.stats, &without.stats, sizeof(with.stats)))
		return 0;
	print_error("%s: hash %llx, %llx if watched\n", path, (unsigned long long)without.hash,
		    (unsigned long long)with.hash);
	return 1;
}

static void test_watched(void **state)
{
	struct corpus *c = *state;
	int wrong = 0;
	glob_t found;
	size_t i;

	assert_int_equal(glob(TDP_SOURCE_DIR "/corpus/regress/*.tdp", 0, NULL, &found), 0);
	assert_int_equal(glob(TDP_SOURCE_DIR "/bench/programs/*/*.tdp", GLOB_APPEND, NULL, &found),
			 0);
	for (i = 0; i < found.gl_pathc; i++)
		wrong += compare_watched(c, found.gl_pathv[i]);
	globfree(&found);
	assert_int_equal(wrong, 0);
}

/* The check itself must be able to fail. */
static void test_expectations_can_fail(void **state)
{
	struct exec_stats stats = { .faults = 7 };

	(void)state;
	print_message("the following complaints are wanted\n");
	assert_int_equal(check_one("x", 1, "faults=7", &stats), 0);
	assert_int_equal(check_one("x", 2, "faults=8", &stats), 1);
	assert_int_equal(check_one("x", 3, "faults", &stats), 1);
	assert_int_equal(check_one("x", 4, "faults=", &stats), 1);
	assert_int_equal(check_one("x", 5, "faults=7x", &stats), 1);
	assert_int_equal(check_one("x", 6, "no.such=7", &stats), 1);
}

/* docs/corpus.md has a row for each key. */
static void test_keys_are_documented(void **state)
{
	static char doc[65536];
	FILE *file = fopen(TDP_SOURCE_DIR "/docs/corpus.md", "r");
	char row[256];
	size_t i;

	(void)state;
	assert_non_null(file);
	assert_true(fread(doc, 1, sizeof(doc) - 1, file) > 0);
	fclose(file);
	for (i = 0; i < exec_nr_stats; i++) {
		snprintf(row, sizeof(row), "| `%s` | %s |", exec_stat_infos[i].key,
			 exec_stat_infos[i].meaning);
		if (!strstr(doc, row))
			fail_msg("docs/corpus.md lacks the row %s", row);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_corpus, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_watched, set_up, tear_down),
		cmocka_unit_test(test_expectations_can_fail),
		cmocka_unit_test(test_keys_are_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
