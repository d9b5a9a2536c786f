/* SPDX-License-Identifier: GPL-2.0-only */
/* cmocka set-up and tear-down for tests that run programs: an executor and a program to fill. */
#ifndef TESTS_EXECUTOR_FIXTURE_H
#define TESTS_EXECUTOR_FIXTURE_H

#include "executor.h"
#include "program.h"

static struct executor *executor;
static struct program *prog;

static int set_up(void **state)
{
	(void)state;
	executor = executor_create();
	prog = program_alloc();
	return executor && prog ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	program_free(prog);
	executor_destroy(executor);
	return 0;
}

#endif /* TESTS_EXECUTOR_FIXTURE_H */
