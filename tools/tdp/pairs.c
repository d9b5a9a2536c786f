// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdp pairs: bounded exploration of every two operations on every starting tree, and random schedules of
 * random triples.  One line of JSON for each, for ./dev explore, which shares them out to several of
 * these.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "executor.h"
#include "explore.h"
#include "pairs.h"
#include "schedule.h"
#include "tdp.h"

/* Where a pair has too many schedules, those with one preemption less may be so many times more. */
#define FEWER_FACTOR 5

static const char help[] =
	"usage: tdp pairs [OPTION]...\n"
	"\n"
	"Explore how every two operations interleave, on every starting tree, for every kind of MMU.\n"
	"Prints a line of JSON for each. './dev explore' runs this on all CPUs and sums it up.\n"
	"\n"
	"  -k, --preemptions=K      a thread that could go on is stopped at most K times (2)\n"
	"  -m, --max-schedules=N    give a pair up after N schedules, and run all with one preemption less;\n"
	"                           0: never (default)\n"
	"  -p, --part=I/N           only every N-th pair, from the I-th on; I counts from 0\n"
	"  -o, --only=TEXT          only pairs in whose name this is: A+B.TREE.MMU[.zap]\n"
	"  -s, --save=DIR           save the smallest failing program of a pair there, as NAME.tdp\n"
	"  -t, --triples=N          instead, run N triples at random, under schedules at random\n"
	"      --runs=N             schedules of each triple (50)\n"
	"      --seed=N             of the first triple (1)\n"
	"  -l, --list               print the names\n"
	"      --program            print the programs\n"
	"  -h, --help               this text\n"
	"\n"
	"Exit status: 0 nothing found; 1 a rule was broken; 2 bad input.\n";

/**
 * struct pairs - the command's state
 * @opts: for each exploration
 * @part: first pair, @parts: distance to the next
 * @only: --only, NULL: all
 * @save: --save, NULL: nowhere
 * @list: --list
 * @programs: --program
 * @triples: --triples, 0: pairs
 * @runs: --runs
 * @seed: --seed
 * @prog: of the pair at hand
 */
struct pairs {
	struct explore_options opts;
	uint32_t part, parts;
	const char *only;
	const char *save;
	bool list;
	bool programs;
	uint64_t triples;
	uint64_t runs;
	uint64_t seed;
	struct program *prog;
};

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static int print_program(const struct program *prog, FILE *out)
{
	char *text = program_text(prog);

	if (!text)
		return -ENOMEM;
	fputs(text, out);
	free(text);
	return ferror(out) ? -EIO : 0;
}

static int save(struct pairs *p, const char *name, const struct oracle_violation *violation)
{
	char path[4096];
	FILE *out;
	int ret;

	snprintf(path, sizeof(path), "%s/%s.tdp", p->save, name);
	out = fopen(path, "w");
	if (!out) {
		fprintf(stderr, "tdp pairs: %s: %s\n", path, strerror(errno));
		return TDP_EXIT_USAGE;
	}
	fprintf(out, "# %s: rule %c, %s\n", name, violation->rule, violation->text);
	ret = print_program(p->prog, out);
	if (fclose(out) || ret) {
		fprintf(stderr, "tdp pairs: %s: could not be written\n", path);
		return TDP_EXIT_USAGE;
	}
	return TDP_EXIT_OK;
}

static void print_rules(uint32_t rules)
{
	int i;

	for (i = 0; i <= 26; i++)
		if (rules & 1u << i)
			putchar(i == 26 ? '!' : 'A' + i);
}

/* What comes of schedules of fewer preemptions, with those of more that could not all be run. */
static void add_fewer(struct explore_result *res, const struct explore_result *fewer)
{
	struct explore_count count = res->count;
	bool exhausted = res->exhausted;

	count.schedules += fewer->count.schedules;
	count.points += fewer->count.points;
	count.failing += fewer->count.failing;
	if (fewer->count.states > count.states)
		count.states = fewer->count.states;
	if (fewer->rules)
		*res = *fewer;
	res->exhausted = exhausted;
	res->count = count;
}

