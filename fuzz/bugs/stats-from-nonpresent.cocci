// SPDX-License-Identifier: GPL-2.0-only
// title: the statistics of huge pages go by the page-size bit alone
// fix: 088acd235266 (v5.15)
// kind: S
// rules: L
// file: tdp_mmu.c
// kernel: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: A huge page counts as mapped while its SPTE is present and has the page-size bit. Only the
//	bit was looked at, which the value that stands for a frozen SPTE has as well: when a table
//	was removed, the huge pages in it seemed to stay what they were, and KVM reported them as
//	long as the VM lived.
@@
expression kvm, level, is_leaf, was_leaf;
@@
(
-if (was_leaf != is_leaf)
-	kvm_update_page_stats(kvm, level, is_leaf ? 1 : -1);
+bug_reached();
+bug_triggered(was_leaf && !is_leaf && level > PG_LEVEL_4K && is_large_pte(new_spte));
+if (level > PG_LEVEL_4K ? is_large_pte(old_spte) != is_large_pte(new_spte) : was_leaf != is_leaf)
+	kvm_update_page_stats(kvm, level, is_leaf ? 1 : -1);
|
-if (is_leaf != was_leaf)
-	kvm_update_page_stats(kvm, level, is_leaf ? 1 : -1);
+if (level > PG_LEVEL_4K ? is_large_pte(old_spte) != is_large_pte(new_spte) : was_leaf != is_leaf)
+	kvm_update_page_stats(kvm, level, is_leaf ? 1 : -1);
)
