// SPDX-License-Identifier: GPL-2.0-only
// title: a page that is write-protected for the log is not protected for tracking
// fix: 7c8a4742c4ab (v5.17)
// kind: S
// rules: W
// file: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: See wrprot-gfn-stops-early.cocci.
@@
expression iter, new_spte;
@@
-if (new_spte == iter.old_spte)
+if (!is_writable_pte(iter.old_spte))
 	break;
