// SPDX-License-Identifier: GPL-2.0-only
/* tdp explore: every schedule of a program with at most so many preemptions. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "explore.h"
#include "finding.h"
#include "tdp.h"

static const char help[] =
	"usage: tdp explore [OPTION]... FILE\n"
	"\n"
	"Run every schedule of a program in which threads that could go on are stopped at most K times,\n"
	"with the oracle watching. Where a thread waits or ends, each that can run is tried. Of schedules\n"
	"that lead to the same, one is run. The program's own switches do not count from where\n"
	"exploration starts; its other choices do.\n"
	"\n"
	"  -k, --preemptions=K   at most K preemptions in a schedule (default 2)\n"
	"  -l, --last=N          explore the last N operations of each thread; what comes before runs\n"
	"                        once, as the program's schedule says, and is where schedules start\n"
	"  -s, --save=OUT        write the program with its smallest failing schedule to OUT\n"
	"  -1, --first           stop at the first schedule that breaks a rule\n"
	"  -r, --rules=LETTERS   of what is broken only these rules count; ! for WARNs\n"
	"  -j, --jobs=N          processes (default: one for each CPU); the result is the same\n"
	"  -m, --max=N           stop after about N schedules\n"
	"      --no-reduction    run schedules that lead to the same, too\n"
	"      --no-snapshot     run each schedule from the program's beginning\n"
	"      --backend=NAME    whose MMU: libtdp (default), or upstream: the kernel's own\n"
	"  -q, --quiet           print what was found only\n"
	"  -h, --help            this text\n"
	"\n"
	"Exit status: 0 nothing found; 1 a rule was broken; 2 bad input.\n";

/**
 * struct command - what the user asked for
 * @opts: how to explore
 * @path: the program's file
 * @save: --save, NULL if not
 * @quiet: --quiet
 * @live: standard error is a terminal: show how far it is
 * @began: seconds
 */
