// SPDX-License-Identifier: GPL-2.0-only
/*
 * main() for fuzz targets without libFuzzer, so that any C compiler can replay a corpus: it gives
 * each file, and each file in each directory, to LLVMFuzzerTestOneInput().  With -runs=N it then
 * makes N inputs of its own from those by the target's mutator.
 *
 * Files: NAME.hex holds hexadecimal bytes, with comments from "#" to the end of the line; what the
 * target's fuzz_load_text() knows by its name is turned into an input by that; anything else is an
 * input as it stands.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driver.h"

#define MAX_INPUT_BYTES	(1UL << 20)	/* bytes of an input, mutated ones included */
#define EXIT_USAGE	2
#define PULSE_EVERY	8192	/* inputs */

struct input {
	uint8_t *data;
	size_t size;
};

static struct input *inputs;
static size_t nr_inputs, cap_inputs;
static const char *artifact_prefix = "./";
static struct input current;

static void fail(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	exit(EXIT_USAGE);
}

static void add_input(uint8_t *data, size_t size)
{
	if (nr_inputs == cap_inputs) {
		cap_inputs = cap_inputs ? 2 * cap_inputs : 64;
		inputs = realloc(inputs, cap_inputs * sizeof(*inputs));
		if (!inputs)
			abort();
	}
	inputs[nr_inputs++] = (struct input){ data, size };
}

static bool ends_with(const char *s, const char *end)
{
	size_t a = strlen(s), b = strlen(end);

	return a >= b && !strcmp(s + a - b, end);
}

/* Hexadecimal text to bytes, in place. */
static size_t parse_hex(const char *path, uint8_t *data, size_t size)
{
	size_t i, n = 0;
	int digits = 0, line = 1;
	char why[64];

	for (i = 0; i < size; i++) {
		int c = data[i], digit;

		if (c == '#') {
			while (i + 1 < size && data[i + 1] != '\n')
				i++;
			continue;
		}
		line += c == '\n';
		if (isspace(c) && digits % 2 == 0)
			continue;
		if (!isxdigit(c)) {
			snprintf(why, sizeof(why), "line %d: expected pairs of hexadecimal digits",
				 line);
			fail(path, why);
		}
		digit = isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
		if (digits++ % 2)
			data[n - 1] = data[n - 1] << 4 | digit;
		else
			data[n++] = digit;
	}
	if (digits % 2)
		fail(path, "the last byte has one hexadecimal digit: expected two");
	return n;
}

