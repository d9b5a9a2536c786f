// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames. A host page N that lies low enough has frame base + N until something moves it; the
 * others get frames as they are touched. Freed frames are not handed out again unless the schedule
 * says "reuse": then the next one is the one freed last.
 *
 * Structure: regions of 1 GiB, each either one mapping ("whole") or a set of chunks; chunks of 2
 * MiB, each either one mapping ("huge") or 512 pages. An operation on a range goes into a log, and
 * a region or chunk catches up with the log when it is looked at.
 */
#include "host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "oracle_internal.h"
#include "rules.h"

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
 * @huge_ok: one 2M page may back it
 * @huge: it is one mapping of frames from @pfn
 * @small: frames of pages, valid where @present; NULL as long as page i's is @pfn + i
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

static void *pool_at(struct pool *p, uint32_t i, size_t size)
{
	return (char *)p->slab[i / SLAB] + i % SLAB * size;
}

static uint32_t pool_get(struct pool *p, size_t size)
{
	if (p->used == p->nr_slabs * SLAB) {
		p->slab = oracle_grow(p->slab, p->nr_slabs + 1, sizeof(*p->slab));
		p->slab[p->nr_slabs++] = oracle_alloc(SLAB, size);
	}
	return p->used++;
}

static void pool_free(struct pool *p)
{
	uint32_t i;

	for (i = 0; i < p->nr_slabs; i++)
		free(p->slab[i]);
	free(p->slab);
}

struct host *host_create(void)
{
	struct host *h = oracle_alloc(1, sizeof(*h));

	map_init(&h->regions);
	map_init(&h->chunks);
	map_init(&h->owners);
	return h;
}

void host_destroy(struct host *h)
{
	if (!h)
		return;
	pool_free(&h->region_pool);
	pool_free(&h->chunk_pool);
	pool_free(&h->small_pool);
	map_free(&h->regions);
	map_free(&h->chunks);
	map_free(&h->owners);
	free(h->log);
	free(h);
}

/*
 * The first frame number that the machine does not have: memory encryption takes bits from the top.
 */
static uint64_t frames_end(const struct oracle *o)
{
	int bits = o->vm.maxphyaddr;

	if (o->fmt.me_mask)
		bits = __builtin_ctzll(o->fmt.me_mask);
	return 1ULL << (bits - 12);
}

void host_reset(struct oracle *o)
{
	struct host *h = o->host;
	uint64_t end = frames_end(o);

	h->nr_log = 0;
	map_clear(&h->regions);
	map_clear(&h->chunks);
	map_clear(&h->owners);
	h->region_pool.used = h->chunk_pool.used = h->small_pool.used = 0;

	/*
	 * Frames from 0x400000 read well in a dump; a machine too small for that has them right
	 * above its page tables.
	 */
	h->base = end > 0x800000 ? 0x400000 : 0x140000;
	h->end = end;
	h->fixed_end = h->base + ((end - h->base) / 2 & ~(REGION_PAGES - 1));
	h->next_1g = h->fixed_end;
	h->next_2m = h->end_2m = h->next_4k = h->end_4k = 0;
	h->freed = HOST_NO_FRAME;
	h->reuse = h->busy = false;
}

/* ---- frames ---- */

/* Keys of the owners' map: a frame, a run of 512, a run of 512 * 512. */
static uint64_t owner_key(uint64_t pfn, int level)
{
	return pfn >> (9 * (level - 1)) << 2 | level;
}

/* Frames for a page of @level, for the pages from @hvn on; HOST_NO_FRAME if there are none left. */
static uint64_t frame_alloc(struct host *h, int level, uint64_t hvn)
{
	uint64_t pfn = HOST_NO_FRAME;

	if (level == 1 && h->next_4k == h->end_4k) {
		h->next_4k = frame_alloc(h, 2, HOST_NO_FRAME);
		if (h->next_4k == HOST_NO_FRAME)
			h->end_4k = h->next_4k;
		else
			h->end_4k = h->next_4k + CHUNK_PAGES;
	}
	if (level == 2 && h->next_2m == h->end_2m) {
		h->next_2m = frame_alloc(h, 3, HOST_NO_FRAME);
		h->end_2m = h->next_2m == HOST_NO_FRAME ? h->next_2m : h->next_2m + REGION_PAGES;
	}
	switch (level) {
	case 1:
		if (h->next_4k != h->end_4k)
			pfn = h->next_4k++;
		break;
	case 2:
		if (h->next_2m != h->end_2m) {
			pfn = h->next_2m;
			h->next_2m += CHUNK_PAGES;
		}
		break;
	default:
		if (h->next_1g + REGION_PAGES <= h->end) {
			pfn = h->next_1g;
			h->next_1g += REGION_PAGES;
		}
	}
	if (pfn != HOST_NO_FRAME && hvn != HOST_NO_FRAME)
		map_put(&h->owners, owner_key(pfn, level), hvn);
	return pfn;
}

