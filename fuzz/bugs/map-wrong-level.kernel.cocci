// SPDX-License-Identifier: GPL-2.0-only
// title: a fault whose walk ends early maps its page where it stands
// fix: 80a3e4ae962d (v6.2), 50a9ac25985c (v6.2)
// kind: C
// rules: M
// file: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: See map-wrong-level.cocci.
@target@
expression fault, sp;
@@
 tdp_mmu_map_handle_target_level(...)
 {
 ...
-if (WARN_ON_ONCE(sp->role.level != fault->goal_level))
-	return RET_PF_RETRY;
 ...
 }

@fall_through@
expression fault, level;
@@
 kvm_tdp_mmu_map(...)
 {
 ...
-WARN_ON_ONCE(level == fault->goal_level);
-goto retry;
 ...
 }
