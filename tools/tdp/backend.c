// SPDX-License-Identifier: GPL-2.0-only
/*
 * --backend: whose TDP MMU runs.  Each is linked into a program of its own, tdp,
 * tdp-upstream and so on; who asks one for the other gets it in its place.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <tdp/tdp.h>

#include "program.h"
#include "tdp.h"

static const struct {
	const char *backend;
	const char *program;
} programs[] = {
	{ "libtdp", "tdp" },
	{ "upstream", "tdp-upstream" },
	{ "upstream-repaired", "tdp-upstream-repaired" },
};

#define NR_PROGRAMS (sizeof(programs) / sizeof(*programs))

/* Takes --backend=NAME or --backend NAME out of the arguments; NULL if there is none. */
static const char *take_option(int *argc, char **argv)
{
	static const char option[] = "--backend";
	const size_t len = sizeof(option) - 1;
	const char *name = NULL;
	int from, to = 1;

	for (from = 1; from < *argc; from++) {
		if (!strcmp(argv[from], "--"))
			break;
		if (!strncmp(argv[from], option, len) && argv[from][len] == '=')
			name = argv[from] + len + 1;
		else if (!strcmp(argv[from], option))
			name = from + 1 < *argc ? argv[++from] : "";
		else
			argv[to++] = argv[from];
	}
	while (from < *argc)
		argv[to++] = argv[from++];
	argv[to] = NULL;
	*argc = to;
	return name;
}

/* The program of that name in the folder of this one. */
static int become(const char *command, const char *program, char **argv)
{
	char path[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n > 0) {
		path[n] = '\0';
		slash = strrchr(path, '/');
		if ((size_t)(slash + 1 - path) + strlen(program) < sizeof(path)) {
			strcpy(slash + 1, program);
			execv(path, argv);
		}
	}
	fprintf(stderr,
		"tdp %s: there is no %s beside this program (%s); './dev upstream' builds it\n",
		command, program, strerror(errno));
	return TDP_EXIT_USAGE;
}

/**
 * tdp_choose_backend() - do what --backend asks for
 * @argc: of the command line; --backend is taken out
 * @argv: likewise, from the program's name on; argv[1] is the subcommand
 *
 * Return: TDP_EXIT_OK: this program has the backend, go on. TDP_EXIT_USAGE: there is no such one,
 *	which was said. Does not return if another program takes over.
 */
int tdp_choose_backend(int *argc, char **argv)
{
	int arguments = *argc - 1;
	const char *name = take_option(&arguments, argv + 1);
	size_t i;

	*argc = arguments + 1;
	if (!name || !strcmp(name, tdp_backend.name))
		return TDP_EXIT_OK;
	for (i = 0; i < NR_PROGRAMS; i++) {
		if (!strcmp(name, programs[i].backend))
			return become(argv[1], programs[i].program, argv);
	}
	return tdp_usage(argv[1],
			 "--backend: expected libtdp, upstream or upstream-repaired, found ", name);
}

/**
 * tdp_backend_runs() - can the backend run a program as it is? Say if not
 * @prog: the program
 * @path: where it is from
 *
 * Return: TDP_EXIT_OK or TDP_EXIT_USAGE.
 */
int tdp_backend_runs(const struct program *prog, const char *path)
{
	if (prog->vm.policy != VM_ZAP || tdp_backend.zap_policy)
		return TDP_EXIT_OK;
	fprintf(stderr,
		"%s: fault_policy=zap: expected split, which is all that the kernel's code does\n",
		path);
	return TDP_EXIT_USAGE;
}
