/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Version 1 of the binary form, as decoder and encoder share it.  docs/program-format.md describes
 * it byte by byte.  What is here never changes: another layout is another version.
 *
 * A program is one header byte and then records of four bytes: a tag and three more.  Records are
 * of fixed size so that changing a byte changes one record, and so that mutators can move them;
 * each choice follows the operation it belongs to, so that it moves with it.  Where three bytes are
 * too few, "wide" records before it give a record its operands in full.
 */
#ifndef FUZZ_PROGRAM_WIRE_H
#define FUZZ_PROGRAM_WIRE_H

#include "program.h"

/* clang-format off */
#define WIRE_RECORD	4	/* bytes */

/* What a record is; the tags of each are in the table of program_wire.c. */
enum wire_type {
	WIRE_OP,		/* thread and count, operands; the table gives the operation */
	WIRE_CHOICE,		/* action and target, kind and level, k */
	WIRE_SLOT,
	WIRE_THREAD,		/* kind and vCPU */
	WIRE_VM,		/* flags, flags, physical bits */
	WIRE_VM_BITS,		/* maxphyaddr, cachebits, nx_ratio */
	WIRE_VM_GEN,		/* 24 bits and what wide A has */
	WIRE_VM_SEQ,
	WIRE_VM_RATIO,
	WIRE_WIDE,		/* 24 bits for operand A, B or C of the next record that is not wide */
};

struct wire_tag {
	uint8_t type;
	uint8_t arg;		/* operation, or which wide operand */
};

extern const struct wire_tag wire_tags[256];

/* The lowest tag of each type; operations have the tags from 0 in the order of wire_ops. */
enum {
	TAG_CHOICE = 0xa0,
	TAG_SLOT = 0xc0,
	TAG_THREAD = 0xd0,
	TAG_VM = 0xd8,
	TAG_VM_BITS = 0xdc,
	TAG_VM_GEN = 0xdd,
	TAG_VM_SEQ = 0xde,
	TAG_VM_RATIO = 0xdf,
	TAG_WIDE = 0xe0,	/* A, B, C */
};

/* Bits of a VM record: each turns a default around. */
enum {
	WIRE_NPT = 1 << 0,
	WIRE_NO_AD = 1 << 1,
	WIRE_5_LEVELS = 1 << 2,
	WIRE_NO_NX = 1 << 3,
	WIRE_EAGER = 1 << 4,
	WIRE_ZAP = 1 << 5,
	WIRE_PML = 1 << 6,
	WIRE_NO_EXEC_ONLY = 1 << 7,
	WIRE_ME_SHIFT = 8,	/* two bits */
	WIRE_L1TF = 1 << 10,
	WIRE_MANUAL = 1 << 11,
	WIRE_INIT_SET = 1 << 12,
	WIRE_NO_QUIRK = 1 << 13,
	WIRE_NO_SLOT = 1 << 14,	/* a program without slots: else it gets one */
};
/* clang-format on */

#define WIRE_COUNTS 32
#define WIRE_WHOLE  31 /* count code: as many pages as the gfn's slot has */

struct wire_repeat {
	uint32_t n;
	uint32_t step;
};

extern const uint32_t wire_counts[WIRE_COUNTS]; /* operand N */
extern const struct wire_repeat wire_repeats[WIRE_COUNTS]; /* operand R */
extern const uint32_t wire_sizes[32]; /* pages of a slot */

/* What a program without slots, and without WIRE_NO_SLOT, gets. */
extern const struct slot_desc wire_default_slot;

/*
 * Points that the byte of a choice can name. Those that came later need a wide operand, so that what is
 * there does not change its meaning.
 */
#define WIRE_POINTS 30

#define WIRE_MAX_K 128 /* largest k of a choice that needs no wide operand */

uint32_t wire_k(uint8_t code);
uint8_t wire_k_code(uint32_t k);
uint8_t wire_op_tag(enum op_kind kind);
const struct slot_desc *wire_slot(const struct program *prog, unsigned int index);
uint64_t wire_page(const struct slot_desc *slot, bool host, unsigned int code, uint64_t limit);
int wire_find_page(const struct program *prog, int slot, bool host, uint64_t page, uint64_t limit);
uint64_t wire_base(const struct program *prog, uint8_t code, uint64_t limit);

#endif /* FUZZ_PROGRAM_WIRE_H */
