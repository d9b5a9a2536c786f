/* SPDX-License-Identifier: GPL-2.0-only */
/* An SPTE in words, for people. */
#ifndef FUZZ_SPTE_WORDS_H
#define FUZZ_SPTE_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "op.h"

#define SPTE_WORDS_MAX	192	/* bytes that the longest description needs */

const char *spte_words(const struct vm_desc *vm, uint64_t spte, int level, char *buf, size_t size);
const char *level_word(int level);

#endif /* FUZZ_SPTE_WORDS_H */
