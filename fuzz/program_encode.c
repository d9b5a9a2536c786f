// SPDX-License-Identifier: GPL-2.0-only
/* Encoding a program into its binary form, such that decoding gives the very same program. */
#include "program.h"
#include "program_names.h"
#include "program_wire.h"

/**
 * struct out - where records go
 * @data: may be NULL while @size is 0
 * @size: of @data, bytes
 * @len: what the records need so far, whether or not they fit
 */
struct out {
	uint8_t *data;
	size_t size;
	size_t len;
};

enum { A, B, C }; /* wide operands */

static void put_byte(struct out *out, uint8_t byte)
{
	if (out->len < out->size)
		out->data[out->len] = byte;
	out->len++;
}

static void put(struct out *out, uint8_t tag, uint8_t a, uint8_t b, uint8_t c)
{
	put_byte(out, tag);
	put_byte(out, a);
	put_byte(out, b);
	put_byte(out, c);
}

static void put_imm24(struct out *out, uint8_t tag, uint64_t value)
{
	put(out, tag, value, value >> 8, value >> 16);
}

/* As many wide records as the value needs, highest bits first. */
static void put_wide(struct out *out, int operand, uint64_t value)
{
	if (value >> 24)
		put_wide(out, operand, value >> 24);
	put_imm24(out, TAG_WIDE + operand, value & 0xffffff);
}

static void put_vm_number(struct out *out, uint8_t tag, uint64_t value)
{
	if (value >> 24)
		put_wide(out, A, value >> 24);
	put_imm24(out, tag, value & 0xffffff);
}

static void put_vm(struct out *out, const struct program *prog)
{
	const struct vm_desc *vm = &prog->vm;
	unsigned int bits =
		(vm->mmu == VM_NPT ? WIRE_NPT : 0) | (vm->ad ? 0 : WIRE_NO_AD) |
		(vm->levels == 5 ? WIRE_5_LEVELS : 0) | (vm->nx_huge_pages ? 0 : WIRE_NO_NX) |
		(vm->eager_split ? WIRE_EAGER : 0) | (vm->policy == VM_ZAP ? WIRE_ZAP : 0) |
		(vm->pml ? WIRE_PML : 0) | (vm->exec_only ? 0 : WIRE_NO_EXEC_ONLY) |
		(unsigned int)vm->me << WIRE_ME_SHIFT | (vm->l1tf ? WIRE_L1TF : 0) |
		(vm->manual_protect ? WIRE_MANUAL : 0) | (vm->init_set ? WIRE_INIT_SET : 0) |
		(vm->quirk_zap_all ? 0 : WIRE_NO_QUIRK) | (prog->nr_slots ? 0 : WIRE_NO_SLOT);

	if (bits)
		put(out, TAG_VM, bits, bits >> 8, 0);
	if (vm->maxphyaddr != vm_default.maxphyaddr || vm->cachebits != vm_default.cachebits)
		put(out, TAG_VM_BITS, vm->maxphyaddr, vm->cachebits, 0);
	if (vm->gen != vm_default.gen)
		put_vm_number(out, TAG_VM_GEN, vm->gen);
	if (vm->seq != vm_default.seq)
		put_vm_number(out, TAG_VM_SEQ, vm->seq);
	if (vm->nx_ratio != vm_default.nx_ratio)
		put_vm_number(out, TAG_VM_RATIO, vm->nx_ratio);
}

static int find_size(uint64_t npages)
{
	int i;

	for (i = 0; i < 32; i++) {
		if (wire_sizes[i] == npages)
			return i;
	}
	return -1;
}

static int find_base(const struct program *prog, uint64_t base, uint64_t limit)
{
	int code;

	for (code = 0; code < 256; code++) {
		if (wire_base(prog, code, limit) == base)
			return code;
	}
	return -1;
}

/* The record of a slot, or of slot-add; @prog has the slots that its base may refer to. */
static void put_slot(struct out *out, const struct program *prog, uint8_t tag, unsigned int thread,
		     const struct slot_desc *slot)
{
	int size = find_size(slot->npages);
	int base = find_base(prog, slot->base, vm_gfn_limit(&prog->vm));

	if (base < 0)
		put_wide(out, A, slot->base);
	if (size < 0)
		put_wide(out, B, slot->npages);
	if (slot->hvn != slot->base)
		put_wide(out, C, slot->hvn);
	put(out, tag, thread | slot->backing << 3 | slot->flags << 5 | slot->as_id << 7,
	    slot->id | (size < 0 ? 0 : size) << 3, base < 0 ? 0 : base);
}

/* While slots are decoded, a base can refer to those before it only. */
static void put_slots(struct out *out, const struct program *prog)
{
	struct program before = { .vm = prog->vm };
	uint32_t i;

	for (i = 0; i < prog->nr_slots; i++) {
		put_slot(out, &before, TAG_SLOT, 0, &prog->slots[i]);
		before.slots[before.nr_slots++] = prog->slots[i];
	}
}

