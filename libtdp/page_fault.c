// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest page fault, from its error code to the TDP MMU: look the pfn up, choose
 * the size of the mapping, make sure that nothing has changed meanwhile, map.
 * Mirrors the direct-fault path of arch/x86/kvm/mmu/mmu.c.
 */
#include "page_fault.h"

#include "memslot.h"
#include "mmu_calls.h"
#include "notifier.h"
#include "page_track.h"
#include "spte.h"
#include "tdp_mmu.h"
#include "vcpu.h"

/**
 * mmu_try_to_unsync_pages() - may the gfn be made writable?
 * @kvm: the VM
 * @slot: that holds @gfn
 * @gfn: guest frame
 * @can_unsync: for shadow paging
 * @prefetch: for shadow paging
 *
 * Mirrors mmu_try_to_unsync_pages(), without shadow pages.
 *
 * Context: mmu_lock held, SRCU read section.
 * Return: 0; -EPERM if writes to it are tracked.
 */
int mmu_try_to_unsync_pages(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn,
			    bool can_unsync, bool prefetch)
{
	(void)can_unsync;
	(void)prefetch;
	return kvm_gfn_is_write_tracked(kvm, slot, gfn) ? -EPERM : 0;
}

/**
 * kvm_mmu_max_mapping_level() - the largest page that may map a gfn
 * @kvm: the VM
 * @slot: that holds @gfn
 * @gfn: guest frame
 * @max_level: upper bound
 *
 * What the slot's shape and users of the gfn allow, and what the host maps there now.
 * Mirrors kvm_mmu_max_mapping_level() and host_pfn_mapping_level().
 *
 * Context: mmu_lock held; to map by it, after mmu_invalidate_retry_gfn() too.
 * Return: PG_LEVEL_4K to @max_level.
 */
int kvm_mmu_max_mapping_level(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn,
			      int max_level)
{
	int host_level;

	if (max_level > KVM_MAX_HUGEPAGE_LEVEL)
		max_level = KVM_MAX_HUGEPAGE_LEVEL;
	while (max_level > PG_LEVEL_4K && kvm_lpage_disallowed(slot, gfn, max_level))
		max_level--;
	if (max_level <= PG_LEVEL_4K)
		return PG_LEVEL_4K;

	host_level = kvm->ops.mapping_level(kvm->host, slot->hvn + (gfn - slot->base_gfn));
	if (host_level <= PG_LEVEL_4K)
		return PG_LEVEL_4K;
	return host_level < max_level ? host_level : max_level;
}

/**
 * kvm_mmu_hugepage_adjust() - choose the size of the mapping
 * @vcpu: that faulted
 * @fault: the fault; gets req_level, goal_level and a pfn aligned to that
 *
 * What is logged is mapped in 4K pages, and so is what is executed under the NX mitigation.
 * Mirrors kvm_mmu_hugepage_adjust().
 *
 * Context: mmu_lock held, and the fault known not to be stale.
 */
void kvm_mmu_hugepage_adjust(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	kvm_pfn_t mask;

	fault->huge_page_disallowed = fault->nx_huge_page_workaround_enabled && fault->exec;

	/* MMIO has no size, and of logged memory no huge page could be writable. */
	if (fault->max_level == PG_LEVEL_4K || is_error_noslot_pfn(fault->pfn) ||
	    kvm_slot_dirty_track_enabled(fault->slot))
		return;

	/*
	 * What could have been is recorded even where the mitigation forbids it: NX recovery wants
	 * to know.
	 */
	fault->req_level =
		kvm_mmu_max_mapping_level(vcpu->kvm, fault->slot, fault->gfn, fault->max_level);
	if (fault->req_level <= PG_LEVEL_4K || fault->huge_page_disallowed)
		return;

	mask = KVM_PAGES_PER_HPAGE(fault->req_level) - 1;
	if (WARN_ON_ONCE((fault->gfn & mask) != (fault->pfn & mask)))
		return;
	fault->goal_level = fault->req_level;
	fault->pfn &= ~mask;
}

/**
 * disallowed_hugepage_adjust() - do not put a huge page where the guest executes from small ones
 * @fault: the fault; may get a goal one level lower, and the pfn for it
 * @spte: SPTE that the walk has met
 * @cur_level: its level
 *
 * Mirrors disallowed_hugepage_adjust().
 *
 * Context: mmu_lock held, RCU read section.
 */
