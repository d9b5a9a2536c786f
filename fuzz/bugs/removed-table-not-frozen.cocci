// SPDX-License-Identifier: GPL-2.0-only
// title: SPTEs of a removed page table that are not present are not frozen
// fix: e25f0e0cd51b (v5.12)
// kind: C
// rules: LNU
// file: tdp_mmu.c
//
// story: Who removes a page table under mmu_lock held for reading has to freeze every SPTE in it,
//	empty ones too: a fault on another vCPU may be inside the table already. Empty ones were passed
//	over, so that such a fault installed a mapping, or a whole table, behind the remover's back.
//	It was never accounted for, and never freed.
@pass@
expression sptep, n, level;
@@
-if (shared)
-	return tdp_freeze_sptes(sptep, n, SHADOW_NONPRESENT_VALUE, FROZEN_SPTE, level);
+if (shared) {
+	bug_reached();
+	bug_triggered(bug_peek(sptep) == SHADOW_NONPRESENT_VALUE);
+}

@freeze@
expression kvm, sptep, old_spte, level;
@@
 if (shared) {
+	if (!is_shadow_present_pte(kvm_tdp_mmu_read_spte(sptep, level)))
+		continue;
 	old_spte = freeze_removed_spte(kvm, sptep, level);
 } else { ... }
