// SPDX-License-Identifier: GPL-2.0-only
/* tdp shrink: of a program that fails, a small one that fails the same way. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "finding.h"
#include "shrink.h"
#include "tdp.h"

static const char help[] =
	"usage: tdp shrink [OPTION]... FILE\n"
	"\n"
	"Make a program that breaks a rule as small as can be found: fewer threads, operations,\n"
	"preemptions and other choices, smaller slots, simpler operands. The result breaks the same rule\n"
	"first (of WARNs: it is the same one) and is printed as canonical text.\n"
	"\n"
	"  -o, --output OUT       write it there rather than to standard output\n"
	"  -n, --executions=N     try at most so many runs (default 200000)\n"
	"  -r, --raw              FILE is a fuzzer's input: any bytes, whatever the first one says\n"
	"      --backend=NAME     whose MMU: libtdp (default), or upstream: the kernel's own\n"
	"  -q, --quiet            no progress and no summary on standard error\n"
	"  -h, --help             this text\n"
	"\n"
	"Interrupted, it writes the smallest program found until then.\n"
	"\n"
	"Exit status: 1 the program breaks a rule, and a program that breaks it was written; 0 it breaks\n"
	"none, there is nothing to shrink and nothing is written; 2 bad input.\n";

/**
 * struct watch - the live line on standard error
 * @path: of the program
 * @started: when shrinking began, seconds
 * @shown: when the line was last written, seconds
 * @live: standard error is a terminal, on which a line can be written over
 * @quiet: nothing is to be shown
 */
struct watch {
	const char *path;
	double started;
	double shown;
	bool live;
	bool quiet;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static bool on_progress(void *ctx, const struct shrink_progress *progress)
{
	const struct shrink_size *size = &progress->size;
	struct watch *watch = ctx;
	double time;

	/* To ask for the time takes a good part of an execution's. */
	if (watch->quiet || progress->executions % 64)
		return !interrupted;
	time = now();
	if (time - watch->shown < (watch->live ? 0.1 : 5))
		return !interrupted;
	watch->shown = time;
	fprintf(stderr, "%s%s: %" PRIu64 " executions, %u operations, %u preemptions: %s%s",
		watch->live ? "\r\033[K" : "", watch->path, progress->executions, size->ops,
		size->preemptions, progress->pass, watch->live ? "" : "\n");
	fflush(stderr);
	return !interrupted;
}

static const char *plural(uint32_t n)
{
	return n == 1 ? "" : "s";
}

static void print_size(const struct shrink_size *size)
{
	uint32_t others = size->choices - size->preemptions;

	fprintf(stderr, "%u thread%s, %u operation%s, %u preemption%s, %u other choice%s",
		size->threads, plural(size->threads), size->ops, plural(size->ops),
		size->preemptions, plural(size->preemptions), others, plural(others));
}

static void summary(const struct watch *watch, const struct shrink_result *res)
{
	double seconds = now() - watch->started;

	if (watch->live)
		fprintf(stderr, "\r\033[K");
	fprintf(stderr, "%s: rule %c broken (%s): %s\n", watch->path, res->failure.rule,
		rule_meaning(res->failure.rule), res->failure.text);
	fprintf(stderr, "  before: ");
	print_size(&res->before);
	fprintf(stderr, "\n  after:  ");
	print_size(&res->after);
	fprintf(stderr, "\n  %" PRIu64 " executions in %.1f s%s\n", res->executions, seconds,
		interrupted	 ? ": interrupted" :
		res->exhausted ? ": no more allowed, --executions=N allows more" :
				 "");
}

static int shrink_program(struct executor *x, struct program *prog, const char *path,
			  const char *out, uint64_t executions, bool quiet)
{
	struct watch watch = {
		.path = path,
		.started = now(),
		.live = isatty(STDERR_FILENO),
		.quiet = quiet,
	};
	const struct shrink_options opts = {
		.max_executions = executions,
		.progress = on_progress,
		.ctx = &watch,
	};
	const struct sigaction on_sigint = { .sa_handler = on_interrupt, .sa_flags = SA_RESETHAND };
	struct shrink_result res;
	int ret;

	watch.shown = watch.started;
	/* The second time it is meant as ever. */
	sigaction(SIGINT, &on_sigint, NULL);
	ret = shrink(x, prog, &opts, &res);
	if (ret == -ENOENT) {
		fprintf(stderr, "%s: no rule is broken: there is nothing to shrink\n", path);
		return TDP_EXIT_OK;
	}
	if (ret) {
		fprintf(stderr, "tdp shrink: no memory\n");
		return TDP_EXIT_USAGE;
	}
	if (!quiet)
		summary(&watch, &res);
	return tdp_write_program(prog, out);
}

int cmd_shrink(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "executions", required_argument, NULL, 'n' },
		{ "raw", no_argument, NULL, 'r' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *out = NULL;
	uint64_t executions = 0;
	bool raw = false, quiet = false;
	struct executor *x;
	struct program *prog;
	int option, ret;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "o:n:rqh", options, NULL)) != -1) {
		switch (option) {
		case 'o':
			out = optarg;
			break;
		case 'n':
			if (!tdp_number(optarg, 1, UINT64_MAX, &executions))
				return tdp_usage("shrink",
						 "--executions: expected a number, found ", optarg);
			break;
		case 'r':
			raw = true;
			break;
		case 'q':
			quiet = true;
			break;
		case 'h':
			fputs(help, stdout);
			return TDP_EXIT_OK;
		default:
			return tdp_usage("shrink", "bad option ", argv[optind - 1]);
		}
	}
	if (optind != argc - 1)
		return tdp_usage("shrink", "expected one FILE", "");

	x = executor_create();
	prog = program_alloc();
	if (x && prog) {
		ret = tdp_load_program(prog, argv[optind], raw);
		if (!ret && !raw)
			ret = tdp_backend_runs(prog, argv[optind]);
		if (!ret)
			ret = shrink_program(x, prog, argv[optind], out, executions, quiet);
	} else {
		fprintf(stderr, "tdp shrink: no memory\n");
		ret = TDP_EXIT_USAGE;
	}
	program_free(prog);
	executor_destroy(x);
	return ret;
}
