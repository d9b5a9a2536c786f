// SPDX-License-Identifier: GPL-2.0-only
/*
 * The explored world as a whole: all memory that the process may write to, as it was at one moment.
 * Schedules restart from there, so that what they have in common is run once, and nothing has to
 * know what a run changes.
 *
 * When the world is marked, its memory becomes read-only.  The first write to a page faults; the
 * page is copied and writable from then on, and before each schedule all such pages get their
 * contents back.  After a few schedules the pages that runs write to are known, and nothing faults
 * any more.
 *
 * The world runs on a stack of its own.  Not part of it are the stack of whoever explores, and
 * shared mappings: what is to survive a restart is kept there (explore_alloc()).  A run must not
 * change the address space or the kernel's state: the heap is given all it may need beforehand.
 */
#define _GNU_SOURCE
#include "explore_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static void out_of_memory(void)
{
	fprintf(stderr, "explore: out of memory\n");
	abort();
}

void *explore_alloc(size_t bytes)
{
	void *ptr = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (ptr == MAP_FAILED)
		out_of_memory();
	return ptr;
}

void explore_free(void *ptr, size_t bytes)
{
	if (ptr)
		munmap(ptr, bytes);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
	__has_feature(thread_sanitizer)
#define WORLD_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(TDP_TSAN)
#define WORLD_SANITIZED 1
#endif

#if defined(__linux__) && defined(__GLIBC__) && !defined(WORLD_SANITIZED) && \
	!defined(TDP_COVERAGE_BUILD) && (defined(__x86_64__) || defined(__aarch64__))

#include <malloc.h>
#include <signal.h>
#include <sys/rseq.h>
#include <ucontext.h>
#include <unistd.h>

#define WORLD_STACK    (1u << 20)
#define WORLD_SIGSTACK (1u << 16)
#define WORLD_HEAP     (64u << 20) /* free in the heap before the world is marked */
#define MAX_AREAS      4096
#define MAX_PAGES      (1u << 16) /* that runs write to: 256 MiB */
#define COOL_FIRST \
	16 /* runs after which pages that nobody writes to any more are protected again */

/* A mapping of the world. */
struct area {
	char *start;
	char *end;
};

/**
 * struct world - memory that goes back to what it was
 * @areas: mappings of the world
 * @nr_areas: how many
 * @marked: areas are protected but for @pages
 * @nr_pages: pages that were written to since
 * @pages: their addresses, the first of them the kernel's
 * @runs: so far
 * @cool_at: of @runs
 * @copies: what was in them
 * @mark: where runs start, on the world's stack
 * @outside: where who explores waits
 * @left: the body has returned, or called world_leave()
 * @body: what runs
 * @arg: passed to it
 * @stack: of the world
 * @start: context that enters @body
 * @old_stack: signal stack before
 * @old_action: of SIGSEGV before
 * @signal_stack: for SIGSEGV
 */
struct world {
	struct area areas[MAX_AREAS];
	uint32_t nr_areas;
	bool marked;
	uint32_t nr_pages;
	char *pages[MAX_PAGES];
	uint64_t runs;
	uint64_t cool_at;
	char *copies;
	void *mark[5];
	void *outside[5];
	bool left;
	void (*body)(void *arg);
	void *arg;
	void *stack;
	ucontext_t start;
	ucontext_t home;
	stack_t old_stack;
	struct sigaction old_action;
	void *signal_stack;
};

/* The one that is marked. */
static struct world *the_world;

#define PAGE_OF(ptr) ((char *)(ptr) - ((uintptr_t)(ptr) & (PAGE_SIZE - 1)))

/**
 * world_possible() - can this build go back to a moment in memory?
 *
 * Not with sanitizers, which keep books elsewhere, nor when coverage is counted: counts would be
 * lost.
 */
bool world_possible(void)
{
	return sysconf(_SC_PAGESIZE) == PAGE_SIZE;
}

static void keep_page(struct world *w, char *page)
{
	if (w->nr_pages == MAX_PAGES) {
		static const char msg[] = "explore: a schedule writes to more than 256 MiB\n";

		(void)!write(STDERR_FILENO, msg, sizeof(msg) - 1);
		_exit(2);
	}
	memcpy(w->copies + (size_t)w->nr_pages * PAGE_SIZE, page, PAGE_SIZE);
	w->pages[w->nr_pages++] = page;
	mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	struct world *w = the_world;
	char *page = PAGE_OF(info->si_addr);
	uint32_t i;

	(void)context;
	for (i = 0; w && w->marked && i < w->nr_areas; i++) {
		if (page < w->areas[i].start || page >= w->areas[i].end)
			continue;
		/* Only for its first write; the next fault there is a real one. */
		keep_page(w, page);
		return;
	}
	signal(sig, SIG_DFL);
}

static void add_area(struct world *w, char *start, char *end)
{
	if (start == end)
		return;
	if (w->nr_areas == MAX_AREAS) {
		fprintf(stderr, "explore: more than %d mappings\n", MAX_AREAS);
		abort();
	}
	w->areas[w->nr_areas++] = (struct area){ start, end };
}

/*
 * Private mappings that can be written to, without the one that this function's own stack is in.
 * The page of the thread's restartable sequences is kept from the beginning: the kernel writes to
 * it when it likes, and must be able to.
 */
static void find_areas(struct world *w)
{
	char *rseq = PAGE_OF((char *)__builtin_thread_pointer() + __rseq_offset);
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];

	if (!maps) {
		perror("explore: /proc/self/maps");
		abort();
	}
	w->nr_areas = 0;
	while (fgets(line, sizeof(line), maps)) {
		void *from, *to;
		char *start, *end, perm[5];

		if (sscanf(line, "%p-%p %4s", &from, &to, perm) != 3 || strcmp(perm, "rw-p"))
			continue;
		start = from;
		end = to;
		if (line >= start && line < end)
			continue;
		if (rseq >= start && rseq < end) {
			add_area(w, start, rseq);
			start = rseq + PAGE_SIZE;
		}
		add_area(w, start, end);
	}
	fclose(maps);
	keep_page(w, rseq);
}

