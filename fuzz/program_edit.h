/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changing a program such that its schedule goes on meaning what it meant: a choice stays with its
 * operation.  For mutators and for shrinking.
 */
#ifndef FUZZ_PROGRAM_EDIT_H
#define FUZZ_PROGRAM_EDIT_H

#include "program.h"

int program_insert_op(struct program *prog, uint32_t thread, uint32_t at, const struct op *op);
void program_remove_op(struct program *prog, uint32_t thread, uint32_t at);
void program_remove_thread(struct program *prog, uint32_t thread);
int program_merge_threads(struct program *prog, uint32_t to, uint32_t from, bool front);
void program_swap_threads(struct program *prog, uint32_t a, uint32_t b);
int program_set_vcpu(struct program *prog, uint32_t thread, uint8_t vcpu);
void program_remove_slot(struct program *prog, uint32_t index);
int program_add_choice(struct program *prog, const struct prog_choice *choice);
void program_remove_choice(struct program *prog, uint32_t index);
void vm_fix(struct vm_desc *vm);
void program_fix(struct program *prog);

#endif /* FUZZ_PROGRAM_EDIT_H */
