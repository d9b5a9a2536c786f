// SPDX-License-Identifier: GPL-2.0-only
// title: a walk yields again before it has made a step
// fix: ed5e484b79e8 (v5.12)
// kind: Y
// rules: P
// file: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: See yield-no-progress.cocci.
@@
expression iter;
@@
-if (iter->next_last_level_gfn == iter->yielded_gfn)
-	return false;
 if (need_resched() || ...) { ... }
