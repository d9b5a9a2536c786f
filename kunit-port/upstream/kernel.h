/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel around the tree's files.  It is included before anything else; the headers
 * that those files ask for are empty after that, but for the few that are the tree's
 * own (see the manifest).  Everything that two threads may touch at once goes to
 * platform.h: the points at which the simulation may interfere sit in the tree's
 * accesses.  docs/upstream.md lists what is faked here and what that hides.
 */
#ifndef UPSTREAM_KERNEL_H
#define UPSTREAM_KERNEL_H

#define CONFIG_64BIT			1
#define CONFIG_SMP			1
#define CONFIG_KVM_PROVE_MMU		1
#define CONFIG_DYNAMIC_PHYSICAL_MASK	1
#define CONFIG_KVM_GENERIC_MMU_NOTIFIER 1
#define KBUILD_MODNAME			"kvm"

/* libtdp's interface has names that the tree has as well. */
#define RET_PF_CONTINUE	       TDP_RET_PF_CONTINUE
#define RET_PF_RETRY	       TDP_RET_PF_RETRY
#define RET_PF_EMULATE	       TDP_RET_PF_EMULATE
#define RET_PF_WRITE_PROTECTED TDP_RET_PF_WRITE_PROTECTED
#define RET_PF_INVALID	       TDP_RET_PF_INVALID
#define RET_PF_FIXED	       TDP_RET_PF_FIXED
#define RET_PF_SPURIOUS	       TDP_RET_PF_SPURIOUS
#define is_error_noslot_pfn    tdp_is_error_noslot_pfn
#define kvm_is_mmio_pfn	       tdp_is_mmio_pfn
#define kvm_set_pfn_dirty      tdp_set_pfn_dirty
#define kvm_set_pfn_accessed   tdp_set_pfn_accessed
#define kvm_mmu_max_gfn	       tdp_max_gfn
#include "host.h"
#undef RET_PF_CONTINUE
#undef RET_PF_RETRY
#undef RET_PF_EMULATE
#undef RET_PF_WRITE_PROTECTED
#undef RET_PF_INVALID
#undef RET_PF_FIXED
#undef RET_PF_SPURIOUS
#undef is_error_noslot_pfn
#undef kvm_is_mmio_pfn
#undef kvm_set_pfn_dirty
#undef kvm_set_pfn_accessed
#undef kvm_mmu_max_gfn
#undef PFERR_PRESENT_MASK
#undef PFERR_WRITE_MASK
#undef PFERR_USER_MASK
#undef PFERR_RSVD_MASK
#undef PFERR_FETCH_MASK
#undef KVM_PFN_ERR_MASK
#undef KVM_PFN_ERR_NOSLOT_MASK
#undef KVM_PFN_NOSLOT
#undef KVM_PFN_ERR_FAULT
#undef SPTE_ENT_PER_PAGE
#undef PT64_ROOT_4LEVEL
#undef PT64_ROOT_5LEVEL
#include "api_names.h"

#include "kernel_lang.h"
#include "kernel_access.h"
#include "kernel_memory.h"
#include "kernel_kvm.h"
#include "versions.h"

#endif /* UPSTREAM_KERNEL_H */
