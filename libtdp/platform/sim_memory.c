// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sim platform's memory: an arena of page-table pages with made-up physical
 * addresses, and other allocations.  Which page comes next depends on the order of
 * allocations and frees alone, never on an address, so that runs repeat exactly.
 */
#include "platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "sim_memory.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_ASAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SIM_ASAN 1
#endif
#ifdef SIM_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(addr, size)	((void)(addr), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(addr, size) ((void)(addr), (void)(size))
#endif

/*
 * Freed pages wait in a queue until this many are in it, so that a stale pointer
 * meets the poison rather than a new table; "reuse" takes the last one at once.
 */
#define SIM_QUARANTINE 64

enum page_state { PAGE_NEVER_USED, PAGE_LIVE, PAGE_FREED };

char *sim_arena;
void *sim_page_priv[SIM_PT_PAGES];

static u8 page_state[SIM_PT_PAGES];
static u64 pages_used;  /* pages [0, pages_used) have been handed out since the reset */
static u64 pages_live;

/* Freed pages, oldest first. Free-running indexes, as many slots as pages. */
static u32 freed[SIM_PT_PAGES];
static u64 freed_first, freed_end;

/*
 * Every other allocation, so that a run that was cut short can be cleaned up.
 * @pool: where a freed one waits to be used again, by size; NULL: it goes back to malloc()
 * @bytes: size asked for, without this header
 */
struct sim_alloc {
	struct sim_alloc *next;
	struct sim_alloc **pprev;
	struct sim_pool *pool;
	size_t bytes;
};

/*
 * Small ones are kept, by size in steps of 64 bytes with at least 16 spare, oldest first. With
 * AddressSanitizer the spare bytes and what is kept are poisoned, and some are always left waiting.
 */
struct sim_pool {
	struct sim_alloc *first;
	struct sim_alloc *last;
	u32 n;
};

#define SIM_POOL_STEP  64
#define SIM_POOL_SPARE 16
#define SIM_POOLS      64
#ifdef SIM_ASAN
#define SIM_POOL_KEEP 16
#else
#define SIM_POOL_KEEP 0
#endif
static struct sim_pool pools[SIM_POOLS];

static struct sim_alloc *allocs;
static u64 allocs_live;

static void sim_arena_map(void)
{
	void *map = mmap(NULL, SIM_PT_PAGES << PAGE_SHIFT, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED) {
		fprintf(stderr,
			"libtdp: cannot reserve %llu MiB of address space for page tables\n",
			(unsigned long long)(SIM_PT_PAGES << PAGE_SHIFT >> 20));
		abort();
	}
	sim_arena = map;
}

static void sim_release(struct sim_alloc *a)
{
	struct sim_pool *pool = a->pool;

	if (!pool) {
		free(a);
		return;
	}
	ASAN_POISON_MEMORY_REGION(a + 1, a->bytes);
	a->next = NULL;
	if (pool->n++)
		pool->last->next = a;
	else
		pool->first = a;
	pool->last = a;
}

/* @bytes after the header, zeroed; NULL without memory. */
static struct sim_alloc *sim_obtain(size_t bytes)
{
	size_t steps = (sizeof(struct sim_alloc) + bytes + SIM_POOL_SPARE) / SIM_POOL_STEP + 1;
	struct sim_pool *pool = steps < SIM_POOLS ? &pools[steps] : NULL;
	struct sim_alloc *a;

	if (pool && pool->n > SIM_POOL_KEEP) {
		a = pool->first;
		pool->first = a->next;
		pool->n--;
		ASAN_UNPOISON_MEMORY_REGION(a + 1, bytes);
		memset(a + 1, 0, bytes);
	} else {
		a = calloc(1, pool ? steps * SIM_POOL_STEP : sizeof(*a) + bytes);
		if (!a)
			return NULL;
		if (pool)
			ASAN_POISON_MEMORY_REGION((char *)(a + 1) + bytes,
						  steps * SIM_POOL_STEP - sizeof(*a) - bytes);
	}
	a->pool = pool;
	a->bytes = bytes;
	return a;
}

