/* SPDX-License-Identifier: GPL-2.0-only */
/* The row of the comparison that is asked for on the command line. */
#ifndef POLICY_OPTIONS_H
#define POLICY_OPTIONS_H

#include <tdp/tdp.h>

#define MOST_VCPUS   512
#define MOST_THREADS 64

/**
 * struct policy_options - the row
 * @policy: what a fault does with a huge page
 * @eager: split when logging starts
 * @execute: else dirty
 * @percent: of a logged vCPU's accesses that are writes
 * @vcpus: how many, 1 GiB each
 * @threads: that they are on; one that has several goes round, 2M of each in turn
 * @pages: of 4K, from the first of its GiB, that a vCPU uses
 */
struct policy_options {
	enum tdp_fault_policy policy;
	bool eager;
	bool execute;
	u32 percent;
	u32 vcpus;
	u32 threads;
	u32 pages;
};

struct policy_options policy_options(int argc, char **argv);

#endif /* POLICY_OPTIONS_H */
