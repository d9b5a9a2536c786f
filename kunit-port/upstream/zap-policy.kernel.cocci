// SPDX-License-Identifier: GPL-2.0-only
// file: arch/x86/kvm/mmu/tdp_mmu.c
//
// What a fault did with a huge page in its way before it came to split it (upstream commit c4b33d28ea51), and
// what fault_policy=zap has libtdp do: fuzz_diff compares that with a kernel that has this.
@@
identifier iter, sp, vcpu;
@@
 if (is_shadow_present_pte(iter.old_spte) && !is_large_pte(iter.old_spte))
	continue;
+if (is_shadow_present_pte(iter.old_spte)) {
+	if (tdp_mmu_zap_spte_atomic(kvm, &iter))
+		goto retry;
+	iter.old_spte = kvm_tdp_mmu_read_spte(iter.sptep);
+	if (is_shadow_present_pte(iter.old_spte) || is_frozen_spte(iter.old_spte))
+		goto retry;
+}
 sp = tdp_mmu_alloc_sp(vcpu);
