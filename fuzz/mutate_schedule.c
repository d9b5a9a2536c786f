// SPDX-License-Identifier: GPL-2.0-only
/* Mutations of the schedule, blind ones and aimed ones. */
#include "mutate_schedule.h"

#include <string.h>

#include "mutate_ops.h"
#include "program_edit.h"
#include "program_names.h"
#include "program_random.h"

/* ---- blind: anywhere ---- */

bool mutate_choice_add(struct program *prog, struct rng *rng)
{
	struct prog_choice choice;

	return random_choice(prog, rng, &choice) && !program_add_choice(prog, &choice);
}

bool mutate_choice_drop(struct program *prog, struct rng *rng)
{
	if (!prog->nr_choices)
		return false;
	program_remove_choice(prog, rng_below(rng, prog->nr_choices));
	return true;
}

/* To a kind of point that is near the one there was: what a walk does before or after. */
static void near_kind(struct prog_choice *choice, struct rng *rng)
{
	static const uint8_t near[POINT_NR][2] = {
		[POINT_READ] = { POINT_CMPXCHG, POINT_WALK },
		[POINT_WRITE] = { POINT_XCHG, POINT_READ },
		[POINT_XCHG] = { POINT_WRITE, POINT_READ },
		[POINT_CMPXCHG] = { POINT_READ, POINT_WRITE },
		[POINT_AND] = { POINT_READ, POINT_CMPXCHG },
		[POINT_WALK] = { POINT_ASSIST, POINT_READ },
		[POINT_ASSIST] = { POINT_WALK, POINT_CMPXCHG },
	};
	const uint8_t *kinds = near[choice->kind];

	if (kinds[0])
		choice->kind = kinds[rng_below(rng, 2)];
	else
		choice->k++;
}

bool mutate_choice_move(struct program *prog, struct rng *rng)
{
	struct prog_choice *choice;
	int by = rng_chance(rng, 50) ? 1 : -1;

	if (!prog->nr_choices)
		return false;
	choice = &prog->choices[rng_below(rng, prog->nr_choices)];
	/* Beyond the first or last there is no place: mutate() drops it, which is as good. */
	switch (rng_below(rng, 5)) {
	case 0:
		choice->op += by;
		break;
	case 1:
	case 2:
		choice->k += by * (rng_chance(rng, 70) ? 1 : 1 + (int)rng_below(rng, 8));
		break;
	case 3:
		if (choice->action == CHOICE_SWITCH || choice->action == CHOICE_GP_END) {
			near_kind(choice, rng);
			break;
		}
		/* fallthrough */
	default:
		if (point_infos[choice->kind].has_level)
			choice->level += by;
		else
			choice->op = rng_below(rng, prog->threads[choice->thread].nr_ops + 1);
	}
	return true;
}

bool mutate_choice_retarget(struct program *prog, struct rng *rng)
{
	struct prog_choice *choice;

	if (!prog->nr_choices || prog->nr_threads < 3)
		return false;
	choice = &prog->choices[rng_below(rng, prog->nr_choices)];
	if (choice->action != CHOICE_SWITCH)
		return false;
	choice->target = rng_below(rng, prog->nr_threads);
	return true;
}

bool mutate_choice_change(struct program *prog, struct rng *rng)
{
	struct prog_choice *choice, other;

	if (!prog->nr_choices || !random_choice(prog, rng, &other))
		return false;
	choice = &prog->choices[rng_below(rng, prog->nr_choices)];
	/* What to do, and if it is not possible there, where. */
	choice->action = other.action;
	choice->target = 0;
	if (other.action == CHOICE_SWITCH)
		choice->target = (choice->thread + 1) % prog->nr_threads;
	if (!choice_allowed(choice->action, choice->kind)) {
		choice->kind = other.kind;
		choice->level = other.level;
		choice->k = other.k;
	}
	return true;
}

bool mutate_interleave(struct program *prog, struct rng *rng)
{
	if (prog->nr_threads < 2)
		return false;
	random_interleaving(prog, rng);
	return true;
}

/* ---- aimed: where threads meet ---- */

