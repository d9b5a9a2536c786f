// SPDX-License-Identifier: GPL-2.0-only
/* Aimed preemptions are where threads meet; whatever is made is a valid program. */
#include "mutate_schedule.h"
#include "mutate.h"
#include "mutate_random.h"
#include "program_fixture.h"
#include "program_random.h"

/* Two vCPUs and the host work on one page table; a third vCPU has memory of its own. */
static const char meeting[] = "tdp 1\n"
			      "vm mmu=ept ad=on levels=4\n"
			      "slot 0 base=0x0 pages=0x400 backing=4K\n"
			      "slot 1 base=0x10000000 pages=0x10 backing=4K\n"
			      "thread vcpu 0\n"
			      "\twrite 0x10\n"
			      "\tread 0x11\n"
			      "thread vcpu 1\n"
			      "\twrite 0x10\n"
			      "thread host\n"
			      "\tunmap 0x0 0x100\n"
			      "\tage 0x0 0x100\n";

static struct executor *executor;
static struct point_log point_log;
static struct program *prog, *mutant;

static int set_up(void **state)
{
	(void)state;
	executor = executor_create();
	prog = program_alloc();
	mutant = program_alloc();
	return executor && prog && mutant ? point_log_init(&point_log, 4096) : -1;
}

static int tear_down(void **state)
{
	(void)state;
	point_log_free(&point_log);
	program_free(prog);
	program_free(mutant);
	executor_destroy(executor);
	return 0;
}

/* Put a point into the log as a scheduler would. */
static void pass(int thread, enum point_kind kind, int level, u32 k, u64 object)
{
	int target = -1;

	assert_int_equal(point_log.scheduler.at_point(point_log.scheduler.ctx, thread, kind, level,
						      k, object, 7, &target),
			 0);
	assert_int_equal(target, -1);
}

static void conflicts_need_two_threads_and_a_write(void **state)
{
	(void)state;
	point_log_begin(&point_log);
	pass(0, POINT_OP, 0, 1, 0);
	pass(0, POINT_READ, 1, 1, 0x100);	/* 1: t1 writes it */
	pass(0, POINT_READ, 1, 2, 0x108);	/* 2: t1 only reads it, too */
	pass(0, POINT_CMPXCHG, 1, 1, 0x110);	/* 3: nobody else */
	pass(0, POINT_CMPXCHG, 1, 2, 0x118);	/* 4: t1 reads it */
	pass(0, POINT_LOAD, 0, 1, 0);		/* 5: nothing shared */
	pass(1, POINT_OP, 0, 1, 0);
	pass(1, POINT_WRITE, 1, 1, 0x100);	/* 7 */
	pass(1, POINT_READ, 1, 1, 0x108);	/* 8 */
	pass(1, POINT_WALK, 1, 1, 0x118);	/* 9 */
	pass(0, POINT_OP, 0, 1, 0);
	pass(0, POINT_LOAD, 0, 1, 0);		/* 11: of the second operation */
	assert_int_equal(point_log_conflicts(&point_log), 4);
	assert_true(point_log_at(&point_log, 1)->conflict);
	assert_true(point_log_at(&point_log, 4)->conflict);
	assert_true(point_log_at(&point_log, 7)->conflict);
	assert_true(point_log_at(&point_log, 9)->conflict);
	assert_int_equal(point_log_at(&point_log, 5)->op, 0);
	assert_int_equal(point_log_at(&point_log, 11)->op, 1);
}

static void the_log_keeps_the_last_points(void **state)
{
	struct point_log small;
	u32 k;

	(void)state;
	assert_int_equal(point_log_init(&small, 8), 0);
	small.scheduler.at_point(&small, 0, POINT_OP, 0, 1, 0, 1, NULL);
	for (k = 1; k <= 100; k++)
		small.scheduler.at_point(&small, 0, POINT_READ, 1, k, 0x100 + k, 1, NULL);
	assert_int_equal(point_log_nr(&small), 8);
	assert_int_equal(point_log_at(&small, 0)->k, 93);
	assert_int_equal(point_log_at(&small, 7)->k, 100);
	point_log_free(&small);
}

