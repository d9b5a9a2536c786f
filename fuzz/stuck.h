/* SPDX-License-Identifier: GPL-2.0-only */
/* Deadlocks and livelocks in words, for the reports of rule P. */
#ifndef TDP_FUZZ_STUCK_H
#define TDP_FUZZ_STUCK_H

#include "platform.h"

const char *stuck_in_words(void *ctx, const struct sim_stuck *stuck);

#endif /* TDP_FUZZ_STUCK_H */
