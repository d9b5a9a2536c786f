// SPDX-License-Identifier: GPL-2.0-only
/*
 * explore_run(): the program as something to search through, the parts that workers share, and what
 * they found put together.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "executor.h"
#include "explore_internal.h"

#define PART_STATES (1u << 22) /* distinct states of a part that are told to the others */

/**
 * struct part - what came of a part
 * @found: by the search
 * @done: it has been explored
 * @nr_states: distinct states at the end
 * @states: their hashes, the first PART_STATES of them
 */
struct part {
	struct search_found found;
	bool done;
	uint64_t nr_states;
	uint64_t states[PART_STATES];
};

/**
 * struct explorer - a program being explored
 * @opts: how
 * @prog: without the switches that exploration decides
 * @executor: runs it
 * @exec: how
 * @res: of the run, part of the world
 * @scheduler: asks the search
 * @world: schedules start from its mark; NULL: from the program's beginning
 * @search: through the schedules
 * @start: where they begin
 * @stands: what each thread does next, from its last point before the start on; @nr_stands: in how
 *	many touches, -1: it has had no point
 * @started: this run has got there
 * @finishing: the last run: to its end, whatever the search thinks
 * @freed: page-table pages freed, as of the last point
 * @states: at the end of runs
 * @part: receives what is found
 */
struct explorer {
	const struct explore_options *opts;
	struct program *prog;
	struct executor *executor;
	struct exec_options exec;
	struct exec_result *res;
	struct sim_scheduler scheduler;
	struct world *world;
	struct search *search;
	struct explore_start start;
	struct touch stands[PROG_MAX_THREADS][EVENT_MAX_TOUCHES];
	int nr_stands[PROG_MAX_THREADS];
	bool started;
	bool finishing;
	uint64_t freed;
	struct seen states;
	struct part *part;
};

/* ---- a run ---- */

/**
 * explore_rule() - a rule's bit
 * @rule: letter, or '!' for a WARN
 *
 * Return: its bit of those masks that struct explore_result has.
 */
uint32_t explore_rule(char rule)
{
	return rule == '!' ? 1u << 26 : 1u << (rule - 'A');
}

/**
 * explore_rules() - which rules a run has broken
 * @oracle: of the run
 *
 * Return: bit mask as in struct explore_result.
 */
uint32_t explore_rules(const struct oracle *oracle)
{
	uint32_t i, rules = 0;

	for (i = 0; i < oracle_nr_violations(oracle); i++)
		rules |= explore_rule(oracle_violation(oracle, i)->rule);
	return rules;
}

static uint32_t counted(const struct explore_options *opts)
{
	return opts->rules ? opts->rules : ~0u;
}

static uint32_t broken(const struct explorer *e)
{
	return explore_rules(executor_oracle(e->executor)) & counted(e->opts);
}

/* The first that counts. */
static const struct oracle_violation *violation(const struct explore_options *opts,
						const struct oracle *oracle)
{
	uint32_t i;

	for (i = 0; i < oracle_nr_violations(oracle); i++) {
		const struct oracle_violation *v = oracle_violation(oracle, i);

		if (explore_rule(v->rule) & counted(opts))
			return v;
	}
	return NULL;
}

/* Points that come after what they are named for. */
static bool is_afterwards(enum point_kind kind)
{
	return kind == POINT_RCU_END || kind == POINT_SRCU_END || kind == POINT_CALL_RCU;
}

/* Callbacks of RCU freed pages since the last point. */
static void note_freed(struct explorer *e, int thread)
{
	static const struct touch touches[] = {
		{ OBJECT_FREED, TOUCH_BACK },
		{ OBJECT_PAGES, TOUCH_WRITE },
	};

	if (e->res->stats.tables_freed == e->freed)
		return;
	e->freed = e->res->stats.tables_freed;
	search_touch(e->search, thread, touches, 2);
}

