/* SPDX-License-Identifier: GPL-2.0-only */
/* Write tracking, for the rest of the MMU.  Mirrors arch/x86/kvm/mmu/page_track.h. */
#ifndef LIBTDP_PAGE_TRACK_H
#define LIBTDP_PAGE_TRACK_H

#include "kvm_host.h"

int kvm_page_track_create_memslot(struct kvm *kvm, struct kvm_memory_slot *slot);
void kvm_page_track_free_memslot(struct kvm_memory_slot *slot);
void kvm_page_track_delete_slot(struct kvm *kvm, const struct kvm_memory_slot *slot);
bool kvm_page_track_has_external_user(struct kvm *kvm);
bool kvm_gfn_is_write_tracked(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn);

#endif /* LIBTDP_PAGE_TRACK_H */
