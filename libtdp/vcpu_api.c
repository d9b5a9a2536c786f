// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a vCPU's owner asks of the MMU, on whatever MMU there is: arguments are checked, the
 * SRCU section is entered, and the MMU does the rest.
 */
#include "mmu_calls.h"

/**
 * kvm_mmu_load() - give the vCPU the root for its role, made if there is none yet
 * @vcpu: the vCPU; nothing is done if it has a root
 *
 * The vCPU's TLB and paging-structure caches are to be taken as empty after that; see
 * kvm_vcpu_tlb_flushes(). Mirrors kvm_mmu_load().
 *
 * Context: takes mmu_lock for reading.
 * Return: 0; -ENOMEM, without a root; -EINVAL.
 */
int kvm_mmu_load(struct kvm_vcpu *vcpu)
{
	int idx, r;

	if (!vcpu)
		return -EINVAL;
	idx = srcu_read_lock(&vcpu->kvm->srcu);
	r = __kvm_mmu_load(vcpu);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	return r;
}

/**
 * kvm_mmu_unload() - the vCPU lets go of its root
 * @vcpu: the vCPU; not in the guest
 *
 * If that was the last reference to an invalid root, the root is zapped and freed.
 * Mirrors kvm_mmu_unload().
 *
 * Context: takes mmu_lock for reading.
 */
void kvm_mmu_unload(struct kvm_vcpu *vcpu)
{
	if (!vcpu)
		return;
	__kvm_mmu_unload(vcpu);
	vcpu->arch.mmio_gfn = 0;
}

/**
 * kvm_vcpu_enter_guest() - what must be done for the MMU before the guest runs
 * @vcpu: the vCPU
 *
 * Serves the vCPU's requests, then loads a root if there is none. Of vcpu_enter_guest(): a request
 * that comes meanwhile is served too, so that when this returns 0 and the caller enters the guest
 * at once, none is left.
 *
 * Context: takes mmu_lock for reading, inside an SRCU read section.
 * Return: 0: the guest may run; -ENOMEM: it has no root; -EINVAL.
 */
int kvm_vcpu_enter_guest(struct kvm_vcpu *vcpu)
{
	int idx, r;

	if (!vcpu)
		return -EINVAL;
	do {
		idx = srcu_read_lock(&vcpu->kvm->srcu);
		r = __kvm_vcpu_enter_guest(vcpu);
		srcu_read_unlock(&vcpu->kvm->srcu, idx);
	} while (!r && tdp_read_word(&vcpu->requests));
	return r;
}

/**
 * kvm_vcpu_set_mode() - enter or leave SMM or guest mode
 * @vcpu: the vCPU; not in the guest
 * @smm: in system management mode: address space 1
 * @guest_mode: in the nested-like mode, which has roots of its own
 *
 * The current root is put; the next is loaded by kvm_vcpu_enter_guest() or kvm_mmu_load().
 * Mirrors kvm_smm_changed() and kvm_mmu_reset_context().
 *
 * Context: takes mmu_lock for reading.
 * Return: 0; -EINVAL.
 */
int kvm_vcpu_set_mode(struct kvm_vcpu *vcpu, bool smm, bool guest_mode)
{
	if (!vcpu)
		return -EINVAL;
	vcpu->arch.smm = smm;
	vcpu->arch.guest_mode = guest_mode;
	kvm_mmu_unload(vcpu);
	kvm_init_mmu(vcpu);
	return 0;
}

/**
 * kvm_vcpu_root_hpa() - the root that the vCPU runs on
 * @vcpu: the vCPU
 *
 * Return: its physical address; INVALID_PAGE if none is loaded.
 */
hpa_t kvm_vcpu_root_hpa(struct kvm_vcpu *vcpu)
{
	return vcpu ? vcpu->arch.mmu->root.hpa : INVALID_PAGE;
}

/**
 * kvm_vcpu_mmio_gfn() - the gfn that is remembered to be MMIO
 * @vcpu: the vCPU
 *
 * Return: the gfn of the last MMIO access, as far as its fault told it; 0 if there was none.
 */
gfn_t kvm_vcpu_mmio_gfn(struct kvm_vcpu *vcpu)
{
	return vcpu ? vcpu->arch.mmio_gfn : 0;
}

