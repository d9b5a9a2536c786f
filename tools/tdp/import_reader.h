/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of a file that may be compressed with xz. */
#ifndef TDP_IMPORT_READER_H
#define TDP_IMPORT_READER_H

#include <stddef.h>

struct line_reader;

struct line_reader *reader_open(const char *path, char *msg, size_t size);
int reader_line(struct line_reader *r, char **line, char *msg, size_t size);
void reader_close(struct line_reader *r);

#endif /* TDP_IMPORT_READER_H */
