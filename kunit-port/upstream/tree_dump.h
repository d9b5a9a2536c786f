/* SPDX-License-Identifier: GPL-2.0-only */
/* For libtdp's tdp_dump.c, which is compiled against the tree's page tables after this. */
#ifndef UPSTREAM_TREE_DUMP_H
#define UPSTREAM_TREE_DUMP_H

#include "mmu.h"
#include "mmu_internal.h"
#include "spte.h"

#undef tdp_for_each_spte
#undef tdp_nr_roots
#undef cds_list_for_each_entry
#define cds_list_for_each_entry list_for_each_entry

#endif /* UPSTREAM_TREE_DUMP_H */
