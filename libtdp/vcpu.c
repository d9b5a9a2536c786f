// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's side of the MMU: which root it runs on, and the requests that make it
 * leave one.  Mirrors the root handling of arch/x86/kvm/mmu/mmu.c and what
 * vcpu_enter_guest() in arch/x86/kvm/x86.c does for the MMU.
 */
#include "vcpu.h"

#include "spte.h"
#include "tdp_mmu.h"

/**
 * kvm_make_all_cpus_request() - ask every vCPU for something, before it enters the guest again
 * @kvm: the VM
 * @req: KVM_REQ_*
 *
 * When this returns, no vCPU is in the guest that has not seen the request.
 * Mirrors kvm_make_all_cpus_request().
 */
void kvm_make_all_cpus_request(struct kvm *kvm, u64 req)
{
	int i, nr = smp_load_acquire(&kvm->created_vcpus);

	for (i = 0; i < nr; i++)
		tdp_fetch_or(&kvm->vcpus[i]->requests, req);
	tdp_kick_vcpus(TDP_REQ_FREE_OBSOLETE_ROOTS);
}

/* True once per request. What the one who asked did before is visible after. */
static bool kvm_check_request(u64 req, struct kvm_vcpu *vcpu)
{
	if (!(READ_ONCE(vcpu->requests) & req))
		return false;
	tdp_fetch_andnot(&vcpu->requests, req);
	return true;
}

/**
 * kvm_init_mmu() - work out the role of the roots that the vCPU needs now
 * @vcpu: the vCPU; has no root
 *
 * Mirrors kvm_init_mmu() and kvm_calc_tdp_mmu_root_page_role().
 */
void kvm_init_mmu(struct kvm_vcpu *vcpu)
{
	struct kvm_mmu *mmu = &vcpu->arch.root_mmu;

	mmu->root_role = (union kvm_mmu_page_role){
		.level = vcpu->kvm->config.root_level,
		.direct = true,
		.access = ACC_ALL,
		.efer_nx = true,
		.cr0_wp = true,
		.ad_disabled = !kvm_ad_enabled(kvm_spte_format(vcpu->kvm)),
		.guest_mode = vcpu->arch.guest_mode,
		.smm = vcpu->arch.smm,
	};
	vcpu->arch.mmu = mmu;
}

/* Put the reference to the root. Mirrors kvm_mmu_free_roots(), for the one root a vCPU has here. */
static void kvm_mmu_free_roots(struct kvm_vcpu *vcpu)
{
	struct kvm_mmu *mmu = &vcpu->arch.root_mmu;
	struct kvm *kvm = vcpu->kvm;

	if (!VALID_PAGE(mmu->root.hpa))
		return;

	read_lock(&kvm->mmu_lock);
	kvm_tdp_mmu_put_root(kvm, root_to_sp(mmu->root.hpa));
	mmu->root.hpa = INVALID_PAGE;
	read_unlock(&kvm->mmu_lock);
}

/* Mirrors kvm_mmu_free_obsolete_roots(). */
static void kvm_mmu_free_obsolete_roots(struct kvm_vcpu *vcpu)
{
	struct kvm_mmu_page *root = root_to_sp(vcpu->arch.root_mmu.root.hpa);
	union kvm_mmu_page_role role;

	if (!root)
		return;
	role.word = READ_ONCE(root->role.word);
	if (role.invalid)
		kvm_mmu_free_roots(vcpu);
}

/* The vCPU's caches for the root's predecessors may hold anything, so it begins with empty ones. */
static int __kvm_mmu_load(struct kvm_vcpu *vcpu)
{
	int r = mmu_topup_memory_caches(vcpu);

	if (!r)
		r = kvm_tdp_mmu_alloc_root(vcpu);
	if (!r)
		vcpu->stat.tlb_flush++;
	return r;
}

/**
 * kvm_mmu_reload() - have a root that is not known to be obsolete
 * @vcpu: the vCPU
 *
 * Mirrors kvm_mmu_reload() as of v6.15 (20a6cff3b283), which serves the request to free obsolete
 * roots: without that, prefaulting on one retries for ever.
 *
 * Context: SRCU read section; takes mmu_lock for reading.
 * Return: 0; -ENOMEM, without a root.
 */
int kvm_mmu_reload(struct kvm_vcpu *vcpu)
{
	if (kvm_check_request(KVM_REQ_MMU_FREE_OBSOLETE_ROOTS, vcpu))
		kvm_mmu_free_obsolete_roots(vcpu);
	if (likely(VALID_PAGE(vcpu->arch.mmu->root.hpa)))
		return 0;
	return __kvm_mmu_load(vcpu);
}

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
	int idx, r = 0;

	if (!vcpu)
		return -EINVAL;
	idx = srcu_read_lock(&vcpu->kvm->srcu);
	if (!VALID_PAGE(vcpu->arch.mmu->root.hpa))
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
	kvm_mmu_free_roots(vcpu);
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
		r = kvm_mmu_reload(vcpu);
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
	u64 sptes[PT64_ROOT_MAX_LEVEL + 1];
	int leaf, root_level;

	if (level)
		*level = 0;
	if (!vcpu || !VALID_PAGE(vcpu->arch.mmu->root.hpa))
		return 0;

	kvm_tdp_mmu_walk_lockless_begin();
	leaf = kvm_tdp_mmu_get_walk(vcpu, gpa, sptes, &root_level);
	kvm_tdp_mmu_walk_lockless_end();
	if (leaf < 0)
		return 0;
	if (level)
		*level = leaf;
	return sptes[leaf];
}
