/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Turning a recorded kernel log into a program.
 *
 *   import.c		the command
 *   import_lzma.c	lines of a file, plain or xz
 *   import_parse.c	the text of tracefs' `trace` -> events
 *   import_read.c	a file -> all its events; names of tasks and of what was skipped
 *   import_vms.c	which VM each event belongs to
 *   import_spte.c	what an SPTE's bits say
 *   import_desc.c	what kind of VM it was
 *   import_host.c	host addresses -> guest pages
 *   import_slots.c	slots, and what backs them
 *   import_regions.c	... where the log has them exactly
 *   import_ops.c	events -> operations, in the order in which they took effect
 *   import_fault.c	... page faults -> guest accesses
 *   import_follow.c	... what SPTEs show of things that have no event
 *   import_log.c	operations of dirty logging, out of what was write-protected
 *   import_races.c	pages that several tasks worked at at once
 *   import_emit.c	operations -> program
 *   import_verify.c	what a replay does, compared with what was recorded:
 *   import_recorded.c	... what SPTEs went through by the log
 *   import_replay.c	... and in a replay
 *   import_history.c	... in a form that both have
 *   import_compare.c	... and where it differs
 */
#ifndef TDP_IMPORT_H
#define TDP_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "program.h"

#define IMPORT_NO_VCPU		255
#define IMPORT_NO_GFN		(~0ULL)

/*
 * Events that mean something: EVENT(NAME, "name in the log").  The second list is of kprobes that
 * docs/recording.md tells to add; they have their arguments as name=value.  The third list is of
 * probes on returns, which only `tdp check` looks at.
 */
#define FT_EVENTS(EVENT)							\
	EVENT(PAGE_FAULT,	"kvm_page_fault")	/* vcpu, a address, b error code */ \
	EVENT(FAST_FAULT,	"fast_page_fault")	/* vcpu, a address, b old, c new, d fixed, e at */ \
	EVENT(REQUESTED,	"kvm_mmu_spte_requested") /* a gfn, b pfn, level */ \
	EVENT(SET_SPTE,		"kvm_mmu_set_spte")	/* a gfn, b spte, level, e at */ \
	EVENT(CHANGED,		"kvm_tdp_mmu_spte_changed") /* as, a gfn, level, b old, c new */ \
	EVENT(GET_PAGE,		"kvm_mmu_get_page")	/* a gfn, level */ \
	EVENT(ZAP_PAGE,		"kvm_mmu_prepare_zap_page") /* a gfn, level */ \
	EVENT(SPLIT,		"kvm_mmu_split_huge_page") /* a gfn, level, d errno */ \
	EVENT(ZAP_FAST,		"kvm_mmu_zap_all_fast")	/* a generation */ \
	EVENT(UNMAP_HVA,	"kvm_unmap_hva_range")	/* a start, b end */ \
	EVENT(AGE_HVA,		"kvm_age_hva")		/* a start, b end */ \
	EVENT(TEST_AGE_HVA,	"kvm_test_age_hva")	/* a address */ \
	EVENT(MARK_MMIO,	"mark_mmio_spte")	/* a gfn, b access, c gen */ \
	EVENT(HANDLE_MMIO,	"handle_mmio_page_fault") /* a gfn */ \
	EVENT(CHECK_MMIO,	"check_mmio_spte")	/* a spte, b VM's gen, c its gen, d valid */

