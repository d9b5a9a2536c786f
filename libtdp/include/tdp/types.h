/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's basic types and units, for userspace.
 *
 * Units, everywhere in libtdp: a gfn is a guest frame number, a pfn a host frame
 * number, an hvn a host virtual page number (all in 4 KiB pages); a gpa or hpa is
 * in bytes; a level is 1 (4K) to 5 (256T).
 */
#ifndef TDP_TYPES_H
#define TDP_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

typedef u64 gfn_t;
typedef u64 gpa_t;
typedef u64 hpa_t;
typedef u64 hvn_t;
typedef u64 kvm_pfn_t;

#define PAGE_SHIFT   12
#define PAGE_SIZE    (1ULL << PAGE_SHIFT)
#define INVALID_PAGE (~(hpa_t)0)

enum pg_level {
	PG_LEVEL_NONE,
	PG_LEVEL_4K,
	PG_LEVEL_2M,
	PG_LEVEL_1G,
	PG_LEVEL_512G,
	PG_LEVEL_256T,
};

#define PT64_ROOT_4LEVEL       4
#define PT64_ROOT_5LEVEL       5
#define PT64_ROOT_MAX_LEVEL    PT64_ROOT_5LEVEL
#define KVM_MAX_HUGEPAGE_LEVEL PG_LEVEL_1G
#define SPTE_LEVEL_BITS	       9
#define SPTE_ENT_PER_PAGE      (1 << SPTE_LEVEL_BITS)

#define KVM_HPAGE_GFN_SHIFT(level) (((level) - 1) * SPTE_LEVEL_BITS)
#define KVM_PAGES_PER_HPAGE(level) (1ULL << KVM_HPAGE_GFN_SHIFT(level))

#endif /* TDP_TYPES_H */
