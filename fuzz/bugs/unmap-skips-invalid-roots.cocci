// SPDX-License-Identifier: GPL-2.0-only
// title: an unmap passes over invalid roots
// fix: d62007edf01f (v5.17)
// kind: C
// rules: NU
// file: tdp_mmu.c
//
// story: When all roots are zapped they are first marked invalid, and their entries are taken down
//	bit by bit after that. If the host takes a page away meanwhile, the invalid roots map it as well
//	as the valid ones. The MMU notifier looked at the valid ones only: the page was freed, and later
//	the zap of the invalid root marked a page dirty that was somebody else's by then.
@@
iterator name for_each_root_yield_safe, for_each_tdp_mmu_root;
expression kvm, root, as_id;
statement zap;
@@
 kvm_tdp_mmu_unmap_gfn_range(...)
 {
 ...
+bug_reached();
+for_each_tdp_mmu_root(kvm, root, as_id)
+	bug_triggered(root->role.invalid);
-for_each_root_yield_safe(kvm, root, as_id, false)
+for_each_root_yield_safe(kvm, root, as_id, true)
 	zap
 ...
 }