static int explore(struct pairs *p, const char *name)
{
	struct explore_result res, fewer;
	uint32_t preemptions = p->opts.preemptions, all = preemptions;
	double begun = seconds();
	int ret = explore_run(p->prog, &p->opts, &res);

	/* Too many schedules: then at least all of those with fewer preemptions. */
	if (ret >= 0 && !res.exhausted && preemptions) {
		struct explore_options opts = p->opts;

		opts.preemptions--;
		opts.max_schedules *= FEWER_FACTOR;
		ret = explore_run(p->prog, &opts, &fewer);
		if (ret >= 0)
			add_fewer(&res, &fewer);
		all = fewer.exhausted ? preemptions - 1 : 0;
	}
	if (ret < 0) {
		fprintf(stderr, "tdp pairs: %s: %s\n", name, strerror(-ret));
		return TDP_EXIT_USAGE;
	}
	printf("{\"pair\":\"%s\",\"schedules\":%llu,\"states\":%llu,\"points\":%llu,"
	       "\"exhausted\":%s,\"preemptions\":%u,\"failing\":%llu,\"rules\":\"",
	       name, (unsigned long long)res.count.schedules, (unsigned long long)res.count.states,
	       (unsigned long long)res.count.points, res.exhausted ? "true" : "false", all,
	       (unsigned long long)res.count.failing);
	print_rules(res.rules);
	printf("\",\"seconds\":%.6f}\n", seconds() - begun);
	fflush(stdout);
	if (!res.rules)
		return TDP_EXIT_OK;
	explore_program(p->prog, &res);
	if (p->save && save(p, name, &res.violation))
		return TDP_EXIT_USAGE;
	return TDP_EXIT_VIOLATION;
}

/* ---- triples: too many to explore, so that chance has to do ---- */

/**
 * struct sampler - random schedules from where the starting tree has been made
 * @random: makes them
 * @scheduler: for the executor
 * @settled: threads that make the tree
 */
struct sampler {
	struct schedule_random random;
	struct sim_scheduler scheduler;
	uint32_t settled;
};

static unsigned int sample_point(void *ctx, int thread, enum point_kind kind, int level, u32 k,
				 u64 object, u32 runnable, int *target)
{
	struct sampler *s = ctx;

	if (runnable & s->settled)
		return 0;
	return s->random.scheduler.at_point(s->random.scheduler.ctx, thread, kind, level, k, object,
					    runnable, target);
}

static int sample_pick(void *ctx, int thread, enum point_kind why, u32 k, u32 runnable)
{
	struct sampler *s = ctx;

	if (runnable & s->settled)
		return __builtin_ctz(runnable);
	return s->random.scheduler.pick(s->random.scheduler.ctx, thread, why, k, runnable);
}

static int sample(struct pairs *p, const char *name)
{
	static struct prog_choice record[PROG_MAX_CHOICES];
	static struct exec_result res;
	struct executor *x = executor_create();
	struct sampler s = {
		.scheduler = { .ctx = &s,
			       .every_point = true,
			       .at_point = sample_point,
			       .pick = sample_pick },
		.settled = p->opts.settled,
	};
	struct exec_options opts = {
		.scheduler = &s.scheduler,
		.record = record,
		.max_record = PROG_MAX_CHOICES,
	};
	double begun = seconds();
	uint64_t i, points = 0;
	uint32_t rules = 0;
	int ret = TDP_EXIT_OK;

	if (!x) {
		fprintf(stderr, "tdp pairs: no memory\n");
		return TDP_EXIT_USAGE;
	}
	for (i = 0; i < p->runs && !rules; i++) {
		/* From a switch at nearly every point to a handful in all. */
		schedule_random_init(&s.random, p->seed * p->runs + i, 4u << i % 8);
		executor_run(x, p->prog, &opts, &res);
		points += res.stats.points;
		rules = explore_rules(executor_oracle(x));
	}
	printf("{\"pair\":\"%s\",\"schedules\":%llu,\"points\":%llu,\"failing\":%d,\"rules\":\"",
	       name, (unsigned long long)i, (unsigned long long)points, rules != 0);
	print_rules(rules);
	printf("\",\"seconds\":%.6f}\n", seconds() - begun);
	if (rules) {
		ret = TDP_EXIT_VIOLATION;
		if (res.nr_record <= PROG_MAX_CHOICES) {
			memcpy(p->prog->choices, record, res.nr_record * sizeof(*record));
			p->prog->nr_choices = res.nr_record;
			program_sort_choices(p->prog);
		}
		if (p->save && save(p, name, oracle_violation(executor_oracle(x), 0)))
			ret = TDP_EXIT_USAGE;
	}
	executor_destroy(x);
	return ret;
}

/*
 * In a process of its own: one that a bug brings down is told like any other finding, and memory that an
 * exploration has used is not left to the next.
 */
static int explore_apart(struct pairs *p, const char *name)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		int ret = p->triples ? sample(p, name) : explore(p, name);

		fflush(stdout);
		_exit(ret);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		fprintf(stderr, "tdp pairs: %s: %s\n", name, strerror(errno));
		return TDP_EXIT_USAGE;
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	printf("{\"pair\":\"%s\",\"schedules\":0,\"states\":0,\"points\":0,"
	       "\"exhausted\":false,\"preemptions\":0,\"failing\":1,\"rules\":\"%s\",\"seconds\":0}\n",
	       name, strsignal(WTERMSIG(status)));
	fflush(stdout);
	return TDP_EXIT_VIOLATION;
}