struct command {
	struct explore_options opts;
	const char *path;
	const char *save;
	bool quiet;
	bool live;
	double began;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static double per_second(uint64_t n, double seconds)
{
	return seconds > 0 ? n / seconds : 0;
}

static void on_progress(void *ctx, const struct explore_count *count)
{
	const struct command *c = ctx;

	if (!c->live)
		return;
	fprintf(stderr,
		"\r\033[K%llu schedules, %.0f/s, %llu cut, %llu not tried, depth %llu, %llu failing",
		(unsigned long long)count->schedules,
		per_second(count->schedules, now() - c->began), (unsigned long long)count->cut,
		(unsigned long long)count->skipped, (unsigned long long)count->depth,
		(unsigned long long)count->failing);
}

static void print_count(const struct command *c, const struct explore_result *res)
{
	const struct explore_count *n = &res->count;
	double seconds = now() - c->began;

	printf("%s: %s: %llu schedules with at most %u preemption%s (%llu run to the end, %llu cut in "
	       "a state that was seen), %llu preemption%s not tried, %llu end state%s\n",
	       c->path, res->rules ? "failing" : "ok", (unsigned long long)n->schedules,
	       c->opts.preemptions, c->opts.preemptions == 1 ? "" : "s",
	       (unsigned long long)n->complete, (unsigned long long)n->cut,
	       (unsigned long long)n->skipped, n->skipped == 1 ? "" : "s",
	       (unsigned long long)n->states, n->states == 1 ? "" : "s");
	printf("%s: %.2f s, %.0f schedules/s, %.1f points a schedule%s\n", c->path, seconds,
	       per_second(n->schedules, seconds), per_second(n->points, n->schedules),
	       res->exhausted ? "" : "; stopped before the end");
}

static int report(const struct command *c, struct program *prog, const struct explore_result *res)
{
	if (c->live)
		fprintf(stderr, "\r\033[K");
	if (!c->quiet)
		print_count(c, res);
	if (!res->rules)
		return TDP_EXIT_OK;
	if (res->nr_choices > PROG_MAX_CHOICES) {
		printf("%s: the smallest failing schedule has %u choices, more than a program can hold\n",
		       c->path, res->nr_choices);
		return TDP_EXIT_VIOLATION;
	}
	explore_program(prog, res);
	finding_print(stdout, c->path, prog, &res->violation);
	printf("%s: %llu schedules fail; the smallest has %u preemption%s", c->path,
	       (unsigned long long)res->count.failing, res->preemptions,
	       res->preemptions == 1 ? "" : "s");
	printf(":%s%s\n", c->save ? " " : "", c->save ? c->save : "");
	return tdp_write_program(prog, c->save);
}

static int explore(struct command *c)
{
	static struct explore_result res;
	struct program *prog = program_alloc();
	int ret = TDP_EXIT_USAGE;

	if (!prog) {
		fprintf(stderr, "tdp explore: no memory\n");
		return ret;
	}
	if (!tdp_load_program(prog, c->path, false) && !tdp_backend_runs(prog, c->path)) {
		c->began = now();
		ret = explore_run(prog, &c->opts, &res);
		if (ret < 0) {
			fprintf(stderr, "tdp explore: %s: %s\n", c->path,
				ret == -EIO ? "exploration broke off" : strerror(-ret));
			ret = TDP_EXIT_USAGE;
		} else {
			ret = report(c, prog, &res);
		}
	}
	program_free(prog);
	return ret;
}

/* The mask of the rules that are named; 0 if they are none. */
static uint32_t rules_of(const char *letters)
{
	uint32_t rules = 0;

	for (; *letters; letters++) {
		if (!strchr(RULE_LETTERS, *letters))
			return 0;
		rules |= explore_rule(*letters);
	}
	return rules;
}

int cmd_explore(int argc, char **argv)
{
	enum { NO_REDUCTION = 256, NO_SNAPSHOT };
	static const struct option options[] = {
		{ "preemptions", required_argument, NULL, 'k' },
		{ "last", required_argument, NULL, 'l' },
		{ "save", required_argument, NULL, 's' },
		{ "first", no_argument, NULL, '1' },
		{ "rules", required_argument, NULL, 'r' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "max", required_argument, NULL, 'm' },
		{ "no-reduction", no_argument, NULL, NO_REDUCTION },
		{ "no-snapshot", no_argument, NULL, NO_SNAPSHOT },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct command c = { .live = isatty(STDERR_FILENO) };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t value;
	int option;

	c.opts.preemptions = 2;
	c.opts.jobs = cpus < 1 ? 1 : cpus > EXPLORE_MAX_JOBS ? EXPLORE_MAX_JOBS : cpus;
	c.opts.progress = on_progress;
	c.opts.ctx = &c;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "k:l:s:1r:j:m:qh", options, NULL)) != -1) {
		switch (option) {
		case 'k':
			if (!tdp_number(optarg, 0, 255, &value))
				return tdp_usage("explore",
						 "--preemptions: expected 0 to 255, found ",
						 optarg);
			c.opts.preemptions = value;
			break;
		case 'l':
			if (!tdp_number(optarg, 1, PROG_MAX_OPS, &value))
				return tdp_usage("explore",
						 "--last: expected a number of operations, found ",
						 optarg);
			c.opts.last = value;
			break;
		case 's':
			c.save = optarg;
			break;
		case '1':
			c.opts.first = true;
			break;
		case 'r':
			c.opts.rules = rules_of(optarg);
			if (!c.opts.rules)
				return tdp_usage("explore",
						 "--rules: expected letters of " RULE_LETTERS
						 ", found ",
						 optarg);
			break;
		case 'j':
			if (!tdp_number(optarg, 1, EXPLORE_MAX_JOBS, &value))
				return tdp_usage("explore", "--jobs: expected 1 to 64, found ",
						 optarg);
			c.opts.jobs = value;
			break;
		case 'm':
			if (!tdp_number(optarg, 1, UINT64_MAX, &value))
				return tdp_usage("explore",
						 "--max: expected a number of schedules, found ",
						 optarg);
			c.opts.max_schedules = (value + EXPLORE_PARTS - 1) / EXPLORE_PARTS;
			break;
		case NO_REDUCTION:
			c.opts.no_reduction = true;
			break;
		case NO_SNAPSHOT:
			c.opts.no_snapshot = true;
			break;
		case 'q':
			c.quiet = true;
			break;
		case 'h':
			fputs(help, stdout);
			return TDP_EXIT_OK;
		default:
			return tdp_usage("explore", "bad option ", argv[optind - 1]);
		}
	}
	if (optind + 1 != argc)
		return tdp_usage("explore", "expected one FILE", "");
	c.path = argv[optind];
	return explore(&c);
}
