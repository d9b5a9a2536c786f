/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tdp kunit: a program as a KUnit test of the kernel's TDP MMU.
 *
 *   kunit.c		the command
 *   kunit_program.c	what of a program a test can say, and what not
 *   kunit_run.c	the program is run, operation by operation; what the oracle expects
 *   kunit_threads.c	a program whose threads take turns within operations
 *   kunit_facts.c	which of that is worth saying after an operation
 *   kunit_host.c	what the host has mapped, as far as the test has said it
 *   kunit_write.c	lines of C
 */
#ifndef TDP_KUNIT_TOOL_H
#define TDP_KUNIT_TOOL_H

#include <stdio.h>

#include "expected.h"
#include "executor.h"
#include "program.h"

#define KUNIT_NAME_MAX	  64
#define KUNIT_MAX_CHANGES 256

/* ---- kunit_write.c ---- */

#define KUNIT_MAX_ARGS 10

/**
 * struct kunit_call - a call, its arguments being put together
 * @head: what comes before the first one, the parenthesis included
 * @nr: of @arg
 * @arg: as text
 */
struct kunit_call {
	char head[160];
	int nr;
	char arg[KUNIT_MAX_ARGS][160];
};

void kunit_call(struct kunit_call *call, const char *head);
void kunit_arg(struct kunit_call *call, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void kunit_put(FILE *out, int indent, const struct kunit_call *call, const char *tail);
void kunit_comment(FILE *out, const char *text);

/* ---- kunit_program.c ---- */

bool kunit_reduce(struct program *prog, FILE *why);
bool kunit_resched_point(const struct prog_choice *choice, const char **name);

/* ---- kunit_host.c ---- */

struct kunit_range {
	uint64_t first, n, pfn;
	int level;
};

/**
 * struct kunit_host - runs of pages that the test has mapped so far, not overlapping
 */
struct kunit_host {
	struct kunit_range *range;
	uint32_t nr, cap;
};

void kunit_host_say(struct kunit_host *h, struct oracle *o, const struct slot_desc *slot,
		    uint64_t hvn, FILE *out);
void kunit_host_drop(struct kunit_host *h, uint64_t first, uint64_t n);
void kunit_host_set(struct kunit_host *h, uint64_t first, uint64_t n, uint64_t pfn, int level);
void kunit_host_split(struct kunit_host *h, uint64_t first, uint64_t n, bool all);
bool kunit_host_run(struct oracle *o, uint64_t first, uint64_t n, uint64_t *pfn, int *level);

/* ---- kunit_run.c ---- */

struct kunit_leaf {
	uint64_t gfn;
	uint64_t spte;
	int level;
};

struct kunit_leaves {
	struct kunit_leaf *leaf;
	size_t nr, cap;
};

/* Bits of leaves that have a name in the test. */
struct kunit_bits {
	uint64_t bits;
	char name[48];
};
#define KUNIT_MAX_BITS 64

/**
 * struct kunit_open - the operation under way, or the accesses of one that have been made in a row
 * @open: there is one
 * @first: number of the first access
 * @nr: accesses
 * @outcome: of each: a frame, or one of the values below
 * @called: it has asked the MMU for something
 * @ret: what its main call returned
 * @flush: one of its calls owed a flush
 * @mapped: pages that prefault has mapped
 * @runs: of pages that the log named
 */
struct kunit_open {
	bool open;
	int thread;
	uint32_t op;
	uint64_t first;
	uint64_t nr, cap;
	uint64_t *outcome;
	bool called;
	long ret;
	bool flush;
	uint64_t mapped;
	bool harvest;
	uint64_t ndirty;
	struct kunit_range *run;
	uint32_t nr_runs, cap_runs;
};

#define KUNIT_EMULATED	  (~0ULL)
#define KUNIT_NO_ROOT	  (~0ULL - 1)
#define KUNIT_STUCK	  (~0ULL - 2)
#define KUNIT_FAULT_ERROR (~0ULL - 3)

/**
 * struct kunit_case - one test case while it is made
 * @prog: its program, as it is run
 * @name: of the function
 * @decls: declarations at the function's begin
 * @body: what follows them
 * @slots: as they are now
 * @mode: of each vCPU, EXPECTED_*
 * @next: what each thread is about to do; others may come first
 * @before: leaves that the last facts were about
 * @loops: a loop was written
 */
struct kunit_case {
	const struct program *prog;
	struct oracle *oracle;
	char name[KUNIT_NAME_MAX];
	FILE *decls;
	FILE *body;
	struct kunit_host host;
	bool used[2][PROG_MAX_SLOTS];
	struct slot_desc slots[2][PROG_MAX_SLOTS];
	int mode[PROG_MAX_VCPUS];
	bool nx;
	struct kunit_open op;
	struct {
		bool begins;
		uint32_t op;
		uint64_t access;
	} next[PROG_MAX_THREADS];
	struct kunit_leaves before[EXPECTED_MODES];
	struct oracle_stat stat;
	uint32_t roots;
	struct kunit_bits bits[KUNIT_MAX_BITS];
	uint32_t nr_bits;
	bool loops;
	bool slots_done;
	bool destroyed;
	bool lost; /* the prediction ended; why is in @problem */
	char problem[300];
};

bool kunit_case_make(struct kunit_case *k, const struct program *prog, const char *name, FILE *out);
bool kunit_make(struct kunit_case *k, const struct program *prog, const char *name,
		void (*tell)(void *ctx, const struct exec_event *ev), void *ctx, FILE *out);
const struct slot_desc *kunit_slot_at(const struct kunit_case *k, int as, uint64_t gfn);
void kunit_declare_slot(FILE *out, const struct slot_desc *s, const char *name);
void kunit_slot_set(struct kunit_case *k, const struct slot_desc *s);
void kunit_first_slots(struct kunit_case *k);

/* ---- kunit_threads.c ---- */

bool kunit_takes_turns(const struct program *prog);
bool kunit_threads_make(struct kunit_case *k, const struct program *prog, const char *name,
			FILE *out);

/* ---- kunit_facts.c ---- */

void kunit_facts(struct kunit_case *k, enum op_kind kind);
void kunit_facts_log(struct kunit_case *k);
const char *kunit_mode(int mode);

#endif /* TDP_KUNIT_TOOL_H */
