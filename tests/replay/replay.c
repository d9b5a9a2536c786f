// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failing schedules of a known bug: found at random, recorded, replayed, shrunk.
 *
 *   replay-NAME BASE.tdp [--count N] [--out DIR] [--no-shrink]
 *   replay-NAME --check DIR
 *
 * The first form takes the program BASE, adds operations at random, and runs it under the random
 * scheduler until N runs have failed by one of the rules that the bug breaks.  Each is recorded as a
 * program, parsed from its text again and run: it has to fail by the same rule with the same hash over
 * every event and point, and by the same rule when nobody watches the points.  Then it is shrunk, and
 * the result has to do the same.  With --out the recorded programs are left in DIR, as run-*.tdp with
 * the rule and the hash in the first line, and the shrunk ones as small-*.tdp.
 *
 * The second form runs such a DIR's run-*.tdp and compares: programs found by one build, replayed by
 * another.
 *
 * Both end with a line of figures as JSON.  Exit status: 0 all failed the same way again, and half of
 * the shrunk programs are as small as promised; 1 not; 2 bad usage.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bugs/bug.h"
#include "failure.h"
#include "mutate.h"
#include "platform.h"
#include "program.h"
#include "schedule.h"
#include "shrink.h"

#define MAX_COUNT	10000
/* A bug that takes more runs than this to show once is not one to count failures of. */
#define RUNS_PER_FIND	20000
#define MAX_POINTS	20000

#define MEDIAN_OPS	   4
#define MEDIAN_PREEMPTIONS 3

struct found {
	struct failure failure;
	uint64_t hash;
	struct shrink_size size;
	uint64_t executions;
};

static const char usage[] =
	"expected BASE.tdp [--count N] [--out DIR] [--no-shrink], or --check DIR";

static struct executor *executor;
static struct program *base, *prog, *copy;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "replay: %s: %s\n", what, why);
	exit(2);
}

/* ---- finding ---- */

/* The base with a few more operations, none of which has to do with the bug. */
static void make_program(struct rng *rng)
{
	unsigned int more = rng_below(rng, 9);

	if (program_copy(prog, base))
		abort();
	while (more--)
		mutate(prog, MUTATION_OP_ADD, rng);
}

/* One random run; true: it failed, and @prog is its recording. */
static bool run_at_random(uint64_t seed, struct failure *failure)
{
	static const uint32_t every[] = { 5, 20, 80 };
	struct schedule_random schedule;
	struct rng rng = rng_seed(seed);
	struct prog_choice record[PROG_MAX_CHOICES];
	const struct exec_options opts = {
		.scheduler = &schedule.scheduler,
		.record = record,
		.max_record = PROG_MAX_CHOICES,
		.max_points = MAX_POINTS,
		.hash_points = true,
	};
	struct exec_result res;

	make_program(&rng);
	schedule_random_init(&schedule, seed, every[seed % 3]);
	if (!executor_run(executor, prog, &opts, &res) || res.truncated ||
	    res.nr_record > PROG_MAX_CHOICES)
		return false;
	failure_of(executor, failure);
	if (!strchr(bug.rules, failure->rule))
		return false;
	prog->nr_choices = res.nr_record;
	memcpy(prog->choices, record, res.nr_record * sizeof(*record));
	return true;
}

/* ---- replaying ---- */

static char *text_of(const struct program *p)
{
	char *text = program_text(p);

	if (!text)
		abort();
	return text;
}

/* With every point watched and hashed, or as fast as it goes. */
static void replay(const struct program *p, bool watched, struct failure *failure, uint64_t *hash)
{
	const struct exec_options opts = { .hash_points = watched };
	struct exec_result res;

	executor_run(executor, p, &opts, &res);
	failure_of(executor, failure);
	*hash = res.hash;
}

