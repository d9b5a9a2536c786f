// SPDX-License-Identifier: GPL-2.0-only
// title: the invalidation's sequence number is sampled after the page was looked up
// fix: what if
// kind: C
// rules: NU
// file: page_fault.c
//
// story: A fault samples mmu_invalidate_seq, looks the host's page up, and later, with mmu_lock held,
//	sees by the number whether the host has taken the page away meanwhile. Sampled after the
//	look-up, the number says nothing about an invalidation that came in between: the fault maps a
//	frame that is somebody else's by now.
@@
expression kvm, fault, r, vcpu;
@@
 r = __kvm_faultin_pfn(vcpu, fault);
 if (r != RET_PF_CONTINUE)
	return r;
-if (mmu_invalidate_retry_gfn_unsafe(kvm, fault->mmu_seq, fault->gfn))
-	return RET_PF_RETRY;
+bug_reached();
+{
+	const unsigned long before = fault->mmu_seq;
+
+	fault->mmu_seq = smp_load_acquire(&kvm->mmu_invalidate_seq);
+	bug_triggered(fault->mmu_seq != before);
+}
