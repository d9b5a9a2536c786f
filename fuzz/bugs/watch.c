// SPDX-License-Identifier: GPL-2.0-only
/*
 * In a build with a known bug: says, on standard error, after how many executions the bug was first
 * reached, first triggered and detected, and by what.
 *
 *   bug: reached executions=12
 *   bug: triggered executions=40
 *   bug: other rule=! executions=41
 *   bug: detected rule=T executions=95
 *
 * Detected is what breaks one of the rules that the bug is known to break.  The first run that
 * breaks only others, or only makes a WARN fire, is named as well, and the fuzzer goes on.
 */
#include "watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bug.h"
#include "canary.h"

static uint64_t executions;
static bool reached, triggered;
static bool others[128];

/**
 * bug_detected_by() - whether a run showed the bug
 * @oracle: what watched it
 *
 * Return: the first rule that was broken of those that the bug breaks, or 0.
 */
char bug_detected_by(const struct oracle *oracle)
{
	uint32_t i;

	for (i = 0; i < oracle_nr_violations(oracle); i++) {
		char rule = oracle_violation(oracle, i)->rule;

		if (strchr(bug.rules, rule))
			return rule;
	}
	return 0;
}

static void say_once(bool *said, bool now, const char *what)
{
	if (*said || !now)
		return;
	*said = true;
	fprintf(stderr, "bug: %s executions=%" PRIu64 "\n", what, executions);
}

/**
 * bug_run_begins() - an execution begins
 */
void bug_run_begins(void)
{
	bug_canary = (struct bug_canary){ 0 };
}

/**
 * bug_run_ends() - an execution is over
 * @oracle: what watched it
 * @races: data races that TSan has reported
 *
 * Return: true if it showed the bug.
 */
bool bug_run_ends(const struct oracle *oracle, uint32_t races)
{
	char rule = bug_detected_by(oracle);
	uint32_t i;

	executions++;
	say_once(&reached, bug_canary.reached, "reached");
	say_once(&triggered, bug_canary.triggered, "triggered");
	if (rule) {
		fprintf(stderr, "bug: detected rule=%c executions=%" PRIu64 "\n", rule, executions);
		return true;
	}
	if (races) {
		fprintf(stderr, "bug: detected race executions=%" PRIu64 "\n", executions);
		return true;
	}
	for (i = 0; i < oracle_nr_violations(oracle); i++) {
		char other[] = "other rule=?";

		rule = oracle_violation(oracle, i)->rule;
		other[strlen(other) - 1] = rule;
		say_once(&others[rule & 127], true, other);
	}
	return false;
}