/* Every schedule starts here. */
static int start_here(struct explorer *e, int thread, uint32_t runnable)
{
	uint32_t i;

	if (e->world)
		world_mark(e->world);
	e->started = true;
	if (e->finishing)
		return thread;
	e->freed = e->res->stats.tables_freed;
	search_start(e->search, thread);
	for (i = 0; i < e->prog->nr_threads; i++)
		if (e->nr_stands[i] >= 0)
			search_asked(e->search, i, e->stands[i], e->nr_stands[i]);
	return search_first(e->search, thread, runnable);
}

static unsigned int at_point(void *ctx, int thread, enum point_kind kind, int level, u32 k,
			     u64 object, u32 runnable, int *target)
{
	struct explorer *e = ctx;
	struct touch touches[EVENT_MAX_TOUCHES];
	int n;

	(void)level;
	if (!e->started) {
		e->nr_stands[thread] = event_touches(kind, object, e->stands[thread]);
		if (explore_arrive(&e->start, thread, kind, k, runnable, target))
			*target = start_here(e, thread, runnable);
		return *target == thread ? 0 : SIM_SWITCH;
	}
	if (e->finishing)
		return 0;
	n = event_touches(kind, object, touches);
	note_freed(e, thread);
	if (is_afterwards(kind)) {
		search_touch(e->search, thread, touches, n);
		n = 0;
	}
	*target = search_point(e->search, thread, touches, n, runnable, kind != POINT_RELAX);
	return *target == thread ? 0 : SIM_SWITCH;
}

static int pick(void *ctx, int thread, enum point_kind why, u32 k, u32 runnable)
{
	struct explorer *e = ctx;
	uint32_t missing = runnable & e->start.missing;

	(void)why;
	(void)k;
	if (!e->started)
		return explore_next(thread, missing ? missing : runnable);
	if (e->finishing)
		return explore_next(thread, runnable);
	note_freed(e, thread);
	return search_pick(e->search, thread, runnable);
}

/* A call of the MMU's interface begins or ends. */
static void on_call(void *ctx, const struct oracle_call *ended)
{
	static const struct touch touches[] = {
		{ OBJECT_WORLD, TOUCH_WRITE },
		{ OBJECT_SPIN, TOUCH_FRONT },
	};
	struct explorer *e = ctx;

	(void)ended;
	if (e->started && !e->finishing && sim.current->run)
		search_touch(e->search, sim.current->number, touches, 2);
}

/* All that the run shows, if somebody wants it; else what destruction may depend on. */
static uint64_t end_state(const struct explorer *e, struct kvm *kvm)
{
	struct exec_stats stats = e->res->stats;
	struct kvm_vm_stat vm;
	uint64_t h = oracle_state_hash(executor_oracle(e->executor));
	size_t i;

	kvm_vm_get_stat(kvm, &vm);
	h = explore_mix(h, vm.tdp_mmu_pages);
	h = explore_mix(h, vm.nx_lpage_splits);
	h = explore_mix(h, sim_pages_in_use());
	h = explore_mix(h, sim_allocs_in_use());
	if (!e->opts->state)
		return h;
	stats.points = 0;
	for (i = 0; i < exec_nr_stats; i++)
		h = explore_mix(h, exec_stat_get(&stats, &exec_stat_infos[i]));
	return explore_mix(h, explore_rules(executor_oracle(e->executor)));
}

static void before_destroy(void *ctx, struct kvm *kvm)
{
	struct explorer *e = ctx;
	struct part *part = e->part;
	uint64_t state;

	if (e->finishing || !e->started || search_was_cut(e->search))
		return;
	state = end_state(e, kvm);
	if (!seen_before(&e->states, state, 0)) {
		if (part->nr_states < PART_STATES)
			part->states[part->nr_states] = state;
		part->nr_states++;
		return;
	}
	if (e->world)
		world_leave(e->world);
}

static void execute(void *arg)
{
	struct explorer *e = arg;

	executor_run(e->executor, e->prog, &e->exec, e->res);
}