/* Frames that the pages from @hvn on have when they were never moved. */
static uint64_t first_frame(struct host *h, int level, uint64_t hvn)
{
	uint64_t n = 1ULL << (9 * (level - 1));

	if (hvn + n <= h->fixed_end - h->base)
		return h->base + hvn;
	return frame_alloc(h, level, hvn);
}

/* ---- bits of a chunk ---- */

static bool get_bit(const uint64_t *bits, uint32_t i)
{
	return bits[i / 64] >> (i & 63) & 1;
}

static void put_bit(uint64_t *bits, uint32_t i, bool val)
{
	bits[i / 64] = (bits[i / 64] & ~(1ULL << (i & 63))) | (uint64_t)val << (i & 63);
}

/* Which bits of word @w are in [@from, @to). */
static uint64_t word_mask(uint32_t w, uint32_t from, uint32_t to)
{
	uint64_t mask = ~0ULL;

	if (w == from / 64)
		mask &= ~0ULL << (from & 63);
	if (to - w * 64 < 64)
		mask &= (1ULL << (to - w * 64)) - 1;
	return mask;
}

static void put_range(uint64_t *bits, uint32_t from, uint32_t to, bool val)
{
	uint32_t w;

	for (w = from / 64; w * 64 < to; w++) {
		uint64_t mask = word_mask(w, from, to);

		bits[w] = val ? bits[w] | mask : bits[w] & ~mask;
	}
}

static bool any_bit(const uint64_t *bits, uint32_t from, uint32_t to)
{
	uint32_t w;

	for (w = from / 64; w * 64 < to; w++)
		if (bits[w] & word_mask(w, from, to))
			return true;
	return false;
}

/* ---- catching up with the log ---- */

static uint64_t page_frame(const struct chunk *c, uint32_t i)
{
	return c->small ? c->small[i] : c->pfn + i;
}

/* From now on every page of the chunk has its own frame number. */
static void own_frames(struct host *h, struct chunk *c)
{
	uint32_t i;

	if (c->small)
		return;
	i = pool_get(&h->small_pool, CHUNK_PAGES * sizeof(uint64_t));
	c->small = pool_at(&h->small_pool, i, CHUNK_PAGES * sizeof(uint64_t));
	for (i = 0; i < CHUNK_PAGES; i++)
		c->small[i] = c->pfn + i;
}

static bool chunk_is_empty(const struct chunk *c)
{
	static const uint64_t none[8];

	return !memcmp(c->present, none, sizeof(none));
}

/* The whole chunk is one mapping of fresh frames. */
static bool chunk_form(struct host *h, struct chunk *c)
{
	uint64_t pfn = frame_alloc(h, 2, c->first);

	if (pfn == HOST_NO_FRAME)
		return false;
	c->pfn = pfn;
	c->small = NULL;
	c->huge = true;
	memset(c->present, 0xff, sizeof(c->present));
	memset(c->written, 0, sizeof(c->written));
	memset(c->dirty, 0, sizeof(c->dirty));
	return true;
}

static void page_populate(struct host *h, struct chunk *c, uint32_t i)
{
	uint64_t hvn = c->first + i, pfn;

	if (get_bit(c->device, i)) {
		pfn = DEVICE_BASE + hvn % DEVICE_PAGES;
	} else if (h->reuse && h->freed != HOST_NO_FRAME) {
		pfn = h->freed;
		map_put(&h->owners, owner_key(pfn, 1), hvn);
		h->freed = HOST_NO_FRAME;
	} else {
		pfn = frame_alloc(h, 1, hvn);
	}
	h->reuse = false;
	if (pfn == HOST_NO_FRAME)
		return;
	own_frames(h, c);
	c->small[i] = pfn;
	put_bit(c->present, i, true);
	put_bit(c->written, i, false);
	put_bit(c->dirty, i, false);
}

