// SPDX-License-Identifier: GPL-2.0-only
/*
 * The canonical text of a program: what is at its default is left out, so that the text shows what
 * is special, but for mmu, ad and levels, which a reader always wants to see.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "program.h"
#include "program_names.h"

/**
 * struct out - where text goes
 * @buf: may be NULL while @size is 0
 * @size: of @buf, bytes
 * @len: what the text needs so far, whether or not it fits
 */
struct out {
	char *buf;
	size_t size;
	size_t len;
};

static void put(struct out *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct out *out, const char *fmt, ...)
{
	size_t room = out->len < out->size ? out->size - out->len : 0;
	va_list args;

	va_start(args, fmt);
	out->len += vsnprintf(room ? out->buf + out->len : NULL, room, fmt, args);
	va_end(args);
}

static void put_flags(struct out *out, uint32_t flags)
{
	put(out, "%s%s%s%s", flags & SLOT_LOG ? "log" : "",
	    flags == (SLOT_LOG | SLOT_RO) ? "," : "", flags & SLOT_RO ? "ro" : "",
	    flags ? "" : "none");
}

static void put_slot(struct out *out, const struct slot_desc *slot)
{
	put(out, "%u", slot->id);
	put(out, " base=0x%" PRIx64 " pages=0x%" PRIx64 " backing=%s", slot->base, slot->npages,
	    backing_names[slot->backing]);
	if (slot->as_id)
		put(out, " as=%u", slot->as_id);
	if (slot->hvn != slot->base)
		put(out, " hvn=0x%" PRIx64, slot->hvn);
	if (slot->flags) {
		put(out, " flags=");
		put_flags(out, slot->flags);
	}
}

static void put_repeat(struct out *out, const struct op *op)
{
	if (op->n == 1)
		return;
	put(out, " x%" PRIu64, op->n);
	if (op->step != 1)
		put(out, "/0x%" PRIx64, op->step);
}

static void put_op(struct out *out, const struct op *op)
{
	const struct op_info *info = &op_infos[op->kind];
	const char *operand;

	put(out, "%s", info->name);
	for (operand = info->operands; *operand; operand++) {
		if (*operand == 'R') {
			put_repeat(out, op);
			continue;
		}
		put(out, " ");
		switch (*operand) {
		case 'G':
		case 'H':
			put(out, "0x%" PRIx64, op->gfn);
			break;
		case 'N':
			put(out, "0x%" PRIx64, op->n);
			break;
		case 'S':
			if (OP_SLOT_AS(op->slot))
				put(out, "%u.", OP_SLOT_AS(op->slot));
			put(out, "%u", OP_SLOT_ID(op->slot));
			break;
		case 'L':
			put(out, "%s", level_names[op->level]);
			break;
		case 'B':
			put(out, "%s", op->on ? "on" : "off");
			break;
		case 'F':
			put_flags(out, op->flags);
			break;
		case 'D':
			put_slot(out, &op->desc);
			break;
		}
	}
}

static void put_choice(struct out *out, const struct prog_choice *choice)
{
	put(out, "t%u.%u@%s", choice->thread, choice->op, point_infos[choice->kind].name);
	if (choice->level)
		put(out, "(%s)", level_names[choice->level]);
	put(out, "#%u %s", choice->k, choice_names[choice->action]);
	if (choice->action == CHOICE_SWITCH)
		put(out, " t%u", choice->target);
}

static void put_vm(struct out *out, const struct vm_desc *vm)
{
	int i;

	put(out, "vm");
	for (i = 0; i < NR_VM_KEYS; i++) {
		const struct vm_key *key = &vm_keys[i];
		uint64_t value = vm_key_get(vm, key);

		if (!key->always && value == vm_key_get(&vm_default, key))
			continue;
		if (key->words)
			put(out, " %s=%s", key->name, key->words[value]);
		else if (key->hex)
			put(out, " %s=0x%" PRIx64, key->name, value);
		else
			put(out, " %s=%" PRIu64, key->name, value);
	}
	put(out, "\n");
}

/**
 * program_print - the canonical text of a program
 * @prog: valid
 * @buf: NUL-terminated afterwards, cut to what fits; may be NULL while @size is 0
 * @size: of @buf, bytes
 *
 * Return: the length of the whole text in bytes, without its NUL.
 */
size_t program_print(const struct program *prog, char *buf, size_t size)
{
	struct out out = { .buf = buf, .size = size };
	uint32_t i, j;

	put(&out, "tdp %d\n", PROG_VERSION);
	put_vm(&out, &prog->vm);
	for (i = 0; i < prog->nr_slots; i++) {
		put(&out, "slot ");
		put_slot(&out, &prog->slots[i]);
		put(&out, "\n");
	}
	for (i = 0; i < prog->nr_threads; i++) {
		put(&out, "thread %s\n", prog->threads[i].name);
		for (j = 0; j < prog->threads[i].nr_ops; j++) {
			put(&out, "\t");
			put_op(&out, &prog->threads[i].ops[j]);
			put(&out, "\n");
		}
	}
	if (prog->nr_choices)
		put(&out, "schedule\n");
	for (i = 0; i < prog->nr_choices; i++) {
		put(&out, "\t");
		put_choice(&out, &prog->choices[i]);
		put(&out, "\n");
	}
	return out.len;
}

/**
 * program_text - the canonical text of a program, to be freed
 * @prog: valid
 *
 * Return: the text; NULL without memory.
 */
char *program_text(const struct program *prog)
{
	size_t size = program_print(prog, NULL, 0) + 1;
	char *text = malloc(size);

	if (text)
		program_print(prog, text, size);
	return text;
}

/**
 * op_print - the text of one operation
 * @op: valid
 * @buf: as in program_print()
 * @size: of @buf, bytes
 *
 * Return: the length of the whole text in bytes, without its NUL.
 */
size_t op_print(const struct op *op, char *buf, size_t size)
{
	struct out out = { .buf = buf, .size = size };

	put_op(&out, op);
	return out.len;
}

/**
 * choice_print - the text of one line of a schedule
 * @choice: valid
 * @buf: as in program_print()
 * @size: of @buf, bytes
 *
 * Return: the length of the whole text in bytes, without its NUL.
 */
size_t choice_print(const struct prog_choice *choice, char *buf, size_t size)
{
	struct out out = { .buf = buf, .size = size };

	put_choice(&out, choice);
	return out.len;
}