static int one(struct pairs *p, const struct pair *pair)
{
	struct prog_error err;
	char name[128];

	pair_name(pair, name, sizeof(name));
	if (p->only && !strstr(name, p->only))
		return TDP_EXIT_OK;
	if (p->list) {
		puts(name);
		return TDP_EXIT_OK;
	}
	if (pair_program(pair, p->prog, &p->opts.settled, &err)) {
		fprintf(stderr, "tdp pairs: %s: line %d: %s\n", name, err.line, err.msg);
		return TDP_EXIT_USAGE;
	}
	if (p->programs) {
		printf("# %s\n", name);
		return print_program(p->prog, stdout) ? TDP_EXIT_USAGE : TDP_EXIT_OK;
	}
	return explore_apart(p, name);
}

static int run(struct pairs *p)
{
	uint64_t i, nr = p->triples ? p->triples : pairs_nr(), first = p->seed;
	int ret = TDP_EXIT_OK;

	p->prog = program_alloc();
	if (!p->prog) {
		fprintf(stderr, "tdp pairs: no memory\n");
		return TDP_EXIT_USAGE;
	}
	for (i = p->part; i < nr && ret != TDP_EXIT_USAGE; i += p->parts) {
		struct pair pair;
		int found;

		p->seed = first + i;
		if (p->triples)
			pairs_triple(p->seed, &pair);
		else
			pairs_get(i, &pair);
		found = one(p, &pair);
		if (found)
			ret = found;
	}
	program_free(p->prog);
	return ret;
}

static bool part(const char *text, struct pairs *p)
{
	const char *slash = strchr(text, '/');
	uint64_t this, of;
	char first[16];

	if (!slash || slash - text >= (int)sizeof(first))
		return false;
	snprintf(first, sizeof(first), "%.*s", (int)(slash - text), text);
	if (!tdp_number(first, 0, UINT32_MAX, &this) ||
	    !tdp_number(slash + 1, 0, UINT32_MAX, &of) || this >= of)
		return false;
	p->part = this;
	p->parts = of;
	return true;
}

int cmd_pairs(int argc, char **argv)
{
	enum { PROGRAM = 256, RUNS, SEED };
	static const struct option options[] = {
		{ "preemptions", required_argument, NULL, 'k' },
		{ "max-schedules", required_argument, NULL, 'm' },
		{ "part", required_argument, NULL, 'p' },
		{ "only", required_argument, NULL, 'o' },
		{ "save", required_argument, NULL, 's' },
		{ "triples", required_argument, NULL, 't' },
		{ "runs", required_argument, NULL, RUNS },
		{ "seed", required_argument, NULL, SEED },
		{ "list", no_argument, NULL, 'l' },
		{ "program", no_argument, NULL, PROGRAM },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct pairs p = {
		.opts = { .preemptions = 2, .last = 1 },
		.parts = 1,
		.runs = 50,
		.seed = 1,
	};
	uint64_t value;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "k:m:p:o:s:t:lh", options, NULL)) != -1) {
		switch (option) {
		case 'k':
			if (!tdp_number(optarg, 0, 16, &value))
				return tdp_usage("pairs", "--preemptions: expected 0 to 16, found ",
						 optarg);
			p.opts.preemptions = value;
			break;
		case 'm':
			if (!tdp_number(optarg, 0, UINT64_MAX, &value))
				return tdp_usage("pairs",
						 "--max-schedules: expected a number, found ",
						 optarg);
			p.opts.max_schedules = value;
			break;
		case 'p':
			if (!part(optarg, &p))
				return tdp_usage("pairs",
						 "--part: expected I/N with I below N, found ",
						 optarg);
			break;
		case 'o':
			p.only = optarg;
			break;
		case 's':
			p.save = optarg;
			break;
		case 't':
			if (!tdp_number(optarg, 0, UINT32_MAX, &p.triples))
				return tdp_usage("pairs", "--triples: expected a number, found ",
						 optarg);
			break;
		case RUNS:
			if (!tdp_number(optarg, 0, UINT32_MAX, &p.runs))
				return tdp_usage("pairs", "--runs: expected a number, found ",
						 optarg);
			break;
		case SEED:
			if (!tdp_number(optarg, 0, UINT32_MAX, &p.seed))
				return tdp_usage("pairs", "--seed: expected a number, found ",
						 optarg);
			break;
		case 'l':
			p.list = true;
			break;
		case PROGRAM:
			p.programs = true;
			break;
		case 'h':
			fputs(help, stdout);
			return TDP_EXIT_OK;
		default:
			return tdp_usage("pairs", "bad option ", argv[optind - 1]);
		}
	}
	if (optind < argc)
		return tdp_usage("pairs", "unexpected argument ", argv[optind]);
	return run(&p);
}
