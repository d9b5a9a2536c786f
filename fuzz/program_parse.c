// SPDX-License-Identifier: GPL-2.0-only
/* The text form of a program: one pass, line by line. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"
#include "program_names.h"

/* What a line may follow: the parts of a program come in this order. */
enum section { AT_START, AT_VERSION, AT_VM, AT_SLOT, AT_THREAD, AT_SCHEDULE };

/**
 * struct token - a word
 * @s: not NUL-terminated
 * @len: bytes
 */
struct token {
	const char *s;
	size_t len;
};

/**
 * struct parser - where parsing is
 * @prog: being filled
 * @section: part of the program that the last line belonged to
 * @line: number of the current line
 * @p: next byte of the current line
 * @end: of the current line, its comment cut off
 * @err: says what is wrong
 */
struct parser {
	struct program *prog;
	enum section section;
	int line;
	const char *p;
	const char *end;
	struct prog_error *err;
};

static int refuse(struct parser *ps, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int refuse(struct parser *ps, const char *fmt, ...)
{
	va_list args;

	ps->err->line = ps->line;
	va_start(args, fmt);
	vsnprintf(ps->err->msg, sizeof(ps->err->msg), fmt, args);
	va_end(args);
	return -EINVAL;
}

/* For a check that has filled the message already. */
static int refuse_checked(struct parser *ps)
{
	ps->err->line = ps->line;
	return -EINVAL;
}

#define SHOW_SIZE 44

/* A token as a message shows it: quoted, printable, not too long. */
static const char *show(struct token tok, char buf[SHOW_SIZE])
{
	size_t i, n = tok.len < SHOW_SIZE - 6 ? tok.len : SHOW_SIZE - 6;
	char *p = buf;

	if (!tok.len)
		return "nothing";
	*p++ = '\'';
	for (i = 0; i < n; i++)
		*p++ = tok.s[i] > ' ' && tok.s[i] < 0x7f ? tok.s[i] : '?';
	strcpy(p, n < tok.len ? "...'" : "'");
	return buf;
}

#define SHOW(tok) show(tok, (char[SHOW_SIZE]){ 0 })

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of the line, empty at its end. */
static struct token next(struct parser *ps)
{
	struct token tok;

	while (ps->p < ps->end && is_space(*ps->p))
		ps->p++;
	tok.s = ps->p;
	while (ps->p < ps->end && !is_space(*ps->p))
		ps->p++;
	tok.len = ps->p - tok.s;
	return tok;
}

static int expect_end(struct parser *ps)
{
	struct token tok = next(ps);

	if (tok.len)
		return refuse(ps, "expected the end of the line, found %s", SHOW(tok));
	return 0;
}

static bool is(struct token tok, const char *word)
{
	return tok.len == strlen(word) && !memcmp(tok.s, word, tok.len);
}

/* The index of the word in a NULL-terminated list, or -1. */
static int find(struct token tok, const char *const *words)
{
	int i;

	for (i = 0; words[i]; i++) {
		if (is(tok, words[i]))
			return i;
	}
	return -1;
}

static void join(const char *const *words, char *buf, size_t size)
{
	size_t len = 0;
	int i;

	buf[0] = '\0';
	for (i = 0; words[i]; i++) {
		const char *before = words[i + 1] ? ", " : " or ";

		len += snprintf(buf + len, len < size ? size - len : 0, "%s%s", i ? before : "",
				words[i]);
	}
}

/* One of a list of words, as its index. */
static int parse_word(struct parser *ps, struct token tok, const char *what,
		      const char *const *words, int *index)
{
	char list[120];

	*index = find(tok, words);
	if (*index >= 0)
		return 0;
	join(words, list, sizeof(list));
	return refuse(ps, "%s: expected %s, found %s", what, list, SHOW(tok));
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static bool to_number(struct token tok, uint64_t *value)
{
	unsigned int base = 10;
	size_t i = 0;

	if (tok.len > 2 && tok.s[0] == '0' && tok.s[1] == 'x') {
		base = 16;
		i = 2;
	}
	if (!tok.len)
		return false;
	for (*value = 0; i < tok.len; i++) {
		unsigned int d = digit(tok.s[i]);

		if (d >= base || *value > (UINT64_MAX - d) / base)
			return false;
		*value = *value * base + d;
	}
	return true;
}

static int parse_number(struct parser *ps, struct token tok, const char *what, uint64_t *value)
{
	if (to_number(tok, value))
		return 0;
	return refuse(ps, "%s: expected a number such as 512 or 0x200, found %s", what, SHOW(tok));
}

/* A number that has to fit a small field. */
static int parse_small(struct parser *ps, struct token tok, const char *what, uint64_t max,
		       uint64_t *value)
{
	int ret = parse_number(ps, tok, what, value);

	if (!ret && *value > max)
		return refuse(ps, "%s is %" PRIu64 ": expected at most %" PRIu64, what, *value,
			      max);
	return ret;
}

/* Splits KEY=VALUE. */
static bool split_key(struct token tok, struct token *key, struct token *value)
{
	const char *eq = tok.len ? memchr(tok.s, '=', tok.len) : NULL;

	if (!eq)
		return false;
	*key = (struct token){ tok.s, eq - tok.s };
	*value = (struct token){ eq + 1, tok.len - key->len - 1 };
	return true;
}

static int unknown_vm_key(struct parser *ps, struct token tok)
{
	const char *words[NR_VM_KEYS + 1] = { NULL };
	char list[200];
	int i;

	for (i = 0; i < NR_VM_KEYS; i++)
		words[i] = vm_keys[i].name;
	join(words, list, sizeof(list));
	return refuse(ps, "%s: expected KEY=VALUE with %s", SHOW(tok), list);
}

static int parse_vm_key(struct parser *ps, struct token tok, uint32_t *seen)
{
	struct token name = { 0 }, value = { 0 };
	const struct vm_key *key;
	uint64_t number;
	int i, ret;

	if (!split_key(tok, &name, &value))
		return unknown_vm_key(ps, tok);
	for (i = 0; i < NR_VM_KEYS; i++) {
		if (is(name, vm_keys[i].name))
			break;
	}
	if (i == NR_VM_KEYS)
		return unknown_vm_key(ps, tok);
	key = &vm_keys[i];
	if (*seen & 1u << i)
		return refuse(ps, "%s is given twice", key->name);
	*seen |= 1u << i;

	if (key->words) {
		int index;

		ret = parse_word(ps, value, key->name, key->words, &index);
		if (ret)
			return ret;
		number = index;
	} else {
		ret = parse_number(ps, value, key->name, &number);
		if (ret)
			return ret;
		/* What does not fit the field must not be cut to something valid. */
		if (number < key->min || number > key->max) {
			if (key->hex)
				return refuse(ps,
					      "%s is 0x%" PRIx64 ": expected 0x%" PRIx64
					      "..0x%" PRIx64,
					      key->name, number, key->min, key->max);
			return refuse(ps, "%s is %" PRIu64 ": expected %" PRIu64 "..%" PRIu64,
				      key->name, number, key->min, key->max);
		}
	}
	vm_key_set(&ps->prog->vm, key, number);
	return 0;
}

static int parse_vm(struct parser *ps)
{
	struct token tok;
	uint32_t seen = 0;
	int ret;

	for (tok = next(ps); tok.len; tok = next(ps)) {
		ret = parse_vm_key(ps, tok, &seen);
		if (ret)
			return ret;
	}
	return vm_check(&ps->prog->vm, ps->err) ? refuse_checked(ps) : 0;
}

static int parse_flags(struct parser *ps, struct token tok, uint32_t *flags)
{
	static const char *const words[] = { "log", "ro", NULL };
	const char *end = tok.s + tok.len;

	*flags = 0;
	if (!tok.len || is(tok, "none"))
		return 0;
	for (;;) {
		const char *comma = memchr(tok.s, ',', end - tok.s);
		int index;

		tok.len = (comma ? comma : end) - tok.s;
		index = find(tok, words);
		if (index < 0)
			return refuse(ps, "flags: expected none, log, ro or log,ro, found %s",
				      SHOW(tok));
		*flags |= 1u << index;
		if (!comma)
			return 0;
		tok.s = comma + 1;
		if (tok.s == end)
			return refuse(ps, "flags: expected log or ro after the comma");
	}
}

enum {
	SEEN_BASE = 1,
	SEEN_PAGES = 2,
	SEEN_BACKING = 4,
	SEEN_AS = 8,
	SEEN_HVN = 16,
	SEEN_FLAGS = 32
};

static int parse_slot_key(struct parser *ps, struct token tok, struct slot_desc *slot,
			  unsigned int *seen)
{
	static const char *const names[] = {
		"base", "pages", "backing", "as", "hvn", "flags", NULL,
	};
	struct token name = { 0 }, value = { 0 };
	uint64_t number;
	int key, index, ret;

	if (!split_key(tok, &name, &value) || (key = find(name, names)) < 0)
		return refuse(ps,
			      "%s: expected KEY=VALUE with base, pages, backing, as, hvn or "
			      "flags",
			      SHOW(tok));
	if (*seen & 1u << key)
		return refuse(ps, "%s is given twice", names[key]);
	*seen |= 1u << key;

	switch (1u << key) {
	case SEEN_BASE:
		return parse_number(ps, value, "base", &slot->base);
	case SEEN_PAGES:
		return parse_number(ps, value, "pages", &slot->npages);
	case SEEN_HVN:
		return parse_number(ps, value, "hvn", &slot->hvn);
	case SEEN_BACKING:
		ret = parse_word(ps, value, "backing", backing_names, &index);
		if (!ret)
			slot->backing = index;
		return ret;
	case SEEN_AS:
		ret = parse_small(ps, value, "as", 1, &number);
		if (!ret)
			slot->as_id = number;
		return ret;
	default:
		return parse_flags(ps, value, &slot->flags);
	}
}

static int parse_slot_desc(struct parser *ps, struct slot_desc *slot)
{
	struct token tok = next(ps);
	unsigned int seen = 0;
	uint64_t id;
	int ret;

	ret = parse_small(ps, tok, "slot number", PROG_MAX_SLOTS - 1, &id);
	if (ret)
		return ret;
	slot->id = id;
	for (tok = next(ps); tok.len; tok = next(ps)) {
		ret = parse_slot_key(ps, tok, slot, &seen);
		if (ret)
			return ret;
	}
	if (~seen & (SEEN_BASE | SEEN_PAGES))
		return refuse(ps, "slot %u: expected base= and pages=", slot->id);
	if (~seen & SEEN_HVN)
		slot->hvn = slot->base;
	return slot_check(&ps->prog->vm, slot, ps->err) ? refuse_checked(ps) : 0;
}

static int parse_slot(struct parser *ps)
{
	struct slot_desc slot = { 0 };
	int ret = parse_slot_desc(ps, &slot);

	if (ret)
		return ret;
	if (slots_check_add(ps->prog, &slot, ps->err))
		return refuse_checked(ps);
	ps->prog->slots[ps->prog->nr_slots++] = slot;
	return 0;
}

static int parse_thread(struct parser *ps)
{
	uint64_t vcpu = 0;
	int kind, ret;

	ret = parse_word(ps, next(ps), "thread", thread_names, &kind);
	if (ret)
		return ret;
	if (kind == THREAD_VCPU) {
		ret = parse_small(ps, next(ps), "vcpu", PROG_MAX_VCPUS - 1, &vcpu);
		if (ret)
			return ret;
	}
	switch (program_add_thread(ps->prog, kind, vcpu)) {
	case -ENOSPC:
		return refuse(ps, "too many threads: expected at most %d", PROG_MAX_THREADS);
	case -EEXIST:
		return refuse(ps, "vcpu %" PRIu64 " has a thread already", vcpu);
	}
	return expect_end(ps);
}

/* xCOUNT or xCOUNT/STEP. */
static int parse_repeat(struct parser *ps, struct token tok, struct op *op)
{
	struct token count = tok, step = { 0 };
	const char *slash;

	slash = memchr(tok.s, '/', tok.len);
	if (slash) {
		count.len = slash - tok.s;
		step = (struct token){ slash + 1, tok.len - count.len - 1 };
	}
	count.s++;
	count.len--;
	if (tok.s[0] != 'x' || !to_number(count, &op->n) || (slash && !to_number(step, &op->step)))
		return refuse(ps,
			      "expected xCOUNT or xCOUNT/STEP, such as x512/0x200, or the end "
			      "of the line, found %s",
			      SHOW(tok));
	return 0;
}

static int parse_slot_number(struct parser *ps, struct token tok, struct op *op)
{
	const char *dot = tok.len ? memchr(tok.s, '.', tok.len) : NULL;
	struct token id = tok;
	uint64_t as_id = 0, number;
	int ret;

	if (dot) {
		struct token as = { tok.s, dot - tok.s };

		ret = parse_small(ps, as, "address space", 1, &as_id);
		if (ret)
			return ret;
		id = (struct token){ dot + 1, tok.len - as.len - 1 };
	}
	ret = parse_small(ps, id, "slot number", PROG_MAX_SLOTS - 1, &number);
	if (!ret)
		op->slot = OP_SLOT(as_id, number);
	return ret;
}

static int parse_operand(struct parser *ps, char operand, struct op *op)
{
	static const char *const levels[] = { "4K", "2M", "1G", NULL };
	static const char *const bools[] = { "off", "on", NULL };
	struct token tok;
	int index, ret;

	if (operand == 'D')
		return parse_slot_desc(ps, &op->desc);

	tok = next(ps);
	switch (operand) {
	case 'G':
		return parse_number(ps, tok, "gfn", &op->gfn);
	case 'H':
		return parse_number(ps, tok, "host page", &op->gfn);
	case 'N':
		return parse_number(ps, tok, "number of pages", &op->n);
	case 'R':
		op->n = 1;
		op->step = 1;
		return tok.len ? parse_repeat(ps, tok, op) : 0;
	case 'S':
		return parse_slot_number(ps, tok, op);
	case 'L':
		ret = parse_word(ps, tok, "level", levels, &index);
		if (!ret)
			op->level = index + 1;
		return ret;
	case 'B':
		ret = parse_word(ps, tok, op_infos[op->kind].name, bools, &index);
		if (!ret)
			op->on = index;
		return ret;
	default:
		if (!tok.len)
			return refuse(ps, "flags: expected none, log, ro or log,ro, found %s",
				      SHOW(tok));
		return parse_flags(ps, tok, &op->flags);
	}
}

static int unknown_op(struct parser *ps, enum thread_kind kind, struct token tok)
{
	char list[200];
	size_t len = 0;
	int i;

	for (i = 0; i < OP_NR; i++) {
		if (op_infos[i].kind == kind)
			len += snprintf(list + len, len < sizeof(list) ? sizeof(list) - len : 0,
					"%s%s", len ? ", " : "", op_infos[i].name);
	}
	return refuse(ps, "%s: expected one of %s", SHOW(tok), list);
}

static int parse_op(struct parser *ps)
{
	uint32_t nr = ps->prog->nr_threads - 1;
	struct prog_thread *thread = &ps->prog->threads[nr];
	struct token tok = next(ps);
	const char *operand;
	struct op op = { 0 };
	int i, ret;

	for (i = 0; i < OP_NR; i++) {
		if (is(tok, op_infos[i].name))
			break;
	}
	if (i == OP_NR)
		return unknown_op(ps, thread->kind, tok);
	op.kind = i;
	for (operand = op_infos[i].operands; *operand; operand++) {
		ret = parse_operand(ps, *operand, &op);
		if (ret)
			return ret;
	}
	ret = expect_end(ps);
	if (ret)
		return ret;
	if (op_check(ps->prog, thread->kind, &op, ps->err))
		return refuse_checked(ps);
	if (thread->nr_ops == PROG_MAX_OPS)
		return refuse(ps, "too many operations: expected at most %d in a thread",
			      PROG_MAX_OPS);
	if (!program_add_op(ps->prog, nr, &op)) {
		refuse(ps, "no memory");
		return -ENOMEM;
	}
	thread->lines[thread->nr_ops - 1] = ps->line;
	return 0;
}

/* Takes what is left of a token up to one of the bytes in @stops, or all of it. */
static struct token take(struct token *from, const char *stops)
{
	struct token part = { from->s, 0 };

	while (part.len < from->len && !strchr(stops, part.s[part.len]))
		part.len++;
	from->s += part.len;
	from->len -= part.len;
	return part;
}

static bool take_char(struct token *from, char c)
{
	if (!from->len || *from->s != c)
		return false;
	from->s++;
	from->len--;
	return true;
}

static bool take_number(struct token *from, const char *stops, uint64_t max, uint64_t *value)
{
	return to_number(take(from, stops), value) && *value <= max;
}

static int parse_point_kind(struct parser *ps, struct token tok)
{
	int i;

	for (i = 0; i < POINT_NR; i++) {
		if (is(tok, point_infos[i].name))
			return i;
	}
	return refuse(ps,
		      "there is no point %s: expected tT.O@POINT#K or tT.O@POINT(LEVEL)#K with "
		      "a point of docs/program-format.md",
		      SHOW(tok));
}

/* tT.O@KIND(LEVEL)#K */
static int parse_point(struct parser *ps, struct token tok, struct prog_choice *choice)
{
	struct token rest = tok;
	uint64_t thread, op, k;
	int kind, level = 0;

	if (!take_char(&rest, 't') || !take_number(&rest, ".", UINT8_MAX, &thread) ||
	    !take_char(&rest, '.') || !take_number(&rest, "@", UINT16_MAX, &op) ||
	    !take_char(&rest, '@'))
		goto bad;
	kind = parse_point_kind(ps, take(&rest, "(#"));
	if (kind < 0)
		return kind;
	if (take_char(&rest, '(')) {
		struct token word = take(&rest, ")");

		if (!take_char(&rest, ')'))
			goto bad;
		level = word.len ? find(word, level_names) : -1;
		if (level < 0)
			return refuse(ps, "level: expected 4K, 2M, 1G, 512G or 256T, found %s",
				      SHOW(word));
	}
	if (!take_char(&rest, '#') || !take_number(&rest, "", UINT32_MAX, &k))
		goto bad;
	if (point_infos[kind].has_level && !level)
		return refuse(ps, "'%s' without a level: expected %s(4K) or the like",
			      point_infos[kind].name, point_infos[kind].name);

	choice->thread = thread;
	choice->op = op;
	choice->kind = kind;
	choice->level = level;
	choice->k = k;
	return 0;
bad:
	return refuse(ps,
		      "expected a point, tT.O@POINT#K or tT.O@POINT(LEVEL)#K, such as "
		      "t0.2@cmpxchg(2M)#1, found %s",
		      SHOW(tok));
}

static int parse_choice(struct parser *ps)
{
	struct program *prog = ps->prog;
	struct prog_choice choice = { .line = ps->line };
	struct token tok;
	uint64_t target;
	uint32_t i;
	int action, ret;

	ret = parse_point(ps, next(ps), &choice);
	if (ret)
		return ret;
	ret = parse_word(ps, next(ps), "action", choice_names, &action);
	if (ret)
		return ret;
	choice.action = action;
	if (action == CHOICE_SWITCH) {
		struct token rest = tok = next(ps);

		if (!take_char(&rest, 't') || !take_number(&rest, "", UINT8_MAX, &target))
			return refuse(ps, "expected a thread such as t1 after '->', found %s",
				      SHOW(tok));
		choice.target = target;
	}
	ret = expect_end(ps);
	if (ret)
		return ret;
	if (choice_check(prog, &choice, ps->err))
		return refuse_checked(ps);
	for (i = 0; i < prog->nr_choices; i++) {
		if (choice_compare(&prog->choices[i], &choice))
			continue;
		return refuse(ps, "line %d says what happens at this point already",
			      prog->choices[i].line);
	}
	if (prog->nr_choices == PROG_MAX_CHOICES)
		return refuse(ps, "too many choices: expected at most %d", PROG_MAX_CHOICES);
	prog->choices[prog->nr_choices++] = choice;
	return 0;
}

static int parse_version(struct parser *ps, struct token tok)
{
	struct token version;
	uint64_t number;

	if (!is(tok, "tdp"))
		return refuse(ps, "expected 'tdp %d' first, found %s", PROG_VERSION, SHOW(tok));
	version = next(ps);
	if (!to_number(version, &number))
		return refuse(ps, "expected 'tdp %d', found 'tdp' and %s", PROG_VERSION,
			      SHOW(version));
	if (number != PROG_VERSION)
		return refuse(ps, "version %" PRIu64 " of the format: expected 'tdp %d'", number,
			      PROG_VERSION);
	ps->section = AT_VERSION;
	return expect_end(ps);
}

/* A line that begins in the first column. */
static int parse_heading(struct parser *ps)
{
	static const char *const words[] = { "vm", "slot", "thread", "schedule", NULL };
	struct token tok = next(ps);
	enum section section;
	int index, ret;

	if (ps->section == AT_START)
		return parse_version(ps, tok);
	ret = parse_word(ps, tok, "heading", words, &index);
	if (ret)
		return ret;
	section = AT_VM + index;
	if (section < ps->section)
		return refuse(ps, "'%s' after '%s': expected the order vm, slot, thread, schedule",
			      words[index], words[ps->section - AT_VM]);
	if (section == ps->section && (section == AT_VM || section == AT_SCHEDULE))
		return refuse(ps, "a second '%s': expected one", words[index]);
	ps->section = section;
	switch (section) {
	case AT_VM:
		return parse_vm(ps);
	case AT_SLOT:
		return parse_slot(ps);
	case AT_THREAD:
		return parse_thread(ps);
	default:
		return expect_end(ps);
	}
}

static int parse_line(struct parser *ps)
{
	const char *start = ps->p, *p = start;

	while (p < ps->end && is_space(*p))
		p++;
	if (p == ps->end)
		return 0;
	if (p == start)
		return parse_heading(ps);
	if (ps->section == AT_THREAD)
		return parse_op(ps);
	if (ps->section == AT_SCHEDULE)
		return parse_choice(ps);
	return refuse(ps, "an indented line: expected it below 'thread' or 'schedule' only");
}

/* Where the comment of a line begins: at a '#' in the first column or after a space. */
static const char *comment(const char *start, const char *end)
{
	const char *p = start;

	while (p < end && (p = memchr(p, '#', end - p))) {
		if (p == start || is_space(p[-1]))
			return p;
		p++;
	}
	return end;
}

/**
 * program_parse - read the text form of a program
 * @prog: its former content is dropped; unspecified, but safe to use, after a failure
 * @text: need not be NUL-terminated
 * @len: of @text, bytes
 * @err: filled on failure: the line, what was found and what was expected
 *
 * Return: 0; -EINVAL for a text that is no valid program; -ENOMEM.
 */
int program_parse(struct program *prog, const char *text, size_t len, struct prog_error *err)
{
	struct parser ps = { .prog = prog, .err = err };
	const char *end = text + len;
	int ret;

	program_reset(prog);
	while (text < end) {
		const char *eol = memchr(text, '\n', end - text);

		eol = eol ? eol : end;
		ps.line++;
		ps.p = text;
		ps.end = comment(text, eol);
		ret = parse_line(&ps);
		if (ret) {
			program_reset(prog);
			return ret;
		}
		text = eol < end ? eol + 1 : end;
	}
	if (ps.section == AT_START) {
		ps.line = 0;
		return refuse(&ps, "no program: expected 'tdp %d' first", PROG_VERSION);
	}
	program_sort_choices(prog);
	return 0;
}
