// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events become steps: a thread change is a step of its own, a call that did nothing else is one step
 * with its answer, and events in a row that are all alike - 512 entries of a new table, the reads of
 * a walk - are one step with their number.
 */
#include <string.h>

#include "mirror.h"
#include "platform.h"
#include "run.h"
#include "spte_words.h"

#define PFN_FIELD 0x000ffffffffff000ULL

/* Points that come back as an event of their own, with more to say. */
static bool point_says_nothing(enum point_kind point)
{
	switch (point) {
	case POINT_OP:
	case POINT_WRITE:
	case POINT_XCHG:
	case POINT_CMPXCHG:
	case POINT_AND:
	case POINT_FLUSH:
	case POINT_KICK:
	case POINT_BLOCK:
	case POINT_END:
		return true;
	default:
		return false;
	}
}

static enum run_detail detail_of(const struct exec_event *ev)
{
	switch (ev->kind) {
	case EXEC_EV_OP:
	case EXEC_EV_CALL:
	case EXEC_EV_RETURN:
	case EXEC_EV_ACCESS:
	case EXEC_EV_WARN:
	case EXEC_EV_VIOLATION:
		return RUN_CALLS;
	case EXEC_EV_POINT:
	case EXEC_EV_LOCK:
		return RUN_POINTS;
	case EXEC_EV_RCU:
		return ev->delta ? RUN_POINTS : RUN_CHANGES;
	default:
		return RUN_CHANGES;
	}
}

static int depth_of(const struct exec_event *ev)
{
	switch (ev->kind) {
	case EXEC_EV_OP:
	case EXEC_EV_WARN:
	case EXEC_EV_VIOLATION:
		return 0;
	case EXEC_EV_CALL:
	case EXEC_EV_RETURN:
	case EXEC_EV_ACCESS:
		return 1;
	default:
		return 2;
	}
}

static void flush(struct run_steps *s)
{
	if (s->pending.n)
		s->step(s->ctx, &s->pending);
	s->pending.n = 0;
}

/* ---- what belongs together ---- */

static bool same_page(const struct exec_event *a, const struct exec_event *b)
{
	return a->pa >> PAGE_SHIFT == b->pa >> PAGE_SHIFT;
}

static bool same_but_pfn(uint64_t a, uint64_t b)
{
	return !((a ^ b) & ~PFN_FIELD);
}

static bool spte_continues(const struct exec_event *last, const struct exec_event *ev)
{
	return last->point == ev->point && last->level == ev->level && last->site == ev->site &&
	       last->ok && ev->ok && same_page(last, ev) && ev->pa == last->pa + 8 &&
	       same_but_pfn(last->old, ev->old) && same_but_pfn(last->val, ev->val);
}

static bool read_continues(const struct exec_event *last, const struct exec_event *ev)
{
	if (last->point != POINT_READ)
		return false;
	/* A walk asks at each entry whether to yield. */
	if (ev->point == POINT_RESCHED)
		return true;
	return ev->point == POINT_READ && last->level == ev->level && ev->pa == last->pa + 8 &&
	       same_page(last, ev);
}

static bool continues(const struct run_steps *s, const struct exec_event *ev)
{
	const struct run_step *p = &s->pending;

	if (s->detail == RUN_ALL || !p->n || p->kind != RUN_STEP_EVENT || p->thread != ev->thread ||
	    p->last.kind != ev->kind || p->ended)
		return false;
	switch (ev->kind) {
	case EXEC_EV_SPTE:
		return spte_continues(&p->last, ev);
	case EXEC_EV_ALLOC:
		return p->last.pa + PAGE_SIZE == ev->pa;
	case EXEC_EV_FREE:
		return true;
	case EXEC_EV_POINT:
		return read_continues(&p->last, ev);
	default:
		return false;
	}
}

static bool ends_call(const struct run_step *p, const struct exec_event *ev)
{
	return ev->kind == EXEC_EV_RETURN && p->n == 1 && p->kind == RUN_STEP_EVENT &&
	       p->ev.kind == EXEC_EV_CALL && p->thread == ev->thread;
}

/* The line speaks of the first; this adds what became of the others. */
static void grow(struct run_steps *s, const struct exec_event *ev)
{
	struct run_step *p = &s->pending;

	if (ev->kind == EXEC_EV_POINT && ev->point == POINT_RESCHED)
		return;
	p->last = *ev;
	p->n++;
}

static void say_group(struct run_steps *s)
{
	struct run_step *p = &s->pending;
	const struct mirror_table *table;

	if (p->n < 2 || p->ended)
		return;
	switch (p->ev.kind) {
	case EXEC_EV_ALLOC:
	case EXEC_EV_FREE:
		p->text.len = 0;
		run_say(&p->text, "%u tables %s: 0x%llx to 0x%llx", p->n,
			p->ev.kind == EXEC_EV_ALLOC ? "allocated" : "freed",
			(unsigned long long)p->ev.pa, (unsigned long long)p->last.pa);
		return;
	default:
		break;
	}
	run_say(&p->text, "; and %u more%s like it", p->n - 1,
		p->ev.kind == EXEC_EV_POINT ? "" : " changes");
	table = mirror_table(s->words.oracle, p->last.pa & ~4095ULL);
	if (table && table->level)
		run_say(&p->text, ", up to gfn 0x%llx",
			(unsigned long long)mirror_entry_gfn(table, p->last.pa));
}

