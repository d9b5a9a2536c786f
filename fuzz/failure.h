/* SPDX-License-Identifier: GPL-2.0-only */
/* How a run failed, so that two runs can be asked whether they failed the same way. */
#ifndef FUZZ_FAILURE_H
#define FUZZ_FAILURE_H

#include <stdbool.h>

#include "executor.h"

/**
 * struct failure - the way in which a run failed
 * @rule: letter of the first rule that was broken, 0 if none was
 * @text: what was said of it
 */
struct failure {
	char rule;
	char text[sizeof(((struct oracle_violation *)0)->text)];
};

void failure_of(struct executor *x, struct failure *failure);
bool failure_same(const struct failure *a, const struct failure *b);

#endif /* FUZZ_FAILURE_H */