#define FT_PROBES(EVENT)							\
	EVENT(INIT,		"kvm_mmu_init_tdp_mmu")	/* kvm */ \
	EVENT(UNINIT,		"kvm_mmu_uninit_tdp_mmu") /* kvm */ \
	EVENT(REGION,		"kvm_set_memory_region") /* kvm, a gpa, b size, c hva, d slot, flags */ \
	EVENT(ZAP_ALL,		"kvm_tdp_mmu_zap_all")	/* kvm */ \
	EVENT(ZAP_SP,		"kvm_tdp_mmu_zap_sp")	/* kvm, a gfn */ \
	EVENT(WRPROT_SLOT,	"kvm_tdp_mmu_wrprot_slot") /* kvm, a gfn, b npages, level */ \
	EVENT(WRPROT_GFN,	"kvm_tdp_mmu_write_protect_gfn") /* kvm, a gfn, level */ \
	EVENT(CLEAR_MASKED,	"kvm_tdp_mmu_clear_dirty_pt_masked") /* kvm, a gfn, b mask, d wrprot */ \
	EVENT(CLEAR_SLOT,	"kvm_tdp_mmu_clear_dirty_slot") /* kvm, a gfn, b npages */ \
	EVENT(TRY_SPLIT,	"kvm_tdp_mmu_try_split_huge_pages") /* kvm, a start, b end, level */ \
	EVENT(COLLAPSE,		"kvm_tdp_mmu_zap_collapsible_sptes") /* kvm, a gfn, b npages */ \
	EVENT(UNMAP_GFN,	"kvm_tdp_mmu_unmap_gfn_range") /* kvm, a start, b end */ \
	EVENT(AGE_GFN,		"kvm_tdp_mmu_age_gfn_range") /* kvm, a start, b end */ \
	EVENT(INVALIDATE,	"kvm_tdp_mmu_invalidate_all_roots") /* kvm */ \
	EVENT(ZAP_ROOTS,	"kvm_tdp_mmu_zap_invalidated_roots") /* kvm */ \
	EVENT(REQUEST,		"kvm_make_all_cpus_request") /* kvm */ \
	EVENT(PUT_ROOT,		"kvm_tdp_mmu_put_root")	/* kvm */

#define FT_RETURNS(EVENT)							\
	EVENT(UNMAP_GFN_RET, "kvm_tdp_mmu_unmap_gfn_range_ret")			\
	EVENT(ZAP_ROOTS_RET, "kvm_tdp_mmu_zap_invalidated_roots_ret")

enum ft_kind {
#define EVENT(name, text) FT_##name,
	/* clang-format off */
	FT_EVENTS(EVENT)
	FT_PROBES(EVENT)
	FT_RETURNS(EVENT)
	/* clang-format on */
#undef EVENT
		FT_NR
};

/**
 * struct ft_event - a line of the log that means something
 * @kind: which event
 * @as_id: address space, where the event names one
 * @level: page-table level, where the event names one
 * @vcpu: vCPU, where the event names one
 * @flags: of a memory region
 * @task: index of the task in struct import_log
 * @vm: index of the VM, set by import_find_vms()
 * @line: in the file, from 1
 * @kvm: address of struct kvm, 0 where the event has none
 * @a: @b @c @d @e: see the lists above; addresses and sizes in bytes
 */
struct ft_event {
	uint8_t kind;
	uint8_t as_id;
	uint8_t level;
	uint8_t vcpu;
	uint32_t flags;
	uint16_t task;
	uint16_t vm;
	uint32_t line;
	uint64_t kvm;
	uint64_t a, b, c, d, e;
};

/**
 * struct import_task - a thread of the recorded host
 * @pid: its id
 * @comm: its name
 * @vcpu: the vCPU that it runs, IMPORT_NO_VCPU if none was seen
 */
struct import_task {
	int pid;
	char comm[20];
	uint8_t vcpu;
};

/**
 * struct import_vm - a VM of the log
 * @kvm: address of its struct kvm, 0 if nothing in the log told
 * @first: first event that is of it
 * @last: last event that is of it
 * @nr_events: how many are
 */
struct import_vm {
	uint64_t kvm;
	uint32_t first;
	uint32_t last;
	uint32_t nr_events;
};

#define IMPORT_MAX_TASKS	4096
#define IMPORT_MAX_UNKNOWN	64
#define IMPORT_MAX_VMS		1024

