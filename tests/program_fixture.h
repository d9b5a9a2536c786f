/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of programs share: cmocka, and a few comparisons that print what differs. */
#ifndef TESTS_PROGRAM_FIXTURE_H
#define TESTS_PROGRAM_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "program.h"
#include "program_edit.h"
#include "program_names.h"
#include "program_rng.h"

/* The text of a program, to be freed. */
static inline char *text_of(const struct program *prog)
{
	size_t size = program_print(prog, NULL, 0) + 1;
	char *text = malloc(size);

	assert_non_null(text);
	assert_int_equal(program_print(prog, text, size), size - 1);
	assert_int_equal(strlen(text), size - 1);
	return text;
}

/* The binary form of a program, to be freed. */
static inline uint8_t *bytes_of(const struct program *prog, size_t *size)
{
	uint8_t *bytes;

	*size = program_encode(prog, NULL, 0);
	bytes = malloc(*size);
	assert_non_null(bytes);
	assert_int_equal(program_encode(prog, bytes, *size), *size);
	return bytes;
}

static inline void assert_valid(const struct program *prog)
{
	struct prog_error err = { 0 };

	if (program_check(prog, &err)) {
		char *text = text_of(prog);

		print_error("%s\n%s", text, err.msg);
		free(text);
		fail();
	}
}

static inline void assert_same(const struct program *a, const struct program *b)
{
	if (!program_equal(a, b)) {
		char *text_a = text_of(a), *text_b = text_of(b);

		print_error("---- one ----\n%s---- other ----\n%s", text_a, text_b);
		free(text_a);
		free(text_b);
		fail();
	}
}

static inline void assert_parses(struct program *prog, const char *text)
{
	struct prog_error err = { 0 };

	if (program_parse(prog, text, strlen(text), &err)) {
		print_error("%s\nline %d: %s\n", text, err.line, err.msg);
		fail();
	}
}

/* Text, binary, text and binary again: nothing is lost, and all is canonical. */
static inline void assert_round_trips(const struct program *prog)
{
	struct program *other = program_alloc();
	size_t size, size2;
	uint8_t *bytes, *bytes2;
	char *text, *text2;

	assert_non_null(other);
	assert_valid(prog);
	text = text_of(prog);
	assert_parses(other, text);
	assert_same(prog, other);
	bytes = bytes_of(other, &size);
	program_decode(other, bytes, size);
	assert_same(prog, other);
	assert_valid(other);

	text2 = text_of(other);
	assert_string_equal(text, text2);
	bytes2 = bytes_of(other, &size2);
	assert_int_equal(size, size2);
	assert_memory_equal(bytes, bytes2, size);
	free(text);
	free(text2);
	free(bytes);
	free(bytes2);
	program_free(other);
}

#endif /* TESTS_PROGRAM_FIXTURE_H */
