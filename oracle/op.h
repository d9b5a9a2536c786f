/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program can say: the virtual machine, its slots and the operations of
 * its threads.  This is the vocabulary that programs, the executor and the
 * oracle share; it knows nothing of how libtdp works.
 *
 * Adding an operation: one row in OP_LIST below, one function in fuzz/executor_ops_KIND.c and,
 * if it makes a call that the model does not know, a case in predict() in oracle/model.c;
 * docs/program-format.md is checked against this list by a test.
 */
#ifndef ORACLE_OP_H
#define ORACLE_OP_H

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
#define PROG_MAX_SLOTS		8	/* slots declared or added, over both address spaces */
#define PROG_MAX_THREADS	8
#define PROG_MAX_VCPUS		4
#define PROG_MAX_GFN		(1ULL << 40)	/* first gfn, or host page, no program may name */
#define PROG_MAX_SLOT_PAGES	((1ULL << 31) - 1)	/* KVM_MEM_MAX_NR_PAGES */
#define PROG_MAX_REPEAT		(1ULL << 20)	/* accesses of one repeated operation */
/* clang-format on */

enum vm_mmu { VM_EPT, VM_NPT };
enum vm_policy { VM_SPLIT, VM_ZAP };
/*
 * Memory encryption: SME (NPT only) sets one C-bit in every SPTE that maps RAM or links a
 * table; TDX (EPT only) reserves key-id bits that are zero in the SPTEs of a plain VM.
 */
enum vm_me { VM_ME_OFF, VM_ME_SME, VM_ME_TDX };

/*
 * Whose MMU is run. VM_LINUX_6_1: what is empty is 0, and no bit of an SPTE suppresses #VE; harvests
 * tell the host only of D bits that they clear, and aging without A/D bits tells it twice; under
 * the NX mitigation no table makes way for a huge page; NX recovery does not look at logs.
 * VM_LINUX_7_2: software bits have moved; D goes with W; faults tell the host of frames when they
 * map them, and nothing else does; a fault changes nothing that is mapped well enough; aging looks
 * at valid roots only; where logging ends, huge pages take the place of tables at once; NX recovery
 * zaps under mmu_lock held for reading.
 */
enum vm_kernel { VM_LINUX_6_12, VM_LINUX_6_1, VM_LINUX_7_2 };

/**
 * struct vm_desc - the "vm" line of a program
 * @mmu: EPT or NPT
 * @ad: EPT only: hardware accessed/dirty bits; off means access tracking
 * @levels: 4 or 5 page-table levels
 * @nx_huge_pages: the iTLB-multihit mitigation
 * @eager_split: split huge pages when dirty logging starts or a clear asks for it
 * @policy: what a fault below a huge leaf does: split it (c4b33d28ea51) or zap it
 * @pml: page-modification logging (EPT with A/D only)
 * @exec_only: EPT can map execute-only, so an access-tracked SPTE keeps X only where it may
 * @me: memory-encryption bits
 * @l1tf: the host is vulnerable to L1TF
 * @maxphyaddr: host physical address bits, 36..52
 * @cachebits: x86_cache_bits, which L1TF mitigation goes by, 36..52; with @l1tf at least
 *	       @maxphyaddr and at most 46, so that five bits above it are free
 * @gen: memslots generation when the VM starts, below 2^62
 * @seq: mmu_invalidate_seq when the VM starts
 * @manual_protect: KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE
 * @init_set: KVM_DIRTY_LOG_INITIALLY_SET (needs @manual_protect)
 * @nx_ratio: NX recovery zaps 1/@nx_ratio of the pages at a time; 0 disables it
 * @kernel: which one's MMU it is
 * @quirk_zap_all: slot deletion zaps all roots fast; off zaps only the slot's leaves
 */
struct vm_desc {
	enum vm_mmu mmu;
	bool ad;
	uint8_t levels;
	bool nx_huge_pages;
	bool eager_split;
	enum vm_policy policy;
	bool pml;
	bool exec_only;
	enum vm_me me;
	bool l1tf;
	uint8_t maxphyaddr;
	uint8_t cachebits;
	uint64_t gen;
	uint64_t seq;
	bool manual_protect;
	bool init_set;
	uint32_t nx_ratio;
	enum vm_kernel kernel;
	bool quirk_zap_all;
};

