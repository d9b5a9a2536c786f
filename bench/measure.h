/* SPDX-License-Identifier: GPL-2.0-only */
/* What all benchmarks have in common: their options, their clock, how they give up. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdbool.h>

/**
 * struct bench_options - what a user asks of a benchmark
 * @seconds: how long to measure each thing
 * @json: print figures for ./dev bench rather than for people
 */
struct bench_options {
	double seconds;
	bool json;
};

struct bench_options bench_options(int argc, char **argv, const char *help);
double bench_now(void);
double bench_ns(void);
void __attribute__((noreturn)) bench_die(const char *path, const char *why);

#endif /* MEASURE_H */
