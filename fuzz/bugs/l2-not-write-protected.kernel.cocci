// SPDX-License-Identifier: GPL-2.0-only
// title: under PML the D of a nested guest's pages is cleared, and not W
// fix: 2673dfb591a3 (v6.9)
// kind: S
// rules: D
// file: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: See l2-not-write-protected.cocci.
@@
expression sp;
@@
-return (kvm_mmu_page_ad_need_write_protect(sp) || !kvm_ad_enabled());
+return (!kvm_ad_enabled());
