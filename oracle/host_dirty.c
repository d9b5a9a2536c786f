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
