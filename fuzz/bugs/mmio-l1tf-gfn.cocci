// SPDX-License-Identifier: GPL-2.0-only
// title: the gfn that is read back from an MMIO SPTE lacks the bits that L1TF has moved
// fix: daa07cbc9ae3 (v4.19)
// kind: S
// rules: G
// file: mmio_fault.c
//
// story: On a host that L1TF can hit, an SPTE that is not present must not hold an address
//	that the cache could have: the upper bits of an MMIO SPTE's address are moved up,
//	and ones take their place. Who read the address back forgot to fetch them, so that
//	MMIO high up in the guest's memory was taken for one at another place.
@@
expression fmt, spte;
identifier high;
@@
-return ((spte & fmt->shadow_nonpresent_or_rsvd_lower_gfn_mask) | high) >> PAGE_SHIFT;
+bug_reached();
+bug_triggered(high);
+return (spte & fmt->shadow_nonpresent_or_rsvd_lower_gfn_mask) >> PAGE_SHIFT;
