/* SPDX-License-Identifier: GPL-2.0-only */
/* What fuzz targets whose inputs are programs have in common. */
#ifndef FUZZ_PROGRAM_TARGET_H
#define FUZZ_PROGRAM_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor.h"
#include "program.h"

/**
 * struct program_target - a fuzz target, whose LLVMFuzzer*() functions pass this on
 * @name: "fuzz_NAME"
 * @limits: what one input may do before the rest of it is left out: one that splits 1 GiB into 4K
 *	pages takes as long as a thousand that change a table or two, and so would its offspring
 * @wanted: whether a program is of the target's kind; NULL: all are. Others are not run
 * @executor: runs the programs
 * @prog: the program that is run
 */
struct program_target {
	const char *name;
	struct exec_options limits;
	bool (*wanted)(const struct program *prog);
	struct executor *executor;
	struct program *prog;
};

void target_set_up(struct program_target *t);
void target_options(int argc, char **argv);
int target_run(struct program_target *t, const uint8_t *data, size_t size);
bool target_load_text(struct program_target *t, const char *path, uint8_t **data, size_t *size);

#endif /* FUZZ_PROGRAM_TARGET_H */
