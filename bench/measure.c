// SPDX-License-Identifier: GPL-2.0-only
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "measure.h"

/**
 * bench_die() - a benchmark that cannot be run
 * @path: what it is about
 * @why: the reason
 */
void bench_die(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, path, why);
	exit(2);
}

/**
 * bench_now() - seconds that this process has spent on a CPU
 */
double bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

/**
 * bench_ns() - nanoseconds on the wall's clock, from some moment on
 */
double bench_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static double seconds_of(const char *arg)
{
	char *end;
	double seconds = strtod(arg, &end);

	if (end == arg || *end || !(seconds > 0 && seconds <= 3600))
		bench_die(arg, "expected seconds, more than 0 and at most 3600");
	return seconds;
}

/**
 * bench_options() - reads the command line; ends the program if there is nothing to measure
 * @argc: of main()
 * @argv: of main()
 * @help: what the benchmark does, for --help
 */
struct bench_options bench_options(int argc, char **argv, const char *help)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "seconds", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct bench_options found = { .seconds = 3 };
	int option;

	while ((option = getopt_long(argc, argv, "js:h", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			found.json = true;
			break;
		case 's':
			found.seconds = seconds_of(optarg);
			break;
		case 'h':
			printf("usage: %s [--json] [--seconds=N]\n%s",
			       program_invocation_short_name, help);
			exit(0);
		default:
			exit(2);
		}
	}
	if (optind != argc)
		bench_die(argv[optind], "expected options only");
	return found;
}
