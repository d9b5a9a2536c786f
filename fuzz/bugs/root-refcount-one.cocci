// SPDX-License-Identifier: GPL-2.0-only
// title: a new root has one reference, where two hold it
// fix: what if
// kind: S
// rules: LU
// file: tdp_mmu.c
// kernel: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: A root is held by the vCPU that made it and by the TDP MMU itself, until it has been invalidated
//	and zapped. With one reference for both, whoever lets go first frees a root that the other
//	uses: a vCPU that drops its root takes it from the TDP MMU while it is valid, and an
//	invalidation takes it from a vCPU that is still in the guest.
@@
expression root;
@@
+bug_reached();
+bug_triggered(true);
-refcount_set(&root->tdp_mmu_root_count, 2);
+refcount_set(&root->tdp_mmu_root_count, 1);
