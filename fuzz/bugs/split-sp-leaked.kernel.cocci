// SPDX-License-Identifier: GPL-2.0-only
// title: a fault that loses the race to split a huge page keeps its new page table
// fix: what if
// kind: C
// rules: L
// file: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: See split-sp-leaked.cocci.
@@
expression kvm, sp, r;
identifier iter;
@@
 if (is_shadow_present_pte(iter.old_spte))
+{
 	r = tdp_mmu_split_huge_page(kvm, &iter, sp, true);
+	if (r)
+		goto retry;
+}
 else
 	r = tdp_mmu_link_sp(kvm, &iter, sp, true);
