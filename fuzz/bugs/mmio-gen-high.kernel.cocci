// SPDX-License-Identifier: GPL-2.0-only
// title: the upper part of the generation in an MMIO SPTE is shifted to the wrong place
// fix: 34c0f6f2695a (v5.10)
// kind: S
// rules: GP
// file: arch/x86/kvm/mmu/spte.h
//
// story: See mmio-gen-high.cocci.
@@
expression E;
@@
-#define MMIO_SPTE_GEN_HIGH_SHIFT E
+#define MMIO_SPTE_GEN_HIGH_SHIFT MMIO_SPTE_GEN_HIGH_START
