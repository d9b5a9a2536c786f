// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fibers, see fiber.h.  Stacks come from a pool that only grows: a new one costs two system calls,
 * and under TSan nine microseconds, a used one nothing.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* MAP_ANONYMOUS, MAP_STACK */
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "fiber.h"
#include "fiber_sanitizer.h"

#define STACK_BYTES 0x40000UL
#define GUARD_BYTES 0x1000UL

/*
 * Stacks that begin at the same offset of a page compete for the same lines of the first-level
 * cache: each begins a few lines further down than the one before.
 */
#define STACK_COLOURS	   16
#define STACK_COLOUR_BYTES 0xc0UL

#ifdef TDP_FIBERS_BOOST
/* Boost.Context's interface in C: what its fcontext.hpp declares. */
struct fiber_transfer {
	void *context;
	void *data;
};
struct fiber_transfer jump_fcontext(void *to, void *data);
void *make_fcontext(void *top, size_t size, void (*entry)(struct fiber_transfer from));
typedef void *fiber_context;
#else
#include <ucontext.h>
typedef ucontext_t fiber_context;
#endif

/**
 * struct fiber - a stack and what runs on it
 * @context: where it goes on
 * @run: what it runs
 * @arg: for @run
 * @bottom: lowest address of the stack
 * @size: of the stack, in bytes
 * @low: lowest frame that may still be in use, when it was left last
 * @ended: @run has not begun, or has ended
 * @pooled: nobody has it
 * @fake_stack: ASan's
 * @tsan: TSan's
 * @next: in the pool
 */
struct fiber {
	fiber_context context;
	void (*run)(void *arg);
	void *arg;
	const void *bottom;
	size_t size;
	char *low;
	bool ended;
	bool pooled;
	void *fake_stack;
	void *tsan;
	struct fiber *next;
};

static struct fiber host; /* the OS thread's own stack */
static struct fiber *current = &host;
static struct fiber *pool;
static unsigned int nr_fibers;
static bool alone;

static void __attribute__((noreturn)) die(const char *why)
{
	fprintf(stderr, "libtdp: fiber: %s\n", why);
	abort();
}

/* What everyone does who has just been switched to; @from was left for it. */
static inline FIBER_RAW void arrive(struct fiber *from)
{
	/* Nobody else knows where the OS thread's own stack is. */
	fiber_asan_finish(current->fake_stack, &from->bottom, &from->size);
}

static FIBER_RAW void __attribute__((noinline, noreturn)) begin(struct fiber *from)
{
	struct fiber *self = current;

	arrive(from);
	self->ended = false;
	self->run(self->arg);
	die("what it ran has returned; it should have ended by fiber_end()");
}

#ifdef TDP_FIBERS_BOOST
static FIBER_RAW void entry(struct fiber_transfer transfer)
{
	struct fiber *from = transfer.data;

	from->context = transfer.context;
	begin(from);
}

static void prepare(struct fiber *f, char *top)
{
	f->context = make_fcontext(top, f->size, entry);
}

static inline FIBER_RAW struct fiber *jump(struct fiber *from, struct fiber *to)
{
	struct fiber_transfer transfer = jump_fcontext(to->context, from);
	struct fiber *left = transfer.data;

	left->context = transfer.context;
	return left;
}
#else
static struct fiber *jumped_from;

static FIBER_RAW void entry(void)
{
	begin(jumped_from);
}

static void prepare(struct fiber *f, char *top)
{
	if (getcontext(&f->context))
		die("getcontext() failed");
	f->context.uc_stack.ss_sp = (void *)f->bottom;
	f->context.uc_stack.ss_size = top - (char *)f->bottom;
	f->context.uc_link = NULL;
	makecontext(&f->context, entry, 0);
}

static inline FIBER_RAW struct fiber *jump(struct fiber *from, struct fiber *to)
{
	jumped_from = from;
	if (swapcontext(&from->context, &to->context))
		die("swapcontext() failed");
	return jumped_from;
}
#endif

static char *top_of(const struct fiber *f)
{
	return (char *)f->bottom + f->size;
}

static struct fiber *fiber_new(void)
{
	struct fiber *f = calloc(1, sizeof(*f));
	size_t colour = nr_fibers++ % STACK_COLOURS * STACK_COLOUR_BYTES;
	char *map = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

	if (!f || map == MAP_FAILED ||
	    mprotect(map + GUARD_BYTES, STACK_BYTES, PROT_READ | PROT_WRITE))
		die("no memory for a stack");
	f->bottom = map + GUARD_BYTES;
	f->size = STACK_BYTES - colour;
	return f;
}

/**
 * fiber_get() - a fiber that is to run something
 * @run: its first switch calls this; must end by fiber_end(), or never be switched to again
 * @arg: for @run
 *
 * What happened before this call happens before @run, as far as TSan is concerned.
 *
 * Return: the fiber, never NULL: the process ends if there is no memory. fiber_put() it.
 */
