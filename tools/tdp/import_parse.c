// SPDX-License-Identifier: GPL-2.0-only
/* The text of tracefs' file `trace`, one line at a time. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"

static const char *const names[FT_NR] = {
#define EVENT(kind, text) [FT_##kind] = text,
	/* clang-format off */
	FT_EVENTS(EVENT)
	FT_PROBES(EVENT)
	FT_RETURNS(EVENT)
	/* clang-format on */
#undef EVENT
};

/*
 * What follows an event's name.  A word of a form matches a word of the line: literally, but for
 * "*", which matches anything, and "%BF" at its end, a number in base B (d: 10, x: 16, n: as the
 * number's own prefix says; p: 16, but what is no number is 0, as the kernel may hide it) that goes
 * into the field F.  A form that begins with "=" is that of a
 * probe: its words may come in any order among others.
 */
static const char *const forms[FT_NR] = {
	[FT_PAGE_FAULT] = "vcpu %dv rip * address %xa error_code %xb",
	[FT_FAST_FAULT] = "vcpu %dv gva %xa error_code * sptep %pe old %xb new %xc * * fixed %dd",
	[FT_REQUESTED] = "gfn %xa pfn %xb level %dl",
	[FT_SET_SPTE] = "gfn %xa spte %xb * level %dl at %pe",
	[FT_CHANGED] = "as id %ds gfn %xa level %dl old_spte %xb new_spte %xc",
	[FT_GET_PAGE] = "sp gen * gfn %xa l%dl * * direct",
	[FT_ZAP_PAGE] = "sp gen * gfn %xa l%dl * * direct",
	[FT_SPLIT] = "gfn %xa spte * level %dl errno %dd",
	[FT_ZAP_FAST] = "kvm-mmu-valid-gen %da",
	[FT_UNMAP_HVA] = "mmu notifier unmap range: %xa -- %xb",
	[FT_AGE_HVA] = "mmu notifier age hva: %xa -- %xb",
	[FT_TEST_AGE_HVA] = "mmu notifier test age hva: %xa",
	[FT_MARK_MMIO] = "* gfn %xa access %xb gen %xc",
	[FT_HANDLE_MMIO] = "* gfn %xa",
	[FT_CHECK_MMIO] = "spte %xa kvm_gen %xb spte-gen %xc valid %dd",
	[FT_INIT] = "= kvm=%xk",
	[FT_UNINIT] = "= kvm=%xk",
	[FT_REGION] = "= kvm=%xk slot=%nd flags=%nf gpa=%xa size=%nb hva=%xc",
	[FT_ZAP_ALL] = "= kvm=%xk",
	[FT_ZAP_SP] = "= kvm=%xk gfn=%xa",
	[FT_WRPROT_SLOT] = "= kvm=%xk gfn=%xa npages=%nb",
	[FT_WRPROT_GFN] = "= kvm=%xk gfn=%xa min_level=%nl",
	[FT_CLEAR_MASKED] = "= kvm=%xk gfn=%xa mask=%xb wrprot=%nd",
	[FT_CLEAR_SLOT] = "= kvm=%xk gfn=%xa npages=%nb",
	[FT_TRY_SPLIT] = "= kvm=%xk start=%xa end=%xb level=%nl",
	[FT_COLLAPSE] = "= kvm=%xk gfn=%xa npages=%nb",
	[FT_UNMAP_GFN] = "= kvm=%xk start=%xa end=%xb",
	[FT_AGE_GFN] = "= kvm=%xk start=%xa end=%xb",
	[FT_INVALIDATE] = "= kvm=%xk",
	[FT_ZAP_ROOTS] = "= kvm=%xk",
	[FT_REQUEST] = "= kvm=%xk",
	[FT_PUT_ROOT] = "= kvm=%xk",
	[FT_UNMAP_GFN_RET] = "",
	[FT_ZAP_ROOTS_RET] = "",
};

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/*
 * A number, as strtoull() reads it, at a third of the cost. It ends before the digit that is one too
 * many; without any digit it ends where it begins.
 */
