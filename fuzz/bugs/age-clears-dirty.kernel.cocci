// SPDX-License-Identifier: GPL-2.0-only
// title: aging takes D as well as A
// fix: 6d9aafb96d5f (v5.13)
// kind: S
// rules: D
// file: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: See age-clears-dirty.cocci.
@@
expression iter;
@@
 tdp_mmu_clear_spte_bits(iter->sptep, iter->old_spte,
-			shadow_accessed_mask,
+			shadow_accessed_mask | shadow_dirty_mask,
			iter->level)
