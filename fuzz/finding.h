/* SPDX-License-Identifier: GPL-2.0-only */
/* A violation, told to people. */
#ifndef FUZZ_FINDING_H
#define FUZZ_FINDING_H

#include <stdio.h>

#include "oracle.h"
#include "program.h"

/* All there are; '!' is a WARN. */
#define RULE_LETTERS "TDUNMLPWXGBA!"

const char *rule_meaning(char rule);
void finding_print(FILE *out, const char *path, const struct program *prog,
		   const struct oracle_violation *v);

#endif /* FUZZ_FINDING_H */