static bool replays(const char *text, const struct found *found, const char *name)
{
	struct prog_error err;
	struct failure failure;
	uint64_t hash;

	if (program_parse(copy, text, strlen(text), &err)) {
		fprintf(stderr, "%s:%d: %s\n", name, err.line, err.msg);
		return false;
	}
	replay(copy, true, &failure, &hash);
	if (!failure_same(&failure, &found->failure) || hash != found->hash) {
		fprintf(stderr, "%s: rule %c hash %016" PRIx64 ", expected %c %016" PRIx64 "\n",
			name, failure.rule ? failure.rule : '-', hash, found->failure.rule,
			found->hash);
		return false;
	}
	replay(copy, false, &failure, &hash);
	if (!failure_same(&failure, &found->failure)) {
		fprintf(stderr, "%s: rule %c when nobody watches, expected %c\n", name,
			failure.rule ? failure.rule : '-', found->failure.rule);
		return false;
	}
	return true;
}

static void save(const char *dir, const char *kind, uint32_t i, const struct found *found,
		 const char *text)
{
	char path[4096];
	FILE *file;

	if (!dir)
		return;
	snprintf(path, sizeof(path), "%s/%s-%04u.tdp", dir, kind, i);
	file = fopen(path, "w");
	if (!file)
		die(path, strerror(errno));
	fprintf(file, "# rule %c hash %016" PRIx64 "\n%s", found->failure.rule, found->hash, text);
	if (fclose(file))
		die(path, strerror(errno));
}

/* ---- the figures ---- */

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t median(const struct found *found, uint32_t nr, size_t offset, size_t size)
{
	uint64_t *values = calloc(nr, sizeof(*values)), result;
	uint32_t i;

	if (!values)
		abort();
	for (i = 0; i < nr; i++)
		memcpy(&values[i], (const char *)&found[i] + offset, size);
	qsort(values, nr, sizeof(*values), compare_u64);
	result = values[(nr - 1) / 2];
	free(values);
	return result;
}

#define MEDIAN(found, nr, field) \
	median(found, nr, offsetof(struct found, field), sizeof((found)->field))

/* Of each: threads, operations, preemptions, all choices, executions it took to shrink. */
static void print_sizes(const struct found *found, uint32_t nr)
{
	uint32_t i;

	printf(", \"sizes\": [");
	for (i = 0; i < nr; i++)
		printf("%s[%u, %u, %u, %u, %" PRIu64 "]", i ? ", " : "", found[i].size.threads,
		       found[i].size.ops, found[i].size.preemptions, found[i].size.choices,
		       found[i].executions);
	printf("]");
}

/* What is promised of half of all findings. */
static bool small_enough(const struct found *found, uint32_t nr)
{
	uint64_t ops = MEDIAN(found, nr, size.ops);
	uint64_t preemptions = MEDIAN(found, nr, size.preemptions);

	fprintf(stderr,
		"medians: %" PRIu64 " operations, %" PRIu64 " preemptions, %" PRIu64
		" choices, %" PRIu64 " executions\n",
		ops, preemptions, MEDIAN(found, nr, size.choices), MEDIAN(found, nr, executions));
	return ops <= MEDIAN_OPS && preemptions <= MEDIAN_PREEMPTIONS;
}

/* ---- the two forms ---- */

static bool shrink_found(struct found *found, const char *dir, uint32_t i)
{
	static const struct shrink_options opts = { .max_executions = 0 };
	struct shrink_result res;
	struct failure failure;
	char *text;
	bool ok;

	if (shrink(executor, prog, &opts, &res)) {
		fprintf(stderr, "%u: does not shrink\n", i);
		return false;
	}
	found->size = res.after;
	found->executions = res.executions;
	replay(prog, true, &failure, &found->hash);
	text = text_of(prog);
	ok = failure_same(&failure, &found->failure) && replays(text, found, "shrunk");
	save(dir, "small", i, found, text);
	free(text);
	return ok;
}

