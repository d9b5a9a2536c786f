// SPDX-License-Identifier: GPL-2.0-only
// title: clearing the dirty bits of a slot changes MMIO SPTEs
// fix: 3354ef5a592d (v5.18)
// kind: S
// rules: G
// file: tdp_mmu.c
// kernel: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: When a slot's log is armed, D (or W) is cleared in all of its leaves. An SPTE of the
//	last level was taken for a leaf without a look whether it is present. Where the
//	guest did MMIO before the slot came, there is an MMIO SPTE, and the bit of D is one
//	of its generation, that of W one of those that make the CPU fault on it: the next
//	access finds an SPTE that nobody has made.
@@
identifier iter;
expression root, range, dbit;
@@
(
-if (!iter_at_leaf(&iter))
+bug_reached();
+bug_triggered(!iter_at_leaf(&iter) && iter.level == PG_LEVEL_4K && iter.old_spte & dbit);
+if (!is_last_spte(iter.old_spte, iter.level))
 	continue;
|
-if (!is_shadow_present_pte(iter.old_spte) || !is_last_spte(iter.old_spte, iter.level))
+if (!is_last_spte(iter.old_spte, iter.level))
 	continue;
)
 if (tdp_mmu_iter_cond_resched(...))
 	continue;
 ...
(
 if (!(iter.old_spte & dbit))
 	continue;
|
 if (!(iter.old_spte & dbit)) {
	tdp_iter_pass_alike(...);
	continue;
 }
)
