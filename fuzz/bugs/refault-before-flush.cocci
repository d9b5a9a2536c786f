// SPDX-License-Identifier: GPL-2.0-only
// title: a zapped SPTE can be mapped again before the TLBs are flushed
// fix: 08f07c800e9d (v5.12)
// kind: C
// rules: T
// file: tdp_mmu.c
// kernel: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: Who zaps an SPTE under mmu_lock held for reading wrote it empty at once and flushed the TLBs
//	after that. In between another vCPU could fault and map the gfn anew, while TLBs still had what
//	was there before: two translations of one gfn at a time, which may be of different frames.
//	Since then the SPTE is frozen until the flush is done.
@@
expression kvm, iter, ret;
@@
 tdp_mmu_zap_spte_atomic(...)
 {
 ...
(
-if (__tdp_mmu_set_spte_atomic(iter, FROZEN_SPTE))
+if (__tdp_mmu_set_spte_atomic(iter, SHADOW_NONPRESENT_VALUE))
 	return -EBUSY;
|
-ret = __tdp_mmu_set_spte_atomic(iter, FROZEN_SPTE);
+ret = __tdp_mmu_set_spte_atomic(iter, SHADOW_NONPRESENT_VALUE);
 if (ret)
 	return ret;
)
+bug_reached();
 kvm_flush_remote_tlbs_gfn(kvm, iter->gfn, iter->level);
-__kvm_tdp_mmu_write_spte(...);
+bug_triggered(bug_peek(iter->sptep) != SHADOW_NONPRESENT_VALUE);
 ...
 }
