/* SPDX-License-Identifier: GPL-2.0-only */
/* The walk through a log's events that makes operations of them: what its parts share. */
#ifndef TDP_IMPORT_WALK_H
#define TDP_IMPORT_WALK_H

#include "import_history.h"

#define MAX_TOPS	64
#define MAX_COMMITS	256	/* a power of two */

/* What a task is doing, as far as the SPTEs that it changes are concerned. */
enum doing { NOTHING, UNMAPPING, AGING, ZAPPING_ALL, RECOVERING_NX, SETTING_REGION };

/**
 * struct task_state - what a task is in the middle of
 * @doing: which work
 * @op: number of the operation made of its last fault or prefault, plus 1
 * @at_fault: it serves a page fault
 * @requested: a mapping was asked for since
 * @done: the fault took effect
 * @began: event of the fault
 * @worked: event at which it last changed an SPTE other than by a fault
 * @region: it is setting a memory region
 * @since: event at which the work began
 * @slot: that it sets
 * @appears: number of the operation that makes it be where it is set to be, plus 1
 * @run: walk over a slot that it is in
 * @zap: number of the zap-range operation that it is in, plus 1
 */
struct task_state {
	enum doing doing;
	uint32_t op;
	bool at_fault;
	bool requested;
	bool done;
	uint32_t began;
	uint32_t worked;
	bool region;
	uint32_t since;
	struct import_slot *slot;
	uint32_t appears;
	struct import_run run;
	uint32_t zap;
};

/**
 * struct top - an entry of a root
 * @as_id: address space
 * @gfn: first page
 * @spte: value
 */
struct top {
	int as_id;
	uint64_t gfn;
	uint64_t spte;
};

/**
 * struct commit - an access that took effect
 * @event: at which
 * @as_id: address space
 * @gfn: page
 */
struct commit {
	uint32_t event;
	int as_id;
	uint64_t gfn;
};

/**
 * struct state - where the walk through the log is
 * @im: import
 * @tasks: of each
 * @as_id: address space that each vCPU is in
 * @last_fault: number of the VM's last event of a fault
 * @history: what each SPTE is
 * @guest_mode: vCPUs that run a nested guest, or have another second root
 * @nr_tops: of @tops
 * @tops: entries of the roots that are in use
 * @nr_commits: of all commits ever
 * @commits: the last of them, as a ring
 */
struct state {
	struct import *im;
	struct task_state *tasks;
	uint8_t as_id[PROG_MAX_VCPUS];
	uint32_t last_fault;
	struct history history;
	bool guest_mode[PROG_MAX_VCPUS];
	uint32_t nr_tops;
	struct top tops[MAX_TOPS];
	uint32_t nr_commits;
	struct commit commits[MAX_COMMITS];
};

/* The operation made of a task's last fault, or NULL. */
static inline struct op *last_op(struct import *im, const struct task_state *t)
{
	return t->op ? &im->ops[t->op - 1].op : NULL;
}

/* import_fault.c */
void walk_fault_event(struct state *s, struct task_state *t, uint32_t event);
void walk_took_effect(struct state *s, struct task_state *t, uint32_t event, int as_id);

/* import_follow.c */
void walk_follow(struct state *s, struct task_state *t, uint32_t event);
void walk_others_worked(struct state *s, struct task_state *t, uint32_t event);

#endif /* TDP_IMPORT_WALK_H */
