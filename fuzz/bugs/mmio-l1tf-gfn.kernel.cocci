// SPDX-License-Identifier: GPL-2.0-only
// title: the gfn that is read back from an MMIO SPTE lacks the bits that L1TF has moved
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
 u64 gpa = spte & shadow_nonpresent_or_rsvd_lower_gfn_mask;
-gpa |= (spte >> SHADOW_NONPRESENT_OR_RSVD_MASK_LEN) & shadow_nonpresent_or_rsvd_mask;
 return gpa >> PAGE_SHIFT;
