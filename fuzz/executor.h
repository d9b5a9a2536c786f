/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The executor: runs a program against the MMU with the oracle watching.  There is one, for every
 * tool and fuzz target, so that all of them mean the same by a program.
 *
 *   executor.c		 lifecycle: a VM per program, its end, what came out
 *   executor_schedule.c threads: points where operations begin, choices
 *   executor_wait.c	 what a thread waits for besides locks
 *   executor_record.c	 the schedule of a run
 *   executor_ops*.c	 one function per operation, a file per kind of thread
 *   executor_access.c	 a guest access: hardware, fault, emulation, until it is done
 *   executor_call.c	 calls of the MMU's interface, each shown to the oracle
 *   executor_events.c	 what the platform, the host and the hardware tell each other
 *   executor_stats.c	 the counters and their names
 */
#ifndef FUZZ_EXECUTOR_H
#define FUZZ_EXECUTOR_H

#include <stdbool.h>
#include <stdint.h>

#include <tdp/tdp.h>

#include "oracle.h"
#include "program.h"

struct executor;
struct sim_site;	/* of the platform: file and line */
struct sim_scheduler;	/* of the platform: who runs next */

/*
 * What is counted while a program runs: STAT(field, "key", meaning).  The keys are those of
 * `tdp run --stat` and of a corpus program's "# expect" lines; docs/corpus.md lists them.
 * The VM's destruction is not counted.
 */
#define EXEC_STAT_LIST(STAT)								\
	STAT(accesses,		"accesses",		"guest accesses")		\
	STAT(faults,		"faults",		"page faults, prefaults excluded") \
	STAT(faults_read,	"faults.read",		"... by reads")			\
	STAT(faults_write,	"faults.write",		"... by writes")		\
	STAT(faults_exec,	"faults.exec",		"... by instruction fetches")	\
	STAT(faults_misconfig,	"faults.misconfig",	"... on reserved bits: EPT misconfigurations") \
	STAT(faults_fixed,	"faults.fixed",		"... answered by installing a mapping") \
	STAT(faults_fast,	"faults.fast",		"... of those, without mmu_lock") \
	STAT(faults_spurious,	"faults.spurious",	"... that found nothing to do")	\
	STAT(faults_retry,	"faults.retry",		"... that have to be taken again") \
	STAT(faults_emulate,	"faults.emulate",	"... answered by emulation: MMIO, read-only slots") \
	STAT(faults_tracked,	"faults.write_protected", "... by writes to tracked pages") \
	STAT(faults_error,	"faults.error",		"... answered by an error")	\
	STAT(prefaults,		"prefaults",		"mappings asked for by prefault") \
	STAT(mmio_sptes,	"mmio_sptes",		"MMIO SPTEs created")		\
	STAT(splits,		"splits",		"huge SPTEs split, on fault or eagerly") \
	STAT(nx_recoveries,	"nx_recoveries",	"page tables zapped by NX recovery") \
	STAT(tables_allocated,	"tables.allocated",	"page-table pages allocated, roots included") \
	STAT(tables_freed,	"tables.freed",		"page-table pages freed") \
	STAT(tables_end,	"tables.end",		"page-table pages linked at the end, roots excluded") \
	STAT(leaves_4k,		"leaves.4k",		"4K leaves at the end")		\
	STAT(leaves_2m,		"leaves.2m",		"2M leaves at the end")		\
	STAT(leaves_1g,		"leaves.1g",		"1G leaves at the end")		\
	STAT(flushes,		"flushes",		"TLB flushes requested")	\
	STAT(spte_changes,	"spte.changes",		"SPTEs of linked tables given another value")	\
	STAT(dirty_pages,	"dirty.pages",		"pages that dirty logs named, last harvest included") \
	STAT(refused,		"refused",		"allocations made to fail")	\
	STAT(errors,		"errors",		"operations answered by an error") \
	STAT(points,		"points",		"points passed")

struct exec_stats {
#define STAT(field, key, meaning) uint64_t field;
	EXEC_STAT_LIST(STAT)
#undef STAT
};

/**
 * struct exec_stat_info - a counter by name
 * @key: its name
 * @meaning: one line
 * @offset: in struct exec_stats
 */
struct exec_stat_info {
	const char *key;
	const char *meaning;
	size_t offset;
};
extern const struct exec_stat_info exec_stat_infos[];
extern const size_t exec_nr_stats;
uint64_t exec_stat_get(const struct exec_stats *stats, const struct exec_stat_info *info);
const struct exec_stat_info *exec_stat_find(const char *key, size_t len);

