// SPDX-License-Identifier: GPL-2.0-only
// title: a page that is write-protected for the log is not protected for tracking
// fix: 7c8a4742c4ab (v5.17)
// kind: S
// rules: W
// file: tdp_mmu.c
//
// story: To intercept the writes to a page for good, W and MMU-writable have to go: W alone
//	may be given back by a fast page fault, without a lock. Where W was clear already,
//	as dirty logging leaves it, the walk thought that nothing was to be done. The next
//	write made the page writable behind the back of who tracked it, as a guest's page
//	table for instance.
@@
expression iter, writable;
@@
-if (!(iter.old_spte & writable))
-	break;
+bug_reached();
+bug_triggered(!is_writable_pte(iter.old_spte) && iter.old_spte & writable);
+if (!is_writable_pte(iter.old_spte))
+	break;
 tdp_mmu_iter_set_spte(..., iter.old_spte & ~writable);