static void begin(struct explorer *e)
{
	uint32_t i;

	e->started = false;
	for (i = 0; i < PROG_MAX_THREADS; i++)
		e->nr_stands[i] = -1;
	explore_start_init(&e->start, e->prog, e->opts);
}

static uint32_t run(void *ctx)
{
	struct explorer *e = ctx;

	if (e->world) {
		world_run(e->world);
	} else {
		begin(e);
		execute(e);
	}
	return broken(e);
}

static void leave(void *ctx)
{
	struct explorer *e = ctx;

	world_leave(e->world);
}

/* ---- a part ---- */

static int explorer_init(struct explorer *e, const struct program *prog,
			 const struct explore_options *opts)
{
	struct explore_start start;

	e->opts = opts;
	e->executor = executor_create();
	e->prog = program_alloc();
	e->res = calloc(1, sizeof(*e->res));
	if (!e->executor || !e->prog || !e->res || program_copy(e->prog, prog))
		return -ENOMEM;
	explore_start_init(&start, prog, opts);
	explore_strip(e->prog, &start);
	e->scheduler = (struct sim_scheduler){
		.ctx = e,
		.every_point = true,
		.at_point = at_point,
		.pick = pick,
	};
	e->exec = (struct exec_options){
		.scheduler = &e->scheduler,
		.count_dirty = opts->state,
		.before_destroy = before_destroy,
		.call = on_call,
		.ctx = e,
	};
	seen_init(&e->states);
	return 0;
}

static void explorer_free(struct explorer *e)
{
	seen_free(&e->states);
	free(e->res);
	program_free(e->prog);
	executor_destroy(e->executor);
}

/* Nothing of the program is explored: it ran as it is. One part counts that. */
static void run_once(struct explorer *e, uint32_t number)
{
	struct search_found *found = &e->part->found;

	found->rules = broken(e);
	if (!number)
		found->count = (struct explore_count){
			.schedules = 1,
			.complete = 1,
			.failing = found->rules != 0,
		};
	found->exhausted = true;
}

static void run_search(struct explorer *e, uint32_t number, uint32_t of)
{
	const struct search_subject subject = {
		.ctx = e,
		.nr_threads = e->prog->nr_threads,
		.run = run,
		.leave = e->world ? leave : NULL,
	};
	const struct search_options how = {
		.preemptions = e->opts->preemptions,
		.no_reduction = e->opts->no_reduction,
		.first = e->opts->first,
		.max_schedules = e->opts->max_schedules,
		.part = number,
		.parts = of,
	};

	e->search = search_create(&subject, &how);
	begin(e);
	if (e->world && !world_begin(e->world, execute, e)) {
		run_once(e, number);
		return;
	}
	search_run(e->search, &e->part->found);
	if (e->world) {
		/* The last run may have been left midway; this one leaves nothing behind. */
		e->finishing = true;
		world_run(e->world);
		world_end(e->world);
	}
}

static int explore_part(const struct program *prog, const struct explore_options *opts,
			uint32_t number, uint32_t of, struct part *part)
{
	struct explorer *e = explore_alloc(sizeof(*e));
	int ret = explorer_init(e, prog, opts);

	if (ret)
		goto out;
	e->part = part;
	if (world_possible() && !opts->no_snapshot) {
		/* Whatever grows with use is as large as it gets when the world is marked. */
		executor_run(e->executor, e->prog, NULL, e->res);
		e->world = world_create();
	}
	run_search(e, number, of);
	if (e->world)
		world_destroy(e->world);
	search_destroy(e->search);
	part->done = true;
out:
	explorer_free(e);
	explore_free(e, sizeof(*e));
	return ret;
}

/* ---- all parts ---- */

static uint64_t union_of_states(const struct part *parts, uint32_t nr,
				const struct explore_options *opts)
{
	uint64_t n, beyond = 0;
	struct seen all;
	uint32_t i, j;

	seen_init(&all);
	for (i = 0; i < nr; i++) {
		for (j = 0; j < parts[i].nr_states && j < PART_STATES; j++) {
			if (!seen_before(&all, parts[i].states[j], 0) && opts->state)
				opts->state(opts->ctx, parts[i].states[j]);
		}
		beyond += parts[i].nr_states - j;
	}
	n = all.used + beyond;
	seen_free(&all);
	return n;
}

