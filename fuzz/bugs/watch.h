/* SPDX-License-Identifier: GPL-2.0-only */
/* What fuzz targets ask in a build with a known bug, and what they tell. */
#ifndef FUZZ_BUGS_WATCH_H
#define FUZZ_BUGS_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "oracle.h"

/* Elsewhere they are not there, and every finding counts. */
__attribute__((weak)) void bug_run_begins(void);
__attribute__((weak)) bool bug_run_ends(const struct oracle *oracle, uint32_t races);

#endif /* FUZZ_BUGS_WATCH_H */