void disallowed_hugepage_adjust(struct kvm_page_fault *fault, u64 spte, int cur_level)
{
	u64 below;

	if (cur_level == PG_LEVEL_4K || cur_level != fault->goal_level)
		return;
	if (!is_shadow_present_pte(spte) || is_large_pte(spte))
		return;
	if (!tdp_read_word(&spte_to_child_sp(spte)->nx_huge_page_disallowed))
		return;

	/* The nine bits of the address that the larger page did not need. */
	below = KVM_PAGES_PER_HPAGE(cur_level - 1);
	fault->pfn |= fault->gfn & (KVM_PAGES_PER_HPAGE(cur_level) - below);
	fault->goal_level--;
}

/* A write to a tracked gfn; anything that a fault could do about it would be undone. */
static bool page_fault_handle_page_track(struct kvm_vcpu *vcpu, const struct kvm_page_fault *fault)
{
	if (unlikely(fault->rsvd))
		return false;
	if (!fault->present || !fault->write)
		return false;
	return kvm_gfn_is_write_tracked(vcpu->kvm, fault->slot, fault->gfn);
}

/*
 * Ask the host for the pfn.  In a read-only slot it is never writable, and a write is
 * left to the VMM.  Mirrors __gfn_to_pfn_memslot() and kvm_handle_error_pfn().
 */
static int __kvm_faultin_pfn(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	bool readonly = fault->slot->flags & KVM_MEM_READONLY, writable = false;
	struct kvm *kvm = vcpu->kvm;
	int r;

	fault->hvn = fault->slot->hvn + (fault->gfn - fault->slot->base_gfn);
	if (readonly && fault->write)
		return RET_PF_EMULATE;

	r = kvm->ops.fault_in(kvm->host, fault->hvn, fault->write, &writable, &fault->pfn);
	if (r == -EAGAIN)
		return RET_PF_RETRY;
	if (r || WARN_ON_ONCE(is_error_noslot_pfn(fault->pfn)))
		return -EFAULT;
	fault->map_writable = writable && !readonly;
	return RET_PF_CONTINUE;
}

/*
 * The sequence number is read before anything that an invalidation could change: if
 * it still is the same when mmu_lock is held, the pfn is good.
 */
static int kvm_faultin_pfn(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault, unsigned int access)
{
	struct kvm *kvm = vcpu->kvm;
	int r;

	fault->mmu_seq = smp_load_acquire(&kvm->mmu_invalidate_seq);

	if (unlikely(!fault->slot))
		return kvm_handle_noslot_fault(vcpu, fault, access);

	/*
	 * Being deleted or moved: no MMIO SPTE before all that maps the slot is gone.  A
	 * prefault must let go of SRCU, which the deletion waits for (upstream in v6.18:
	 * 3ccbf6f47098).
	 */
	if (fault->slot->flags & KVM_MEMSLOT_INVALID)
		return fault->prefetch ? -EAGAIN : RET_PF_RETRY;

	if (mmu_invalidate_retry_gfn_unsafe(kvm, fault->mmu_seq, fault->gfn))
		return RET_PF_RETRY;

	r = __kvm_faultin_pfn(vcpu, fault);
	if (r != RET_PF_CONTINUE)
		return r;

	if (mmu_invalidate_retry_gfn_unsafe(kvm, fault->mmu_seq, fault->gfn))
		return RET_PF_RETRY;
	return RET_PF_CONTINUE;
}

/* Has the root become obsolete, or the pfn? */
static bool is_page_fault_stale(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct kvm_mmu_page *root = root_to_sp(vcpu->arch.mmu->root.hpa);

	if (!root || root->role.invalid)
		return true;
	return fault->slot && mmu_invalidate_retry_gfn(vcpu->kvm, fault->mmu_seq, fault->gfn);
}

/* Mirrors kvm_tdp_mmu_page_fault(). */
static int kvm_tdp_page_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	struct kvm *kvm = vcpu->kvm;
	int r;

	if (page_fault_handle_page_track(vcpu, fault))
		return RET_PF_WRITE_PROTECTED;

	r = fast_page_fault(vcpu, fault);
	if (r != RET_PF_INVALID)
		return r;

	r = mmu_topup_memory_caches(vcpu);
	if (r)
		return r;

	r = kvm_faultin_pfn(vcpu, fault, ACC_ALL);
	if (r != RET_PF_CONTINUE)
		return r;

	read_lock(&kvm->mmu_lock);
	r = is_page_fault_stale(vcpu, fault) ? RET_PF_RETRY : kvm_tdp_mmu_map(vcpu, fault);
	read_unlock(&kvm->mmu_lock);
	return r;
}

