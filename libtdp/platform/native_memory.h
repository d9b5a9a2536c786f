/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The native platform's memory: page i of an arena of page tables has physical address
 * (NATIVE_PT_PFN + i) << PAGE_SHIFT, so that SPTEs hold addresses that a CPU could have, whatever
 * the size of a pointer.
 */
#ifndef TDP_PLATFORM_NATIVE_MEMORY_H
#define TDP_PLATFORM_NATIVE_MEMORY_H

/**
 * struct native_page - a page-table page
 * @priv: page_private()
 * @next: number of the next one in the list of free pages
 */
struct native_page {
	void *priv;
	u32 next;
};

extern char *native_arena;
extern struct native_page *native_pages;

static inline u64 native_page_index(const void *ptr)
{
	return ((uintptr_t)ptr - (uintptr_t)native_arena) >> PAGE_SHIFT;
}

static inline hpa_t __pa(const void *ptr)
{
	return (NATIVE_PT_PFN << PAGE_SHIFT) + (hpa_t)((const char *)ptr - native_arena);
}

static inline void *__va(hpa_t pa)
{
	return native_arena + ((pa & NATIVE_PT_PA_MASK) - (NATIVE_PT_PFN << PAGE_SHIFT));
}

static inline void *page_private(const void *ptr)
{
	return native_pages[native_page_index(ptr)].priv;
}

static inline void set_page_private(void *ptr, void *priv)
{
	native_pages[native_page_index(ptr)].priv = priv;
}

#define tdp_page_alloc(fill)	native_page_alloc(fill)
#define tdp_page_reserve(fill)	((void)(fill), native_page_reserve())
#define tdp_page_set(ptr, fill) native_init_sptes(ptr, SPTE_ENT_PER_PAGE, fill, 0)
#define tdp_page_free(ptr)	native_page_free(ptr)
u64 *native_page_reserve(void);
u64 *native_page_alloc(u64 fill);
void native_page_free(u64 *sptes);
void native_give_pages_back(struct native_thread *t);

#define kzalloc(size)	  native_zalloc(1, size)
#define kvcalloc(n, size) native_zalloc(n, size)
#define kfree(ptr)	  native_free(ptr)
void *native_zalloc(size_t n, size_t size);
void native_free(void *ptr);

#endif /* TDP_PLATFORM_NATIVE_MEMORY_H */