static void add(struct explore_count *sum, const struct explore_count *count)
{
	sum->schedules += count->schedules;
	sum->complete += count->complete;
	sum->cut += count->cut;
	sum->skipped += count->skipped;
	sum->failing += count->failing;
	sum->points += count->points;
	sum->depth = count->depth > sum->depth ? count->depth : sum->depth;
}

static struct explore_count count_parts(const struct part *parts, uint32_t nr)
{
	struct explore_count sum = { .schedules = 0 };
	uint32_t i;

	for (i = 0; i < nr; i++) {
		add(&sum, &parts[i].found.count);
		sum.states += parts[i].nr_states;
	}
	return sum;
}

static const struct search_found *smallest_of(const struct part *parts, uint32_t nr)
{
	const struct search_found *best = NULL;
	uint32_t i;

	for (i = 0; i < nr; i++) {
		const struct search_found *found = &parts[i].found;

		if (found->rules && (!best || found->preemptions < best->preemptions ||
				     (found->preemptions == best->preemptions &&
				      found->smallest.nr < best->smallest.nr)))
			best = found;
	}
	return best;
}

/* ---- the smallest failing schedule, once more ---- */

/**
 * struct player - runs a schedule that a search found
 * @switches: it
 * @next: of its switches
 * @question: number of the last one
 * @start: where the questions begin
 * @started: it was there
 */
struct player {
	const struct explore_switches *switches;
	uint32_t next;
	uint32_t question;
	struct explore_start start;
	bool started;
};

static int answer(struct player *p, int by_default)
{
	p->question++;
	if (p->next == p->switches->nr || p->switches->at[p->next].question != p->question)
		return by_default;
	return p->switches->at[p->next++].target;
}

static unsigned int player_at_point(void *ctx, int thread, enum point_kind kind, int level, u32 k,
				    u64 object, u32 runnable, int *target)
{
	struct player *p = ctx;

	(void)level;
	(void)object;
	if (!p->started && !explore_arrive(&p->start, thread, kind, k, runnable, target))
		return *target == thread ? 0 : SIM_SWITCH;
	p->started = true;
	*target = answer(p, thread);
	return *target == thread ? 0 : SIM_SWITCH;
}

static int player_pick(void *ctx, int thread, enum point_kind why, u32 k, u32 runnable)
{
	struct player *p = ctx;
	uint32_t missing = runnable & p->start.missing;

	(void)why;
	(void)k;
	if (!p->started)
		return explore_next(thread, missing ? missing : runnable);
	return answer(p, explore_next(thread, runnable));
}

static int record(const struct program *prog, const struct explore_options *opts,
		  const struct search_found *found, struct explore_result *res)
{
	struct player player = { .switches = &found->smallest };
	const struct sim_scheduler scheduler = {
		.ctx = &player,
		.every_point = true,
		.at_point = player_at_point,
		.pick = player_pick,
	};
	const struct exec_options exec = {
		.scheduler = &scheduler,
		.record = res->choices,
		.max_record = PROG_MAX_CHOICES,
	};
	struct exec_result *run = calloc(1, sizeof(*run));
	struct executor *x = executor_create();
	struct program *copy = program_alloc();
	const struct oracle_violation *first;
	int ret = -ENOMEM;

	if (!run || !x || !copy || program_copy(copy, prog))
		goto out;
	explore_start_init(&player.start, prog, opts);
	explore_strip(copy, &player.start);
	executor_run(x, copy, &exec, run);
	first = violation(opts, executor_oracle(x));
	if (first)
		res->violation = *first;
	ret = first ? 0 : -EIO;
	res->preemptions = found->preemptions;
	res->nr_choices = run->nr_record;
out:
	program_free(copy);
	executor_destroy(x);
	free(run);
	return ret;
}

