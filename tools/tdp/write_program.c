// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"
#include "tdp.h"

/**
 * tdp_write_program() - write a program that breaks a rule
 * @prog: program
 * @path: file, NULL: standard output
 *
 * Return: TDP_EXIT_VIOLATION; TDP_EXIT_USAGE if it could not be written, which it says.
 */
int tdp_write_program(const struct program *prog, const char *path)
{
	FILE *file = path ? fopen(path, "w") : stdout;
	char *text = program_text(prog);
	bool failed;

	if (!file || !text) {
		fprintf(stderr, "%s: %s\n", path ? path : "standard output", strerror(errno));
		free(text);
		return TDP_EXIT_USAGE;
	}
	failed = fputs(text, file) < 0;
	failed |= path ? fclose(file) : fflush(file);
	free(text);
	if (failed) {
		fprintf(stderr, "%s: %s\n", path ? path : "standard output", strerror(errno));
		return TDP_EXIT_USAGE;
	}
	return TDP_EXIT_VIOLATION;
}
