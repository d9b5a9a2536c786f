// SPDX-License-Identifier: GPL-2.0-only
// title: a fault goes on in a slot that is being deleted
// fix: e0c378684b65 (v5.13)
// kind: C
// rules: N
// file: arch/x86/kvm/mmu/mmu.c
//
// story: See fault-in-invalid-slot.cocci.
@@
expression slot;
@@
 kvm_faultin_pfn(...)
 {
 <...
-if (slot->flags & KVM_MEMSLOT_INVALID)
-	return RET_PF_RETRY;
 ...>
 }
