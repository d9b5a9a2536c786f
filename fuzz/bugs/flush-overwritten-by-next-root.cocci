// SPDX-License-Identifier: GPL-2.0-only
// title: the next root forgets the flush that the roots before it owe
// fix: f47e5bbbc92f (v5.18)
// kind: S
// rules: T
// file: tdp_mmu.c
//
// story: A zap of a range goes through all roots and hands on whether a flush is owed. What
//	the zap of one root said took the place of what was known before, so that the last
//	root, which often maps nothing there, had the final say: no flush, and the guest
//	went on with pages that the host had taken back. A Windows guest with Hyper-V crashed now
//	and then where the host merged equal pages.
@@
expression flush, kvm, root, start, end, yield;
@@
-flush = tdp_mmu_zap_leafs(kvm, root, start, end, yield, flush);
+{
+	const bool owed = flush;
+
+	bug_reached();
+	flush = tdp_mmu_zap_leafs(kvm, root, start, end, yield, false);
+	bug_triggered(owed && !flush);
+}
