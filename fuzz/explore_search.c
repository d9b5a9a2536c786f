// SPDX-License-Identifier: GPL-2.0-only
/*
 * Depth first through the schedules with at most so many preemptions.
 *
 * A run asks at each point whether its thread goes on, and which thread is next where one gives
 * way. A question with more than one answer is a node.  The first schedule takes the default
 * everywhere; each later one repeats the answers up to the deepest node that has an answer left,
 * and takes that.
 *
 * Two things are not run (docs/explore.md has the argument):
 *
 *  - a state that was seen before with as many preemptions left: the run is cut;
 *  - a preemption that one a point later makes pointless: what the thread does between the two
 *    points depends on nothing that the others did before it ran again.
 */
#include "explore_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define FIRST_QUESTION 1 /* which thread begins */
#define MAX_NODES (1u << 18)

/*
 * What other threads touched from a switch until the thread that was switched away from ran again,
 * in all schedules that begin so. Unknown if some of those were cut before.
 */
struct meanwhile {
	struct order_set set;
	bool unknown;
};

/**
 * struct node - a question with more than one answer
 * @question: its number in the run
 * @thread: who asks
 * @by_default: the first answer
 * @answer: the one that is being explored
 * @options: threads that can run
 * @done: answers that were explored
 * @point: a switch is a preemption: the thread could go on
 * @follows: the node below is the same thread's point before this one
 * @now: what happens meanwhile, for @answer
 * @step: what the thread touches from here to its next point
 * @finished: answers whose @at is known
 * @at: what happened meanwhile when the thread was switched away from here
 * @known: answers whose @after is known
 * @after: what happened meanwhile when the thread was switched away from at its next point
 */
struct node {
	uint32_t question;
	uint8_t thread;
	uint8_t by_default;
	uint8_t answer;
	uint8_t options;
	uint8_t done;
	bool point;
	bool follows;
	struct meanwhile now;
	struct order_set step;
	uint8_t finished;
	uint8_t known;
	struct meanwhile at[PROG_MAX_THREADS];
	struct meanwhile after[PROG_MAX_THREADS];
};

/* A thread that was switched away from at a point: its event comes when it runs again. @n: -1 if none. */
struct pending {
	int n;
	struct touch touches[EVENT_MAX_TOUCHES];
};

/**
 * struct search - a depth-first search
 * @subject: what is explored
 * @opts: how
 * @found: so far
 * @order: events of this run
 * @seen: states
 * @nodes: questions of this run, from its start
 * @depth: how many
 * @repeat: how many of them repeat the answers of the run before
 * @first: of the nodes of the first schedule, those from here to @end are this part's to explore
 * @end: likewise
 * @question: number of the next one
 * @budget: preemptions left
 * @thread: that runs
 * @step: node whose thread has gone on from it and has not come to its next point, -1: none
 * @nr_away: threads that were switched away from at a node and have not run again
 * @away: node at which each thread was switched away from, -1 since it runs again
 * @pending: of threads that were switched away from
 * @fresh: threads that have not had a point
 * @cut: the rest of this run does not matter
 * @switches: of this run
 */
struct search {
	struct search_subject subject;
	struct search_options opts;
	struct search_found *found;
	struct order order;
	struct seen seen;
	struct node *nodes;
	uint32_t depth;
	uint32_t repeat;
	uint32_t first;
	uint32_t end;
	uint32_t question;
	uint32_t budget;
	int thread;
	int64_t step;
	uint32_t nr_away;
	int64_t away[PROG_MAX_THREADS];
	struct pending pending[PROG_MAX_THREADS];
	uint32_t fresh;
	bool cut;
};

/**
 * search_create() - get a search ready
 * @subject: what is explored; copied
 * @opts: how; copied
 *
 * Its memory survives restarts of the world.
 *
 * Return: the search.
 */
struct search *search_create(const struct search_subject *subject,
			     const struct search_options *opts)
{
	struct search *s = explore_alloc(sizeof(*s));

	s->subject = *subject;
	s->opts = *opts;
	s->nodes = explore_alloc(MAX_NODES * sizeof(*s->nodes));
	order_init(&s->order);
	seen_init(&s->seen);
	return s;
}

void search_destroy(struct search *s)
{
	order_free(&s->order);
	seen_free(&s->seen);
	explore_free(s->nodes, MAX_NODES * sizeof(*s->nodes));
	explore_free(s, sizeof(*s));
}

/* ---- during a run ---- */

