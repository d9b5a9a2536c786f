/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The `tdp` command.  Each subcommand is a function in a file of its own and a row of the table in
 * main.c; argv[0] is its name.  They return the exit status.
 */
#ifndef TDP_TOOL_H
#define TDP_TOOL_H

#include <stdbool.h>
#include <stdint.h>

enum {
	TDP_EXIT_OK = 0,
	TDP_EXIT_VIOLATION = 1,
	TDP_EXIT_USAGE = 2, /* bad input */
};

struct program;

/* arguments.c */
int tdp_usage(const char *command, const char *why, const char *what);
bool tdp_number(const char *text, uint64_t least, uint64_t most, uint64_t *value);
int tdp_load_program(struct program *prog, const char *path, bool raw);

/* backend.c */
int tdp_choose_backend(int *argc, char **argv);
int tdp_backend_runs(const struct program *prog, const char *path);

int tdp_write_program(const struct program *prog, const char *path);

int cmd_check(int argc, char **argv);
int cmd_convert(int argc, char **argv);
int cmd_explore(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_kunit(int argc, char **argv);
int cmd_pairs(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_shrink(int argc, char **argv);

#endif /* TDP_TOOL_H */
