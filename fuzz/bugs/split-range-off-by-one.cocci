// SPDX-License-Identifier: GPL-2.0-only
// title: a clear of the dirty log does not split the page of its last bit
// fix: 1aa4bb916808 (v6.8)
// kind: S
// rules: M
// file: dirty_log_mmu.c
// kernel: arch/x86/kvm/mmu/mmu.c
//
// story: A log that began all dirty is cleared bit by bit, and huge pages are split when the
//	first of their bits is. The range to split ends before its last page, so a clear of
//	a single bit split nothing. Nothing was lost by that, since the page was write-
//	protected all the same, but the guest's next write had to wait for the split.
@@
expression kvm, slot, start, end;
@@
(
+bug_reached();
+bug_triggered(start == end || end % 512 == 0);
 kvm_tdp_mmu_try_split_huge_pages(kvm, slot, start,
-				 end + 1,
+				 end,
				 PG_LEVEL_4K, false);
|
 kvm_mmu_try_split_huge_pages(kvm, slot, start,
-			     end + 1,
+			     end,
			     PG_LEVEL_4K);
)