/* Who touches what while others are away from their nodes. */
static void note(struct search *s, const struct touch *touches, int n)
{
	uint32_t t;

	if (s->step >= 0)
		order_add(&s->nodes[s->step].step, touches, n);
	for (t = 0; t < s->subject.nr_threads; t++)
		if (s->away[t] >= 0)
			order_add(&s->nodes[s->away[t]].now.set, touches, n);
}

static void event(struct search *s, const struct touch *touches, int n)
{
	if (s->opts.no_reduction)
		return;
	/* With two threads and no preemption left there is nothing to ask, so the state is of no interest. */
	if (s->budget || s->subject.nr_threads > 2)
		order_event(&s->order, s->thread, touches, n);
	if (n && (s->step >= 0 || s->nr_away))
		note(s, touches, n);
}

/* @thread runs from here on: what it was about to do when it was switched away from, it does. */
static void resume(struct search *s, int thread)
{
	struct pending *p = &s->pending[thread];

	s->thread = thread;
	s->step = -1;
	s->nr_away -= s->away[thread] >= 0;
	s->away[thread] = -1;
	if (p->n >= 0)
		event(s, p->touches, p->n);
	p->n = -1;
}

/* The platform switches by itself where there is no choice. */
static void follow(struct search *s, int thread)
{
	if (thread != s->thread)
		resume(s, thread);
}

/* @thread is switched away from at the last node. */
static void away(struct search *s, int thread)
{
	s->nr_away += s->away[thread] < 0;
	s->away[thread] = s->depth - 1;
}

/**
 * search_start() - a run begins
 * @s: search
 * @thread: that runs first
 */
void search_start(struct search *s, int thread)
{
	uint32_t i;

	order_begin(&s->order);
	s->depth = 0;
	s->question = 0;
	s->budget = s->opts.preemptions;
	s->thread = thread;
	s->step = -1;
	s->nr_away = 0;
	for (i = 0; i < PROG_MAX_THREADS; i++) {
		s->away[i] = -1;
		s->pending[i].n = -1;
	}
	s->fresh = (1u << s->subject.nr_threads) - 1;
	s->cut = false;
}

static void hold(struct search *s, int thread, const struct touch *touches, int n)
{
	struct pending *p = &s->pending[thread];

	memcpy(p->touches, touches, n * sizeof(*touches));
	p->n = n;
}

/**
 * search_asked() - a thread stood at a point before the start
 * @s: search, started
 * @thread: which
 * @touches: what it touches next
 * @n: how many
 */
void search_asked(struct search *s, int thread, const struct touch *touches, int n)
{
	hold(s, thread, touches, n);
	s->fresh &= ~(1u << thread);
}

static uint64_t state_of(const struct search *s, bool point)
{
	uint64_t h = (uint64_t)s->thread * 2 + point;
	uint32_t i;

	for (i = 0; i < s->subject.nr_threads; i++)
		h = explore_mix(h, s->order.last[i]);
	return h;
}

static void cut(struct search *s)
{
	uint32_t i;

	for (i = 0; i < s->subject.nr_threads; i++)
		if (s->away[i] >= 0)
			s->nodes[s->away[i]].now.unknown = true;
	s->cut = true;
	if (s->subject.leave)
		s->subject.leave(s->subject.ctx);
}

static void out_of_step(const struct search *s)
{
	(void)s;
	fprintf(stderr, "explore: a schedule did not repeat: the program is not deterministic\n");
	abort();
}

/* A question with several answers. Return: the answer; the default if the run was cut. */
static int ask(struct search *s, uint32_t options, bool point, int by_default)
{
	struct node *node;

	if (s->depth == MAX_NODES) {
		fprintf(stderr, "explore: a schedule has more than %u questions\n", MAX_NODES);
		abort();
	}
	node = &s->nodes[s->depth];
	if (s->depth < s->repeat) {
		if (node->thread != s->thread || node->options != options ||
		    node->question != s->question)
			out_of_step(s);
	} else {
		if (!s->opts.no_reduction && seen_before(&s->seen, state_of(s, point), s->budget)) {
			cut(s);
			return by_default;
		}
		node->question = s->question;
		node->thread = s->thread;
		node->by_default = node->answer = by_default;
		node->options = options;
		node->done = 0;
		node->point = point;
		node->follows = s->step >= 0 && s->step == (int64_t)s->depth - 1;
		node->now = (struct meanwhile){ .unknown = false };
		node->step = (struct order_set){ .front = { 0 } };
		node->known = 0;
		node->finished = 0;
	}
	s->depth++;
	return node->answer;
}

