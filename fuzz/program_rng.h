/* SPDX-License-Identifier: GPL-2.0-only */
/* A small random number generator, so that the same seed makes the same program everywhere. */
#ifndef FUZZ_PROGRAM_RNG_H
#define FUZZ_PROGRAM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

/* Seeds that are near each other must not give sequences that are: mix the seed well. */
static inline struct rng rng_seed(uint64_t seed)
{
	uint64_t x = seed + 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	x ^= x >> 31;
	return (struct rng){ x ? x : 1 };
}

/* Marsaglia's xorshift64, multiplied. */
static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t x = rng->state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	rng->state = x;
	return x * 0x2545f4914f6cdd1d;
}

/* 0..n-1; n is at least 1. */
static inline uint64_t rng_below(struct rng *rng, uint64_t n)
{
	uint64_t x = rng_next(rng);

	return n >> 32 ? x % n : (x >> 32) * n >> 32;
}

/* True in @percent of all cases. */
static inline bool rng_chance(struct rng *rng, unsigned int percent)
{
	return rng_below(rng, 100) < percent;
}

#endif /* FUZZ_PROGRAM_RNG_H */
