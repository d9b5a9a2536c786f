/* SPDX-License-Identifier: GPL-2.0-only */
/* Zaps of whole roots, slots and ranges, for the rest of the MMU. */
#ifndef LIBTDP_ZAP_H
#define LIBTDP_ZAP_H

#include "kvm_host.h"

void __kvm_mmu_zap_all_fast(struct kvm *kvm);
void __kvm_mmu_invalidate_mmio_sptes(struct kvm *kvm, u64 gen);
void kvm_arch_flush_shadow_memslot(struct kvm *kvm, struct kvm_memory_slot *slot);

#endif /* LIBTDP_ZAP_H */
