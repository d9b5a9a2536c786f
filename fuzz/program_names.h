/* SPDX-License-Identifier: GPL-2.0-only */
/* The words of the text form, and the tables that parsing, printing and checking go by. */
#ifndef FUZZ_PROGRAM_NAMES_H
#define FUZZ_PROGRAM_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "program.h"

/**
 * struct op_info - an operation as the text form knows it
 * @name: its word
 * @kind: the kind of thread that may have it
 * @operands: one letter each, see OP_LIST
 */
struct op_info {
	const char *name;
	enum thread_kind kind;
	const char *operands;
};

/**
 * struct point_info - a kind of point
 * @name: its word
 * @has_level: it is about an SPTE, so its address names a level
 */
struct point_info {
	const char *name;
	bool has_level;
};

/**
 * struct vm_key - a key of the vm line
 * @name: its word
 * @offset: of its field in struct vm_desc
 * @size: of that field, bytes
 * @words: the words it may be, in order of the field's value; NULL for a number
 * @min: smallest number
 * @max: largest number
 * @hex: print the number in hexadecimal
 * @always: print it even where it has its default
 */
struct vm_key {
	const char *name;
	size_t offset;
	size_t size;
	const char *const *words;
	uint64_t min;
	uint64_t max;
	bool hex;
	bool always;
};

#define NR_VM_KEYS 18

extern const struct op_info op_infos[OP_NR];
extern const struct point_info point_infos[POINT_NR];
extern const char *const choice_names[CHOICE_NR + 1];
extern const char *const level_names[POINT_LEVELS + 1]; /* [0] is "" */
extern const char *const backing_names[];
extern const char *const thread_names[];
extern const struct vm_key vm_keys[NR_VM_KEYS];
extern const struct vm_desc vm_default;

uint64_t vm_key_get(const struct vm_desc *vm, const struct vm_key *key);
void vm_key_set(struct vm_desc *vm, const struct vm_key *key, uint64_t value);
bool op_has(const struct op *op, char operand);

#endif /* FUZZ_PROGRAM_NAMES_H */
