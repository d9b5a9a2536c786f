/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files around the MMU ask of it: libtdp's own, or the kernel's code behind the same
 * interface (kunit-port/upstream).  __f() is the MMU's part of the public f(), whose arguments
 * have been checked.
 */
#ifndef LIBTDP_MMU_CALLS_H
#define LIBTDP_MMU_CALLS_H

#include "kvm_host.h"

/* A VM, a vCPU comes or goes: kvm->config and vcpu->kvm are set, vCPUs have been unloaded. */
void kvm_mmu_init_vm(struct kvm *kvm);
void kvm_mmu_uninit_vm(struct kvm *kvm);
void kvm_mmu_create(struct kvm_vcpu *vcpu);
void kvm_mmu_destroy(struct kvm_vcpu *vcpu);

/* Roots. Within an SRCU read section, but for the unload and the choice of the role. */
int __kvm_mmu_load(struct kvm_vcpu *vcpu);
void __kvm_mmu_unload(struct kvm_vcpu *vcpu);
int __kvm_vcpu_enter_guest(struct kvm_vcpu *vcpu);
void kvm_init_mmu(struct kvm_vcpu *vcpu);
u64 __kvm_vcpu_get_spte(struct kvm_vcpu *vcpu, gpa_t gpa, int *level);

/* Faults, within an SRCU read section. @level gets the size of what has been mapped. */
int __kvm_mmu_page_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code);
int __kvm_vcpu_pre_fault(struct kvm_vcpu *vcpu, gfn_t gfn, u8 *level);

/* Zaps. Those of all roots that vCPUs leave at once want slots_lock held, the others no lock. */
void __kvm_mmu_zap_all_fast(struct kvm *kvm);
void __kvm_mmu_invalidate_mmio_sptes(struct kvm *kvm, u64 gen);
void kvm_arch_flush_shadow_memslot(struct kvm *kvm, struct kvm_memory_slot *slot);
void __kvm_mmu_zap_all(struct kvm *kvm);
void __kvm_zap_gfn_range(struct kvm *kvm, gfn_t start, gfn_t end);

/* Slots, with slots_lock held; the second with mmu_lock for writing, and it owes a flush if true. */
void __kvm_mmu_slot_try_split_huge_pages(struct kvm *kvm, const struct kvm_memory_slot *slot,
					 int target_level);
bool __kvm_mmu_slot_gfn_write_protect(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn,
				      int min_level);

/* The iTLB-multihit mitigation; no lock held. */
void __kvm_set_nx_huge_pages(struct kvm *kvm, bool on);
void __kvm_recover_nx_huge_pages(struct kvm *kvm);

#endif /* LIBTDP_MMU_CALLS_H */
