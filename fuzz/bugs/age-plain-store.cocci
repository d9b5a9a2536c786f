// SPDX-License-Identifier: GPL-2.0-only
// title: aging stores back what it read
// fix: what if
// kind: C
// rules: AD
// file: tdp_mmu.c
//
// story: Aging clears the accessed bit of an SPTE that the CPU, or a fast page fault, may change at
//	any time. With a plain store of what was read before, a D or a W set in between is gone: the
//	page was written, and nobody will know.
@@
expression fmt, iter, spte;
@@
 if (spte_ad_enabled(spte)) {
-	iter->old_spte = tdp_mmu_clear_spte_bits(fmt, iter->sptep, spte, fmt->shadow_accessed_mask,
-						 iter->level);
+	bug_reached();
+	bug_store_spte(iter->sptep, spte, spte & ~fmt->shadow_accessed_mask, iter->level);
 	return true;
 }
