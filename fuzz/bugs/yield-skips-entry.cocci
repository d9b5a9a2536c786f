// SPDX-License-Identifier: GPL-2.0-only
// title: after a yield a walk steps over the entry that it was at
// fix: 3a0f64de479c (v5.16)
// kind: Y
// rules: LN
// file: tdp_mmu.c
//
// story: Who drops mmu_lock in a walk restarts the walk, which puts it back on an entry that
//	it has not dealt with yet, unless that is a link. It was restarted at once, and then
//	the loop made its step as always: over that entry. A zap of a root left a top-level
//	entry in place with all that hangs off it, in a root that was about to be freed.
@@
expression iter;
@@
-iter->yielded = true;
 WARN_ON_ONCE(...);
 ...
 rcu_read_lock();
+bug_reached();
+tdp_iter_restart(iter);
+bug_triggered(is_shadow_present_pte(iter->old_spte) &&
+	      (iter->level == iter->min_level || is_last_spte(iter->old_spte, iter->level)));
 return true;
