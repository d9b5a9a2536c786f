// SPDX-License-Identifier: GPL-2.0-only
/* tdp COMMAND ...: which command it is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tdp.h"

/**
 * struct command - a subcommand
 * @name: what the user types
 * @run: does it
 * @help: one line
 * @backends: takes --backend
 */
struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
	bool backends;
};

static const struct command commands[] = {
	{ "run", cmd_run, "replay programs against the MMU with the oracle watching", true },
	{ "shrink", cmd_shrink, "make a failing program small: operations, preemptions, operands",
	  true },
	{ "explore", cmd_explore, "run every schedule with at most so many preemptions", true },
	{ "pairs", cmd_pairs, "explore how every two operations interleave", false },
	{ "import", cmd_import, "turn a log that a kernel recorded into a program", false },
	{ "check", cmd_check, "check a log that a kernel recorded against the rules", false },
	{ "kunit", cmd_kunit, "turn programs into KUnit tests of the kernel's TDP MMU", true },
	{ "convert", cmd_convert, "turn a program into canonical text or binary form", false },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(*commands))

static void help(FILE *out)
{
	size_t i;

	fprintf(out, "usage: tdp COMMAND [ARGUMENTS]\n\n");
	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	fprintf(out, "\n'tdp COMMAND --help' says more.  Exit status: 0 nothing found, "
		     "1 a violation, 2 bad input.\n");
}

static int run(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		help(stderr);
		return TDP_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help(stdout);
		return TDP_EXIT_OK;
	}
	for (i = 0; i < NR_COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		if (commands[i].backends && tdp_choose_backend(&argc, argv))
			return TDP_EXIT_USAGE;
		return commands[i].run(argc - 1, argv + 1);
	}
	fprintf(stderr, "tdp: there is no command '%s'; 'tdp --help' lists them\n", argv[1]);
	return TDP_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	int status = run(argc, argv);

	/* Nobody must take half of what was to be printed for all of it; a violation stays one. */
	if ((fflush(stdout) || ferror(stdout)) && status == TDP_EXIT_OK) {
		fprintf(stderr, "tdp: standard output: %s\n", strerror(errno));
		return TDP_EXIT_USAGE;
	}
	return status;
}
