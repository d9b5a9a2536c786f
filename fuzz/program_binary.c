// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decoding the binary form.  Nothing is refused: what could not be so is normalised to something
 * near it that can.  It runs once per execution of a fuzzer, so it is two passes without allocation
 * (but for operations that a program never had before).
 */
#include <string.h>

#include "program_edit.h"
#include "program_names.h"
#include "program_wire.h"

/**
 * struct wide - operands in full, for the next record
 * @value: of operands A, B and C
 * @given: a bit for each that is there
 */
struct wide {
	uint64_t value[3];
	unsigned int given;
};

/**
 * struct raw_slot - a slot record, before the VM is known
 * @bytes: the record
 * @wide: its wide operands
 */
struct raw_slot {
	const uint8_t *bytes;
	struct wide wide;
};

/**
 * struct decoder - what the second pass knows
 * @prog: being filled
 * @limit: of gfns
 * @vcpu: thread of each vCPU, or -1
 * @nr: threads of each kind but vCPUs
 * @of_kind: those threads
 * @thread: of the last operation, or -1
 */
struct decoder {
	struct program *prog;
	uint64_t limit;
	int8_t vcpu[PROG_MAX_VCPUS];
	uint8_t nr[THREAD_HOST + 1];
	uint8_t of_kind[THREAD_HOST + 1][PROG_MAX_THREADS];
	int thread;
};

enum { A, B, C }; /* wide operands */

static uint32_t imm24(const uint8_t *r)
{
	return r[1] | r[2] << 8 | (uint32_t)r[3] << 16;
}

static bool given(const struct wide *wide, int operand)
{
	return wide->given & 1u << operand;
}

static void add_wide(struct wide *wide, int operand, uint32_t value)
{
	if (!given(wide, operand))
		wide->value[operand] = 0;
	wide->value[operand] = wide->value[operand] << 24 | value;
	wide->given |= 1u << operand;
}

/* A record's 24 bits with those that wide A gives above them. */
static uint64_t imm_wide(const uint8_t *r, const struct wide *wide)
{
	return imm24(r) | (given(wide, A) ? wide->value[A] << 24 : 0);
}

static void decode_vm(struct vm_desc *vm, const uint8_t *r)
{
	static const uint8_t cachebits[8] = { 46, 36, 39, 40, 44, 45, 48, 52 };
	unsigned int bits = r[1] | r[2] << 8, phys = r[3] & 31, me = bits >> WIRE_ME_SHIFT & 3;

	vm->mmu = bits & WIRE_NPT ? VM_NPT : VM_EPT;
	vm->ad = !(bits & WIRE_NO_AD);
	vm->levels = bits & WIRE_5_LEVELS ? 5 : 4;
	vm->nx_huge_pages = !(bits & WIRE_NO_NX);
	vm->eager_split = bits & WIRE_EAGER;
	vm->policy = bits & WIRE_ZAP ? VM_ZAP : VM_SPLIT;
	vm->pml = bits & WIRE_PML;
	vm->exec_only = !(bits & WIRE_NO_EXEC_ONLY);
	vm->me = me <= VM_ME_TDX ? me : VM_ME_OFF;
	vm->l1tf = bits & WIRE_L1TF;
	vm->manual_protect = bits & WIRE_MANUAL;
	vm->init_set = bits & WIRE_INIT_SET;
	vm->quirk_zap_all = !(bits & WIRE_NO_QUIRK);
	vm->maxphyaddr = phys ? 36 + (phys - 1) % 17 : 46;
	vm->cachebits = cachebits[r[3] >> 5];
}

static uint8_t phys_bits(uint8_t byte)
{
	return byte >= 36 && byte <= 52 ? byte : 36 + byte % 17;
}

static void decode_vm_bits(struct vm_desc *vm, const uint8_t *r)
{
	static const uint8_t ratios[8] = { 0, 1, 2, 3, 4, 10, 60, 100 };

	vm->maxphyaddr = phys_bits(r[1]);
	vm->cachebits = phys_bits(r[2]);
	if (r[3])
		vm->nx_ratio = ratios[r[3] & 7];
}

