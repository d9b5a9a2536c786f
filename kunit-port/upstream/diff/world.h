/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A run of a program on one backend, as a list of what can be compared with the other's.
 * Each backend is linked with the executor, the oracle and the platform into a world of
 * its own, of which nothing but one of these functions can be seen.
 */
#ifndef DIFF_WORLD_H
#define DIFF_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "op.h"

#define DIFF_MAX_STEPS 4096

/* Statistics in a step: STAT(member of struct kvm_vm_stat). */
#define DIFF_STATS(STAT) \
	STAT(pages[0])	     \
	STAT(pages[1])	     \
	STAT(pages[2])	     \
	STAT(nx_lpage_splits)      \
	STAT(tdp_mmu_pages)	     \
	STAT(remote_tlb_flush)     \
	STAT(pf_taken)	     \
	STAT(pf_fixed)	     \
	STAT(pf_spurious)	     \
	STAT(pf_fast)	     \
	STAT(pf_emulate)	     \
	STAT(pf_mmio_spte_created) \
	STAT(splits)	     \
	STAT(nx_recoveries)
enum {
#define STAT(member) +1
	DIFF_NR_STATS = 0 DIFF_STATS(STAT)
#undef STAT
};

/**
 * struct diff_step - the VM after one call of the MMU's interface
 * @kind: of the call
 * @thread: whose; -1: before the first or after the last operation
 * @op: number of its operation
 * @ret: what it returned
 * @sptes: hash over all SPTEs, where page-table addresses count for nothing
 * @tables: page-table pages allocated
 * @marks: frames marked dirty and accessed so far, in any order
 * @stat: see DIFF_STATS
 */
struct diff_step {
	int kind;
	int thread;
	uint64_t op;
	int64_t ret;
	uint64_t sptes;
	uint64_t tables;
	uint64_t marks;
	uint64_t stat[DIFF_NR_STATS];
};

/**
 * struct diff_log - a run
 * @nr_steps: calls that can be compared: until the first one that began while another was under way
 * @overlapped: there was one
 * @truncated: the program was too long: calls after that are not compared either
 * @rule: first rule that the oracle saw broken, 0: none
 * @vm: the program's
 */
struct diff_log {
	uint32_t nr_steps;
	bool overlapped;
	bool truncated;
	char rule;
	struct vm_desc vm;
	struct diff_step steps[DIFF_MAX_STEPS];
};

/*
 * Run a program in its binary form. @dump, if not NULL, gets every SPTE after step @dump_at, a line
 * for each.
 */
typedef void diff_world(const uint8_t *data, size_t size, struct diff_log *log, FILE *dump,
			uint32_t dump_at);
diff_world diff_world_libtdp;
diff_world diff_world_upstream;

#endif /* DIFF_WORLD_H */
