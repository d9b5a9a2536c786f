// SPDX-License-Identifier: GPL-2.0-only
/*
 * What makes a program valid.  The parser refuses what fails here, the decoder and the mutators
 * must never make it, and the executor relies on it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "program.h"
#include "program_names.h"

#define PFN_BITS 12 /* address bits below a page number */

static int refuse(struct prog_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(struct prog_error *err, const char *fmt, ...)
{
	va_list args;

	if (err) {
		va_start(args, fmt);
		vsnprintf(err->msg, sizeof(err->msg), fmt, args);
		va_end(args);
	}
	return -EINVAL;
}

/**
 * vm_gfn_limit - the first guest page number that a VM cannot have
 * @vm: valid
 *
 * KVM takes slots up to the host's physical address width.  Two things narrow it here: four
 * levels of page table reach 48 bits, and bits from SME's C-bit up are no address bits.
 *
 * Return: the limit, a power of two.
 */
uint64_t vm_gfn_limit(const struct vm_desc *vm)
{
	unsigned int bits = vm->maxphyaddr;

	if (vm->levels == 4 && bits > 48)
		bits = 48;
	if (vm->me == VM_ME_SME)
		bits = bits > 47 ? 47 : bits - 1;
	return 1ULL << (bits - PFN_BITS);
}

static int vm_check_key(const struct vm_desc *vm, const struct vm_key *key, struct prog_error *err)
{
	uint64_t value = vm_key_get(vm, key);
	uint64_t words = 0;

	if (key->words) {
		while (key->words[words])
			words++;
		if (value >= words)
			return refuse(err, "%s has no value %" PRIu64, key->name, value);
	} else if (value < key->min || value > key->max) {
		if (key->hex)
			return refuse(err,
				      "%s is 0x%" PRIx64 ": expected 0x%" PRIx64 "..0x%" PRIx64,
				      key->name, value, key->min, key->max);
		return refuse(err, "%s is %" PRIu64 ": expected %" PRIu64 "..%" PRIu64, key->name,
			      value, key->min, key->max);
	}
	return 0;
}

/**
 * vm_check - whether there can be such a VM
 * @vm: to check
 * @err: its message is filled on failure; may be NULL
 *
 * Return: 0 or -EINVAL.
 */
int vm_check(const struct vm_desc *vm, struct prog_error *err)
{
	int i, ret;

	for (i = 0; i < NR_VM_KEYS; i++) {
		ret = vm_check_key(vm, &vm_keys[i], err);
		if (ret)
			return ret;
	}
	if (vm->mmu != VM_EPT && !vm->ad)
		return refuse(err, "ad=off: expected mmu=ept with it, NPT always has A/D bits");
	if (vm->mmu != VM_EPT && !vm->exec_only)
		return refuse(err, "exec_only=off: expected mmu=ept with it");
	if (vm->pml && (vm->mmu != VM_EPT || !vm->ad))
		return refuse(err, "pml=on: expected mmu=ept and ad=on with it");
	if (vm->me == VM_ME_SME && vm->mmu != VM_NPT)
		return refuse(err, "me=sme: expected mmu=npt with it");
	if (vm->me == VM_ME_TDX && vm->mmu != VM_EPT)
		return refuse(err, "me=tdx: expected mmu=ept with it");
	if (vm->l1tf && (vm->cachebits > 46 || vm->maxphyaddr > vm->cachebits))
		return refuse(err,
			      "l1tf=on with maxphyaddr=%u cachebits=%u: expected "
			      "maxphyaddr <= cachebits <= 46",
			      vm->maxphyaddr, vm->cachebits);
	if (vm->l1tf && vm->me == VM_ME_SME)
		return refuse(
			err,
			"l1tf=on with me=sme: expected one of them, no such CPU is vulnerable");
	if (vm->init_set && !vm->manual_protect)
		return refuse(err, "init_set=on: expected manual_protect=on with it");
	return 0;
}

static int range_check(const char *what, uint64_t first, uint64_t n, uint64_t limit,
		       struct prog_error *err)
{
	if (!n)
		return refuse(err, "no pages: expected at least 1");
	if (first >= limit)
		return refuse(err, "%s 0x%" PRIx64 ": expected less than 0x%" PRIx64, what, first,
			      limit);
	if (n > limit - first)
		return refuse(err,
			      "%s 0x%" PRIx64 " and 0x%" PRIx64 " pages: expected the end at "
			      "or below 0x%" PRIx64,
			      what, first, n, limit);
	return 0;
}

/**
 * slot_check - whether a slot is possible in a VM, other slots aside
 * @vm: valid
 * @slot: to check
 * @err: its message is filled on failure; may be NULL
 *
 * Return: 0 or -EINVAL.
 */
int slot_check(const struct vm_desc *vm, const struct slot_desc *slot, struct prog_error *err)
{
	int ret;

	if (slot->id >= PROG_MAX_SLOTS)
		return refuse(err, "slot %u: expected 0..%d", slot->id, PROG_MAX_SLOTS - 1);
	if (slot->as_id > 1)
		return refuse(err, "address space %u: expected 0 or 1", slot->as_id);
	if (slot->backing > BACKING_MMIO)
		return refuse(err, "backing has no value %d", slot->backing);
	if (slot->flags & ~(SLOT_LOG | SLOT_RO))
		return refuse(err, "flags have no value 0x%x", slot->flags);
	if (slot->npages > PROG_MAX_SLOT_PAGES)
		return refuse(err, "pages is 0x%" PRIx64 ": expected at most 0x%llx", slot->npages,
			      PROG_MAX_SLOT_PAGES);
	ret = range_check("base", slot->base, slot->npages, vm_gfn_limit(vm), err);
	if (ret)
		return ret;
	return range_check("hvn", slot->hvn, slot->npages, PROG_MAX_GFN, err);
}

static bool slots_overlap(const struct slot_desc *a, const struct slot_desc *b)
{
	return a->base < b->base + b->npages && b->base < a->base + a->npages;
}

/**
 * slots_check_add - whether a VM that has the program's slots can start with one more
 * @prog: program
 * @slot: passed slot_check()
 * @err: its message is filled on failure; may be NULL
 *
 * Return: 0 or -EINVAL.
 */
int slots_check_add(const struct program *prog, const struct slot_desc *slot,
		    struct prog_error *err)
{
	uint32_t i;

	if (prog->nr_slots == PROG_MAX_SLOTS)
		return refuse(err, "too many slots: expected at most %d", PROG_MAX_SLOTS);
	for (i = 0; i < prog->nr_slots; i++) {
		const struct slot_desc *other = &prog->slots[i];

		if (other->as_id != slot->as_id)
			continue;
		if (other->id == slot->id)
			return refuse(err, "slot %u is there already in address space %u", slot->id,
				      slot->as_id);
		if (slots_overlap(other, slot))
			return refuse(err, "slot %u overlaps slot %u of the same address space",
				      slot->id, other->id);
	}
	return 0;
}

static int repeat_check(const struct op *op, uint64_t limit, struct prog_error *err)
{
	if (op->n < 1 || op->n > PROG_MAX_REPEAT)
		return refuse(err, "repeated %" PRIu64 " times: expected 1..%llu", op->n,
			      PROG_MAX_REPEAT);
	if (!op->step || op->step > limit)
		return refuse(err, "step 0x%" PRIx64 ": expected 1..0x%" PRIx64, op->step, limit);
	if (op->n == 1 && op->step != 1)
		return refuse(err, "a step without a repeat");
	if (op->n - 1 > (limit - 1 - op->gfn) / op->step)
		return refuse(err, "the last access is beyond: expected all below gfn 0x%" PRIx64,
			      limit);
	return 0;
}

/**
 * op_check - whether a thread can have an operation
 * @prog: its VM says how far gfns go
 * @kind: of the thread
 * @op: to check
 * @err: its message is filled on failure; may be NULL
 *
 * Nothing is said about what it will do: an operation on a slot that is not there is valid.
 *
 * Return: 0 or -EINVAL.
 */
int op_check(const struct program *prog, enum thread_kind kind, const struct op *op,
	     struct prog_error *err)
{
	uint64_t limit = vm_gfn_limit(&prog->vm);
	const struct op_info *info;

	if ((unsigned int)op->kind >= OP_NR)
		return refuse(err, "there is no operation %d", op->kind);
	info = &op_infos[op->kind];
	if (info->kind != kind)
		return refuse(err, "'%s' in a %s thread: expected it in a %s thread", info->name,
			      thread_names[kind], thread_names[info->kind]);

	if (op_has(op, 'D'))
		return slot_check(&prog->vm, &op->desc, err);
	if (op_has(op, 'S')) {
		if (OP_SLOT_AS(op->slot) > 1)
			return refuse(err, "address space %u: expected 0 or 1",
				      OP_SLOT_AS(op->slot));
		if (OP_SLOT_ID(op->slot) >= PROG_MAX_SLOTS)
			return refuse(err, "slot %u: expected 0..%d", OP_SLOT_ID(op->slot),
				      PROG_MAX_SLOTS - 1);
	}
	if (op_has(op, 'F') && op->flags & ~(SLOT_LOG | SLOT_RO))
		return refuse(err, "flags have no value 0x%x", op->flags);
	if (op_has(op, 'L')) {
		if (op->level < 1 || op->level > 3)
			return refuse(err, "level %u: expected 1..3", op->level);
		if (op->kind == OP_HUGE_FORM && op->level == 1)
			return refuse(err, "level 4K: expected 2M or 1G");
	}
	if (op_has(op, 'H'))
		return range_check("host page", op->gfn, op_has(op, 'N') ? op->n : 1, PROG_MAX_GFN,
				   err);
	if (op_has(op, 'G')) {
		int ret = range_check("gfn", op->gfn, op_has(op, 'N') ? op->n : 1, limit, err);

		if (ret || !op_has(op, 'R'))
			return ret;
		return repeat_check(op, limit, err);
	}
	return 0;
}

static int target_check(const struct program *prog, const struct prog_choice *choice,
			struct prog_error *err)
{
	if (choice->target >= prog->nr_threads)
		return refuse(err, "there is no thread t%u to switch to: the program has %u",
			      choice->target, prog->nr_threads);
	if (choice->target == choice->thread)
		return refuse(err, "a switch to t%u itself: expected another thread",
			      choice->target);
	return 0;
}

/* tT.O@end#1 -> tN, where O is the number of operations of a thread that has some. */
static int end_choice_check(const struct program *prog, const struct prog_choice *choice,
			    struct prog_error *err)
{
	uint32_t nr_ops = prog->threads[choice->thread].nr_ops;

	if (!nr_ops || choice->op != nr_ops)
		return refuse(err, "'end' of t%u.%u: expected t%u.%u, after the last operation",
			      choice->thread, choice->op, choice->thread, nr_ops);
	if (choice->level)
		return refuse(err, "'end' has no level");
	if (choice->k != 1)
		return refuse(err, "end#%u: expected end#1", choice->k);
	if (choice->action != CHOICE_SWITCH)
		return refuse(err, "an action at 'end': expected '->'");
	return target_check(prog, choice, err);
}

/**
 * choice_check - whether a choice can be part of a program's schedule
 * @prog: its threads and their operations are complete
 * @choice: to check
 * @err: its message is filled on failure; may be NULL
 *
 * Return: 0 or -EINVAL.
 */
int choice_check(const struct program *prog, const struct prog_choice *choice,
		 struct prog_error *err)
{
	const struct prog_thread *thread;
	const struct op *op;

	if (choice->thread >= prog->nr_threads)
		return refuse(err, "there is no thread t%u: the program has %u", choice->thread,
			      prog->nr_threads);
	thread = &prog->threads[choice->thread];
	if (choice->kind >= POINT_NR)
		return refuse(err, "there is no point %u", choice->kind);
	if (choice->kind == POINT_END)
		return end_choice_check(prog, choice, err);
	if (choice->op >= thread->nr_ops)
		return refuse(err, "there is no operation %u: thread t%u has %u", choice->op,
			      choice->thread, thread->nr_ops);
	op = &thread->ops[choice->op];
	if (point_infos[choice->kind].has_level) {
		if (choice->level < 1 || choice->level >= POINT_LEVELS)
			return refuse(err, "level %u: expected 1..%d", choice->level,
				      POINT_LEVELS - 1);
		if (choice->level > prog->vm.levels)
			return refuse(err, "level %s: expected at most %s, the VM has %u levels",
				      level_names[choice->level], level_names[prog->vm.levels],
				      prog->vm.levels);
	} else if (choice->level) {
		return refuse(err, "'%s' has no level", point_infos[choice->kind].name);
	}
	if (!choice->k)
		return refuse(err, "#0: expected #1 for the first one");
	if (choice->kind == POINT_OP && choice->k > (op_has(op, 'R') ? op->n : 1))
		return refuse(err, "op#%u: expected at most op#%" PRIu64, choice->k,
			      op_has(op, 'R') ? op->n : 1);
	if (choice->action >= CHOICE_NR)
		return refuse(err, "there is no action %u", choice->action);
	if (choice->kind == POINT_BLOCK && choice->action != CHOICE_SWITCH)
		return refuse(err, "'%s' at 'block': expected '->'", choice_names[choice->action]);
	if (!choice_allowed(choice->action, choice->kind))
		return refuse(err, "'%s' at '%s': expected it at %s", choice_names[choice->action],
			      point_infos[choice->kind].name,
			      choice->action == CHOICE_EVICT ? "tlb, walk or memory" :
							       "alloc or faultin");
	if (choice->action == CHOICE_SWITCH)
		return target_check(prog, choice, err);
	if (choice->target)
		return refuse(err, "'%s' names a thread", choice_names[choice->action]);
	return 0;
}

static int threads_check(const struct program *prog, struct prog_error *err)
{
	uint32_t vcpus = 0, i, j;

	for (i = 0; i < prog->nr_threads; i++) {
		const struct prog_thread *thread = &prog->threads[i];

		if (thread->kind == THREAD_VCPU) {
			if (thread->vcpu >= PROG_MAX_VCPUS || vcpus & 1u << thread->vcpu)
				return refuse(err, "vcpu %u is not unique and below %d",
					      thread->vcpu, PROG_MAX_VCPUS);
			vcpus |= 1u << thread->vcpu;
		}
		for (j = 0; j < thread->nr_ops; j++) {
			int ret = op_check(prog, thread->kind, &thread->ops[j], err);

			if (ret)
				return ret;
		}
	}
	return 0;
}

/**
 * program_check - whether a program is valid
 * @prog: to check
 * @err: its message is filled on failure; may be NULL
 *
 * Whatever the parser, the decoder, the mutators and the generator make is.
 *
 * Return: 0 or -EINVAL.
 */
int program_check(const struct program *prog, struct prog_error *err)
{
	struct program seen = { 0 };
	uint32_t i;
	int ret;

	ret = vm_check(&prog->vm, err);
	if (ret)
		return ret;
	if (prog->nr_slots > PROG_MAX_SLOTS || prog->nr_threads > PROG_MAX_THREADS ||
	    prog->nr_choices > PROG_MAX_CHOICES)
		return refuse(err, "more slots, threads or choices than there can be");
	for (i = 0; i < prog->nr_slots; i++) {
		ret = slot_check(&prog->vm, &prog->slots[i], err);
		if (!ret)
			ret = slots_check_add(&seen, &prog->slots[i], err);
		if (ret)
			return ret;
		seen.slots[seen.nr_slots++] = prog->slots[i];
	}
	ret = threads_check(prog, err);
	if (ret)
		return ret;
	for (i = 0; i < prog->nr_choices; i++) {
		ret = choice_check(prog, &prog->choices[i], err);
		if (ret)
			return ret;
		if (i && choice_compare(&prog->choices[i - 1], &prog->choices[i]) >= 0)
			return refuse(err, "choices are not in order");
	}
	return 0;
}
