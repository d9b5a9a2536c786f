// SPDX-License-Identifier: GPL-2.0-only
// title: aging stores back what it read
// fix: what if
// kind: C
// rules: AT
// file: tdp_mmu.c
//
// story: Aging clears the accessed bit of an SPTE that the CPU, or a fast page fault, may change at
//	any time. With a plain store of what was read before, a D or a W set in between is gone: the
//	page was written, and nobody will know.
// form: Rule A holds the store itself against it, before anything is lost: reached and detected, but mostly not
//	triggered. A D that is lost costs no dirty page here: what cleared it has marked the page dirty, and PML
//	has logged the write. A W that is lost leaves a TLB entry that may write where the SPTE may not.
@@
expression fmt, iter, spte;
@@
 if (spte_ad_enabled(spte)) {
-	if (tdp_iter_change_leaves(...))
-		return true;
-	iter->old_spte = tdp_mmu_clear_spte_bits(fmt, iter->sptep, spte, fmt->shadow_accessed_mask,
-						 iter->level);
+	bug_reached();
+	bug_store_spte(iter->sptep, spte, spte & ~fmt->shadow_accessed_mask, iter->level);
 	return true;
 }
