// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of a VM and of a vCPU is the MMU's.  Mirrors those parts of arch/x86/kvm/mmu/mmu.c.
 */
#include "mmu_calls.h"
#include "mmu_internal.h"
#include "tdp_mmu.h"

const struct tdp_backend tdp_backend = {
	.name = "libtdp",
	.split_policy = true,
	.zap_policy = true,
};

/**
 * kvm_mmu_init_vm() - the MMU of a new VM
 * @kvm: the VM
 *
 * Mirrors kvm_mmu_init_vm(), and what the vendor modules do with masks and module parameters.
 */
void kvm_mmu_init_vm(struct kvm *kvm)
{
	tdp_spte_format_init(&kvm->arch.spte_format, &kvm->config);
	kvm->arch.fault_policy = kvm->config.fault_policy;
	kvm->arch.nx_huge_pages = kvm->config.nx_huge_pages;
	kvm_mmu_init_tdp_mmu(kvm);
}

/**
 * kvm_mmu_uninit_vm() - the end of it
 * @kvm: the VM, whose vCPUs are gone
 *
 * Mirrors kvm_mmu_uninit_vm().
 *
 * Context: no lock held, outside RCU read sections: waits for RCU callbacks.
 */
void kvm_mmu_uninit_vm(struct kvm *kvm)
{
	kvm_mmu_uninit_tdp_mmu(kvm);
}

/**
 * kvm_mmu_create() - the MMU of a new vCPU
 * @vcpu: the vCPU
 *
 * Mirrors kvm_mmu_create().
 */
void kvm_mmu_create(struct kvm_vcpu *vcpu)
{
	vcpu->arch.root_mmu.root.hpa = INVALID_PAGE;
	mmu_init_memory_caches(vcpu);
	kvm_init_mmu(vcpu);
}

/**
 * kvm_mmu_destroy() - the end of it
 * @vcpu: the vCPU; has no root
 *
 * Mirrors kvm_mmu_destroy().
 */
void kvm_mmu_destroy(struct kvm_vcpu *vcpu)
{
	mmu_free_memory_caches(vcpu);
}
