// SPDX-License-Identifier: GPL-2.0-only
// title: leaves are zapped where the tables around them should be
// fix: 87aa9ec939ec (v5.11)
// kind: S
// rules: M
// file: tdp_mmu.c
//
// story: When logging ends, the page tables that a huge page could replace are zapped, for
//	the next fault to map that. What tells a table from a page was the wrong way round:
//	pages that were huge already were zapped, and the tables stayed. A guest that was
//	migrated, or nearly, ran on 4K pages ever after.
@@
identifier iter;
@@
 if (iter.level > KVM_MAX_HUGEPAGE_LEVEL || !is_shadow_present_pte(iter.old_spte) ||
-    is_last_spte(iter.old_spte, iter.level)
+    !is_last_spte(iter.old_spte, iter.level)
    )
+{
+	bug_reached();
+	bug_triggered(iter.level <= KVM_MAX_HUGEPAGE_LEVEL && is_shadow_present_pte(iter.old_spte));
 	continue;
+}
