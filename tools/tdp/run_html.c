// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interleaving as one page that needs nothing else: a template with the run in it, as JSON.  Each
 * step has what it changed; the page makes the state at a step out of that (run_html.js).
 */
#define _GNU_SOURCE /* memmem() */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "finding.h"
#include "platform.h"
#include "run_html.h"
#include "run_json.h"
#include "tdp.h"

#define DATA_MARK  "@DATA@"
#define MAX_POINTS 50000 /* a page with more steps is no use; what changes something is kept */
#define MAX_BYTES  (64L << 20) /* a browser takes no larger page; the rest of the run is left out */
#define MAX_SITES  4096

/* Entries that one change has written, one after the other. */
struct html_run {
	uint64_t pa, first, last;
	uint64_t step;
	int level;
	uint32_t n;
};

/**
 * struct run_html - a page while it is made
 * @path: where to
 * @out: that file
 * @program: path of the program
 * @prog: the program
 * @steps: makes steps of events
 * @values: values of SPTEs, by number
 * @state: roots and vCPUs as they were told
 * @sites: source lines, by number
 * @nr_sites: how many
 * @run: entries written that are not in @changes yet
 * @changes: what the pending step changed, a JSON list without its brackets
 * @changes_text: its characters
 * @changes_len: how many
 * @nr_steps: steps printed
 * @points: of those, points
 * @too_long: the page is full
 * @no_memory: something is missing
 */
struct run_html {
	const char *path;
	FILE *out;
	const char *program;
	const struct program *prog;
	struct run_steps steps;
	struct html_values values;
	struct html_state state;
	const struct sim_site *sites[MAX_SITES];
	uint32_t nr_sites;
	struct html_run run;
	FILE *changes;
	char *changes_text;
	size_t changes_len;
	uint64_t nr_steps;
	uint64_t points;
	bool too_long;
	bool no_memory;
};

/* ---- what a step changed ---- */

static uint32_t value(struct run_html *h, uint64_t spte, int level)
{
	uint32_t number = 0;

	if (!html_value(&h->values, spte, level, &number))
		h->no_memory = true;
	return number;
}

static const char *comma(struct run_html *h)
{
	fflush(h->changes);
	return h->changes_len ? "," : "";
}

static void put_run(struct run_html *h)
{
	struct html_run *r = &h->run;

	if (r->n)
		fprintf(h->changes, "%s[\"e\",%" PRIu64 ",%u,%u,%" PRIu64 "]", comma(h), r->pa,
			r->n, value(h, r->first, r->level), r->step >> PAGE_SHIFT);
	r->n = 0;
}

static void entry_changed(struct run_html *h, uint64_t pa, uint64_t val, int level)
{
	struct html_run *r = &h->run;
	uint64_t step = val - r->last;

	if (r->n && pa == r->pa + 8 * r->n && level == r->level && (r->n == 1 || step == r->step) &&
	    step <= 1ULL << 30 && !(step & (PAGE_SIZE - 1))) {
		r->step = step;
		r->last = val;
		r->n++;
		return;
	}
	put_run(h);
	*r = (struct html_run){ .pa = pa, .first = val, .last = val, .level = level, .n = 1 };
}

static void note_changes(struct run_html *h, const struct exec_event *ev)
{
	switch (ev->kind) {
	case EXEC_EV_SPTE:
	case EXEC_EV_ASSIST:
		if (ev->ok)
			entry_changed(h, ev->pa, ev->val, run_event_level(&h->steps.words, ev));
		return;
	case EXEC_EV_ALLOC:
	case EXEC_EV_FREE:
		put_run(h);
		fprintf(h->changes, "%s[\"%c\",%" PRIu64 "]", comma(h),
			ev->kind == EXEC_EV_ALLOC ? 'a' : 'f', ev->pa);
		return;
	case EXEC_EV_LOCK:
		put_run(h);
		fprintf(h->changes, "%s[\"l\",", comma(h));
		json_string(h->changes, ev->text);
		fprintf(h->changes, ",%d,%d]", ev->thread, ev->delta);
		return;
	case EXEC_EV_RCU:
		if (!ev->delta)
			return;
		put_run(h);
		fprintf(h->changes, "%s[\"u\",%d,%d]", comma(h), ev->thread, ev->delta);
		return;
	default:
		return;
	}
}

static void note_state(struct run_html *h)
{
	put_run(h);
	if (!html_state_changes(&h->state, &h->values, h->changes, comma(h)))
		h->no_memory = true;
}