/* Mirrors kvm_mmu_do_page_fault(). */
static int kvm_mmu_do_page_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code, bool prefetch,
				 u8 *level)
{
	struct kvm_page_fault fault = {
		.addr = gpa,
		.error_code = error_code,
		.prefetch = prefetch,
		.exec = error_code & PFERR_FETCH_MASK,
		.write = error_code & PFERR_WRITE_MASK,
		.present = error_code & PFERR_PRESENT_MASK,
		.rsvd = error_code & PFERR_RSVD_MASK,
		.user = error_code & PFERR_USER_MASK,
		.is_tdp = true,
		.nx_huge_page_workaround_enabled = is_nx_huge_page_enabled(vcpu->kvm),
		.max_level = KVM_MAX_HUGEPAGE_LEVEL,
		.req_level = PG_LEVEL_4K,
		.goal_level = PG_LEVEL_4K,
		.gfn = gpa >> PAGE_SHIFT,
		.slot = kvm_vcpu_gfn_to_memslot(vcpu, gpa >> PAGE_SHIFT),
		.pfn = KVM_PFN_ERR_FAULT,
	};
	int r = kvm_tdp_page_fault(vcpu, &fault);

	if (level)
		*level = fault.goal_level;
	return r;
}

/**
 * __kvm_mmu_page_fault() - kvm_mmu_page_fault() for a gpa that an SPTE can translate
 * @vcpu: that faulted; out of the guest, with a root loaded
 * @gpa: guest physical address, bytes
 * @error_code: PFERR_*
 *
 * Mirrors kvm_mmu_page_fault().
 *
 * Context: SRCU read section; takes mmu_lock for reading.
 * Return: as kvm_mmu_page_fault().
 */
int __kvm_mmu_page_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	int r;

	if (error_code & PFERR_RSVD_MASK) {
		r = handle_mmio_page_fault(vcpu, gpa);
		if (r != RET_PF_INVALID)
			return r;
	}

	vcpu->stat.pf_taken++;
	r = kvm_mmu_do_page_fault(vcpu, gpa, error_code, false, NULL);
	if (KVM_BUG_ON(r == RET_PF_INVALID, vcpu->kvm))
		return -EIO;

	if (r == RET_PF_FIXED)
		vcpu->stat.pf_fixed++;
	else if (r == RET_PF_EMULATE || r == RET_PF_WRITE_PROTECTED)
		vcpu->stat.pf_emulate++;
	else if (r == RET_PF_SPURIOUS)
		vcpu->stat.pf_spurious++;
	return r;
}

/*
 * Maps the page, of which @level gets the size, before the guest asks for it. Mirrors
 * kvm_tdp_map_page(); while the root or the pfn is stale, it tries again.
 */
static int kvm_tdp_map_page(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code, u8 *level)
{
	int r;

	for (;;) {
		cond_resched();
		r = kvm_mmu_reload(vcpu);
		if (r)
			return r;
		r = kvm_mmu_do_page_fault(vcpu, gpa, error_code, true, level);
		if (r != RET_PF_RETRY)
			break;
		cpu_relax();
	}

	switch (r) {
	case RET_PF_FIXED:
	case RET_PF_SPURIOUS:
	case RET_PF_WRITE_PROTECTED:
		return 0;
	case RET_PF_EMULATE:
		return -ENOENT;
	default:
		return WARN_ON_ONCE(r >= 0) ? -EIO : r;
	}
}

/**
 * __kvm_vcpu_pre_fault() - map a page before the guest asks for it
 * @vcpu: whose root, loaded if there is none
 * @gfn: guest frame
 * @level: result: size of the mapping
 *
 * Context: SRCU read section; takes mmu_lock for reading.
 * Return: 0, or as kvm_arch_vcpu_pre_fault_memory().
 */
int __kvm_vcpu_pre_fault(struct kvm_vcpu *vcpu, gfn_t gfn, u8 *level)
{
	return kvm_tdp_map_page(vcpu, gfn << PAGE_SHIFT, 0, level);
}
