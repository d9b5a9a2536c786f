/* SPDX-License-Identifier: GPL-2.0-only */
/* What a fuzz target offers to libFuzzer, or to the plain driver in its place. */
#ifndef FUZZ_DRIVER_H
#define FUZZ_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Those a target may leave out: */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);
__attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
						     unsigned int seed);
__attribute__((weak)) size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1,
						       const uint8_t *data2, size_t size2,
						       uint8_t *out, size_t max, unsigned int seed);
/*
 * Turns the text in the file @path into an input.  False: this is no text of the target's, the file
 * is an input itself.  True: *@data is it, from malloc(), or NULL when it was bad, which was said.
 */
__attribute__((weak)) bool fuzz_load_text(const char *path, uint8_t **data, size_t *size);

/* libFuzzer's, or the driver's. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

#endif /* FUZZ_DRIVER_H */
