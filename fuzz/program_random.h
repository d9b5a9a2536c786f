/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random parts of programs, for the generator and the mutators.  All take what the program has
 * already into account: an operation that touches what another touches is worth more than one that
 * does not.
 */
#ifndef FUZZ_PROGRAM_RANDOM_H
#define FUZZ_PROGRAM_RANDOM_H

#include "program.h"
#include "program_rng.h"

void random_vm_key(struct vm_desc *vm, struct rng *rng);
void random_vm_migrates(struct vm_desc *vm);
struct vm_desc random_vm(struct rng *rng);
bool random_slot(const struct program *prog, struct rng *rng, struct slot_desc *slot);
uint64_t random_page(const struct program *prog, struct rng *rng, bool host);
uint64_t random_count(const struct program *prog, struct rng *rng);
void random_operand(const struct program *prog, struct rng *rng, struct op *op, char operand);
struct op random_op(const struct program *prog, struct rng *rng, enum thread_kind kind);
int random_thread(const struct program *prog, struct rng *rng, enum thread_kind kind);
void random_switches_inside(bool on);
bool random_choice(const struct program *prog, struct rng *rng, struct prog_choice *choice);
void random_interleaving(struct program *prog, struct rng *rng);

#endif /* FUZZ_PROGRAM_RANDOM_H */
