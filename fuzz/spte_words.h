/* SPDX-License-Identifier: GPL-2.0-only */
/* An SPTE in words, for people. */
#ifndef FUZZ_SPTE_WORDS_H
#define FUZZ_SPTE_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "op.h"

#define SPTE_WORDS_MAX 192 /* bytes that the longest description needs */

/* What an SPTE is, for those who show it otherwise than in one line. */
enum spte_sort {
	SPTE_NONE,
	SPTE_FROZEN,
	SPTE_MMIO,
	SPTE_TABLE,
	SPTE_PAGE,
	SPTE_OTHER, /* not MMU-present, and none of those */
};

const char *spte_words(const struct vm_desc *vm, uint64_t spte, int level, char *buf, size_t size);
enum spte_sort spte_sort(const struct vm_desc *vm, uint64_t spte, int level);
uint64_t spte_words_pfn(const struct vm_desc *vm, uint64_t spte);
const char *spte_attributes(const struct vm_desc *vm, uint64_t spte, int level, char *buf,
			    size_t size);
const char *spte_change_words(const struct vm_desc *vm, uint64_t old, uint64_t val, int level,
			      char *buf, size_t size);
const char *level_word(int level);

#endif /* FUZZ_SPTE_WORDS_H */