static int find(const char *path, uint32_t count, const char *dir, bool shrinking)
{
	struct found *found = calloc(count, sizeof(*found));
	uint64_t seed, runs_left = RUNS_PER_FIND;
	uint32_t nr = 0, replayed = 0, shrunk = 0;
	bool small = true;
	struct prog_error err;

	if (!found)
		die("no memory", path);
	if (program_load(base, path, &err)) {
		fprintf(stderr, "%s:%d: %s\n", path, err.line, err.msg);
		free(found);
		return 2;
	}
	for (seed = 0; nr < count && runs_left; seed++, runs_left--) {
		struct found *f = &found[nr];
		struct failure failure;
		char *text;

		if (!run_at_random(seed, &f->failure))
			continue;
		replay(prog, true, &failure, &f->hash);
		text = text_of(prog);
		replayed += replays(text, f, "replay");
		save(dir, "run", nr, f, text);
		free(text);
		if (shrinking)
			shrunk += shrink_found(f, dir, nr);
		nr++;
		runs_left = RUNS_PER_FIND;
	}
	if (shrinking && nr)
		small = small_enough(found, nr);
	printf("{\"found\": %u, \"runs\": %" PRIu64 ", \"replayed\": %u", nr, seed, replayed);
	if (shrinking && nr) {
		printf(", \"shrunk\": %u", shrunk);
		print_sizes(found, nr);
	}
	printf("}\n");
	free(found);
	return small && nr == count && replayed == nr && (!shrinking || shrunk == nr) ? 0 : 1;
}

/* Reads "# rule R hash H" and what follows. */
static char *load_recorded(const char *path, struct found *found)
{
	static const char rule[] = "# rule ", hash[] = " hash ";
	FILE *file = fopen(path, "r");
	char *text = NULL, *end;
	size_t size = 0;

	if (!file)
		die(path, strerror(errno));
	if (getdelim(&text, &size, '\0', file) < 0)
		die(path, "expected a program");
	fclose(file);
	if (strncmp(text, rule, strlen(rule)) ||
	    strncmp(text + strlen(rule) + 1, hash, strlen(hash)))
		die(path, "expected '# rule R hash H' in the first line");
	found->failure.rule = text[strlen(rule)];
	found->hash = strtoull(text + strlen(rule) + 1 + strlen(hash), &end, 16);
	if (*end != '\n')
		die(path, "expected a hash in hexadecimal in the first line");
	return text;
}

static int check(const char *dir)
{
	uint32_t nr = 0, replayed = 0;
	struct dirent *entry;
	DIR *files = opendir(dir);

	if (!files)
		die(dir, strerror(errno));
	while ((entry = readdir(files))) {
		struct found found = { .hash = 0 };
		char path[4096], *text;

		if (strncmp(entry->d_name, "run-", 4))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		text = load_recorded(path, &found);
		nr++;
		replayed += replays(text, &found, path);
		free(text);
	}
	closedir(files);
	printf("{\"found\": %u, \"replayed\": %u}\n", nr, replayed);
	return nr && replayed == nr ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *path = NULL, *dir = NULL, *recorded = NULL;
	unsigned long count = 100;
	bool shrinking = true;
	int i, ret;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--count") && i + 1 < argc)
			count = strtoul(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--out") && i + 1 < argc)
			dir = argv[++i];
		else if (!strcmp(argv[i], "--check") && i + 1 < argc)
			recorded = argv[++i];
		else if (!strcmp(argv[i], "--no-shrink"))
			shrinking = false;
		else if (*argv[i] != '-' && !path)
			path = argv[i];
		else
			die(argv[i], usage);
	}
	if (!path == !recorded || !count || count > MAX_COUNT)
		die(argv[0], usage);
	executor = executor_create();
	base = program_alloc();
	prog = program_alloc();
	copy = program_alloc();
	if (!executor || !base || !prog || !copy)
		die(argv[0], "no memory");
	ret = recorded ? check(recorded) : find(path, count, dir, shrinking);
	program_free(base);
	program_free(prog);
	program_free(copy);
	executor_destroy(executor);
	return ret;
}
