/* SPDX-License-Identifier: GPL-2.0-only */
/* The known bug that a build has in it, and whether a run has shown it. */
#ifndef FUZZ_BUGS_BUG_H
#define FUZZ_BUGS_BUG_H

#include <stdbool.h>
#include <stdint.h>

#include "oracle.h"

/**
 * struct bug - from the header of the bug's semantic patch
 * @name: of the patch, less .cocci
 * @kind: 'S' one thread, 'Y' one thread that yields, 'C' an interleaving
 * @rules: the rules of which it breaks at least one
 */
struct bug {
	const char *name;
	char kind;
	const char *rules;
};

extern const struct bug bug;

char bug_detected_by(const struct oracle *oracle);

#endif /* FUZZ_BUGS_BUG_H */
