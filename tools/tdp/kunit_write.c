// SPDX-License-Identifier: GPL-2.0-only
/* Lines of C as checkpatch likes them. */
#include <stdarg.h>
#include <string.h>

#include "kunit.h"

#define COLUMNS 100
#define TAB	8

/**
 * kunit_call() - begin a call
 * @call: the call
 * @head: function and parenthesis, or what else comes before the first argument
 */
void kunit_call(struct kunit_call *call, const char *head)
{
	snprintf(call->head, sizeof(call->head), "%s", head);
	call->nr = 0;
}

/**
 * kunit_arg() - add an argument
 * @call: the call
 * @fmt: its text
 */
void kunit_arg(struct kunit_call *call, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(call->arg[call->nr], sizeof(*call->arg), fmt, ap);
	va_end(ap);
	call->nr++;
}

/* To the column, with tabs as far as they go. */
static void indent_to(FILE *out, int column)
{
	int i;

	for (i = 0; i < column / TAB; i++)
		fputc('\t', out);
	for (i = 0; i < column % TAB; i++)
		fputc(' ', out);
}

/**
 * kunit_put() - write a call, broken where a line would be too long
 * @out: file
 * @indent: tabs
 * @call: the call
 * @tail: what comes after the last argument
 */
void kunit_put(FILE *out, int indent, const struct kunit_call *call, const char *tail)
{
	const char *open = strrchr(call->head, '(');
	int at = indent * TAB + (open ? open + 1 - call->head : 0);
	int column = indent * TAB + strlen(call->head);
	bool first = true;
	int i;

	indent_to(out, indent * TAB);
	fputs(call->head, out);
	for (i = 0; i < call->nr; i++) {
		const char *after = i + 1 < call->nr ? "," : tail;
		int len = strlen(call->arg[i]) + strlen(after);

		if (!first && column + 1 + len > COLUMNS) {
			fputc('\n', out);
			indent_to(out, at);
			column = at;
			first = true;
		}
		if (!first) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%s%s", call->arg[i], after);
		column += len;
		first = false;
	}
	fputc('\n', out);
}

/**
 * kunit_comment() - write lines into a comment that is open
 * @out: file
 * @text: lines
 */
void kunit_comment(FILE *out, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		bool tab = *text == '\t';

		if (len)
			fprintf(out, " *   %s%.*s\n", tab ? "    " : "", (int)len - tab,
				text + tab);
		else
			fputs(" *\n", out);
		text += len + (text[len] == '\n');
	}
}
