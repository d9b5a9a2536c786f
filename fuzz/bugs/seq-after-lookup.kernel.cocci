// SPDX-License-Identifier: GPL-2.0-only
// file: arch/x86/kvm/mmu/mmu.c
@@
expression vcpu, fault, ret;
@@
 ret = __kvm_faultin_pfn(vcpu, fault);
 if (ret != RET_PF_CONTINUE)
	return ret;
+fault->mmu_seq = vcpu->kvm->mmu_invalidate_seq;
+smp_rmb();
 if (unlikely(is_error_pfn(fault->pfn)))
	return kvm_handle_error_pfn(vcpu, fault);
 if (WARN_ON_ONCE(!fault->slot || is_noslot_pfn(fault->pfn)))
	return kvm_handle_noslot_fault(vcpu, fault, access);
-if (mmu_invalidate_retry_gfn_unsafe(vcpu->kvm, fault->mmu_seq, fault->gfn)) {
-	...
-}