/**
 * struct import_unknown - events of one name that were skipped
 * @name: theirs
 * @count: how many
 */
struct import_unknown {
	char name[48];
	uint64_t count;
};

/**
 * struct import_log - a log in memory
 * @path: of the file
 * @nr_events: of @events
 * @events: in the file's order
 * @nr_tasks: of @tasks
 * @tasks: every thread seen
 * @nr_vms: of @vms
 * @vms: every VM seen
 * @nr_unknown: of @unknown
 * @unknown: events that mean nothing here
 * @lines: of the file
 * @lost: events that the recording kernel says it lost; @lost_line: where it first says so
 * @seen: events of each kind
 */
struct import_log {
	const char *path;
	uint32_t nr_events, cap_events;
	struct ft_event *events;
	uint32_t nr_tasks;
	struct import_task *tasks;
	uint32_t nr_vms;
	struct import_vm *vms;
	uint32_t nr_unknown;
	struct import_unknown unknown[IMPORT_MAX_UNKNOWN];
	uint32_t lines;
	uint64_t lost;
	uint32_t lost_line;
	uint32_t seen[FT_NR];
};

/**
 * struct import_error - why a log was refused
 * @line: 1-based, 0 for the file as a whole
 * @msg: what was found and what was expected
 */
struct import_error {
	uint32_t line;
	char msg[256];
};

