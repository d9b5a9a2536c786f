// SPDX-License-Identifier: GPL-2.0-only
// title: a fault goes on in a slot that is being deleted
// fix: e0c378684b65 (v5.13)
// kind: C
// rules: N
// file: page_fault.c
//
// story: A slot that is to be deleted, or moved, is marked invalid, and then what maps it is zapped.
//	A fault that found the slot so marked did not try again later, but went on, and could leave a
//	mapping behind the zap: one of memory that is no guest's any more, or one for MMIO in the place
//	of a mapping that no TLB was told about.
// form: In the kernel the look-up of the host's page took an invalid slot for none, so that an SPTE for
//	MMIO was made. Here the look-up believes its caller, and the fault maps the slot's page.
@@
identifier vcpu, fault, access;
@@
 kvm_faultin_pfn(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault, unsigned int access)
 {
 <...
-if (fault->slot->flags & KVM_MEMSLOT_INVALID)
-	return fault->prefetch ? -EAGAIN : RET_PF_RETRY;
+bug_reached();
+bug_triggered(fault->slot->flags & KVM_MEMSLOT_INVALID);
 ...>
 }
