/* SPDX-License-Identifier: GPL-2.0-only */
/* JSON that may stand inside of an HTML page. */
#ifndef TDP_RUN_JSON_H
#define TDP_RUN_JSON_H

#include <stdio.h>

void json_string(FILE *out, const char *text);
void json_chars(FILE *out, const char *text, size_t len);

#endif /* TDP_RUN_JSON_H */
