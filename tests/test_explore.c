// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exploration of programs: with reduction it ends in the same states and breaks the same rules as
 * without; schedules that start from a copy of memory are those that start from the beginning; it
 * does not matter how many processes share the work.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "executor.h"
#include "explore.h"
#include "explore_internal.h"
#include "program_rng.h"

/* ---- programs ---- */

static const char *const vms[] = {
	"mmu=ept ad=on levels=4",
	"mmu=ept ad=off levels=4",
	"mmu=npt levels=4 fault_policy=zap",
	"mmu=ept ad=on levels=4 nx_huge_pages=off",
};

static const char *const slots[] = { "backing=4K", "backing=2M", "backing=2M flags=log" };

static const char *const vcpu_ops[] = {
	"read 0x0", "write 0x0", "exec 0x0", "write 0x1", "read 0x200", "write 0x0",
};

static const char *const vmm_ops[] = {
	"log-start 0", "log-get 0",  "log-stop 0",  "zap-range 0x0 0x1",
	"zap-fast",    "nx-recover", "log-start 0", "slot-flags 0 ro",
};

static const char *const host_ops[] = {
	"unmap 0x0 0x1", "age 0x0 0x2", "clean 0x0 0x1", "huge-form 0x0 2M", "unmap 0x0 0x200",
};

#define PICK(rng, list) (list[rng_below(rng, sizeof(list) / sizeof(*(list)))])

static void load(struct program *prog, const char *text)
{
	struct prog_error err;

	if (program_parse(prog, text, strlen(text), &err))
		fail_msg("line %d: %s\n%s", err.line, err.msg, text);
}

/*
 * Two threads, the first of them a vCPU, the other of kind @other; the last operation of each is
 * the one that is explored.
 */
static struct program *random_program(uint64_t seed, enum thread_kind other)
{
	struct rng rng = rng_seed(seed);
	struct program *prog = program_alloc();
	/* One after the other: compilers evaluate arguments in different orders. */
	const char *vm = PICK(&rng, vms), *slot = PICK(&rng, slots);
	const char *first = PICK(&rng, vcpu_ops), *second = PICK(&rng, vcpu_ops);
	char text[1024];
	int n;

	assert_non_null(prog);
	n = snprintf(text, sizeof(text),
		     "tdp 1\nvm %s\nslot 0 base=0x0 pages=0x400 %s\nthread vcpu 0\n\t%s\n\t%s\n",
		     vm, slot, first, second);
	first = PICK(&rng, vcpu_ops);
	if (other == THREAD_VCPU)
		snprintf(text + n, sizeof(text) - n, "thread vcpu 1\n\t%s\n\t%s\n", first,
			 PICK(&rng, vcpu_ops));
	else if (other == THREAD_VMM)
		snprintf(text + n, sizeof(text) - n, "thread vmm\n\t%s\n", PICK(&rng, vmm_ops));
	else
		snprintf(text + n, sizeof(text) - n, "thread host\n\t%s\n", PICK(&rng, host_ops));
	load(prog, text);
	return prog;
}

/* ---- what comes out ---- */

struct outcome {
	struct explore_result res;
	int ret;
	uint64_t states[4096];
	uint32_t nr_states;
};

static void on_state(void *ctx, uint64_t hash)
{
	struct outcome *out = ctx;

	assert_true(out->nr_states < 4096);
	out->states[out->nr_states++] = hash;
}

static int compare_hashes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static struct outcome *explore(const struct program *prog, struct explore_options opts)
{
	struct outcome *out = calloc(1, sizeof(*out));

	assert_non_null(out);
	opts.state = on_state;
	opts.ctx = out;
	out->ret = explore_run(prog, &opts, &out->res);
	assert_true(out->ret >= 0);
	assert_true(out->res.exhausted);
	qsort(out->states, out->nr_states, sizeof(*out->states), compare_hashes);
	assert_int_equal(out->nr_states, out->res.count.states);
	return out;
}

