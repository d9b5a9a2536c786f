// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shrinking: another schedule.
 *
 * When an operation goes, the points that the schedule names may be others, and the program passes
 * although it still could fail.  Most bugs need one to three preemptions, right before an access to
 * something that another thread touches as well.  So such points of a run are tried one by one, then
 * in pairs, and what is left of the allowance goes to schedules at random.
 */
#include "program_edit.h"
#include "schedule.h"
#include "shrink_internal.h"

#include <string.h>

/* Points of one run at which a preemption is tried at most. */
#define MAX_POINTS 256

/**
 * struct allowance - runs that a search may take
 * @one: with one preemption
 * @two: with two
 * @random: with any number
 */
struct allowance {
	uint32_t one;
	uint32_t two;
	uint32_t random;
};

static void drop_switches(struct program *prog)
{
	uint32_t i, kept = 0;

	for (i = 0; i < prog->nr_choices; i++) {
		if (prog->choices[i].action != CHOICE_SWITCH)
			prog->choices[kept++] = prog->choices[i];
	}
	prog->nr_choices = kept;
}

static bool run_plain(struct shrink *s)
{
	static const struct exec_options plain = { .max_points = 0 };

	return shrink_fails(s, s->trial, &plain);
}

/* Run the candidate as it is, and log it. */
static bool run_logged(struct shrink *s)
{
	const struct exec_options logged = { .scheduler = &s->log.scheduler };
	bool fails;

	point_log_begin(&s->log);
	fails = shrink_fails(s, s->trial, &logged);
	point_log_conflicts(&s->log);
	return fails;
}

/* Where to preempt: at conflicts, and where operations begin. */
static bool worth_preempting(const struct logged_point *p)
{
	return p->conflict || (p->kind == POINT_OP && p->k == 1);
}

/*
 * The points of the run that was logged at which to try a preemption, those of SPTEs before others.
 * Return: how many.
 */
static uint32_t collect(struct shrink *s, struct logged_point points[MAX_POINTS])
{
	uint32_t i, nr = 0, spte;

	for (spte = 2; spte-- > 0;) {
		for (i = 0; i < point_log_nr(&s->log) && nr < MAX_POINTS; i++) {
			const struct logged_point *p = point_log_at(&s->log, i);

			if (worth_preempting(p) && spte == (p->level != 0))
				points[nr++] = *p;
		}
	}
	return nr;
}

static void remove_choice(struct program *prog, const struct prog_choice *choice)
{
	uint32_t i;

	for (i = 0; i < prog->nr_choices; i++) {
		if (!choice_compare(&prog->choices[i], choice)) {
			program_remove_choice(prog, i);
			return;
		}
	}
}

/*
 * One preemption more than the candidate has: at each point of the run that was logged, to each other
 * thread.  If @deeper, each of these is given still another one.  *@runs is what is left of the
 * allowance.  True: the candidate fails as it is now; else it is as it was.
 */
static bool preempt(struct shrink *s, bool deeper, uint32_t *runs)
{
	struct logged_point points[MAX_POINTS];
	uint32_t i, target, nr = collect(s, points);

	for (i = 0; i < nr; i++) {
		for (target = 0; target < s->trial->nr_threads; target++) {
			struct prog_choice choice =
				point_log_choice(&points[i], CHOICE_SWITCH, target);

			if (!*runs || shrink_done(s))
				return false;
			if (program_add_choice(s->trial, &choice))
				continue;
			--*runs;
			if (deeper ? run_logged(s) || preempt(s, false, runs) : run_plain(s))
				return true;
			remove_choice(s->trial, &choice);
		}
	}
	return false;
}

static bool run_random(struct shrink *s, uint32_t seed)
{
	static const uint32_t every[] = { 4, 12, 40 };
	struct schedule_random schedule;
	struct prog_choice record[PROG_MAX_CHOICES];
	const struct exec_options opts = {
		.scheduler = &schedule.scheduler,
		.record = record,
		.max_record = PROG_MAX_CHOICES,
	};

	schedule_random_init(&schedule, seed, every[seed % 3]);
	if (!shrink_fails(s, s->trial, &opts) || s->res.nr_record > PROG_MAX_CHOICES)
		return false;
	s->trial->nr_choices = s->res.nr_record;
	memcpy(s->trial->choices, record, s->res.nr_record * sizeof(*record));
	return true;
}

/* The candidate's switches are replaced by others with which it fails; false: by none. */
static bool search(struct shrink *s, const struct allowance *allowance)
{
	uint32_t one = allowance->one, two = allowance->two, i;

	drop_switches(s->trial);
	if (run_logged(s))
		return true;
	if (s->trial->nr_threads < 2)
		return false;
	if (preempt(s, false, &one))
		return true;
	if (two) {
		if (run_logged(s) || preempt(s, true, &two))
			return true;
	}
	for (i = 0; i < allowance->random && !shrink_done(s); i++) {
		if (run_random(s, i))
			return true;
	}
	return false;
}

/**
 * shrink_search() - look for a schedule under which the candidate fails
 * @s: the program being shrunk; its candidate gets the schedule
 *
 * Return: true if one was found.
 */
bool shrink_search(struct shrink *s)
{
	struct allowance allowance = { .one = 300, .two = 600, .random = 60 };

	/* One with more preemptions than there are would not be taken. */
	if (s->mode == SHRINK_NO_MORE) {
		const struct shrink_size now = shrink_size_of(s->best);

		allowance.random = 0;
		if (now.preemptions < 2)
			allowance.two = 0;
		if (now.preemptions < 1)
			allowance.one = 0;
	}
	return search(s, &allowance) && run_plain(s);
}

static bool fewer(const struct shrink_size *a, const struct shrink_size *b)
{
	if (a->preemptions != b->preemptions)
		return a->preemptions < b->preemptions;
	return a->choices < b->choices;
}

bool shrink_preemptions(struct shrink *s)
{
	struct allowance allowance = { .one = 1000 };
	struct shrink_size now = shrink_size_of(s->best), found;

	if (!now.preemptions)
		return false;
	if (now.preemptions > 2)
		allowance.two = 4000;
	shrink_begin(s);
	if (!search(s, &allowance) || !run_plain(s))
		return false;
	found = shrink_size_of(s->trial);
	if (!fewer(&found, &now))
		return false;
	shrink_keep(s);
	return true;
}
