// SPDX-License-Identifier: GPL-2.0-only
// title: parts of a split huge page are writable again
// fix: what if
// kind: S
// rules: D
// file: arch/x86/kvm/mmu/spte.c
//
// story: Dirty logging takes W from a huge page, and leaves it MMU-writable, so that the next write
//	faults, is logged and gets W back. Were W given to its parts when it is split, on the grounds that
//	the MMU may make them writable, the guest could write all of them without anybody noticing:
//	live migration loses those writes.
@@
expression kvm;
identifier huge_spte, child_spte;
@@
 u64 child_spte = huge_spte;
 KVM_BUG_ON(!is_shadow_present_pte(huge_spte) || !is_large_pte(huge_spte), kvm);
+if (is_mmu_writable_spte(huge_spte))
+	child_spte |= PT_WRITABLE_MASK;
