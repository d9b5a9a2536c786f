// SPDX-License-Identifier: GPL-2.0-only
// title: a walk steps past the last SPTE of a page table
// fix: what if
// kind: S
// rules: MU
// file: tdp_iter.c
//
// story: A walk that has visited the last of a table's 512 SPTEs has to go up before it goes to the side.
//	If it looks for a 513th, it reads whatever lies behind the table as the SPTE of the next gfn:
//	mappings there are missed, or entries of a stranger's table are taken for them.
// form: What lies behind a table is another table, or nothing; which of both the memory of the sim
//	platform decides, so that rule U often sees the walk leave the table before rule M sees where it
//	leads.
@@
@@
-if (unlikely(iter_index(iter) == SPTE_ENT_PER_PAGE - 1))
+bug_reached();
+bug_triggered(iter_index(iter) == SPTE_ENT_PER_PAGE - 1);
+if (unlikely(iter_index(iter) == SPTE_ENT_PER_PAGE))
 	return false;
