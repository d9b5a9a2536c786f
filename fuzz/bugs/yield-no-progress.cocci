// SPDX-License-Identifier: GPL-2.0-only
// title: a walk yields again before it has made a step
// fix: ed5e484b79e8 (v5.12)
// kind: Y
// rules: P
// file: tdp_mmu.c
//
// story: A walk that drops mmu_lock starts again from the root, and on its way down is asked
//	again whether to yield. If it did so each time that somebody waits, it would never
//	come back to where it was: on a busy host a zap ran until a watchdog barked. A walk
//	has to have passed a page between two yields.
@@
expression kvm, iter;
@@
-if (iter->yielded_gfn == iter->next_last_level_gfn)
-	return false;
+bug_reached();
 if (!need_resched() && !rwlock_needbreak(&kvm->mmu_lock))
 	return false;
+bug_triggered(iter->yielded_gfn == iter->next_last_level_gfn);
