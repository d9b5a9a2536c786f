/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * UPSTREAM_REPAIRED: what the findings (docs/findings) are about is put right around the
 * tree's code, which stays as it is, so that the oracle has a clear view of the rest.
 * front.c includes this.
 */
#ifndef UPSTREAM_REPAIRS_H
#define UPSTREAM_REPAIRS_H

/* clear-crosses-huge-page: which huge page an address is in. */
#undef ALIGN
#define ALIGN(x, a) ((x) & ~((__typeof__(x))(a) - 1))

/* mmio-spte-taken-for-writable; tdp_mmu.c calls this in place of make_spte(). */
bool repaired_make_spte(struct kvm_vcpu *vcpu, struct kvm_mmu_page *sp,
			const struct kvm_memory_slot *slot, unsigned int access, gfn_t gfn,
			kvm_pfn_t pfn, u64 old_spte, bool prefetch, bool can_unsync,
			bool host_writable, u64 *new_spte);
bool repaired_make_spte(struct kvm_vcpu *vcpu, struct kvm_mmu_page *sp,
			const struct kvm_memory_slot *slot, unsigned int access, gfn_t gfn,
			kvm_pfn_t pfn, u64 old_spte, bool prefetch, bool can_unsync,
			bool host_writable, u64 *new_spte)
{
	const bool was_present = is_shadow_present_pte(old_spte);
	bool wrprot;

	wrprot = make_spte(vcpu, sp, slot, access, gfn, pfn,
			   was_present ? old_spte : SHADOW_NONPRESENT_VALUE, prefetch, can_unsync,
			   host_writable, new_spte);
	vcpu->arch.lost_access = was_present && is_last_spte(old_spte, sp->role.level) &&
				 is_mmu_writable_spte(old_spte) && !is_mmu_writable_spte(*new_spte);
	return wrprot;
}

/* The leaf that maps @gfn in the vCPU's root, or what is there in its place. */
static u64 repaired_leaf(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	int level = vcpu->arch.mmu->root_role.level;
	u64 *table = __va(vcpu->arch.mmu->root.hpa);
	u64 spte;

	for (;;) {
		spte = tdp_peek_spte(&table[gfn >> 9 * (level - 1) & 511]);
		if (!is_shadow_present_pte(spte) || is_last_spte(spte, level))
			return spte;
		table = __va(spte & SPTE_BASE_ADDR_MASK);
		level--;
	}
}

/*
 * mmio-over-mapping; tdp_mmu.c calls this in place of make_mmio_spte(). What another vCPU has mapped
 * stays as it is, and the fault is tried again; so it is if that changes before it is "replaced".
 */
u64 repaired_make_mmio_spte(struct kvm_vcpu *vcpu, u64 gfn, unsigned int access);
u64 repaired_make_mmio_spte(struct kvm_vcpu *vcpu, u64 gfn, unsigned int access)
{
	const u64 spte = repaired_leaf(vcpu, gfn);

	vcpu->arch.mapped_since = is_shadow_present_pte(spte);
	return vcpu->arch.mapped_since ? spte : make_mmio_spte(vcpu, gfn, access);
}

/* fault-takes-write-access, mmio-over-mapping. */
static int repaired_map(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	int r;

	vcpu->arch.lost_access = false;
	vcpu->arch.mapped_since = false;
	r = kvm_tdp_mmu_map(vcpu, fault);
	if (vcpu->arch.mapped_since)
		return RET_PF_RETRY;
	if (vcpu->arch.lost_access && r != RET_PF_RETRY)
		kvm_flush_remote_tlbs_gfn(vcpu->kvm, fault->gfn, fault->goal_level);
	return r;
}
#define kvm_tdp_mmu_map(vcpu, fault) repaired_map(vcpu, fault)

/* mmio-gfn-above-key-bits: what an MMIO SPTE can hold. */
static gfn_t repaired_max_gfn(void)
{
	const u64 held = shadow_nonpresent_or_rsvd_lower_gfn_mask | shadow_nonpresent_or_rsvd_mask;

	return min(kvm_mmu_max_gfn(), held >> PAGE_SHIFT);
}
#define kvm_mmu_max_gfn() repaired_max_gfn()

/* nx-recovery-without-slot: nothing is logged where no slot is, nor may it be huge. */
static struct kvm_memory_slot *repaired_slot(struct kvm_memslots *slots, gfn_t gfn)
{
	static struct kvm_memory_slot no_slot = { .arch.lpage_misaligned = { true, true } };
	struct kvm_memory_slot *slot = __gfn_to_memslot(slots, gfn);

	return slot ? slot : &no_slot;
}
#define __gfn_to_memslot(slots, gfn) repaired_slot(slots, gfn)

/* nx-recovery-counts-shadow-pages: there are none, so what is counted as theirs is the TDP MMU's. */
#define KVM_SHADOW_MMU KVM_TDP_MMU

/* unmap-yields-between-slots: what is owed for the slots before. */
#define kvm_tdp_mmu_unmap_gfn_range(kvm, range, owed) \
	kvm_tdp_mmu_unmap_gfn_range(kvm, range, (owed) || (range)->flush)

#endif /* UPSTREAM_REPAIRS_H */
