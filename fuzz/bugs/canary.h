/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Canaries of a known bug: the semantic patch that puts the bug into a copy of libtdp puts these
 * beside it, so that one can tell a bug that was not run into from one that was not noticed.  They
 * change nothing: no point, no hash and no schedule depends on them.  Every file of libtdp that a
 * patch changes has this included.
 */
#ifndef FUZZ_BUGS_CANARY_H
#define FUZZ_BUGS_CANARY_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct bug_canary - what one execution met
 * @reached: how often it ran the code that is wrong
 * @triggered: how often something went wrong because of that
 */
struct bug_canary {
	uint64_t reached;
	uint64_t triggered;
};

extern struct bug_canary bug_canary;

void bug_reached(void);
void bug_triggered(bool went_wrong);
uint64_t bug_peek(const uint64_t *sptep);

#ifdef TDP_NATIVE
/* A plain store where the right code exchanges. */
#define bug_store_spte(sptep, expected, val, level)                          \
	do {                                                                 \
		uint64_t *const sptep_ = (sptep);                            \
		(void)(level);                                               \
		bug_triggered(bug_peek(sptep_) != (expected));               \
		__atomic_store_n(sptep_, (uint64_t)(val), __ATOMIC_RELEASE); \
	} while (0)
#else
/*
 * A plain store where the right code exchanges: a point and an event like tdp_write_spte().
 * Something goes wrong if it does not overwrite @expected.
 */
#define bug_store_spte(sptep, expected, val, level)                                       \
	do {                                                                              \
		uint64_t *const sptep_ = (sptep);                                         \
		const uint64_t val_ = (val);                                              \
		uint64_t was_;                                                            \
		sim_point(POINT_WRITE, level, sptep_, SIM_SITE);                          \
		sim_about_to_write(sptep_);                                               \
		was_ = bug_peek(sptep_);                                                  \
		bug_triggered(was_ != (expected));                                        \
		__atomic_store_n(sptep_, val_, __ATOMIC_RELEASE);                         \
		sim_spte_changed(POINT_WRITE, sptep_, level, was_, val_, true, SIM_SITE); \
	} while (0)
#endif

#endif /* FUZZ_BUGS_CANARY_H */
