/* SPDX-License-Identifier: GPL-2.0-only */
/* cmocka set-up for tests that run functions on simulated threads: what happened, in letters. */
#ifndef TESTS_SIM_FIXTURE_H
#define TESTS_SIM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "platform.h"
#include "stuck.h"

static struct sim_thread threads[SIM_MAX_THREADS];
static char story[256];		/* what the threads have said */
static char fatal_text[256];
static char fatal_rule;

static void say(char c)
{
	size_t len = strlen(story);

	assert_true(len + 1 < sizeof(story));
	story[len] = c;
}

/* The platform leaves the run when this returns. */
static void on_fatal(void *ctx, char rule, const char *what, hpa_t pa)
{
	(void)ctx;
	(void)pa;
	fatal_rule = rule;
	snprintf(fatal_text, sizeof(fatal_text), "%s", what);
}

static const struct sim_observer fixture_observer = {
	.stuck = stuck_in_words,
	.fatal = on_fatal,
};

static int setup(void **state)
{
	(void)state;
	sim_reset();
	memset(threads, 0, sizeof(threads));
	memset(story, 0, sizeof(story));
	fatal_rule = 0;
	fatal_text[0] = 0;
	sim_set_observer(&fixture_observer);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sim_reset();
	sim_set_observer(NULL);
	return 0;
}

/* Thread @i will run @fn, whose argument is the thread. */
static void start(int i, void (*fn)(void *arg))
{
	sim_thread_start(&threads[i], i, fn, &threads[i]);
}

static inline int number_of(const struct sim_thread *thread)
{
	return thread - threads;
}

static void expect_story(const char *expected)
{
	assert_true(sim_threads_run());
	assert_string_equal(story, expected);
}

#endif /* TESTS_SIM_FIXTURE_H */
