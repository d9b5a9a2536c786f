// SPDX-License-Identifier: GPL-2.0-only
// title: a fault that loses the race to split a huge page keeps its new page table
// fix: what if
// kind: C
// rules: L
// file: tdp_mmu.c
//
// story: Two vCPUs that execute, or write, in the same huge page both make a page table to take its
//	place, and one of them finds that the other was first. That one has to free its table: here it
//	does not.
@@
expression kvm, iter, sp, r;
@@
 if (is_shadow_present_pte(iter->old_spte))
+{
	r = tdp_mmu_split_huge_page(kvm, iter, sp, true);
+	bug_reached();
+	if (r) {
+		bug_triggered(true);
+		return r;
+	}
+}
 else
	r = tdp_mmu_link_empty_sp(kvm, iter, sp);
