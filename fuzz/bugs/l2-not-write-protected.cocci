// SPDX-License-Identifier: GPL-2.0-only
// title: under PML the D of a nested guest's pages is cleared, and not W
// fix: 2673dfb591a3 (v6.9)
// kind: S
// rules: D
// file: tdp_mmu.c
//
// story: The CPU logs what it sets D for, but not while a nested guest runs: its addresses
//	are not those that the log should hold. The pages of its root are therefore to be
//	write-protected when the log is armed. Only the CPU's abilities were asked for, not
//	the root's role: D was cleared, W stayed, and what the nested guest wrote next was
//	never copied.
@@
expression kvm, sp, fmt;
@@
-return !kvm_ad_enabled(fmt) || kvm_mmu_page_ad_need_write_protect(kvm, sp);
+bug_reached();
+bug_triggered(kvm_mmu_page_ad_need_write_protect(kvm, sp));
+return (!kvm_ad_enabled(fmt));
