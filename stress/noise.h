/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads of the library that stop for a moment, see noise.c. */
#ifndef STRESS_NOISE_H
#define STRESS_NOISE_H

#include <stdbool.h>
#include <stdint.h>

void noise_init(uint64_t seed, bool on);

#endif /* STRESS_NOISE_H */