int import_fail(struct import_error *err, uint32_t line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* import_parse.c */
enum ft_line { FT_LINE_EVENT, FT_LINE_OTHER, FT_LINE_NOTHING, FT_LINE_LOST, FT_LINE_BAD };

/**
 * struct ft_line_info - what the head of a line says
 * @comm: name of the task, not terminated
 * @comm_len: its length
 * @pid: of the task
 * @name: of the event, terminated
 * @lost: events lost, for FT_LINE_LOST
 */
struct ft_line_info {
	const char *comm;
	size_t comm_len;
	int pid;
	const char *name;
	uint64_t lost;
};
enum ft_line ft_parse(char *line, struct ft_event *ev, struct ft_line_info *info,
		      const char **expected);

/* import_read.c */
typedef int (*import_taker)(void *arg, struct import_log *log, const struct ft_event *ev,
			    struct import_error *err);
int import_stream(struct import_log *log, const char *path, import_taker take, void *arg,
		  struct import_error *err);
int import_read(struct import_log *log, const char *path, struct import_error *err);
void import_log_free(struct import_log *log);

/* import_vms.c */
int import_find_vms(struct import_log *log, struct import_error *err);

/* import_spte.c */
enum spte_kind { SPTE_NONE, SPTE_TABLE, SPTE_LEAF, SPTE_MMIO };

/**
 * struct spte_class - what of an SPTE a log and a replay can be compared by
 * @kind: frozen counts as SPTE_NONE
 * @w: writable; @x: executable; @a: accessed; @d: dirty, of a leaf
 */
struct spte_class {
	enum spte_kind kind;
	bool w, x, a, d;
};
struct spte_class spte_classify(const struct vm_desc *vm, int level, uint64_t spte);
bool spte_mmu_writable(const struct vm_desc *vm, uint64_t spte);
bool spte_host_writable(const struct vm_desc *vm, uint64_t spte);
void spte_class_name(const struct spte_class *class, char *buf, size_t size);
bool spte_is_frozen(uint64_t spte);
bool spte_write_protected(const struct spte_class *old, const struct spte_class *new);
bool spte_same_class(const struct spte_class *a, const struct spte_class *b);

/**
 * struct import_range - guest memory of the host's
 * @hva: first host page number in the log
 * @n: pages
 * @hvn: first host page number in the program
 */
struct import_range {
	uint64_t hva;
	uint64_t n;
	uint64_t hvn;
};

/**
 * struct import_slot - a slot of the program
 * @desc: as it is when the program declares or adds it
 * @kernel_id: its number in the log, IMPORT_NO_ID if the log does not say
 * @declared: it exists when the program begins
 * @alive: it exists at the event being looked at
 * @base: where it is at that event; @npages: how long
 * @logging: its dirty log is on at that event
 * @starting: ... but nothing was seen of what its start write-protects
 * @level_of: host's mapping level of each 2M region, by hvn from the slot's; NULL for 4K backing
 * @nr_regions: of @level_of
 * @readonly: a bit for each page that the program's host maps read-only; NULL if there is none
 * @absent: a bit for each page that the program's host has no frame for; NULL if there is none
 * @protect: number of the last protect operation, plus 1; @protected_at: event that it is of
 * @unmapped_at: last event that unmapped anything of it
 * @worked_at: last event at which the host or the VMM changed an SPTE of it
 * @read_last: line at which the last read of its dirty log began; @read_before: the one before
 */
struct import_slot {
	struct slot_desc desc;
	uint32_t kernel_id;
	bool declared;
	bool alive;
	uint64_t base;
	uint64_t npages;
	bool logging;
	bool starting;
	uint8_t *level_of;
	uint64_t nr_regions;
	uint8_t *readonly;
	uint8_t *absent;
	uint32_t protect, protected_at, unmapped_at;
	uint32_t read_last, read_before;
	uint32_t worked_at;
};

#define IMPORT_NO_ID		(~0U)
#define IMPORT_MAX_SLOTS	(2 * PROG_MAX_SLOTS)
#define IMPORT_MAX_RANGES	256

/**
 * struct import_op - an operation, placed in time
 * @at: where it belongs: 4 * number of the event at which it took effect, plus 0..3
 * @seq: order in which they were made, for those at one place
 * @line: of that event
 * @vcpu: of a vCPU's operation, as the program numbers them
 * @op: it; kind OP_NR if it was taken back
 */
struct import_op {
	uint64_t at;
	uint32_t seq;
	uint32_t line;
	uint8_t vcpu;
	struct op op;
};

/**
 * struct import - one VM of a log on its way to a program
 * @log: the log
 * @vm: which of its VMs
 * @desc: what that VM is
 * @exact: the log has the memory regions as they were set
 * @nr_slots: of @slots
 * @slots: every slot that the program has at some time
 * @nr_ranges: of @ranges
 * @ranges: what is known of host addresses
 * @nr_ops: of @ops
 * @ops: operations, sorted by @at once they are complete
 * @no_memory: something could not be kept
 * @partial_clears: a dirty log was cleared in part, so the VM has manual_protect
 * @races: pages that several tasks worked at at once
 * @history: what each SPTE is while the operations are made
 * @counts: for the summary
 */
struct import {
	const struct import_log *log;
	uint32_t vm;
	struct vm_desc desc;
	bool exact;
	uint32_t nr_slots;
	struct import_slot slots[IMPORT_MAX_SLOTS];
	uint32_t nr_ranges;
	struct import_range ranges[IMPORT_MAX_RANGES];
	uint32_t nr_ops, cap_ops;
	struct import_op *ops;
	bool no_memory;
	bool partial_clears;
	struct history *history;
	struct history *races;
	struct {
		uint32_t races, faults, retries, seen_accesses, unmaps_elsewhere, ages_elsewhere,
			folded_vcpus;
		uint32_t slots_left_out, ops_left_out, switches_left_out;
	} counts;
};

/* import_desc.c */
void import_describe_vm(struct import *im);
int import_read_notes(struct vm_desc *desc, const char *log_path, char *notes, size_t size);
int import_set_option(struct vm_desc *desc, const char *option, char *msg, size_t size);

/* import_slots.c */
int import_find_slots(struct import *im, struct import_error *err);
void import_slots_rewind(struct import *im);
struct import_slot *import_slot_add(struct import *im, int as_id, uint64_t base, uint64_t n);
struct import_slot *import_slot_at(struct import *im, int as_id, uint64_t gfn);
bool import_slot_logging(struct import *im, int as_id, uint64_t gfn);
uint8_t import_slot_operand(const struct import_slot *slot);

/* import_regions.c */
int import_slots_recorded(struct import *im);
struct import_slot *import_slot_by_kernel_id(struct import *im, uint32_t id);
struct import_slot *import_region_moves(struct import *im, const struct ft_event *ev);
struct slot_desc import_region_desc(struct import *im, const struct import_slot *slot,
				    const struct ft_event *ev);

/* import_host.c */
uint64_t import_range_add(struct import *im, uint64_t hva, uint64_t n, uint64_t hvn);
void import_infer_ranges(struct import *im);
void import_host_op(struct import *im, enum op_kind kind, uint32_t event, uint64_t start,
		    uint64_t end, uint32_t *elsewhere);
void import_host_level(struct import *im, struct import_slot *slot, uint32_t event, uint64_t gfn,
		       int level);
bool import_host_is_huge(const struct import_slot *slot, uint64_t gfn);
void import_host_access(struct import *im, struct import_slot *slot, uint32_t event,
			bool untouched);
void import_host_written(struct import *im, struct import_slot *slot, uint32_t event);
void import_host_free(struct import_slot *slot);

/* import_ops.c */
int import_find_ops(struct import *im, struct import_error *err);
struct import_op *import_add_op(struct import *im, uint32_t event, int sub, enum op_kind kind);

/* import_races.c */
void import_raced(struct import *im, int as_id, uint64_t gfn);
bool import_is_raced(const struct import *im, int as_id, uint64_t gfn, int level);
void import_races_free(struct import *im);

/* import_log.c */
struct import_run;
void import_find_init_set(struct import *im);
void import_log_on(struct import *im, struct import_slot *slot, uint32_t event);
void import_log_off(struct import *im, struct import_slot *slot, uint32_t event);
void import_log_protected(struct import *im, struct import_run *run, uint32_t event);
void import_log_split(struct import *im, struct import_run *run, uint32_t event);
void import_log_collapsed(struct import *im, struct import_run *run, uint32_t event);
void import_log_masked(struct import *im, struct import_run *run, uint32_t event);

/**
 * struct import_run - a walk over a slot by one task, as its events show it
 * @slot: slot walked, NULL if no walk is under way
 * @next: first gfn that the walk has not reached
 * @splits_only: no leaf was write-protected yet
 * @stop: it is a collapse
 * @clears: it clears the log, page by page as the user asks
 * @clear: number of the log-clear operation that grows with the walk, plus 1
 */
struct import_run {
	struct import_slot *slot;
	uint64_t next;
	bool splits_only;
	bool stop;
	bool clears;
	uint32_t clear;
};

/* import_emit.c */
/**
 * struct import_limits - how much of a log becomes a program
 * @max_ops: operations, 0: all
 * @exact_order: keep the order in which vCPUs' accesses took effect even where it does not matter
 * @turns: NULL, or is given the thread of each operation in order, for a replay without a schedule
 */
struct import_limits {
	uint32_t max_ops;
	bool exact_order;
	struct import_turns *turns;
};

/**
 * struct import_turns - the order of a program's operations, however many turns that takes
 * @thread: whose turn it is
 * @nr: how many turns
 */
struct import_turns {
	uint8_t *thread;
	uint32_t nr;
};
int import_emit(struct import *im, const struct import_limits *limits, struct program *prog,
		struct import_error *err);

/* import.c */
int import_vm(struct import *im, const struct import_log *log, uint32_t vm,
	      const char *const *options, struct import_error *err);
void import_free(struct import *im);

/* import_verify.c */
int import_verify(const struct import *im, const struct program *prog,
		  const struct import_turns *turns, struct import_error *err);

#endif /* TDP_IMPORT_H */
