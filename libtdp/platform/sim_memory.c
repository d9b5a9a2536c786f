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

#include "sim_internal.h"

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
 * meets a freed page rather than a new table; "reuse" takes the last one at once.
 */
#define SIM_QUARANTINE 64

char *sim_arena;
struct sim_page sim_pages[SIM_PT_PAGES];

static u64 pages_used;  /* pages [0, pages_used) have been handed out since the reset */
static u64 pages_live;

/* Freed pages, oldest first. Free-running indexes, as many slots as pages. */
static u32 freed[SIM_PT_PAGES];
static u64 freed_first, freed_end;

/*
 * Every other allocation, so that a run that was cut short can be cleaned up.
 * @pool: where a freed one waits to be used again, by size; NULL: it goes back to malloc()
 * @bytes: size asked for, without this header
 * @serial: in the order of allocations since the reset, from 1
 */
struct sim_alloc {
	struct sim_alloc *next;
	struct sim_alloc **pprev;
	struct sim_pool *pool;
	u64 bytes:36;
	u64 serial:28;
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

/* The large ones are few, and what a pointer into one of them points to is looked for among them. */
static struct sim_alloc *small_allocs, *large_allocs;
static u64 allocs_live;
static u32 allocs_serial;

/*
 * Small ones are cut from here, for good, so that the allocation which a pointer points into can be found:
 * @small_head has, for each step, the step where the chunk begins.
 */
#define SIM_SMALL_STEPS (1u << 18)
static char *small_arena;
static u32 small_head[SIM_SMALL_STEPS];
static u32 small_used;

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

/* ---- page-table pages, of which only the lines that were used are in memory as they read ---- */

#define LINE 8 /* SPTEs */

static u64 *line_at(const struct sim_page *page, int line)
{
	return (u64 *)(sim_arena + ((u64)(page - sim_pages) << PAGE_SHIFT)) + line * LINE;
}

static void fill(u64 *sptep, int n, u64 val)
{
	while (n-- > 0)
		*sptep++ = val;
}

static void fill_lines(struct sim_page *page, u64 lines, u64 val)
{
	typedef u64 four __attribute__((vector_size(32), may_alias));
	const four vals = { val, val, val, val };

	for (; lines; lines &= lines - 1) {
		four *line = (four *)line_at(page, __builtin_ctzll(lines));

		line[0] = vals;
		line[1] = vals;
	}
}

/* Those of @lines that are late are written now. */
static void write_late(struct sim_page *page, u64 lines)
{
	lines &= page->late;
	fill_lines(page, lines, page->late_val);
	sim_store(page->touched, page->touched | lines);
	page->late &= ~lines;
	if (!page->late)
		sim_store(page->state, SIM_PAGE_LIVE);
}

/* The page is all @fill again. */
static void clean(struct sim_page *page)
{
	fill_lines(page, page->touched, page->fill);
	sim_store(page->touched, 0);
	page->late = 0;
}

static bool is_live(const struct sim_page *page)
{
	return page->state == SIM_PAGE_LIVE || page->state == SIM_PAGE_LATE;
}

/* sim_reach() where the page is not live, or not all of it is in memory as it reads. */
void sim_reach_slowly(const u64 *sptep)
{
	if (!sim_ptr_is_live(sptep))
		sim_used_freed(sptep);
	write_late(&sim_pages[sim_page_index(sptep)], sim_line_bit(sptep));
}

/**
 * sim_run_length() - how many SPTEs in a row hold a value?
 * @sptep: the first
 * @n: look at no more than these, all of one table
 * @val: the value
 *
 * A freed table ends the run before it begins: who reads it next, finds it.
 */
int sim_run_length(const u64 *sptep, int n, u64 val)
{
	const struct sim_page *page = &sim_pages[sim_page_index(sptep)];
	const int first = (uintptr_t)sptep / sizeof(u64) % SPTE_ENT_PER_PAGE;
	int i = first;

	if (!is_live(page))
		return 0;
	if (*sptep != val && !page->late)
		return 0;
	n += first;
	while (i < n) {
		const u64 others = (page->touched | page->late) >> i / LINE;
		int end;

		if (!(others & 1)) {
			if (page->fill != val)
				break;
			i = others ? (i / LINE + __builtin_ctzll(others)) * LINE : n;
			continue;
		}
		end = (i / LINE + 1) * LINE;
		if (page->late >> i / LINE & 1) {
			if (page->late_val != val)
				break;
			i = end;
			continue;
		}
		while (i < end && i < n && sptep[i - first] == val)
			i++;
		if (i < end)
			break;
	}
	return (i < n ? i : n) - first;
}

/**
 * sim_step_length() - how many SPTEs in a row differ by the same step?
 * @sptep: the first, which is in memory as it reads and not initial
 * @n: look at no more than these, all of one table
 * @step: each one is this much above the one before
 *
 * Lines that are not in memory as they read hold the initial value there: they end the run.
 */
int sim_step_length(const u64 *sptep, int n, u64 step)
{
	u64 want = *sptep;
	int i;

	for (i = 0; i < n && sptep[i] == want; i++)
		want += step;
	return i;
}

/* Lines from @from to before @to. */
static u64 lines_mask(int from, int to)
{
	return from < to ? (~0ULL >> (64 - (to - from))) << from : 0;
}

/**
 * sim_write_run() - give a run of SPTEs one value
 * @sptep: the first
 * @n: how many, at least 0, all of one live table
 * @val: their value
 */
void sim_write_run(u64 *sptep, int n, u64 val)
{
	struct sim_page *page = &sim_pages[sim_page_index(sptep)];
	const int first = (uintptr_t)sptep / sizeof(u64) % SPTE_ENT_PER_PAGE;
	const int from = (first + LINE - 1) / LINE, to = (first + n) / LINE;
	const u64 whole = lines_mask(from, to);

	if (!n)
		return;
	if (page->late && page->late_val != val)
		write_late(page, ~0ULL);
	if (from > to) {	/* within one line */
		sim_touch(sptep);
		fill(sptep, n, val);
		return;
	}
	if (first % LINE) {
		sim_touch(sptep);
		fill(sptep, from * LINE - first, val);
	}
	if ((first + n) % LINE) {
		u64 *rest = line_at(page, to);

		sim_touch(rest);
		fill(rest, (first + n) % LINE, val);
	}
	fill_lines(page, whole & page->touched, val);
	if (whole & ~page->touched) {
		page->late |= whole & ~page->touched;
		page->late_val = val;
		sim_store(page->state, SIM_PAGE_LATE);
	}
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

/* Memory that was never used, zeroed; NULL without memory. */
static struct sim_alloc *sim_cut(size_t steps)
{
	size_t i;

	if (!small_arena) {
		small_arena = mmap(NULL, (size_t)SIM_SMALL_STEPS * SIM_POOL_STEP,
				   PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (small_arena == MAP_FAILED)
			abort();
	}
	if (small_used + steps > SIM_SMALL_STEPS)
		return NULL;
	for (i = 0; i < steps; i++)
		small_head[small_used + i] = small_used;
	small_used += steps;
	return (struct sim_alloc *)(small_arena + (small_used - steps) * SIM_POOL_STEP);
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
		a = pool ? sim_cut(steps) : NULL;
		if (!a) {
			pool = NULL;
			a = calloc(1, sizeof(*a) + bytes);
		}
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

static void release_all(struct sim_alloc **list)
{
	while (*list) {
		struct sim_alloc *a = *list;

		*list = a->next;
		sim_release(a);
	}
}

void sim_memory_reset(void)
{
	release_all(&small_allocs);
	release_all(&large_allocs);
	allocs_live = 0;
	allocs_serial = 0;
	if (sim_arena)
		ASAN_UNPOISON_MEMORY_REGION(sim_arena, pages_used << PAGE_SHIFT);
	for (u64 i = 0; i < pages_used; i++) {
		if (is_live(&sim_pages[i]))
			clean(&sim_pages[i]);
		sim_store(sim_pages[i].state, SIM_PAGE_NONE);
	}
	pages_used = 0;
	pages_live = 0;
	freed_first = 0;
	freed_end = 0;
}

static bool sim_refused(unsigned int actions, bool page)
{
	if (!(actions & SIM_FAIL))
		return false;
	sim.observer->refused(sim.observer->ctx, page);
	return true;
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

u64 *sim_page_alloc(u64 val, const struct sim_site *site)
{
	unsigned int actions = sim_point(POINT_ALLOC, 0, NULL, site);
	struct sim_page *page;
	u64 idx, *sptes;

	if (sim_refused(actions, true))
		return NULL;
	if (!sim_arena)
		sim_arena_map();
	idx = sim_next_page(actions);
	if (idx == SIM_PT_PAGES)
		return NULL;
	page = &sim_pages[idx];
	sptes = line_at(page, 0);
	ASAN_UNPOISON_MEMORY_REGION(sptes, PAGE_SIZE);
	if (page->fill != val) {
		page->fill = val;
		fill(sptes, SPTE_ENT_PER_PAGE, val);
	}
	sim_store(page->state, SIM_PAGE_LIVE);
	page->priv = NULL;
	pages_live++;
	SIM_ACQUIRE(sptes);
	SIM_OWN_TABLE(page);
	sim.observer->page(sim.observer->ctx, SIM_PAGE_ALLOC, sim_ptr_pa(sptes), val);
	return sptes;
}

void sim_page_free(u64 *sptes, const struct sim_site *site)
{
	u64 idx = sim_page_index(sptes);

	if (!sptes)
		return;
	sim_point(POINT_FREE, 0, sptes, site);
	if (!sim_ptr_is_live(sptes)) {
		sim_warn("page-table page freed twice", site);
		return;
	}
	SIM_OWN_TABLE(&sim_pages[idx]);
	SIM_RELEASE(sptes);
	clean(&sim_pages[idx]);
	ASAN_POISON_MEMORY_REGION(sptes, PAGE_SIZE);
	sim_store(sim_pages[idx].state, SIM_PAGE_FREED);
	sim_pages[idx].priv = NULL;
	pages_live--;
	freed[freed_end++ % SIM_PT_PAGES] = idx;
	sim.observer->page(sim.observer->ctx, SIM_PAGE_FREE, sim_ptr_pa(sptes), 0);
}

/**
 * sim_ptr_is_live() - does @ptr point into a page-table page that is allocated?
 * @ptr: any pointer
 */
bool sim_ptr_is_live(const void *ptr)
{
	u64 idx = sim_page_index(ptr);

	return sim_arena && idx < SIM_PT_PAGES && is_live(&sim_pages[idx]);
}

/**
 * sim_spte_ptr() - where hardware finds the SPTE at a physical address
 * @pa: bytes, 8-byte aligned
 *
 * It may be written through the pointer, until the table is freed.
 *
 * Return: the SPTE, or NULL if no live page-table page is there.
 */
u64 *sim_spte_ptr(hpa_t pa)
{
	u64 idx = (pa >> PAGE_SHIFT) - SIM_PT_PFN, *sptep;

	if (idx >= SIM_PT_PAGES || !is_live(&sim_pages[idx]))
		return NULL;
	sptep = __va(pa & ~7ULL);
	sim_touch(sptep);
	return sptep;
}

/**
 * sim_spte_look() - where hardware reads the SPTE at a physical address; no point
 * @pa: bytes, 8-byte aligned
 *
 * The other SPTEs of the table are around it; none may be written.
 *
 * Return: the SPTE, or NULL if no live page-table page is there.
 */
const u64 *sim_spte_look(hpa_t pa)
{
	u64 idx = (pa >> PAGE_SHIFT) - SIM_PT_PFN;

	if (idx >= SIM_PT_PAGES || !is_live(&sim_pages[idx]))
		return NULL;
	if (unlikely(sim_pages[idx].late))
		write_late(&sim_pages[idx], ~0ULL);
	return __va(pa & ~7ULL);
}

/* What stands for the hand-over from who frees memory to who gets it next. */
static const void *sim_last_owner(const struct sim_alloc *a)
{
	return a->pool ? (const void *)a : &large_allocs;
}

void *sim_zalloc(size_t n, size_t size, const struct sim_site *site)
{
	unsigned int actions = sim_point(POINT_ALLOC, 0, NULL, site);
	struct sim_alloc *a, **list;
	size_t bytes;

	if (sim_refused(actions, false))
		return NULL;
	if (__builtin_mul_overflow(n, size, &bytes) || bytes >= 1ULL << 36)
		return NULL;
	a = sim_obtain(bytes);
	if (!a)
		return NULL;
	a->serial = ++allocs_serial;
	list = a->pool ? &small_allocs : &large_allocs;
	a->next = *list;
	a->pprev = list;
	if (*list)
		(*list)->pprev = &a->next;
	*list = a;
	allocs_live++;
	SIM_ACQUIRE(sim_last_owner(a));
	SIM_OWN_WRITE(a + 1, bytes < PAGE_SIZE ? bytes : PAGE_SIZE);
	return a + 1;
}

void sim_free(void *ptr, const struct sim_site *site)
{
	struct sim_alloc *a;

	if (!ptr)
		return;
	a = (struct sim_alloc *)ptr - 1;
	sim_point(POINT_FREE, 0, ptr, site);
	if (!a->pprev) {
		sim_warn("memory freed twice", site);
		return;
	}
	*a->pprev = a->next;
	if (a->next)
		a->next->pprev = a->pprev;
	a->pprev = NULL;
	allocs_live--;
	SIM_OWN_WRITE(ptr, a->bytes < PAGE_SIZE ? a->bytes : PAGE_SIZE);
	SIM_RELEASE(sim_last_owner(a));
	sim_release(a);
}

static u64 sim_alloc_object(const struct sim_alloc *a, const void *ptr)
{
	return (u64)a->serial << 36 | (u64)((const char *)ptr - (const char *)a);
}

/**
 * sim_object() - identity of what a pointer points to
 * @ptr: SPTE, member of an allocation, &sim_object_...; NULL: nothing
 *
 * Return: a number that is the same in each run of a program, in each build; 0 for NULL, and small
 *	numbers for what is neither a page table nor allocated: such memory is all taken for the same.
 */
u64 sim_object(const void *ptr)
{
	u64 offset = (uintptr_t)ptr - (uintptr_t)sim_arena;
	const struct sim_alloc *a;

	if (sim_arena && offset < SIM_PT_PAGES << PAGE_SHIFT)
		return sim_ptr_pa(ptr);
	offset = (uintptr_t)ptr - (uintptr_t)small_arena;
	if (small_arena && offset / SIM_POOL_STEP < small_used) {
		u64 head = small_head[offset / SIM_POOL_STEP];

		return sim_alloc_object((const void *)(small_arena + head * SIM_POOL_STEP), ptr);
	}
	if (!ptr)
		return 0;
	if (ptr == &sim_object_rcu)
		return 2;
	if (ptr == &sim_object_tlbs)
		return 3;
	if (ptr == &sim_object_host)
		return 4;
	for (a = large_allocs; a; a = a->next) {
		offset = (uintptr_t)ptr - (uintptr_t)(a + 1);
		if (offset < a->bytes)
			return sim_alloc_object(a, ptr);
	}
	return 1;
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