/* What a tracer is told. Which members of struct exec_event mean something is said beside each. */
enum exec_event_kind {
	EXEC_EV_OP,		/* operation @op of @thread begins; @n: number of the access if repeated, from 0 */
	EXEC_EV_CALL,		/* @call begins */
	EXEC_EV_RETURN,		/* @call is over */
	EXEC_EV_POINT,		/* @point @level @k; @pa @object @site; POINT_BLOCK: waits for @text, threads @n (a mask) */
	EXEC_EV_SPTE,		/* @point (POINT_OP: before linking) @level @pa @old @val @ok @site */
	EXEC_EV_ALLOC,		/* page-table page @pa filled with @val */
	EXEC_EV_FREE,		/* page-table page @pa */
	EXEC_EV_REFUSED,	/* an allocation failed; @ok: of a page-table page */
	EXEC_EV_FLUSH,		/* @gfn @n (0: everything) @site */
	EXEC_EV_KICK,		/* @n: enum tdp_vcpu_request; @site */
	EXEC_EV_LOCK,		/* @text @delta */
	EXEC_EV_RCU,		/* @delta */
	EXEC_EV_ACCESS,		/* @vcpu @gfn @n: enum hw_access; @val: enum hw_result, @old: error code */
	EXEC_EV_ASSIST,		/* hardware set A or D: @pa @old @val @ok */
	EXEC_EV_PML,		/* @vcpu @gfn */
	EXEC_EV_WARN,		/* @text @site */
	EXEC_EV_VIOLATION,	/* @violation */
};

struct exec_event {
	enum exec_event_kind kind;
	int thread;		/* -1: before the first and after the last operation */
	uint32_t op;
	enum point_kind point;
	int level;
	uint32_t k;
	int vcpu;
	int delta;
	bool ok;
	uint64_t pa, old, val, gfn, n;
	uint64_t object;
	const char *text;
	const struct sim_site *site;
	const struct oracle_call *call;
	const struct oracle_violation *violation;
};

/**
 * struct exec_options - how to run
 * @max_accesses: accesses (and prefaulted mappings) after which those that remain are left out, so
 *	that a fuzzer's input takes bounded time; 0: none
 * @max_points: points after which the operations that remain are left out likewise; 0: none
 * @op_budget: points that one operation or access may pass before it counts as a livelock; 0: more than
 *	any takes on slots of that size
 * @hash_points: the hash covers every point and not just what changed
 * @count_dirty: fill the counter dirty.pages, at the cost of reading each bitmap
 * @turns: NULL, or the thread of each operation in the order wanted, instead of the schedule; for
 *	programs whose order takes more switches than a schedule can have
 * @nr_turns: of @turns
 * @scheduler: NULL, or decides with the program's own choices, which come first
 * @record: NULL, or gets the schedule of the run, in order: the program's choices that came, and all that
 *	@scheduler decided. The same program with these instead of its own runs the same way
 * @max_record: room in @record
 * @event: NULL, or is told of everything; makes runs slow
 * @call: NULL, or is told that a call of the MMU's interface is about to begin (@ended: NULL), or @ended
 * @before_destroy: NULL, or is given the quiet VM
 * @leave_vm: the VM is not destroyed, and nobody sees what that would leave: it takes a good part of the
 *	time of a run
 * @ctx: passed back to all three
 */
struct exec_options {
	uint64_t max_accesses;
	uint64_t max_points;
	uint64_t op_budget;
	bool hash_points;
	bool count_dirty;
	const uint8_t *turns;
	uint32_t nr_turns;
	const struct sim_scheduler *scheduler;
	struct prog_choice *record;
	uint32_t max_record;
	void (*event)(void *ctx, const struct exec_event *event);
	void (*call)(void *ctx, const struct oracle_call *ended);
	void (*before_destroy)(void *ctx, struct kvm *kvm);
	bool leave_vm;
	void *ctx;
};

/**
 * struct exec_result - what came out
 * @stats: counters
 * @hash: over every event
 * @nr_violations: rules broken; oracle_violation() of executor_oracle() has them until the next run
 * @nr_never: choices whose point never came; not known of a run that a fatal finding cut short
 * @never: their numbers in the program
 * @nr_record: choices of the run's schedule; if there are more than max_record, those beyond are lost, and
 *	if more than PROG_MAX_CHOICES no program can hold them
 * @truncated: max_accesses or max_points was reached
 */
struct exec_result {
	struct exec_stats stats;
	uint64_t hash;
	uint32_t nr_violations;
	uint32_t nr_never;
	uint32_t nr_record;
	uint16_t never[PROG_MAX_CHOICES];
	bool truncated;
};

struct executor *executor_create(void);
void executor_destroy(struct executor *x);
int executor_run(struct executor *x, const struct program *prog, const struct exec_options *opts,
		 struct exec_result *res);
struct oracle *executor_oracle(struct executor *x);

#endif /* FUZZ_EXECUTOR_H */
