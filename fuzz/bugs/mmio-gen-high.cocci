// SPDX-License-Identifier: GPL-2.0-only
// title: the upper part of the generation in an MMIO SPTE is shifted to the wrong place
// fix: 34c0f6f2695a (v5.10)
// kind: S
// rules: GP
// file: include/tdp/spte.h spte.c
//
// story: An MMIO SPTE holds the generation of the slots that it was made under, in two parts.
//	The upper one was shifted by where it starts in the SPTE, without regard to the bits
//	that the lower part takes, both on the way in and out: what was kept was the
//	generation's low bits, twice. Of a VM whose slots have changed often enough no MMIO
//	SPTE was ever found to be of today, and each access took the slow way.
// form: with the bits that 6.12 keeps, 8 below and 11 above, KVM itself, which reads as it writes, is
//	wrong from generation 2048 on; the SPTE is not what it should be from the first one on.
@place@
expression E;
@@
-#define MMIO_SPTE_GEN_HIGH_SHIFT E
+#define MMIO_SPTE_GEN_HIGH_SHIFT MMIO_SPTE_GEN_HIGH_START

@canary@
expression gen;
@@
 WARN_ON_ONCE(gen > MMIO_SPTE_GEN_MASK);
+bug_reached();
+bug_triggered(gen);
