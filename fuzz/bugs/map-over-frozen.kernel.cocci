// SPDX-License-Identifier: GPL-2.0-only
// title: a fault maps its page over a frozen SPTE
// fix: f5d16bb9be68 (v6.2)
// kind: C
// rules: MLA
// file: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: See map-over-frozen.cocci.
@@
expression fault, spte, level;
@@
-if (is_frozen_spte(spte))
-	goto retry;
 if (level == fault->goal_level)
 	goto map_target_level;
+if (is_frozen_spte(spte))
+	goto retry;