static void run_logged(void)
{
	const struct exec_options opts = { .scheduler = &point_log.scheduler };
	struct exec_result res;

	point_log_begin(&point_log);
	assert_int_equal(executor_run(executor, prog, &opts, &res), 0);
}

/* What a log says of a run's points are addresses: each comes when a schedule names it. */
static void logged_points_come(void **state)
{
	const struct exec_options plain = { .max_points = 0 };
	struct exec_result res;
	uint32_t i;

	(void)state;
	assert_parses(prog, meeting);
	run_logged();
	assert_in_range(point_log_nr(&point_log), 50, 4095);
	for (i = 0; i < point_log_nr(&point_log); i++) {
		const struct logged_point *p = point_log_at(&point_log, i);
		struct prog_choice choice = point_log_choice(p, CHOICE_RESCHED, 0);

		assert_int_equal(program_copy(mutant, prog), 0);
		if (program_add_choice(mutant, &choice))
			continue;	/* block and end take switches only */
		executor_run(executor, mutant, &plain, &res);
		assert_int_equal(res.nr_never, 0);
	}
}

/* Whether a choice is at a conflict, or right after one of its thread's. */
static void find_conflict(const struct prog_choice *choice, bool *at, bool *after)
{
	bool previous = false;
	uint32_t i;

	*at = *after = false;
	for (i = 0; i < point_log_nr(&point_log); i++) {
		const struct logged_point *p = point_log_at(&point_log, i);

		if (p->thread != choice->thread)
			continue;
		if (p->op == choice->op && p->kind == choice->kind && p->level == choice->level &&
		    p->k == choice->k) {
			*at = p->conflict;
			*after = previous;
			return;
		}
		previous = p->conflict;
	}
}

/* A switch is before an access to what its target touches, or right after one, or both are there. */
static void aimed_preemptions_are_at_conflicts(void **state)
{
	unsigned int aimed = 0, pairs = 0, sptes = 0, later = 0;
	uint64_t seed;

	(void)state;
	assert_parses(prog, meeting);
	run_logged();
	assert_true(point_log_conflicts(&point_log));
	for (seed = 0; seed < 300; seed++) {
		struct rng rng = rng_seed(seed);
		uint32_t i, before = 0, behind = 0;

		assert_int_equal(program_copy(mutant, prog), 0);
		if (!mutate_aim(mutant, &point_log, &rng))
			continue;
		aimed++;
		assert_valid(mutant);
		assert_in_range(mutant->nr_choices, 1, 2);
		pairs += mutant->nr_choices == 2;
		for (i = 0; i < mutant->nr_choices; i++) {
			bool at, after;

			assert_int_equal(mutant->choices[i].action, CHOICE_SWITCH);
			find_conflict(&mutant->choices[i], &at, &after);
			before += at;
			behind += after;
			sptes += mutant->choices[i].level != 0;
		}
		assert_in_range(before + behind, 1, 4);
		later += !before;
	}
	assert_in_range(aimed, 290, 300);
	assert_in_range(pairs, 50, 250);
	assert_in_range(later, 5, 150);
	assert_in_range(sptes, 150, 600);
}

/* The place in the log of a choice's point; the log's length if it is not there. */
static uint32_t logged_at(const struct prog_choice *choice)
{
	uint32_t i;

	for (i = 0; i < point_log_nr(&point_log); i++) {
		const struct logged_point *p = point_log_at(&point_log, i);

		if (p->thread == choice->thread && p->op == choice->op && p->kind == choice->kind &&
		    p->k == choice->k)
			break;
	}
	return i;
}

