// SPDX-License-Identifier: GPL-2.0-only
/* tdp run: replay programs under the oracle. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor.h"
#include "finding.h"
#include "run.h"
#include "tdp.h"

static const char help[] =
	"usage: tdp run [OPTION]... FILE...\n"
	"\n"
	"Replay programs, text or binary, against the MMU with the oracle watching.\n"
	"\n"
	"  -t, --trace[=all]  print the interleaving, one column per thread; all: every point too\n"
	"  -d, --dump         print every SPTE at the end, before the VM is destroyed\n"
	"  -s, --stat         print what was counted\n"
	"  -H, --hash         print a hash over every event and every point\n"
	"  -r, --raw          FILE is a fuzzer's input: any bytes, whatever the first one says\n"
	"  -q, --quiet        print violations and errors only\n"
	"      --max-accesses=N, --max-points=N\n"
	"                     leave out what comes after N accesses or points, as fuzz_mmu does\n"
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
 * @dump: --dump
 * @stat: --stat
 * @hash: --hash
 * @raw: --raw
 * @quiet: --quiet
 * @max_accesses: --max-accesses, 0: none
 * @max_points: --max-points, 0: none
 */
struct run {
	struct executor *executor;
	struct program *prog;
	struct run_trace trace;
	bool tracing;
	bool dump;
	bool stat;
	bool hash;
	bool raw;
	bool quiet;
	uint64_t max_accesses;
	uint64_t max_points;
};

static void on_event(void *ctx, const struct exec_event *event)
{
	struct run *run = ctx;

	run_trace_event(&run->trace, event);
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

static bool is_mid_operation_switch(const struct prog_choice *choice)
{
	return choice->action == CHOICE_SWITCH && choice->kind != POINT_OP;
}

static void print_never(const struct run *run, const char *path, const struct exec_result *res)
{
	uint32_t i;

	for (i = 0; i < res->nr_never; i++) {
		const struct prog_choice *choice = &run->prog->choices[res->never[i]];
		char text[96];

		choice_print(choice, text, sizeof(text));
		fprintf(stderr, "%s:%d: the point of the choice '%s' never comes%s\n", path,
			choice->line, text,
			is_mid_operation_switch(choice) ?
				": threads are switched only where operations begin, at the point op" :
				"");
	}
}

static int load(struct run *run, const char *path)
{
	struct prog_error err;

	if (!(run->raw ? program_load_raw(run->prog, path, &err) :
			 program_load(run->prog, path, &err)))
		return TDP_EXIT_OK;
	if (err.line)
		fprintf(stderr, "%s:%d: %s\n", path, err.line, err.msg);
	else
		fprintf(stderr, "%s: %s\n", path, err.msg);
	return TDP_EXIT_USAGE;
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

static int run_file(struct run *run, const char *path)
{
	struct exec_options opts = {
		.max_accesses = run->max_accesses,
		.max_points = run->max_points,
		.hash_points = run->hash,
		.count_dirty = run->stat,
		.event = run->tracing ? on_event : NULL,
		.before_destroy = run->dump ? on_end : NULL,
		.ctx = run,
	};
	struct exec_result res;
	int ret = load(run, path);

	if (ret)
		return ret;
	if (run->tracing) {
		run->trace.out = stdout;
		run->trace.prog = run->prog;
		run->trace.oracle = executor_oracle(run->executor);
		run_trace_begin(&run->trace);
	}
	executor_run(run->executor, run->prog, &opts, &res);
	if (run->hash)
		printf("%016llx  %s\n", (unsigned long long)res.hash, path);
	ret = judge(run, path, &res);
	if (run->stat)
		print_stats(&res.stats);
	return ret;
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

static int usage(const char *why, const char *what)
{
	fprintf(stderr, "tdp run: %s%s; 'tdp run --help' says more\n", why, what);
	return TDP_EXIT_USAGE;
}

static bool number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return !errno && end != text && !*end && *text != '-' && *value;
}

int cmd_run(int argc, char **argv)
{
	enum { MAX_ACCESSES = 256, MAX_POINTS };
	static const struct option options[] = {
		{ "trace", optional_argument, NULL, 't' },
		{ "dump", no_argument, NULL, 'd' },
		{ "stat", no_argument, NULL, 's' },
		{ "hash", no_argument, NULL, 'H' },
		{ "raw", no_argument, NULL, 'r' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "max-accesses", required_argument, NULL, MAX_ACCESSES },
		{ "max-points", required_argument, NULL, MAX_POINTS },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct run run = { .quiet = false };
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "t::dsHrqh", options, NULL)) != -1) {
		switch (option) {
		case 't':
			if (optarg && strcmp(optarg, "all"))
				return usage("--trace: expected nothing or all, found ", optarg);
			run.tracing = true;
			run.trace.all = optarg;
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
			if (!number(optarg, &run.max_accesses))
				return usage("--max-accesses: expected a number, found ", optarg);
			break;
		case MAX_POINTS:
			if (!number(optarg, &run.max_points))
				return usage("--max-points: expected a number, found ", optarg);
			break;
		case 'h':
			fputs(help, stdout);
			return TDP_EXIT_OK;
		default:
			return usage("bad option ", argv[optind - 1]);
		}
	}
	if (optind == argc)
		return usage("expected a FILE", "");
	return run_files(&run, argv + optind, argc - optind);
}
