// SPDX-License-Identifier: GPL-2.0-only
/* Shrinking: fewer threads, operations, repeats and slots; a plainer VM. */
#include "program_edit.h"
#include "program_names.h"
#include "shrink_internal.h"

bool shrink_threads(struct shrink *s)
{
	bool found = false;
	uint32_t t;

	for (t = s->best->nr_threads; t-- > 0;) {
		program_remove_thread(shrink_begin(s), t);
		found |= shrink_try(s);
	}
	return found;
}

/* Operations [from, from + nr) of a thread go. */
static bool try_without(struct shrink *s, uint32_t thread, uint32_t from, uint32_t nr)
{
	struct program *trial = shrink_begin(s);

	while (nr--)
		program_remove_op(trial, thread, from + nr);
	return shrink_try(s);
}

static bool thread_ops(struct shrink *s, uint32_t thread)
{
	uint32_t nr = s->best->threads[thread].nr_ops, chunk, end;
	bool found = false;

	for (chunk = nr; chunk; chunk /= 2) {
		/* From the end: what comes late is most often not needed. */
		for (end = nr; end >= chunk && !shrink_done(s);) {
			if (try_without(s, thread, end - chunk, chunk)) {
				found = true;
				nr -= chunk;
				end -= chunk;
			} else {
				end -= chunk;
			}
		}
	}
	return found;
}

bool shrink_ops(struct shrink *s)
{
	bool found = false;
	uint32_t t;

	for (t = s->best->nr_threads; t-- > 0;)
		found |= thread_ops(s, t);
	return found;
}

static bool try_repeat(struct shrink *s, uint32_t thread, uint32_t at, uint64_t n, uint64_t step)
{
	struct op *op = &shrink_begin(s)->threads[thread].ops[at];

	op->n = n;
	op->step = n == 1 ? 1 : step;
	return shrink_try(s);
}

static bool op_repeats(struct shrink *s, uint32_t thread, uint32_t at)
{
	bool found = false;

	for (;;) {
		const struct op op = s->best->threads[thread].ops[at];

		if (!op_has(&op, 'R') || op.n == 1)
			return found;
		if (!try_repeat(s, thread, at, 1, 1) &&
		    !try_repeat(s, thread, at, op.n / 2, op.step) &&
		    !try_repeat(s, thread, at, op.n - 1, op.step) &&
		    (op.step == 1 || !try_repeat(s, thread, at, op.n, 1)))
			return found;
		found = true;
	}
}

bool shrink_repeats(struct shrink *s)
{
	bool found = false;
	uint32_t t, i;

	for (t = 0; t < s->best->nr_threads; t++) {
		for (i = 0; i < s->best->threads[t].nr_ops; i++)
			found |= op_repeats(s, t, i);
	}
	return found;
}

bool shrink_merge(struct shrink *s)
{
	bool found = false;
	uint32_t from, to, front;

	for (from = s->best->nr_threads; from-- > 0;) {
		for (to = 0; to < 2 * from && from < s->best->nr_threads; to++) {
			front = to % 2;
			if (s->best->threads[to / 2].kind != s->best->threads[from].kind)
				continue;
			if (program_merge_threads(shrink_begin(s), to / 2, from, front))
				continue;
			if (shrink_try(s)) {
				found = true;
				break;
			}
		}
	}
	return found;
}

bool shrink_vm(struct shrink *s)
{
	bool found;
	int i;

	shrink_begin(s)->vm = vm_default;
	found = shrink_try(s);
	for (i = 0; i < NR_VM_KEYS; i++) {
		vm_key_set(&shrink_begin(s)->vm, &vm_keys[i], vm_key_get(&vm_default, &vm_keys[i]));
		found |= shrink_try(s);
	}
	return found;
}

/* Slot @i as @slot says; what it cannot be is no candidate. */
static bool try_slot(struct shrink *s, uint32_t i, const struct slot_desc *slot)
{
	struct program *trial = shrink_begin(s);
	uint32_t nr = trial->nr_slots;

	trial->slots[i] = *slot;
	program_fix(trial);
	return trial->nr_slots == nr && shrink_try(s);
}

