// SPDX-License-Identifier: GPL-2.0-only
// title: a page table is linked before it is initialised
// fix: bugzilla 217562 (v5.15)
// kind: C
// rules: U
// file: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: See init-after-link.cocci.
@@
expression vcpu, kvm, fault, r, sp;
identifier iter;
@@
 sp = tdp_mmu_alloc_sp(vcpu);
-tdp_mmu_init_child_sp(sp, &iter);
-sp->nx_huge_page_disallowed = fault->huge_page_disallowed;
+if (is_shadow_present_pte(iter.old_spte)) {
+	tdp_mmu_init_child_sp(sp, &iter);
+	sp->nx_huge_page_disallowed = fault->huge_page_disallowed;
+}
 if (is_shadow_present_pte(iter.old_spte))
 	r = tdp_mmu_split_huge_page(kvm, &iter, sp, true);
-else
+else {
 	r = tdp_mmu_link_sp(kvm, &iter, sp, true);
+	if (!r) {
+		tdp_mmu_init_child_sp(sp, &iter);
+		sp->nx_huge_page_disallowed = fault->huge_page_disallowed;
+	}
+}
