// SPDX-License-Identifier: GPL-2.0-only
/* What the subcommands make of their arguments in the same way. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "program.h"
#include "tdp.h"

/**
 * tdp_usage() - say that a subcommand was asked for something it cannot do
 * @command: its name
 * @why: what was expected, up to what was found instead
 * @what: what was found, "" if there is nothing to show
 *
 * Return: TDP_EXIT_USAGE.
 */
int tdp_usage(const char *command, const char *why, const char *what)
{
	fprintf(stderr, "tdp %s: %s%s; 'tdp %s --help' says more\n", command, why, what, command);
	return TDP_EXIT_USAGE;
}

/**
 * tdp_number() - read an option's number, decimal or hexadecimal
 * @text: all of it has to be the number
 * @least: the smallest allowed
 * @most: the largest allowed
 * @value: receives it
 *
 * Return: whether it is one, and allowed.
 */
bool tdp_number(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return !errno && end != text && !*end && *text != '-' && *value >= least && *value <= most;
}

/**
 * tdp_load_program() - read a program, or say what is wrong with it
 * @prog: receives it
 * @path: file, "-" for standard input
 * @raw: it is a fuzzer's input: any bytes, whatever the first one says
 *
 * Return: TDP_EXIT_OK, or TDP_EXIT_USAGE when file, line and what was expected have been said.
 */
int tdp_load_program(struct program *prog, const char *path, bool raw)
{
	struct prog_error err;

	if (!(raw ? program_load_raw(prog, path, &err) : program_load(prog, path, &err)))
		return TDP_EXIT_OK;
	if (err.line)
		fprintf(stderr, "%s:%d: %s\n", path, err.line, err.msg);
	else
		fprintf(stderr, "%s: %s\n", path, err.msg);
	return TDP_EXIT_USAGE;
}
