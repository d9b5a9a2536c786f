/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the MMU share among themselves.  Mirrors
 * arch/x86/kvm/mmu/mmu_internal.h.
 */
#ifndef TDP_MMU_INTERNAL_H
#define TDP_MMU_INTERNAL_H

#include "kvm_host.h"

#include <tdp/tdp_iter.h>

/* The kernel checks these under CONFIG_KVM_PROVE_MMU only; here always. */
#define KVM_MMU_WARN_ON(x)	WARN_ON_ONCE(x)

/**
 * struct kvm_mmu_page - what is known of a page table
 * @link: in kvm->arch.tdp_mmu_roots, if a root
 * @role: level of its entries and the like
 * @tdp_mmu_page: always, here
 * @tdp_mmu_scheduled_root_to_zap: invalidated and not zapped yet; under slots_lock
 * @nx_huge_page_disallowed: made small for an executing guest under the NX mitigation
 * @gfn: first gfn it maps
 * @spt: its entries
 * @tdp_mmu_root_count: references, if a root
 * @ptep: the SPTE that links it, NULL if a root
 * @possible_nx_huge_page_link: in kvm->arch.possible_nx_huge_pages
 * @rcu_head: frees it
 */
struct kvm_mmu_page {
	struct cds_list_head link;
	union kvm_mmu_page_role role;
	bool tdp_mmu_page;
	bool tdp_mmu_scheduled_root_to_zap;
	bool nx_huge_page_disallowed;
	gfn_t gfn;
	u64 *spt;
	refcount_t tdp_mmu_root_count;
	tdp_ptep_t ptep;
	struct cds_list_head possible_nx_huge_page_link;
	struct rcu_head rcu_head;
};

static inline int kvm_mmu_role_as_id(union kvm_mmu_page_role role)
{
	return role.smm ? 1 : 0;
}

static inline int kvm_mmu_page_as_id(const struct kvm_mmu_page *sp)
{
	return kvm_mmu_role_as_id(sp->role);
}

/* A nested guest's gpas are not what the page-modification log should hold: intercept its writes. */
static inline bool kvm_mmu_page_ad_need_write_protect(struct kvm *kvm,
						      const struct kvm_mmu_page *sp)
{
	return kvm->arch.cpu_dirty_log_size && sp->role.guest_mode;
}

static inline gfn_t gfn_round_for_level(gfn_t gfn, int level)
{
	return gfn & -KVM_PAGES_PER_HPAGE(level);
}

/* Flush the page of size @level that holds @gfn. */
static inline void kvm_flush_remote_tlbs_gfn(struct kvm *kvm, gfn_t gfn, int level)
{
	kvm_flush_remote_tlbs_range(kvm, gfn_round_for_level(gfn, level),
				    KVM_PAGES_PER_HPAGE(level));
}

static inline bool is_nx_huge_page_enabled(struct kvm *kvm)
{
	return READ_ONCE(kvm->arch.nx_huge_pages);
}

/**
 * struct kvm_page_fault - one fault, from error code to mapping
 * @addr: gpa
 * @error_code: PFERR_*
 * @prefetch: no access waits for it (KVM_PRE_FAULT_MEMORY)
 * @exec: from @error_code
 * @write: from @error_code
 * @present: from @error_code
 * @rsvd: from @error_code
 * @user: from @error_code
 * @is_tdp: always
 * @nx_huge_page_workaround_enabled: state of the mitigation when the fault began
 * @huge_page_disallowed: the mitigation forbids a huge page for this fault
 * @max_level: upper bound to begin with
 * @req_level: largest that slot and host allow
 * @goal_level: what is to be mapped
 * @gfn: faulting page
 * @slot: that holds @gfn, or NULL
 * @mmu_seq: mmu_invalidate_seq before the pfn was looked up
 * @pfn: frame
 * @hvn: host virtual page
 * @map_writable: the host allows a writable mapping
 */
struct kvm_page_fault {
	gpa_t addr;
	u64 error_code;
	bool prefetch;
	bool exec;
	bool write;
	bool present;
	bool rsvd;
	bool user;
	bool is_tdp;
	bool nx_huge_page_workaround_enabled;
	bool huge_page_disallowed;
	u8 max_level;
	u8 req_level;
	u8 goal_level;
	gfn_t gfn;
	struct kvm_memory_slot *slot;
	u64 mmu_seq;
	kvm_pfn_t pfn;
	hvn_t hvn;
	bool map_writable;
};

/* nx_huge_page.c; both need tdp_mmu_pages_lock */
void track_possible_nx_huge_page(struct kvm *kvm, struct kvm_mmu_page *sp);
void untrack_possible_nx_huge_page(struct kvm *kvm, struct kvm_mmu_page *sp);

/* page_fault.c */
void kvm_mmu_hugepage_adjust(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault);
int kvm_mmu_max_mapping_level(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn,
			      int max_level);
void disallowed_hugepage_adjust(struct kvm_page_fault *fault, u64 spte, int cur_level);

/* page_track.c */
int mmu_try_to_unsync_pages(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn,
			    bool can_unsync, bool prefetch);

#endif /* TDP_MMU_INTERNAL_H */
