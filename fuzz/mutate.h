/* SPDX-License-Identifier: GPL-2.0-only */
/* Structure-aware mutation of programs, for a fuzzer's custom mutator. */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "program.h"
#include "program_rng.h"

/* MUTATION(NAME, function, weight): a change of one kind, and how often it is tried. */
/* clang-format off */
#define MUTATION_LIST(MUTATION)							\
	MUTATION(OP_ADD,	op_add,		14)	/* a random operation */	\
	MUTATION(OP_DROP,	op_drop,	10)				\
	MUTATION(OP_DUPLICATE,	op_duplicate,	6)				\
	MUTATION(OP_SWAP,	op_swap,	6)	/* two of a thread */	\
	MUTATION(OP_REPLACE,	op_replace,	8)				\
	MUTATION(OP_KIND,	op_kind,	5)	/* another that takes the operands */ \
	MUTATION(OP_OPERAND,	op_operand,	8)				\
	MUTATION(OP_RETARGET,	op_retarget,	12)	/* to a page used elsewhere */	\
	MUTATION(OP_MOVE,	op_move,	4)	/* to a thread of the same kind */ \
	MUTATION(PATTERN,	pattern,	8)	/* operations that belong together */ \
	MUTATION(THREAD_ADD,	thread_add,	2)				\
	MUTATION(THREAD_DROP,	thread_drop,	1)				\
	MUTATION(VM_KEY,	vm_key,		4)				\
	MUTATION(SLOT_ADD,	slot_add,	2)				\
	MUTATION(SLOT_DROP,	slot_drop,	1)				\
	MUTATION(SLOT_CHANGE,	slot_change,	3)				\
	MUTATION(CHOICE_ADD,	choice_add,	10)				\
	MUTATION(CHOICE_DROP,	choice_drop,	4)				\
	MUTATION(CHOICE_MOVE,	choice_move,	6)	/* to a point nearby */	\
	MUTATION(CHOICE_RETARGET, choice_retarget, 3)	/* a switch to another thread */ \
	MUTATION(CHOICE_CHANGE,	choice_change,	3)	/* another action there */ \
	MUTATION(INTERLEAVE,	interleave,	5)	/* another order of all operations */
/* clang-format on */

enum mutation {
#define MUTATION(name, function, weight) MUTATION_##name,
	MUTATION_LIST(MUTATION)
#undef MUTATION
		MUTATION_NR
};

bool mutate(struct program *prog, enum mutation how, struct rng *rng);
size_t program_mutate(uint8_t *data, size_t size, size_t max, unsigned int seed);
size_t program_crossover(const uint8_t *a, size_t size_a, const uint8_t *b, size_t size_b,
			 uint8_t *out, size_t max, unsigned int seed);

#endif /* FUZZ_MUTATE_H */
