// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tree asks of the host's memory management, answered by struct tdp_host_ops.
 * Where the kernel looks into something global, the VM made last is asked.
 */
#include "mmu.h"
#include "mmu_internal.h"

struct kvm *upstream_vm;

static bool host_is_mmio(kvm_pfn_t pfn)
{
	const struct kvm *kvm = upstream_vm;

	return kvm->ops.is_mmio_pfn && kvm->ops.is_mmio_pfn(kvm->host, pfn);
}

/* kvm_is_mmio_pfn() takes what is no RAM for a device. */
bool e820__mapped_raw_any(u64 start, u64 end, enum e820_type type)
{
	(void)end;
	(void)type;
	return !host_is_mmio(start >> PAGE_SHIFT);
}

void kvm_set_pfn_dirty(kvm_pfn_t pfn)
{
	if (!WARN_ON(is_error_noslot_pfn(pfn)) && !host_is_mmio(pfn))
		upstream_vm->ops.set_pfn_dirty(upstream_vm->host, pfn);
}

void kvm_set_pfn_accessed(kvm_pfn_t pfn)
{
	if (!WARN_ON(is_error_noslot_pfn(pfn)) && !host_is_mmio(pfn))
		upstream_vm->ops.set_pfn_accessed(upstream_vm->host, pfn);
}

static hvn_t slot_hvn(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	return slot->hvn + (gfn - slot->base_gfn);
}

int host_pfn_mapping_level(struct kvm *kvm, gfn_t gfn, const struct kvm_memory_slot *slot)
{
	int level = kvm->ops.mapping_level(kvm->host, slot_hvn(slot, gfn));

	return max(level, (int)PG_LEVEL_4K);
}

#undef tdp_mmu_pages
void upstream_account_page(int n);

/* kvm_account_pgtable_pages(), where the TDP MMU has no counter of its own. */
void upstream_account_page(int n)
{
	atomic64_add(n, &upstream_vm->arch.tdp_mmu_pages);
}

#undef __gfn_to_pfn_memslot
/* What must be tried again later is, to the kernel, a page that hardware has found broken. */
static kvm_pfn_t look_up(const struct kvm_memory_slot *slot, gfn_t gfn, bool write_fault,
			 bool *writable)
{
	const bool readonly = slot->flags & KVM_MEM_READONLY;
	bool host_writable = false;
	kvm_pfn_t pfn = 0;
	int r;

	if (readonly && write_fault)
		return KVM_PFN_ERR_RO_FAULT;

	r = upstream_vm->ops.fault_in(upstream_vm->host, slot_hvn(slot, gfn), write_fault,
				      &host_writable, &pfn);
	/* The kernel samples this plainly, which is no point: were it sampled only now, it would show. */
	upstream_point(&upstream_vm->mmu_invalidate_seq);
	if (r == -EAGAIN)
		return KVM_PFN_ERR_HWPOISON;
	if (r)
		return KVM_PFN_ERR_FAULT;
	*writable = host_writable && !readonly;
	return pfn;
}

kvm_pfn_t __gfn_to_pfn_memslot(const struct kvm_memory_slot *slot, gfn_t gfn, bool atomic,
			       bool interruptible, bool *async, bool write_fault, bool *writable,
			       hva_t *hva)
{
	(void)atomic;
	(void)interruptible;
	(void)async;
	*writable = false;
	if (!slot) {
		*hva = KVM_HVA_ERR_BAD;
		return KVM_PFN_NOSLOT;
	}
	if (hva)
		*hva = slot_hvn(slot, gfn) << PAGE_SHIFT;
	return look_up(slot, gfn, write_fault, writable);
}

#ifdef TREE_HAS_kvm_mmu_faultin_pfn
/* What has a struct page is no device's; it stands for that, and is never looked into. */
kvm_pfn_t __kvm_faultin_pfn(const struct kvm_memory_slot *slot, gfn_t gfn, unsigned int foll,
			    bool *writable, struct page **refcounted_page)
{
	kvm_pfn_t pfn;

	*writable = false;
	*refcounted_page = NULL;
	pfn = look_up(slot, gfn, foll & FOLL_WRITE, writable);
	if (!is_error_noslot_pfn(pfn) && !host_is_mmio(pfn))
		*refcounted_page = (struct page *)(pfn << PAGE_SHIFT | 1);
	return pfn;
}

void kvm_release_faultin_page(struct kvm *kvm, struct page *page, bool unused, bool dirty)
{
	const kvm_pfn_t pfn = (uintptr_t)page >> PAGE_SHIFT;

	WARN_ON(!unused && !lockdep_is_held(&kvm->mmu_lock));
	if (!page || unused)
		return;
	if (dirty)
		kvm_set_pfn_dirty(pfn);
	kvm_set_pfn_accessed(pfn);
}
#endif
