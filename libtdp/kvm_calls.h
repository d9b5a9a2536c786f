/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the MMU asks of the rest of KVM: flushes, the host's opinion of a frame, the
 * slots that are in force, stocks of memory.  kvm_host.h includes it.
 */
#ifndef TDP_KVM_CALLS_H
#define TDP_KVM_CALLS_H

/* Pfns that are no pfn: an error, or no slot. */
#define KVM_PFN_ERR_MASK	(0x7ffULL << 52)
#define KVM_PFN_ERR_NOSLOT_MASK (0xfffULL << 52)
#define KVM_PFN_NOSLOT		(1ULL << 63)
#define KVM_PFN_ERR_FAULT	KVM_PFN_ERR_MASK

#define VALID_PAGE(x) ((x) != INVALID_PAGE)

/* Highest gfn that can be mapped. */
static inline gfn_t kvm_mmu_max_gfn(const struct kvm *kvm)
{
	return (1ULL << (kvm->arch.maxphyaddr - PAGE_SHIFT)) - 1;
}

static inline bool is_error_noslot_pfn(kvm_pfn_t pfn)
{
	return (pfn & KVM_PFN_ERR_NOSLOT_MASK) != 0;
}

/* A condition that means the VM is broken: reported, and the VM is marked. */
static __always_inline bool kvm_bug_on(struct kvm *kvm, bool bug)
{
	if (unlikely(bug))
		kvm->vm_bugged = true;
	return bug;
}
#define KVM_BUG_ON(cond, kvm) kvm_bug_on(kvm, WARN_ON(cond))

/* Counts what nothing is decided by; so it is no point. */
#define tdp_count(counter) ((void)__atomic_fetch_add(&(counter), 1, __ATOMIC_RELAXED))

/* Flush all TLB entries of all vCPUs. Mirrors kvm_flush_remote_tlbs(). */
static inline void kvm_flush_remote_tlbs(struct kvm *kvm)
{
	tdp_count(kvm->stat.remote_tlb_flush);
	tdp_flush_tlbs(kvm);
}

/* Flush the entries that overlap [@gfn, @gfn + @nr_pages). Mirrors kvm_flush_remote_tlbs_range(). */
static inline void kvm_flush_remote_tlbs_range(struct kvm *kvm, gfn_t gfn, u64 nr_pages)
{
	tdp_count(kvm->stat.remote_tlb_flush);
	tdp_flush_tlbs_range(kvm, gfn, nr_pages);
}

static inline bool kvm_is_mmio_pfn(struct kvm *kvm, kvm_pfn_t pfn)
{
	return kvm->ops.is_mmio_pfn && kvm->ops.is_mmio_pfn(kvm->host, pfn);
}

/* Tell the host. Frames of devices have nobody to tell. Mirror kvm_set_pfn_dirty(), _accessed(). */
static inline void kvm_set_pfn_dirty(struct kvm *kvm, kvm_pfn_t pfn)
{
	if (!WARN_ON(is_error_noslot_pfn(pfn)) && !kvm_is_mmio_pfn(kvm, pfn))
		kvm->ops.set_pfn_dirty(kvm->host, pfn);
}

static inline void kvm_set_pfn_accessed(struct kvm *kvm, kvm_pfn_t pfn)
{
	if (!WARN_ON(is_error_noslot_pfn(pfn)) && !kvm_is_mmio_pfn(kvm, pfn))
		kvm->ops.set_pfn_accessed(kvm->host, pfn);
}

/* Likewise for @n frames from @pfn on. */
static inline void kvm_set_pfns(struct kvm *kvm, kvm_pfn_t pfn, u64 n, bool dirty, bool accessed)
{
	if (!dirty && !accessed)
		return;
	if (kvm->ops.set_pfns) {
		kvm->ops.set_pfns(kvm->host, pfn, n, dirty, accessed);
		return;
	}
	for (; n--; pfn++) {
		if (dirty)
			kvm_set_pfn_dirty(kvm, pfn);
		if (accessed)
			kvm_set_pfn_accessed(kvm, pfn);
	}
}

/* Needs kvm->srcu or slots_lock. */
static inline struct kvm_memslots *__kvm_memslots(struct kvm *kvm, int as_id)
{
	return rcu_dereference(kvm->memslots[as_id]);
}

static inline struct kvm_memslots *kvm_vcpu_memslots(struct kvm_vcpu *vcpu)
{
	return __kvm_memslots(vcpu->kvm, vcpu->arch.smm);
}

/* memslot.c, dirty_log.c: what the MMU asks of them */
void mark_page_dirty_in_slot(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn);

/* mmu_cache.c */
int kvm_mmu_topup_memory_cache(struct kvm_mmu_memory_cache *mc, int min);
void *kvm_mmu_memory_cache_alloc(struct kvm_mmu_memory_cache *mc);
void kvm_mmu_free_memory_cache(struct kvm_mmu_memory_cache *mc);

#endif /* TDP_KVM_CALLS_H */
