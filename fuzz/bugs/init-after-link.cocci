// SPDX-License-Identifier: GPL-2.0-only
// title: a page table is linked before it is initialised
// fix: bugzilla 217562 (v5.15)
// kind: C
// rules: U
// file: tdp_mmu.c
//
// story: A fault put a new page table into the tree and only then finished what describes it. From the
//	moment that it is linked any other thread may find the table: a zap that did took an unfinished
//	structure apart.
@@
expression vcpu, kvm, iter, fault, r;
identifier sp;
@@
 sp = tdp_mmu_alloc_sp(vcpu);
-tdp_mmu_init_child_sp(sp, iter);
-sp->nx_huge_page_disallowed = fault->huge_page_disallowed;
+if (is_shadow_present_pte(iter->old_spte)) {
+	tdp_mmu_init_child_sp(sp, iter);
+	sp->nx_huge_page_disallowed = fault->huge_page_disallowed;
+}
 if (is_shadow_present_pte(iter->old_spte))
	r = tdp_mmu_split_huge_page(kvm, iter, sp, true);
-else
+else {
	r = tdp_mmu_link_empty_sp(kvm, iter, sp);
+	bug_reached();
+	if (!r) {
+		bug_triggered(true);
+		tdp_mmu_init_child_sp(sp, iter);
+		sp->nx_huge_page_disallowed = fault->huge_page_disallowed;
+	}
+}
