/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which kernel's TDP MMU this is, told by what its tree has; and what differs between versions for
 * both sides of the backend. For the kernel's side alone see versions.h.
 */
#ifndef UPSTREAM_VERSIONS_HOST_H
#define UPSTREAM_VERSIONS_HOST_H

#include "tree_config.h"

#if !defined(TREE_HAS_track_possible_nx_huge_page)
#define VERSION_KERNEL TDP_LINUX_6_1
#elif !defined(TREE_HAS_kvm_mmu_recover_huge_pages)
#define VERSION_KERNEL TDP_LINUX_6_12
#else
#define VERSION_KERNEL TDP_LINUX_7_2
/* Aging takes no mmu_lock, and flushes nothing (CONFIG_KVM_ELIDE_TLB_FLUSH_IF_YOUNG). */
#define KVM_MMU_LOCKLESS_AGING 1
#endif

#endif /* UPSTREAM_VERSIONS_HOST_H */