/* Pages @from to @to, some of which have no backing yet, get it one by one. */
static void chunk_back_pages(struct host *h, struct chunk *c, enum slot_backing backing,
			     uint32_t from, uint32_t to)
{
	uint32_t i;

	for (i = from; i < to; i++) {
		if (get_bit(c->backed, i))
			continue;
		put_bit(c->backed, i, true);
		if (backing == BACKING_MMIO) {
			put_bit(c->device, i, true);
			page_populate(h, c, i);
		} else if (c->pfn != HOST_NO_FRAME) {
			put_bit(c->present, i, true);
		}
	}
}

static void chunk_back(struct host *h, struct chunk *c, const struct range_op *op, uint32_t from,
		       uint32_t to)
{
	const bool device = op->backing == BACKING_MMIO;
	const bool fresh = !any_bit(c->backed, from, to);

	/* Memory that is there already keeps its frames; only how new ones come may change. */
	c->huge_ok = to - from == CHUNK_PAGES &&
		     (op->backing == BACKING_2M || op->backing == BACKING_1G);
	if (c->pfn == HOST_NO_FRAME && !c->small && !device)
		c->pfn = first_frame(h, 2, c->first);
	if (!fresh || device) {
		chunk_back_pages(h, c, op->backing, from, to);
		return;
	}
	put_range(c->backed, from, to, true);
	if (c->pfn == HOST_NO_FRAME)
		return;
	put_range(c->present, from, to, true);
	if (c->huge_ok && !c->small)
		c->huge = true;
}

static void chunk_unmap(struct host *h, struct chunk *c, uint32_t from, uint32_t to)
{
	uint32_t w;

	for (w = (to - 1) / 64 + 1; w-- > from / 64;) {
		uint64_t freed = c->present[w] & ~c->device[w] & word_mask(w, from, to);

		if (freed) {
			h->freed = page_frame(c, w * 64 + 63 - __builtin_clzll(freed));
			break;
		}
	}
	put_range(c->present, from, to, false);
	put_range(c->written, from, to, false);
	put_range(c->dirty, from, to, false);
	put_range(c->protected, from, to, false);
	c->huge = false;
}

static void chunk_populate(struct host *h, struct chunk *c, uint32_t from, uint32_t to)
{
	uint32_t i;

	put_range(c->protected, from, to, false);
	if (from == 0 && to == CHUNK_PAGES && c->huge_ok && chunk_is_empty(c) && chunk_form(h, c))
		return;
	for (i = from; i < to; i++)
		if (get_bit(c->backed, i) && !get_bit(c->present, i))
			page_populate(h, c, i);
}

static void chunk_clean(struct chunk *c, uint32_t from, uint32_t to)
{
	if (c->huge) {
		/* A huge page is clean or dirty as a whole. */
		from = 0;
		to = CHUNK_PAGES;
	}
	put_range(c->written, from, to, false);
	put_range(c->dirty, from, to, false);
}

/* khugepaged: only memory that is all there, and no device's, can be collapsed. */
static void chunk_collapse(struct host *h, struct chunk *c)
{
	uint32_t w;

	if (c->huge)
		return;
	for (w = 0; w < 8; w++)
		if (~c->present[w] || c->device[w])
			return;
	memset(c->protected, 0, sizeof(c->protected));
	chunk_form(h, c);
}

static void chunk_apply(struct host *h, struct chunk *c, const struct range_op *op)
{
	uint64_t end = c->first + CHUNK_PAGES;
	uint32_t from, to;

	if (op->start >= end || op->end <= c->first)
		return;
	from = op->start > c->first ? op->start - c->first : 0;
	to = op->end < end ? op->end - c->first : CHUNK_PAGES;
	switch (op->kind) {
	case HOST_BACKING:
		chunk_back(h, c, op, from, to);
		break;
	case HOST_UNMAP:
		chunk_unmap(h, c, from, to);
		break;
	case HOST_POPULATE:
		chunk_populate(h, c, from, to);
		break;
	case HOST_CLEAN:
		chunk_clean(c, from, to);
		break;
	case HOST_FORM:
		if (op->level == 2)
			chunk_collapse(h, c);
		break;
	case HOST_BREAK:
		c->huge = false;
		break;
	case HOST_PROTECT:
		c->huge &= from == 0 && to == CHUNK_PAGES;
		put_range(c->protected, from, to, true);
		break;
	case HOST_ALLOW_WRITE:
		put_range(c->protected, from, to, false);
		break;
	}
}

