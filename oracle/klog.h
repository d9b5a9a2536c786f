/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a kernel recorded of its own TDP MMU (ftrace), against the rules that a log can show.
 *
 * Nothing is replayed and nothing of libtdp is asked: the log's own changes are chained, each by
 * the value that it says it replaced, into page tables as they must have been; each change, and
 * what stands around it, must be one that the rules allow.  Events are fed one by one; what is
 * kept is the page tables that are in use, and a window of lines that may have come early.
 *
 *	klog.c		events in, tasks, reports out
 *	klog_tree.c	page tables: where they are linked, what their entries are
 *	klog_chain.c	changes chained by value; those that come before what they follow
 *	klog_change.c	whether one change is legal by itself (rules A, B, G, L, M)
 *	klog_remove.c	page tables taken away, and what was in them (rules A, L)
 *	klog_fault.c	what a fault asked for and what it got (rules G, M)
 *	klog_vm.c	unmaps, invalidated roots, VMs that end (rules L, N), mitigations (rule X)
 */
#ifndef ORACLE_KLOG_H
#define ORACLE_KLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "op.h"

/**
 * enum klog_kind - what an event says; the tracepoint or probe is in brackets
 * @KLOG_FAULT: a page fault: a address, b error code [kvm_page_fault]
 * @KLOG_FAST_FAULT: one that needed no lock: a address, b old, c new, d fixed, e SPTE's address
 *	[fast_page_fault]
 * @KLOG_REQUESTED: a mapping is wanted: a gfn, b pfn, level [kvm_mmu_spte_requested]
 * @KLOG_SET: ... and there: a gfn, b SPTE, level, e SPTE's address [kvm_mmu_set_spte]
 * @KLOG_CHANGED: as_id, a gfn, level, b old, c new [kvm_tdp_mmu_spte_changed]
 * @KLOG_GET_PAGE: a page table is allocated: a gfn, level [kvm_mmu_get_page]
 * @KLOG_ZAP_PAGE: ... is given back: a gfn, level [kvm_mmu_prepare_zap_page]
 * @KLOG_SPLIT: a huge page was split: a gfn, level, d errno [kvm_mmu_split_huge_page]
 * @KLOG_ZAP_FAST: all roots are obsolete [kvm_mmu_zap_all_fast]
 * @KLOG_MARK_MMIO: a gfn, b access, c generation [mark_mmio_spte]
 * @KLOG_CHECK_MMIO: a SPTE, b VM's generation, c SPTE's, d valid [check_mmio_spte]
 * @KLOG_HANDLE_MMIO: an access will be emulated: a gfn [handle_mmio_page_fault]
 * @KLOG_VM_BEGIN: [probe kvm_mmu_init_tdp_mmu]
 * @KLOG_VM_END: [probe kvm_mmu_uninit_tdp_mmu]
 * @KLOG_REGION: a first address, b size, d slot [probe kvm_set_memory_region]
 * @KLOG_UNMAP: a first gfn, b gfn after the last [probe kvm_tdp_mmu_unmap_gfn_range]
 * @KLOG_UNMAP_END: [return probe kvm_tdp_mmu_unmap_gfn_range_ret]
 * @KLOG_ZAP_ROOTS: [probe kvm_tdp_mmu_zap_invalidated_roots]
 * @KLOG_ZAP_ROOTS_END: [return probe kvm_tdp_mmu_zap_invalidated_roots_ret]
 * @KLOG_OTHER: anything else of the MMU, by a task that is therefore done with what it did
 */
enum klog_kind {
	KLOG_FAULT,
	KLOG_FAST_FAULT,
	KLOG_REQUESTED,
	KLOG_SET,
	KLOG_CHANGED,
	KLOG_GET_PAGE,
	KLOG_ZAP_PAGE,
	KLOG_SPLIT,
	KLOG_ZAP_FAST,
	KLOG_MARK_MMIO,
	KLOG_CHECK_MMIO,
	KLOG_HANDLE_MMIO,
	KLOG_VM_BEGIN,
	KLOG_VM_END,
	KLOG_REGION,
	KLOG_UNMAP,
	KLOG_UNMAP_END,
	KLOG_ZAP_ROOTS,
	KLOG_ZAP_ROOTS_END,
	KLOG_OTHER,
	KLOG_NR
};

/**
 * struct klog_event - a line of the log
 * @kind: which event
 * @as_id: address space, 0 or 1, where the event names one
 * @level: page-table level, 1..5, where the event names one
 * @task: number of the task, from 0, small
 * @line: of the file, from 1, increasing
 * @kvm: the VM, 0 where the event names none
 * @a: @b @c @d @e: see enum klog_kind; addresses and sizes in bytes
 */
struct klog_event {
	uint8_t kind;
	uint8_t as_id;
	uint8_t level;
	uint16_t task;
	uint32_t line;
	uint64_t kvm;
	uint64_t a, b, c, d, e;
};

/* What this kernel is known to do, and is no violation: see docs/check.md. */
enum klog_known { KLOG_REFAULT_D, KLOG_MMIO_LEAF, KLOG_TAKES_WRITE, KLOG_NR_KNOWN };
extern const char *const klog_known_names[KLOG_NR_KNOWN];

/**
 * struct klog_report - something that was found
 * @line: of the log
 * @rule: letter, see docs/oracle.md; 0 for what is known
 * @known: which it is then
 * @as_id: address space
 * @gfn: first page that the SPTE is about
 * @level: of the SPTE
 * @text: what is wrong
 */
struct klog_report {
	uint32_t line;
	char rule;
	enum klog_known known;
	uint8_t as_id;
	uint8_t level;
	uint64_t gfn;
	const char *text;
};

/**
 * struct klog_setup - what the log does not tell
 * @vm: memory encryption, address bits, L1TF; EPT or NPT, and A/D bits, if @vm_given
 * @vm_given: @vm.mmu and @vm.ad are right; otherwise the first SPTE tells
 * @nx_given: @vm.nx_huge_pages is the state of the mitigation, all the time
 * @absent: bit KLOG_x: events of kind x were not recorded, so that nothing may be made of there
 *	being none
 * @report: called for everything found, in the order in which it is found
 * @arg: passed to it
 */
struct klog_setup {
	struct vm_desc vm;
	bool vm_given;
	bool nx_given;
	uint32_t absent;
	void (*report)(void *arg, const struct klog_report *report);
	void *arg;
};

/**
 * struct klog_totals - what was seen
 * @changes: of SPTEs
 * @early: of them before the line that they follow
 * @violations: found
 * @known: of each kind
 * @tables: page tables in use, roots included; @most_tables: at any time
 * @leaves: mapped; @most_leaves: at any time
 * @roots: seen
 * @unmaps: of which the end was checked; @zaps: of invalidated roots, likewise; @ends: of VMs
 * @bytes: of memory that were in use at most
 */
struct klog_totals {
	uint64_t changes, early, violations;
	uint64_t known[KLOG_NR_KNOWN];
	uint64_t tables, most_tables, leaves, most_leaves;
	uint64_t roots, unmaps, zaps, ends;
	uint64_t bytes;
};

struct klog;

struct klog *klog_open(const struct klog_setup *setup);
void klog_event(struct klog *log, const struct klog_event *ev);
void klog_end(struct klog *log, struct klog_totals *totals);
void klog_close(struct klog *log);

#endif /* ORACLE_KLOG_H */