/* The index of a slot that the program declares, or -1. */
static int find_slot(const struct program *prog, uint8_t slot)
{
	uint32_t i;

	for (i = 0; i < prog->nr_slots; i++) {
		if (OP_SLOT(prog->slots[i].as_id, prog->slots[i].id) == slot)
			return i;
	}
	return -1;
}

static uint8_t raw_slot(uint8_t slot)
{
	return OP_SLOT_AS(slot) << 3 | OP_SLOT_ID(slot);
}

/* The code for operand N or R, or -1. */
static int find_count(const struct program *prog, const struct op *op, unsigned int code)
{
	int i;

	for (i = 0; i < WIRE_COUNTS; i++) {
		if (op_has(op, 'R')) {
			if (wire_repeats[i].n == op->n && wire_repeats[i].step == op->step)
				return i;
		} else if (i == WIRE_WHOLE) {
			if (wire_slot(prog, code & 7)->npages == op->n)
				return i;
		} else if (wire_counts[i] == op->n) {
			return i;
		}
	}
	return -1;
}

static void put_page_op(struct out *out, const struct program *prog, unsigned int select,
			const struct op *op)
{
	bool host = op_has(op, 'H');
	uint64_t limit = host ? PROG_MAX_GFN : vm_gfn_limit(&prog->vm);
	int slot = op_has(op, 'S') ? find_slot(prog, op->slot) : -1;
	int code = wire_find_page(prog, slot, host, op->gfn, limit), count = 0;

	if (code < 0) {
		put_wide(out, A, op->gfn);
		code = slot < 0 ? 0 : slot;
	}
	if (op_has(op, 'N') || op_has(op, 'R')) {
		count = find_count(prog, op, code);
		if (count < 0)
			put_wide(out, B, op->n);
		if (count < 0 && op_has(op, 'R'))
			put_wide(out, C, op->step);
	} else if (op_has(op, 'L')) {
		count = op->level - (op->kind == OP_HUGE_FORM ? 2 : 1);
	}
	if (op_has(op, 'S') && slot < 0)
		put_wide(out, C, raw_slot(op->slot));
	put(out, wire_op_tag(op->kind), select | (count < 0 ? 0 : count) << 3, code, code >> 8);
}

static void put_op(struct out *out, const struct program *prog, unsigned int select,
		   const struct op *op)
{
	unsigned int count = 0, b = 0;
	int slot;

	if (op_has(op, 'G') || op_has(op, 'H')) {
		put_page_op(out, prog, select, op);
		return;
	}
	if (op_has(op, 'D')) {
		put_slot(out, prog, wire_op_tag(op->kind), select, &op->desc);
		return;
	}
	if (op_has(op, 'S')) {
		slot = find_slot(prog, op->slot);
		b = slot < 0 ? 0x80 | raw_slot(op->slot) : slot;
	} else if (op_has(op, 'B')) {
		b = op->on;
	}
	if (op_has(op, 'L'))
		count = op->level - 1;
	put(out, wire_op_tag(op->kind), select | count << 3, b, op_has(op, 'F') ? op->flags : 0);
}

static void put_choice(struct out *out, const struct prog_choice *choice)
{
	if (choice->kind >= WIRE_POINTS)
		put_wide(out, A, choice->kind);
	if (choice->k > WIRE_MAX_K)
		put_wide(out, B, choice->k);
	put(out, TAG_CHOICE, choice->action | choice->target << 3,
	    (choice->kind & 31) | (choice->level ? choice->level - 1 : 0) << 5,
	    choice->k > WIRE_MAX_K ? 0 : wire_k_code(choice->k));
}

static void put_threads(struct out *out, const struct program *prog)
{
	const struct prog_choice *choice = prog->choices, *end = choice + prog->nr_choices;
	unsigned int nr[THREAD_HOST + 1] = { 0 };
	uint32_t i, j;

	for (i = 0; i < prog->nr_threads; i++)
		put(out, TAG_THREAD, prog->threads[i].kind | prog->threads[i].vcpu << 2, 0, 0);
	for (i = 0; i < prog->nr_threads; i++) {
		const struct prog_thread *thread = &prog->threads[i];
		unsigned int select = nr[thread->kind]++;

		if (thread->kind == THREAD_VCPU)
			select = thread->vcpu;
		for (j = 0; j < thread->nr_ops; j++) {
			put_op(out, prog, select, &thread->ops[j]);
			for (; choice < end && choice->thread == i && choice->op == j; choice++)
				put_choice(out, choice);
		}
		for (; choice < end && choice->thread == i; choice++)	/* at its end */
			put_choice(out, choice);
	}
}

/**
 * program_encode - write the binary form of a program
 * @prog: valid
 * @data: cut to whole bytes that fit; may be NULL while @size is 0
 * @size: of @data, bytes
 *
 * Decoding the whole gives a program that is equal to @prog.
 *
 * Return: the length of the whole in bytes.
 */
size_t program_encode(const struct program *prog, uint8_t *data, size_t size)
{
	struct out out = { .data = data, .size = size };

	put_byte(&out, PROG_BINARY_MAGIC | PROG_VERSION);
	put_vm(&out, prog);
	put_slots(&out, prog);
	put_threads(&out, prog);
	return out.len;
}
