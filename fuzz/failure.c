// SPDX-License-Identifier: GPL-2.0-only
/* How a run failed. */
#include "failure.h"

#include <string.h>

/**
 * failure_of() - the way in which an executor's last run failed
 * @x: executor
 * @failure: filled; its rule is 0 if no rule was broken
 */
void failure_of(struct executor *x, struct failure *failure)
{
	const struct oracle *oracle = executor_oracle(x);
	const struct oracle_violation *first;

	memset(failure, 0, sizeof(*failure));
	if (!oracle_nr_violations(oracle))
		return;
	first = oracle_violation(oracle, 0);
	failure->rule = first->rule;
	memcpy(failure->text, first->text, sizeof(failure->text));
}

/**
 * failure_same() - whether two runs failed the same way
 * @a: how the one did
 * @b: how the other did
 *
 * What comes after the first violation is its consequence, and its gfn or thread may be another in
 * a smaller program.  Of WARNs, which all have the one rule '!', it has to be the same one.
 *
 * Return: true if both failed, and by the same rule.
 */
bool failure_same(const struct failure *a, const struct failure *b)
{
	if (!a->rule || a->rule != b->rule)
		return false;
	return a->rule != '!' || !strcmp(a->text, b->text);
}
