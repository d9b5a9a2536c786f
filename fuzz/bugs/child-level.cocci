// SPDX-License-Identifier: GPL-2.0-only
// title: a new page table has the level of its parent
// fix: f1b832550832 (v5.14)
// kind: S
// rules: P
// file: tdp_mmu.c
// kernel: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: A page table takes its role from its parent, and is one level below. The level was left as
//	it was. The few who looked at it knew, and made up for that, so that a root and the tables
//	under it looked alike and nothing else came of it. Today a fault compares it with what it
//	wants to map, finds that the table does not fit, and tries again for ever.
@@
expression role;
@@
-role.level--;
+bug_reached();
+bug_triggered(true);
