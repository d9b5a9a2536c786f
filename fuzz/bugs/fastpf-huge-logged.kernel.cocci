// SPDX-License-Identifier: GPL-2.0-only
// title: a fast page fault makes a logged huge page writable
// fix: what if
// kind: S
// rules: D
// file: arch/x86/kvm/mmu/mmu.c
//
// story: While a slot is logged, a write to a huge page has to go the long way, which maps the one 4K page
//	that is written. A fast fault that gives W back to all of the huge page logs one gfn, and the
//	guest writes the other 511 unseen.
@@
expression sp, fault;
@@
-if (sp->role.level > PG_LEVEL_4K && kvm_slot_dirty_track_enabled(fault->slot))
-	break;
