// SPDX-License-Identifier: GPL-2.0-only
#include "run_schedules.h"

#include <stdio.h>
#include <string.h>

#include "schedule.h"
#include "tdp.h"

union any_schedule {
	struct schedule_random random;
	struct schedule_pct pct;
};

static const struct sim_scheduler *make(const struct run_schedules *how, uint64_t seed,
					uint64_t points, union any_schedule *s)
{
	if (how->scheduler == RUN_PCT) {
		schedule_pct_init(&s->pct, seed, how->depth, points ? points : 1);
		return &s->pct.scheduler;
	}
	schedule_random_init(&s->random, seed, how->one_in);
	return &s->random.scheduler;
}

static void take_schedule(struct program *prog, const struct prog_choice *choices, uint32_t nr)
{
	memcpy(prog->choices, choices, nr * sizeof(*choices));
	prog->nr_choices = nr;
	program_sort_choices(prog);
}

/**
 * run_schedules() - run a program under schedules that are made up, until one breaks a rule
 * @how: which
 * @x: executor
 * @prog: program; if a rule is broken, its schedule becomes the one under which that happens.
 *	Choices of its own come first
 * @opts: limits of a run
 * @path: for messages
 * @quiet: say nothing if nothing is found
 * @replay: @prog has a schedule that breaks a rule
 *
 * Return: an exit status.
 */
int run_schedules(const struct run_schedules *how, struct executor *x, struct program *prog,
		  const struct exec_options *opts, const char *path, bool quiet, bool *replay)
{
	static struct prog_choice record[PROG_MAX_CHOICES];
	static struct exec_result res;
	struct exec_options with = {
		.max_accesses = opts->max_accesses,
		.max_points = opts->max_points,
		.record = record,
		.max_record = PROG_MAX_CHOICES,
	};
	uint64_t points, i, too_long = 0;

	*replay = false;
	executor_run(x, prog, NULL, &res);
	points = res.stats.points;
	for (i = 0; i < how->runs; i++) {
		union any_schedule schedule;

		with.scheduler = make(how, how->seed + i, points, &schedule);
		if (!executor_run(x, prog, &with, &res))
			continue;
		if (res.nr_record > PROG_MAX_CHOICES) {
			too_long++;
			continue;
		}
		take_schedule(prog, record, res.nr_record);
		printf("%s: schedule %llu fails, seed %llu\n", path, (unsigned long long)i + 1,
		       (unsigned long long)(how->seed + i));
		*replay = true;
		return TDP_EXIT_VIOLATION;
	}
	if (too_long) {
		printf("%s: %llu schedules fail, but have more choices than a program can hold\n",
		       path, (unsigned long long)too_long);
		return TDP_EXIT_VIOLATION;
	}
	if (!quiet)
		printf("%s: ok (%llu schedules)\n", path, (unsigned long long)how->runs);
	return TDP_EXIT_OK;
}
