// SPDX-License-Identifier: GPL-2.0-only
// title: a removed page table is freed at once
// fix: 7cca2d0b7e7d (v5.12)
// kind: C
// rules: U
// file: tdp_mmu.c
// kernel: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: Page tables that were taken out of the tree were freed right away. That was fine as long as
//	whoever walked the tree held mmu_lock for writing, but a fast page fault holds no lock, and faults
//	are to hold it for reading only: they may be about to read, or change, an SPTE of that very table.
//	Since then tables are freed by RCU.
@@
expression sp;
@@
 handle_removed_pt(...)
 {
 ...
(
-tdp_mmu_free_sp_rcu(sp);
|
-call_rcu(&sp->rcu_head, tdp_mmu_free_sp_rcu_callback);
)
+bug_reached();
+bug_triggered(true);
+tdp_mmu_free_sp(sp);
 }