static uint64_t number(const char *text, char kind, const char **end)
{
	bool negative = *text == '-' && digit(text[1]) < 16;
	int base = kind == 'd' ? 10 : kind == 'n' ? 8 : 16;
	uint64_t value = 0;

	text += negative;
	if (text[0] == '0' && (text[1] | 0x20) == 'x' && base != 10 && digit(text[2]) < 16) {
		base = 16;
		text += 2;
	} else if (kind == 'n' && *text != '0') {
		base = 10;
	}
	for (; digit(*text) < base; text++) {
		uint64_t more;

		if (__builtin_mul_overflow(value, (unsigned int)base, &more) ||
		    __builtin_add_overflow(more, (unsigned int)digit(*text), &more))
			break;
		value = more;
	}
	*end = text;
	return negative ? -value : value;
}

static bool set_field(struct ft_event *ev, char field, uint64_t value)
{
	switch (field) {
	case 'a':
		ev->a = value;
		return true;
	case 'b':
		ev->b = value;
		return true;
	case 'c':
		ev->c = value;
		return true;
	case 'd':
		ev->d = value;
		return true;
	case 'e':
		ev->e = value;
		return true;
	case 'k':
		ev->kvm = value;
		return true;
	case 'f':
		ev->flags = value;
		return true;
	case 'l':
		ev->level = value;
		return value >= 1 && value <= 5;
	case 's':
		ev->as_id = value;
		return value <= 1;
	default:	/* 'v' */
		ev->vcpu = value;
		return value < IMPORT_NO_VCPU;
	}
}

/* One word of the form against the word of the line at @text; returns what follows it, or NULL. */
static const char *match_word(const char *word, size_t len, const char *text, struct ft_event *ev)
{
	const char *percent = memchr(word, '%', len);
	size_t fixed = percent ? (size_t)(percent - word) : len;
	const char *end;
	uint64_t value;

	if (len == 1 && *word == '*') {
		end = text + strcspn(text, " ");
		return end == text ? NULL : end;
	}
	if (strncmp(text, word, fixed))
		return NULL;
	text += fixed;
	if (percent && percent[1] == 'p') {
		value = number(text, 'x', &end);
		if (*end != ' ' && *end != '\0') {
			value = 0;
			end = text + strcspn(text, " ");
		}
		set_field(ev, percent[2], value);
		text = end;
	} else if (percent) {
		if (!isxdigit((unsigned char)*text) && *text != '-')
			return NULL;
		value = number(text, percent[1], &end);
		if (!set_field(ev, percent[2], value))
			return NULL;
		text = end;
	}
	return *text == ' ' || *text == '\0' ? text : NULL;
}

static bool match_in_order(const char *words, const char *text, struct ft_event *ev)
{
	while (*words) {
		size_t len = strcspn(words, " ");

		text = match_word(words, len, text + strspn(text, " "), ev);
		if (!text)
			return false;
		words += len + (words[len] == ' ');
	}
	return true;
}

static bool match_anywhere(const char *words, const char *text, struct ft_event *ev)
{
	while (*words) {
		size_t len = strcspn(words, " ");
		const char *at = text;

		while (!match_word(words, len, at, ev)) {
			at += strcspn(at, " ");
			at += strspn(at, " ");
			if (!*at)
				return false;
		}
		words += len + (words[len] == ' ');
	}
	return true;
}

static bool match(enum ft_kind kind, const char *text, struct ft_event *ev)
{
	const char *words = forms[kind];

	return *words == '=' ? match_anywhere(words + 2, text, ev) :
			       match_in_order(words, text, ev);
}

/* A timestamp: digits with at most one dot among them, then a colon. */
static bool is_time(const char *word, size_t len)
{
	size_t digits = strspn(word, "0123456789.");

	return len > 1 && digits == len - 1 && word[digits] == ':' && isdigit((unsigned char)*word);
}

