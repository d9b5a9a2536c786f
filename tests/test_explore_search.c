// SPDX-License-Identifier: GPL-2.0-only
/*
 * The search, on machines that are simpler than the MMU: threads that read, change and write a few
 * variables under a few locks.  What it finds with its reduction is what it finds without, and what
 * a plain recursion over all schedules finds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "explore_internal.h"
#include "program_rng.h"

#define VARS	  3
#define LOCKS	  2
#define MAX_STEPS 8
#define THREADS	  3

/*
 * READ: reg = reg * 3 + var; WRITE: var = reg; ADD: var += 1, which nobody's own order depends on;
 * ASSERT: a rule is broken if reg is odd; LOCAL: reg *= 5.
 */
enum step_kind { READ, WRITE, ADD, ASSERT, LOCK, UNLOCK, LOCAL };

struct step {
	enum step_kind kind;
	int what;
};

struct machine {
	int nr_threads;
	int nr_steps[THREADS];
	struct step steps[THREADS][MAX_STEPS];
};

struct state {
	uint64_t var[VARS];
	int owner[LOCKS]; /* 0: free, else thread + 1 */
	uint64_t reg[THREADS];
	int at[THREADS];
	bool begun[THREADS]; /* it has asked for its next step, and was switched away from */
	uint32_t rules;
};

static const struct state first_state = { .var = { 1, 2, 3 }, .reg = { 2, 4, 6 } };

static uint64_t state_hash(const struct state *st)
{
	uint64_t h = 1;
	size_t i;

	for (i = 0; i < VARS; i++)
		h = explore_mix(h, st->var[i]);
	for (i = 0; i < THREADS; i++)
		h = explore_mix(explore_mix(h, st->reg[i]), st->at[i]);
	return explore_mix(h, st->rules);
}

static bool has_ended(const struct machine *m, const struct state *st, int t)
{
	return st->at[t] == m->nr_steps[t];
}

static bool is_blocked(const struct machine *m, const struct state *st, int t)
{
	const struct step *step = &m->steps[t][st->at[t]];

	return !has_ended(m, st, t) && step->kind == LOCK && st->owner[step->what] > 0;
}

static uint32_t runnable(const struct machine *m, const struct state *st)
{
	uint32_t mask = 0;
	int t;

	for (t = 0; t < m->nr_threads; t++)
		if (!has_ended(m, st, t) && !is_blocked(m, st, t))
			mask |= 1u << t;
	return mask;
}

static void do_step(const struct machine *m, struct state *st, int t)
{
	const struct step *step = &m->steps[t][st->at[t]++];

	switch (step->kind) {
	case READ:
		st->reg[t] = st->reg[t] * 3 + st->var[step->what];
		break;
	case WRITE:
		st->var[step->what] = st->reg[t];
		break;
	case ADD:
		st->var[step->what]++;
		break;
	case ASSERT:
		if (st->reg[t] & 1)
			st->rules |= 1u << t;
		break;
	case LOCK:
		st->owner[step->what] = t + 1;
		break;
	case UNLOCK:
		st->owner[step->what] = 0;
		break;
	case LOCAL:
		st->reg[t] *= 5;
		break;
	}
}

static bool all_ended(const struct machine *m, const struct state *st)
{
	int t;

	for (t = 0; t < m->nr_threads; t++)
		if (!has_ended(m, st, t))
			return false;
	return true;
}

/* ---- sets of results ---- */

struct results {
	uint64_t *hashes;
	size_t nr, max;
	uint32_t rules;
};

static void results_add(struct results *r, uint64_t hash, uint32_t rules)
{
	size_t i;

	r->rules |= rules;
	for (i = 0; i < r->nr; i++)
		if (r->hashes[i] == hash)
			return;
	if (r->nr == r->max) {
		r->max = r->max ? r->max * 2 : 64;
		r->hashes = realloc(r->hashes, r->max * sizeof(*r->hashes));
		assert_non_null(r->hashes);
	}
	r->hashes[r->nr++] = hash;
}

static int compare_hashes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void assert_same_results(struct results *a, struct results *b)
{
	assert_int_equal(a->rules, b->rules);
	assert_int_equal(a->nr, b->nr);
	qsort(a->hashes, a->nr, sizeof(*a->hashes), compare_hashes);
	qsort(b->hashes, b->nr, sizeof(*b->hashes), compare_hashes);
	assert_memory_equal(a->hashes, b->hashes, a->nr * sizeof(*a->hashes));
}

/* ---- the search ---- */

struct subject {
	const struct machine *m;
	struct search *search;
	struct results *results;
	jmp_buf left;
};

