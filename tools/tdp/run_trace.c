// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interleaving, one column per thread: each step begins in the column of the thread that runs, and
 * ends with the source line that caused it.  Long lines are broken, so that they stay to the right of
 * their column.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "platform.h"
#include "run.h"

#define MARGIN	    8 /* the step's number */
#define MIN_COLUMN  12
#define MAX_COLUMN  24
#define MIN_TEXT    72 /* what the last column should have at least */
#define PAPER_WIDTH 140 /* of a file */

#define BAR	     "\xe2\x94\x82"
#define DOTS	     "\xe2\x94\x8a"
#define LEFT_CORNER  "\xe2\x95\xb0"
#define RIGHT_CORNER "\xe2\x95\xaf"
#define DASH	     "\xe2\x94\x80"
#define TO_RIGHT     "\xe2\x96\xb6"
#define TO_LEFT	     "\xe2\x97\x80"

#define RED   "\033[1;31m"
#define DIM   "\033[2m"
#define PLAIN "\033[0m"

/* ---- colours ---- */

static void colour(struct run_trace *t, const char *code)
{
	if (t->colour)
		fputs(code, t->out);
}

static void colour_of_thread(struct run_trace *t, int thread)
{
	static const int codes[PROG_MAX_THREADS] = { 36, 33, 35, 32, 34, 96, 93, 95 };

	if (t->colour && thread >= 0)
		fprintf(t->out, "\033[%dm", codes[thread]);
}

/* ---- columns ---- */

static int column_of(const struct run_trace *t, int thread)
{
	return (thread < 0 ? 0 : thread) * t->column;
}

/* Characters, not bytes. */
static size_t characters(const char *s, size_t len)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++)
		n += (s[i] & 0xc0) != 0x80;
	return n;
}

/* The columns of threads to the left, down to @thread's own. */
static void print_bars(struct run_trace *t, int thread)
{
	int i;

	for (i = 0; i < thread; i++) {
		colour_of_thread(t, i);
		fprintf(t->out, "%s%*s",
			t->ended & 1u << i   ? " " :
			t->waiting & 1u << i ? DOTS :
					       BAR,
			t->column - 1, "");
	}
	colour(t, PLAIN);
}

static void print_margin(struct run_trace *t, bool first)
{
	if (!first) {
		fprintf(t->out, "%*s", MARGIN, "");
		return;
	}
	colour(t, DIM);
	fprintf(t->out, "%*llu  ", MARGIN - 2, (unsigned long long)++t->nr);
	colour(t, PLAIN);
}

/* How much of the text goes on a line of @room characters: up to a space, if there is one. */
static size_t fit(const char *s, size_t room)
{
	size_t i, n = 0, space = 0;

	for (i = 0; s[i]; i++) {
		if (n >= room && (s[i] & 0xc0) != 0x80)
			return space ? space : i;
		if (s[i] == ' ')
			space = i;
		n += (s[i] & 0xc0) != 0x80;
	}
	return i;
}

static void print_text(struct run_trace *t, int thread, int depth, const char *text,
		       const char *site, const char *code)
{
	int indent = 2 * depth, room = t->width - MARGIN - column_of(t, thread) - indent;
	bool first = true;

	if (room < MIN_COLUMN * 2)
		room = MIN_COLUMN * 2;
	while (*text || first) {
		size_t n = fit(text, first ? room : room - 4);

		print_margin(t, first);
		print_bars(t, thread);
		fprintf(t->out, "%*s", first ? indent : indent + 4, "");
		colour(t, code);
		fprintf(t->out, "%.*s", (int)n, text);
		colour(t, PLAIN);
		room -= first ? 0 : 4;
		if (!text[n] && *site && characters(text, n) + 2 + strlen(site) <= (size_t)room) {
			colour(t, DIM);
			fprintf(t->out, "  %s", site);
			colour(t, PLAIN);
			site = "";
		}
		room += first ? 0 : 4;
		fputc('\n', t->out);
		text += n;
		text += strspn(text, " ");
		first = false;
		if (!*text && *site) {
			text = site;
			site = "";
			code = DIM;
		}
	}
}

