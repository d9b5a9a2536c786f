// SPDX-License-Identifier: GPL-2.0-only
/* Chunks of 2 MiB: what each operation on a range does to their pages. */
#include "host_internal.h"

#include <string.h>

uint64_t host_chunk_frame(const struct chunk *c, uint32_t i)
{
	return c->small && get_bit(c->moved, i) ? c->small[i] : c->pfn + i;
}

/* Page @i of the chunk has a frame of its own from now on. */
static void own_frame(struct host *h, struct chunk *c, uint32_t i, uint64_t pfn)
{
	uint32_t n;

	if (!c->small) {
		n = host_pool_get(&h->small_pool, CHUNK_PAGES * sizeof(uint64_t));
		c->small = pool_at(&h->small_pool, n, CHUNK_PAGES * sizeof(uint64_t));
		memset(c->moved, 0, sizeof(c->moved));
	}
	c->small[i] = pfn;
	put_bit(c->moved, i, true);
}

bool host_chunk_is_empty(const struct chunk *c)
{
	static const uint64_t none[8];

	return !memcmp(c->present, none, sizeof(none));
}

/* The whole chunk is one mapping of fresh frames. */
bool host_chunk_form(struct host *h, struct chunk *c)
{
	uint64_t pfn = host_frame_alloc(h, 2, c->first);

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

void host_page_populate(struct host *h, struct chunk *c, uint32_t i)
{
	uint64_t hvn = c->first + i, pfn;

	if (get_bit(c->device, i)) {
		pfn = DEVICE_BASE + hvn % DEVICE_PAGES;
	} else if (h->reuse && h->freed != HOST_NO_FRAME) {
		pfn = h->freed;
		map_put(&h->owners, host_owner_key(pfn, 1), hvn);
		h->freed = HOST_NO_FRAME;
	} else {
		pfn = host_frame_alloc(h, 1, hvn);
	}
	h->reuse = false;
	if (pfn == HOST_NO_FRAME)
		return;
	own_frame(h, c, i, pfn);
	put_bit(c->present, i, true);
	put_bit(c->written, i, false);
	put_bit(c->dirty, i, false);
}

/* Pages @from to @to, some of which have no backing yet, get it: those of a device at once. */
static void chunk_back_pages(struct host *h, struct chunk *c, enum slot_backing backing,
			     uint32_t from, uint32_t to)
{
	uint32_t w, i;

	for (w = from / 64; w * 64 < to; w++) {
		uint64_t bare = word_mask(w, from, to) & ~c->backed[w];

		if (!bare)
			continue;
		c->backed[w] |= bare;
		if (backing != BACKING_MMIO) {
			if (c->pfn != HOST_NO_FRAME)
				c->present[w] |= bare;
			continue;
		}
		for (i = w * 64; i < w * 64 + 64; i++)
			if (bare >> (i & 63) & 1)
				own_frame(h, c, i, DEVICE_BASE + (c->first + i) % DEVICE_PAGES);
		c->device[w] |= bare;
		c->present[w] |= bare;
		c->written[w] &= ~bare;
		c->dirty[w] &= ~bare;
		h->reuse = false;
	}
}

static void chunk_back(struct host *h, struct chunk *c, const struct range_op *op, uint32_t from,
		       uint32_t to)
{
	const bool device = op->backing == BACKING_MMIO;
	const bool fresh = !any_bit(c->backed, from, to);

	/* Memory that is there already keeps its frames; only how new ones come may change. */
	c->huge_ok = to - from == CHUNK_PAGES &&
		     (op->backing == BACKING_2M || op->backing == BACKING_1G) &&
		     !any_bit(c->device, from, to);
	if (c->pfn == HOST_NO_FRAME && !c->small && !device)
		c->pfn = host_first_frame(h, 2, c->first);
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
			h->freed = host_chunk_frame(c, w * 64 + 63 - __builtin_clzll(freed));
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
	if (from == 0 && to == CHUNK_PAGES && c->huge_ok && host_chunk_is_empty(c) &&
	    host_chunk_form(h, c))
		return;
	for (i = from; i < to; i++)
		if (get_bit(c->backed, i) && !get_bit(c->present, i))
			host_page_populate(h, c, i);
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
	host_chunk_form(h, c);
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

static struct chunk *find(struct host *h, uint64_t key)
{
	uint64_t i = map_get(&h->chunks, key);
	struct chunk *c;

	if (i == MAP_NONE) {
		i = host_pool_get(&h->chunk_pool, sizeof(*c));
		map_put(&h->chunks, key, i);
		c = pool_at(&h->chunk_pool, i, sizeof(*c));
		memset(c, 0, sizeof(*c));
		c->first = key * CHUNK_PAGES;
		c->pfn = HOST_NO_FRAME;
	} else {
		c = pool_at(&h->chunk_pool, i, sizeof(*c));
	}
	return c;
}

/* host_chunk() where the chunk is another than before, or has to catch up. */
struct chunk *host_chunk_find(struct host *h, struct region *r, uint64_t hvn)
{
	struct chunk *c = h->last_chunk;

	if (!c || hvn - c->first >= CHUNK_PAGES)
		c = h->last_chunk = find(h, hvn / CHUNK_PAGES);
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