static bool parse_task(char *line, char *bracket, struct ft_line_info *info)
{
	char *end = bracket;
	char *digits;

	while (end > line && end[-1] == ' ')
		end--;
	if (end > line && end[-1] == ')') {	/* (tgid), where the option record-tgid is on */
		while (end > line && *end != '(')
			end--;
		while (end > line && end[-1] == ' ')
			end--;
	}
	digits = end;
	while (digits > line && isdigit((unsigned char)digits[-1]))
		digits--;
	if (digits == end || digits == line || digits[-1] != '-')
		return false;
	info->pid = strtol(digits, NULL, 10);
	info->comm = line + strspn(line, " ");
	if (info->comm > digits - 1)
		return false;
	info->comm_len = digits - 1 - info->comm;
	return true;
}

/* The "[CPU]" of a line: the first with only digits, since a name may have brackets of its own. */
static char *find_cpu(char *line)
{
	char *at = line;

	while ((at = strstr(at, " ["))) {
		size_t digits = strspn(at + 2, "0123456789");

		if (digits && at[2 + digits] == ']')
			return at;
		at += 2;
	}
	return NULL;
}

/* "CPU:1 [LOST 12 EVENTS]", which tracefs writes in between. */
static bool parse_lost(const char *line, struct ft_line_info *info)
{
	const char *lost = strstr(line, "[LOST ");

	if (strncmp(line, "CPU:", 4) || !lost)
		return false;
	info->lost = strtoull(lost + 6, NULL, 10);
	return true;
}

static int event_kind(const char *name)
{
	static int last;
	int i;

	/* Events come in runs of the same. */
	for (i = 0; i < FT_NR; i++) {
		int kind = (last + i) % FT_NR;

		if (!strcmp(names[kind], name)) {
			last = kind;
			return kind;
		}
	}
	return -1;
}

/**
 * ft_parse - read a line of the log
 * @line: it; is written to
 * @ev: filled for FT_LINE_EVENT, but for @task, @vm and @line
 * @info: filled as far as the line is understood
 * @expected: for FT_LINE_BAD: what should be there
 *
 * Return: FT_LINE_EVENT; FT_LINE_OTHER for an event that means nothing to an import;
 * FT_LINE_NOTHING for a comment; FT_LINE_LOST; FT_LINE_BAD.
 */
enum ft_line ft_parse(char *line, struct ft_event *ev, struct ft_line_info *info,
		      const char **expected)
{
	char *word, *text;
	size_t len;
	int kind;

	memset(ev, 0, sizeof(*ev));
	memset(info, 0, sizeof(*info));
	if (line[strspn(line, " \t\r")] == '\0' || *line == '#')
		return FT_LINE_NOTHING;
	if (parse_lost(line, info))
		return FT_LINE_LOST;
	*expected = "TASK-PID [CPU] FLAGS TIME: EVENT: ...";
	word = find_cpu(line);
	if (!word || !parse_task(line, word, info))
		return FT_LINE_BAD;
	for (word += 2;; word += len) {
		word += strspn(word, " ");
		len = strcspn(word, " ");
		if (!len)
			return FT_LINE_BAD;
		if (is_time(word, len))
			break;
	}
	word += len + strspn(word + len, " ");
	len = strcspn(word, ":");
	if (!len || word[len] != ':' || memchr(word, ' ', len))
		return FT_LINE_BAD;
	word[len] = '\0';
	text = word + len + 1;
	info->name = word;
	kind = event_kind(word);
	if (kind < 0)
		return FT_LINE_OTHER;
	ev->kind = kind;
	if (!match(kind, text + strspn(text, " "), ev)) {
		*expected = forms[kind];
		return FT_LINE_BAD;
	}
	return FT_LINE_EVENT;
}