/**
 * search_point() - may the thread go on?
 * @s: search
 * @thread: is at a point
 * @touches: what it touches next
 * @n: how many
 * @runnable: threads that can run, @thread among them
 * @preemptible: false: no use in stopping it here
 *
 * Return: the thread to run: @thread or another.
 */
int search_point(struct search *s, int thread, const struct touch *touches, int n,
		 uint32_t runnable, bool preemptible)
{
	bool fresh = s->fresh & 1u << thread;
	int answer = thread;

	s->found->count.points++;
	if (s->cut)
		return thread;
	follow(s, thread);
	s->fresh &= ~(1u << thread);
	s->question++;
	/* A thread that was just chosen does something: otherwise there was no use in choosing it. */
	if (preemptible && !fresh && s->budget && (runnable & ~(1u << thread))) {
		answer = ask(s, runnable, true, thread);
		if (s->cut)
			return thread;
		if (answer != thread) {
			s->budget--;
			hold(s, thread, touches, n);
			away(s, thread);
			resume(s, answer);
			return answer;
		}
		s->step = s->depth - 1;
	} else {
		s->step = -1;
	}
	event(s, touches, n);
	return thread;
}

/**
 * search_first() - which thread runs first?
 * @s: search, started
 * @thread: that runs if nobody says otherwise; search_asked() has been called for it
 * @runnable: threads that can run, @thread among them
 *
 * Return: one of @runnable.
 */
int search_first(struct search *s, int thread, uint32_t runnable)
{
	int answer = thread;

	s->question++;
	if (runnable & (runnable - 1))
		answer = ask(s, runnable, false, thread);
	resume(s, answer);
	return answer;
}

/**
 * search_pick() - a thread gives way: who is next?
 * @s: search
 * @thread: gives way
 * @runnable: threads that can run, without @thread
 *
 * Return: one of @runnable.
 */
int search_pick(struct search *s, int thread, uint32_t runnable)
{
	int answer = explore_next(thread, runnable);

	if (s->cut)
		return answer;
	follow(s, thread);
	s->question++;
	if (runnable & (runnable - 1)) {
		answer = ask(s, runnable, false, answer);
		if (s->cut)
			return answer;
		away(s, thread);
	}
	resume(s, answer);
	return answer;
}

/**
 * search_touch() - the thread that runs touches more than its last point said
 * @s: search
 * @thread: which
 * @touches: what
 * @n: how many
 */
void search_touch(struct search *s, int thread, const struct touch *touches, int n)
{
	if (s->cut)
		return;
	follow(s, thread);
	event(s, touches, n);
}

/* Whether what this run shows is known already. */
bool search_was_cut(const struct search *s)
{
	return s->cut;
}

/* ---- between runs ---- */

static uint32_t nr_switches(const struct search *s)
{
	uint32_t i, n = 0;

	for (i = 0; i < s->depth; i++)
		n += s->nodes[i].answer != s->nodes[i].by_default;
	return n;
}

static void keep(struct search *s, struct search_found *found)
{
	uint32_t i;

	found->preemptions = s->opts.preemptions - s->budget;
	found->smallest.nr = 0;
	for (i = 0; i < s->depth; i++) {
		const struct node *node = &s->nodes[i];

		if (node->answer == node->by_default)
			continue;
		if (found->smallest.nr < EXPLORE_MAX_SWITCHES)
			found->smallest.at[found->smallest.nr] = (struct explore_switch){
				.question = node->question,
				.target = node->answer,
			};
		found->smallest.nr++;
	}
}

/* A run has ended: what came of it. */
static void judge(struct search *s, uint32_t rules)
{
	struct search_found *found = s->found;
	uint32_t preemptions = s->opts.preemptions - s->budget;

	found->count.schedules++;
	found->count.depth = nr_switches(s);
	if (s->cut) {
		found->count.cut++;
		return;
	}
	found->count.complete++;
	if (!rules)
		return;
	found->count.failing++;
	if (!found->rules || preemptions < found->preemptions ||
	    (preemptions == found->preemptions && nr_switches(s) < found->smallest.nr))
		keep(s, found);
	found->rules |= rules;
}

/*
 * All schedules with the node's answer were explored. What happened meanwhile is known, unless the
 * thread did not get away at all.
 */
static void finish_answer(struct node *node)
{
	node->done |= 1u << node->answer;
	if (node->answer == node->thread)
		return;
	node->at[node->answer] = node->now;
	node->finished |= 1u << node->answer;
	node->now = (struct meanwhile){ .unknown = false };
}

