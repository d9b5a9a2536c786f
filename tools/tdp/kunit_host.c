// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's pages.  A test says beforehand which frames the host has where, in long runs where it
 * can; this keeps what it has said, so that it says again only what is otherwise by now.
 */
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "kunit.h"

static const char *const levels[] = { "", "TDP_4K", "TDP_2M", "TDP_1G" };

static uint64_t pages_of(int level)
{
	return 1ULL << (9 * (level - 1));
}

static void add(struct kunit_host *h, uint64_t first, uint64_t n, uint64_t pfn, int level)
{
	if (!n)
		return;
	if (h->nr == h->cap) {
		h->cap = h->cap ? 2 * h->cap : 16;
		h->range = realloc(h->range, h->cap * sizeof(*h->range));
		if (!h->range)
			abort();
	}
	h->range[h->nr++] = (struct kunit_range){ first, n, pfn, level };
}

/**
 * kunit_host_drop() - pages are mapped no more
 * @h: host
 * @first: host page
 * @n: how many
 */
void kunit_host_drop(struct kunit_host *h, uint64_t first, uint64_t n)
{
	uint64_t end = first + n;
	uint32_t i, nr = h->nr;

	for (i = 0; i < nr; i++) {
		struct kunit_range r = h->range[i];
		uint64_t r_end = r.first + r.n;

		if (r.first >= end || r_end <= first)
			continue;
		h->range[i].n = r.first < first ? first - r.first : 0;
		if (r_end > end)
			add(h, end, r_end - end, r.pfn + (end - r.first), r.level);
	}
}

/**
 * kunit_host_set() - pages are mapped
 * @h: host
 * @first: host page
 * @n: how many
 * @pfn: frame of the first
 * @level: of the mappings
 */
void kunit_host_set(struct kunit_host *h, uint64_t first, uint64_t n, uint64_t pfn, int level)
{
	kunit_host_drop(h, first, n);
	add(h, first, n, pfn, level);
}

static const struct kunit_range *find(const struct kunit_host *h, uint64_t hvn)
{
	uint32_t i;

	for (i = 0; i < h->nr; i++)
		if (hvn - h->range[i].first < h->range[i].n)
			return &h->range[i];
	return NULL;
}

static void split_one(struct kunit_host *h, uint64_t hvn)
{
	const struct kunit_range *r = find(h, hvn);
	uint64_t start, n;

	if (!r || r->level == 1)
		return;
	n = pages_of(r->level);
	start = hvn & -n;
	kunit_host_set(h, start, n, r->pfn + (start - r->first), 1);
}

/**
 * kunit_host_split() - huge mappings are broken up
 * @h: host
 * @first: host page
 * @n: how many
 * @all: all there are; else those of which the pages are but a part
 */
void kunit_host_split(struct kunit_host *h, uint64_t first, uint64_t n, bool all)
{
	uint64_t hvn, ends[2] = { first, first + n - 1 };
	int i;

	for (hvn = first; all && hvn < first + n; hvn++)
		split_one(h, hvn);
	for (i = 0; i < 2; i++) {
		const struct kunit_range *r = find(h, ends[i]);
		uint64_t pages = r ? pages_of(r->level) : 1;
		uint64_t start = ends[i] & -pages;

		if (start < first || start + pages > first + n)
			split_one(h, ends[i]);
	}
}

/**
 * kunit_host_run() - is a range one run of frames, mapped in one size
 * @o: oracle, whose host is asked
 * @first: host page
 * @n: how many
 * @pfn: result: frame of the first
 * @level: result: size of the mappings
 *
 * Return: whether it is.
 */
bool kunit_host_run(struct oracle *o, uint64_t first, uint64_t n, uint64_t *pfn, int *level)
{
	uint64_t i;

	*pfn = host_frame(o, first);
	*level = oracle_host_mapping_level(o, first);
	for (i = 0; i < n; i++)
		if (*pfn == HOST_NO_FRAME || host_frame(o, first + i) != *pfn + i ||
		    oracle_host_mapping_level(o, first + i) != *level)
			return false;
	return true;
}

/* May the pages from @hvn on that one mapping of @level covers be said to be at @pfn, too? */
static bool may_say(struct kunit_host *h, struct oracle *o, uint64_t hvn, uint64_t pfn, int level)
{
	uint64_t frame = host_frame(o, hvn);

	if (find(h, hvn) || find(h, hvn + pages_of(level) - 1))
		return false;
	if (frame == HOST_NO_FRAME)
		return true;
	return frame == pfn && oracle_host_mapping_level(o, hvn) == level;
}

/**
 * kunit_host_say() - have the test map a page that the MMU has looked up, if it has not yet
 * @h: host
 * @o: oracle, whose host is asked
 * @slot: of which the page is
 * @hvn: host page
 * @out: gets the call, for the page and those around it that may go with it
 */
void kunit_host_say(struct kunit_host *h, struct oracle *o, const struct slot_desc *slot,
		    uint64_t hvn, FILE *out)
{
	const struct kunit_range *known = find(h, hvn);
	uint64_t pfn = host_frame(o, hvn);
	int level = oracle_host_mapping_level(o, hvn);
	uint64_t n = pages_of(level), first, end;
	struct kunit_call call;

	if (pfn == HOST_NO_FRAME ||
	    (known && known->level == level && known->pfn + (hvn - known->first) == pfn))
		return;
	first = hvn & -n;
	end = first + n;
	pfn -= hvn - first;
	while (!known && end + n <= slot->hvn + slot->npages &&
	       may_say(h, o, end, pfn + (end - first), level))
		end += n;
	while (!known && first >= slot->hvn + n && pfn >= n &&
	       may_say(h, o, first - n, pfn - n, level)) {
		first -= n;
		pfn -= n;
	}
	kunit_host_set(h, first, end - first, pfn, level);
	kunit_call(&call,
		   oracle_host_is_mmio_pfn(o, pfn) ? "tdp_host_map_device(" : "tdp_host_map(");
	kunit_arg(&call, "vm");
	kunit_arg(&call, "0x%llx", (unsigned long long)first);
	kunit_arg(&call, "0x%llx", (unsigned long long)(end - first));
	kunit_arg(&call, "0x%llx", (unsigned long long)pfn);
	kunit_arg(&call, "%s", levels[level]);
	kunit_put(out, 1, &call, ");");
}
