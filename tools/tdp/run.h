/* SPDX-License-Identifier: GPL-2.0-only */
/* tdp run: its parts. */
#ifndef TDP_RUN_H
#define TDP_RUN_H

#include <stdio.h>

#include "executor.h"
#include "program.h"

/**
 * struct run_trace - what printing an interleaving needs to know
 * @out: where to
 * @prog: the program that runs
 * @oracle: knows which gfn an SPTE's address stands for
 * @all: print every point, not just what changes something
 * @step: lines printed so far
 * @init_table: page-table page being filled before it is linked, 0 if none
 * @init_more: its entries that were not printed
 * @init_thread: who fills it
 */
struct run_trace {
	FILE *out;
	const struct program *prog;
	struct oracle *oracle;
	bool all;
	uint64_t step;
	uint64_t init_table;
	unsigned int init_more;
	int init_thread;
};

void run_trace_begin(struct run_trace *trace);
void run_trace_event(struct run_trace *trace, const struct exec_event *event);
void run_dump(FILE *out, const struct program *prog, struct kvm *kvm);

#endif /* TDP_RUN_H */
