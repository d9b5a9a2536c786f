// SPDX-License-Identifier: GPL-2.0-only
/* What is done to mappings when a slot has changed: the tree's code does it. */
#include "memslot.h"

#include "page_track.h"

void kvm_arch_commit_memory_region(struct kvm *kvm, const struct kvm_memslot_change *c)
{
	if (c->kind == KVM_MR_DELETE)
		kvm_page_track_delete_slot(kvm, c->old);
	upstream_slot_changed(kvm, c->old, c->new);
	if (c->kind == KVM_MR_MOVE)
		kvm_arch_free_memslot(c->old);
}
