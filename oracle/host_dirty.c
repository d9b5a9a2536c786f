// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guest and KVM do to frames: stores, and the marks by which KVM tells the host of them.
 */
#include "host_internal.h"

#include <string.h>

#include "oracle_internal.h"

void host_written(struct oracle *o, uint64_t hvn, bool known)
{
	struct host *h = o->host;
	struct region *r = host_region(h, hvn);
	struct chunk *c;

	c = host_chunk(h, r, hvn);
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

	oracle_add(o, 1, pfn << 1 | 1, 0, 1, 0);
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
	r = host_region(h, hvn);
	if (r->whole) {
		r->dirty = true;
		return;
	}
	c = host_chunk(h, r, hvn);
	if (c->huge)
		memset(c->dirty, 0xff, sizeof(c->dirty));
	else
		put_bit(c->dirty, hvn - c->first, true);
}

/* Likewise for a frame that was accessed. */
void oracle_host_set_accessed(struct oracle *o, uint64_t pfn)
{
	oracle_add(o, 1, pfn << 1, 0, 1, 0);
	if (o->predict)
		model_ev_pfn_accessed(o->model, pfn);
	if (!oracle_host_is_mmio_pfn(o, pfn) && host_owner(o, pfn) == HOST_NO_FRAME)
		oracle_report(o, 'U', NO_GFN, pfn << 12,
			      "frame 0x%llx is marked accessed but is not in use",
			      (unsigned long long)pfn);
}

/* Are @n frames from @pfn on those of the chunk's pages from @i on? */
static bool chunk_has(const struct chunk *c, uint32_t i, uint64_t pfn, uint64_t n)
{
	uint32_t w, to = i + n, k;

	if (to > CHUNK_PAGES)
		return false;
	for (w = i / 64; w * 64 < to; w++)
		if (~c->present[w] & word_mask(w, i, to))
			return false;
	if (!c->small)
		return c->pfn + i == pfn;
	for (k = 0; k < n && host_chunk_frame(c, i + k) == pfn + k; k++)
		;
	return k == n;
}

/* Marks for frames of one mapping, or of a chunk's pages in a row; false: they are not such. */
static bool set_marks(struct oracle *o, uint64_t pfn, uint64_t n, bool dirty)
{
	struct host *h = o->host;
	uint64_t hvn = host_owner(o, pfn);
	struct region *r;
	struct chunk *c;

	if (hvn == HOST_NO_FRAME)
		return false;
	r = host_region(h, hvn);
	if (r->whole) {
		if (hvn + n > r->first + REGION_PAGES)
			return false;
		r->dirty |= dirty;
		return true;
	}
	c = host_chunk(h, r, hvn);
	if (!chunk_has(c, hvn - c->first, pfn, n))
		return false;
	if (dirty && c->huge)
		memset(c->dirty, 0xff, sizeof(c->dirty));
	else if (dirty)
		put_range(c->dirty, hvn - c->first, hvn - c->first + n, true);
	return true;
}

/**
 * oracle_host_set_marks() - both marks, for frames in a row
 * @o: oracle
 * @pfn: the first frame
 * @n: how many
 * @dirty: they were written
 * @accessed: they were accessed
 *
 * The same as a mark for each frame that is no device's. Where there is no mark nobody looks at the
 * frames: it is then that pages get theirs, see host.c.
 */
void oracle_host_set_marks(struct oracle *o, uint64_t pfn, uint64_t n, bool dirty, bool accessed)
{
	if (!dirty && !accessed)
		return;
	if (oracle_host_is_mmio_pfn(o, pfn) || oracle_host_is_mmio_pfn(o, pfn + n - 1) ||
	    !set_marks(o, pfn, n, dirty)) {
		for (; n--; pfn++) {
			if (oracle_host_is_mmio_pfn(o, pfn))
				continue;
			if (dirty)
				oracle_host_set_dirty(o, pfn);
			if (accessed)
				oracle_host_set_accessed(o, pfn);
		}
		return;
	}
	if (dirty)
		oracle_add(o, n, pfn << 1 | 1, 2, 1, 0);
	if (accessed)
		oracle_add(o, n, pfn << 1, 2, 1, 0);
	if (o->predict)
		model_ev_pfns(o->model, pfn, n, dirty, accessed);
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
			hvn = chunk_lost(host_region(h, hvn),
					 host_chunk(h, host_region(h, hvn), hvn), start, end);
			if (hvn != HOST_NO_FRAME)
				return hvn;
		}
		return HOST_NO_FRAME;
	}
	for (i = 0; i < h->chunk_pool.used; i++) {
		struct chunk *c = pool_at(&h->chunk_pool, i, sizeof(*c));
		struct region *r = host_region(h, c->first);

		hvn = chunk_lost(r, host_chunk(h, r, c->first), start, end);
		if (hvn != HOST_NO_FRAME)
			return hvn;
	}
	return HOST_NO_FRAME;
}
