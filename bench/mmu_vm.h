/* SPDX-License-Identifier: GPL-2.0-only */
/* The VM that an operation of the MMU is timed on. */
#ifndef MMU_VM_H
#define MMU_VM_H

#include <tdp/native.h>

#define PAGES_2M     KVM_PAGES_PER_HPAGE(PG_LEVEL_2M)
#define PAGES_1G     KVM_PAGES_PER_HPAGE(PG_LEVEL_1G)
#define MOST_THREADS 2
/* Page tables that are made in a batch: few enough to stay in the L2 cache, and with the thread. */
#define WARM_TABLES 32

struct kvm_memory_slot;

/**
 * struct mmu_vm - a VM with one slot, from gfn 0 on, and a vCPU for each thread
 * @kvm: the VM
 * @vcpu: its vCPUs, each with a root loaded
 * @slot: its slot; changes of the slot's flags make it another
 * @pages: of 4K, in the slot
 * @level: of the pages with which the host maps all of it, now
 * @bitmap: room for the slot's dirty log
 * @wrong: calls that were not answered as expected
 */
struct mmu_vm {
	struct kvm *kvm;
	struct kvm_vcpu *vcpu[MOST_THREADS];
	const struct kvm_memory_slot *slot;
	u64 pages;
	int level;
	u64 *bitmap;
	u64 wrong;
};

void mmu_vm_create(struct mmu_vm *vm, u64 pages, int level, bool pml);
void mmu_vm_destroy(struct mmu_vm *vm);
void mmu_vm_empty(struct mmu_vm *vm);
void mmu_vm_warm_tables(void);
void mmu_vm_log(struct mmu_vm *vm);
void mmu_vm_hardware_sets(struct mmu_vm *vm, u64 bits);
s64 mmu_vm_mapped(struct mmu_vm *vm, int level);

/*
 * @n faults of a vCPU, from @first on, @stride pages from each to the next. Returns how many were not
 * answered by @expected.
 */
static inline u64 mmu_vm_fault(struct kvm_vcpu *vcpu, gfn_t first, u64 stride, u64 n, u64 code,
			       int expected)
{
	u64 i, wrong = 0;

	for (i = 0; i < n; i++, first += stride)
		wrong += kvm_mmu_page_fault(vcpu, first << PAGE_SHIFT, code) != expected;
	return wrong;
}

/* EPT's, restated */
#define EPT_WRITABLE (1ULL << 1)
#define EPT_ACCESSED (1ULL << 8)
#define EPT_DIRTY    (1ULL << 9)

#endif /* MMU_VM_H */
