/* SPDX-License-Identifier: GPL-2.0-only */
/* What TSan has found. */
#ifndef FUZZ_DATA_RACE_H
#define FUZZ_DATA_RACE_H

#include <stdint.h>

uint32_t data_races(void);

#endif /* FUZZ_DATA_RACE_H */