/* Becomes one mapping of the frames from @pfn on, if there are any. */
static bool region_form(struct region *r, uint64_t pfn)
{
	if (pfn == HOST_NO_FRAME)
		return false;
	r->absent = false;
	r->whole = true;
	r->pfn = pfn;
	r->form++;
	r->formed_at = r->applied;
	r->dirty = false;
	r->break_dirty = false;
	return true;
}

/* By the operation that it saw last. What is left is 2M pages: the chunks, which start from it. */
static void region_break(struct region *r)
{
	if (r->whole) {
		r->break_at = r->applied - 1;
		r->break_dirty = r->dirty;
	}
	r->whole = false;
}

static void region_unmap(struct host *h, struct region *r, const struct range_op *op, bool all)
{
	uint64_t last = (op->end < r->first + REGION_PAGES ? op->end - r->first : REGION_PAGES) - 1;

	if (r->whole)
		h->freed = r->pfn + last;
	region_break(r);
	r->protected = false;
	r->absent = all && r->backed;
}

static void region_apply(struct host *h, struct region *r, const struct range_op *op)
{
	uint64_t end = r->first + REGION_PAGES;
	bool all = op->start <= r->first && op->end >= end;

	if (op->start >= end || op->end <= r->first)
		return;
	switch (op->kind) {
	case HOST_BACKING:
		r->backed = all && op->backing == BACKING_1G;
		r->absent &= r->backed;
		if (r->backed && !r->touched)
			region_form(r, first_frame(h, 3, r->first));
		r->touched = true;
		break;
	case HOST_UNMAP:
		region_unmap(h, r, op, all);
		break;
	case HOST_POPULATE:
		r->protected = false;
		if (r->absent && all)
			region_form(r, frame_alloc(h, 3, r->first));
		r->absent = false;
		break;
	case HOST_CLEAN:
		r->dirty = false;
		break;
	case HOST_FORM:
		if (op->level != 3 || !r->backed || r->whole)
			break;
		r->protected = false;
		region_form(r, frame_alloc(h, 3, r->first));
		break;
	case HOST_BREAK:
		region_break(r);
		break;
	case HOST_PROTECT:
		if (!all)
			region_break(r);
		r->protected = true;
		break;
	case HOST_ALLOW_WRITE:
		r->protected = false;
		break;
	}
}

static struct region *region_get(struct host *h, uint64_t hvn)
{
	uint64_t key = hvn / REGION_PAGES, i = map_get(&h->regions, key);
	struct region *r;

	if (i == MAP_NONE) {
		i = pool_get(&h->region_pool, sizeof(*r));
		map_put(&h->regions, key, i);
		r = pool_at(&h->region_pool, i, sizeof(*r));
		memset(r, 0, sizeof(*r));
		r->first = key * REGION_PAGES;
	} else {
		r = pool_at(&h->region_pool, i, sizeof(*r));
	}
	while (r->applied < h->nr_log) {
		const struct range_op *op = &h->log[r->applied++];

		region_apply(h, r, op);
	}
	return r;
}

/* The chunk starts from the region's gigabyte page: 512 pages of one huge mapping. */
static void chunk_inherit(struct chunk *c, const struct region *r)
{
	c->form = r->form;
	c->applied = r->formed_at;
	c->pfn = r->pfn + (c->first - r->first);
	c->small = NULL;
	c->huge = true;
	c->huge_ok = true;
	memset(c->backed, 0xff, sizeof(c->backed));
	memset(c->device, 0, sizeof(c->device));
	memset(c->present, 0xff, sizeof(c->present));
	memset(c->written, 0, sizeof(c->written));
	memset(c->dirty, 0, sizeof(c->dirty));
	memset(c->protected, r->protected ? 0xff : 0, sizeof(c->protected));
}

static struct chunk *chunk_get(struct host *h, struct region *r, uint64_t hvn)
{
	uint64_t key = hvn / CHUNK_PAGES, i = map_get(&h->chunks, key);
	struct chunk *c;