static int touches_of(const struct step *step, struct touch *touch)
{
	static const unsigned int how[] = {
		[READ] = TOUCH_READ,  [WRITE] = TOUCH_WRITE,  [ADD] = TOUCH_WRITE,
		[LOCK] = TOUCH_WRITE, [UNLOCK] = TOUCH_WRITE,
	};

	if (step->kind == ASSERT || step->kind == LOCAL)
		return 0;
	*touch = (struct touch){
		.object = 100 + step->what + 10 * (step->kind == LOCK || step->kind == UNLOCK),
		.how = how[step->kind],
	};
	return 1;
}

/*
 * A thread asks before each step.  LOCK is asked for as an event of its own when the thread finds
 * the lock taken, as it goes into the queue then.
 */
static uint32_t run_machine(void *ctx)
{
	struct subject *subject = ctx;
	const struct machine *m = subject->m;
	struct search *s = subject->search;
	struct state st = first_state;
	struct touch first;
	int t;

	if (setjmp(subject->left))
		return 0;
	search_start(s, 0);
	search_asked(s, 0, &first, touches_of(&m->steps[0][0], &first));
	st.begun[0] = true;
	t = search_first(s, 0, runnable(m, &st));
	for (;;) {
		const struct step *step = &m->steps[t][st.at[t]];
		struct touch touch;
		int next, n;

		if (has_ended(m, &st, t) || is_blocked(m, &st, t)) {
			uint32_t others = runnable(m, &st);

			if (!others)
				break;
			if (!has_ended(m, &st, t)) {
				/* It looked at the lock. */
				n = touches_of(step, &touch);
				search_touch(s, t, &touch, n);
			}
			t = others & (others - 1) ? search_pick(s, t, others) :
						    __builtin_ctz(others);
			continue;
		}
		if (!st.begun[t]) {
			n = touches_of(step, &touch);
			next = search_point(s, t, &touch, n, runnable(m, &st), true);
			if (next != t) {
				st.begun[t] = true;
				t = next;
				continue;
			}
		}
		st.begun[t] = false;
		do_step(m, &st, t);
	}
	if (!all_ended(m, &st))
		st.rules |= 1u << 8;
	if (!search_was_cut(s))
		results_add(subject->results, state_hash(&st), st.rules);
	return st.rules;
}

static void leave_machine(void *ctx)
{
	struct subject *subject = ctx;

	longjmp(subject->left, 1);
}

static struct search_found *explore(const struct machine *m, const struct search_options *opts,
				    bool leaves, struct results *results)
{
	struct search_found *found = calloc(1, sizeof(*found));
	struct subject subject = { .m = m, .results = results };
	const struct search_subject what = {
		.ctx = &subject,
		.nr_threads = m->nr_threads,
		.run = run_machine,
		.leave = leaves ? leave_machine : NULL,
	};

	assert_non_null(found);
	subject.search = search_create(&what, opts);
	search_run(subject.search, found);
	search_destroy(subject.search);
	assert_true(found->exhausted);
	assert_int_equal(found->count.schedules, found->count.complete + found->count.cut);
	return found;
}

/* ---- the plain recursion ---- */

static uint32_t smallest; /* preemptions of a failing schedule */

static void recurse(const struct machine *m, const struct state *st, int t, uint32_t budget,
		    uint32_t used, struct results *results)
{
	uint32_t mask = runnable(m, st);
	int next;

	if (!mask) {
		struct state end = *st;

		if (!all_ended(m, &end))
			end.rules |= 1u << 8;
		if (end.rules && used < smallest)
			smallest = used;
		results_add(results, state_hash(&end), end.rules);
		return;
	}
	for (next = 0; next < m->nr_threads; next++) {
		bool preempts = t >= 0 && (mask & 1u << t) && next != t;
		struct state after = *st;

		if (!(mask & 1u << next) || (preempts && !budget))
			continue;
		do_step(m, &after, next);
		recurse(m, &after, next, budget - preempts, used + preempts, results);
	}
}

/* ---- machines ---- */

static void random_machine(struct machine *m, uint64_t seed)
{
	struct rng rng = rng_seed(seed);
	int t, i;

	*m = (struct machine){ .nr_threads = 2 + rng_below(&rng, 2) };
	for (t = 0; t < m->nr_threads; t++) {
		int held[LOCKS], nr_held = 0;

		m->nr_steps[t] = 2 + rng_below(&rng, m->nr_threads == 2 ? 5 : 3);
		for (i = 0; i < m->nr_steps[t]; i++) {
			struct step *step = &m->steps[t][i];
			int left = m->nr_steps[t] - i, lock, k;

			if (nr_held == left || (nr_held && rng_chance(&rng, 30))) {
				*step = (struct step){ UNLOCK, held[--nr_held] };
				continue;
			}
			*step = (struct step){ rng_below(&rng, 4), rng_below(&rng, VARS) };
			if (rng_chance(&rng, 15))
				step->kind = LOCAL;
			lock = rng_below(&rng, LOCKS);
			for (k = 0; k < nr_held; k++)
				if (held[k] == lock)
					lock = -1;
			if (lock >= 0 && nr_held + 2 <= left && rng_chance(&rng, 25)) {
				*step = (struct step){ LOCK, lock };
				held[nr_held++] = lock;
			}
		}
	}
}

