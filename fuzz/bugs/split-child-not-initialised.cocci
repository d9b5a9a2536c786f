// SPDX-License-Identifier: GPL-2.0-only
// title: the page table of an eager split knows neither its parent nor its role
// fix: what if
// kind: S
// rules: MPU
// file: tdp_mmu.c
//
// story: Eager splitting prepares its page tables while no lock is held, before it knows where they
//	will go. What a table is (level, rights, gfn, and the SPTE that links it) is written into its
//	descriptor when that is known. Left out, the table claims level 0 and no parent: its parts are made for
//	the wrong level, and who zaps it by its descriptor zaps something else.
// form: Level 0 has no size, and what is computed from it is undefined. The level is set to the one of most
//	tables, which is right when a 2M page is split: then rule U sees the table used without a
//	descriptor, where the kernel would follow a null pointer.
@@
@@
 if (sp) {
-	tdp_mmu_init_child_sp(sp, &iter);
+	bug_reached();
+	bug_triggered(true);
+	sp->role.level = PG_LEVEL_4K;
 	if (tdp_mmu_split_huge_page(kvm, &iter, sp, shared))
 		goto again;
 	sp = NULL;
 } else { ... }