/**
 * kvm_vcpu_tlb_flushes() - how often the vCPU's own TLB was flushed for a root being loaded
 * @vcpu: the vCPU
 *
 * Return: a count that only grows.
 */
__no_kcsan u64 kvm_vcpu_tlb_flushes(struct kvm_vcpu *vcpu)
{
	return vcpu ? vcpu->stat.tlb_flush : 0;
}

/**
 * kvm_vcpu_get_spte() - the last SPTE that translates a gpa in the vCPU's root
 * @vcpu: the vCPU
 * @gpa: guest physical address, bytes
 * @level: result: the SPTE's level; 0 if the vCPU has no root. May be NULL
 *
 * Mirrors get_sptes_lockless().
 *
 * Context: RCU read section; no lock.
 * Return: the SPTE, which may be non-present; 0 without a root.
 */
u64 kvm_vcpu_get_spte(struct kvm_vcpu *vcpu, gpa_t gpa, int *level)
{
	int found;
	u64 spte;

	if (level)
		*level = 0;
	if (!vcpu || !VALID_PAGE(vcpu->arch.mmu->root.hpa))
		return 0;

	spte = __kvm_vcpu_get_spte(vcpu, gpa, &found);
	if (level)
		*level = found;
	return spte;
}

/**
 * kvm_mmu_page_fault() - an EPT violation or misconfiguration, or a nested page fault
 * @vcpu: that faulted; out of the guest, with a root loaded
 * @gpa: guest physical address, bytes
 * @error_code: PFERR_*; RSVD for a misconfiguration
 *
 * Mirrors kvm_mmu_page_fault(), which goes on to emulate; here that is the caller's, who marks what
 * it writes by kvm_vcpu_mark_page_dirty(). A gpa that no SPTE can translate is emulated without
 * one.
 *
 * Context: takes mmu_lock for reading, inside an SRCU read section.
 * Return: RET_PF_FIXED; RET_PF_SPURIOUS; RET_PF_RETRY: let the guest try again; RET_PF_EMULATE:
 *	MMIO or a write to a read-only slot; RET_PF_WRITE_PROTECTED: a write to a tracked gfn;
 *	-ENOMEM; -EFAULT: the host has no such page; -EINVAL for bad arguments or broken page
 *	tables.
 */
int kvm_mmu_page_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	int idx, r;

	if (!vcpu)
		return -EINVAL;
	if (WARN_ON_ONCE(!VALID_PAGE(vcpu->arch.mmu->root.hpa)))
		return RET_PF_RETRY;
	if (gpa >> PAGE_SHIFT > kvm_mmu_max_gfn(vcpu->kvm))
		return RET_PF_EMULATE;

	idx = srcu_read_lock(&vcpu->kvm->srcu);
	r = __kvm_mmu_page_fault(vcpu, gpa, error_code);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	return r;
}

/**
 * kvm_arch_vcpu_pre_fault_memory() - map what comes first in a range, before the guest asks for it
 * @vcpu: whose root, loaded if there is none
 * @gfn: first guest frame
 * @npages: how many are wanted
 *
 * One mapping, of whatever size; ask again for what it leaves. Mirrors the function of that name,
 * which KVM_PRE_FAULT_MEMORY calls so. While the root or the pfn is stale, it tries again.
 *
 * Context: takes mmu_lock for reading, inside an SRCU read section.
 * Return: pages from @gfn on that the mapping has of the range; -ENOENT: MMIO; -EAGAIN: the slot is
 *	being deleted or moved; -ENOMEM; -EFAULT: the host has no such page; -EINVAL for bad
 *	arguments.
 */
s64 kvm_arch_vcpu_pre_fault_memory(struct kvm_vcpu *vcpu, gfn_t gfn, u64 npages)
{
	u8 level = PG_LEVEL_4K;
	u64 left;
	int idx, r;

	if (!vcpu || !npages || gfn > kvm_mmu_max_gfn(vcpu->kvm))
		return -EINVAL;

	idx = srcu_read_lock(&vcpu->kvm->srcu);
	r = __kvm_vcpu_pre_fault(vcpu, gfn, &level);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	if (r)
		return r;

	left = (gfn | (KVM_PAGES_PER_HPAGE(level) - 1)) + 1 - gfn;
	return left < npages ? left : npages;
}