/* The record of a slot, and that of slot-add but for its thread. */
static void decode_slot(const struct program *prog, struct slot_desc *slot, const uint8_t *r,
			const struct wide *wide, uint64_t limit)
{
	slot->backing = r[1] >> 3 & 3;
	slot->flags = r[1] >> 5 & 3;
	slot->as_id = r[1] >> 7;
	slot->id = r[2] & 7;
	slot->npages = given(wide, B) ? wide->value[B] : wire_sizes[r[2] >> 3];
	slot->base = given(wide, A) ? wide->value[A] & (limit - 1) : wire_base(prog, r[3], limit);
	slot->hvn = given(wide, C) ? wide->value[C] & (PROG_MAX_GFN - 1) : slot->base;

	if (!slot->npages)
		slot->npages = 1;
	if (slot->npages > PROG_MAX_SLOT_PAGES)
		slot->npages = PROG_MAX_SLOT_PAGES;
	if (slot->npages > limit - slot->base)
		slot->npages = limit - slot->base;
	if (slot->npages > PROG_MAX_GFN - slot->hvn)
		slot->hvn = PROG_MAX_GFN - slot->npages;
}

static void decode_slots(struct program *prog, const struct raw_slot *raw, unsigned int nr,
			 bool may_be_none, uint64_t limit)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct slot_desc *slot = &prog->slots[prog->nr_slots];

		memset(slot, 0, sizeof(*slot));
		decode_slot(prog, slot, raw[i].bytes, &raw[i].wide, limit);
		if (!slots_check_add(prog, slot, NULL))
			prog->nr_slots++;
	}
	if (!prog->nr_slots && !may_be_none)
		prog->slots[prog->nr_slots++] = wire_default_slot;
}

static int add_thread(struct decoder *d, enum thread_kind kind, uint8_t vcpu)
{
	int thread = program_add_thread(d->prog, kind, vcpu);

	if (thread < 0)
		return -1;
	if (kind == THREAD_VCPU)
		d->vcpu[vcpu] = thread;
	d->of_kind[kind][d->nr[kind]++] = thread;
	return thread;
}

/* The thread that an operation goes to, made where there is none; -1 where there can be none. */
static int pick_thread(struct decoder *d, enum thread_kind kind, unsigned int select)
{
	int thread;

	if (kind == THREAD_VCPU) {
		select &= PROG_MAX_VCPUS - 1;
		if (d->vcpu[select] >= 0)
			return d->vcpu[select];
		thread = add_thread(d, kind, select);
		if (thread >= 0)
			return thread;
	} else if (!d->nr[kind]) {
		return add_thread(d, kind, 0);
	}
	return d->nr[kind] ? d->of_kind[kind][select % d->nr[kind]] : -1;
}

/* Slot number of an operation that names no gfn: one that is there, or from 0x80 on any. */
static uint8_t decode_slot_number(const struct program *prog, uint8_t byte)
{
	const struct slot_desc *slot = wire_slot(prog, byte);

	if (byte & 0x80)
		return OP_SLOT(byte >> 3 & 1, byte & 7);
	return OP_SLOT(slot->as_id, slot->id);
}

static void decode_repeat(struct op *op, unsigned int code, const struct wide *wide, uint64_t limit)
{
	uint64_t most;

	op->n = wire_repeats[code].n;
	op->step = wire_repeats[code].step;
	if (given(wide, B))
		op->n = wide->value[B];
	if (given(wide, C))
		op->step = wide->value[C];
	if (!op->n)
		op->n = 1;
	if (op->n > PROG_MAX_REPEAT)
		op->n = PROG_MAX_REPEAT;
	if (!op->step)
		op->step = 1;
	if (op->step > limit)
		op->step = limit;
	most = (limit - 1 - op->gfn) / op->step + 1;
	if (op->n > most)
		op->n = most;
	if (op->n == 1)
		op->step = 1;
}

static void decode_range(struct op *op, const struct slot_desc *slot, unsigned int code,
			 const struct wide *wide, uint64_t limit)
{
	if (given(wide, B))
		op->n = wide->value[B];
	else
		op->n = code == WIRE_WHOLE ? slot->npages : wire_counts[code];
	if (!op->n)
		op->n = 1;
	if (op->n > limit - op->gfn)
		op->n = limit - op->gfn;
}

