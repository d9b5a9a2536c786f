/* SPDX-License-Identifier: GPL-2.0-only */
/* vCPUs: TLB, paging-structure cache, page-modification log. */
#ifndef ORACLE_HW_H
#define ORACLE_HW_H

#include <stdbool.h>
#include <stdint.h>

#include "oracle.h"

/*
 * Sets and ways of the TLB for each page size, and entries of the paging-structure cache by level.
 */
#define TLB_WAYS	4
#define TLB_SETS	8
#define TLB_LEVELS	3
#define PSC_WAYS	4
#define PML_ENTRIES	512

/**
 * struct tlb_entry - a cached translation
 * @gfn: first gfn, aligned to the size
 * @pfn: frame of @gfn
 * @leaf: address of the SPTE it came from
 * @spte: its value then
 * @root: root page table it came from
 * @leaf_gen: which use of the page at @leaf
 * @unlinks: mirror's count of unlinked tables when the path to @leaf was last seen to be intact
 * @level: 1..3
 * @perm: FMT_*
 * @dirty: D was set, or there is none: writes need no walk
 */
struct tlb_entry {
	uint64_t gfn;
	uint64_t pfn;
	uint64_t leaf;
	uint64_t spte;
	uint64_t root;
	uint64_t unlinks;
	uint32_t leaf_gen;
	uint8_t level;
	uint8_t perm;
	bool dirty;
};

/**
 * struct psc_entry - a cached non-leaf entry
 * @gfn: first gfn, aligned to what the entry covers
 * @pa: address of the entry
 * @spte: its value
 * @table: page table that it links
 * @unlinks: as in &struct tlb_entry
 * @pa_gen: which use of the page at @pa
 * @table_gen: which use of the page at @table
 */
struct psc_entry {
	uint64_t gfn;
	uint64_t pa;
	uint64_t spte;
	uint64_t table;
	uint64_t unlinks;
	uint32_t pa_gen;
	uint32_t table_gen;
};

#define MAX_PENDING	8
#define PENDING_ALL	(MAX_PENDING + 1)

struct pending_flush {
	uint64_t gfn, nr;
};

/**
 * struct vcpu - a virtual CPU as hardware knows it
 * @entered: it was let into the guest and did not exit since
 * @executing: it is in the middle of an instruction, at one of its points if another thread runs
 * @thread: the thread that has it execute
 * @must_load: a root was invalidated: it must not run before it loaded another
 * @switching: it is in a call that may put its root
 * @smm: mode of its root
 * @guest_mode: mode of its root
 * @root: root page table, MIRROR_NONE if none
 * @root_gen: which use of that page
 * @tlb_valid: bit set * TLB_WAYS + way for each size: that entry holds a translation
 * @psc_valid: bit way for each level: that entry holds one
 * @tlb_victim: next way to replace of each set, @psc_victim: of each level
 * @fault_gfn: of the last fault, with @fault_code and @fault_progress: what oracle.progress was
 * @faults: equal faults in a row with nothing changed between them
 * @pending: flushes to take at the end of the instruction
 * @nr_pending: how many; PENDING_ALL: everything is to be dropped
 * @pending_exit: it is to leave the guest then
 * @acked: last request that it has taken
 * @logged: entries put into @pml since the start
 * @drained: of those, handed to KVM
 */
struct vcpu {
	bool entered;
	bool executing;
	int thread;
	bool must_load;
	bool switching;
	bool smm;
	bool guest_mode;
	uint64_t root;
	uint32_t root_gen;
	uint32_t tlb_valid[TLB_LEVELS];
	uint8_t psc_valid[6];
	struct tlb_entry tlb[TLB_LEVELS][TLB_SETS * TLB_WAYS];
	uint8_t tlb_victim[TLB_LEVELS][TLB_SETS];
	struct psc_entry psc[6][PSC_WAYS];
	uint8_t psc_victim[6];
	uint64_t pml[PML_ENTRIES];
	uint64_t logged, drained;
	uint64_t fault_gfn;
	uint64_t fault_code;
	uint64_t fault_progress;
	uint32_t faults;
	struct pending_flush pending[MAX_PENDING];
	uint32_t nr_pending;
	bool pending_exit;
	uint64_t acked;
};

/* ---- tlb.c ---- */
void tlb_flush_all(struct vcpu *v);
void tlb_flush_range(struct vcpu *v, uint64_t gfn, uint64_t nr);
struct tlb_entry *tlb_find(struct vcpu *v, uint64_t gfn);
struct tlb_entry *tlb_insert(struct vcpu *v, const struct tlb_entry *e);
struct psc_entry *psc_find(struct vcpu *v, uint64_t gfn, int level);
struct psc_entry *psc_new(struct vcpu *v, int level);
typedef void (*tlb_fn)(struct oracle *o, struct vcpu *v, struct tlb_entry *e, void *arg);
void tlb_for_each(struct oracle *o, struct vcpu *v, tlb_fn fn, void *arg);

/* ---- hw.c, fed by oracle.c ---- */
void hw_reset(struct oracle *o);
void hw_exit_guest(struct oracle *o, int vcpu);
void hw_call_begin(struct oracle *o, const struct oracle_call *call);
void hw_call_end(struct oracle *o, const struct oracle_call *call);
uint32_t hw_flush(struct oracle *o, uint64_t gfn, uint64_t nr);
uint32_t hw_kick(struct oracle *o, bool drop_roots);
bool hw_others_executing(const struct oracle *o);
bool hw_flush_pending(const struct vcpu *v, uint64_t gfn, uint64_t nr);

#endif /* ORACLE_HW_H */
