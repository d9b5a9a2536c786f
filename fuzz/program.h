/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program: a VM, its slots, threads of operations, and a schedule.
 * docs/program-format.md has the grammar of both forms.
 */
#ifndef FUZZ_PROGRAM_H
#define FUZZ_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "op.h"

#define PROG_VERSION		1
#define PROG_MAX_CHOICES	256

/*
 * Points: where a thread touches something shared.  Same list, same order as the
 * platform's (libtdp/platform/point.h is the list); here by value only.
 */
#include "point.h"

enum choice_action {
	CHOICE_SWITCH,		/* "-> THREAD": run that thread next */
	CHOICE_RESCHED,		/* "resched": need_resched() is true from here until the thread yields */
	CHOICE_FAIL,		/* "fail": this allocation fails */
	CHOICE_GP_END,		/* "gp-end": the grace period in progress ends as soon as readers allow */
	CHOICE_REUSE,		/* "reuse": this allocation gets what was freed last */
	CHOICE_EVICT,		/* "evict": the vCPU's TLB entries for the address in use are dropped */
	CHOICE_NR
};

/**
 * struct prog_choice - one line of the schedule: tT.O@KIND(LEVEL)#K ACTION
 * @thread: whose point
 * @op: which of its operations
 * @kind: POINT_*
 * @level: page-table level of the SPTE, or 0 for points that have none (printed without parentheses)
 * @k: the k-th such point of this operation, from 1
 * @action: CHOICE_*
 * @target: thread to run next, for CHOICE_SWITCH
 */
struct prog_choice {
	uint8_t thread;
	uint16_t op;
	uint8_t kind;
	uint8_t level;
	uint32_t k;
	uint8_t action;
	uint8_t target;
	int line;	/* of the text it came from, 0 if none */
};

struct prog_thread {
	enum thread_kind kind;
	uint8_t vcpu;		/* for THREAD_VCPU: the vCPU's number */
	char name[16];		/* "vcpu 0" is printed from kind and number; free for vmm and host */
	uint32_t nr_ops;
	struct op *ops;
	int *lines;		/* source line of each op, NULL for binary programs */
};

struct program {
	struct vm_desc vm;
	uint32_t nr_slots;
	struct slot_desc slots[PROG_MAX_SLOTS];
	uint32_t nr_threads;
	struct prog_thread threads[PROG_MAX_THREADS];
	uint32_t nr_choices;
	struct prog_choice choices[PROG_MAX_CHOICES];
};

/**
 * struct prog_error - why a text was refused
 * @line: 1-based line, 0 for the file as a whole
 * @msg: what was found and what was expected
 */
struct prog_error {
	int line;
	char msg[200];
};

/* Every function documents itself in program.c / program_text.c / program_binary.c. */
struct program *program_alloc(void);
void program_free(struct program *prog);
void program_reset(struct program *prog);	/* back to empty, keeps memory for reuse */
struct op *program_add_op(struct program *prog, uint32_t thread, const struct op *op); /* NULL: no memory */

/* Text. @name is the file name used in nothing but the caller's messages. 0 or -EINVAL with @err filled. */
int program_parse(struct program *prog, const char *text, size_t len, struct prog_error *err);
/* Canonical text into @buf (NUL-terminated); returns the length it needs, like snprintf. */
size_t program_print(const struct program *prog, char *buf, size_t size);
size_t op_print(const struct op *op, char *buf, size_t size);	/* one operation, without tab or newline */
size_t choice_print(const struct prog_choice *choice, char *buf, size_t size);

/* Binary. Total: every byte string decodes to a valid program. */
void program_decode(struct program *prog, const uint8_t *data, size_t size);
size_t program_encode(const struct program *prog, uint8_t *data, size_t size); /* length needed */

/*
 * Text or binary by content (text starts with "tdp "), as every tool takes both.
 * 0, or -errno with @err filled.
 */
int program_load(struct program *prog, const char *path, struct prog_error *err);

#endif /* FUZZ_PROGRAM_H */