	if (i == MAP_NONE) {
		i = pool_get(&h->chunk_pool, sizeof(*c));
		map_put(&h->chunks, key, i);
		c = pool_at(&h->chunk_pool, i, sizeof(*c));
		memset(c, 0, sizeof(*c));
		c->first = key * CHUNK_PAGES;
		c->pfn = HOST_NO_FRAME;
	} else {
		c = pool_at(&h->chunk_pool, i, sizeof(*c));
	}
	if (c->form != r->form)
		chunk_inherit(c, r);
	for (; c->applied < h->nr_log; c->applied++) {
		/* The mark on a gigabyte page stays with what becomes of it. */
		if (r->break_dirty && c->applied == r->break_at)
			memset(c->dirty, 0xff, sizeof(c->dirty));
		chunk_apply(h, c, &h->log[c->applied]);
	}
	return c;
}

static void log_op(struct oracle *o, enum host_op kind, uint64_t start, uint64_t n, int level,
		   enum slot_backing backing)
{
	struct host *h = o->host;

	if (!n)
		return;
	if (h->nr_log == h->max_log) {
		h->max_log = h->max_log ? h->max_log * 2 : 64;
		h->log = oracle_grow(h->log, h->max_log, sizeof(*h->log));
	}
	h->log[h->nr_log++] = (struct range_op){
		.kind = kind,
		.backing = backing,
		.level = level,
		.start = start,
		.end = start + n,
	};
	o->progress++;
	oracle_mix(o, start, n << 8 | kind << 4 | level);
}

/* ---- questions ---- */

uint64_t host_frame(struct oracle *o, uint64_t hvn)
{
	struct host *h = o->host;
	struct region *r = region_get(h, hvn);
	struct chunk *c;

	if (r->whole)
		return r->pfn + (hvn - r->first);
	if (r->absent)
		return HOST_NO_FRAME;
	c = chunk_get(h, r, hvn);
	if (!get_bit(c->present, hvn - c->first))
		return HOST_NO_FRAME;
	return page_frame(c, hvn - c->first);
}

uint64_t host_owner(struct oracle *o, uint64_t pfn)
{
	struct host *h = o->host;
	uint64_t hvn = HOST_NO_FRAME;
	int level;

	for (level = 1; level <= 3; level++) {
		hvn = map_get(&h->owners, owner_key(pfn, level));
		if (hvn != MAP_NONE) {
			hvn += pfn & ((1ULL << (9 * (level - 1))) - 1);
			break;
		}
	}
	if (hvn == MAP_NONE) {
		if (pfn < h->base || pfn >= h->fixed_end)
			return HOST_NO_FRAME;
		hvn = pfn - h->base;
	}
	return host_frame(o, hvn) == pfn ? hvn : HOST_NO_FRAME;
}

static bool backed(struct oracle *o, uint64_t hvn)
{
	struct region *r = region_get(o->host, hvn);
	struct chunk *c;

	if (r->whole || r->absent)
		return true;
	c = chunk_get(o->host, r, hvn);
	return get_bit(c->backed, hvn - c->first);
}

static void fault_in(struct host *h, uint64_t hvn)
{
	struct region *r = region_get(h, hvn);
	struct chunk *c;

	if (r->absent) {
		r->absent = false;
		if (!h->reuse && region_form(r, frame_alloc(h, 3, r->first)))
			return;
	}
	c = chunk_get(h, r, hvn);
	if (c->huge_ok && !h->reuse && chunk_is_empty(c) && chunk_form(h, c))
		return;
	page_populate(h, c, hvn - c->first);
}

/* The host lets nobody write through its mapping of the page. */
static bool is_protected(struct host *h, uint64_t hvn)
{
	static const uint64_t none[8];
	struct region *r = region_get(h, hvn);
	struct chunk *c;

	if (r->whole)
		return r->protected;
	c = chunk_get(h, r, hvn);
	if (get_bit(c->device, hvn - c->first))
		return false;
	if (c->huge)
		return memcmp(c->protected, none, sizeof(none));
	return get_bit(c->protected, hvn - c->first);
}

