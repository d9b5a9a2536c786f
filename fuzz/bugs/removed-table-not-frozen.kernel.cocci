// SPDX-License-Identifier: GPL-2.0-only
// file: arch/x86/kvm/mmu/tdp_mmu.c
@@
expression sptep, old_spte;
@@
 if (shared) {
+	if (!is_shadow_present_pte(kvm_tdp_mmu_read_spte(sptep)))
+		continue;
 	for (;;) {
		old_spte = kvm_tdp_mmu_write_spte_atomic(sptep, FROZEN_SPTE);
		...
	}
 } else { ... }
