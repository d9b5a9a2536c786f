/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program: a VM, its slots, threads of operations, and a schedule.
 * docs/program-format.md has the grammar of both forms.
 */
#ifndef FUZZ_PROGRAM_H
#define FUZZ_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "op.h"

#define PROG_VERSION	 1
#define PROG_MAX_CHOICES 256
#define PROG_MAX_OPS	 65535 /* of one thread */

/*
 * Points: where a thread touches something shared.  Same list, same order as the
 * platform's (libtdp/platform/point.h is the list); here by value only.
 */
#include "point.h"

/* clang-format off */
enum choice_action {
	CHOICE_SWITCH,		/* "-> THREAD": run that thread next */
	CHOICE_RESCHED,		/* "resched": need_resched() is true from here until the thread yields */
	CHOICE_FAIL,		/* "fail": this allocation fails */
	CHOICE_GP_END,		/* "gp-end": the grace period in progress ends as soon as readers allow */
	CHOICE_REUSE,		/* "reuse": this allocation gets what was freed last */
	CHOICE_EVICT,		/* "evict": the vCPU's TLB entries for the address in use are dropped */
	CHOICE_NR
};
/* clang-format on */

/**
 * struct prog_choice - one line of the schedule: tT.O@KIND(LEVEL)#K ACTION
 * @thread: whose point
 * @op: which of its operations
 * @kind: POINT_*
 * @level: page-table level of the SPTE, or 0 for points that have none (printed without parentheses)
 * @k: the k-th such point of this operation, from 1
 * @action: CHOICE_*
 * @target: thread to run next, for CHOICE_SWITCH
 * @line: of the text it came from, 0 if none
 *
 * A program's choices are sorted by (thread, op, kind, level, k, action), no two the same.
 */
struct prog_choice {
	uint8_t thread;
	uint16_t op;
	uint8_t kind;
	uint8_t level;
	uint32_t k;
	uint8_t action;
	uint8_t target;
	int line;
};

/**
 * struct prog_thread - a thread and its operations
 * @kind: which operations it may have
 * @vcpu: for THREAD_VCPU: the vCPU's number, unique in the program
 * @name: for messages: "vcpu 0", "vmm", "host"; not unique, the thread's number is
 * @nr_ops: operations in @ops
 * @cap_ops: room in @ops (private to program.c)
 * @ops: the operations
 * @lines: source line of each operation, 0 where there is none; NULL while @ops is
 */
struct prog_thread {
	enum thread_kind kind;
	uint8_t vcpu;
	char name[16];
	uint32_t nr_ops;
	uint32_t cap_ops;
	struct op *ops;
	int *lines;
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
	char msg[256];
};

/* Every function documents itself where it is defined: program.c has these. */
struct program *program_alloc(void);
void program_free(struct program *prog);
void program_reset(struct program *prog); /* back to empty, keeps memory for reuse */
int program_copy(struct program *dst, const struct program *src);
bool program_equal(const struct program *a, const struct program *b);
int program_add_thread(struct program *prog, enum thread_kind kind, uint8_t vcpu);
struct op *program_add_op(struct program *prog, uint32_t thread, const struct op *op);
uint32_t program_nr_ops(const struct program *prog);

/* program_check.c: what makes a program valid. */
uint64_t vm_gfn_limit(const struct vm_desc *vm); /* first gfn that the VM cannot have */
int vm_check(const struct vm_desc *vm, struct prog_error *err);
int slot_check(const struct vm_desc *vm, const struct slot_desc *slot, struct prog_error *err);
int slots_check_add(const struct program *prog, const struct slot_desc *slot,
		    struct prog_error *err);
int op_check(const struct program *prog, enum thread_kind kind, const struct op *op,
	     struct prog_error *err);
int choice_check(const struct program *prog, const struct prog_choice *choice,
		 struct prog_error *err);
int program_check(const struct program *prog, struct prog_error *err);

/* program_choice.c: keeping the schedule in order. */
int choice_compare(const struct prog_choice *a, const struct prog_choice *b);
void program_sort_choices(struct program *prog); /* sorts, and drops what says the same twice */
bool choice_allowed(enum choice_action action, enum point_kind kind);

/*
 * Text, program_parse.c and program_print.c.  0 or -EINVAL with @err filled; -ENOMEM.
 * Printing returns the length it needs, like snprintf; the text is NUL-terminated.
 */
int program_parse(struct program *prog, const char *text, size_t len, struct prog_error *err);
size_t program_print(const struct program *prog, char *buf, size_t size);
char *program_text(const struct program *prog); /* to be freed; NULL: no memory */
size_t op_print(const struct op *op, char *buf, size_t size);
size_t choice_print(const struct prog_choice *choice, char *buf, size_t size);

/*
 * Binary, program_binary.c and program_encode.c.  Total: every byte string decodes to a valid
 * program.
 */
#define PROG_BINARY_MAGIC 0xd0 /* first byte: this plus the version */
void program_decode(struct program *prog, const uint8_t *data, size_t size);
size_t program_encode(const struct program *prog, uint8_t *data, size_t size); /* length needed */

/*
 * Text or binary by content, as every tool takes both: a first byte from PROG_BINARY_MAGIC to
 * PROG_BINARY_MAGIC + 15 means binary.  0, or -errno with @err filled.
 */
int program_load(struct program *prog, const char *path, struct prog_error *err);
int program_load_raw(struct program *prog, const char *path, struct prog_error *err);

/* program_generate.c: a random valid program of @nr_ops operations. */
int program_generate(struct program *prog, uint64_t seed, uint32_t nr_ops);

#endif /* FUZZ_PROGRAM_H */
