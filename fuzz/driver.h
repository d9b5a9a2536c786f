/* SPDX-License-Identifier: GPL-2.0-only */
/* What a fuzz target offers to libFuzzer, to AFL++, or to the plain driver in their place. */
#ifndef FUZZ_DRIVER_H
#define FUZZ_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

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

/*
 * For the driver alone.  fuzz_generate() makes an input of at most @max bytes out of nothing, and
 * returns its size: half of what the driver makes up.  fuzz_summary() says what the inputs were,
 * after the last.
 */
__attribute__((weak)) size_t fuzz_generate(uint8_t *data, size_t max, uint64_t seed);
__attribute__((weak)) void fuzz_summary(FILE *out);

/* libFuzzer's, or driver_mutate.c's. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/* driver_mutate.c, which is not there with libFuzzer */
void driver_seed(uint64_t seed);
uint64_t driver_random(void);
size_t driver_change(uint8_t *data, size_t size, size_t max, const uint8_t *other,
		     size_t other_size, uint8_t *room);

#endif /* FUZZ_DRIVER_H */