void sim_memory_reset(void)
{
	while (allocs) {
		struct sim_alloc *a = allocs;

		allocs = a->next;
		sim_release(a);
	}
	allocs_live = 0;
	memset(page_state, PAGE_NEVER_USED, pages_used);
	if (sim_arena)
		ASAN_UNPOISON_MEMORY_REGION(sim_arena, pages_used << PAGE_SHIFT);
	pages_used = 0;
	pages_live = 0;
	freed_first = 0;
	freed_end = 0;
}

static bool sim_refused(unsigned int actions, bool page)
{
	if (!(actions & SIM_FAIL))
		return false;
	if (sim.observer && sim.observer->refused)
		sim.observer->refused(sim.observer->ctx, page);
	return true;
}

/**
 * sim_fill() - give a run of SPTEs one value
 * @sptep: the first
 * @n: how many, at least 0
 * @val: their value
 */
void sim_fill(u64 *sptep, int n, u64 val)
{
#ifdef __x86_64__
	u64 left = n;

	__asm__ volatile("rep stosq" : "+D"(sptep), "+c"(left) : "a"(val) : "memory");
#else
	while (n-- > 0)
		*sptep++ = val;
#endif
}

#define SIM_RAW	__attribute__((no_sanitize("address", "undefined")))

/* How many SPTEs of the first @n hold @val, in steps of 16. */
SIM_RAW static int sim_equal_blocks(const u64 *sptep, int n, u64 val)
{
	typedef u64 two __attribute__((vector_size(16), aligned(8), may_alias));
	const two vals = { val, val };
	int i;

	for (i = 0; i + 16 <= n; i += 16) {
		const two *at = (const two *)(sptep + i);
		two d = (at[0] ^ vals) | (at[1] ^ vals) | (at[2] ^ vals) | (at[3] ^ vals);

		d |= (at[4] ^ vals) | (at[5] ^ vals) | (at[6] ^ vals) | (at[7] ^ vals);
		if (d[0] | d[1])
			break;
	}
	return i;
}

#ifdef __x86_64__
SIM_RAW __attribute__((target("avx2"))) static int sim_equal_blocks_avx2(const u64 *sptep, int n,
									 u64 val)
{
	typedef u64 four __attribute__((vector_size(32), aligned(8), may_alias));
	typedef long long test __attribute__((vector_size(32)));
	const four vals = { val, val, val, val };
	int i;

	for (i = 0; i + 16 <= n; i += 16) {
		const four *at = (const four *)(sptep + i);
		test d = (test)((at[0] ^ vals) | (at[1] ^ vals) | (at[2] ^ vals) | (at[3] ^ vals));

		if (!__builtin_ia32_ptestz256(d, d))
			break;
	}
	return i;
}
#endif

/**
 * sim_run_length() - how many SPTEs in a row hold a value?
 * @sptep: the first
 * @n: look at no more than these
 * @val: the value
 *
 * Not instrumented, as a freed table ends the run by its poison: who reads it next, finds it.
 */
SIM_RAW int sim_run_length(const u64 *sptep, int n, u64 val)
{
	int i;

#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		i = sim_equal_blocks_avx2(sptep, n, val);
	else
#endif
		i = sim_equal_blocks(sptep, n, val);
	while (i < n && sptep[i] == val)
		i++;
	return i;
}

static u64 sim_next_page(unsigned int actions)
{
	u64 waiting = freed_end - freed_first;

	if (waiting && (actions & SIM_REUSE))
		return freed[--freed_end % SIM_PT_PAGES];
	if (waiting > SIM_QUARANTINE || pages_used == SIM_PT_PAGES)
		return waiting ? freed[freed_first++ % SIM_PT_PAGES] : SIM_PT_PAGES;
	return pages_used++;
}

