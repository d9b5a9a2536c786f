// SPDX-License-Identifier: GPL-2.0-only
// title: the walk over all roots drops the last reference to one, and does not free it
// fix: a889ea54b3da (v5.11)
// kind: S
// rules: L
// file: tdp_mmu.c
//
// story: A walk over the roots that may yield holds a reference to the root that it is at.
//	When it went on it took the reference back without a look whether it was the last
//	one, as it is when the vCPU or the zap that held another has let go meanwhile. The
//	root stayed in the list, with nobody to free it.
@@
identifier root =~ "root$";
expression kvm, prev;
@@
 rcu_read_unlock();
 if (prev)
-	kvm_tdp_mmu_put_root(kvm, prev);
+{
+	bug_reached();
+	bug_triggered(refcount_dec_and_test(&prev->tdp_mmu_root_count));
+}
 return root;