static void start_changes(struct run_html *h)
{
	h->changes = open_memstream(&h->changes_text, &h->changes_len);
	if (!h->changes)
		h->no_memory = true;
}

static void drop_changes(struct run_html *h)
{
	if (h->changes)
		fclose(h->changes);
	free(h->changes_text);
	h->changes = NULL;
	h->changes_text = NULL;
	h->changes_len = 0;
}

/* ---- steps ---- */

static const char *kind_of(const struct run_step *step)
{
	static const char *const kinds[] = {
		[EXEC_EV_OP] = "op",	     [EXEC_EV_CALL] = "call",
		[EXEC_EV_RETURN] = "ret",    [EXEC_EV_POINT] = "point",
		[EXEC_EV_SPTE] = "spte",     [EXEC_EV_ALLOC] = "alloc",
		[EXEC_EV_FREE] = "free",     [EXEC_EV_REFUSED] = "refused",
		[EXEC_EV_FLUSH] = "flush",   [EXEC_EV_KICK] = "kick",
		[EXEC_EV_LOCK] = "lock",     [EXEC_EV_RCU] = "rcu",
		[EXEC_EV_ACCESS] = "access", [EXEC_EV_ASSIST] = "assist",
		[EXEC_EV_PML] = "pml",	     [EXEC_EV_WARN] = "bad",
		[EXEC_EV_VIOLATION] = "bad",
	};

	return step->kind == RUN_STEP_SWITCH ? "switch" : kinds[step->ev.kind];
}

static uint32_t site_number(struct run_html *h, const struct sim_site *site)
{
	uint32_t i;

	for (i = 0; i < h->nr_sites; i++)
		if (h->sites[i] == site)
			return i;
	if (h->nr_sites == MAX_SITES)
		return 0;
	h->sites[h->nr_sites] = site;
	return h->nr_sites++;
}

static void print_address(struct run_html *h, const struct exec_event *ev)
{
	struct run_text text = { .len = 0 };

	run_say(&text, "t%d.%u@", ev->thread, ev->op);
	run_point_text(ev, &text);
	fputs(",\"a\":", h->out);
	json_string(h->out, text.buf);
}

static bool has_address(const struct exec_event *ev)
{
	return ev->thread >= 0 &&
	       (ev->kind == EXEC_EV_POINT || (ev->kind == EXEC_EV_SPTE && ev->point != POINT_OP));
}

/* The change in full, for the one step that people look at. */
static void print_change(struct run_html *h, const struct run_step *step)
{
	const struct exec_event *ev = &step->ev;
	int level = run_event_level(&h->steps.words, ev);
	struct run_text what = { .len = 0 };
	const char *end = strstr(step->text.buf, ": ");

	run_say(&what, "%.*s", (int)(end ? end - step->text.buf : 0), step->text.buf);
	if (step->n > 1)
		run_say(&what, ", the first of %u", step->n);
	fprintf(h->out,
		",\"c\":{\"pa\":%" PRIu64 ",\"old\":%u,\"val\":%u,\"ok\":%d,\"what\":", ev->pa,
		value(h, ev->old, level), value(h, ev->val, level), ev->ok);
	json_string(h->out, what.buf);
	fputc('}', h->out);
}

/* "= 0 enter-guest, root 0x1000": "= 0", for the line of the call. */
static void print_answer(struct run_html *h, const struct run_step *step)
{
	const char *text = step->text.buf, *paren = strchr(text, ')');
	size_t len = 2 + strcspn(text + 2, " ");

	/* "= -2 (No such file or directory) log-get" */
	if (text[len] == ' ' && text[len + 1] == '(' && paren)
		len = paren + 1 - text;
	fputs(",\"answer\":", h->out);
	json_chars(h->out, text, len);
}

static void print_event_members(struct run_html *h, const struct run_step *step)
{
	const struct exec_event *ev = &step->ev;

	if (has_address(ev))
		print_address(h, ev);
	if (ev->site)
		fprintf(h->out, ",\"s\":%u", site_number(h, ev->site));
	if (ev->kind == EXEC_EV_OP)
		fprintf(h->out, ",\"o\":%u", ev->op);
	if (ev->kind == EXEC_EV_RETURN)
		print_answer(h, step);
	if (ev->kind == EXEC_EV_SPTE || ev->kind == EXEC_EV_ASSIST)
		print_change(h, step);
	if (ev->pa &&
	    (ev->kind == EXEC_EV_SPTE || ev->kind == EXEC_EV_POINT || ev->kind == EXEC_EV_ASSIST))
		fprintf(h->out, ",\"at\":%" PRIu64, step->last.pa);
}

