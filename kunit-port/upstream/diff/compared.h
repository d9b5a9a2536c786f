/* SPDX-License-Identifier: GPL-2.0-only */
/* What fuzz_diff has compared: programs for every kind of VM, and how many of each. */
#ifndef DIFF_COMPARED_H
#define DIFF_COMPARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "program.h"

size_t compared_generate(struct program *prog, uint8_t *data, size_t max, uint64_t seed);
void compared_count(const struct vm_desc *vm, uint32_t calls, bool whole);
void compared_print(FILE *out);

#endif /* DIFF_COMPARED_H */
