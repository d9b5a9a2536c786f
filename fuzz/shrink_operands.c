// SPDX-License-Identifier: GPL-2.0-only
/* Shrinking: simpler operands.  A page is simpler if its number is smaller, an operation if it comes
 * earlier in the list of those with the same operands. */
#include "program_edit.h"
#include "program_names.h"
#include "shrink_internal.h"

#include <string.h>

#define PAGES_2M 512ULL
#define PAGES_1G (512 * PAGES_2M)

static bool names_page(const struct op *op)
{
	return op_has(op, 'G') || op_has(op, 'H');
}

/* Every operation that names page @from names @to. */
static bool try_page(struct shrink *s, uint64_t from, uint64_t to)
{
	struct program *trial;
	uint32_t t, i;

	if (to >= from)
		return false;
	trial = shrink_begin(s);
	for (t = 0; t < trial->nr_threads; t++) {
		for (i = 0; i < trial->threads[t].nr_ops; i++) {
			struct op *op = &trial->threads[t].ops[i];

			if (names_page(op) && op->gfn == from)
				op->gfn = to;
		}
	}
	return shrink_try(s);
}

static bool try_op_page(struct shrink *s, uint32_t t, uint32_t i, uint64_t to)
{
	struct op *op;

	if (to >= s->best->threads[t].ops[i].gfn)
		return false;
	op = &shrink_begin(s)->threads[t].ops[i];
	op->gfn = to;
	return shrink_try(s);
}

/* A slot moves down, with all that names its pages. */
static bool try_lower_slot(struct shrink *s, uint32_t slot, uint64_t to)
{
	const struct slot_desc *was = &s->best->slots[slot];
	struct program *trial;
	uint32_t t, i, nr;

	if (to >= was->base)
		return false;
	trial = shrink_begin(s);
	nr = trial->nr_slots;
	trial->slots[slot].base = to;
	trial->slots[slot].hvn = to;
	for (t = 0; t < trial->nr_threads; t++) {
		for (i = 0; i < trial->threads[t].nr_ops; i++) {
			struct op *op = &trial->threads[t].ops[i];

			if (op_has(op, 'G') && op->gfn - was->base < was->npages)
				op->gfn = op->gfn - was->base + to;
			else if (op_has(op, 'H') && op->gfn - was->hvn < was->npages)
				op->gfn = op->gfn - was->hvn + to;
		}
	}
	program_fix(trial);
	return trial->nr_slots == nr && shrink_try(s);
}

static bool lower_slots(struct shrink *s)
{
	bool found = false;
	uint32_t i;

	for (i = 0; i < s->best->nr_slots; i++) {
		uint64_t base = s->best->slots[i].base;

		found |= try_lower_slot(s, i, 0) || try_lower_slot(s, i, base & (PAGES_1G - 1)) ||
			 try_lower_slot(s, i, base & (PAGES_2M - 1)) ||
			 try_lower_slot(s, i, base & ~(PAGES_1G - 1)) ||
			 try_lower_slot(s, i, base & ~(PAGES_2M - 1));
	}
	return found;
}

bool shrink_pages(struct shrink *s)
{
	bool found = lower_slots(s);
	uint32_t t, i;

	for (t = 0; t < s->best->nr_threads; t++) {
		for (i = 0; i < s->best->threads[t].nr_ops; i++) {
			const struct op *op = &s->best->threads[t].ops[i];
			uint64_t page = op->gfn;

			if (!names_page(op))
				continue;
			found |= try_page(s, page, 0) ||
				 try_page(s, page, page & ~(PAGES_1G - 1)) ||
				 try_page(s, page, page & ~(PAGES_2M - 1)) ||
				 try_page(s, page, page & (PAGES_2M - 1)) ||
				 try_op_page(s, t, i, 0) ||
				 try_op_page(s, t, i, page & ~(PAGES_1G - 1)) ||
				 try_op_page(s, t, i, page & ~(PAGES_2M - 1));
		}
	}
	return found;
}

/* Another operation with the same operands in its place. */
static bool try_kind(struct shrink *s, uint32_t t, uint32_t i, enum op_kind kind)
{
	shrink_begin(s)->threads[t].ops[i].kind = kind;
	return shrink_try(s);
}

bool shrink_kinds(struct shrink *s)
{
	bool found = false;
	uint32_t t, i;

	for (t = 0; t < s->best->nr_threads; t++) {
		for (i = 0; i < s->best->threads[t].nr_ops; i++) {
			enum op_kind was = s->best->threads[t].ops[i].kind, kind;

			for (kind = 0; kind < was; kind++) {
				if (op_infos[kind].kind != op_infos[was].kind ||
				    strcmp(op_infos[kind].operands, op_infos[was].operands))
					continue;
				if (try_kind(s, t, i, kind)) {
					found = true;
					break;
				}
			}
		}
	}
	return found;
}

static bool try_op(struct shrink *s, uint32_t t, uint32_t i, const struct op *op)
{
	shrink_begin(s)->threads[t].ops[i] = *op;
	return shrink_try(s);
}

static bool fewer_pages(struct shrink *s, uint32_t t, uint32_t i)
{
	bool found = false;

	for (;;) {
		const struct op was = s->best->threads[t].ops[i];
		struct op op = was;

		if (!op_has(&was, 'N') || was.n == 1)
			return found;
		op.n = 1;
		if (!try_op(s, t, i, &op)) {
			op.n = was.n / 2;
			if (op.n == 1 || !try_op(s, t, i, &op))
				return found;
		}
		found = true;
	}
}

bool shrink_operands(struct shrink *s)
{
	bool found = false;
	uint32_t t, i;

	for (t = 0; t < s->best->nr_threads; t++) {
		for (i = 0; i < s->best->threads[t].nr_ops; i++) {
			struct op op;

			found |= fewer_pages(s, t, i);
			op = s->best->threads[t].ops[i];
			if (op_has(&op, 'L') && op.level > 1) {
				op.level--;
				found |= try_op(s, t, i, &op);
			}
			op = s->best->threads[t].ops[i];
			if (op_has(&op, 'F') && op.flags) {
				op.flags = 0;
				found |= try_op(s, t, i, &op);
			}
		}
	}
	return found;
}
