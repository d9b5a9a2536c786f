// SPDX-License-Identifier: GPL-2.0-only
/* tdp run: replay programs under the oracle. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor.h"
#include "finding.h"
#include "run.h"
#include "run_schedules.h"
#include "schedule.h"
#include "tdp.h"

static const char help[] =
	"usage: tdp run [OPTION]... FILE...\n"
	"\n"
	"Replay programs, text or binary, against the MMU with the oracle watching.\n"
	"\n"
	"  -t, --trace[=HOW]  print the interleaving, one column per thread.  HOW is, of these, as many as\n"
	"                     wanted, with commas between them:\n"
	"                     calls, changes (default), points or all: operations and calls; SPTEs that\n"
	"                     change, tables and flushes too; every point too, equal ones in a row as one;\n"
	"                     every point by itself\n"
	"                     hex: values of SPTEs beside their words\n"
	"      --width=N      break the lines of --trace at N characters (default: the terminal's width)\n"
	"      --html=OUT     write the interleaving as one page that a browser shows: columns, the page\n"
	"                     tables and TLBs at each step; takes one FILE\n"
	"  -d, --dump         print every SPTE at the end, before the VM is destroyed\n"
	"  -s, --stat         print what was counted\n"
	"  -H, --hash         print a hash over every event and every point\n"
	"  -r, --raw          FILE is a fuzzer's input: any bytes, whatever the first one says\n"
	"  -q, --quiet        print violations and errors only\n"
	"      --backend=libtdp|upstream\n"
	"                     whose MMU: libtdp's, or the kernel's own (./dev upstream builds that)\n"
	"      --max-accesses=N, --max-points=N\n"
	"                     leave out what comes after N accesses or points, as fuzz_mmu does\n"
	"      --scheduler=random|pct\n"
	"                     run under schedules that are made up, after the choices of the program's own,\n"
	"                     until one breaks a rule; print that one, and the program with it. random: stop\n"
	"                     a thread, or do something else that a schedule can, at random points; pct: threads\n"
	"                     have priorities that change a few times\n"
	"      --runs=N       so many schedules (default 1000)\n"
	"      --seed=N       of the first (default 1), the others have those that follow\n"
	"      --one-in=N     random: stop a thread at one point in N (default 20)\n"
	"      --depth=D      pct: priorities change D - 1 times (default 3)\n"
	"      --save=OUT     write the program to OUT\n"
	"  -h, --help         this text\n"
	"\n"
	"Exit status: 0 nothing found; 1 a rule was broken; 2 bad input, a choice of the schedule whose\n"
	"point never comes included.\n";

/**
 * struct run - the command's state
 * @executor: runs one program after the other
 * @prog: the program
 * @trace: what --trace needs
 * @tracing: --trace
 * @width: --width, 0: as wide as the terminal
 * @html: --html, NULL: none
 * @page: the page while it is made
 * @dump: --dump
 * @stat: --stat
 * @hash: --hash
 * @raw: --raw
 * @quiet: --quiet
 * @schedules: --scheduler and what belongs to it
 * @save: --save, NULL: standard output
 * @max_accesses: --max-accesses, 0: none
 * @max_points: --max-points, 0: none
 */
struct run {
	struct executor *executor;
	struct program *prog;
	struct run_trace trace;
	bool tracing;
	int width;
	struct run_html *page;
	const char *html;
	bool dump;
	bool stat;
	bool hash;
	bool raw;
	bool quiet;
	struct run_schedules schedules;
	const char *save;
	uint64_t max_accesses;
	uint64_t max_points;
};

static void on_event(void *ctx, const struct exec_event *event)
{
	struct run *run = ctx;

	if (run->tracing)
		run_trace_event(&run->trace, event);
	if (run->page)
		run_html_event(run->page, event);
}

static void on_end(void *ctx, struct kvm *kvm)
{
	struct run *run = ctx;

	run_dump(stdout, run->prog, kvm);
}

static void print_stats(const struct exec_stats *stats)
{
	size_t i;

	for (i = 0; i < exec_nr_stats; i++)
		printf("\t%-24s %12llu  %s\n", exec_stat_infos[i].key,
		       (unsigned long long)exec_stat_get(stats, &exec_stat_infos[i]),
		       exec_stat_infos[i].meaning);
}

static void print_ok(const struct run *run, const char *path, const struct exec_result *res)
{
	const struct exec_stats *s = &res->stats;

	printf("%s: ok (%u operations, %llu accesses, %llu faults, %llu splits, %llu SPTE changes)\n",
	       path, program_nr_ops(run->prog), (unsigned long long)s->accesses,
	       (unsigned long long)s->faults, (unsigned long long)s->splits,
	       (unsigned long long)s->spte_changes);
}