/* An arrow from the column of who leaves to that of who comes. */
static void print_switch(struct run_trace *t, const struct run_step *step)
{
	bool right = step->to > step->thread;
	int from = right ? step->thread : step->to, to = right ? step->to : step->thread;
	int i, length = (to - from) * t->column - 1;

	print_margin(t, true);
	print_bars(t, from);
	colour_of_thread(t, step->to);
	fputs(right ? LEFT_CORNER : TO_LEFT, t->out);
	for (i = 0; i < length; i++)
		fputs(DASH, t->out);
	fprintf(t->out, "%s %s", right ? TO_RIGHT : RIGHT_CORNER, step->text.buf);
	colour(t, PLAIN);
	fputc('\n', t->out);
}

/* A violation is marked across the whole line, whoever runs. */
static void print_violation(struct run_trace *t, const struct run_step *step)
{
	print_text(t, step->thread, step->depth, step->text.buf, "", RED);
}

static void print_step(void *ctx, const struct run_step *step)
{
	struct run_trace *t = ctx;
	char site[80] = "";

	if (step->kind == RUN_STEP_SWITCH) {
		print_switch(t, step);
		if (step->ended)
			t->ended |= 1u << step->thread;
		if (step->waits)
			t->waiting |= 1u << step->thread;
		t->waiting &= ~(1u << step->to);
		return;
	}
	if (step->ev.kind == EXEC_EV_VIOLATION || step->ev.kind == EXEC_EV_WARN) {
		print_violation(t, step);
		return;
	}
	if (step->ev.site)
		snprintf(site, sizeof(site), "[%s:%d]", step->ev.site->file, step->ev.site->line);
	print_text(t, step->thread, step->depth, step->text.buf, site,
		   step->ev.kind == EXEC_EV_OP ? "\033[1m" : "");
}

/**
 * run_trace_width() - how wide lines may be
 * @out: where they go
 *
 * Return: a terminal's width, or what suits a file.
 */
int run_trace_width(FILE *out)
{
	struct winsize size;

	if (isatty(fileno(out)) && !ioctl(fileno(out), TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return PAPER_WIDTH;
}

/* Wide enough for the heads, but the last one leaves room for its text. */
static int choose_column(const struct run_trace *t, const struct program *prog)
{
	int others = prog->nr_threads > 1 ? prog->nr_threads - 1 : 1;
	int column = (t->width - MARGIN - MIN_TEXT) / others;

	return column < MIN_COLUMN ? MIN_COLUMN : column > MAX_COLUMN ? MAX_COLUMN : column;
}

/**
 * run_trace_begin() - print the heads of the columns
 * @t: trace whose out, width, colour, words and detail are set
 */
void run_trace_begin(struct run_trace *t)
{
	const struct program *prog = t->steps.words.prog;
	uint32_t i;

	t->nr = 0;
	t->ended = 0;
	t->waiting = 0;
	t->column = choose_column(t, prog);
	t->steps.step = print_step;
	t->steps.ctx = t;
	run_steps_begin(&t->steps);
	fprintf(t->out, "%*s  ", MARGIN - 2, "step");
	for (i = 0; i < prog->nr_threads; i++) {
		char head[MAX_COLUMN];

		snprintf(head, sizeof(head), "t%u %s", i, prog->threads[i].name);
		colour_of_thread(t, i);
		fprintf(t->out, i + 1 < prog->nr_threads ? "%-*s" : "%.*s", t->column, head);
		colour(t, PLAIN);
	}
	fputc('\n', t->out);
}

/**
 * run_trace_event() - print an event
 * @t: trace
 * @ev: event
 */
void run_trace_event(struct run_trace *t, const struct exec_event *ev)
{
	run_steps_event(&t->steps, ev);
}

/**
 * run_trace_end() - print what is still to be printed
 * @t: trace
 */
void run_trace_end(struct run_trace *t)
{
	run_steps_end(&t->steps);
}
