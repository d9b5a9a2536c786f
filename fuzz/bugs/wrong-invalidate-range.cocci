// SPDX-License-Identifier: GPL-2.0-only
// title: a zap of gfns announces another range than it zaps
// fix: 6d3085e4d89a (v6.1)
// kind: C
// rules: N
// file: zap.c
//
// story: Who zaps a range of gfns announces it as an invalidation, so that faults in that range which
//	looked their page up before try again. It announced gfns where addresses were expected, so
//	that hardly any fault was in the range: if the zap yielded, a fault could map what had been
//	zapped already.
// form: Faults are compared by gfn now. What is announced is a range as far away from the gfns as the addresses of
//	the VMM's memory were.
@@
expression kvm, start, end;
@@
 __kvm_zap_gfn_range(...)
 {
 ...
-kvm_mmu_invalidate_range_add(kvm, start, end);
+bug_reached();
+bug_triggered(true);
+kvm_mmu_invalidate_range_add(kvm, start | BIT_ULL(47), end | BIT_ULL(47));
 ...
 }
