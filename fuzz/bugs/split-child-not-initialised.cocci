// SPDX-License-Identifier: GPL-2.0-only
// title: the page table of an eager split knows neither its parent nor its role
// fix: what if
// kind: S
// rules: MP
// file: tdp_mmu.c
//
// story: Eager splitting prepares its page tables while no lock is held, before it knows where they
//	will go. What a table is (level, rights, gfn, and the SPTE that links it) is written into its
//	descriptor when that is known. Left out, the table claims level 0 and no parent: its parts are made for
//	the wrong level, and who zaps it by its descriptor zaps something else.
@@
@@
 if (sp) {
-	tdp_mmu_init_child_sp(sp, &iter);
+	bug_reached();
+	bug_triggered(true);
 	if (tdp_mmu_split_huge_page(kvm, &iter, sp, shared))
 		goto again;
 	sp = NULL;
 } else { ... }
