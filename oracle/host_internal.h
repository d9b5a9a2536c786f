/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the host model is put together. Regions of 1 GiB are each either one mapping ("whole") or a
 * set of chunks; chunks of 2 MiB are each either one mapping ("huge") or 512 pages. An operation on
 * a range goes into a log, and a region or chunk catches up with the log when it is looked at.
 */
#ifndef ORACLE_HOST_INTERNAL_H
#define ORACLE_HOST_INTERNAL_H

#include "host.h"
#include "map.h"
#include "op.h"

#define CHUNK_PAGES	512ULL
#define REGION_PAGES	(512ULL * 512)
#define SLAB		64

/* Frames of devices: one gigabyte below the page tables, which is nobody's memory. */
#define DEVICE_BASE	0x80000ULL
#define DEVICE_PAGES	0x40000ULL

enum host_op {
	HOST_BACKING,
	HOST_UNMAP,
	HOST_POPULATE,
	HOST_CLEAN,
	HOST_FORM,
	HOST_BREAK,
	HOST_PROTECT,
	HOST_ALLOW_WRITE,
};

struct range_op {
	enum host_op kind;
	enum slot_backing backing;
	int level;
	uint64_t start, end;
};

/**
 * struct region - 1 GiB of host pages
 * @applied: operations of the log that it has seen
 * @form: counts the times it became one mapping: chunks with an older count start from its frames
 * @formed_at: operations seen when that happened
 * @break_at: the operation that broke the mapping up
 * @break_dirty: it was known to be dirty then
 * @touched: it had backing, of whatever kind, before
 * @device: some of it may be a device's
 * @backed: one 1G page may back it
 * @whole: it is one mapping of frames from @pfn
 * @absent: nothing of it is mapped, and one 1G page may be
 * @dirty: whole and known to be dirty
 * @protected: its one mapping, or the one that is to come, is read-only
 */
struct region {
	uint64_t first;
	uint64_t pfn;
	uint32_t applied;
	uint32_t form;
	uint32_t formed_at;
	uint32_t break_at;
	bool break_dirty;
	bool touched;
	bool device;
	bool backed;
	bool whole;
	bool absent;
	bool dirty;
	bool protected;
};

/**
 * struct chunk - 2 MiB of host pages
 * @applied: operations of the log that it has seen
 * @form: of the region, see there
 * @huge_ok: one 2M page may back it: none of its pages is a device's
 * @huge: it is one mapping of frames from @pfn
 * @small: frames of the pages that have @moved, valid where @present; NULL: none has
 * @moved: pages whose frame is not @pfn and their number
 * @backed: pages that have backing at all
 * @device: pages of a device
 * @present: pages that have a frame
 * @written: pages written since they were last clean
 * @dirty: pages known to be dirty
 * @protected: pages, whether they have a frame or not, that the host maps read-only
 */
struct chunk {
	uint64_t first;
	uint64_t pfn;
	uint64_t *small;
	uint32_t applied;
	uint32_t form;
	bool huge_ok;
	bool huge;
	uint64_t backed[8];
	uint64_t device[8];
	uint64_t moved[8];
	uint64_t present[8];
	uint64_t written[8];
	uint64_t dirty[8];
	uint64_t protected[8];
};

/* Things of one size, never moved and never given back before the end. */
struct pool {
	void **slab;
	uint32_t nr_slabs;
	uint32_t used;
};

struct host {
	struct range_op *log;
	uint32_t nr_log, max_log;
	struct map regions, chunks;	/* hvn >> 18, hvn >> 9: index in the pool */
	struct map owners;		/* pfn, or pfn >> 9 or 18 with a tag: host page */
	struct pool region_pool, chunk_pool, small_pool;
	struct region *last_region;	/* found last, NULL if none */
	struct chunk *last_chunk;
	uint64_t base;			/* frame of host page 0 */
	uint64_t fixed_end;		/* frames from here on are handed out in order */
	uint64_t end;			/* first frame that does not exist */
	uint64_t next_1g;		/* cursors of the allocator: aligned to their size */
	uint64_t next_2m, end_2m;
	uint64_t next_4k, end_4k;
	uint64_t freed;			/* frame freed last, HOST_NO_FRAME if none */
	bool reuse;
	bool busy;
};

static inline void *pool_at(struct pool *p, uint32_t i, size_t size)
{
	return (char *)p->slab[i / SLAB] + i % SLAB * size;
}

static inline bool get_bit(const uint64_t *bits, uint32_t i)
{
	return bits[i / 64] >> (i & 63) & 1;
}

static inline void put_bit(uint64_t *bits, uint32_t i, bool val)
{
	bits[i / 64] = (bits[i / 64] & ~(1ULL << (i & 63))) | (uint64_t)val << (i & 63);
}

/* Which bits of word @w are in [@from, @to). */
static inline uint64_t word_mask(uint32_t w, uint32_t from, uint32_t to)
{
	uint64_t mask = ~0ULL;

	if (w == from / 64)
		mask &= ~0ULL << (from & 63);
	if (to - w * 64 < 64)
		mask &= (1ULL << (to - w * 64)) - 1;
	return mask;
}

static inline void put_range(uint64_t *bits, uint32_t from, uint32_t to, bool val)
{
	uint32_t w;

	for (w = from / 64; w * 64 < to; w++) {
		uint64_t mask = word_mask(w, from, to);

		bits[w] = val ? bits[w] | mask : bits[w] & ~mask;
	}
}

static inline bool any_bit(const uint64_t *bits, uint32_t from, uint32_t to)
{
	uint32_t w;

	for (w = from / 64; w * 64 < to; w++)
		if (bits[w] & word_mask(w, from, to))
			return true;
	return false;
}

/* ---- host_frame.c ---- */
uint32_t host_pool_get(struct pool *p, size_t size);
void host_pool_free(struct pool *p);
uint64_t host_owner_key(uint64_t pfn, int level);
uint64_t host_frame_alloc(struct host *h, int level, uint64_t hvn);
uint64_t host_first_frame(struct host *h, int level, uint64_t hvn);

/* ---- host_region.c ---- */
struct region *host_region_find(struct host *h, uint64_t hvn);
bool host_region_form(struct region *r, uint64_t pfn);

/* ---- host_chunk.c ---- */
struct chunk *host_chunk_find(struct host *h, struct region *r, uint64_t hvn);
uint64_t host_chunk_frame(const struct chunk *c, uint32_t i);
bool host_chunk_is_empty(const struct chunk *c);
bool host_chunk_form(struct host *h, struct chunk *c);
void host_page_populate(struct host *h, struct chunk *c, uint32_t i);

/* Most questions are about the region and the chunk of the question before. */

/* The region of @hvn, up to date. */
static inline struct region *host_region(struct host *h, uint64_t hvn)
{
	struct region *r = h->last_region;

	if (r && hvn - r->first < REGION_PAGES && r->applied == h->nr_log)
		return r;
	return host_region_find(h, hvn);
}

/* The chunk of @hvn, up to date; @r: its region. */
static inline struct chunk *host_chunk(struct host *h, struct region *r, uint64_t hvn)
{
	struct chunk *c = h->last_chunk;

	if (c && hvn - c->first < CHUNK_PAGES && c->form == r->form && c->applied == h->nr_log)
		return c;
	return host_chunk_find(h, r, hvn);
}

#endif /* ORACLE_HOST_INTERNAL_H */