static void print_never(const struct run *run, const char *path, const struct exec_result *res)
{
	uint32_t i;

	for (i = 0; i < res->nr_never; i++) {
		const struct prog_choice *choice = &run->prog->choices[res->never[i]];
		char text[96];

		choice_print(choice, text, sizeof(text));
		fprintf(stderr, "%s:%d: the point of the choice '%s' never comes\n", path,
			choice->line, text);
	}
}

static int judge(const struct run *run, const char *path, const struct exec_result *res)
{
	struct oracle *oracle = executor_oracle(run->executor);
	uint32_t i;

	for (i = 0; i < res->nr_violations; i++)
		finding_print(stdout, path, run->prog, oracle_violation(oracle, i));
	if (res->nr_violations)
		return TDP_EXIT_VIOLATION;
	if (res->nr_never) {
		print_never(run, path, res);
		return TDP_EXIT_USAGE;
	}
	if (!run->quiet)
		print_ok(run, path, res);
	return TDP_EXIT_OK;
}

static int begin_tracing(struct run *run, const char *path)
{
	struct oracle *oracle = executor_oracle(run->executor);

	if (run->html) {
		run->page = run_html_begin(run->html, path, run->prog, oracle);
		if (!run->page)
			return TDP_EXIT_USAGE;
	}
	if (run->tracing) {
		run->trace.out = stdout;
		run->trace.width = run->width ? run->width : run_trace_width(stdout);
		run->trace.colour = isatty(fileno(stdout));
		run->trace.steps.words.prog = run->prog;
		run->trace.steps.words.oracle = oracle;
		run_trace_begin(&run->trace);
	}
	return TDP_EXIT_OK;
}

static int end_tracing(struct run *run, const struct exec_result *res)
{
	int ret = TDP_EXIT_OK;

	if (run->tracing)
		run_trace_end(&run->trace);
	if (run->page)
		ret = run_html_end(run->page, res);
	run->page = NULL;
	return ret;
}

static int run_program(struct run *run, const char *path)
{
	struct exec_options opts = {
		.max_accesses = run->max_accesses,
		.max_points = run->max_points,
		.hash_points = run->hash,
		.count_dirty = run->stat,
		.event = run->tracing || run->html ? on_event : NULL,
		.before_destroy = run->dump ? on_end : NULL,
		.ctx = run,
	};
	struct exec_result res;
	int html, ret = begin_tracing(run, path);

	if (ret)
		return ret;
	executor_run(run->executor, run->prog, &opts, &res);
	html = end_tracing(run, &res);
	if (run->hash)
		printf("%016llx  %s\n", (unsigned long long)res.hash, path);
	ret = judge(run, path, &res);
	if (run->stat)
		print_stats(&res.stats);
	return ret ? ret : html;
}

/* Under schedules that are made up; one that breaks a rule is run like a program's own. */
static int run_made_up(struct run *run, const char *path)
{
	const struct exec_options limits = {
		.max_accesses = run->max_accesses,
		.max_points = run->max_points,
	};
	bool replay;
	int ret = run_schedules(&run->schedules, run->executor, run->prog, &limits, path,
				run->quiet, &replay);

	if (!replay)
		return ret;
	ret = run_program(run, path);
	return ret == TDP_EXIT_VIOLATION ? tdp_write_program(run->prog, run->save) : ret;
}

static int run_file(struct run *run, const char *path)
{
	int ret = tdp_load_program(run->prog, path, run->raw);

	if (!ret && !run->raw)
		ret = tdp_backend_runs(run->prog, path);
	if (ret)
		return ret;
	return run->schedules.scheduler == RUN_REPLAY ? run_program(run, path) :
							run_made_up(run, path);
}

/* A violation outranks bad input: what was found must not go unnoticed. */
static int worse(int a, int b)
{
	static const int rank[] = {
		[TDP_EXIT_OK] = 0, [TDP_EXIT_USAGE] = 1, [TDP_EXIT_VIOLATION] = 2
	};

	return rank[b] > rank[a] ? b : a;
}

static int run_files(struct run *run, char **paths, int nr)
{
	int i, ret = TDP_EXIT_OK;

	run->executor = executor_create();
	run->prog = program_alloc();
	if (!run->executor || !run->prog) {
		fprintf(stderr, "tdp run: no memory\n");
		ret = TDP_EXIT_USAGE;
		nr = 0;
	}
	for (i = 0; i < nr; i++)
		ret = worse(ret, run_file(run, paths[i]));
	program_free(run->prog);
	executor_destroy(run->executor);
	return ret;
}

