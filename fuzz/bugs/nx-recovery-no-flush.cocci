// SPDX-License-Identifier: GPL-2.0-only
// title: NX recovery zaps a page table and does not flush
// fix: 048f49809c52 (v5.12)
// kind: S
// rules: TU
// file: nx_huge_page.c
// kernel: arch/x86/kvm/mmu/mmu.c
//
// story: Recovery of huge pages zaps the page tables that the mitigation has made. It
//	collected the shadow pages of the old MMU in a list, and flushed if that was not
//	empty; a table of the TDP MMU never is in it. Nobody looked at whether its zap owed
//	a flush, so that vCPUs went on through translations of a table that was about to be
//	freed.
@@
expression kvm, sp, flush;
@@
(
-flush = kvm_tdp_mmu_zap_sp(kvm, sp);
+bug_reached();
+bug_triggered(kvm_tdp_mmu_zap_sp(kvm, sp));
|
-flush |= (kvm_tdp_mmu_zap_sp(kvm, sp));
+kvm_tdp_mmu_zap_sp(kvm, sp);
)
