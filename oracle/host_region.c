// SPDX-License-Identifier: GPL-2.0-only
/* Gigabytes: formed, broken, unmapped and made again as one mapping. */
#include "host_internal.h"

#include <string.h>

/* Becomes one mapping of the frames from @pfn on, if there are any. */
bool host_region_form(struct region *r, uint64_t pfn)
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
		r->device |= op->backing == BACKING_MMIO && !r->whole;
		r->backed = all && op->backing == BACKING_1G && !r->device;
		r->absent &= r->backed;
		if (r->backed && !r->touched)
			host_region_form(r, host_first_frame(h, 3, r->first));
		r->touched = true;
		break;
	case HOST_UNMAP:
		region_unmap(h, r, op, all);
		break;
	case HOST_POPULATE:
		r->protected = false;
		if (r->absent && all)
			host_region_form(r, host_frame_alloc(h, 3, r->first));
		r->absent = false;
		break;
	case HOST_CLEAN:
		r->dirty = false;
		break;
	case HOST_FORM:
		if (op->level != 3 || !r->backed || r->whole)
			break;
		r->protected = false;
		host_region_form(r, host_frame_alloc(h, 3, r->first));
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

static struct region *find(struct host *h, uint64_t key)
{
	uint64_t i = map_get(&h->regions, key);
	struct region *r;

	if (i == MAP_NONE) {
		i = host_pool_get(&h->region_pool, sizeof(*r));
		map_put(&h->regions, key, i);
		r = pool_at(&h->region_pool, i, sizeof(*r));
		memset(r, 0, sizeof(*r));
		r->first = key * REGION_PAGES;
	} else {
		r = pool_at(&h->region_pool, i, sizeof(*r));
	}
	return r;
}

/* host_region() where the region is another than before, or has to catch up. */
struct region *host_region_find(struct host *h, uint64_t hvn)
{
	struct region *r = h->last_region;

	if (!r || hvn - r->first >= REGION_PAGES)
		r = h->last_region = find(h, hvn / REGION_PAGES);
	while (r->applied < h->nr_log) {
		const struct range_op *op = &h->log[r->applied++];

		region_apply(h, r, op);
	}
	return r;
}