static void reduction_loses_nothing(void **state)
{
	uint64_t with = 0, without = 0, skipped = 0, seed;
	uint32_t failing = 0;

	(void)state;
	for (seed = 1; seed <= 3000; seed++) {
		struct results all = { .nr = 0 }, full = { .nr = 0 }, reduced = { .nr = 0 };
		struct search_options opts = { .preemptions = seed % 4, .parts = 1 };
		struct search_found *a, *b;
		struct machine m;

		random_machine(&m, seed);
		smallest = ~0u;
		recurse(&m, &first_state, -1, opts.preemptions, 0, &all);
		b = explore(&m, &opts, seed & 8, &reduced);
		opts.no_reduction = true;
		a = explore(&m, &opts, false, &full);
		assert_same_results(&full, &all);
		assert_same_results(&reduced, &all);
		assert_int_equal(a->rules, b->rules);
		if (all.rules) {
			failing++;
			assert_int_equal(a->preemptions, smallest);
			assert_int_equal(b->preemptions, smallest);
		}
		without += a->count.schedules;
		with += b->count.schedules;
		skipped += b->count.skipped;
		free(a);
		free(b);
		free(all.hashes);
		free(full.hashes);
		free(reduced.hashes);
	}
	print_message(
		"%llu schedules without reduction, %llu with (%llu not tried), %u machines fail\n",
		(unsigned long long)without, (unsigned long long)with, (unsigned long long)skipped,
		failing);
	assert_true(with < without / 2);
	assert_in_range(failing, 300, 2900);
}

static void parts_make_the_whole(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 500; seed++) {
		struct results whole = { .nr = 0 }, together = { .nr = 0 };
		struct search_options opts = {
			.preemptions = seed % 4,
			.no_reduction = seed & 4,
			.parts = 1,
		};
		struct search_found *found;
		uint64_t schedules, sum = 0;
		struct machine m;

		random_machine(&m, seed);
		found = explore(&m, &opts, false, &whole);
		schedules = found->count.schedules;
		free(found);
		opts.parts = 4;
		for (opts.part = 0; opts.part < opts.parts; opts.part++) {
			found = explore(&m, &opts, false, &together);
			sum += found->count.schedules;
			free(found);
		}
		assert_same_results(&whole, &together);
		if (opts.no_reduction)
			assert_int_equal(schedules, sum);
		free(whole.hashes);
		free(together.hashes);
	}
}

/* Two threads that lose an update: it takes one preemption, and none finds nothing. */
static void lost_update(void **state)
{
	static const struct machine m = {
		.nr_threads = 2,
		.nr_steps = { 4, 2 },
		.steps = {
			{ { READ, 1 }, { WRITE, 0 }, { READ, 1 }, { ASSERT, 0 } },
			{ { ADD, 1 }, { LOCAL, 0 } },
		},
	};
	struct search_options opts = { .parts = 1 };
	struct results results = { .nr = 0 };
	struct search_found *found;

	(void)state;
	found = explore(&m, &opts, false, &results);
	assert_int_equal(found->rules, 0);
	assert_int_equal(found->count.schedules, 2);
	free(found);
	opts.preemptions = 1;
	found = explore(&m, &opts, false, &results);
	assert_int_equal(found->rules, 1);
	assert_int_equal(found->preemptions, 1);
	assert_int_equal(found->smallest.nr, 1);
	free(found);
	opts.first = true;
	opts.no_reduction = true;
	free(results.hashes);
}

static void budgets_of_seen_states(void **state)
{
	struct seen seen;
	uint64_t i;

	(void)state;
	seen_init(&seen);
	for (i = 0; i < 100000; i++)
		assert_false(seen_before(&seen, explore_mix(1, i), i % 3));
	for (i = 0; i < 100000; i++) {
		assert_true(seen_before(&seen, explore_mix(1, i), i % 3));
		assert_false(seen_before(&seen, explore_mix(1, i), i % 3 + 1));
		assert_true(seen_before(&seen, explore_mix(1, i), 0));
	}
	assert_int_equal(seen.used, 100000);
	seen_free(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reduction_loses_nothing),
		cmocka_unit_test(parts_make_the_whole),
		cmocka_unit_test(lost_update),
		cmocka_unit_test(budgets_of_seen_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
