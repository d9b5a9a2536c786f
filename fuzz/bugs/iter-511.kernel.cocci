// SPDX-License-Identifier: GPL-2.0-only
// title: a walk steps past the last SPTE of a page table
// fix: what if
// kind: S
// rules: MU
// file: arch/x86/kvm/mmu/tdp_iter.c
//
// story: A walk that has visited the last of a table's 512 SPTEs has to go up before it goes to the side.
//	If it looks for a 513th, it reads whatever lies behind the table as the SPTE of the next gfn:
//	mappings there are missed, or entries of a stranger's table are taken for them.
@@
symbol false;
expression gpa, level;
@@
-if (SPTE_INDEX(gpa, level) == (SPTE_ENT_PER_PAGE - 1))
+if (SPTE_INDEX(gpa, level) == SPTE_ENT_PER_PAGE)
	return false;
