// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast schedules are explored: two vCPUs that fault on the same page, oracle on.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "explore.h"
#include "program_set.h"

/* The operations before the last make the starting tree: roots, and the tables above the page. */
static const char text[] = "tdp 1\n"
			   "vm mmu=ept ad=on levels=4\n"
			   "slot 0 base=0x0 pages=0x400 backing=4K\n"
			   "thread vcpu 0\n\tread 0x10\n\twrite 0x20\n"
			   "thread vcpu 1\n\tread 0x11\n\twrite 0x20\n";

static uint64_t explore(const struct program *prog, uint32_t jobs)
{
	struct explore_options opts = { .preemptions = 4, .last = 1, .jobs = jobs };
	struct explore_result res;

	if (explore_run(prog, &opts, &res))
		bench_die("explore", "a rule was broken, or it could not run");
	return res.count.schedules;
}

/* Of this process, by the time that it spent on a CPU. */
static double one_core(const struct program *prog, double seconds)
{
	double start = bench_now(), spent;
	uint64_t schedules = 0;

	do {
		schedules += explore(prog, 0);
		spent = bench_now() - start;
	} while (spent < seconds);
	return schedules / spent;
}

static double wall(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

/* Of as many workers as there are CPUs. */
static double all_cores(const struct program *prog, double seconds)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	double start = wall(), spent;
	uint64_t schedules = 0;

	do {
		schedules += explore(prog, cpus < 1 ? 1 : cpus);
		spent = wall() - start;
	} while (spent < seconds);
	return schedules / spent;
}

static void help(void)
{
	printf("usage: bench_explore [--json] [--seconds=N]\n"
	       "Measures schedules of two faults explored in a second, N seconds (default 3) each figure.\n");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "seconds", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct program *prog = program_alloc();
	double seconds = 3, core, all;
	struct prog_error err;
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "js:h", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = true;
			break;
		case 's':
			seconds = bench_seconds(optarg);
			break;
		case 'h':
			help();
			return 0;
		default:
			return 2;
		}
	}
	if (optind != argc)
		bench_die(argv[optind], "expected options only");
	if (!prog || program_parse(prog, text, strlen(text), &err))
		bench_die("explore", "the program is no good");
	core = one_core(prog, seconds);
	all = all_cores(prog, seconds);
	if (json)
		printf("{\"figures\": {\"explore.schedules_per_s\": %.0f, "
		       "\"explore.one_core_schedules_per_s\": %.0f}}\n",
		       all, core);
	else
		printf("one core     %9.0f schedules/s\nall cores    %9.0f schedules/s\n", core,
		       all);
	program_free(prog);
	return 0;
}
