// SPDX-License-Identifier: GPL-2.0-only
/*
 * The native platform's memory.  A thread keeps the page tables that it frees, up to a number, and takes
 * them again, still warm in its cache; the others go through one list, in the order in which they were
 * freed.  In builds that look for mistakes all go through the list and stay in it for a while, so that a
 * stale pointer meets a freed page, which is overwritten before TSan's eyes, rather than a new table.
 */
#include "platform.h"

#include <stdlib.h>
#include <sys/mman.h>

#include <tdp/native.h>

#ifdef NATIVE_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(addr, size)	((void)(addr), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(addr, size) ((void)(addr), (void)(size))
#endif

#define QUARANTINE (NATIVE_DEBUG ? 256 : 0)
#define POISON	   0xa5a5a5a5a5a5a5a5ULL

char *native_arena;
struct native_page *native_pages;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Under the lock: pages from @unused on were never used; the others that are free, oldest first. */
static u32 unused, nr_free, first_free, last_free;

static tdp_stat_t pages_live, allocs_live;

static void *reserve(size_t bytes)
{
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return map == MAP_FAILED ? NULL : map;
}

/* Without the address space there will be no page tables: -ENOMEM is what callers see. */
static void map_arena(void)
{
	native_pages = reserve(NATIVE_PT_PAGES * sizeof(*native_pages));
	if (native_pages)
		native_arena = reserve(NATIVE_PT_PAGES << PAGE_SHIFT);
	if (!native_arena)
		unused = NATIVE_PT_PAGES;
}

static u64 *page_at(u32 i)
{
	return (u64 *)(native_arena + ((u64)i << PAGE_SHIFT));
}

/* Give page @i to the list. Under the lock. */
static void append(u32 i)
{
	if (nr_free++)
		native_pages[last_free].next = i;
	else
		first_free = i;
	last_free = i;
}

/* Take up to @n pages. Returns how many there were. */
static u32 take_pages(u32 *pages, u32 n)
{
	u32 i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < n; i++) {
		if (nr_free > QUARANTINE || (nr_free && unused == NATIVE_PT_PAGES)) {
			pages[i] = first_free;
			first_free = native_pages[first_free].next;
			nr_free--;
		} else if (unused < NATIVE_PT_PAGES) {
			pages[i] = unused++;
		} else {
			break;
		}
	}
	pthread_mutex_unlock(&lock);
	return i;
}

/* The @n pages that thread @t has kept longest go to the list. */
static void give_pages(struct native_thread *t, u32 n)
{
	u32 i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < n; i++)
		append(t->pages[i]);
	pthread_mutex_unlock(&lock);
	t->nr_pages -= n;
	memmove(t->pages, t->pages + n, t->nr_pages * sizeof(*t->pages));
}

/**
 * native_give_pages_back() - a thread ends: others may have the page tables that it keeps
 * @t: the thread
 */
void native_give_pages_back(struct native_thread *t)
{
	give_pages(t, t->nr_pages);
}

/**
 * native_page_reserve() - a page-table page whose entries are still to be set
 *
 * Return: the page, aligned to its size; NULL without memory.
 */
u64 *native_page_reserve(void)
{
	struct native_thread *t = &native_self;
	u64 *sptes;
	u32 page;

	if (native_point(POINT_ALLOC, 0, NULL))
		return NULL;
	pthread_once(&once, map_arena);
	native_shard(); /* what it keeps is given back at its end */
	if (!t->nr_pages)
		t->nr_pages = take_pages(t->pages, NATIVE_DEBUG ? 1 : NATIVE_MAGAZINE / 2);
	if (!t->nr_pages)
		return NULL;
	page = t->pages[--t->nr_pages];
	sptes = page_at(page);
	ASAN_UNPOISON_MEMORY_REGION(sptes, PAGE_SIZE);
	native_pages[page].priv = NULL;
	tdp_stat_add(1, &pages_live);
	return sptes;
}

/**
 * native_page_alloc() - a page-table page
 * @fill: what each entry is set to
 *
 * Return: the page, aligned to its size; NULL without memory.
 */
u64 *native_page_alloc(u64 fill)
{
	u64 *sptes = native_page_reserve();

	if (sptes)
		native_init_sptes(sptes, SPTE_ENT_PER_PAGE, fill, 0);
	return sptes;
}

/**
 * native_page_free() - free a page-table page
 * @sptes: the page; NULL: nothing is done
 */
void native_page_free(u64 *sptes)
{
	struct native_thread *t = &native_self;

	if (!sptes)
		return;
	native_shard();
	if (NATIVE_DEBUG)
		native_init_sptes(sptes, SPTE_ENT_PER_PAGE, POISON, 0);
	ASAN_POISON_MEMORY_REGION(sptes, PAGE_SIZE);
	set_page_private(sptes, NULL);
	tdp_stat_add(-1, &pages_live);
	if (t->nr_pages == NATIVE_MAGAZINE)
		give_pages(t, NATIVE_MAGAZINE / 2);
	t->pages[t->nr_pages++] = native_page_index(sptes);
	if (NATIVE_DEBUG)
		give_pages(t, t->nr_pages);
}

/**
 * native_zalloc() - other memory, zeroed
 * @n: objects
 * @size: of each, bytes
 *
 * Return: NULL without memory.
 */
void *native_zalloc(size_t n, size_t size)
{
	void *ptr = native_point(POINT_ALLOC, 0, NULL) ? NULL : calloc(n, size);

	if (ptr)
		tdp_stat_add(1, &allocs_live);
	return ptr;
}

/**
 * native_free() - free it
 * @ptr: from native_zalloc(); NULL: nothing is done
 */
void native_free(void *ptr)
{
	if (!ptr)
		return;
	tdp_stat_add(-1, &allocs_live);
	free(ptr);
}

/**
 * tdp_pages_in_use() - page-table pages that VMs of this process have
 *
 * Exact only while nothing runs; 0 once all VMs are destroyed.
 */
u64 tdp_pages_in_use(void)
{
	return tdp_stat_read(&pages_live);
}

/**
 * tdp_allocs_in_use() - other allocations of VMs of this process
 *
 * Exact only while nothing runs; 0 once all VMs are destroyed.
 */
u64 tdp_allocs_in_use(void)
{
	return tdp_stat_read(&allocs_live);
}

/**
 * tdp_spte_at() - where hardware finds the SPTE at a physical address
 * @pa: bytes, 8-byte aligned, in the root or in a table that an SPTE links
 *
 * For the page-table walk of a guest's CPU, which reads SPTEs by atomic loads and sets A and D by
 * compare-and-exchange. The table is there as long as the vCPU is in guest mode.
 */
u64 *tdp_spte_at(hpa_t pa)
{
	return __va(pa);
}
