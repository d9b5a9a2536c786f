/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The oracle: an independent reference for what a TDP MMU may do.
 *
 * It is fed with events (what the MMU did to SPTEs, pages, TLBs), with calls (what
 * the MMU was asked, what it answered) and it *is* the hardware and the host: vCPUs
 * access memory through its TLBs and walker, and frames belong to its host model.
 * It never asks the MMU what is right, and it reads SPTEs only as hardware would.
 *
 *   oracle.c	 lifecycle, dispatch, violations, the trace hash
 *   mirror.c	 page tables as the events show them: which page is linked where
 *   hw.c tlb.c	 vCPUs: TLB, paging-structure cache, walker with A/D, PML, guest mode
 *   host.c	 frames: owners, lifetimes, contents, dirty and accessed marks, mappings' sizes
 *   migrate.c	 rule D: what a live migration would have copied
 *   rule_*.c	 the other rules, one file each
 *   model*.c	 sequential programs: what each call must leave behind and answer, bit for bit
 *   format.c	 the hardware's reading of an SPTE, restated from the manuals
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "op.h"

struct oracle;

/*
 * Points of the hardware's own, i.e. POINT_TLB, _WALK, _ASSIST, _MEMORY of the schedule; all but
 * ASSIST can evict.
 */
enum oracle_point { ORACLE_POINT_TLB, ORACLE_POINT_WALK, ORACLE_POINT_ASSIST, ORACLE_POINT_MEMORY };
#define ORACLE_EVICT	1u

/* What the oracle needs of the machine that holds the page tables. */
struct oracle_env {
	void *ctx;
	/*
	 * Where hardware finds the SPTE at physical address @pa, the others of its page around it;
	 * NULL: not in a page-table page that is allocated
	 */
	const uint64_t *(*sptep)(void *ctx, uint64_t pa);
	/* hardware's A/D update; false if the SPTE was not @old any more */
	bool (*cmpxchg_spte)(void *ctx, uint64_t pa, uint64_t old, uint64_t val);
	/*
	 * a point of the hardware's own (enum oracle_point; @pa: SPTE, or gpa for TLB and MEMORY);
	 * ORACLE_EVICT or 0
	 */
	unsigned int (*point)(void *ctx, int kind, int level, uint64_t pa);
	/* a PML buffer is drained: @vcpu's guest wrote @gfn (KVM: kvm_vcpu_mark_page_dirty) */
	void (*pml)(void *ctx, int vcpu, uint64_t gfn);
};

/**
 * struct oracle_violation - a rule that was broken
 * @rule: letter of DESIGN §5: T D U N M L P W X G B A; '!' for a WARN that fired
 * @gfn: guest page concerned, ~0 if none
 * @spte: SPTE value concerned, 0 if none
 * @thread: thread and @op: operation during which it was noticed
 * @step: number of the event
 * @text: one sentence: what is, what should be
 */
struct oracle_violation {
	char rule;
	uint64_t gfn;
	uint64_t spte;
	int thread;
	uint32_t op;
	uint64_t step;
	char text[240];
};

struct oracle *oracle_create(void);
void oracle_destroy(struct oracle *o);
/*
 * Start over for a new VM; keeps and reuses all memory. Cheap: cost is that of what the last
 * program touched.
 */
void oracle_reset(struct oracle *o, const struct vm_desc *vm, const struct oracle_env *env);
uint32_t oracle_nr_violations(const struct oracle *o);
const struct oracle_violation *oracle_violation(const struct oracle *o, uint32_t i);
uint64_t oracle_hash(const struct oracle *o); /* over every event, for determinism checks */
uint64_t oracle_state_hash(struct oracle *o);	/* over the page tables as they are now */
void oracle_hash_points(struct oracle *o, bool on);	/* include every point, not just changes */
void oracle_report(struct oracle *o, char rule, uint64_t gfn, uint64_t spte, const char *fmt, ...)
	__attribute__((format(printf, 5, 6), cold));

