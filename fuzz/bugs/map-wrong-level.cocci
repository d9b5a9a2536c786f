// SPDX-License-Identifier: GPL-2.0-only
// title: a fault whose walk ends early maps its page where it stands
// fix: 80a3e4ae962d (v6.2), 50a9ac25985c (v6.2)
// kind: C
// rules: M
// file: tdp_mmu.c
//
// story: The walk to the level of a fault's page ends early if another thread zaps or freezes an SPTE
//	between the look at it and the step below. The iterator has then moved on to its neighbour, a
//	level too high. The fault mapped its page there, as a huge page of another gfn.
@target@
expression fault, sp;
@@
 tdp_mmu_map_handle_target_level(...)
 {
 ...
-if (WARN_ON_ONCE(fault->goal_level != sp->role.level))
-	return RET_PF_RETRY;
+bug_reached();
+bug_triggered(fault->goal_level != sp->role.level);
 ...
 }

@fall_through@
expression fault;
identifier iter, vcpu, ret;
@@
 kvm_tdp_mmu_map(struct kvm_vcpu *vcpu, ...)
 {
 ...
 int ret = ...;
 ...
-WARN_ON_ONCE(fault->goal_level == iter.level);
+ret = tdp_mmu_map_handle_target_level(vcpu, fault, &iter);
 ...
 }
