// SPDX-License-Identifier: GPL-2.0-only
// file: arch/x86/kvm/mmu/tdp_mmu.c
@@
expression kvm, iter;
@@
 if (is_shadow_present_pte(iter->old_spte) && !is_last_spte(iter->old_spte, iter->level))
-	kvm_flush_remote_tlbs_gfn(kvm, iter->gfn, iter->level);
+	;
