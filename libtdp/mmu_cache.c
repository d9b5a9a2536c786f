// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables and their headers, kept in stock by each vCPU so that a fault that
 * holds mmu_lock need not allocate.  Mirrors kvm_mmu_topup_memory_cache() and its
 * kin in virt/kvm/kvm_main.c; what a vCPU keeps is in vcpu_cache.c.
 */
#include "kvm_host.h"

static void *mmu_memory_cache_alloc_obj(struct kvm_mmu_memory_cache *mc)
{
	if (mc->object_size)
		return kzalloc(mc->object_size);
	return mc->set_later ? tdp_page_reserve(mc->init_value) : tdp_page_alloc(mc->init_value);
}

/**
 * kvm_mmu_topup_memory_cache() - fill a stock up
 * @mc: stock
 * @min: objects that are needed, at most its capacity
 *
 * Mirrors kvm_mmu_topup_memory_cache().
 *
 * Context: no lock held.
 * Return: 0 if there are @min objects at least, else -ENOMEM.
 */
int kvm_mmu_topup_memory_cache(struct kvm_mmu_memory_cache *mc, int min)
{
	if (mc->nobjs >= min)
		return 0;

	while (mc->nobjs < KVM_ARCH_NR_OBJS_PER_MEMORY_CACHE) {
		void *obj = mmu_memory_cache_alloc_obj(mc);

		if (!obj)
			return mc->nobjs < min ? -ENOMEM : 0;
		mc->objects[mc->nobjs++] = obj;
	}
	return 0;
}

/**
 * kvm_mmu_memory_cache_alloc() - take an object out
 * @mc: stock, filled before mmu_lock was taken
 *
 * Mirrors kvm_mmu_memory_cache_alloc().
 *
 * Return: the object; with an empty stock, which is a bug, what the allocator gives.
 */
void *kvm_mmu_memory_cache_alloc(struct kvm_mmu_memory_cache *mc)
{
	if (WARN_ON(!mc->nobjs))
		return mmu_memory_cache_alloc_obj(mc);
	return mc->objects[--mc->nobjs];
}

/**
 * kvm_mmu_free_memory_cache() - free what is left in a stock
 * @mc: stock; can be filled again
 *
 * Mirrors kvm_mmu_free_memory_cache().
 */
void kvm_mmu_free_memory_cache(struct kvm_mmu_memory_cache *mc)
{
	while (mc->nobjs) {
		void *obj = mc->objects[--mc->nobjs];

		if (mc->object_size)
			kfree(obj);
		else
			tdp_page_free(obj);
	}
}
