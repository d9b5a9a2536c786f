/* SPDX-License-Identifier: GPL-2.0-only */
/* A fuzzer's input, taken byte by byte; what is missing at its end reads as zero. */
#ifndef FUZZ_BYTE_READER_H
#define FUZZ_BYTE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_reader {
	const uint8_t *data, *end;
};

static inline bool reader_empty(const struct byte_reader *r)
{
	return r->data == r->end;
}

static inline uint8_t read_byte(struct byte_reader *r)
{
	return reader_empty(r) ? 0 : *r->data++;
}

/* @bytes bytes, least significant first. */
static inline uint64_t read_number(struct byte_reader *r, int bytes)
{
	uint64_t n = 0;

	for (int i = 0; i < bytes; i++)
		n |= (uint64_t)read_byte(r) << 8 * i;
	return n;
}

#endif /* FUZZ_BYTE_READER_H */
