// SPDX-License-Identifier: GPL-2.0-only
/* Changing programs. */
#include <errno.h>
#include <string.h>

#include "program_edit.h"
#include "program_names.h"

/**
 * program_insert_op - put an operation between two others
 * @prog: program
 * @thread: number of the thread
 * @at: number that the operation gets; those from there on move up by one
 * @op: copied
 *
 * Return: 0; -ENOMEM; -ENOSPC when the thread has PROG_MAX_OPS operations; -EINVAL for no such
 * place.
 */
int program_insert_op(struct program *prog, uint32_t thread, uint32_t at, const struct op *op)
{
	struct prog_thread *t = &prog->threads[thread];
	uint32_t i;

	if (thread >= prog->nr_threads || at > t->nr_ops)
		return -EINVAL;
	if (t->nr_ops == PROG_MAX_OPS)
		return -ENOSPC;
	if (!program_add_op(prog, thread, op))
		return -ENOMEM;
	memmove(&t->ops[at + 1], &t->ops[at], (t->nr_ops - 1 - at) * sizeof(*t->ops));
	memmove(&t->lines[at + 1], &t->lines[at], (t->nr_ops - 1 - at) * sizeof(*t->lines));
	t->ops[at] = *op;
	t->lines[at] = 0;
	for (i = 0; i < prog->nr_choices; i++) {
		if (prog->choices[i].thread == thread && prog->choices[i].op >= at)
			prog->choices[i].op++;
	}
	return 0;
}

/**
 * program_remove_op - take an operation and its choices out
 * @prog: program
 * @thread: number of the thread
 * @at: number of the operation, which must exist
 */
void program_remove_op(struct program *prog, uint32_t thread, uint32_t at)
{
	struct prog_thread *t = &prog->threads[thread];
	uint32_t i, kept = 0;

	t->nr_ops--;
	memmove(&t->ops[at], &t->ops[at + 1], (t->nr_ops - at) * sizeof(*t->ops));
	memmove(&t->lines[at], &t->lines[at + 1], (t->nr_ops - at) * sizeof(*t->lines));
	for (i = 0; i < prog->nr_choices; i++) {
		struct prog_choice choice = prog->choices[i];

		if (choice.thread == thread && choice.op == at)
			continue;
		if (choice.thread == thread && choice.op > at)
			choice.op--;
		prog->choices[kept++] = choice;
	}
	prog->nr_choices = kept;
}

/**
 * program_remove_thread - take a thread out, with its choices and the switches to it
 * @prog: program
 * @thread: number of the thread, which must exist; those above move down by one
 */
void program_remove_thread(struct program *prog, uint32_t thread)
{
	struct prog_thread gone = prog->threads[thread];
	uint32_t i, kept = 0;

	prog->nr_threads--;
	memmove(&prog->threads[thread], &prog->threads[thread + 1],
		(prog->nr_threads - thread) * sizeof(gone));
	/* Its memory goes to the place that became free. */
	gone.nr_ops = 0;
	prog->threads[prog->nr_threads] = gone;

	for (i = 0; i < prog->nr_choices; i++) {
		struct prog_choice choice = prog->choices[i];
		bool to = choice.action == CHOICE_SWITCH;

		if (choice.thread == thread || (to && choice.target == thread))
			continue;
		choice.thread -= choice.thread > thread;
		if (to)
			choice.target -= choice.target > thread;
		prog->choices[kept++] = choice;
	}
	prog->nr_choices = kept;
}

/**
 * program_merge_threads - give one thread's operations to another
 * @prog: program
 * @to: number of the thread that gets them
 * @from: number of the thread that goes, another one of the same kind
 * @front: before those that @to has rather than after them
 *
 * Choices go with their operations; switches between the two go.
 *
 * Return: 0; -EINVAL for threads that cannot be merged; -ENOSPC when there would be more than
 * PROG_MAX_OPS operations; -ENOMEM with @prog valid but changed.
 */