/* A point at which threads touch the same thing; SPTEs and frames rather than locks. NULL: none. */
static const struct logged_point *random_conflict(const struct point_log *log, struct rng *rng)
{
	uint32_t nr = point_log_nr(log), start = rng_below(rng, nr), i;
	const struct logged_point *any = NULL;
	bool memory = rng_chance(rng, 80);

	for (i = 0; i < nr; i++) {
		const struct logged_point *p = point_log_at(log, (start + i) % nr);

		if (!p->conflict)
			continue;
		if (!memory || p->level || p->kind == POINT_MEMORY)
			return p;
		if (!any)
			any = p;
	}
	return any;
}

/* A point of another thread at the same object, one of the two a write; point_log_nr() if there is none. */
static uint32_t random_partner(const struct point_log *log, const struct logged_point *p,
			       struct rng *rng)
{
	uint32_t nr = point_log_nr(log), start = rng_below(rng, nr), i, at;
	const struct logged_point *other;

	for (i = 0; i < nr; i++) {
		at = (start + i) % nr;
		other = point_log_at(log, at);
		if (other->object == p->object && other->thread != p->thread &&
		    (point_kind_writes(p->kind) || point_kind_writes(other->kind)))
			return at;
	}
	return nr;
}

/* The point that the thread of the @at-th point passes next; NULL if that was its last. */
static const struct logged_point *next_of_thread(const struct point_log *log, uint32_t at)
{
	const uint8_t thread = point_log_at(log, at)->thread;

	for (at++; at < point_log_nr(log); at++) {
		if (point_log_at(log, at)->thread == thread)
			return point_log_at(log, at);
	}
	return NULL;
}

/*
 * A point that the thread of the @at-th point passes after that one in the same operation: nearer ones are
 * likelier. NULL if there is none.
 */
static const struct logged_point *later_in_operation(const struct point_log *log, uint32_t at,
						     struct rng *rng)
{
	const struct logged_point *from = point_log_at(log, at), *p, *found = NULL;
	uint32_t left = 1 + rng_below(rng, 1u << rng_below(rng, 8));

	for (at++; left && at < point_log_nr(log); at++) {
		p = point_log_at(log, at);
		if (p->thread != from->thread)
			continue;
		if (p->op != from->op)
			break;
		found = p;
		left--;
	}
	return found;
}

/* Preempt at a point, unless that is done there already. */
static bool preempt_at(struct program *prog, const struct logged_point *p, uint8_t target)
{
	const struct prog_choice choice = point_log_choice(p, CHOICE_SWITCH, target);

	return !program_add_choice(prog, &choice);
}

/* Who is preempted, and where. */
enum aim {
	AIM_BEFORE,	 /* the one thread right before its access */
	AIM_BOTH,	 /* and the other one right after its own */
	AIM_WITHIN,	 /* and the other one later in its operation */
	AIM_AFTER,	 /* the other one alone, right after its access */
	AIM_NR
};

/**
 * mutate_aim() - preempt a thread where it touches what another one touches
 * @prog: the program that was run; valid before and after
 * @log: of its run, after point_log_conflicts()
 * @rng: random numbers
 *
 * The one thread is preempted right before its access, so that the other one's comes in between. The other one
 * may be preempted too: right after its access, so that nothing else comes in between, or anywhere later in
 * its operation. Or only that one is, right after it has changed what the other one is about to use.
 *
 * Return: false if threads touch nothing in common, or such choices are there: it is as it was then.
 */
bool mutate_aim(struct program *prog, const struct point_log *log, struct rng *rng)
{
	const enum aim aim = rng_below(rng, AIM_NR);
	const struct logged_point *p, *back = NULL;
	uint32_t partner;

	if (!point_log_nr(log))
		return false;
	p = random_conflict(log, rng);
	if (!p)
		return false;
	partner = random_partner(log, p, rng);
	if (partner == point_log_nr(log))
		return false;
	if (aim != AIM_AFTER && !preempt_at(prog, p, point_log_at(log, partner)->thread))
		return false;
	if (aim == AIM_WITHIN)
		back = later_in_operation(log, partner, rng);
	else if (aim != AIM_BEFORE)
		back = next_of_thread(log, partner);
	return (back && preempt_at(prog, back, p->thread)) || aim != AIM_AFTER;
}

/* ---- aimed: where walks ask whether to yield ---- */

/* Does the thread of the @at-th point change an SPTE next? */
static bool before_change(const struct point_log *log, uint32_t at)
{
	const struct logged_point *next = next_of_thread(log, at);

	return next && next->level && point_kind_writes(next->kind);
}