enum slot_backing { BACKING_4K, BACKING_2M, BACKING_1G, BACKING_MMIO };
/* clang-format off */
#define SLOT_LOG	(1u << 0)	/* KVM_MEM_LOG_DIRTY_PAGES */
#define SLOT_RO		(1u << 1)	/* KVM_MEM_READONLY */
/* clang-format on */

/**
 * struct slot_desc - a "slot" line, or the operand of slot-add
 * @id: slot number within its address space, 0..PROG_MAX_SLOTS-1
 * @as_id: address space: 0 normal, 1 SMM
 * @base: first gfn
 * @npages: length in 4K pages
 * @hvn: first host virtual page number; the host's operations name pages by it.
 *       Defaults to @base, so that host page numbers read as gfns
 * @backing: how the host maps it; BACKING_MMIO is a device's memory (no struct page, uncached)
 * @flags: SLOT_*
 */
struct slot_desc {
	uint8_t id;
	uint8_t as_id;
	uint64_t base;
	uint64_t npages;
	uint64_t hvn;
	enum slot_backing backing;
	uint32_t flags;
};

enum thread_kind { THREAD_VCPU, THREAD_VMM, THREAD_HOST };

/*
 * The operations: OP(NAME, "text", thread kind, operands), operands in the
 * order of the text form:
 *	G gfn   N number of pages   S slot (as.id or id)   H host page   B on|off
 *	L level (4K|2M|1G)   F slot flags   D a whole slot description (key=value)
 *	R optional repeat, xCOUNT or xCOUNT/STEP: COUNT accesses, STEP pages apart
 * Operand values live in struct op: G and H in .gfn, N in .n, S in .slot,
 * B in .on, L in .level, F in .flags, D in .desc, R in .n and .step (both 1 where
 * the text has none).  Fields that an operation has no operand for are zero.
 */
/* clang-format off */
#define OP_LIST(OP)								\
	/* vCPU: guest accesses and what the guest or its VMM does to the vCPU */	\
	OP(READ,	"read",		VCPU, "GR")				\
	OP(WRITE,	"write",	VCPU, "GR")				\
	OP(EXEC,	"exec",		VCPU, "GR")				\
	OP(SPECULATE,	"speculate",	VCPU, "G")				\
	OP(PREFAULT,	"prefault",	VCPU, "GN")				\
	OP(ROOT_LOAD,	"root-load",	VCPU, "")				\
	OP(ROOT_UNLOAD,	"root-unload",	VCPU, "")				\
	OP(SMM_ENTER,	"smm-enter",	VCPU, "")				\
	OP(SMM_LEAVE,	"smm-leave",	VCPU, "")				\
	OP(GUEST_ENTER,	"guest-enter",	VCPU, "")				\
	OP(GUEST_LEAVE,	"guest-leave",	VCPU, "")				\
	/* VMM: KVM's ioctls and what KVM does on its own behalf */		\
	OP(SLOT_ADD,	"slot-add",	VMM, "D")				\
	OP(SLOT_DELETE,	"slot-delete",	VMM, "S")				\
	OP(SLOT_MOVE,	"slot-move",	VMM, "SG")				\
	OP(SLOT_FLAGS,	"slot-flags",	VMM, "SF")				\
	OP(LOG_START,	"log-start",	VMM, "S")				\
	OP(LOG_GET,	"log-get",	VMM, "S")				\
	OP(LOG_CLEAR,	"log-clear",	VMM, "SGN")				\
	OP(LOG_STOP,	"log-stop",	VMM, "S")				\
	OP(SPLIT,	"split",	VMM, "SL")				\
	OP(WRPROT,	"write-protect", VMM, "SGL")				\
	OP(TRACK,	"track",	VMM, "SG")				\
	OP(UNTRACK,	"untrack",	VMM, "SG")				\
	OP(ZAP_RANGE,	"zap-range",	VMM, "GN")				\
	OP(ZAP_FAST,	"zap-fast",	VMM, "")				\
	OP(NX_RECOVER,	"nx-recover",	VMM, "")				\
	OP(NX_TOGGLE,	"nx-toggle",	VMM, "B")				\
	OP(DESTROY,	"destroy",	VMM, "")				\
	/* host: what the host's memory management does to the guest's memory */	\
	OP(UNMAP,	"unmap",	HOST, "HN")				\
	OP(REMAP,	"remap",	HOST, "HN")				\
	OP(CLEAN,	"clean",	HOST, "HN")				\
	OP(AGE,		"age",		HOST, "HN")				\
	OP(TEST_AGE,	"test-age",	HOST, "HN")				\
	OP(HUGE_FORM,	"huge-form",	HOST, "HL")				\
	OP(HUGE_BREAK,	"huge-break",	HOST, "HN")				\
	OP(PROTECT,	"protect",	HOST, "HN")
