// SPDX-License-Identifier: GPL-2.0-only
/* Frames: who gets which, and the memory that the host model itself is made of. */
#include "host_internal.h"

#include <stdlib.h>

uint32_t host_pool_get(struct pool *p, size_t size)
{
	if (p->used == p->nr_slabs * SLAB) {
		p->slab = oracle_grow(p->slab, p->nr_slabs + 1, sizeof(*p->slab));
		p->slab[p->nr_slabs++] = oracle_alloc(SLAB, size);
	}
	return p->used++;
}

void host_pool_free(struct pool *p)
{
	uint32_t i;

	for (i = 0; i < p->nr_slabs; i++)
		free(p->slab[i]);
	free(p->slab);
}

/* Keys of the owners' map: a frame, a run of 512, a run of 512 * 512. */
uint64_t host_owner_key(uint64_t pfn, int level)
{
	return pfn >> (9 * (level - 1)) << 2 | level;
}

/* Frames for a page of @level, for the pages from @hvn on; HOST_NO_FRAME if there are none left. */
uint64_t host_frame_alloc(struct host *h, int level, uint64_t hvn)
{
	uint64_t pfn = HOST_NO_FRAME;

	if (level == 1 && h->next_4k == h->end_4k) {
		h->next_4k = host_frame_alloc(h, 2, HOST_NO_FRAME);
		if (h->next_4k == HOST_NO_FRAME)
			h->end_4k = h->next_4k;
		else
			h->end_4k = h->next_4k + CHUNK_PAGES;
	}
	if (level == 2 && h->next_2m == h->end_2m) {
		h->next_2m = host_frame_alloc(h, 3, HOST_NO_FRAME);
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
		map_put(&h->owners, host_owner_key(pfn, level), hvn);
	return pfn;
}

/* Frames that the pages from @hvn on have when they were never moved. */
uint64_t host_first_frame(struct host *h, int level, uint64_t hvn)
{
	uint64_t n = 1ULL << (9 * (level - 1));

	if (hvn + n <= h->fixed_end - h->base)
		return h->base + hvn;
	return host_frame_alloc(h, level, hvn);
}
