/* SPDX-License-Identifier: GPL-2.0-only */
/* What the executor's files share. */
#ifndef FUZZ_EXECUTOR_INTERNAL_H
#define FUZZ_EXECUTOR_INTERNAL_H

#include <setjmp.h>

#include "executor.h"
#include "platform.h"

#define EXEC_NO_THREAD	(-1)

/**
 * struct exec_thread - a thread of the program while it runs
 * @sim: the platform's half
 * @x: its executor
 * @prog: its operations
 * @number: in the program
 * @op: the operation that is next, or under way
 * @access: accesses of a repeated operation that have been made
 * @stepping: it is within exec_op_step(), where it may use the VM
 * @choices: choices of the schedule that belong to this thread, from the one for @op on
 * @choices_end: where they end
 */
struct exec_thread {
	struct sim_thread sim;
	struct executor *x;
	const struct prog_thread *prog;
	int number;
	uint32_t op;
	uint64_t access;
	bool stepping;
	uint32_t choices;
	uint32_t choices_end;
};

/**
 * struct exec_vcpu - a vCPU of the program
 * @vcpu: the MMU's, NULL if the program has none of this number
 * @in_guest: it runs the guest: the next access needs no entry
 * @drained: another thread is handing over what its PML buffer held: it must not go on meanwhile
 * @smm: it is in system-management mode
 * @guest_mode: it runs a nested-like guest
 */
struct exec_vcpu {
	struct kvm_vcpu *vcpu;
	bool in_guest;
	bool drained;
	bool smm;
	bool guest_mode;
};

/* What the VMM knows of a slot. */
struct exec_slot {
	bool used;
	struct slot_desc desc;
};

/* A buffer for dirty bitmaps, all zero between uses. */
struct exec_buffer {
	uint64_t *words;
	size_t nr_words;
};

/* The last one is for what happens outside any thread. */
#define EXEC_BUFFERS	(PROG_MAX_THREADS + 1)

struct executor {
	struct oracle *oracle;
	struct kvm *kvm;
	const struct program *prog;
	struct vm_desc vm; /* of @prog, as far as the backend has it */
	const struct exec_options *opts;
	struct exec_result *res;

	struct sim_observer observer;
	struct oracle_env env;
	struct sim_choice choices[PROG_MAX_CHOICES];
	struct exec_thread threads[PROG_MAX_THREADS];
	struct exec_vcpu vcpus[PROG_MAX_VCPUS];
	struct exec_slot slots[2][PROG_MAX_SLOTS];
	struct sim_thread
		outside; /* plays what comes before the first operation and after the last */
	struct exec_thread *current;	/* NULL: @outside */
	bool scheduled;			/* threads run by turns, on stacks of their own */
	bool dying;			/* an operation destroys the VM: no other begins */
	int calls_open;			/* of all threads */
	uint64_t accesses_left;
	uint64_t marks; /* sum over frames marked dirty and accessed; kept if somebody is told of calls */
	uint32_t nr_record;

	struct exec_buffer bitmaps[EXEC_BUFFERS];

	uint32_t violations_told;
	jmp_buf fatal;
};

/* executor_schedule.c */
void exec_threads_init(struct executor *x);
bool exec_threads_run(struct executor *x);
void exec_threads_never(struct executor *x);
void exec_outside(struct executor *x);

/* executor_record.c */
void exec_record(struct executor *x, const struct prog_choice *choice);
void exec_record_finish(struct executor *x);

/* executor_wait.c */
void exec_wait_for_vcpus(struct executor *x, uint32_t vcpus);
void exec_wait_for_drain(struct executor *x, int vcpu);
void exec_wait_for_steps(struct executor *x);

/* executor_ops.c */
bool exec_op_step(struct executor *x, struct exec_thread *t);
int exec_add_slot(struct executor *x, const struct slot_desc *desc);
void exec_last_harvest(struct executor *x);

/* executor_access.c */
void exec_access(struct executor *x, int vcpu, uint64_t gfn, enum hw_access access);
bool exec_enter_guest(struct executor *x, int vcpu);
void exec_prefault(struct executor *x, int vcpu, uint64_t gfn, uint64_t n);
void exec_speculate(struct executor *x, int vcpu, uint64_t gfn);

/* executor.c */
void exec_finish(struct executor *x);
uint64_t *exec_bitmap(struct executor *x, size_t words);
void exec_bitmap_clear(struct executor *x, size_t first, size_t words);

/* executor_call.c: calls of the MMU's interface; results and locking are those of the functions */
int exec_create_vm(struct executor *x);
int exec_create_vcpu(struct executor *x, int vcpu);
void exec_destroy_vm(struct executor *x);
int exec_set_region(struct executor *x, const struct slot_desc *slot);
int exec_vcpu_call(struct executor *x, enum oracle_call_kind kind, int vcpu);
bool exec_resume_guest(struct executor *x, int vcpu, bool *running);
int exec_page_fault(struct executor *x, int vcpu, uint64_t gpa, uint64_t error_code);
int64_t exec_pre_fault(struct executor *x, int vcpu, uint64_t gfn, uint64_t n);
void exec_mark_dirty(struct executor *x, int vcpu, uint64_t gfn);
int exec_range_call(struct executor *x, enum oracle_call_kind kind, uint64_t start, uint64_t n);
int exec_slot_call(struct executor *x, enum oracle_call_kind kind, uint8_t slot, uint64_t gfn,
		   uint8_t level);
int exec_log_get(struct executor *x, uint8_t slot, uint64_t *bitmap, size_t words);
int exec_log_clear(struct executor *x, uint8_t slot, uint64_t first, uint64_t n, uint64_t *bitmap);
int exec_vm_call(struct executor *x, enum oracle_call_kind kind, bool on);

/* executor_events.c */
void exec_events_init(struct executor *x);
void exec_events_begin(struct executor *x);
extern const struct tdp_host_ops exec_host_ops;
void exec_emit(struct executor *x, struct exec_event *ev);
void exec_emit_violations(struct executor *x);

/* For what is done when there is a tracer only. */
#define EXEC_TRACES __attribute__((noinline, cold))

static inline bool exec_tracing(const struct executor *x)
{
	return __builtin_expect(x->opts->event != NULL, 0);
}

#endif /* FUZZ_EXECUTOR_INTERNAL_H */
