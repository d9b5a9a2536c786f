// SPDX-License-Identifier: GPL-2.0-only
// title: the walk over all roots drops the last reference to one, and does not free it
// fix: a889ea54b3da (v5.11)
// kind: S
// rules: L
// file: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: See root-not-freed.cocci.
@@
identifier root =~ "root$";
expression kvm, prev;
@@
 rcu_read_unlock();
 if (prev)
-	kvm_tdp_mmu_put_root(kvm, prev);
+	refcount_dec(&prev->tdp_mmu_root_count);
 return root;
