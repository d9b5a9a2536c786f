/* SPDX-License-Identifier: GPL-2.0-only */
/* tdp run: its parts. */
#ifndef TDP_RUN_H
#define TDP_RUN_H

#include <stdio.h>

#include "executor.h"
#include "program.h"

struct kvm;
struct mirror_table;

/* ---- run_text.c: what an event says ---- */

#define RUN_TEXT_MAX 1024

/* A line that grows; what does not fit is left out. */
struct run_text {
	char buf[RUN_TEXT_MAX];
	size_t len;
};

void run_say(struct run_text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * struct run_words - what it takes to put events into words
 * @prog: the program that runs
 * @oracle: knows which gfn an SPTE's address stands for, and the vCPUs' TLBs
 * @hex: print values of SPTEs beside their words
 */
struct run_words {
	const struct program *prog;
	struct oracle *oracle;
	bool hex;
};

void run_event_text(const struct run_words *w, const struct exec_event *ev, struct run_text *text);
void run_return_text(const struct run_words *w, const struct oracle_call *call,
		     struct run_text *text);
void run_point_text(const struct exec_event *ev, struct run_text *text);
int run_event_level(const struct run_words *w, const struct exec_event *ev);

/* ---- run_step.c: events become steps ---- */

/* How much is shown; each has all that those before it have. */
enum run_detail {
	RUN_CALLS,   /* operations, calls of the MMU, accesses, who runs, violations */
	RUN_CHANGES, /* what changes: SPTEs, page-table pages, TLB flushes */
	RUN_POINTS,  /* points, runs of equal reads as one */
	RUN_ALL,	 /* every point by itself */
};

enum run_step_kind {
	RUN_STEP_EVENT,
	RUN_STEP_SWITCH, /* another thread runs */
};

/**
 * struct run_step - a line of the interleaving
 * @kind: an event, or that the thread changes
 * @detail: shown from here on
 * @ev: the event, or the first of several; its pointers but @site are void
 * @thread: whose column
 * @to: thread that runs next, for RUN_STEP_SWITCH
 * @depth: how far it is indented: operation 0, call 1, what the call does 2
 * @n: events in it
 * @last: the last of them
 * @ended: the call that @ev began is over, if nothing came in between; the thread that another one
 *	runs after is
 * @waits: what the thread waits for that another one runs after, NULL if that is not why
 * @text: in words
 */
struct run_step {
	enum run_step_kind kind;
	enum run_detail detail;
	struct exec_event ev;
	int thread;
	int to;
	int depth;
	uint32_t n;
	struct exec_event last;
	bool ended;
	const char *waits;
	struct run_text text;
};

/**
 * struct run_steps - makes steps out of events
 * @words: for their texts
 * @detail: what is left out
 * @step: is given each step when it is complete
 * @ctx: passed back
 * @pending: the step that may still grow, if its n is not 0
 * @thread: who ran last, -1 if nobody
 * @at: the last point of each thread, where a switch happens
 * @access: number of the access that each thread makes within its operation
 */
struct run_steps {
	struct run_words words;
	enum run_detail detail;
	void (*step)(void *ctx, const struct run_step *step);
	void *ctx;
	struct run_step pending;
	int thread;
	struct exec_event at[PROG_MAX_THREADS];
	uint64_t access[PROG_MAX_THREADS];
};

void run_steps_begin(struct run_steps *s);
void run_steps_event(struct run_steps *s, const struct exec_event *ev);
void run_steps_end(struct run_steps *s);

/* ---- run_trace.c: the interleaving as text ---- */

/**
 * struct run_trace - the interleaving on paper
 * @out: where to
 * @steps: the steps; words and detail are the caller's to set
 * @width: of a line, in characters
 * @colour: use a terminal's colours
 * @column: from one thread's column to the next
 * @nr: steps printed so far
 * @ended: threads that are past their last operation
 * @waiting: threads that cannot go on
 */
struct run_trace {
	FILE *out;
	struct run_steps steps;
	int width;
	bool colour;
	int column;
	uint64_t nr;
	uint32_t ended;
	uint32_t waiting;
};

void run_trace_begin(struct run_trace *trace);
void run_trace_event(struct run_trace *trace, const struct exec_event *event);
void run_trace_end(struct run_trace *trace);
int run_trace_width(FILE *out);

/* ---- run_html.c: the interleaving as a page ---- */

struct run_html;
struct run_html *run_html_begin(const char *out, const char *program, const struct program *prog,
				struct oracle *oracle);
void run_html_event(struct run_html *html, const struct exec_event *event);
int run_html_end(struct run_html *html, const struct exec_result *res);

/* ---- run_dump.c ---- */
void run_dump(FILE *out, const struct program *prog, struct kvm *kvm);

#endif /* TDP_RUN_H */
