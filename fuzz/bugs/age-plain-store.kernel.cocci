// SPDX-License-Identifier: GPL-2.0-only
// file: arch/x86/kvm/mmu/tdp_mmu.c
@@
expression iter;
@@
 if (spte_ad_enabled(iter->old_spte)) {
-	iter->old_spte = tdp_mmu_clear_spte_bits(iter->sptep, iter->old_spte, shadow_accessed_mask,
-						 iter->level);
+	__kvm_tdp_mmu_write_spte(iter->sptep, iter->old_spte & ~shadow_accessed_mask);
 	...
 } else { ... }