static void load_file(const char *path, off_t file_size)
{
	uint8_t *data = NULL;
	size_t size = 0;
	FILE *file;

	if (fuzz_load_text && fuzz_load_text(path, &data, &size)) {
		if (!data)
			exit(EXIT_USAGE);
		add_input(data, size);
		return;
	}
	if (file_size > (off_t)MAX_INPUT_BYTES)
		fail(path, "larger than 1 MiB: no input is");
	file = fopen(path, "rb");
	if (!file)
		fail(path, strerror(errno));
	data = malloc(file_size + 1);
	if (!data)
		abort();
	size = fread(data, 1, file_size, file);
	fclose(file);
	if (ends_with(path, ".hex"))
		size = parse_hex(path, data, size);
	add_input(data, size);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void load(const char *path)
{
	struct dirent **names;
	struct stat st;
	int i, n;

	if (stat(path, &st))
		fail(path, strerror(errno));
	if (!S_ISDIR(st.st_mode)) {
		load_file(path, st.st_size);
		return;
	}
	n = scandir(path, &names, not_hidden, by_name);
	if (n < 0)
		fail(path, strerror(errno));
	for (i = 0; i < n; i++) {
		char *child;

		if (asprintf(&child, "%s/%s", path, names[i]->d_name) < 0)
			abort();
		load(child);
		free(child);
		free(names[i]);
	}
	free(names);
}

/* What is run is saved when it ends the process. Only what a signal handler may call. */
static void save_current(int sig)
{
	static const char note[] =
		"\ndriver: the input that did this is saved in the file crash-driver "
		"under the artifact prefix\n";
	char path[4096];
	size_t n = strlen(artifact_prefix);
	int fd = -1;

	if (n < sizeof(path) - 16) {
		memcpy(path, artifact_prefix, n);
		strcpy(path + n, "crash-driver");
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	}
	if (fd >= 0 && write(fd, current.data, current.size) == (ssize_t)current.size &&
	    write(STDERR_FILENO, note, sizeof(note) - 1) < 0)
		_exit(1);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void run_one(uint8_t *data, size_t size)
{
	current = (struct input){ data, size };
	LLVMFuzzerTestOneInput(data, size);
}

/* One of the inputs, with a few changes; @crossed is room for @max bytes, too. */
static size_t make_from_inputs(uint8_t *data, uint8_t *crossed, size_t max)
{
	const struct input *from = nr_inputs ? &inputs[driver_random() % nr_inputs] : NULL;
	const struct input *other = nr_inputs ? &inputs[driver_random() % nr_inputs] : NULL;
	size_t size = from ? from->size : 0;

	if (size > max)
		size = max;
	if (size)
		memcpy(data, from->data, size);
	return driver_change(data, size, max, other ? other->data : NULL, other ? other->size : 0,
			     crossed);
}

static void run_random(uint64_t runs, size_t max)
{
	uint8_t *data = malloc(max), *crossed = malloc(max);
	size_t size;
	uint64_t i;

	if (!data || !crossed)
		abort();
	for (i = 0; i < runs; i++) {
		/* For who watches: as libFuzzer says how far it is. */
		if (i && i % PULSE_EVERY == 0)
			fprintf(stderr, "#%llu\tpulse\n", (unsigned long long)i);
		if (fuzz_generate && i % 2)
			size = fuzz_generate(data, max, driver_random());
		else
			size = make_from_inputs(data, crossed, max);
		run_one(data, size);
	}
	free(data);
	free(crossed);
}

static uint64_t number(const char *arg, const char *value)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(value, &end, 0);
	if (errno || end == value || *end || *value == '-')
		fail(arg, "expected a number");
	return n;
}

static void help(const char *name)
{
	printf("usage: %s [-replay=0] [-runs=N] [-seed=S] [-max_len=BYTES] [-artifact_prefix=PATH]\n"
	       "	[FILE|DIRECTORY]...\n"
	       "Runs each file through the fuzz target (not with -replay=0), then N inputs made from\n"
	       "them at random.\n",
	       name);
}

int main(int argc, char **argv)
{
	uint64_t runs = 0, max = 4096, replay = 1;
	size_t i;
	int arg;

	for (arg = 1; arg < argc; arg++) {
		const char *a = argv[arg];

		if (!strncmp(a, "-runs=", 6)) {
			runs = number(a, a + 6);
		} else if (!strncmp(a, "-replay=", 8)) {
			replay = number(a, a + 8);
		} else if (!strncmp(a, "-seed=", 6)) {
			driver_seed(number(a, a + 6));
		} else if (!strncmp(a, "-max_len=", 9)) {
			max = number(a, a + 9);
			if (!max || max > MAX_INPUT_BYTES)
				fail(a, "expected 1 to 1048576");
		} else if (!strncmp(a, "-artifact_prefix=", 17)) {
			artifact_prefix = a + 17;
		} else if (!strcmp(a, "-help=1") || !strcmp(a, "--help") || !strcmp(a, "-h")) {
			help(argv[0]);
			return 0;
		} else if (a[0] == '-') {
			fail(a, "no such option; --help lists them");
		} else {
			load(a);
		}
	}
	if (!nr_inputs && !runs) {
		help(argv[0]);
		return EXIT_USAGE;
	}
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	signal(SIGABRT, save_current);
	for (i = 0; replay && i < nr_inputs; i++)
		run_one(inputs[i].data, inputs[i].size);
	run_random(runs, max);
	printf("%zu inputs replayed, %llu made and run: nothing found\n", replay ? nr_inputs : 0,
	       (unsigned long long)runs);
	if (fuzz_summary)
		fuzz_summary(stdout);
	for (i = 0; i < nr_inputs; i++)
		free(inputs[i].data);
	free(inputs);
	return 0;
}
