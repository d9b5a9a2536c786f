// SPDX-License-Identifier: GPL-2.0-only
// title: a huge page replaces a page table without a flush
// fix: bb95dfb9e2df (v5.18)
// kind: S
// rules: TU
// file: tdp_mmu.c
//
// story: A fault that maps a huge page where a page table was takes all of the table's entries away.
//	The TLB, and the paging-structure cache, may still hold them. Nobody flushed: the guest went on
//	through old translations, and the processor went on walking a page that RCU was about to free.
@@
expression kvm, iter;
statement other;
@@
 if (is_shadow_present_pte(iter->old_spte) && !is_last_spte(iter->old_spte, iter->level))
-	kvm_flush_remote_tlbs_gfn(kvm, iter->gfn, iter->level);
+{
+	bug_reached();
+	bug_triggered(true);
+}
 else other