/* Of all the places where a walk asks, mostly the one before the page that it unmaps. */
static void walks_yield_before_changes(void **state)
{
	unsigned int before_change = 0;
	uint64_t seed;

	(void)state;
	assert_parses(prog, "tdp 1\nslot 0 base=0 pages=0x400 backing=4K\n"
			    "thread vcpu 0\n\twrite 0x180\nthread host\n\tunmap 0x80 0x180\n");
	run_logged();
	for (seed = 0; seed < 300; seed++) {
		const struct prog_choice *choice = &mutant->choices[0];
		struct rng rng = rng_seed(seed);
		const struct logged_point *next;
		uint32_t at;

		assert_int_equal(program_copy(mutant, prog), 0);
		assert_true(mutate_yield(mutant, &point_log, &rng));
		assert_valid(mutant);
		assert_int_equal(mutant->nr_choices, 1);
		assert_int_equal(choice->action, CHOICE_RESCHED);
		assert_int_equal(choice->kind, POINT_RESCHED);
		at = logged_at(choice);
		assert_in_range(at, 0, point_log_nr(&point_log) - 2);
		next = point_log_at(&point_log, at + 1);
		before_change += next->level == 1 && point_kind_writes(next->kind);
	}
	assert_in_range(before_change, 200, 280);
}

static void nothing_to_aim_at(void **state)
{
	struct rng rng = rng_seed(1);

	(void)state;
	assert_parses(prog, "tdp 1\nslot 0 base=0 pages=16\nthread vcpu 0\n\twrite 0\n\tread 1\n");
	run_logged();
	assert_int_equal(point_log_conflicts(&point_log), 0);
	assert_int_equal(program_copy(mutant, prog), 0);
	assert_false(mutate_aim(mutant, &point_log, &rng));
	assert_false(mutate_yield(mutant, &point_log, &rng));
	assert_same(mutant, prog);
}

static void aimed_mutants_are_valid_and_repeat(void **state)
{
	const struct exec_options limits = { .max_points = 20000, .max_accesses = 64 };
	uint8_t data[1024], again[1024], *bytes;
	unsigned int seed;
	size_t size;

	(void)state;
	random_switches_inside(true);
	for (seed = 0; seed < 400; seed++) {
		size_t max = seed % 4 ? sizeof(data) : 120, size2;

		program_generate(prog, seed, 8);
		bytes = bytes_of(prog, &size);
		if (size > max)
			size = max;
		memcpy(data, bytes, size);
		memcpy(again, bytes, size);
		free(bytes);
		size2 = program_mutate_aimed(data, size, max, seed, executor, &limits);
		assert_in_range(size2, 1, max);
		assert_int_equal(program_mutate_aimed(again, size, max, seed, executor, &limits),
				 size2);
		assert_memory_equal(data, again, size2);
		program_decode(prog, data, size2);
		assert_round_trips(prog);
	}
	random_switches_inside(false);
}

/* What a scheduler made up is written down whole: each choice comes, and some are within operations. */
static void random_schedules_come(void **state)
{
	static const struct exec_options limits = { .max_points = 10000 };
	uint8_t data[4096], again[4096], *bytes;
	uint32_t i, inside = 0, whole = 0;
	struct exec_result res;
	unsigned int seed;
	size_t size, made;

	(void)state;
	assert_parses(prog, meeting);
	bytes = bytes_of(prog, &size);
	for (seed = 0; seed < 400; seed++) {
		memcpy(data, bytes, size);
		memcpy(again, bytes, size);
		made = program_mutate_random(data, size, sizeof(data), seed, executor, &limits);
		assert_int_equal(program_mutate_random(again, size, sizeof(again), seed, executor,
						       &limits),
				 made);
		assert_memory_equal(data, again, made);
		program_decode(mutant, data, made);
		assert_round_trips(mutant);
		executor_run(executor, mutant, &limits, &res);
		assert_int_equal(res.nr_violations, 0);
		whole += !res.nr_never;
		for (i = 0; i < mutant->nr_choices; i++)
			inside += mutant->choices[i].kind != POINT_OP;
	}
	/* A program that is cut short does not get to all of them. */
	assert_in_range(whole, 380, 400);
	assert_in_range(inside, 400, UINT32_MAX);
	free(bytes);
}

