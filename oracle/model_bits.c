// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sparse bitmaps, for dirty logs of slots of any size: what is kept is the difference from "all
 * clear" or "all set", in chunks of 512 bits found by a hash of their number.
 */
#include "model_internal.h"

#include <stdlib.h>
#include <string.h>

/* As many chunks are cheaper to take out of the hash one by one. */
#define MBITS_FEW 32

static void *grow(void *old, size_t n, size_t size)
{
	void *p = realloc(old, n * size);

	if (!p)
		abort();
	return p;
}

static uint32_t *hash_slot(const struct mbits *b, uint64_t index)
{
	uint32_t i = (index * 0x9e3779b97f4a7c15ULL) >> 32 & (b->hash_cap - 1);

	while (b->hash[i] && b->chunk[b->hash[i] - 1].index != index)
		i = (i + 1) & (b->hash_cap - 1);
	return &b->hash[i];
}

static void rehash(struct mbits *b, uint32_t cap)
{
	uint32_t i;

	if (cap > b->hash_cap) {
		b->hash = grow(b->hash, cap, sizeof(*b->hash));
		b->hash_cap = cap;
	}
	memset(b->hash, 0, b->hash_cap * sizeof(*b->hash));
	for (i = 0; i < b->nr; i++)
		*hash_slot(b, b->chunk[i].index) = i + 1;
}

/**
 * mbits_init() - start over; memory that @b has is kept
 * @b: the bitmap; all zero if it was never used
 * @nbits: its size
 * @all: value of every bit
 */
void mbits_init(struct mbits *b, uint64_t nbits, bool all)
{
	uint32_t *slot[MBITS_FEW];
	uint32_t i;

	b->nbits = nbits;
	b->all = all;
	if (!b->hash_cap) {
		rehash(b, 2 * MBITS_FEW);
	} else if (b->nr > MBITS_FEW) {
		memset(b->hash, 0, b->hash_cap * sizeof(*b->hash));
	} else {
		/* All at once: a probe must not end at a hole that an earlier removal left. */
		for (i = 0; i < b->nr; i++)
			slot[i] = hash_slot(b, b->chunk[i].index);
		for (i = 0; i < b->nr; i++)
			*slot[i] = 0;
	}
	b->nr = 0;
}

void mbits_free(struct mbits *b)
{
	free(b->chunk);
	free(b->hash);
	memset(b, 0, sizeof(*b));
}

static const struct mbits_chunk *find(const struct mbits *b, uint64_t index)
{
	uint32_t n = b->nr ? *hash_slot(b, index) : 0;

	return n ? &b->chunk[n - 1] : NULL;
}

static struct mbits_chunk *find_or_add(struct mbits *b, uint64_t index)
{
	struct mbits_chunk *chunk = (struct mbits_chunk *)find(b, index);

	if (chunk)
		return chunk;
	if (!b->chunk || b->nr == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 8;
		b->chunk = grow(b->chunk, b->cap, sizeof(*b->chunk));
	}
	chunk = &b->chunk[b->nr++];
	memset(chunk, 0, sizeof(*chunk));
	chunk->index = index;
	if (b->nr > b->hash_cap / 2)
		rehash(b, 2 * b->hash_cap);
	else
		*hash_slot(b, index) = b->nr;
	return chunk;
}

/* What every bit of a word is by default; bits beyond the end are clear. */
static uint64_t default_word(const struct mbits *b, uint64_t word)
{
	uint64_t left = b->nbits - word * 64;

	if (!b->all || word * 64 >= b->nbits)
		return 0;
	return left < 64 ? (1ULL << left) - 1 : ~0ULL;
}

uint64_t mbits_word(const struct mbits *b, uint64_t word)
{
	const struct mbits_chunk *chunk = find(b, word / MBITS_WORDS);

	return default_word(b, word) ^ (chunk ? chunk->diff[word % MBITS_WORDS] : 0);
}

void mbits_set(struct mbits *b, uint64_t bit)
{
	uint64_t word = bit / 64, mask = 1ULL << bit % 64;

	if (!(mbits_word(b, word) & mask))
		find_or_add(b, word / MBITS_WORDS)->diff[word % MBITS_WORDS] ^= mask;
}

void mbits_clear_word(struct mbits *b, uint64_t word, uint64_t mask)
{
	mask &= mbits_word(b, word);
	if (mask)
		find_or_add(b, word / MBITS_WORDS)->diff[word % MBITS_WORDS] ^= mask;
}

/**
 * mbits_differs() - compare with a plain bitmap
 * @b: the bitmap
 * @words: the plain one
 * @n: words to compare
 * @at: first word that differs
 */
bool mbits_differs(const struct mbits *b, const uint64_t *words, size_t n, size_t *at)
{
	const struct mbits_chunk *chunk = NULL;
	uint64_t want;
	size_t i;

	for (i = 0; i < n; i++) {
		if (b->nr && i % MBITS_WORDS == 0)
			chunk = find(b, i / MBITS_WORDS);
		want = default_word(b, i) ^ (chunk ? chunk->diff[i % MBITS_WORDS] : 0);
		if (words[i] != want) {
			*at = i;
			return true;
		}
	}
	return false;
}
