// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON that may stand inside of an HTML page: '<' is escaped, so that no text ends the script that holds
 * it, and what is not UTF-8 becomes a question mark, so that any file name or program does.
 */
#include "run_json.h"

#include <stdbool.h>
#include <string.h>

/* Length of the UTF-8 sequence at @s, 0 if there is none. */
static size_t utf8_length(const unsigned char *s, size_t len)
{
	static const unsigned char first[] = { 0, 0, 0xc2, 0xe0, 0xf0 };
	static const unsigned char last[] = { 0, 0, 0xdf, 0xef, 0xf4 };
	size_t n, i;

	if (*s < 0x80)
		return 1;
	for (n = 2; n <= 4; n++)
		if (*s >= first[n] && *s <= last[n])
			break;
	if (n > 4 || n > len)
		return 0;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Too long a form, a surrogate, or beyond the last character. */
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && c != 0x7f;
}

/**
 * json_chars() - write characters as a JSON string
 * @out: where to
 * @text: characters, any bytes
 * @len: how many
 */
void json_chars(FILE *out, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t i, n;

	fputc('"', out);
	for (i = 0; i < len; i += n) {
		n = utf8_length(s + i, len - i);
		if (!n) {
			fputc('?', out);
			n = 1;
		} else if (n > 1 || is_plain(s[i])) {
			fwrite(s + i, 1, n, out);
		} else {
			fprintf(out, "\\u%04x", s[i]);
		}
	}
	fputc('"', out);
}

/**
 * json_string() - write a C string as a JSON string
 * @out: where to
 * @text: the string
 */
void json_string(FILE *out, const char *text)
{
	json_chars(out, text, strlen(text));
}