/* clang-format on */

enum op_kind {
#define OP(name, text, kind, operands) OP_##name,
	OP_LIST(OP)
#undef OP
	OP_NR
};

/**
 * struct op - one operation of a thread
 * @kind: which
 * @gfn: operand G (guest page) or H (host page)
 * @n: operand N: number of 4K pages, at least 1; operand R: number of accesses, 1..PROG_MAX_REPEAT
 * @step: operand R: pages from one access to the next, at least 1
 * @slot: operand S: as_id << 4 | id (a slot that need not exist when the operation runs)
 * @level: operand L: 1 = 4K, 2 = 2M, 3 = 1G
 * @on: operand B
 * @flags: operand F: SLOT_*
 * @desc: operand D
 */
struct op {
	enum op_kind kind;
	uint8_t slot;
	uint8_t level;
	bool on;
	uint32_t flags;
	uint64_t gfn;
	uint64_t n;
	uint64_t step;
	struct slot_desc desc;
};

#define OP_SLOT(as_id, id) ((uint8_t)((as_id) << 4 | (id)))
#define OP_SLOT_AS(slot)   ((slot) >> 4)
#define OP_SLOT_ID(slot)   ((slot) & 15)

/*
 * What the operations mean where the name does not say it all:
 *
 * read, write, exec   with a repeat: access i touches gfn + i * step, in order of i, and the
 *             point "op" comes before each (so op#k is the k-th access; elsewhere it is op#1)
 * speculate   hardware fills TLB and paging-structure caches for the gfn where a walk succeeds
 *             without A/D assists; never faults
 * prefault    KVM_PRE_FAULT_MEMORY over N pages
 * root-load   kvm_mmu_load() now, rather than at the next guest entry; root-unload drops the root
 * smm-*       the vCPU changes to/from address space 1; guest-* to/from the nested-like role
 * log-get     KVM_GET_DIRTY_LOG; re-arms (write-protects or clears D) unless manual_protect
 * log-clear   KVM_CLEAR_DIRTY_LOG over the gfns [G, G+N) of the slot, rounded as the ioctl wants
 * split       kvm_mmu_slot_try_split_huge_pages() down to L
 * write-protect  kvm_mmu_slot_gfn_write_protect(min_level L), without tracking
 * zap-range   kvm_zap_gfn_range() (e.g. memory-type change)
 * zap-fast    kvm_mmu_zap_all_fast()
 * unmap       the host takes the pages away: invalidate begin, frames freed (and poisoned), end.
 *             A later access faults new frames in. A huge mapping of the host that lies in the range in part
 *             is split first, by an invalidation of its own within this one; so with remap, huge-break, protect
 * remap       as unmap, but new frames are in place before the invalidation ends
 * clean       writeback: invalidate begin/end, frames stay and become clean
 * huge-form   the host collapses the naturally aligned range of level L around H into one mapping (new frames)
 * huge-break  the host splits its huge mappings in the range into 4K ones (same frames)
 * protect     the host makes its own mappings in the range read-only (fork, soft-dirty tracking; also
 *             what a read of never-written memory finds). Frames stay; a mapping is writable again
 *             once a write fault has asked for it. A huge mapping that lies in the range in part
 *             is split first
 */

#endif /* ORACLE_OP_H */
