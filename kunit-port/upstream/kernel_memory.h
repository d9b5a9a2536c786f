/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory: a struct page is where its page begins, in the platform's arena of page
 * tables.
 */
#ifndef UPSTREAM_KERNEL_MEMORY_H
#define UPSTREAM_KERNEL_MEMORY_H

#define PAGE_MASK	   (~(PAGE_SIZE - 1))
#define PAGE_OFFSET	   (1UL << 63)
#define PMD_SIZE	   (1UL << 21)
#define GFP_KERNEL_ACCOUNT 0
#define __GFP_ZERO	   0

struct page;
#define virt_to_page(ptr)	   ((struct page *)(ptr))
#define pfn_to_page(pfn)	   ((struct page *)__va((hpa_t)(pfn) << PAGE_SHIFT))
#define set_page_private(page, sp) set_page_private(page, (void *)(sp))

struct kmem_cache {
	size_t size;
};
#define kmem_cache_zalloc(cache, gfp)	   upstream_zalloc((cache)->size)
#define kmem_cache_free(cache, ptr)	   upstream_free(ptr)
#define __get_free_page(gfp)		   ((unsigned long)tdp_page_alloc(0))
#define get_zeroed_page(gfp)		   ((unsigned long)tdp_page_alloc(0))
#define free_page(addr)			   upstream_table_free((u64 *)(addr))
#define kvm_account_pgtable_pages(page, n) ((void)0)

/* The dummy root, which only shadow paging has. */
#define my_zero_pfn(addr) 0UL
#define is_zero_pfn(pfn)  ((pfn) == 0)

/* What the frame of a mapping is, only the host knows. */
#define pfn_valid(pfn)		       false
#define PageReserved(page)	       false
#define pat_enabled()		       true
#define pat_pfn_immune_to_uc_mtrr(pfn) false
#define pfn_to_hpa(pfn)		       ((hpa_t)(pfn) << PAGE_SHIFT)
#define gfn_to_gpa(gfn)		       ((gpa_t)(gfn) << PAGE_SHIFT)
#define gpa_to_gfn(gpa)		       ((gfn_t)((gpa) >> PAGE_SHIFT))
enum e820_type { E820_TYPE_RAM = 1 };
bool e820__mapped_raw_any(u64 start, u64 end, enum e820_type type);
void kvm_set_pfn_dirty(kvm_pfn_t pfn);
void kvm_set_pfn_accessed(kvm_pfn_t pfn);
#define kvm_release_pfn_clean(pfn) ((void)0)

#endif /* UPSTREAM_KERNEL_MEMORY_H */
