// SPDX-License-Identifier: GPL-2.0-only
/* Reading a log line by line, plain or compressed with xz, in a fixed amount of memory. */
#include <errno.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import_reader.h"

#define IN_SIZE		65536
#define OUT_SIZE	262144	/* a line that is longer is refused */

static const uint8_t xz_magic[] = { 0xfd, '7', 'z', 'X', 'Z', 0 };

/**
 * struct line_reader - a file being read
 * @file: it
 * @xz: it is compressed
 * @ended: nothing more will be put into @out
 * @lzma: decoder
 * @in: what was read of a compressed file
 * @out: text; [@pos, @end) has not been handed out, and there is room for a NUL
 */
struct line_reader {
	FILE *file;
	bool xz;
	bool ended;
	lzma_stream lzma;
	uint8_t in[IN_SIZE];
	char out[OUT_SIZE + 1];
	size_t pos;
	size_t end;
};

static int refuse(char *msg, size_t size, const char *text)
{
	snprintf(msg, size, "%s", text);
	return -EINVAL;
}

/**
 * reader_open - begin to read a file
 * @path: of a text, or of one compressed with xz; which, its first bytes say
 * @msg: filled on failure
 * @size: of @msg, bytes
 *
 * Return: the reader, or NULL.
 */
struct line_reader *reader_open(const char *path, char *msg, size_t size)
{
	struct line_reader *r = calloc(1, sizeof(*r));

	if (!r) {
		refuse(msg, size, "no memory");
		return NULL;
	}
	r->file = fopen(path, "rb");
	if (!r->file) {
		snprintf(msg, size, "cannot be read: %s", strerror(errno));
		free(r);
		return NULL;
	}
	r->lzma.next_in = r->in;
	r->lzma.avail_in = fread(r->in, 1, sizeof(r->in), r->file);
	if (ferror(r->file)) {
		snprintf(msg, size, "cannot be read: %s", strerror(errno));
		reader_close(r);
		return NULL;
	}
	r->xz = r->lzma.avail_in >= sizeof(xz_magic) && !memcmp(r->in, xz_magic, sizeof(xz_magic));
	if (r->xz && lzma_stream_decoder(&r->lzma, UINT64_MAX, LZMA_CONCATENATED) != LZMA_OK) {
		refuse(msg, size, "the xz decoder does not start: no memory");
		reader_close(r);
		return NULL;
	}
	return r;
}

static int fill_in(struct line_reader *r, char *msg, size_t size)
{
	r->lzma.next_in = r->in;
	r->lzma.avail_in = fread(r->in, 1, sizeof(r->in), r->file);
	return ferror(r->file) ? refuse(msg, size, "reading failed") : 0;
}

static int fill_plain(struct line_reader *r, char *msg, size_t size)
{
	size_t n;

	if (!r->lzma.avail_in && fill_in(r, msg, size))
		return -EIO;
	n = r->lzma.avail_in;
	if (n > OUT_SIZE - r->end)
		n = OUT_SIZE - r->end;
	memcpy(r->out + r->end, r->lzma.next_in, n);
	r->lzma.next_in += n;
	r->lzma.avail_in -= n;
	r->end += n;
	r->ended = !n;
	return 0;
}

static int fill_xz(struct line_reader *r, char *msg, size_t size)
{
	lzma_ret ret;

	if (!r->lzma.avail_in && !feof(r->file) && fill_in(r, msg, size))
		return -EIO;
	r->lzma.next_out = (uint8_t *)r->out + r->end;
	r->lzma.avail_out = OUT_SIZE - r->end;
	ret = lzma_code(&r->lzma, feof(r->file) ? LZMA_FINISH : LZMA_RUN);
	r->end = OUT_SIZE - r->lzma.avail_out;
	switch (ret) {
	case LZMA_OK:
		return 0;
	case LZMA_STREAM_END:
		r->ended = true;
		return 0;
	case LZMA_BUF_ERROR:
		return refuse(msg, size,
			      "the xz data end early: expected a whole .xz file, "
			      "this one was cut");
	default:
		return refuse(msg, size, "the xz data are damaged: expected what 'xz -t' accepts");
	}
}

/* Hand out what is there up to @eol, where the line ends. */
static int take_line(struct line_reader *r, char *line, char *eol, char *msg, size_t size)
{
	if (line == r->out + r->end)
		return 0;
	if (memchr(line, '\0', eol - line))
		return refuse(msg, size, "a NUL byte: expected the text of tracefs' file 'trace'");
	r->pos = eol - r->out;
	r->pos += eol < r->out + r->end;
	*eol = '\0';
	return 1;
}

/**
 * reader_line - the next line
 * @r: reader
 * @line: set to the line, without its end, writable and valid until the next call
 * @msg: filled on failure
 * @size: of @msg, bytes
 *
 * Return: 1, 0 at the end of the file, or -errno.
 */
int reader_line(struct line_reader *r, char **line, char *msg, size_t size)
{
	for (;;) {
		char *eol = memchr(r->out + r->pos, '\n', r->end - r->pos);
		int ret;

		*line = r->out + r->pos;
		if (eol || r->ended)
			return take_line(r, *line, eol ? eol : r->out + r->end, msg, size);
		memmove(r->out, r->out + r->pos, r->end - r->pos);
		r->end -= r->pos;
		r->pos = 0;
		if (r->end == OUT_SIZE)
			return refuse(msg, size,
				      "a line is longer than 256 KiB: expected the "
				      "text of tracefs' file 'trace'");
		ret = r->xz ? fill_xz(r, msg, size) : fill_plain(r, msg, size);
		if (ret)
			return ret;
	}
}

/**
 * reader_close - end reading
 * @r: reader, or NULL
 */
void reader_close(struct line_reader *r)
{
	if (!r)
		return;
	lzma_end(&r->lzma);
	fclose(r->file);
	free(r);
}