/* A write fault: the mapping that the page is of is made writable in place. */
static void allow_write(struct oracle *o, uint64_t hvn)
{
	uint64_t n = 1ULL << 9 * (oracle_host_mapping_level(o, hvn) - 1);

	log_op(o, HOST_ALLOW_WRITE, hvn & -n, n, 0, 0);
}

/**
 * oracle_host_fault_in() - the MMU looks a host page up
 * @o: oracle
 * @hvn: the page; new frames are put there if it has none
 * @write: the guest wants to write
 * @writable: result: a writable mapping is allowed
 * @pfn: result: the frame
 *
 * Return: 0; -EAGAIN after oracle_host_busy(); -EFAULT if nothing backs the page; -ENOMEM if the
 * machine
 *	   has no frames left.
 */
int oracle_host_fault_in(struct oracle *o, uint64_t hvn, bool write, bool *writable, uint64_t *pfn)
{
	uint64_t frame;
	int ret = 0;

	*writable = true;
	frame = host_frame(o, hvn);
	if (o->host->busy) {
		o->progress++;
		ret = -EAGAIN;
	} else if (frame == HOST_NO_FRAME) {
		if (backed(o, hvn)) {
			fault_in(o->host, hvn);
			o->progress++;
			frame = host_frame(o, hvn);
			ret = frame == HOST_NO_FRAME ? -ENOMEM : 0;
		} else {
			ret = -EFAULT;
		}
	}
	if (!ret && is_protected(o->host, hvn)) {
		if (write)
			allow_write(o, hvn);
		*writable = write;
	}
	o->host->reuse = o->host->busy = false;
	*pfn = frame;
	oracle_mix(o, hvn, frame);
	if (o->predict)
		model_ev_fault_in(o->model, hvn, write, ret, *writable, frame);
	return ret;
}

/* Level at which the host maps the page: 1 to 3; 1 where nothing is mapped. */
int oracle_host_mapping_level(struct oracle *o, uint64_t hvn)
{
	struct region *r = region_get(o->host, hvn);

	if (r->whole)
		return 3;
	if (r->absent)
		return 1;
	return chunk_get(o->host, r, hvn)->huge ? 2 : 1;
}

bool oracle_host_is_mmio_pfn(struct oracle *o, uint64_t pfn)
{
	(void)o;
	return pfn - DEVICE_BASE < DEVICE_PAGES;
}

/* ---- what the guest and KVM do to frames ---- */

void host_written(struct oracle *o, uint64_t hvn, bool known)
{
	struct host *h = o->host;
	struct region *r = region_get(h, hvn);
	struct chunk *c;

	c = chunk_get(h, r, hvn);
	if (get_bit(c->device, hvn - c->first))
		return;
	put_bit(c->written, hvn - c->first, true);
	if (known)
		put_bit(c->dirty, hvn - c->first, true);
}

/**
 * oracle_host_set_dirty() - KVM tells the host that a frame was written
 * @o: oracle
 * @pfn: the frame; if it is part of a huge page the whole of that is dirty
 *
 * A frame that belongs to nobody any more is a use after free: rule U.
 */
void oracle_host_set_dirty(struct oracle *o, uint64_t pfn)
{
	struct host *h = o->host;
	struct region *r;
	struct chunk *c;
	uint64_t hvn;

	oracle_mix(o, pfn, 1);
	if (o->predict)
		model_ev_pfn_dirty(o->model, pfn);
	if (oracle_host_is_mmio_pfn(o, pfn))
		return;
	hvn = host_owner(o, pfn);
	if (hvn == HOST_NO_FRAME) {
		oracle_report(o, 'U', NO_GFN, pfn << 12,
			      "frame 0x%llx is marked dirty but is not in use",
			      (unsigned long long)pfn);
		return;
	}
	r = region_get(h, hvn);
	if (r->whole) {
		r->dirty = true;
		return;
	}
	c = chunk_get(h, r, hvn);
	if (c->huge)
		memset(c->dirty, 0xff, sizeof(c->dirty));
	else
		put_bit(c->dirty, hvn - c->first, true);
}

/* Likewise for a frame that was accessed. */
void oracle_host_set_accessed(struct oracle *o, uint64_t pfn)
{
	oracle_mix(o, pfn, 2);
	if (o->predict)
		model_ev_pfn_accessed(o->model, pfn);
	if (!oracle_host_is_mmio_pfn(o, pfn) && host_owner(o, pfn) == HOST_NO_FRAME)
		oracle_report(o, 'U', NO_GFN, pfn << 12,
			      "frame 0x%llx is marked accessed but is not in use",
			      (unsigned long long)pfn);
}

