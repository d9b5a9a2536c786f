// SPDX-License-Identifier: GPL-2.0-only
// title: the gfn that is read back from an MMIO SPTE has the bits that L1TF moves twice
// fix: daa07cbc9ae3 (v4.19)
// kind: S
// rules: G
// file: arch/x86/kvm/mmu/mmu.c
//
// story: See mmio-l1tf-gfn.cocci.
@@
identifier gpa;
expression spte;
@@
-u64 gpa = spte & shadow_nonpresent_or_rsvd_lower_gfn_mask;
+u64 gpa = spte & SPTE_BASE_ADDR_MASK & ~(shadow_mmio_mask | shadow_nonpresent_or_rsvd_mask);
 gpa |= ...;
 return gpa >> PAGE_SHIFT;
