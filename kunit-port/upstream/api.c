// SPDX-License-Identifier: GPL-2.0-only
/*
 * <tdp/tdp.h> on the tree's code: what is done to a VM, and what libtdp's slots and
 * dirty log ask of the MMU.  Documented where libtdp has these functions.
 */
#include "host.h"

#include "dirty_log.h"
#include "memslot.h"
#include "page_track.h"
#include "zap.h"

int kvm_mmu_load(struct kvm_vcpu *vcpu)
{
	int idx, r;

	if (!vcpu)
		return -EINVAL;
	idx = srcu_read_lock(&vcpu->kvm->srcu);
	r = upstream_load(vcpu);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	return r;
}

void kvm_mmu_unload(struct kvm_vcpu *vcpu)
{
	if (!vcpu)
		return;
	upstream_unload(vcpu);
	vcpu->arch.mmio_gfn = 0;
}

int kvm_vcpu_enter_guest(struct kvm_vcpu *vcpu)
{
	int idx, r;

	if (!vcpu)
		return -EINVAL;
	do {
		idx = srcu_read_lock(&vcpu->kvm->srcu);
		r = upstream_reload(vcpu);
		srcu_read_unlock(&vcpu->kvm->srcu, idx);
	} while (!r && tdp_read_word(&vcpu->requests));
	return r;
}

int kvm_vcpu_set_mode(struct kvm_vcpu *vcpu, bool smm, bool guest_mode)
{
	if (!vcpu)
		return -EINVAL;
	vcpu->arch.smm = smm;
	vcpu->arch.guest_mode = guest_mode;
	kvm_mmu_unload(vcpu);
	upstream_init_mmu(vcpu);
	return 0;
}

hpa_t kvm_vcpu_root_hpa(struct kvm_vcpu *vcpu)
{
	return vcpu ? vcpu->arch.mmu->root.hpa : INVALID_PAGE;
}

gfn_t kvm_vcpu_mmio_gfn(struct kvm_vcpu *vcpu)
{
	return vcpu ? vcpu->arch.mmio_gfn : 0;
}

__no_kcsan u64 kvm_vcpu_tlb_flushes(struct kvm_vcpu *vcpu)
{
	return vcpu ? vcpu->stat.tlb_flush : 0;
}

u64 kvm_vcpu_get_spte(struct kvm_vcpu *vcpu, gpa_t gpa, int *level)
{
	int found;
	u64 spte;

	if (level)
		*level = 0;
	if (!vcpu || kvm_vcpu_root_hpa(vcpu) == INVALID_PAGE)
		return 0;
	spte = upstream_get_spte(vcpu, gpa, &found);
	if (level)
		*level = found;
	return spte;
}

int kvm_mmu_page_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	int idx, r;

	if (!vcpu)
		return -EINVAL;
	if (WARN_ON_ONCE(kvm_vcpu_root_hpa(vcpu) == INVALID_PAGE))
		return RET_PF_RETRY;
	if (gpa >> PAGE_SHIFT > kvm_mmu_max_gfn(vcpu->kvm))
		return RET_PF_EMULATE;

	idx = srcu_read_lock(&vcpu->kvm->srcu);
	r = upstream_page_fault(vcpu, gpa, error_code);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	return r;
}

s64 kvm_arch_vcpu_pre_fault_memory(struct kvm_vcpu *vcpu, gfn_t gfn, u64 npages)
{
	u8 level = PG_LEVEL_4K;
	u64 left;
	int idx, r;

	if (!vcpu || !npages || gfn > kvm_mmu_max_gfn(vcpu->kvm))
		return -EINVAL;

	idx = srcu_read_lock(&vcpu->kvm->srcu);
	r = upstream_map_page(vcpu, gfn << PAGE_SHIFT, 0, &level);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	if (r)
		return r;

	left = (gfn | (KVM_PAGES_PER_HPAGE(level) - 1)) + 1 - gfn;
	return left < npages ? left : npages;
}