/* "points,hex". Returns what it does not know, NULL if all is well. */
static const char *trace_how(struct run_trace *trace, char *list)
{
	static const char *const details[] = {
		[RUN_CALLS] = "calls",
		[RUN_CHANGES] = "changes",
		[RUN_POINTS] = "points",
		[RUN_ALL] = "all",
	};
	char *word;

	while ((word = strsep(&list, ","))) {
		size_t i;

		if (!strcmp(word, "hex")) {
			trace->steps.words.hex = true;
			continue;
		}
		for (i = 0; i < sizeof(details) / sizeof(*details); i++)
			if (!strcmp(word, details[i]))
				break;
		if (i == sizeof(details) / sizeof(*details))
			return word;
		trace->steps.detail = i;
	}
	return NULL;
}

int cmd_run(int argc, char **argv)
{
	enum {
		MAX_ACCESSES = 256,
		MAX_POINTS,
		WIDTH,
		HTML,
		SCHEDULER,
		RUNS,
		SEED,
		ONE_IN,
		DEPTH,
		SAVE
	};
	static const struct option options[] = {
		{ "trace", optional_argument, NULL, 't' },
		{ "html", required_argument, NULL, HTML },
		{ "width", required_argument, NULL, WIDTH },
		{ "dump", no_argument, NULL, 'd' },
		{ "stat", no_argument, NULL, 's' },
		{ "hash", no_argument, NULL, 'H' },
		{ "raw", no_argument, NULL, 'r' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "max-accesses", required_argument, NULL, MAX_ACCESSES },
		{ "max-points", required_argument, NULL, MAX_POINTS },
		{ "scheduler", required_argument, NULL, SCHEDULER },
		{ "runs", required_argument, NULL, RUNS },
		{ "seed", required_argument, NULL, SEED },
		{ "one-in", required_argument, NULL, ONE_IN },
		{ "depth", required_argument, NULL, DEPTH },
		{ "save", required_argument, NULL, SAVE },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct run run = {
		.trace.steps.detail = RUN_CHANGES,
		.schedules = { .seed = 1, .runs = 1000, .one_in = 20, .depth = 3 },
	};
	const char *unknown;
	uint64_t width;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "t::dsHrqh", options, NULL)) != -1) {
		switch (option) {
		case 't':
			unknown = trace_how(&run.trace, optarg);
			if (unknown)
				return tdp_usage("run",
						 "--trace: expected calls, changes, points, all or "
						 "hex, found ",
						 unknown);
			run.tracing = true;
			break;
		case WIDTH:
			if (!tdp_number(optarg, 40, 1000, &width))
				return tdp_usage("run", "--width: expected 40 to 1000, found ",
						 optarg);
			run.width = width;
			break;
		case HTML:
			run.html = optarg;
			break;
		case 'd':
			run.dump = true;
			break;
		case 's':
			run.stat = true;
			break;
		case 'H':
			run.hash = true;
			break;
		case 'r':
			run.raw = true;
			break;
		case 'q':
			run.quiet = true;
			break;
		case MAX_ACCESSES:
			if (!tdp_number(optarg, 1, UINT64_MAX, &run.max_accesses))
				return tdp_usage("run", "--max-accesses: expected a number, found ",
						 optarg);
			break;
		case MAX_POINTS:
			if (!tdp_number(optarg, 1, UINT64_MAX, &run.max_points))
				return tdp_usage("run", "--max-points: expected a number, found ",
						 optarg);
			break;
		case SCHEDULER:
			if (!strcmp(optarg, "random"))
				run.schedules.scheduler = RUN_RANDOM;
			else if (!strcmp(optarg, "pct"))
				run.schedules.scheduler = RUN_PCT;
			else
				return tdp_usage("run",
						 "--scheduler: expected random or pct, found ",
						 optarg);
			break;
		case RUNS:
			if (!tdp_number(optarg, 1, UINT64_MAX, &run.schedules.runs))
				return tdp_usage("run", "--runs: expected a number, found ",
						 optarg);
			break;
		case SEED:
			if (!tdp_number(optarg, 1, UINT64_MAX, &run.schedules.seed))
				return tdp_usage("run", "--seed: expected a number, found ",
						 optarg);
			break;
		case ONE_IN:
			if (!tdp_number(optarg, 1, UINT32_MAX, &run.schedules.one_in))
				return tdp_usage("run",
						 "--one-in: expected a number of points, found ",
						 optarg);
			break;
		case DEPTH:
			if (!tdp_number(optarg, 1, SCHEDULE_MAX_DEPTH, &run.schedules.depth))
				return tdp_usage("run", "--depth: expected 1 to 64, found ",
						 optarg);
			break;
		case SAVE:
			run.save = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return TDP_EXIT_OK;
		default:
			return tdp_usage("run", "bad option ", argv[optind - 1]);
		}
	}
	if (optind == argc)
		return tdp_usage("run", "expected a FILE", "");
	if (run.html && optind + 1 < argc)
		return tdp_usage("run", "--html: expected one FILE, found also ", argv[optind + 1]);
	return run_files(&run, argv + optind, argc - optind);
}