/* A chunk's first page that was written and is not known to be dirty. */
static uint64_t chunk_lost(const struct region *r, const struct chunk *c, uint64_t start,
			   uint64_t end)
{
	uint32_t i;

	for (i = 0; i < 8; i++) {
		uint64_t lost = c->written[i] & ~(r->whole && r->dirty ? ~0ULL : c->dirty[i]);

		for (; lost; lost &= lost - 1) {
			uint64_t hvn = c->first + i * 64 + __builtin_ctzll(lost);

			if (hvn >= start && hvn < end)
				return hvn;
		}
	}
	return HOST_NO_FRAME;
}

uint64_t host_find_lost(struct oracle *o, uint64_t start, uint64_t n)
{
	struct host *h = o->host;
	uint64_t end = start + n, first = start / CHUNK_PAGES, last = (end - 1) / CHUNK_PAGES;
	uint64_t i, hvn;

	/*
	 * Chunks exist only where something happened: look at the range, or at all of them,
	 * whatever is less.
	 */
	if (last - first < h->chunk_pool.used) {
		for (i = first; i <= last; i++) {
			if (map_get(&h->chunks, i) == MAP_NONE)
				continue;
			hvn = i * CHUNK_PAGES;
			hvn = chunk_lost(region_get(h, hvn), chunk_get(h, region_get(h, hvn), hvn),
					 start, end);
			if (hvn != HOST_NO_FRAME)
				return hvn;
		}
		return HOST_NO_FRAME;
	}
	for (i = 0; i < h->chunk_pool.used; i++) {
		struct chunk *c = pool_at(&h->chunk_pool, i, sizeof(*c));
		struct region *r = region_get(h, c->first);

		hvn = chunk_lost(r, chunk_get(h, r, c->first), start, end);
		if (hvn != HOST_NO_FRAME)
			return hvn;
	}
	return HOST_NO_FRAME;
}

/* ---- the host's own operations ---- */

void oracle_host_set_backing(struct oracle *o, uint64_t hvn, uint64_t npages,
			     enum slot_backing backing)
{
	log_op(o, HOST_BACKING, hvn, npages, 0, backing);
}

/* The frame that is freed last, i.e. the highest, is the one that "reuse" hands out. */
void oracle_host_unmap(struct oracle *o, uint64_t hvn, uint64_t n)
{
	log_op(o, HOST_UNMAP, hvn, n, 0, 0);
	if (n)
		host_frame(o, hvn + n - 1);
}

void oracle_host_populate(struct oracle *o, uint64_t hvn, uint64_t n)
{
	log_op(o, HOST_POPULATE, hvn, n, 0, 0);
}

void oracle_host_clean(struct oracle *o, uint64_t hvn, uint64_t n)
{
	struct host *h = o->host;
	uint64_t start = hvn, end = hvn + n;

	/* A gigabyte page, too, is clean or dirty as a whole. */
	if (region_get(h, start)->whole)
		start &= -(uint64_t)REGION_PAGES;
	if (region_get(h, end - 1)->whole)
		end = ((end - 1) | (REGION_PAGES - 1)) + 1;
	log_op(o, HOST_CLEAN, start, end - start, 0, 0);
}

void oracle_host_protect(struct oracle *o, uint64_t hvn, uint64_t n)
{
	log_op(o, HOST_PROTECT, hvn, n, 0, 0);
}

void oracle_host_huge_form(struct oracle *o, uint64_t hvn, int level)
{
	uint64_t n = 1ULL << (9 * (level - 1));

	log_op(o, HOST_FORM, hvn & -n, n, level, 0);
}

void oracle_host_huge_break(struct oracle *o, uint64_t hvn, uint64_t n)
{
	log_op(o, HOST_BREAK, hvn, n, 0, 0);
}

/* The next frame that is handed out is the one freed last. */
void oracle_host_reuse(struct oracle *o)
{
	o->host->reuse = true;
}

/* The next look-up finds the page on its way in: try again. */
void oracle_host_busy(struct oracle *o)
{
	o->host->busy = true;
}
