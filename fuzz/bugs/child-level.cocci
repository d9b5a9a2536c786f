// SPDX-License-Identifier: GPL-2.0-only
// title: a new page table has the level of its parent
// fix: f1b832550832 (v5.14)
// kind: S
// rules: PM
// file: tdp_mmu.c
// kernel: arch/x86/kvm/mmu/tdp_mmu.c
//
// story: A page table takes its role from its parent, and is one level below. The level was
//	left as it was, so all that goes by it went wrong: in the kernel what is traced and
//	what is accounted, and how much of the guest a removed table is said to have mapped;
//	today a fault finds that the table does not fit it, and tries again for ever.
@@
expression role;
@@
-role.level--;
+bug_reached();
+bug_triggered(true);
