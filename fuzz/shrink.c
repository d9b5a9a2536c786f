// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shrinking: what is tried, what is kept, and in which order.
 *
 * Passes try simpler programs, coarse changes first.  They go round until none of them finds
 * anything; then a last kind of round is allowed more work for each candidate: where the smaller
 * program does not fail under what is left of its schedule, other schedules are searched.
 */
#include "shrink_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "program_edit.h"

#define DEFAULT_EXECUTIONS 200000
#define DEFAULT_POINTS	   10000000000ULL

/* A smaller program may pass more points than the one it comes from, but not without end. */
#define POINTS_FACTOR	 4
#define POINTS_AT_LEAST	 20000

static bool is_preemption(const struct prog_choice *choice)
{
	return choice->action == CHOICE_SWITCH && choice->kind != POINT_BLOCK &&
	       choice->kind != POINT_END && choice->kind != POINT_RELAX;
}

/**
 * shrink_size_of() - how large a program is
 * @prog: program
 *
 * Return: its size.
 */
struct shrink_size shrink_size_of(const struct program *prog)
{
	struct shrink_size size = {
		.threads = prog->nr_threads,
		.ops = program_nr_ops(prog),
		.choices = prog->nr_choices,
	};
	uint32_t i, j;

	for (i = 0; i < prog->nr_threads; i++) {
		for (j = 0; j < prog->threads[i].nr_ops; j++) {
			const struct op *op = &prog->threads[i].ops[j];

			size.accesses += op->step ? op->n : 1;
		}
	}
	for (i = 0; i < prog->nr_choices; i++)
		size.preemptions += is_preemption(&prog->choices[i]);
	return size;
}

/**
 * shrink_done() - whether there is no time for another run
 * @s: the program being shrunk
 *
 * Return: true if so.
 */
bool shrink_done(const struct shrink *s)
{
	return s->enough || s->executions >= s->opts.max_executions ||
	       s->points >= s->opts.max_points;
}

/**
 * shrink_begin() - start a candidate
 * @s: the program being shrunk
 *
 * Return: the candidate, the same as the smallest program so far.
 */
struct program *shrink_begin(struct shrink *s)
{
	if (program_copy(s->trial, s->best))
		abort();
	return s->trial;
}

static uint64_t hash_of(struct shrink *s)
{
	uint64_t hash = 0xcbf29ce484222325ULL;
	size_t size = program_encode(s->trial, s->encoded, s->encoded_size), i;

	if (size > s->encoded_size) {
		free(s->encoded);
		s->encoded_size = 2 * size;
		s->encoded = malloc(s->encoded_size);
		if (!s->encoded)
			abort();
		program_encode(s->trial, s->encoded, s->encoded_size);
	}
	for (i = 0; i < size; i++)
		hash = (hash ^ s->encoded[i]) * 0x100000001b3ULL;
	hash ^= s->mode;
	return hash ? hash : 1;
}

/* Whether the candidate was tried before, which is noted. */
static bool seen(struct shrink *s)
{
	uint64_t hash = hash_of(s);
	uint32_t i;

	for (i = hash % SHRINK_SEEN; s->seen[i]; i = (i + 1) % SHRINK_SEEN) {
		if (s->seen[i] == hash)
			return true;
	}
	if (s->nr_seen > SHRINK_SEEN / 4 * 3) {
		memset(s->seen, 0, SHRINK_SEEN * sizeof(*s->seen));
		s->nr_seen = 0;
		i = hash % SHRINK_SEEN;
	}
	s->seen[i] = hash;
	s->nr_seen++;
	return false;
}

/* Choices whose point never came had no part in it. */
static void drop_idle_choices(struct program *prog, const struct exec_result *res)
{
	uint32_t from, idle = 0, kept = 0;

	for (from = 0; from < prog->nr_choices; from++) {
		if (idle < res->nr_never && res->never[idle] == from)
			idle++;
		else
			prog->choices[kept++] = prog->choices[from];
	}
	prog->nr_choices = kept;
}

/**
 * shrink_fails() - run a program
 * @s: the program being shrunk, which gives the failure to look for
 * @prog: program
 * @with: options that matter to the caller; limits are set here
 *
 * Return: true if it fails the same way.
 */
bool shrink_fails(struct shrink *s, struct program *prog, const struct exec_options *with)
{
	struct exec_options opts = *with;
	struct failure failure;

	opts.max_points = s->max_points;
	s->executions++;
	executor_run(s->x, prog, &opts, &s->res);
	s->points += s->res.stats.points;
	failure_of(s->x, &failure);
	if (s->opts.progress) {
		s->progress.executions = s->executions;
		s->enough |= !s->opts.progress(s->opts.ctx, &s->progress);
	}
	return failure_same(&failure, &s->failure) && !s->res.truncated;
}

/**
 * shrink_keep() - the candidate is the smallest program now
 * @s: the program being shrunk; the run made last was the candidate's, and it failed
 */
void shrink_keep(struct shrink *s)
{
	struct program *old = s->best;

	drop_idle_choices(s->trial, &s->res);
	s->best = s->trial;
	s->trial = old;
	s->progress.size = shrink_size_of(s->best);
}

static bool has_more_choices(const struct shrink *s)
{
	const struct shrink_size a = shrink_size_of(s->trial), b = shrink_size_of(s->best);

	return a.preemptions > b.preemptions || a.choices > b.choices;
}

