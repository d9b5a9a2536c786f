// SPDX-License-Identifier: GPL-2.0-only
// title: SPTEs are overwritten with a plain store whoever else may change them
// fix: ba3a6120a4e7 (v5.18)
// kind: C
// rules: AD
// file: arch/x86/kvm/mmu/tdp_iter.h
//
// story: See nonatomic-volatile.cocci.
@@
expression sptep, old_spte, new_spte, level;
@@
 kvm_tdp_mmu_write_spte(...)
 {
-if (kvm_tdp_mmu_spte_need_atomic_write(old_spte, level))
-	return kvm_tdp_mmu_write_spte_atomic(sptep, new_spte);
 ...
 }