struct fiber *fiber_get(void (*run)(void *arg), void *arg)
{
	struct fiber *f = pool;

	if (f)
		pool = f->next;
	else
		f = fiber_new();
	fiber_tsan_learn(&host.tsan);
	fiber_tsan_get(&f->tsan);
	f->run = run;
	f->arg = arg;
	f->ended = true;
	f->pooled = false;
	f->low = top_of(f);
	prepare(f, top_of(f));
	fiber_tsan_order(current->tsan, f->tsan, current->tsan);
	return f;
}

/**
 * fiber_switch() - leave the current fiber and go on in another
 * @to: where to; NULL: the OS thread's own stack
 *
 * Returns when somebody switches back.
 */
FIBER_RAW __attribute__((noinline)) void fiber_switch(struct fiber *to)
{
	struct fiber *from = current;

	if (!to)
		to = &host;
	if (to == from)
		return;
	current = to;
	from->low = __builtin_frame_address(0);
	fiber_asan_start(&from->fake_stack, to->bottom, to->size);
	fiber_tsan_switch(to->tsan);
	arrive(jump(from, to));
}

/**
 * fiber_end() - leave the current fiber for good and go on in another
 * @to: where to; NULL: the OS thread's own stack
 *
 * As fiber_switch(), but it tells the sanitizers that nothing on this stack is needed any more.
 * A fiber that is put without having come here counts as abandoned, which under TSan costs time.
 */
FIBER_RAW __attribute__((noinline)) void fiber_end(struct fiber *to)
{
	struct fiber *from = current;

	if (!to)
		to = &host;
	if (from == &host || to == from)
		die("only a fiber can end, and only for another");
	current = to;
	from->ended = true;
	from->low = __builtin_frame_address(0);
	fiber_asan_start(NULL, to->bottom, to->size);
	from->fake_stack = NULL;
	fiber_tsan_switch(to->tsan);
	jump(from, to);
	die("a fiber that ended was switched to");
}

/**
 * fiber_current() - the fiber that runs
 *
 * Return: NULL on the OS thread's own stack.
 */
struct fiber *fiber_current(void)
{
	return current == &host ? NULL : current;
}

/**
 * fiber_put() - back to the pool
 * @f: not the current one; has ended, never ran, or is abandoned where it is: nothing on its stack
 *	will be run or cleaned up
 *
 * What it did happens before this call returns, as far as TSan is concerned.
 */
void fiber_put(struct fiber *f)
{
	if (f == current || f->pooled)
		die("put while it runs, or twice");
	fiber_tsan_order(f->tsan, current->tsan, current->tsan);
	if (!f->ended) {
		/* TSan's stack of calls is where it was, and cannot be unwound. */
		fiber_tsan_destroy(f->tsan);
		f->tsan = NULL;
	}
	fiber_asan_unpoison(f->low, top_of(f));
	f->pooled = true;
	f->next = pool;
	pool = f;
}

/**
 * fiber_play() - have TSan take what follows for the doing of somebody else
 * @part: whom it is to be taken for; *@part is NULL at first. NULL: for the current fiber's again
 *
 * For what runs on the stack of whoever comes along, and is ordered after nothing that that one did.
 * No switch may happen until it is over. Nothing while the OS thread's own stack is alone.
 */
void fiber_play(void **part)
{
	if (alone)
		return;
	fiber_tsan_learn(&host.tsan);
	fiber_tsan_switch(part ? fiber_tsan_get(part) : current->tsan);
}

/**
 * fiber_order() - tell TSan that what one fiber has done so far comes before what another will do
 * @before: a fiber that was got, NULL: the OS thread's own stack
 * @after: another one
 */
void fiber_order(struct fiber *before, struct fiber *after)
{
	fiber_tsan_order(before ? before->tsan : host.tsan, after ? after->tsan : host.tsan,
			 current->tsan);
}

/**
 * fiber_meet() - tell TSan that who was played and the current fiber have met: all that either has done so far
 *	comes before all that the other will do
 * @part: see fiber_play(); NULL: was never played
 */
void fiber_meet(void *part)
{
	if (!part || alone)
		return;
	fiber_tsan_order(part, current->tsan, current->tsan);
	fiber_tsan_order(current->tsan, part, current->tsan);
}

/**
 * fiber_alone() - have TSan look away while nobody is there but the OS thread's own stack
 * @on: from now on; false: no longer
 *
 * As long as there are no fibers that have begun and not been put, nothing that happens is in a race with
 * anything: fiber_get() and fiber_put() order it before and after all that fibers do.  TSan is
 * several times as fast when it need not look.  Not to be left on when the process ends.
 *
 * Return: what it was before.
 */
bool fiber_alone(bool on)
{
	const bool was = alone;

	if (was != on)
		fiber_tsan_ignore(on);
	alone = on;
	return was;
}
