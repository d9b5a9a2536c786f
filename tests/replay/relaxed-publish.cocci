// SPDX-License-Identifier: GPL-2.0-only
// title: an SPTE is changed without release semantics
// fix: what if
// kind: C
// rules: -
// file: tdp_mmu.c
//
// story: Another CPU may see a page table linked before it sees what is in the table. No sequentially
//	consistent run shows it; TSan does, in each (tests/test_data_race.sh).
@@
expression iter, new_spte;
@@
-return tdp_cmpxchg_spte(iter->sptep, &iter->old_spte, new_spte, iter->level) ? 0 : -EBUSY;
+const u64 old = iter->old_spte;
+bool ok;
+
+bug_reached();
+sim_point(POINT_CMPXCHG, iter->level, iter->sptep, SIM_SITE);
+sim_about_to_write(iter->sptep);
+ok = __atomic_compare_exchange_n(iter->sptep, &iter->old_spte, new_spte, false, __ATOMIC_RELAXED,
+				 __ATOMIC_RELAXED);
+sim_spte_changed(POINT_CMPXCHG, iter->sptep, iter->level, ok ? old : iter->old_spte, new_spte, ok,
+		 SIM_SITE);
+return ok ? 0 : -EBUSY;