static void assert_same_end(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->ret, b->ret);
	assert_int_equal(a->res.rules, b->res.rules);
	assert_int_equal(a->nr_states, b->nr_states);
	assert_memory_equal(a->states, b->states, a->nr_states * sizeof(*a->states));
	if (a->ret)
		assert_int_equal(a->res.preemptions, b->res.preemptions);
}

static void assert_same_way(const struct outcome *a, const struct outcome *b)
{
	assert_same_end(a, b);
	assert_memory_equal(&a->res, &b->res, offsetof(struct explore_result, choices));
	assert_memory_equal(a->res.choices, b->res.choices,
			    a->res.nr_choices * sizeof(*a->res.choices));
}

#define NR_PROGRAMS 40

static void reduction_loses_nothing(void **state)
{
	uint64_t without = 0, with = 0, seed, states = 0;

	(void)state;
	for (seed = 1; seed <= NR_PROGRAMS; seed++) {
		struct program *prog = random_program(seed, seed % 3);
		/* Two vCPUs pass few points. */
		struct explore_options opts = { .preemptions = seed % 3 ? 1 : 2, .last = 1 };
		struct outcome *reduced = explore(prog, opts), *full;

		opts.no_reduction = true;
		opts.no_snapshot = seed % 4 == 0;
		full = explore(prog, opts);
		assert_same_end(reduced, full);
		assert_int_equal(full->res.count.cut + full->res.count.skipped, 0);
		without += full->res.count.schedules;
		with += reduced->res.count.schedules;
		states += reduced->nr_states;
		free(full);
		free(reduced);
		program_free(prog);
	}
	print_message("%llu schedules without reduction, %llu with; %llu ways to end\n",
		      (unsigned long long)without, (unsigned long long)with,
		      (unsigned long long)states);
	assert_true(with < without / 2);
	assert_true(states > NR_PROGRAMS * 3 / 2);
}

static void snapshot_changes_nothing(void **state)
{
	uint64_t seed;

	(void)state;
	if (!world_possible())
		skip();
	for (seed = 100; seed < 100 + NR_PROGRAMS; seed++) {
		struct program *prog = random_program(seed, seed % 3);
		struct explore_options opts = { .preemptions = 1, .last = 1 };
		struct outcome *world = explore(prog, opts), *fresh;

		opts.no_snapshot = true;
		fresh = explore(prog, opts);
		/* A run that is given up does not pass the rest of its points. */
		fresh->res.count.points = world->res.count.points;
		assert_same_way(world, fresh);
		free(fresh);
		free(world);
		program_free(prog);
	}
}

static void jobs_change_nothing(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 200; seed < 206; seed++) {
		struct program *prog = random_program(seed, THREAD_VCPU);
		struct explore_options opts = { .preemptions = 2, .last = 1 };
		struct outcome *whole = explore(prog, opts), *one, *three;

		opts.jobs = 1;
		one = explore(prog, opts);
		opts.jobs = 3;
		three = explore(prog, opts);
		assert_same_way(one, three);
		assert_same_end(one, whole);
		free(three);
		free(one);
		free(whole);
		program_free(prog);
	}
}

/* ---- what a scheduler sees of a run is what its program repeats ---- */

static void programs_without_choice(void **state)
{
	static const char *const texts[] = {
		"tdp 1\nvm mmu=ept\nslot 0 base=0x0 pages=0x10 backing=4K\n",
		"tdp 1\nvm mmu=ept\nslot 0 base=0x0 pages=0x10 backing=4K\nthread vcpu 0\n\tread 0x1\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct program *prog = program_alloc();
		struct explore_options opts = { .preemptions = 3 };
		struct explore_result res;

		load(prog, texts[i]);
		assert_int_equal(explore_run(prog, &opts, &res), 0);
		assert_int_equal(res.count.schedules, 1);
		opts.last = 1;
		opts.jobs = 2;
		assert_int_equal(explore_run(prog, &opts, &res), 0);
		assert_int_equal(res.count.schedules, 1);
		assert_true(res.exhausted);
		program_free(prog);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reduction_loses_nothing),
		cmocka_unit_test(snapshot_changes_nothing),
		cmocka_unit_test(jobs_change_nothing),
		cmocka_unit_test(programs_without_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
