// SPDX-License-Identifier: GPL-2.0-only
// title: 2M parts of a split 1G page may be executed
// fix: what if
// kind: S
// rules: X
// file: spte.c
//
// story: The parts of a split huge page may be executed where they are 4K pages: the mitigation of iTLB
//	multihit forbids to execute from huge pages only. The 2M parts of a 1G page are huge still; making
//	them executable gives a guest the means to stop the machine.
@@
identifier spte;
@@
-if (role.level > PG_LEVEL_4K)
-	return spte;
-spte &= ~PT_PAGE_SIZE_MASK;
+if (role.level == PG_LEVEL_4K)
+	spte &= ~PT_PAGE_SIZE_MASK;
 if ((role.access & ACC_EXEC_MASK) && is_nx_huge_page_enabled(kvm))
+{
+	bug_reached();
+	bug_triggered(role.level > PG_LEVEL_4K && !is_executable_pte(kvm_spte_format(kvm), spte));
 	spte = make_spte_executable(kvm_spte_format(kvm), spte);
+}
