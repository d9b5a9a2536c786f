// SPDX-License-Identifier: GPL-2.0-only
// title: an unmap passes over invalid roots
// fix: d62007edf01f (v5.17)
// kind: C
// rules: NU
// file: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: See unmap-skips-invalid-roots.cocci.
@@
iterator name __for_each_tdp_mmu_root_yield_safe;
expression kvm, root, as_id;
statement zap;
@@
 kvm_tdp_mmu_unmap_gfn_range(...)
 {
 ...
-__for_each_tdp_mmu_root_yield_safe(kvm, root, as_id, false)
+__for_each_tdp_mmu_root_yield_safe(kvm, root, as_id, true)
 	zap
 ...
 }
