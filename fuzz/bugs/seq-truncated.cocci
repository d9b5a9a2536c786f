// SPDX-License-Identifier: GPL-2.0-only
// title: the invalidation's sequence number goes through an int
// fix: ba6e3fe25543 (v6.3)
// kind: S
// rules: P
// file: page_fault.c
// kernel: arch/x86/kvm/mmu/mmu.c
//
// story: A fault remembers the number of invalidations that there have been, to see later
//	whether there was another. The number is an unsigned long, but was passed on as an
//	int. After two thousand million invalidations what came out was never equal to what
//	there was, and the guest took the same fault for ever.
// form: the number was a parameter of the function that compares it; since it is kept in the fault, it is
//	cut where it is put there.
@@
expression fault, seq;
@@
(
 fault->mmu_seq = smp_load_acquire(&seq);
+bug_reached();
+bug_triggered(fault->mmu_seq >> 31);
+fault->mmu_seq = (int)fault->mmu_seq;
|
-fault->mmu_seq = seq;
+fault->mmu_seq = (int)seq;
)
