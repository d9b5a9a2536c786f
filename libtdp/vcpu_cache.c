// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's stocks.  Mirrors mmu_topup_memory_caches() and its kin in
 * arch/x86/kvm/mmu/mmu.c.
 */
#include "mmu_internal.h"

/**
 * mmu_init_memory_caches() - set a new vCPU's empty stocks up
 * @vcpu: vCPU
 *
 * Mirrors the beginning of kvm_mmu_create().
 */
void mmu_init_memory_caches(struct kvm_vcpu *vcpu)
{
	vcpu->arch.mmu_page_header_cache.object_size = sizeof(struct kvm_mmu_page);
	vcpu->arch.mmu_shadow_page_cache.init_value = SHADOW_NONPRESENT_VALUE;
	/* A table that splits a huge page would be set twice, and there are more of these than of others. */
	vcpu->arch.mmu_shadow_page_cache.set_later = true;
}

/**
 * mmu_topup_memory_caches() - get ready for a fault
 * @vcpu: that faulted, or loads a root
 *
 * A fault may need a table per level.  Mirrors mmu_topup_memory_caches().
 *
 * Context: no lock held.
 * Return: 0 or -ENOMEM.
 */
int mmu_topup_memory_caches(struct kvm_vcpu *vcpu)
{
	int r = kvm_mmu_topup_memory_cache(&vcpu->arch.mmu_shadow_page_cache, PT64_ROOT_MAX_LEVEL);

	if (r)
		return r;
	return kvm_mmu_topup_memory_cache(&vcpu->arch.mmu_page_header_cache, PT64_ROOT_MAX_LEVEL);
}

/**
 * mmu_free_memory_caches() - free a vCPU's stocks
 * @vcpu: vCPU that goes away
 *
 * Mirrors mmu_free_memory_caches().
 */
void mmu_free_memory_caches(struct kvm_vcpu *vcpu)
{
	kvm_mmu_free_memory_cache(&vcpu->arch.mmu_shadow_page_cache);
	kvm_mmu_free_memory_cache(&vcpu->arch.mmu_page_header_cache);
}