int kvm_set_nx_huge_pages(struct kvm *kvm, bool on)
{
	if (!kvm)
		return -EINVAL;
	upstream_set_nx(kvm, on);
	return 0;
}

int kvm_recover_nx_huge_pages(struct kvm *kvm)
{
	if (!kvm)
		return -EINVAL;
	upstream_recover_nx(kvm);
	return 0;
}

int kvm_zap_gfn_range(struct kvm *kvm, gfn_t start, gfn_t end)
{
	if (!kvm || end <= start)
		return -EINVAL;
	upstream_zap_gfn_range(kvm, start, end);
	return 0;
}

void kvm_mmu_zap_all_fast(struct kvm *kvm)
{
	if (!kvm)
		return;
	mutex_lock(&kvm->slots_lock);
	upstream_zap_all_fast(kvm);
	mutex_unlock(&kvm->slots_lock);
}

void kvm_mmu_zap_all(struct kvm *kvm)
{
	if (kvm)
		upstream_zap_all(kvm);
}

void kvm_mmu_invalidate_mmio_sptes(struct kvm *kvm, u64 gen)
{
	if (!kvm)
		return;
	mutex_lock(&kvm->slots_lock);
	upstream_invalidate_mmio_sptes(kvm, gen);
	mutex_unlock(&kvm->slots_lock);
}

static struct kvm_memory_slot *lock_memslot(struct kvm *kvm, u32 slot_id)
{
	struct kvm_memory_slot *slot;

	mutex_lock(&kvm->slots_lock);
	slot = kvm_find_memslot(kvm, slot_id);
	if (!slot)
		mutex_unlock(&kvm->slots_lock);
	return slot;
}

int kvm_mmu_slot_try_split_huge_pages(struct kvm *kvm, u32 slot_id, int target_level)
{
	struct kvm_memory_slot *slot;

	if (!kvm || target_level < PG_LEVEL_4K || target_level > PG_LEVEL_2M)
		return -EINVAL;
	slot = lock_memslot(kvm, slot_id);
	if (!slot)
		return -EINVAL;
	upstream_split_slot(kvm, slot, target_level);
	mutex_unlock(&kvm->slots_lock);
	return 0;
}

int kvm_mmu_slot_gfn_write_protect(struct kvm *kvm, u32 slot_id, gfn_t gfn, int min_level)
{
	struct kvm_memory_slot *slot;
	int flush = -EINVAL;

	if (!kvm || min_level < PG_LEVEL_4K || min_level > KVM_MAX_HUGEPAGE_LEVEL)
		return -EINVAL;
	slot = lock_memslot(kvm, slot_id);
	if (!slot)
		return -EINVAL;
	if (memslot_has_gfn(slot, gfn)) {
		write_lock(&kvm->mmu_lock);
		flush = upstream_write_protect(kvm, slot, gfn, min_level);
		if (flush)
			kvm_flush_remote_tlbs(kvm);
		write_unlock(&kvm->mmu_lock);
	}
	mutex_unlock(&kvm->slots_lock);
	return flush;
}

/* For libtdp's slots, dirty log and write tracking. */

void kvm_flush_remote_tlbs_memslot(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	lockdep_assert_owned(&kvm->slots_lock);
	kvm_flush_remote_tlbs_range(kvm, slot->base_gfn, slot->npages);
}

void __kvm_mmu_invalidate_mmio_sptes(struct kvm *kvm, u64 gen)
{
	upstream_invalidate_mmio_sptes(kvm, gen);
}

bool __kvm_mmu_slot_gfn_write_protect(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn,
				      int min_level)
{
	return upstream_write_protect(kvm, slot, gfn, min_level);
}

void kvm_arch_commit_memory_region(struct kvm *kvm, const struct kvm_memslot_change *c)
{
	if (c->kind == KVM_MR_DELETE)
		kvm_page_track_delete_slot(kvm, c->old);
	upstream_slot_changed(kvm, c->old, c->new);
	if (c->kind == KVM_MR_MOVE)
		kvm_arch_free_memslot(c->old);
}
