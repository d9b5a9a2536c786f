/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the sequential prediction says must be, for those who write it down: tests made from a
 * program.  To be asked between two calls of a program whose calls do not overlap.
 */
#ifndef ORACLE_EXPECTED_H
#define ORACLE_EXPECTED_H

#include "oracle.h"

/* Whose page tables: those of a vCPU in this mode; bits of a mask. */
#define EXPECTED_SMM   1
#define EXPECTED_GUEST 2
#define EXPECTED_MODES 4

typedef void (*expected_fn)(void *ctx, uint64_t gfn, int level, uint64_t spte);

bool oracle_predicts(const struct oracle *o);
void oracle_expected_leaves(struct oracle *o, int mode, expected_fn fn, void *ctx);
bool oracle_expected_flush(const struct oracle *o);
void oracle_expected_stat(const struct oracle *o, struct oracle_stat *stat);
uint32_t oracle_expected_roots(const struct oracle *o);
uint64_t oracle_spte_frame(const struct oracle *o, uint64_t spte);

#endif /* ORACLE_EXPECTED_H */