/*
 * Off: no prediction (calls overlap, or a trace shows only some of them). On after oracle_reset();
 * goes off by itself, for the rest of the run, in oracle_call_begin() or oracle_hw_access() when a
 * call of one thread begins within a call, an invalidation or a guest access of another.
 */
void oracle_set_prediction(struct oracle *o, bool on);

/*
 * Which thread and operation the events that follow belong to. To be called whenever another thread
 * goes on, in the middle of oracle_hw_access() (at its points) as well as elsewhere.
 */
void oracle_set_thread(struct oracle *o, int thread, uint32_t op);

/*
 * Counts everything that may let somebody get on: SPTEs that changed, roots, slots, host memory,
 * calls that returned something else than "again". While it stands still and every thread has spun
 * or retried, nobody will ever get on (rule P).
 */
uint64_t oracle_progress(const struct oracle *o);

/* ---- events: what the MMU does (the executor wires the platform's observer to these) ---- */
enum oracle_how { ORACLE_INIT, ORACLE_WRITE, ORACLE_XCHG, ORACLE_CMPXCHG, ORACLE_AND };
void oracle_ev_spte(struct oracle *o, enum oracle_how how, uint64_t pa, int level, uint64_t old,
		    uint64_t val, bool ok);
void oracle_ev_init(struct oracle *o, uint64_t pa, int level, int n, uint64_t first, uint64_t step);
void oracle_ev_freeze(struct oracle *o, enum oracle_how how, uint64_t pa, int level, int n,
		      uint64_t first, uint64_t step, uint64_t frozen);
void oracle_ev_page_alloc(struct oracle *o, uint64_t pa, uint64_t fill);
/* After its grace period: whoever uses the page from now on breaks rule U. */
void oracle_ev_page_free(struct oracle *o, uint64_t pa);
/*
 * Requests to all vCPUs. A vCPU takes them at instruction boundaries: one that is within
 * oracle_hw_access() or oracle_hw_speculate() (some other thread runs while it is at one of its
 * points) when that ends, whatever its result, and any number of them may pile up until then; all
 * others at once. Both return a mask of the vCPUs that have yet to take the request; who must not
 * go on before they have takes oracle_hw_ticket() there and then, and waits until
 * oracle_hw_unacked() of the two is 0. (A flush and a kick that drops roots are waited for, a mere
 * drain is not.)
 */
uint32_t oracle_ev_flush(struct oracle *o, uint64_t gfn, uint64_t nr);	/* nr 0: everything */
/*
 * All vCPUs leave the guest; PML buffers are drained: by the vCPU's own thread if it is in the
 * middle of an instruction, else at once by the thread that kicks. @drop_roots: no vCPU enters
 * again before it has loaded a new root.
 */
uint32_t oracle_ev_kick(struct oracle *o, bool drop_roots);
/* Number of the last flush or kick. */
uint64_t oracle_hw_ticket(const struct oracle *o);
/* Which of @vcpus (a mask) have not taken request @ticket. */
uint32_t oracle_hw_unacked(const struct oracle *o, uint32_t vcpus, uint64_t ticket);
void oracle_ev_lock(struct oracle *o, const char *name, int delta);
void oracle_ev_rcu(struct oracle *o, int delta);
/* An allocation failed, as the schedule wanted. */
void oracle_ev_refused(struct oracle *o, bool page);
void oracle_ev_warn(struct oracle *o, const char *cond, const char *file, int line);
/* For the hash only. */
void oracle_ev_point(struct oracle *o, int kind, int level, uint64_t pa);

/* ---- calls: what the MMU is asked, begin and end ---- */
/*
 * The calls: CALL(NAME, "text") and what they use of struct oracle_call. The text is what messages,
 * traces and tests call them.
 */