/* Room for less than the program: the beginning of it is a program as well. */
static void random_schedules_in_little_room(void **state)
{
	static const struct exec_options limits = { .max_points = 10000 };
	uint8_t data[24], *bytes;
	unsigned int seed;
	size_t size;

	(void)state;
	assert_parses(prog, meeting);
	bytes = bytes_of(prog, &size);
	assert_true(size > sizeof(data));
	for (seed = 0; seed < 100; seed++) {
		memcpy(data, bytes, sizeof(data));
		assert_in_range(program_mutate_random(data, sizeof(data), sizeof(data), seed,
						      executor, &limits),
				1, sizeof(data));
	}
	free(bytes);
}

/* Blind ones, too, once they are let inside operations. */
static void random_switches_reach_every_kind(void **state)
{
	bool kinds[POINT_NR] = { false };
	uint32_t i, inside = 0;
	uint64_t seed;

	(void)state;
	for (seed = 0; seed < 3000; seed++) {
		struct rng rng = rng_seed(seed);
		struct prog_choice choice;

		random_switches_inside(seed % 2);
		assert_parses(prog, meeting);
		if (!random_choice(prog, &rng, &choice) || choice.action != CHOICE_SWITCH)
			continue;
		assert_int_equal(program_add_choice(prog, &choice), 0);
		assert_round_trips(prog);
		kinds[choice.kind] = true;
		if (choice.kind != POINT_OP)
			assert_int_equal(seed % 2, 1);
		inside += choice.kind != POINT_OP;
	}
	random_switches_inside(false);
	assert_in_range(inside, 100, 1500);
	for (i = 0; i < POINT_NR; i++) {
		if (!kinds[i])
			fail_msg("never '%s'", point_infos[i].name);
	}
}

/* A thread that crosses over takes its schedule along. */
static void crossover_keeps_choices_with_threads(void **state)
{
	uint8_t out[1024], *bytes_a, *bytes_b;
	unsigned int seed, kept = 0;
	size_t size_a, size_b;

	(void)state;
	assert_parses(prog, "tdp 1\nthread vcpu 0\n\tread 0x1\nthread host\n\tage 0x0 1\n");
	bytes_a = bytes_of(prog, &size_a);
	assert_parses(prog, "tdp 1\nthread host\n\tunmap 0x77 0x5\nthread vcpu 0\n\twrite 0x1\n"
			    "schedule\n\tt0.0@xchg(4K)#1 -> t1\n");
	bytes_b = bytes_of(prog, &size_b);
	for (seed = 0; seed < 500; seed++) {
		size_t size =
			program_crossover(bytes_a, size_a, bytes_b, size_b, out, sizeof(out), seed);
		uint32_t i;

		program_decode(prog, out, size);
		assert_valid(prog);
		for (i = 0; i < prog->nr_choices; i++) {
			const struct prog_choice *c = &prog->choices[i];

			if (c->kind != POINT_XCHG)
				continue;
			assert_int_equal(prog->threads[c->thread].ops[c->op].kind, OP_UNMAP);
			assert_int_equal(prog->threads[c->thread].ops[c->op].gfn, 0x77);
			assert_int_equal(prog->threads[c->target].kind, THREAD_VCPU);
			kept++;
		}
	}
	assert_in_range(kept, 80, 400);
	free(bytes_a);
	free(bytes_b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conflicts_need_two_threads_and_a_write),
		cmocka_unit_test(the_log_keeps_the_last_points),
		cmocka_unit_test(logged_points_come),
		cmocka_unit_test(aimed_preemptions_are_at_conflicts),
		cmocka_unit_test(walks_yield_before_changes),
		cmocka_unit_test(nothing_to_aim_at),
		cmocka_unit_test(aimed_mutants_are_valid_and_repeat),
		cmocka_unit_test(random_schedules_come),
		cmocka_unit_test(random_schedules_in_little_room),
		cmocka_unit_test(random_switches_reach_every_kind),
		cmocka_unit_test(crossover_keeps_choices_with_threads),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
