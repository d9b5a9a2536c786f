// SPDX-License-Identifier: GPL-2.0-only
// title: the next root forgets the flush that the roots before it owe
// fix: f47e5bbbc92f (v5.18)
// kind: S
// rules: T
// file: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: See flush-overwritten-by-next-root.cocci.
@@
expression flush, kvm, root, start, end, yield;
@@
 flush = tdp_mmu_zap_leafs(kvm, root, start, end, yield,
-			  flush
+			  false
			  );