/* clang-format off */
#define CALL_LIST(CALL)									\
	CALL(CREATE_VM,		"create-vm")							\
	CALL(CREATE_VCPU,	"create-vcpu")							\
	CALL(DESTROY_VM,	"destroy-vm")							\
	CALL(SET_REGION,	"set-region")	/* region, change */				\
	CALL(ENTER_GUEST,	"enter-guest")	/* vcpu: .root afterwards */			\
	CALL(MMU_LOAD,		"mmu-load")	/* likewise */					\
	CALL(MMU_UNLOAD,	"mmu-unload")	/* likewise */					\
	CALL(SET_MODE,		"set-mode")	/* vcpu, smm, guest_mode; .root */		\
	CALL(PAGE_FAULT,	"page-fault")	/* vcpu, gfn, error_code; RET_PF_* */		\
	CALL(PRE_FAULT,		"pre-fault")	/* vcpu, gfn, n; ret pages; .root */		\
	CALL(INVALIDATE_START,	"invalidate-start")	/* hvn range in gfn, n */		\
	CALL(INVALIDATE_END,	"invalidate-end")	/* likewise */				\
	CALL(AGE,		"age")		/* hvn range; ret 0/1 */			\
	CALL(TEST_AGE,		"test-age")	/* likewise */					\
	CALL(LOG_GET,		"log-get")	/* slot; .bitmap, .words filled */		\
	CALL(LOG_CLEAR,		"log-clear")	/* slot, gfn in it, n; .bitmap: mask */		\
	CALL(MARK_DIRTY,	"mark-dirty")	/* vcpu, gfn: a PML drain or emulation */	\
	CALL(SPLIT,		"split")	/* slot, level */				\
	CALL(WRITE_PROTECT,	"write-protect")	/* slot, gfn, level; ret 0/1 */		\
	CALL(TRACK,		"track")	/* slot, gfn */					\
	CALL(UNTRACK,		"untrack")	/* slot, gfn */					\
	CALL(ZAP_RANGE,		"zap-range")	/* gfn, n */					\
	CALL(ZAP_FAST,		"zap-fast")							\
	CALL(NX_RECOVER,	"nx-recover")							\
	CALL(SET_NX,		"set-nx")	/* on */
/* clang-format on */

enum oracle_call_kind {
#define CALL(name, text) CALL_##name,
	CALL_LIST(CALL)
#undef CALL
		CALL_NR
};

/* What a call is called. */
const char *oracle_call_name(enum oracle_call_kind kind);

/**
 * struct oracle_call - one call of the MMU's interface, as asked and as answered
 * Which members mean something is said beside each kind above; @ret and the outputs
 * are valid at oracle_call_end() only.
 */
struct oracle_call {
	enum oracle_call_kind kind;
	int vcpu;
	bool smm, guest_mode, on;
	uint8_t slot;		/* OP_SLOT() */
	uint8_t level;
	uint64_t gfn, n;
	uint64_t error_code;
	/*
	 * CALL_SET_REGION: npages 0 deletes; backing is the host's business (see
	 * oracle_host_set_backing)
	 */
	struct slot_desc region;
	uint64_t *bitmap;
	size_t words;
	/* outputs */
	long ret;
	uint64_t root;		/* physical address, ~0 none */
	bool mmio;		/* CALL_PAGE_FAULT is answered by emulating an access to @mmio_gfn */
	uint64_t mmio_gfn;
};
void oracle_call_begin(struct oracle *o, const struct oracle_call *call);
void oracle_call_end(struct oracle *o, const struct oracle_call *call);

/* The short form of CALL_ENTER_GUEST, where the vCPU has all that it needs: see resume.c. */
struct oracle_resume {
	uint64_t step;
	uint64_t requests;
};
bool oracle_may_resume(const struct oracle *o, int vcpu, struct oracle_resume *resume);
bool oracle_resumed(struct oracle *o, int vcpu, const struct oracle_resume *resume, long ret,
		    uint64_t root);

/**
 * struct oracle_stat - the MMU's statistics, given to the oracle after each call of a sequential
 * program and at quiescence; names as in struct kvm_vm_stat
 */