static void decode_operands(struct decoder *d, struct op *op, const uint8_t *r,
			    const struct wide *wide)
{
	unsigned int count = r[1] >> 3, code = r[2] | r[3] << 8;
	const struct slot_desc *slot = wire_slot(d->prog, code & 7);
	uint64_t limit = d->limit;
	const char *operand;

	for (operand = op_infos[op->kind].operands; *operand; operand++) {
		switch (*operand) {
		case 'H':
			limit = PROG_MAX_GFN;
			/* fall through */
		case 'G':
			if (given(wide, A))
				op->gfn = wide->value[A] & (limit - 1);
			else
				op->gfn = wire_page(slot, *operand == 'H', code, limit);
			if (op_infos[op->kind].operands[0] != 'S')
				break;
			op->slot = OP_SLOT(slot->as_id, slot->id);
			if (given(wide, C))
				op->slot = OP_SLOT(wide->value[C] >> 3 & 1, wide->value[C] & 7);
			break;
		case 'N':
			decode_range(op, slot, count, wide, limit);
			break;
		case 'R':
			decode_repeat(op, count, wide, limit);
			break;
		case 'S': /* of an operation with a gfn too: overwritten there */
			op->slot = decode_slot_number(d->prog, r[2]);
			break;
		case 'L':
			op->level = op->kind == OP_HUGE_FORM ? 2 + count % 2 : 1 + count % 3;
			break;
		case 'B':
			op->on = r[2] & 1;
			break;
		case 'F':
			op->flags = r[3] & 3;
			break;
		default:
			decode_slot(d->prog, &op->desc, r, wide, limit);
		}
	}
}

static void decode_op(struct decoder *d, enum op_kind kind, const uint8_t *r,
		      const struct wide *wide)
{
	int thread = pick_thread(d, op_infos[kind].kind, r[1] & 7);
	struct op op = { .kind = kind };

	d->thread = thread;
	if (thread < 0)
		return;
	decode_operands(d, &op, r, wide);
	if (!program_add_op(d->prog, thread, &op))
		d->thread = -1;
}

/* A point at which the action can be, near the one that was asked for. */
static uint8_t choice_point(enum choice_action action, uint8_t kind)
{
	static const uint8_t evict[] = { POINT_TLB, POINT_WALK, POINT_MEMORY };

	if (choice_allowed(action, kind))
		return kind;
	if (action == CHOICE_RESCHED || action == CHOICE_GP_END)
		return POINT_RELAX;
	if (action == CHOICE_EVICT)
		return evict[kind % 3];
	return kind & 1 ? POINT_FAULTIN : POINT_ALLOC;
}

static void decode_choice(struct decoder *d, const uint8_t *r, const struct wide *wide)
{
	struct program *prog = d->prog;
	struct prog_choice *choice = &prog->choices[prog->nr_choices];
	const struct op *op;
	uint64_t kind = given(wide, A) ? wide->value[A] % POINT_NR : (r[2] & 31) % WIRE_POINTS;
	uint64_t k = given(wide, B) ? wide->value[B] : wire_k(r[3]);

	if (d->thread < 0 || prog->nr_choices == PROG_MAX_CHOICES)
		return;
	choice->thread = d->thread;
	choice->op = prog->threads[d->thread].nr_ops - 1;
	choice->action = (r[1] & 7) % CHOICE_NR;
	choice->kind = choice_point(choice->action, kind);
	choice->level = point_infos[choice->kind].has_level ? 1 + (r[2] >> 5) % prog->vm.levels : 0;
	choice->target = choice->action == CHOICE_SWITCH ? r[1] >> 3 & 7 : 0;
	choice->line = 0;
	if (!k)
		k = 1;
	if (k > UINT32_MAX)
		k = UINT32_MAX;
	if (choice->kind == POINT_OP) {
		op = &prog->threads[d->thread].ops[choice->op];
		k = 1 + (k - 1) % (op_has(op, 'R') ? op->n : 1);
	}
	if (choice->kind == POINT_END)
		k = 1;
	choice->k = k;
	prog->nr_choices++;
}