/* ---- workers ---- */

static void work(const struct program *prog, const struct explore_options *opts, struct part *parts,
		 uint32_t *next)
{
	for (;;) {
		uint32_t i = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED);

		if (i >= EXPLORE_PARTS)
			_exit(0);
		if (explore_part(prog, opts, i, EXPLORE_PARTS, &parts[i]))
			_exit(1);
	}
}

static uint32_t reap(pid_t *workers, uint32_t nr)
{
	uint32_t i, left = 0;

	for (i = 0; i < nr; i++)
		if (!waitpid(workers[i], NULL, WNOHANG))
			workers[left++] = workers[i];
	return left;
}

static int wait_for_workers(pid_t *workers, uint32_t nr, const struct explore_options *opts,
			    const struct part *parts)
{
	uint32_t tick, i;

	for (tick = 1; (nr = reap(workers, nr)); tick++) {
		poll(NULL, 0, tick < 10 ? 1 : 10);
		if (opts->progress && tick % 10 == 0) {
			struct explore_count count = count_parts(parts, EXPLORE_PARTS);

			opts->progress(opts->ctx, &count);
		}
	}
	for (i = 0; i < EXPLORE_PARTS; i++)
		if (!parts[i].done)
			return -EIO;
	return 0;
}

static int run_workers(const struct program *prog, const struct explore_options *opts,
		       struct part *parts)
{
	uint32_t nr = opts->jobs < EXPLORE_MAX_JOBS ? opts->jobs : EXPLORE_MAX_JOBS;
	uint32_t *next = explore_alloc(sizeof(*next));
	pid_t workers[EXPLORE_MAX_JOBS];
	uint32_t i, n = 0;
	int ret;

	for (i = 0; i < nr; i++) {
		pid_t pid = fork();

		if (!pid)
			work(prog, opts, parts, next);
		if (pid > 0)
			workers[n++] = pid;
	}
	ret = n ? wait_for_workers(workers, n, opts, parts) : -EAGAIN;
	explore_free(next, sizeof(*next));
	return ret;
}

/**
 * explore_run() - explore a program's schedules
 * @prog: a valid program
 * @opts: how
 * @res: what came out
 *
 * Not while another executor is in use in this process.
 *
 * Return: 0: no rule was broken; 1: one was; -ENOMEM; -EAGAIN: no worker could be started; -EIO: a
 * worker died, or what it found did not happen again.
 */
int explore_run(const struct program *prog, const struct explore_options *opts,
		struct explore_result *res)
{
	uint32_t nr = opts->jobs ? EXPLORE_PARTS : 1, i;
	struct part *parts = explore_alloc(nr * sizeof(*parts));
	const struct search_found *best;
	int ret;

	memset(res, 0, sizeof(*res));
	if (opts->jobs)
		ret = run_workers(prog, opts, parts);
	else
		ret = explore_part(prog, opts, 0, 1, parts);
	if (ret)
		goto out;
	res->count = count_parts(parts, nr);
	res->count.states = union_of_states(parts, nr, opts);
	res->exhausted = true;
	for (i = 0; i < nr; i++) {
		res->exhausted &= parts[i].found.exhausted;
		res->rules |= parts[i].found.rules;
	}
	best = smallest_of(parts, nr);
	if (best)
		ret = record(prog, opts, best, res);
	if (!ret)
		ret = res->rules != 0;
out:
	explore_free(parts, nr * sizeof(*parts));
	return ret;
}

/**
 * explore_program() - make a program of the smallest failing schedule
 * @prog: the program that was explored; its schedule becomes that one
 * @res: has a violation, and no more than PROG_MAX_CHOICES choices
 */
void explore_program(struct program *prog, const struct explore_result *res)
{
	uint32_t i;

	prog->nr_choices = res->nr_choices;
	for (i = 0; i < res->nr_choices; i++)
		prog->choices[i] = res->choices[i];
	program_sort_choices(prog);
}
