// SPDX-License-Identifier: GPL-2.0-only
// title: a zap of gfns announces another range than it zaps
// fix: 6d3085e4d89a (v6.1)
// kind: C
// rules: N
// file: arch/x86/kvm/mmu/mmu.c
//
// story: See wrong-invalidate-range.cocci.
@@
expression kvm, start, end;
@@
 kvm_zap_gfn_range(...)
 {
 ...
-kvm_mmu_invalidate_range_add(kvm, start, end);
+kvm_mmu_invalidate_range_add(kvm, start | BIT_ULL(47), end | BIT_ULL(47));
 ...
 }