/* Only now are all threads known. */
static void finish_choices(struct program *prog)
{
	uint32_t i, kept = 0, nr = prog->nr_threads;

	for (i = 0; i < prog->nr_choices; i++) {
		struct prog_choice *choice = &prog->choices[i];

		if (choice->action == CHOICE_SWITCH) {
			choice->target %= nr;
			if (choice->target == choice->thread) {
				if (nr == 1)
					continue;
				choice->target = (choice->target + 1) % nr;
			}
		}
		if (choice->kind == POINT_END)
			choice->op = prog->threads[choice->thread].nr_ops;
		prog->choices[kept++] = *choice;
	}
	prog->nr_choices = kept;
	program_sort_choices(prog);
}

/* First pass: the VM, its slots and declared threads, wherever they stand. */
static void decode_machine(struct decoder *d, const uint8_t *data, size_t nr)
{
	struct program *prog = d->prog;
	struct raw_slot raw[PROG_MAX_SLOTS];
	unsigned int nr_raw = 0;
	bool may_be_none = false;
	struct wide wide = { .given = 0 };
	const uint8_t *r;

	for (r = data; nr--; r += WIRE_RECORD) {
		const struct wire_tag *tag = &wire_tags[r[0]];

		switch (tag->type) {
		case WIRE_WIDE:
			add_wide(&wide, tag->arg, imm24(r));
			continue;
		case WIRE_SLOT:
			if (nr_raw == PROG_MAX_SLOTS)
				break;
			raw[nr_raw].bytes = r;
			raw[nr_raw++].wide = wide;
			break;
		case WIRE_THREAD:
			add_thread(d, (r[1] & 3) % 3, r[1] >> 2 & (PROG_MAX_VCPUS - 1));
			break;
		case WIRE_VM:
			decode_vm(&prog->vm, r);
			may_be_none = r[2] << 8 & WIRE_NO_SLOT;
			break;
		case WIRE_VM_BITS:
			decode_vm_bits(&prog->vm, r);
			break;
		case WIRE_VM_GEN:
			prog->vm.gen = imm_wide(r, &wide) & ((1ULL << 62) - 1);
			break;
		case WIRE_VM_SEQ:
			prog->vm.seq = imm_wide(r, &wide);
			break;
		case WIRE_VM_RATIO:
			prog->vm.nx_ratio = imm_wide(r, &wide);
			break;
		}
		wide.given = 0;
	}

	vm_fix(&prog->vm);
	d->limit = vm_gfn_limit(&prog->vm);
	decode_slots(prog, raw, nr_raw, may_be_none, d->limit);
}

/* Second pass: operations, and the choices that follow each. */
static void decode_threads(struct decoder *d, const uint8_t *data, size_t nr)
{
	struct wide wide = { .given = 0 };
	const uint8_t *r;

	for (r = data; nr--; r += WIRE_RECORD) {
		const struct wire_tag *tag = &wire_tags[r[0]];

		if (tag->type == WIRE_WIDE) {
			add_wide(&wide, tag->arg, imm24(r));
			continue;
		}
		if (tag->type == WIRE_OP)
			decode_op(d, tag->arg, r, &wide);
		else if (tag->type == WIRE_CHOICE)
			decode_choice(d, r, &wide);
		wide.given = 0;
	}
	finish_choices(d->prog);
}

/**
 * program_decode - read the binary form of a program
 * @prog: its former content is dropped, its memory reused
 * @data: any bytes
 * @size: of @data, bytes
 *
 * Total: every byte string is a valid program.  The first byte, which says the version, is not
 * looked at, for a fuzzer changes it like any other; program_load() looks.  The result has at most
 * a quarter as many operations as @data has bytes.
 */
void program_decode(struct program *prog, const uint8_t *data, size_t size)
{
	struct decoder d = { .prog = prog, .vcpu = { -1, -1, -1, -1 }, .thread = -1 };
	size_t nr = size ? (size - 1) / WIRE_RECORD : 0;

	program_reset(prog);
	decode_machine(&d, nr ? data + 1 : NULL, nr);
	decode_threads(&d, nr ? data + 1 : NULL, nr);
}
