// SPDX-License-Identifier: GPL-2.0-only
// title: a fault goes on with a root that was invalidated meanwhile
// fix: a955cad84cda (v5.16)
// kind: C
// rules: LN
// file: page_fault.c
//
// story: A fault that has taken mmu_lock looked only whether the host's page was still the same, and
//	not whether the root was. If all roots were invalidated and zapped since the fault began, it
//	mapped into a tree that nobody would zap again: the page table was never freed, and what it
//	mapped stayed beyond the deletion of its slot.
@@
expression root;
@@
 is_page_fault_stale(...)
 {
 ...
-if (!root || root->role.invalid)
+bug_reached();
+bug_triggered(root && root->role.invalid);
+if (!root)
	return true;
 ...
 }