static void protect(struct world *w, int prot)
{
	uint32_t i;

	for (i = 0; i < w->nr_areas; i++)
		if (mprotect(w->areas[i].start, w->areas[i].end - w->areas[i].start, prot))
			out_of_memory();
}

/**
 * world_create() - get a world ready
 *
 * Return: the world; there can be one at a time.
 */
struct world *world_create(void)
{
	struct world *w = explore_alloc(sizeof(*w));
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t stack;

	w->copies = explore_alloc((size_t)MAX_PAGES * PAGE_SIZE);
	w->signal_stack = explore_alloc(WORLD_SIGSTACK);
	w->stack =
		mmap(NULL, WORLD_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->stack == MAP_FAILED)
		out_of_memory();
	stack = (stack_t){ .ss_sp = w->signal_stack, .ss_size = WORLD_SIGSTACK };
	sigemptyset(&action.sa_mask);
	sigaltstack(&stack, &w->old_stack);
	sigaction(SIGSEGV, &action, &w->old_action);

	/* From here on malloc() and free() are a matter of the process's own memory. */
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, 2 * WORLD_HEAP);
	free(malloc(WORLD_HEAP));
	the_world = w;
	return w;
}

/**
 * world_destroy() - all is as usual again
 * @w: world whose body has returned
 */
void world_destroy(struct world *w)
{
	sigaction(SIGSEGV, &w->old_action, NULL);
	sigaltstack(&w->old_stack, NULL);
	mallopt(M_MMAP_MAX, 65536);
	mallopt(M_TRIM_THRESHOLD, 128 * 1024);
	the_world = NULL;
	munmap(w->stack, WORLD_STACK);
	explore_free(w->signal_stack, WORLD_SIGSTACK);
	explore_free(w->copies, (size_t)MAX_PAGES * PAGE_SIZE);
	explore_free(w, sizeof(*w));
}

/* The jumps are between stacks, each back to where its own was left. */
static __attribute__((noreturn)) void jump_out(struct world *w)
{
	__builtin_longjmp(w->outside, 1);
}

static __attribute__((noreturn)) void jump_in(struct world *w)
{
	__builtin_longjmp(w->mark, 1);
}

