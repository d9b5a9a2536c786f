/* SPDX-License-Identifier: GPL-2.0-only */
/* What fibers must do, whatever they switch with. */
#ifndef FIBER_CASES_H
#define FIBER_CASES_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fiber.h"

#define NR_TURNS  1000
#define NR_FIBERS 5

struct turn {
	struct fiber *next;
	struct fiber *ran_on;
	int nr;
	int turns;
	double sum;
};

static void take_turns(void *arg)
{
	struct turn *t = arg;
	double sum = t->nr;
	char local[64];
	int i;

	t->ran_on = fiber_current();
	for (i = 0; i < NR_TURNS; i++) {
		memset(local, t->nr * 16 + i % 16, sizeof(local));
		fiber_switch(t->next);
		assert_int_equal((unsigned char)local[i % 64], t->nr * 16 + i % 16);
		sum = sum * 0.5 + i;
		t->turns++;
	}
	t->sum = sum;
	fiber_end(t->next);
}

/* A ring of fibers: what each has in variables and registers stays its own. */
static void test_ring(void **state)
{
	struct fiber *fibers[NR_FIBERS + 1] = { NULL };
	struct turn ring[NR_FIBERS] = { 0 };
	int i;

	(void)state;
	assert_null(fiber_current());
	for (i = NR_FIBERS - 1; i >= 0; i--) {
		ring[i].nr = i;
		ring[i].next = fibers[i + 1];
		fibers[i] = fiber_get(take_turns, &ring[i]);
	}
	for (i = 0; i < NR_TURNS + 1; i++)
		fiber_switch(fibers[0]);
	assert_null(fiber_current());
	for (i = 0; i < NR_FIBERS; i++) {
		double sum = i;
		int turn;

		fiber_put(fibers[i]);
		for (turn = 0; turn < NR_TURNS; turn++)
			sum = sum * 0.5 + turn;
		assert_ptr_equal(ring[i].ran_on, fibers[i]);
		assert_int_equal(ring[i].turns, NR_TURNS);
		assert_true(ring[i].sum == sum);
	}
}

static void add_one(void *arg)
{
	++*(int *)arg;
	fiber_end(NULL);
}

/* The pool gives back what was put last, and a stack can be used any number of times. */
static void test_reuse(void **state)
{
	struct fiber *first = fiber_get(add_one, NULL), *f;
	int n = 0, i;

	(void)state;
	fiber_put(first); /* it never ran */
	for (i = 0; i < 10000; i++) {
		f = fiber_get(add_one, &n);
		assert_ptr_equal(f, first);
		fiber_switch(f);
		fiber_put(f);
	}
	assert_int_equal(n, 10000);
}

static __attribute__((noinline)) int deep(int depth, volatile char *above)
{
	volatile char here[100];

	memset((char *)here, depth, sizeof(here));
	here[0] = above ? above[0] + 1 : 0;
	if (!depth) {
		fiber_switch(NULL);
		return here[0];
	}
	return deep(depth - 1, here) + here[depth % 100];
}

static void go_deep(void *arg)
{
	deep(*(int *)arg, NULL);
	fiber_end(NULL);
}

static void fill_stack(void *arg)
{
	volatile char all[30000];

	memset((char *)all, 1, sizeof(all));
	*(int *)arg += all[1];
	fiber_end(NULL);
}

/* A fiber that is left in the middle leaves nothing behind: not in the stack's red zones either. */
static void test_abandoned(void **state)
{
	int filled = 0, i;

	(void)state;
	for (i = 0; i < 400; i++) {
		int depth = i * 7 % 100;
		struct fiber *f = fiber_get(go_deep, &depth);

		fiber_switch(f);
		if (i % 4 == 0)
			fiber_switch(f);
		fiber_put(f);
		f = fiber_get(fill_stack, &filled);
		fiber_switch(f);
		fiber_put(f);
	}
	assert_int_equal(filled, 400);
}

static void nested(void *arg)
{
	int n = 0, i;

	for (i = 0; i < 3; i++) {
		struct fiber *f = fiber_get(add_one, &n);

		/* It goes to the OS thread's stack, which comes back here. */
		fiber_switch(f);
		fiber_put(f);
	}
	*(int *)arg = n;
	fiber_end(NULL);
}

/* A fiber may get, start and put others. */
static void test_nested(void **state)
{
	int n = 0;
	struct fiber *f = fiber_get(nested, &n);
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		fiber_switch(f);
	fiber_put(f);
	assert_int_equal(n, 3);
}

/* Ends by @statement in a process of its own, whose signal is returned. */
#define signal_of(statement)                                        \
	({                                                          \
		pid_t pid_ = fork();                                \
		int status_ = 0;                                    \
                                                                    \
		assert_true(pid_ >= 0);                             \
		if (!pid_) {                                        \
			close(STDERR_FILENO);                       \
			signal(SIGABRT, SIG_DFL);                   \
			signal(SIGSEGV, SIG_DFL);                   \
			statement;                                  \
			_exit(0);                                   \
		}                                                   \
		assert_int_equal(waitpid(pid_, &status_, 0), pid_); \
		status_;                                            \
	})

static void overflow(void *arg)
{
	deep(1000000, arg);
}

static void come_back(void *arg)
{
	(void)arg;
}

static void put_self(void *arg)
{
	(void)arg;
	fiber_put(fiber_current());
}

static void put_twice(void)
{
	struct fiber *f = fiber_get(add_one, NULL);

	fiber_put(f);
	fiber_put(f);
}

/* Mistakes end the process rather than overwrite something. */
static void test_mistakes(void **state)
{
	(void)state;
	assert_int_not_equal(signal_of(fiber_switch(fiber_get(overflow, NULL))), 0);
	assert_int_not_equal(signal_of(fiber_switch(fiber_get(come_back, NULL))), 0);
	assert_int_not_equal(signal_of(fiber_switch(fiber_get(put_self, NULL))), 0);
	assert_int_not_equal(signal_of(put_twice()), 0);
	assert_int_not_equal(signal_of(fiber_end(NULL)), 0);
	assert_int_equal(signal_of(fiber_put(fiber_get(add_one, NULL))), 0);
}

static int run_fiber_cases(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring),	  cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_abandoned), cmocka_unit_test(test_nested),
		cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif /* FIBER_CASES_H */
