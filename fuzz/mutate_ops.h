/* SPDX-License-Identifier: GPL-2.0-only */
/* The mutations, by the names that MUTATION_LIST gives them. */
#ifndef FUZZ_MUTATE_OPS_H
#define FUZZ_MUTATE_OPS_H

#include "mutate.h"

/*
 * Each changes the program in place and returns false where there is nothing that it could change.
 * The program may contradict itself afterwards; mutate() sees to that.
 */
#define MUTATION(name, function, weight) \
	bool mutate_##function(struct program *prog, struct rng *rng);
MUTATION_LIST(MUTATION)
#undef MUTATION

/* A random operation of the program, as thread and number; false if there is none. */
bool mutate_pick_op(const struct program *prog, struct rng *rng, uint32_t *thread, uint32_t *at);

#endif /* FUZZ_MUTATE_OPS_H */