u64 *sim_page_alloc(u64 fill, const struct sim_site *site)
{
	unsigned int actions = sim_point(POINT_ALLOC, 0, NULL, site);
	u64 idx, *page;

	if (sim_refused(actions, true))
		return NULL;
	if (!sim_arena)
		sim_arena_map();
	idx = sim_next_page(actions);
	if (idx == SIM_PT_PAGES)
		return NULL;
	page = (u64 *)(sim_arena + (idx << PAGE_SHIFT));
	ASAN_UNPOISON_MEMORY_REGION(page, PAGE_SIZE);
	sim_fill(page, SPTE_ENT_PER_PAGE, fill);
	page_state[idx] = PAGE_LIVE;
	pages_live++;
	if (sim.observer && sim.observer->page)
		sim.observer->page(sim.observer->ctx, SIM_PAGE_ALLOC, sim_ptr_pa(page), fill);
	return page;
}

void sim_page_free(u64 *page, const struct sim_site *site)
{
	u64 idx = ((char *)page - sim_arena) >> PAGE_SHIFT;

	if (!page)
		return;
	sim_point(POINT_FREE, 0, page, site);
	if (!sim_ptr_is_live(page)) {
		sim_warn("page-table page freed twice", site);
		return;
	}
	sim_fill(page, SPTE_ENT_PER_PAGE, SIM_POISON);
	ASAN_POISON_MEMORY_REGION(page, PAGE_SIZE);
	page_state[idx] = PAGE_FREED;
	pages_live--;
	freed[freed_end++ % SIM_PT_PAGES] = idx;
	if (sim.observer && sim.observer->page)
		sim.observer->page(sim.observer->ctx, SIM_PAGE_FREE, sim_ptr_pa(page), SIM_POISON);
}

/**
 * sim_ptr_is_live() - does @ptr point into a page-table page that is allocated?
 * @ptr: any pointer
 */
bool sim_ptr_is_live(const void *ptr)
{
	u64 idx = ((uintptr_t)ptr - (uintptr_t)sim_arena) >> PAGE_SHIFT;

	return sim_arena && idx < SIM_PT_PAGES && page_state[idx] == PAGE_LIVE;
}

/**
 * sim_spte_ptr() - where hardware finds the SPTE at a physical address
 * @pa: bytes, 8-byte aligned
 *
 * Return: the SPTE, or NULL if no live page-table page is there.
 */
u64 *sim_spte_ptr(hpa_t pa)
{
	u64 idx = (pa >> PAGE_SHIFT) - SIM_PT_PFN;

	if (idx >= SIM_PT_PAGES || page_state[idx] != PAGE_LIVE)
		return NULL;
	return __va(pa & ~7ULL);
}

bool sim_page_is_live(hpa_t pa)
{
	return sim_spte_ptr(pa) != NULL;
}

void *sim_zalloc(size_t n, size_t size, const struct sim_site *site)
{
	unsigned int actions = sim_point(POINT_ALLOC, 0, NULL, site);
	struct sim_alloc *a;
	size_t bytes;

	if (sim_refused(actions, false))
		return NULL;
	if (__builtin_mul_overflow(n, size, &bytes) || bytes > PTRDIFF_MAX / 2)
		return NULL;
	a = sim_obtain(bytes);
	if (!a)
		return NULL;
	a->next = allocs;
	a->pprev = &allocs;
	if (allocs)
		allocs->pprev = &a->next;
	allocs = a;
	allocs_live++;
	return a + 1;
}

void sim_free(void *ptr, const struct sim_site *site)
{
	struct sim_alloc *a;

	if (!ptr)
		return;
	a = (struct sim_alloc *)ptr - 1;
	sim_point(POINT_FREE, 0, NULL, site);
	if (!a->pprev) {
		sim_warn("memory freed twice", site);
		return;
	}
	*a->pprev = a->next;
	if (a->next)
		a->next->pprev = a->pprev;
	a->pprev = NULL;
	allocs_live--;
	sim_release(a);
}

/**
 * sim_pages_in_use() - page-table pages allocated and not freed
 */
u64 sim_pages_in_use(void)
{
	return pages_live;
}

/**
 * sim_allocs_in_use() - other allocations not freed
 */
u64 sim_allocs_in_use(void)
{
	return allocs_live;
}
