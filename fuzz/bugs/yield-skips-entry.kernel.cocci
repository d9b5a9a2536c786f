// SPDX-License-Identifier: GPL-2.0-only
// title: after a yield a walk steps over the entry that it was at
// fix: 3a0f64de479c (v5.16)
// kind: Y
// rules: LN
// file: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: See yield-skips-entry.cocci.
@@
expression iter;
@@
 rcu_read_lock();
 ...
-iter->yielded = true;
+tdp_iter_restart(iter);
+return true;
