// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast programs run under the oracle: executions a second on one core, over two checked-in sets.
 * "fuzz_mmu" has slots of at most 8 MiB, as a fuzzer's inputs; "fuzz_mmu.1g" has slots of 1 GiB.
 * An execution is what the fuzz target does: bytes to program, program to verdict.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "executor.h"
#include "finding.h"
#include "program.h"

#define MAX_PROGRAMS	1000

/**
 * struct set - programs to measure with
 * @name: begins the names of its figures
 * @dir: where they are, under bench/programs
 * @data: the programs in binary form
 * @size: their sizes in bytes
 * @nr: how many
 * @ops: operations of all of them
 * @changing: of those, how many changed an SPTE
 * @kinds: bit i: operation kind i occurs
 * @rate: executions a second
 */
struct set {
	const char *name;
	const char *dir;
	uint8_t *data[MAX_PROGRAMS];
	size_t size[MAX_PROGRAMS];
	uint32_t nr;
	uint64_t ops;
	uint64_t changing;
	uint64_t kinds;
	double rate;
};

static struct set sets[] = {
	{ .name = "fuzz_mmu", .dir = "small" },
	{ .name = "fuzz_mmu.1g", .dir = "1g" },
};
#define NR_SETS	(sizeof(sets) / sizeof(*sets))

static struct program *prog;
static struct executor *executor;

static void die(const char *path, const char *why)
{
	fprintf(stderr, "bench_fuzz: %s: %s\n", path, why);
	exit(2);
}

static int is_program(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".tdp");
}

static void load_program(struct set *set, const char *path)
{
	struct prog_error err;
	uint32_t i, j;
	size_t size;

	if (program_load(prog, path, &err))
		die(path, err.msg);
	if (set->nr == MAX_PROGRAMS)
		die(path, "too many programs");
	for (i = 0; i < prog->nr_threads; i++) {
		for (j = 0; j < prog->threads[i].nr_ops; j++)
			set->kinds |= 1ULL << prog->threads[i].ops[j].kind;
	}
	size = program_encode(prog, NULL, 0);
	set->size[set->nr] = size;
	set->data[set->nr] = malloc(size);
	if (!set->data[set->nr])
		die(path, "no memory");
	program_encode(prog, set->data[set->nr++], size);
}

static void load_set(struct set *set)
{
	struct dirent **names;
	char *dir, *path;
	int i, n;

	if (asprintf(&dir, TDP_SOURCE_DIR "/bench/programs/%s", set->dir) < 0)
		die(set->dir, "no memory");
	n = scandir(dir, &names, is_program, alphasort);
	if (n <= 0)
		die(dir, "no programs");
	for (i = 0; i < n; i++) {
		if (asprintf(&path, "%s/%s", dir, names[i]->d_name) < 0)
			die(dir, "no memory");
		load_program(set, path);
		free(path);
		free(names[i]);
	}
	free(names);
	free(dir);
}

/* ---- what the set is like ---- */

struct watch {
	bool changed;
	uint64_t ops;
	uint64_t changing;
};

static void on_event(void *ctx, const struct exec_event *ev)
{
	struct watch *w = ctx;

	switch (ev->kind) {
	case EXEC_EV_OP:
		w->changing += w->changed;
		w->changed = false;
		w->ops++;
		break;
	case EXEC_EV_SPTE:
		w->changed |= ev->thread >= 0 && ev->ok && ev->old != ev->val;
		break;
	case EXEC_EV_ASSIST:
		w->changed |= ev->thread >= 0 && ev->ok;
		break;
	default:
		break;
	}
}

static void check_verdict(const struct set *set, uint32_t i, const struct exec_result *res)
{
	char name[64];

	if (!res->nr_violations)
		return;
	snprintf(name, sizeof(name), "%s, program %u", set->dir, i);
	finding_print(stderr, name, prog, oracle_violation(executor_oracle(executor), 0));
	die(name, "a rule was broken: this is no benchmark");
}

static void describe(struct set *set)
{
	struct watch w = { .changed = false };
	struct exec_options opts = { .event = on_event, .ctx = &w };
	struct exec_result res;
	uint32_t i;

	for (i = 0; i < set->nr; i++) {
		program_decode(prog, set->data[i], set->size[i]);
		executor_run(executor, prog, &opts, &res);
		check_verdict(set, i, &res);
		w.changing += w.changed;
		w.changed = false;
	}
	set->ops = w.ops;
	set->changing = w.changing;
}

/* ---- how fast it is ---- */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static uint64_t run_once(struct set *set)
{
	struct exec_result res;
	uint32_t i;

	for (i = 0; i < set->nr; i++) {
		program_decode(prog, set->data[i], set->size[i]);
		executor_run(executor, prog, NULL, &res);
		check_verdict(set, i, &res);
	}
	return set->nr;
}

static void measure(struct set *set, double seconds)
{
	double start, spent;
	uint64_t runs = 0;

	run_once(set);
	start = now();
	do {
		runs += run_once(set);
		spent = now() - start;
	} while (spent < seconds);
	set->rate = runs / spent;
}

/* ---- output ---- */

static double ops_per_program(const struct set *set)
{
	return (double)set->ops / set->nr;
}

static double changing_pct(const struct set *set)
{
	return 100.0 * set->changing / set->ops;
}

static void print_text(const struct set *set)
{
	printf("%-12s %9.0f executions/s, %6.0f ns an operation (%u programs of %.1f operations on average, "
	       "%.0f%% of which change SPTEs; %d of %d kinds of operation)\n",
	       set->name, set->rate, 1e9 / set->rate / ops_per_program(set), set->nr,
	       ops_per_program(set), changing_pct(set), __builtin_popcountll(set->kinds), OP_NR);
}

static void print_json(const struct set *set, bool last)
{
	printf("\"%s.exec_per_s\": %.0f, \"%s.ns_per_op\": %.1f, \"%s.ops_changing_pct\": %.1f, "
	       "\"%s.programs\": %u%s",
	       set->name, set->rate, set->name, 1e9 / set->rate / ops_per_program(set), set->name,
	       changing_pct(set), set->name, set->nr, last ? "" : ", ");
}

static void help(void)
{
	printf("usage: bench_fuzz [--json] [--seconds=N]\n"
	       "Runs the programs of bench/programs under the oracle, N seconds (default 3) each set.\n");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "seconds", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	double seconds = 3;
	bool json = false;
	char *end;
	size_t i;
	int option;

	while ((option = getopt_long(argc, argv, "js:h", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = true;
			break;
		case 's':
			seconds = strtod(optarg, &end);
			if (*end || !(seconds > 0 && seconds <= 3600))
				die(optarg, "expected seconds, more than 0 and at most 3600");
			break;
		case 'h':
			help();
			return 0;
		default:
			return 2;
		}
	}
	if (optind != argc)
		die(argv[optind], "expected options only");
	prog = program_alloc();
	executor = executor_create();
	if (!prog || !executor)
		die("start", "no memory");
	if (json)
		printf("{\"figures\": {");
	for (i = 0; i < NR_SETS; i++) {
		load_set(&sets[i]);
		describe(&sets[i]);
		measure(&sets[i], seconds);
		if (json)
			print_json(&sets[i], i + 1 == NR_SETS);
		else
			print_text(&sets[i]);
	}
	if (json)
		printf("}}\n");
	return 0;
}
