// SPDX-License-Identifier: GPL-2.0-only
/* libtdp's dump of page tables, of the tree's page tables. */
#include "mmu.h"
#include "mmu_internal.h"
#include "spte.h"

#undef tdp_for_each_spte
#define cds_list_for_each_entry list_for_each_entry
#include "../../libtdp/tdp_dump.c"
