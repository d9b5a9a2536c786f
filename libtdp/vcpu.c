// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's side of the MMU: which root it runs on, and the requests that make it
 * leave one.  Mirrors the root handling of arch/x86/kvm/mmu/mmu.c and what
 * vcpu_enter_guest() in arch/x86/kvm/x86.c does for the MMU.
 */
#include "vcpu.h"

#include "mmu_calls.h"
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
	tdp_kick_vcpus(kvm, TDP_REQ_FREE_OBSOLETE_ROOTS);
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

/**
 * __kvm_mmu_load() - give the vCPU the root for its role, made if there is none yet
 * @vcpu: the vCPU; nothing is done if it has a root
 *
 * The vCPU's caches for the root's predecessors may hold anything, so it begins with empty ones.
 * Mirrors kvm_mmu_load().
 *
 * Context: SRCU read section; takes mmu_lock for reading.
 * Return: 0; -ENOMEM, without a root.
 */
int __kvm_mmu_load(struct kvm_vcpu *vcpu)
{
	int r;

	if (likely(VALID_PAGE(vcpu->arch.mmu->root.hpa)))
		return 0;
	r = mmu_topup_memory_caches(vcpu);
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
	return __kvm_mmu_load(vcpu);
}

/**
 * __kvm_mmu_unload() - the vCPU lets go of its root
 * @vcpu: the vCPU; not in the guest
 *
 * Mirrors kvm_mmu_unload().
 *
 * Context: takes mmu_lock for reading.
 */
void __kvm_mmu_unload(struct kvm_vcpu *vcpu)
{
	kvm_mmu_free_roots(vcpu);
}

/**
 * __kvm_vcpu_enter_guest() - serve the vCPU's requests, then load a root if there is none
 * @vcpu: the vCPU
 *
 * Context: SRCU read section; takes mmu_lock for reading.
 * Return: 0; -ENOMEM, without a root.
 */
int __kvm_vcpu_enter_guest(struct kvm_vcpu *vcpu)
{
	return kvm_mmu_reload(vcpu);
}

/**
 * __kvm_vcpu_get_spte() - the last SPTE that translates a gpa in the vCPU's root
 * @vcpu: the vCPU; has a root
 * @gpa: guest physical address, bytes
 * @level: result: the SPTE's level; 0 if there is none
 *
 * Mirrors get_sptes_lockless().
 *
 * Context: RCU read section; no lock.
 * Return: the SPTE, which may be non-present; 0 if there is none.
 */
u64 __kvm_vcpu_get_spte(struct kvm_vcpu *vcpu, gpa_t gpa, int *level)
{
	u64 sptes[PT64_ROOT_MAX_LEVEL + 1];
	int leaf, root_level;

	kvm_tdp_mmu_walk_lockless_begin();
	leaf = kvm_tdp_mmu_get_walk(vcpu, gpa, sptes, &root_level);
	kvm_tdp_mmu_walk_lockless_end();
	*level = leaf < 0 ? 0 : leaf;
	return leaf < 0 ? 0 : sptes[leaf];
}
