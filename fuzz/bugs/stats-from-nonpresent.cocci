// SPDX-License-Identifier: GPL-2.0-only
// title: the statistics of mapped pages go by the page-size bit alone
// fix: 088acd235266 (v5.15)
// kind: S
// rules: L
// file: tdp_mmu.c
// kernel: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: A page counts as mapped if its SPTE is present and a leaf. Only the latter was
//	looked at: the last level has nothing but leaves, present or not, so that nothing
//	ever changed there, and what KVM reported about a VM's pages was wrong.
@@
expression kvm, level, is_leaf, was_leaf;
@@
(
-if (was_leaf != is_leaf)
-	kvm_update_page_stats(kvm, level, is_leaf ? 1 : -1);
+bug_reached();
+bug_triggered(was_leaf != is_leaf && level == PG_LEVEL_4K);
+if (is_last_spte(old_spte, level) != is_last_spte(new_spte, level))
+	kvm_update_page_stats(kvm, level, is_last_spte(new_spte, level) ? 1 : -1);
|
-if (is_leaf != was_leaf)
-	kvm_update_page_stats(kvm, level, is_leaf ? 1 : -1);
+if (is_last_spte(old_spte, level) != is_last_spte(new_spte, level))
+	kvm_update_page_stats(kvm, level, is_last_spte(new_spte, level) ? 1 : -1);
)
