// SPDX-License-Identifier: GPL-2.0-only
// title: SPTEs are overwritten with a plain store whoever else may change them
// fix: ba3a6120a4e7 (v5.18)
// kind: C
// rules: AD
// file: tdp_iter.h
//
// story: With mmu_lock held for writing an SPTE was changed by a plain store, and what had been read
//	before was taken for the old value. But the CPU sets A and D, and a fast page fault W, without
//	any lock: a write between the read and the store went into a page that was then reported clean.
// form: Of the flushes that were missed for the lack of W nothing is left to see: by now they are owed whatever the
//	SPTE held. What can be lost is that a page is dirty (rule D), but rule A holds the store itself against
//	it, before anything is lost: reached and detected, but mostly not triggered.
@@
expression sptep, new_spte, level;
identifier fmt, old_spte;
@@
 kvm_tdp_mmu_write_spte(...)
 {
-if (!kvm_tdp_mmu_spte_need_atomic_write(fmt, old_spte, level)) {
-	__kvm_tdp_mmu_write_spte(fmt, sptep, new_spte, level);
-	return old_spte;
-}
-return kvm_tdp_mmu_write_spte_atomic(fmt, sptep, new_spte, level);
+bug_reached();
+bug_store_spte(sptep, old_spte, new_spte, level);
+return old_spte;
 }
