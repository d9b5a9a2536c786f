// SPDX-License-Identifier: GPL-2.0-only
#include "explore_rate.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "explore.h"
#include "explore_internal.h"
#include "measure.h"

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

/**
 * explore_rate() - how fast are schedules explored?
 * @seconds: to measure, each of the two
 * @core: receives schedules a second of one CPU
 *
 * The program is two vCPUs that fault on the same page, at most four preemptions, oracle on.
 *
 * Return: schedules a second of all CPUs together; 0 in builds in which schedules start from the
 * program's beginning, where there is nothing to compare.
 */
double explore_rate(double seconds, double *core)
{
	struct program *prog = program_alloc();
	struct prog_error err;
	double all;

	if (!world_possible()) {
		program_free(prog);
		return 0;
	}
	if (!prog || program_parse(prog, text, strlen(text), &err))
		bench_die("explore", "the program is no good");
	*core = one_core(prog, seconds);
	all = all_cores(prog, seconds);
	program_free(prog);
	return all;
}