static void complete(struct run_steps *s)
{
	if (s->pending.n)
		say_group(s);
	flush(s);
}

/* ---- who runs ---- */

static const struct prog_choice *choice_at(const struct run_steps *s, const struct exec_event *at)
{
	const struct program *prog = s->words.prog;
	uint32_t i;

	for (i = 0; i < prog->nr_choices; i++) {
		const struct prog_choice *c = &prog->choices[i];

		if (c->action == CHOICE_SWITCH && c->thread == at->thread && c->op == at->op &&
		    c->kind == at->point && c->level == at->level && c->k == at->k)
			return c;
	}
	return NULL;
}

/* Who is in the way of a thread that waits; not known of everything. */
static void say_threads(struct run_text *text, const char *before, uint64_t mask)
{
	for (; mask; mask &= mask - 1) {
		run_say(text, "%st%d", before, __builtin_ctzll(mask));
		before = ", ";
	}
}

static void say_switch(struct run_steps *s, struct run_step *p)
{
	const struct exec_event *at = &s->at[p->thread];
	const struct prog_choice *c = choice_at(s, at);
	char choice[96];

	run_say(&p->text, "t%d runs: ", p->to);
	if (at->point == POINT_BLOCK) {
		p->waits = at->text;
		run_say(&p->text, "t%d waits for %s", p->thread, at->text);
		say_threads(&p->text, ": ", at->n);
	} else if (at->point == POINT_END) {
		p->ended = true;
		run_say(&p->text, "t%d has ended", p->thread);
	} else if (at->point == POINT_RELAX) {
		run_say(&p->text, "t%d tries again later", p->thread);
	}
	if (c && c->target == p->to) {
		choice_print(c, choice, sizeof(choice));
		run_say(&p->text, "%s%s", p->text.buf[p->text.len - 1] == ' ' ? "" : ", ", choice);
	} else if (p->text.buf[p->text.len - 1] == ' ') {
		run_say(&p->text, "t%d.%u stops at ", p->thread, at->op);
		run_point_text(at, &p->text);
	}
}

static void thread_runs(struct run_steps *s, const struct exec_event *ev)
{
	struct run_step *p = &s->pending;

	if (s->thread >= 0 && ev->thread >= 0 && s->thread != ev->thread) {
		complete(s);
		memset(p, 0, offsetof(struct run_step, text));
		p->text.len = 0;
		p->kind = RUN_STEP_SWITCH;
		p->detail = RUN_CALLS;
		p->thread = s->thread;
		p->to = ev->thread;
		p->n = 1;
		say_switch(s, p);
		complete(s);
	}
	s->thread = ev->thread;
}

/* Which page the vCPU is about to access, for the hardware's points. */
static uint64_t access_gfn(const struct run_steps *s, const struct exec_event *ev)
{
	const struct prog_thread *t;

	if (ev->thread < 0)
		return 0;
	t = &s->words.prog->threads[ev->thread];
	return ev->op < t->nr_ops ?
		       t->ops[ev->op].gfn + s->access[ev->thread] * t->ops[ev->op].step :
		       0;
}

static void note(struct run_steps *s, const struct exec_event *ev)
{
	if (ev->thread < 0)
		return;
	if (ev->kind == EXEC_EV_OP)
		s->access[ev->thread] = ev->n;
	else if (ev->kind == EXEC_EV_POINT)
		s->at[ev->thread] = *ev;
}

static void start(struct run_steps *s, const struct exec_event *ev)
{
	struct run_step *p = &s->pending;

	p->kind = RUN_STEP_EVENT;
	p->detail = detail_of(ev);
	p->ev = *ev;
	if (ev->kind == EXEC_EV_POINT && (ev->point == POINT_TLB || ev->point == POINT_MEMORY))
		p->ev.gfn = access_gfn(s, ev);
	p->last = *ev;
	p->thread = ev->thread;
	p->to = ev->thread;
	p->depth = depth_of(ev);
	p->ended = false;
	p->waits = NULL;
	p->n = 1;
	p->text.len = 0;
	run_event_text(&s->words, &p->ev, &p->text);
}

/**
 * run_steps_begin() - nothing has happened yet
 * @s: whose words, detail, step and ctx are set
 */
void run_steps_begin(struct run_steps *s)
{
	s->pending.n = 0;
	s->thread = -1;
	memset(s->at, 0, sizeof(s->at));
	memset(s->access, 0, sizeof(s->access));
}

/**
 * run_steps_event() - take an event
 * @s: steps
 * @ev: event; may complete the step that was pending
 */
void run_steps_event(struct run_steps *s, const struct exec_event *ev)
{
	struct run_step *p = &s->pending;

	note(s, ev);
	if (ev->kind == EXEC_EV_POINT && point_says_nothing(ev->point))
		return;
	if (detail_of(ev) > s->detail)
		return;
	thread_runs(s, ev);
	if (ends_call(p, ev)) {
		run_return_text(&s->words, ev->call, &p->text);
		p->ended = true;
		p->n = 2;
		complete(s);
	} else if (continues(s, ev)) {
		grow(s, ev);
	} else {
		complete(s);
		start(s, ev);
	}
}

/**
 * run_steps_end() - give away the last step
 * @s: steps
 */
void run_steps_end(struct run_steps *s)
{
	complete(s);
}