int program_merge_threads(struct program *prog, uint32_t to, uint32_t from, bool front)
{
	struct prog_thread *source = &prog->threads[from], *target = &prog->threads[to];
	uint32_t nr = source->nr_ops, at = front ? 0 : target->nr_ops, i, kept = 0;

	if (to == from || to >= prog->nr_threads || from >= prog->nr_threads ||
	    source->kind != target->kind)
		return -EINVAL;
	if (nr + target->nr_ops > PROG_MAX_OPS)
		return -ENOSPC;
	for (i = 0; i < nr; i++) {
		int ret = program_insert_op(prog, to, at + i, &source->ops[i]);

		if (ret)
			return ret;
	}
	for (i = 0; i < prog->nr_choices; i++) {
		struct prog_choice choice = prog->choices[i];

		if (choice.thread == from) {
			choice.thread = to;
			choice.op += at;
		}
		if (choice.action == CHOICE_SWITCH && choice.target == from)
			choice.target = to;
		if (choice.action != CHOICE_SWITCH || choice.target != choice.thread)
			prog->choices[kept++] = choice;
	}
	prog->nr_choices = kept;
	program_sort_choices(prog);
	program_remove_thread(prog, from);
	return 0;
}

/**
 * program_swap_threads - put two threads in each other's place
 * @prog: program
 * @a: number of the one, which must exist
 * @b: number of the other, which must exist
 *
 * The schedule goes on meaning the same threads.
 */
void program_swap_threads(struct program *prog, uint32_t a, uint32_t b)
{
	struct prog_thread thread = prog->threads[a];
	uint32_t i;

	prog->threads[a] = prog->threads[b];
	prog->threads[b] = thread;
	for (i = 0; i < prog->nr_choices; i++) {
		struct prog_choice *choice = &prog->choices[i];

		if (choice->thread == a || choice->thread == b)
			choice->thread ^= a ^ b;
		if (choice->action == CHOICE_SWITCH && (choice->target == a || choice->target == b))
			choice->target ^= a ^ b;
	}
	program_sort_choices(prog);
}

/**
 * program_set_vcpu - give a thread's vCPU another number
 * @prog: program
 * @thread: number of the thread, which must exist
 * @vcpu: the vCPU's new number
 *
 * Return: 0; -EINVAL for a thread that is no vCPU, or no such vCPU; -EEXIST when another thread has it.
 */
int program_set_vcpu(struct program *prog, uint32_t thread, uint8_t vcpu)
{
	struct prog_thread *t = &prog->threads[thread];
	uint32_t i;

	if (t->kind != THREAD_VCPU || vcpu >= PROG_MAX_VCPUS)
		return -EINVAL;
	for (i = 0; i < prog->nr_threads; i++) {
		const struct prog_thread *other = &prog->threads[i];

		if (i != thread && other->kind == THREAD_VCPU && other->vcpu == vcpu)
			return -EEXIST;
	}
	t->vcpu = vcpu;
	t->name[5] = '0' + vcpu;
	return 0;
}

/**
 * program_remove_slot - take a slot out
 * @prog: program; operations on the slot stay
 * @index: in its table of slots
 */
void program_remove_slot(struct program *prog, uint32_t index)
{
	prog->nr_slots--;
	memmove(&prog->slots[index], &prog->slots[index + 1],
		(prog->nr_slots - index) * sizeof(*prog->slots));
}

/**
 * program_add_choice - put a choice into the schedule, in order
 * @prog: program
 * @choice: copied
 *
 * Return: 0; -EINVAL for one that cannot be; -EEXIST when the point has that action already;
 * -ENOSPC when there are PROG_MAX_CHOICES.
 */