/* Nothing is left to explore at the node: the one before it may learn from it. */
static void pop(struct search *s)
{
	struct node *node = &s->nodes[--s->depth], *before;
	uint32_t left;

	if (!node->follows)
		return;
	before = &s->nodes[s->depth - 1];
	before->known = node->finished;
	for (left = node->finished; left; left &= left - 1) {
		uint32_t i = __builtin_ctz(left);

		before->after[i] = node->at[i];
	}
}

/*
 * Switching to @to one point later has been explored. If what lies between depends on nothing that
 * happened then until the thread ran again, switching here leads to the same.
 */
static bool is_pointless(const struct node *node, uint32_t to)
{
	return node->point && (node->known & 1u << to) && !node->after[to].unknown &&
	       order_independent(&node->step, &node->after[to].set);
}

/* The node's next answer. Return: false if none is left. */
static bool next_answer(struct search *s, struct node *node)
{
	uint32_t left;

	for (left = node->options & ~node->done; left; left &= left - 1) {
		uint32_t to = __builtin_ctz(left);

		if (!s->opts.no_reduction && is_pointless(node, to)) {
			s->found->count.skipped++;
			node->done |= 1u << to;
			node->at[to] = node->after[to];
			node->finished |= 1u << to;
			continue;
		}
		node->answer = to;
		return true;
	}
	return false;
}

/* The next schedule's answers. Return: false if all were explored. */
static bool backtrack(struct search *s)
{
	while (s->depth) {
		struct node *node = &s->nodes[s->depth - 1];

		/* The first schedule's nodes are shared out. */
		if (s->depth <= s->first)
			return false;
		if (s->depth > s->end) {
			s->depth--;
			continue;
		}
		s->end = MAX_NODES;
		finish_answer(node);
		if (next_answer(s, node)) {
			s->repeat = s->depth;
			return true;
		}
		pop(s);
	}
	return false;
}

/* Part @part of @parts explores its share of the last schedule's nodes, from number @from on. */
static void share_nodes(struct search *s, uint32_t from, uint32_t part, uint32_t parts)
{
	uint64_t nodes = s->depth - from;

	s->first = from + nodes * part / parts;
	s->end = from + nodes * (part + 1) / parts;
	/* What all parts run is counted once. */
	if (part)
		s->found->count = (struct explore_count){ .schedules = 0 };
}

/* The @n-th answer to a node, its default first. */
static int nth_answer(const struct node *node, uint32_t n)
{
	uint32_t left = node->options & ~(1u << node->by_default);

	if (!n)
		return node->by_default;
	while (--n)
		left &= left - 1;
	return __builtin_ctz(left);
}

/*
 * The first schedule has run. Its nodes are shared out among the parts; but which thread begins is a
 * question whose answers have most of the schedules behind them each, so that parts are first shared
 * out among those. The parts of an answer begin with the first schedule that has it.
 */
static void share_out(struct search *s)
{
	uint32_t part = s->opts.part, parts = s->opts.parts, answers, which, lowest, next;
	struct node *begin = &s->nodes[0];

	answers = s->depth && begin->question == FIRST_QUESTION ?
			  __builtin_popcount(begin->options) :
			  1;
	if (answers == 1 || answers > parts) {
		share_nodes(s, 0, part, parts);
		return;
	}
	which = part * answers / parts;
	lowest = (which * parts + answers - 1) / answers;
	next = ((which + 1) * parts + answers - 1) / answers;
	if (which) {
		s->found->count = (struct explore_count){ .schedules = 0 };
		begin->answer = nth_answer(begin, which);
		s->depth = 1;
		s->repeat = 1;
		judge(s, s->subject.run(s->subject.ctx));
	}
	share_nodes(s, 1, part - lowest, next - lowest);
}

/**
 * search_run() - explore
 * @s: search
 * @found: what was found; the caller's, zeroed
 */
void search_run(struct search *s, struct search_found *found)
{
	bool started = false;

	s->found = found;
	s->repeat = 0;
	s->first = 0;
	s->end = MAX_NODES;
	do {
		uint32_t rules = s->subject.run(s->subject.ctx);

		judge(s, rules);
		if (!started && s->opts.parts > 1)
			share_out(s);
		started = true;
		if (s->opts.first && found->rules)
			return;
		if (s->opts.max_schedules && found->count.schedules >= s->opts.max_schedules)
			return;
	} while (backtrack(s));
	found->exhausted = true;
}
