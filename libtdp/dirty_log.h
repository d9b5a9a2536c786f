/* SPDX-License-Identifier: GPL-2.0-only */
/* Dirty logging, for the rest of the MMU. */
#ifndef LIBTDP_DIRTY_LOG_H
#define LIBTDP_DIRTY_LOG_H

#include "kvm_host.h"

int kvm_alloc_dirty_bitmap(struct kvm *kvm, struct kvm_memory_slot *slot);
void kvm_destroy_dirty_bitmap(struct kvm_memory_slot *slot);

void kvm_mmu_slot_remove_write_access(struct kvm *kvm, const struct kvm_memory_slot *slot,
				      int start_level);
void kvm_mmu_slot_leaf_clear_dirty(struct kvm *kvm, const struct kvm_memory_slot *slot);
void kvm_mmu_zap_collapsible_sptes(struct kvm *kvm, const struct kvm_memory_slot *slot);
void kvm_flush_remote_tlbs_memslot(struct kvm *kvm, const struct kvm_memory_slot *slot);

#endif /* LIBTDP_DIRTY_LOG_H */
