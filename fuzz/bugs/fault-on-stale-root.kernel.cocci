// SPDX-License-Identifier: GPL-2.0-only
// title: a fault goes on with a root that was invalidated meanwhile
// fix: a955cad84cda (v5.16)
// kind: C
// rules: LN
// file: arch/x86/kvm/mmu/mmu.c
//
// story: See fault-on-stale-root.cocci.
@@
expression vcpu, sp;
@@
 is_page_fault_stale(...)
 {
 ...
-if (sp && is_obsolete_sp(vcpu->kvm, sp))
-	return true;
 ...
 }