static void print_switch(struct run_html *h, const struct run_step *step)
{
	fprintf(h->out, ",\"to\":%d", step->to);
	if (step->waits) {
		fputs(",\"w\":", h->out);
		json_string(h->out, step->waits);
	}
}

static void print_step(void *ctx, const struct run_step *step)
{
	struct run_html *h = ctx;

	put_run(h);
	fflush(h->changes);
	/* What changed stays, and goes to the next step that is printed. */
	if (step->detail == RUN_POINTS && step->kind == RUN_STEP_EVENT && h->points++ >= MAX_POINTS)
		return;
	fprintf(h->out,
		"%s\n{\"k\":\"%s\",\"t\":%d,\"f\":%d,\"p\":%d,\"x\":", h->nr_steps ? "," : "",
		kind_of(step), step->thread, step->detail, step->depth);
	json_string(h->out, step->text.buf);
	if (step->kind == RUN_STEP_SWITCH)
		print_switch(h, step);
	else
		print_event_members(h, step);
	/* The thread changes between two events: nothing changes then. */
	if (h->changes_len && step->kind == RUN_STEP_EVENT) {
		fprintf(h->out, ",\"d\":[%s]", h->changes_text);
		drop_changes(h);
		start_changes(h);
	}
	fputc('}', h->out);
	h->nr_steps++;
	h->too_long = ftell(h->out) > MAX_BYTES;
}

/* Events that are told when what they stand for is done; the others, before. */
static bool told_after(const struct exec_event *ev)
{
	switch (ev->kind) {
	case EXEC_EV_OP:
	case EXEC_EV_CALL:
	case EXEC_EV_POINT:
		return false;
	default:
		return true;
	}
}

/**
 * run_html_event() - take an event
 * @h: page
 * @ev: event
 */
void run_html_event(struct run_html *h, const struct exec_event *ev)
{
	if (h->no_memory || h->too_long)
		return;
	if (!told_after(ev))
		note_state(h);
	run_steps_event(&h->steps, ev);
	note_changes(h, ev);
	if (told_after(ev))
		note_state(h);
}

/* ---- the page ---- */

static const char *data_mark(void)
{
	return memmem(run_html_page, run_html_page_size, DATA_MARK, strlen(DATA_MARK));
}

static void print_lines(FILE *out, const char *text, size_t len)
{
	const char *sep = "", *end = text + len;

	fputs(",\"program\":[", out);
	while (text < end) {
		const char *newline = memchr(text, '\n', end - text);
		size_t n = newline ? (size_t)(newline - text) : (size_t)(end - text);

		fputs(sep, out);
		json_chars(out, text, n);
		text += n + 1;
		sep = ",";
	}
	fputc(']', out);
}

/* The text as it was given, for the lines' numbers; otherwise as it would be printed. */
static bool print_program(struct run_html *h)
{
	char *text = program_text(h->prog);
	FILE *file = NULL;
	size_t len;

	if (!text)
		return false;
	len = strlen(text);
	if (h->prog->nr_threads && h->prog->threads[0].nr_ops && h->prog->threads[0].lines[0])
		file = fopen(h->program, "r");
	if (file) {
		char *given = NULL;
		size_t room = 0;
		ssize_t n = getdelim(&given, &room, 0, file);

		fclose(file);
		free(text);
		text = given;
		len = n > 0 ? n : 0;
	}
	print_lines(h->out, text, len);
	free(text);
	return true;
}

static void print_threads(struct run_html *h)
{
	uint32_t i, op;

	fputs(",\"threads\":[", h->out);
	for (i = 0; i < h->prog->nr_threads; i++) {
		const struct prog_thread *t = &h->prog->threads[i];

		fprintf(h->out, "%s{\"name\":", i ? "," : "");
		json_string(h->out, t->name);
		fprintf(h->out, ",\"vcpu\":%d,\"lines\":[", t->kind == THREAD_VCPU ? t->vcpu : -1);
		for (op = 0; op < t->nr_ops; op++)
			fprintf(h->out, "%s%d", op ? "," : "", t->lines[op]);
		fputs("]}", h->out);
	}
	fputc(']', h->out);
}

/* The "vm" line, as programs are printed. */
static bool print_vm(struct run_html *h)
{
	char *text = program_text(h->prog), *vm;

	if (!text)
		return false;
	vm = strstr(text, "vm ");
	fputs(",\"vm\":", h->out);
	if (vm)
		json_chars(h->out, vm + 3, strcspn(vm + 3, "\n"));
	else
		json_string(h->out, "");
	free(text);
	return true;
}

