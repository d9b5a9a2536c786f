// SPDX-License-Identifier: GPL-2.0-only
// title: a fault maps its page over a frozen SPTE
// fix: f5d16bb9be68 (v6.2)
// kind: C
// rules: MLA
// file: tdp_mmu.c
//
// story: A fault looked whether an SPTE was frozen only where it wanted to go on below it. At its goal it
//	put its leaf in the place of the frozen value, although that belongs to who zaps the SPTE: the
//	zapper then wrote its empty value over the new leaf, which went uncounted and unflushed.
@@
expression vcpu, fault, ret;
identifier iter;
@@
-if (is_frozen_spte(iter.old_spte))
-	goto out;
 if (fault->goal_level == iter.level) {
+	bug_reached();
+	bug_triggered(is_frozen_spte(iter.old_spte));
	ret = tdp_mmu_map_handle_target_level(vcpu, fault, &iter);
	goto out;
 }
+if (is_frozen_spte(iter.old_spte))
+	goto out;
