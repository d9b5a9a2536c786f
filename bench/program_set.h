/* SPDX-License-Identifier: GPL-2.0-only */
/* A folder of programs that a benchmark measures with. */
#ifndef PROGRAM_SET_H
#define PROGRAM_SET_H

#include <stddef.h>
#include <stdint.h>

#include "executor.h"
#include "program.h"

#define SET_MAX_PROGRAMS 1000

/**
 * struct program_set - programs in binary form
 * @dir: where they are, under bench/programs
 * @data: the programs
 * @size: their sizes in bytes
 * @nr: how many
 * @kinds: bit i: operation kind i occurs
 */
struct program_set {
	const char *dir;
	uint8_t *data[SET_MAX_PROGRAMS];
	size_t size[SET_MAX_PROGRAMS];
	uint32_t nr;
	uint64_t kinds;
};

void set_load(struct program_set *set, struct program *prog);
void set_run(const struct program_set *set, struct executor *executor, struct program *prog,
	     const struct exec_options *opts);
double set_rate(const struct program_set *set, struct executor *executor, struct program *prog,
		double seconds);

#endif /* PROGRAM_SET_H */
