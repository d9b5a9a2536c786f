// SPDX-License-Identifier: GPL-2.0-only
/* tdp convert: a program from either form into either. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"
#include "tdp.h"

static const char help[] =
	"usage: tdp convert FILE [-o OUT] [--to text|binary]\n"
	"\n"
	"Read a program in either form and write it as canonical text, or in binary form.\n"
	"Comments are not kept.\n"
	"\n"
	"  -o, --output OUT       write there rather than to standard output\n"
	"  -t, --to text|binary   the form to write (default: text)\n"
	"  -r, --raw              FILE is a fuzzer's input: any bytes, whatever the first one says\n"
	"  -h, --help             this text\n";

/* The whole of a program in one form; NULL without memory. */
static char *render(const struct program *prog, bool binary, size_t *size)
{
	char *buf;

	*size = binary ? program_encode(prog, NULL, 0) : program_print(prog, NULL, 0);
	buf = malloc(*size + 1);
	if (!buf)
		return NULL;
	if (binary)
		program_encode(prog, (uint8_t *)buf, *size);
	else
		program_print(prog, buf, *size + 1);
	return buf;
}

static int write_out(const char *path, const char *buf, size_t size)
{
	FILE *file = path ? fopen(path, "wb") : stdout;
	bool failed;

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return TDP_EXIT_USAGE;
	}
	failed = fwrite(buf, 1, size, file) != size;
	failed |= path ? fclose(file) : fflush(file);
	if (failed) {
		fprintf(stderr, "%s: %s\n", path ? path : "standard output", strerror(errno));
		return TDP_EXIT_USAGE;
	}
	return TDP_EXIT_OK;
}

static int convert(struct program *prog, const char *in, bool raw, const char *out, bool binary)
{
	size_t size;
	char *buf;
	int ret;

	if (tdp_load_program(prog, in, raw))
		return TDP_EXIT_USAGE;
	buf = render(prog, binary, &size);
	if (!buf) {
		fprintf(stderr, "tdp convert: no memory\n");
		return TDP_EXIT_USAGE;
	}
	ret = write_out(out, buf, size);
	free(buf);
	return ret;
}

int cmd_convert(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "to", required_argument, NULL, 't' },
		{ "raw", no_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *out = NULL;
	bool binary = false, raw = false;
	struct program *prog;
	int option, ret;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "o:t:rh", options, NULL)) != -1) {
		switch (option) {
		case 'o':
			out = optarg;
			break;
		case 't':
			if (strcmp(optarg, "text") && strcmp(optarg, "binary"))
				return tdp_usage("convert", "--to: expected text or binary, found ",
						 optarg);
			binary = !strcmp(optarg, "binary");
			break;
		case 'r':
			raw = true;
			break;
		case 'h':
			fputs(help, stdout);
			return TDP_EXIT_OK;
		default:
			return tdp_usage("convert", "bad option ", argv[optind - 1]);
		}
	}
	if (optind != argc - 1)
		return tdp_usage("convert", "expected one FILE", "");

	prog = program_alloc();
	if (!prog) {
		fprintf(stderr, "tdp convert: no memory\n");
		return TDP_EXIT_USAGE;
	}
	ret = convert(prog, argv[optind], raw, out, binary);
	program_free(prog);
	return ret;
}