struct oracle_stat {
	int64_t pages[3];
	int64_t nx_lpage_splits;
	int64_t tdp_mmu_pages;
};
static inline bool oracle_stat_equal(const struct oracle_stat *a, const struct oracle_stat *b)
{
	return !((a->pages[0] ^ b->pages[0]) | (a->pages[1] ^ b->pages[1]) |
		 (a->pages[2] ^ b->pages[2]) | (a->nx_lpage_splits ^ b->nx_lpage_splits) |
		 (a->tdp_mmu_pages ^ b->tdp_mmu_pages));
}
void oracle_check_stat(struct oracle *o, const struct oracle_stat *stat);
/* Nothing runs: rules that need a quiet moment (L, D, X's list, G at rest). */
void oracle_quiesce(struct oracle *o);
/* The VM is destroyed: page-table pages still allocated, other memory still allocated. */
void oracle_final(struct oracle *o, uint64_t pages_left, uint64_t allocs_left);

/* ---- hardware ---- */
enum hw_access { HW_READ, HW_WRITE, HW_EXEC };
enum hw_result {
	HW_DONE,	/* the access was performed */
	HW_FAULT,	/* EPT violation / nested page fault: see the exit */
	HW_MISCONFIG,	/* EPT misconfiguration, or NPT reserved-bit fault: see the exit */
	HW_NO_ROOT,	/* the vCPU has no usable root loaded: enter the guest first */
};

/**
 * struct hw_exit - why the vCPU left guest mode
 * @gpa: guest physical address, bytes
 * @error_code: PFERR_* as KVM derives it from the exit qualification / NPF error code
 */
struct hw_exit {
	uint64_t gpa;
	uint64_t error_code;
};
/*
 * Guest access by @vcpu with the root it last loaded. On a fault the hardware has dropped the
 * faulting address's entries, as the manuals say. A write stores a fresh value in the frame.
 * HW_NO_ROOT also if the vCPU was kicked out of the guest since it was let in: enter again.
 */
enum hw_result oracle_hw_access(struct oracle *o, int vcpu, uint64_t gfn, enum hw_access access,
				struct hw_exit *exit);
/* May fill caches, never faults. */
void oracle_hw_speculate(struct oracle *o, int vcpu, uint64_t gfn);
/*
 * KVM emulated the store (tracked or MMIO-looking gfn): the guest's memory changes without the
 * SPTE. false: no slot.
 */
bool oracle_hw_emulated_write(struct oracle *o, int vcpu, uint64_t gfn);

/* ---- host ---- */
int oracle_host_fault_in(struct oracle *o, uint64_t hvn, bool write, bool *writable, uint64_t *pfn);
int oracle_host_mapping_level(struct oracle *o, uint64_t hvn);
void oracle_host_set_dirty(struct oracle *o, uint64_t pfn);
void oracle_host_set_accessed(struct oracle *o, uint64_t pfn);
void oracle_host_set_marks(struct oracle *o, uint64_t pfn, uint64_t n, bool dirty, bool accessed);
bool oracle_host_is_mmio_pfn(struct oracle *o, uint64_t pfn);
/* The host's own side of the operations, between INVALIDATE_START and _END */
void oracle_host_set_backing(struct oracle *o, uint64_t hvn, uint64_t npages,
			     enum slot_backing backing);
/* Frames are freed and poisoned. */
void oracle_host_unmap(struct oracle *o, uint64_t hvn, uint64_t n);
/* New frames where there are none. */
void oracle_host_populate(struct oracle *o, uint64_t hvn, uint64_t n);
void oracle_host_clean(struct oracle *o, uint64_t hvn, uint64_t n);
void oracle_host_huge_form(struct oracle *o, uint64_t hvn, int level);
void oracle_host_huge_break(struct oracle *o, uint64_t hvn, uint64_t n);
/* Read-only until a write fault asks for more. */
void oracle_host_protect(struct oracle *o, uint64_t hvn, uint64_t n);
void oracle_host_reuse(struct oracle *o); /* the next frame is the one freed last */
void oracle_host_busy(struct oracle *o); /* the next look-up is answered -EAGAIN */

#endif /* ORACLE_H */
