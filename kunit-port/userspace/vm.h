/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tdp_kunit.h in userspace: over <tdp/tdp.h>, that is, on the upstream backend, the kernel's own code.
 *
 *   kunit.c	runs suites
 *   vm.c	the VM and its ioctls
 *   guest.c	accesses: a TLB and a walk of the page tables, faults
 *   threads.c	interleavings
 *   host.c	what the host maps, and its side of the MMU notifiers
 *   facts.c	what is there, for expectations
 *   checks.c	what is checked without being asked for
 */
#ifndef KUNIT_USERSPACE_VM_H
#define KUNIT_USERSPACE_VM_H

#include <tdp/tdp.h>

#include "format.h"
#include "platform.h"
#include "tdp_kunit.h"

#define VM_VCPUS	 4
#define VM_SLOTS	 8
#define VM_TLB		 64
#define VM_PML		 512
#define VM_MAX_CHOICES	 64
#define VM_MAX_ZAPPED	 64

/* Points after which an operation is taken for one that never ends */
#define VM_BUDGET	 (1ULL << 24)

/* A translation; @level 0: none. */
struct tlb_entry {
	u64 gfn, pfn;
	int level;
	unsigned int perm;
	bool dirty;
};

/**
 * struct guest_cpu - a vCPU
 * @flushes: kvm_vcpu_tlb_flushes() when its TLB was emptied last
 * @executing: in the middle of an instruction
 * @stale: its TLB is to be emptied when that ends
 * @next: entry to be replaced next
 * @pml: pages it has logged
 */
struct guest_cpu {
	struct kvm_vcpu *vcpu;
	bool smm, guest_mode;
	bool executing, stale;
	u64 flushes;
	struct tlb_entry tlb[VM_TLB];
	unsigned int next;
	u64 pml[VM_PML];
	unsigned int nr_pml;
};

/* A run of host pages that are mapped in one size. */
struct host_run {
	u64 first, n, pfn;
	int level;
	bool device, protected;
};

/* A thread of tdp_interleave(); @op: number of its call. */
struct vm_thread {
	struct sim_thread sim;
	struct tdp_vm *vm;
	void (*run)(struct tdp_vm *vm);
	int number, op;
	struct sim_choice choices[VM_MAX_CHOICES];
};

struct tdp_vm {
	struct kunit *test;
	struct kvm *kvm;
	struct format fmt;
	int levels;
	bool pml, dead;
	struct guest_cpu cpu[VM_VCPUS];
	int nr_cpus;
	struct {
		bool used;
		struct tdp_slot desc;
	} slots[2][VM_SLOTS];
	struct host_run *host;
	u32 nr_host, cap_host;
	u64 *dirty_pfns;
	u32 nr_dirty, cap_dirty;
	u64 *log;
	size_t log_pages;
	bool flushed;
	hpa_t zapped[VM_MAX_ZAPPED]; /* emptied while others may fault, and no flush since */
	u32 nr_zapped;
	struct sim_thread thread;
	struct sim_choice resched[VM_MAX_CHOICES];
	u32 nr_resched;
	bool interleaved;
	struct vm_thread threads[TDP_MAX_THREADS];
	const struct tdp_switch *switches;
	int nr_switches;
	char found[256];
};

/* threads.c */
void vm_begin(struct tdp_vm *vm);
void vm_end(struct tdp_vm *vm);
void vm_wait_for_cpus(struct tdp_vm *vm);

/* vm.c */
struct tdp_slot *vm_slot(struct tdp_vm *vm, int as, int id);
struct tdp_slot *vm_slot_of(struct tdp_vm *vm, int as, u64 gfn);
bool vm_logs(struct tdp_vm *vm);

/* guest.c */
void guest_flush(struct tdp_vm *vm, u64 gfn, u64 n);
void guest_drain(struct tdp_vm *vm);

/* checks.c */
void checks_point(void *ctx, enum point_kind kind, int level, hpa_t pa, u64 object,
		  const char *text, const struct sim_site *site);
void checks_spte(void *ctx, enum point_kind how, hpa_t pa, int level, u64 old, u64 new, bool ok,
		 const struct sim_site *site);
void checks_flush(struct tdp_vm *vm);
/* The host has taken frames away: nothing maps them, not even a root that is on its way out. */
void checks_unmapped(struct tdp_vm *vm, u64 pfn, u64 n);

/* host.c */
extern const struct tdp_host_ops vm_host_ops;

#endif /* KUNIT_USERSPACE_VM_H */
