// SPDX-License-Identifier: GPL-2.0-only
/* Programs in files. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

#define MAX_FILE (64UL << 20) /* bytes: what is larger is no program */

static int refuse(struct prog_error *err, int ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct prog_error *err, int ret, const char *fmt, ...)
{
	va_list args;

	err->line = 0;
	va_start(args, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, args);
	va_end(args);
	return ret;
}

static int read_all(FILE *file, uint8_t **data, size_t *size, struct prog_error *err)
{
	size_t room = 0;

	*data = NULL;
	*size = 0;
	for (;;) {
		size_t got;

		if (*size == room) {
			uint8_t *more;

			if (room >= MAX_FILE)
				return refuse(err, -EFBIG, "larger than %lu bytes: no program is",
					      MAX_FILE);
			room = room ? 2 * room : 4096;
			more = realloc(*data, room);
			if (!more)
				return refuse(err, -ENOMEM, "no memory");
			*data = more;
		}
		got = fread(*data + *size, 1, room - *size, file);
		*size += got;
		if (!got)
			break;
	}
	if (ferror(file)) {
		int ret = errno ? -errno : -EIO;

		return refuse(err, ret, "%s", strerror(-ret));
	}
	return 0;
}

static int load_file(const char *path, uint8_t **data, size_t *size, struct prog_error *err)
{
	FILE *file = fopen(path, "rb");
	int ret;

	*data = NULL;
	if (!file) {
		ret = -errno;
		return refuse(err, ret, "%s", strerror(-ret));
	}
	errno = 0;
	ret = read_all(file, data, size, err);
	fclose(file);
	return ret;
}

static int load(struct program *prog, const uint8_t *data, size_t size, struct prog_error *err)
{
	if (!size)
		return refuse(err, -EINVAL, "empty: expected a program");
	if ((data[0] & 0xf0) != PROG_BINARY_MAGIC)
		return program_parse(prog, (const char *)data, size, err);
	if ((data[0] & 0x0f) != PROG_VERSION)
		return refuse(err, -EINVAL, "version %u of the binary form: expected version %d",
			      data[0] & 0x0f, PROG_VERSION);
	program_decode(prog, data, size);
	return 0;
}

/**
 * program_load - read a program from a file, in whichever form it is
 * @prog: its former content is dropped
 * @path: of the file
 * @err: filled on failure
 *
 * Return: 0; -EINVAL for what is no valid program; -ENOMEM; -EFBIG; what opening or reading gave.
 */
int program_load(struct program *prog, const char *path, struct prog_error *err)
{
	uint8_t *data;
	size_t size;
	int ret;

	ret = load_file(path, &data, &size, err);
	if (!ret)
		ret = load(prog, data, size, err);
	free(data);
	return ret;
}

/**
 * program_load_raw - read a fuzzer's input from a file
 * @prog: its former content is dropped
 * @path: of the file, whose bytes are taken for the binary form whatever they are
 * @err: filled on failure
 *
 * Return: 0; -ENOMEM; -EFBIG; what opening or reading gave.
 */
int program_load_raw(struct program *prog, const char *path, struct prog_error *err)
{
	uint8_t *data;
	size_t size;
	int ret;

	ret = load_file(path, &data, &size, err);
	if (!ret)
		program_decode(prog, data, size);
	free(data);
	return ret;
}