int program_add_choice(struct program *prog, const struct prog_choice *choice)
{
	uint32_t i;

	if (choice_check(prog, choice, NULL))
		return -EINVAL;
	for (i = prog->nr_choices; i; i--) {
		int order = choice_compare(&prog->choices[i - 1], choice);

		if (!order)
			return -EEXIST;
		if (order < 0)
			break;
	}
	if (prog->nr_choices == PROG_MAX_CHOICES)
		return -ENOSPC;
	memmove(&prog->choices[i + 1], &prog->choices[i], (prog->nr_choices - i) * sizeof(*choice));
	prog->choices[i] = *choice;
	prog->nr_choices++;
	return 0;
}

/**
 * program_remove_choice - take a choice out of the schedule
 * @prog: program
 * @index: in its table of choices
 */
void program_remove_choice(struct program *prog, uint32_t index)
{
	prog->nr_choices--;
	memmove(&prog->choices[index], &prog->choices[index + 1],
		(prog->nr_choices - index) * sizeof(*prog->choices));
}

/**
 * vm_fix - make keys agree that contradict each other
 * @vm: each key has a value that it may have
 */
void vm_fix(struct vm_desc *vm)
{
	if (vm->mmu == VM_NPT) {
		vm->ad = true;
		vm->exec_only = true;
	}
	if (vm->me == (vm->mmu == VM_NPT ? VM_ME_TDX : VM_ME_SME))
		vm->me = VM_ME_OFF;
	if (vm->mmu == VM_NPT || !vm->ad)
		vm->pml = false;
	if (vm->me == VM_ME_SME)
		vm->l1tf = false;
	if (vm->l1tf) {
		if (vm->cachebits > 46)
			vm->cachebits = 46;
		if (vm->maxphyaddr > vm->cachebits)
			vm->maxphyaddr = vm->cachebits;
	}
	if (vm->init_set)
		vm->manual_protect = true;
}

static void fix_op(struct op *op, uint64_t gfn_limit)
{
	uint64_t limit = op_has(op, 'H') ? PROG_MAX_GFN : gfn_limit;

	op->gfn &= limit - 1;
	if (op_has(op, 'N') && op->n > limit - op->gfn)
		op->n = limit - op->gfn;
	if (op_has(op, 'R') && op->n > 1) {
		uint64_t most = (limit - 1 - op->gfn) / op->step + 1;

		if (op->n > most)
			op->n = most;
		if (op->n == 1)
			op->step = 1;
	}
}

static void fix_slots(struct program *prog)
{
	struct slot_desc slots[PROG_MAX_SLOTS];
	uint32_t i, nr = prog->nr_slots;

	memcpy(slots, prog->slots, sizeof(slots));
	prog->nr_slots = 0;
	for (i = 0; i < nr; i++) {
		if (!slot_check(&prog->vm, &slots[i], NULL) &&
		    !slots_check_add(prog, &slots[i], NULL))
			prog->slots[prog->nr_slots++] = slots[i];
	}
}

/**
 * program_fix - make a program valid again after its parts were changed
 * @prog: its VM's keys, slots, operands and choices may contradict each other
 *
 * Pages that the VM does not have any more become others; slots, operations and choices that cannot
 * be any more go.
 */
void program_fix(struct program *prog)
{
	uint64_t limit;
	uint32_t i, j;

	vm_fix(&prog->vm);
	limit = vm_gfn_limit(&prog->vm);
	fix_slots(prog);
	for (i = 0; i < prog->nr_threads; i++) {
		struct prog_thread *thread = &prog->threads[i];

		for (j = 0; j < thread->nr_ops;) {
			fix_op(&thread->ops[j], limit);
			if (op_check(prog, thread->kind, &thread->ops[j], NULL))
				program_remove_op(prog, i, j);
			else
				j++;
		}
	}
	for (i = 0; i < prog->nr_choices;) {
		if (choice_check(prog, &prog->choices[i], NULL))
			program_remove_choice(prog, i);
		else
			i++;
	}
	program_sort_choices(prog);
}
