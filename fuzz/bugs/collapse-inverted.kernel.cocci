// SPDX-License-Identifier: GPL-2.0-only
// title: leaves are zapped where the tables around them should be
// fix: 87aa9ec939ec (v5.11)
// kind: S
// rules: M
// file: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: See collapse-inverted.cocci.
@@
identifier iter;
@@
 if (iter.level > KVM_MAX_HUGEPAGE_LEVEL || !is_shadow_present_pte(iter.old_spte))
 	continue;
-if (is_last_spte(iter.old_spte, iter.level))
+if (!is_last_spte(iter.old_spte, iter.level))
 	continue;