/**
 * mutate_yield() - have a walk yield at one of the points where it asked whether to
 * @prog: the program that was run; valid before and after
 * @log: of its run
 * @rng: random numbers
 *
 * Mostly just before it changes something: of a long walk that is where it matters.
 *
 * Return: false if no walk asked, or it yields there already: the program is as it was then.
 */
bool mutate_yield(struct program *prog, const struct point_log *log, struct rng *rng)
{
	uint32_t nr = point_log_nr(log), start, i, at, found = nr;
	bool picky = rng_chance(rng, 80);
	struct prog_choice choice;

	if (!nr)
		return false;
	start = rng_below(rng, nr);
	for (i = 0; i < nr; i++) {
		at = (start + i) % nr;
		if (point_log_at(log, at)->kind != POINT_RESCHED)
			continue;
		if (!picky || before_change(log, at)) {
			found = at;
			break;
		}
		if (found == nr)
			found = at;
	}
	if (found == nr)
		return false;
	choice = point_log_choice(point_log_at(log, found), CHOICE_RESCHED, 0);
	return !program_add_choice(prog, &choice);
}

/* Points that aiming takes into account: the last ones of a run that passes more. */
#define AIM_POINTS 4096

static bool aim_preemptions(struct program *prog, const struct point_log *log, struct rng *rng)
{
	if (rng_chance(rng, 12) && mutate_yield(prog, log, rng))
		return true;
	if (!mutate_aim(prog, log, rng))
		return false;
	if (rng_chance(rng, 30))
		mutate_aim(prog, log, rng);
	return true;
}

/* Changes a program by what the log of its run says; false if that does not go. */
typedef bool (*change_fn)(struct program *prog, const struct point_log *log, struct rng *rng);

static size_t mutate_by_log(uint8_t *data, size_t size, size_t max, unsigned int seed,
			    struct executor *x, const struct exec_options *limits, change_fn change)
{
	static struct point_log log;
	static struct program *prog;
	struct rng rng = rng_seed(seed);
	struct exec_options opts = *limits;
	struct exec_result res;
	size_t result;

	if (!prog)
		prog = program_alloc();
	if (!prog || (!log.points && point_log_init(&log, AIM_POINTS)))
		return program_mutate(data, size, max, seed);
	program_decode(prog, data, size);
	/* A schedule that is full of switches already has no room for one that is aimed. */
	while (prog->nr_choices > 8 && rng_chance(&rng, 70))
		program_remove_choice(prog, rng_below(&rng, prog->nr_choices));
	point_log_begin(&log);
	opts.scheduler = &log.scheduler;
	executor_run(x, prog, &opts, &res);
	point_log_conflicts(&log);
	if (change(prog, &log, &rng)) {
		result = program_encode(prog, data, max);
		if (result <= max)
			return result;
		/* @data holds the beginning of it, which is a program as well. */
		size = max;
	}
	return program_mutate(data, size, max, seed);
}

/**
 * program_mutate_aimed() - aim preemptions of a program in binary form
 * @data: the program, and room for the result
 * @size: of the program, bytes
 * @max: of @data, bytes
 * @seed: the same seed makes the same change of the same program
 * @x: runs the program, to see where its threads meet
 * @limits: of that run
 *
 * For LLVMFuzzerCustomMutator(), some of whose calls should go here: one costs a run.  Where threads
 * do not meet, it is program_mutate().
 *
 * Return: the size of the result, at most @max.
 */
size_t program_mutate_aimed(uint8_t *data, size_t size, size_t max, unsigned int seed,
			    struct executor *x, const struct exec_options *limits)
{
	return mutate_by_log(data, size, max, seed, x, limits, aim_preemptions);
}

/**
 * program_mutate_yields() - have a walk of a program in binary form yield somewhere
 * @data: the program, and room for the result
 * @size: of the program, bytes
 * @max: of @data, bytes
 * @seed: the same seed makes the same change of the same program
 * @x: runs the program, to see where its walks may yield
 * @limits: of that run
 *
 * Like program_mutate_aimed(), for targets whose threads take turns where operations begin.
 *
 * Return: the size of the result, at most @max.
 */
size_t program_mutate_yields(uint8_t *data, size_t size, size_t max, unsigned int seed,
			     struct executor *x, const struct exec_options *limits)
{
	return mutate_by_log(data, size, max, seed, x, limits, mutate_yield);
}
