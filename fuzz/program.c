// SPDX-License-Identifier: GPL-2.0-only
/* Programs in memory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"
#include "program_names.h"

/**
 * program_alloc - make an empty program
 *
 * Return: the program, with vm_default and nothing else; NULL without memory.
 */
struct program *program_alloc(void)
{
	struct program *prog = calloc(1, sizeof(*prog));

	if (prog)
		prog->vm = vm_default;
	return prog;
}

/**
 * program_free - free a program and its operations
 * @prog: may be NULL
 */
void program_free(struct program *prog)
{
	int i;

	if (!prog)
		return;
	for (i = 0; i < PROG_MAX_THREADS; i++) {
		free(prog->threads[i].ops);
		free(prog->threads[i].lines);
	}
	free(prog);
}

/**
 * program_reset - make a program empty again
 * @prog: keeps the memory of its operations, so that decoding many programs into one allocates
 *        only while they grow
 */
void program_reset(struct program *prog)
{
	uint32_t i;

	prog->vm = vm_default;
	for (i = 0; i < prog->nr_threads; i++)
		prog->threads[i].nr_ops = 0;
	prog->nr_slots = 0;
	prog->nr_threads = 0;
	prog->nr_choices = 0;
}

/**
 * program_add_thread - append a thread
 * @prog: program
 * @kind: of the thread
 * @vcpu: the vCPU's number for THREAD_VCPU, else ignored
 *
 * Return: the thread's number; -ENOSPC when there are PROG_MAX_THREADS already; -EEXIST when
 * the vCPU has a thread; -EINVAL for no such vCPU.
 */
int program_add_thread(struct program *prog, enum thread_kind kind, uint8_t vcpu)
{
	struct prog_thread *thread;
	uint32_t i;

	if (prog->nr_threads == PROG_MAX_THREADS)
		return -ENOSPC;
	if (kind != THREAD_VCPU) {
		vcpu = 0;
	} else {
		if (vcpu >= PROG_MAX_VCPUS)
			return -EINVAL;
		for (i = 0; i < prog->nr_threads; i++) {
			thread = &prog->threads[i];
			if (thread->kind == THREAD_VCPU && thread->vcpu == vcpu)
				return -EEXIST;
		}
	}

	thread = &prog->threads[prog->nr_threads];
	thread->kind = kind;
	thread->vcpu = vcpu;
	thread->nr_ops = 0;
	strcpy(thread->name, thread_names[kind]);
	if (kind == THREAD_VCPU) {
		thread->name[4] = ' ';
		thread->name[5] = '0' + vcpu;
		thread->name[6] = '\0';
	}
	return prog->nr_threads++;
}

static int grow_ops(struct prog_thread *thread)
{
	uint32_t cap = thread->cap_ops ? 2 * thread->cap_ops : 16;
	struct op *ops = realloc(thread->ops, cap * sizeof(*ops));
	int *lines;

	if (!ops)
		return -ENOMEM;
	thread->ops = ops;
	lines = realloc(thread->lines, cap * sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	thread->lines = lines;
	thread->cap_ops = cap;
	return 0;
}

/**
 * program_add_op - append an operation to a thread
 * @prog: program
 * @thread: number of the thread, which must exist
 * @op: copied; not checked, see op_check()
 *
 * Return: the operation in its place, valid until the thread's next one is added; NULL without
 * memory or when the thread has PROG_MAX_OPS operations.
 */
struct op *program_add_op(struct program *prog, uint32_t thread, const struct op *op)
{
	struct prog_thread *t = &prog->threads[thread];

	if (t->nr_ops == PROG_MAX_OPS)
		return NULL;
	if (t->nr_ops == t->cap_ops && grow_ops(t))
		return NULL;
	t->lines[t->nr_ops] = 0;
	t->ops[t->nr_ops] = *op;
	return &t->ops[t->nr_ops++];
}

/**
 * program_nr_ops - count the operations of all threads
 * @prog: program
 *
 * Return: the number; a repeated access counts once.
 */
uint32_t program_nr_ops(const struct program *prog)
{
	uint32_t i, nr = 0;

	for (i = 0; i < prog->nr_threads; i++)
		nr += prog->threads[i].nr_ops;
	return nr;
}

/**
 * program_copy - make one program the same as another
 * @dst: loses what it had
 * @src: another program
 *
 * Return: 0, or -ENOMEM with @dst valid but short of operations.
 */
int program_copy(struct program *dst, const struct program *src)
{
	uint32_t i, j;

	program_reset(dst);
	dst->vm = src->vm;
	dst->nr_slots = src->nr_slots;
	memcpy(dst->slots, src->slots, src->nr_slots * sizeof(*src->slots));
	for (i = 0; i < src->nr_threads; i++)
		program_add_thread(dst, src->threads[i].kind, src->threads[i].vcpu);
	for (i = 0; i < src->nr_threads; i++) {
		for (j = 0; j < src->threads[i].nr_ops; j++) {
			if (!program_add_op(dst, i, &src->threads[i].ops[j]))
				return -ENOMEM;
			dst->threads[i].lines[j] = src->threads[i].lines[j];
		}
	}
	dst->nr_choices = src->nr_choices;
	memcpy(dst->choices, src->choices, src->nr_choices * sizeof(*src->choices));
	return 0;
}

static bool vm_equal(const struct vm_desc *a, const struct vm_desc *b)
{
	int i;

	for (i = 0; i < NR_VM_KEYS; i++) {
		if (vm_key_get(a, &vm_keys[i]) != vm_key_get(b, &vm_keys[i]))
			return false;
	}
	return true;
}

static bool slot_equal(const struct slot_desc *a, const struct slot_desc *b)
{
	return a->id == b->id && a->as_id == b->as_id && a->base == b->base &&
	       a->npages == b->npages && a->hvn == b->hvn && a->backing == b->backing &&
	       a->flags == b->flags;
}

static bool op_equal(const struct op *a, const struct op *b)
{
	return a->kind == b->kind && a->slot == b->slot && a->level == b->level && a->on == b->on &&
	       a->flags == b->flags && a->gfn == b->gfn && a->n == b->n && a->step == b->step &&
	       slot_equal(&a->desc, &b->desc);
}

/**
 * program_equal - whether two programs say the same
 * @a: a program
 * @b: another
 *
 * Source lines do not matter, the rest does.
 *
 * Return: true if so.
 */
bool program_equal(const struct program *a, const struct program *b)
{
	uint32_t i, j;

	if (!vm_equal(&a->vm, &b->vm) || a->nr_slots != b->nr_slots ||
	    a->nr_threads != b->nr_threads || a->nr_choices != b->nr_choices)
		return false;
	for (i = 0; i < a->nr_slots; i++) {
		if (!slot_equal(&a->slots[i], &b->slots[i]))
			return false;
	}
	for (i = 0; i < a->nr_threads; i++) {
		const struct prog_thread *t = &a->threads[i], *u = &b->threads[i];

		if (t->kind != u->kind || t->vcpu != u->vcpu || t->nr_ops != u->nr_ops)
			return false;
		for (j = 0; j < t->nr_ops; j++) {
			if (!op_equal(&t->ops[j], &u->ops[j]))
				return false;
		}
	}
	for (i = 0; i < a->nr_choices; i++) {
		if (choice_compare(&a->choices[i], &b->choices[i]) ||
		    a->choices[i].target != b->choices[i].target)
			return false;
	}
	return true;
}