static int count_vcpus(const struct program *prog)
{
	uint32_t i;
	int n = 0;

	for (i = 0; i < prog->nr_threads; i++)
		if (prog->threads[i].kind == THREAD_VCPU && prog->threads[i].vcpu >= n)
			n = prog->threads[i].vcpu + 1;
	return n;
}

static void no_page(const struct run_html *h, const char *why)
{
	fprintf(stderr, "tdp run: %s: %s\n", h->path, why);
}

static void html_free(struct run_html *h)
{
	drop_changes(h);
	html_values_free(&h->values);
	html_state_free(&h->state);
	free(h);
}

/**
 * run_html_begin() - start a page
 * @path: where to; stays the caller's
 * @program: path of the program; stays the caller's
 * @prog: the program
 * @oracle: watches it
 *
 * Return: the page; NULL if it cannot be written, which has been said.
 */
struct run_html *run_html_begin(const char *path, const char *program, const struct program *prog,
				struct oracle *oracle)
{
	struct run_html *h = calloc(1, sizeof(*h));

	if (!h) {
		fprintf(stderr, "tdp run: no memory\n");
		return NULL;
	}
	*h = (struct run_html){
		.path = path,
		.program = program,
		.prog = prog,
		.steps = {
			.words = { .prog = prog, .oracle = oracle },
			.detail = RUN_POINTS,
			.step = print_step,
			.ctx = h,
		},
		.state = { .oracle = oracle, .nr_vcpus = count_vcpus(prog) },
	};
	h->out = fopen(path, "w");
	if (!h->out) {
		no_page(h, strerror(errno));
		html_free(h);
		return NULL;
	}
	run_steps_begin(&h->steps);
	start_changes(h);
	fwrite(run_html_page, 1, data_mark() - (const char *)run_html_page, h->out);
	fputs("{\"file\":", h->out);
	json_string(h->out, program);
	fprintf(h->out, ",\"levels\":%d", prog->vm.levels);
	if (!print_program(h) || !print_vm(h))
		h->no_memory = true;
	print_threads(h);
	fputs(",\"steps\":[", h->out);
	return h;
}

static void print_violations(struct run_html *h, const struct exec_result *res)
{
	uint32_t i;

	fputs("],\"violations\":[", h->out);
	for (i = 0; i < res->nr_violations; i++) {
		const struct oracle_violation *v = oracle_violation(h->state.oracle, i);

		fprintf(h->out, "%s{\"rule\":\"%c\",\"meaning\":", i ? "," : "", v->rule);
		json_string(h->out, rule_meaning(v->rule));
		fputs(",\"text\":", h->out);
		json_string(h->out, v->text);
		fputc('}', h->out);
	}
	fputc(']', h->out);
}

static void print_sites(struct run_html *h)
{
	uint32_t i;

	fputs(",\"sites\":[", h->out);
	for (i = 0; i < h->nr_sites; i++) {
		struct run_text text = { .len = 0 };

		run_say(&text, "%s:%d", h->sites[i]->file, h->sites[i]->line);
		fputs(i ? "," : "", h->out);
		json_string(h->out, text.buf);
	}
	fputs("],\"values\":", h->out);
	html_values_print(&h->values, &h->prog->vm, h->out);
}

/**
 * run_html_end() - finish and close the page, and free @h
 * @h: page
 * @res: how the run ended
 *
 * Return: TDP_EXIT_OK; TDP_EXIT_USAGE if it could not be written, which has been said.
 */
int run_html_end(struct run_html *h, const struct exec_result *res)
{
	const char *rest = data_mark() + strlen(DATA_MARK);
	int ret = TDP_EXIT_OK;

	if (!h->no_memory && !h->too_long)
		run_steps_end(&h->steps);
	print_violations(h, res);
	print_sites(h);
	fprintf(h->out, ",\"left_out\":%" PRIu64 ",\"too_long\":%d}",
		h->points > MAX_POINTS ? h->points - MAX_POINTS : 0, h->too_long);
	fwrite(rest, 1, (const char *)run_html_page + run_html_page_size - rest, h->out);
	if (h->no_memory) {
		no_page(h, "no memory");
		ret = TDP_EXIT_USAGE;
	}
	if (ferror(h->out) | fclose(h->out)) {
		no_page(h, strerror(errno));
		ret = TDP_EXIT_USAGE;
	}
	html_free(h);
	return ret;
}