static void enter_body(void)
{
	struct world *w = the_world;

	w->body(w->arg);
	world_leave(w);
}

static __attribute__((noinline)) void wait_for_start(struct world *w)
{
	if (__builtin_setjmp(w->outside) == 0) {
		getcontext(&w->start);
		w->start.uc_stack.ss_sp = w->stack;
		w->start.uc_stack.ss_size = WORLD_STACK;
		w->start.uc_link = NULL;
		makecontext(&w->start, enter_body, 0);
		swapcontext(&w->home, &w->start);
	}
}

static __attribute__((noinline)) void wait_for_run(struct world *w)
{
	if (__builtin_setjmp(w->outside) == 0)
		jump_in(w);
}

/**
 * world_begin() - run the body to its mark
 * @w: world
 * @body: run on the world's stack
 * @arg: passed to it
 *
 * Return: true: world_mark() was called; false: the body has returned or left without.
 */
bool world_begin(struct world *w, void (*body)(void *arg), void *arg)
{
	w->body = body;
	w->arg = arg;
	w->left = false;
	wait_for_start(w);
	if (w->left)
		return false;
	w->nr_pages = 0;
	w->runs = 0;
	w->cool_at = COOL_FIRST;
	find_areas(w);
	protect(w, PROT_READ);
	w->marked = true;
	return true;
}

/**
 * world_mark() - what follows is run again and again
 * @w: world, in its body
 *
 * Returns once for each world_run().
 */
__attribute__((noinline)) void world_mark(struct world *w)
{
	if (__builtin_setjmp(w->mark) == 0)
		jump_out(w);
}

/*
 * Some pages are written to once, when something is used for the first time. Those that are as they
 * were are not copied any more until somebody writes to them again.
 */
static void cool(struct world *w)
{
	uint32_t i, kept = 1;

	for (i = 1; i < w->nr_pages; i++) {
		char *copy = w->copies + (size_t)i * PAGE_SIZE;

		if (!memcmp(w->pages[i], copy, PAGE_SIZE) &&
		    !mprotect(w->pages[i], PAGE_SIZE, PROT_READ))
			continue;
		w->pages[kept] = w->pages[i];
		if (kept != i)
			memcpy(w->copies + (size_t)kept * PAGE_SIZE, copy, PAGE_SIZE);
		kept++;
	}
	w->nr_pages = kept;
	w->cool_at *= 8;
}

static void restore(struct world *w)
{
	char *rseq = (char *)__builtin_thread_pointer() + __rseq_offset;
	char saved[64];
	uint32_t i;

	if (__rseq_size && __rseq_size <= sizeof(saved))
		memcpy(saved, rseq, __rseq_size);
	for (i = 0; i < w->nr_pages; i++)
		memcpy(w->pages[i], w->copies + (size_t)i * PAGE_SIZE, PAGE_SIZE);
	if (__rseq_size && __rseq_size <= sizeof(saved))
		memcpy(rseq, saved, __rseq_size);
}

/**
 * world_run() - run the body from its mark until it leaves or returns
 * @w: world that world_begin() marked
 */
void world_run(struct world *w)
{
	if (w->runs++ == w->cool_at)
		cool(w);
	restore(w);
	w->left = false;
	wait_for_run(w);
}

/**
 * world_end() - the world is part of the process again, as its last run left it
 * @w: world
 */
void world_end(struct world *w)
{
	if (!w->marked)
		return;
	protect(w, PROT_READ | PROT_WRITE);
	w->marked = false;
}

/**
 * world_leave() - give up the run
 * @w: world, in its body
 */
void world_leave(struct world *w)
{
	w->left = true;
	jump_out(w);
}

#else

bool world_possible(void)
{
	return false;
}

struct world *world_create(void)
{
	return NULL;
}

void world_destroy(struct world *w)
{
	(void)w;
}

bool world_begin(struct world *w, void (*body)(void *arg), void *arg)
{
	(void)w;
	(void)body;
	(void)arg;
	return false;
}

void world_mark(struct world *w)
{
	(void)w;
}

void world_run(struct world *w)
{
	(void)w;
}

void world_end(struct world *w)
{
	(void)w;
}

void world_leave(struct world *w)
{
	(void)w;
	abort();
}

#endif
