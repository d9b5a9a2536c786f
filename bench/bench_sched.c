// SPDX-License-Identifier: GPL-2.0-only
/*
 * What interleaving costs: nanoseconds a switch takes from one simulated thread's stack to another's,
 * executions a second of programs whose threads are preempted inside operations, under the oracle,
 * and how many schedules are explored in a second.
 */
#include <stdio.h>

#include "explore_rate.h"
#include "fiber.h"
#include "measure.h"
#include "program_set.h"

#define SWITCHES_A_ROUND 100000
#define RING		 3 /* fibers: as many threads as a typical program has */

static struct fiber *ring[RING];

static void go_round(void *arg)
{
	struct fiber **next = arg;

	for (;;)
		fiber_switch(*next);
}

/* The last of the ring hands over to the OS thread's stack once in a while. */
static void count_down(void *arg)
{
	int i;

	(void)arg;
	for (;;) {
		for (i = 0; i < SWITCHES_A_ROUND / RING; i++)
			fiber_switch(ring[0]);
		fiber_switch(NULL);
	}
}

static double switch_ns(double seconds)
{
	uint64_t switches = 0;
	double start, spent;
	int i;

	for (i = 0; i < RING - 1; i++)
		ring[i] = fiber_get(go_round, &ring[i + 1]);
	ring[i] = fiber_get(count_down, NULL);
	fiber_switch(ring[0]);
	start = bench_now();
	do {
		fiber_switch(ring[RING - 1]);
		switches += SWITCHES_A_ROUND / RING * RING + 2;
		spent = bench_now() - start;
	} while (spent < seconds);
	for (i = 0; i < RING; i++)
		fiber_put(ring[i]);
	return spent * 1e9 / switches;
}

static double race_rate(double seconds)
{
	static struct program_set races = { .dir = "race" };
	struct program *prog = program_alloc();
	struct executor *executor = executor_create();
	double rate;

	if (!prog || !executor)
		bench_die("start", "no memory");
	set_load(&races, prog);
	rate = set_rate(&races, executor, prog, seconds);
	executor_destroy(executor);
	program_free(prog);
	return rate;
}

static const char help[] =
	"Measures switches between simulated threads, the programs of bench/programs/race and\n"
	"exploration, N seconds (default 3) each.\n";

int main(int argc, char **argv)
{
	const struct bench_options options = bench_options(argc, argv, help);
	double ns, rate, explored, core = 0;

	ns = switch_ns(options.seconds);
	explored = explore_rate(options.seconds, &core);
	rate = race_rate(options.seconds);
	if (!options.json) {
		printf("switch       %9.1f ns\n", ns);
		printf("fuzz_race    %9.0f executions/s\n", rate);
		if (explored)
			printf("explore      %9.0f schedules/s, %.0f on one CPU\n", explored, core);
		return 0;
	}
	printf("{\"figures\": {\"switch_ns.*\": %.1f, \"fuzz_race.*.exec_per_s\": %.0f", ns, rate);
	if (explored)
		printf(", \"explore.schedules_per_s\": %.0f, \"explore.one_cpu_schedules_per_s\": %.0f",
		       explored, core);
	printf("}}\n");
	return 0;
}