static bool smaller_slot(struct shrink *s, uint32_t i)
{
	static const uint16_t sizes[] = { 1, 2, 512, 1024 };
	const struct slot_desc was = s->best->slots[i];
	struct slot_desc slot;
	bool found = false;
	size_t j;

	for (j = 0; j < sizeof(sizes) / sizeof(*sizes) && sizes[j] < was.npages; j++) {
		slot = was;
		slot.npages = sizes[j];
		if (try_slot(s, i, &slot)) {
			found = true;
			break;
		}
	}
	for (;;) {
		slot = s->best->slots[i];
		if (slot.npages < 2)
			return found;
		slot.npages /= 2;
		if (!try_slot(s, i, &slot))
			return found;
		found = true;
	}
}

static bool plainer_slot(struct shrink *s, uint32_t i)
{
	const struct slot_desc was = s->best->slots[i];
	struct slot_desc slot;
	uint32_t backing, flag;
	bool found = false;

	for (backing = BACKING_4K; backing < was.backing; backing++) {
		slot = was;
		slot.backing = backing;
		if (try_slot(s, i, &slot)) {
			found = true;
			break;
		}
	}
	for (flag = SLOT_LOG; flag <= SLOT_RO; flag <<= 1) {
		slot = s->best->slots[i];
		slot.flags &= ~flag;
		found |= try_slot(s, i, &slot);
	}
	slot = s->best->slots[i];
	slot.hvn = slot.base;
	found |= try_slot(s, i, &slot);
	return found;
}

bool shrink_slots(struct shrink *s)
{
	bool found = false;
	uint32_t i;

	for (i = s->best->nr_slots; i-- > 0;) {
		program_remove_slot(shrink_begin(s), i);
		found |= shrink_try(s);
	}
	for (i = 0; i < s->best->nr_slots; i++) {
		found |= smaller_slot(s, i);
		found |= plainer_slot(s, i);
	}
	return found;
}

/* Slot @from gets number @to, in what names it as well. */
static bool try_slot_number(struct shrink *s, uint8_t from, uint8_t to)
{
	struct program *trial = shrink_begin(s);
	uint32_t t, i;

	for (i = 0; i < trial->nr_slots; i++) {
		if (OP_SLOT(trial->slots[i].as_id, trial->slots[i].id) == to)
			return false;
	}
	for (i = 0; i < trial->nr_slots; i++) {
		struct slot_desc *slot = &trial->slots[i];

		if (OP_SLOT(slot->as_id, slot->id) == from) {
			slot->as_id = OP_SLOT_AS(to);
			slot->id = OP_SLOT_ID(to);
		}
	}
	for (t = 0; t < trial->nr_threads; t++) {
		for (i = 0; i < trial->threads[t].nr_ops; i++) {
			struct op *op = &trial->threads[t].ops[i];

			if (op_has(op, 'S') && op->slot == from)
				op->slot = to;
		}
	}
	return shrink_try(s);
}

/* Without SMM: its slots are in the normal address space and nobody enters it, all at once. */
bool shrink_smm(struct shrink *s)
{
	struct program *trial = shrink_begin(s);
	uint32_t t, i;

	for (i = 0; i < trial->nr_slots; i++)
		trial->slots[i].as_id = 0;
	for (t = 0; t < trial->nr_threads; t++) {
		for (i = trial->threads[t].nr_ops; i-- > 0;) {
			struct op *op = &trial->threads[t].ops[i];

			if (op->kind == OP_SMM_ENTER || op->kind == OP_SMM_LEAVE) {
				program_remove_op(trial, t, i);
				continue;
			}
			op->desc.as_id = 0;
			if (op_has(op, 'S'))
				op->slot = OP_SLOT_ID(op->slot);
		}
	}
	return shrink_try(s);
}

bool shrink_numbers(struct shrink *s)
{
	bool found = false;
	uint32_t i, number;

	for (i = 0; i < s->best->nr_threads; i++) {
		for (number = 0; number < s->best->threads[i].vcpu; number++) {
			if (program_set_vcpu(shrink_begin(s), i, number))
				continue;
			if (shrink_try(s)) {
				found = true;
				break;
			}
		}
	}
	for (i = 0; i < s->best->nr_slots; i++) {
		const struct slot_desc *slot = &s->best->slots[i];
		uint8_t from = OP_SLOT(slot->as_id, slot->id);

		if (slot->as_id && try_slot_number(s, from, OP_SLOT(0, slot->id))) {
			found = true;
			continue;
		}
		for (number = 0; number < OP_SLOT_ID(from); number++) {
			if (try_slot_number(s, from, OP_SLOT(OP_SLOT_AS(from), number))) {
				found = true;
				break;
			}
		}
	}
	return found;
}
