/* SPDX-License-Identifier: GPL-2.0-only */
/* How mappings are armed for dirty logging. */
#ifndef LIBTDP_DIRTY_LOG_MMU_H
#define LIBTDP_DIRTY_LOG_MMU_H

#include "kvm_host.h"

void kvm_arch_mmu_enable_log_dirty_pt_masked(struct kvm *kvm, struct kvm_memory_slot *slot,
					     u64 gfn_offset, u64 mask);

#endif /* LIBTDP_DIRTY_LOG_MMU_H */
