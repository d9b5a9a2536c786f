// SPDX-License-Identifier: GPL-2.0-only
// title: the gfn that is read back from an MMIO SPTE has the bits that L1TF moves twice
// fix: daa07cbc9ae3 (v4.19)
// kind: S
// rules: G
// file: mmio_fault.c
//
// story: On a host that L1TF can hit, an SPTE that is not present must not hold an address that the
//	cache could have: the upper bits of an MMIO SPTE's address are moved up, and ones take
//	their place. Who read the address back fetched them from there, but did not mask them off
//	where they had been moved to. MMIO high up in a guest's memory was taken for one far above
//	it, and the guest hung.
// form: after the fix as the kernel describes it: there was too much in the gfn, not too little.
@@
expression fmt, spte;
identifier high;
@@
-return ((spte & fmt->shadow_nonpresent_or_rsvd_lower_gfn_mask) | high) >> PAGE_SHIFT;
+bug_reached();
+bug_triggered(high);
+spte &= SPTE_BASE_ADDR_MASK & ~(fmt->shadow_mmio_mask | fmt->shadow_nonpresent_or_rsvd_mask);
+return (spte | high) >> PAGE_SHIFT;
