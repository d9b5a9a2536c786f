// SPDX-License-Identifier: GPL-2.0-only
// title: aging takes D as well as A
// fix: 6d9aafb96d5f (v5.13)
// kind: S
// rules: D
// file: tdp_mmu.c
//
// story: When a page is aged its accessed bit is cleared, and nothing else may be: that it
//	was written is told to the host later, when it is zapped. D went along with A, and
//	was told to nobody. The host took the page for clean, and dropped what the guest had
//	written instead of writing it back.
@@
identifier fmt, iter, spte;
@@
-iter->old_spte = tdp_mmu_clear_spte_bits(fmt, iter->sptep, spte, fmt->shadow_accessed_mask,
-					 iter->level);
+bug_reached();
+bug_triggered(spte & fmt->shadow_dirty_mask);
+iter->old_spte = tdp_mmu_clear_spte_bits(fmt, iter->sptep, spte,
+					 fmt->shadow_accessed_mask | fmt->shadow_dirty_mask,
+					 iter->level);