/**
 * shrink_try() - keep the candidate if it fails
 * @s: the program being shrunk; its candidate may contradict itself, which is put right
 *
 * Return: true if it was kept.
 */
bool shrink_try(struct shrink *s)
{
	static const struct exec_options plain = { .max_points = 0 };

	if (shrink_done(s))
		return false;
	program_fix(s->trial);
	if (program_equal(s->trial, s->best) || seen(s))
		return false;
	if (shrink_fails(s, s->trial, &plain)) {
		shrink_keep(s);
		return true;
	}
	if (s->mode == SHRINK_AS_IS || !shrink_search(s) ||
	    (s->mode == SHRINK_NO_MORE && has_more_choices(s)))
		return false;
	shrink_keep(s);
	return true;
}

/**
 * struct pass - a pass and when it is made
 * @run: makes its candidates
 * @name: for who watches
 * @mode: SHRINK_AS_IS: it is left out of the rounds that search for schedules; else how it is made
 *	there
 */
struct pass {
	bool (*run)(struct shrink *s);
	const char *name;
	enum shrink_search_mode mode;
};

static const struct pass passes[] = {
	{ shrink_choices, "fewer choices", SHRINK_AS_IS },
	{ shrink_threads, "fewer threads", SHRINK_ANY },
	{ shrink_ops, "fewer operations", SHRINK_ANY },
	{ shrink_merge, "merging threads", SHRINK_NO_MORE },
	{ shrink_repeats, "fewer repeats", SHRINK_NO_MORE },
	{ shrink_vm, "a plainer VM", SHRINK_NO_MORE },
	{ shrink_slots, "smaller slots", SHRINK_NO_MORE },
	{ shrink_smm, "without SMM", SHRINK_NO_MORE },
	{ shrink_numbers, "lower numbers", SHRINK_AS_IS },
	{ shrink_pages, "simpler pages", SHRINK_AS_IS },
	{ shrink_kinds, "plainer operations", SHRINK_NO_MORE },
	{ shrink_operands, "simpler operands", SHRINK_AS_IS },
	{ shrink_order, "threads in order", SHRINK_AS_IS },
	{ shrink_points, "plainer points", SHRINK_AS_IS },
	{ shrink_preemptions, "fewer preemptions", SHRINK_AS_IS },
};

#define NR_PASSES (sizeof(passes) / sizeof(*passes))

static bool round_of_passes(struct shrink *s, bool searching)
{
	bool found = false;
	size_t i;

	for (i = 0; i < NR_PASSES && !shrink_done(s); i++) {
		if (searching && passes[i].mode == SHRINK_AS_IS)
			continue;
		s->mode = searching ? passes[i].mode : SHRINK_AS_IS;
		s->progress.pass = passes[i].name;
		found |= passes[i].run(s);
	}
	return found;
}

static void run_passes(struct shrink *s)
{
	do {
		while (round_of_passes(s, false))
			;
	} while (round_of_passes(s, true));
}

static int set_up(struct shrink *s, struct executor *x, const struct program *prog,
		  const struct shrink_options *opts)
{
	memset(s, 0, sizeof(*s));
	s->x = x;
	s->opts = *opts;
	if (!s->opts.max_executions)
		s->opts.max_executions = DEFAULT_EXECUTIONS;
	if (!s->opts.max_points)
		s->opts.max_points = DEFAULT_POINTS;
	s->best = program_alloc();
	s->trial = program_alloc();
	s->seen = calloc(SHRINK_SEEN, sizeof(*s->seen));
	if (!s->best || !s->trial || !s->seen || point_log_init(&s->log, SHRINK_LOG))
		return -ENOMEM;
	return program_copy(s->best, prog);
}

static void tear_down(struct shrink *s)
{
	program_free(s->best);
	program_free(s->trial);
	point_log_free(&s->log);
	free(s->seen);
	free(s->encoded);
}

/* The run that the others are compared with. */
static int first_run(struct shrink *s)
{
	static const struct exec_options plain = { .max_points = 0 };

	s->executions++;
	executor_run(s->x, s->best, &plain, &s->res);
	failure_of(s->x, &s->failure);
	if (!s->failure.rule)
		return -ENOENT;
	s->max_points = s->res.stats.points * POINTS_FACTOR;
	if (s->max_points < POINTS_AT_LEAST)
		s->max_points = POINTS_AT_LEAST;
	drop_idle_choices(s->best, &s->res);
	s->progress.size = shrink_size_of(s->best);
	return 0;
}

/**
 * shrink() - make a program that fails as small as can be found
 * @x: executor
 * @prog: the program; smaller afterwards
 * @opts: how long
 * @res: what came out
 *
 * The same program and options give the same result everywhere.
 *
 * Return: 0; -ENOENT if the program does not fail, -ENOMEM: it is as it was then.
 */
int shrink(struct executor *x, struct program *prog, const struct shrink_options *opts,
	   struct shrink_result *res)
{
	struct shrink s;
	int ret = set_up(&s, x, prog, opts);

	memset(res, 0, sizeof(*res));
	res->before = shrink_size_of(prog);
	if (!ret)
		ret = first_run(&s);
	if (!ret) {
		run_passes(&s);
		ret = program_copy(prog, s.best);
	}
	res->failure = s.failure;
	res->after = shrink_size_of(prog);
	res->executions = s.executions;
	res->exhausted = !ret && shrink_done(&s);
	tear_down(&s);
	return ret;
}
