// SPDX-License-Identifier: GPL-2.0-only
/* The machine's memory. All but the contents is changed under the host's lock. */
#include <stdlib.h>

#include "stress.h"

/* What a freed frame holds: no vCPU ever writes it. */
#define POISON 0xdead000000000000ULL

int frames_init(struct frames *f, uint64_t nr)
{
	f->nr = nr;
	f->frame = calloc(nr, sizeof(*f->frame));
	f->used = calloc(nr / PAGES_2M, sizeof(*f->used));
	return f->frame && f->used ? 0 : -1;
}

void frames_destroy(struct frames *f)
{
	free(f->frame);
	free(f->used);
}

static bool free_run(const struct frames *f, uint64_t chunk, uint64_t chunks)
{
	uint64_t i;

	for (i = 0; i < chunks; i++)
		if (f->used[chunk + i])
			return false;
	return true;
}

static uint64_t take(struct frames *f, uint64_t index, uint64_t n, uint64_t hvn)
{
	uint64_t i;

	for (i = 0; i < n; i++) {
		struct frame *frame = &f->frame[index + i];

		STORE(&frame->dirty, false);
		STORE(&frame->accessed, false);
		STORE(&frame->owner, hvn + i + 1);
		f->used[(index + i) / PAGES_2M]++;
	}
	return FIRST_PFN + index;
}

/* Frame @i is free, and in a chunk of which others are used unless @any. */
static bool fits_one(const struct frames *f, uint64_t i, bool any)
{
	return !f->frame[i].owner && (any || f->used[i / PAGES_2M]);
}

/* Going round, so that what was freed is nobody's for long; where others are used, lest huge pages run out. */
static uint64_t find_one(struct frames *f, bool any)
{
	uint64_t k, i;

	for (k = 0; k < f->nr; k++) {
		i = (f->cursor + k) % f->nr;
		if (fits_one(f, i, any))
			return i;
		/* No other of this chunk either. */
		if (f->used[i / PAGES_2M] == PAGES_2M || (!any && !f->used[i / PAGES_2M]))
			k += PAGES_2M - 1 - i % PAGES_2M;
	}
	return f->nr;
}

static uint64_t alloc_one(struct frames *f, uint64_t hvn)
{
	uint64_t i = find_one(f, false);

	if (i == f->nr)
		i = find_one(f, true);
	if (i == f->nr)
		return 0;
	f->cursor = i + 1;
	return take(f, i, 1, hvn);
}

/* Likewise, from the end to the beginning: single frames go the other way. */
static uint64_t alloc_chunks(struct frames *f, uint64_t n, uint64_t hvn)
{
	const uint64_t chunks = n / PAGES_2M, places = f->nr / n;
	uint64_t k;

	for (k = 0; k < places; k++) {
		const uint64_t place = (2 * places - 1 - f->cursor_huge % places - k) % places;

		if (free_run(f, place * chunks, chunks)) {
			f->cursor_huge += k + 1;
			return take(f, place * n, n, hvn);
		}
	}
	return 0;
}

/**
 * frames_alloc() - frames for host pages
 * @f: the machine's
 * @n: 1, PAGES_2M or PAGES_1G: one page, aligned to its size
 * @hvn: first host page that they become
 *
 * Return: the first one's number; 0: there are none of that size. What they hold is the caller's to write.
 */
uint64_t frames_alloc(struct frames *f, uint64_t n, uint64_t hvn)
{
	return n == 1 ? alloc_one(f, hvn) : alloc_chunks(f, n, hvn);
}

/* Whoever still reads them reads poison, and whoever writes them is found out by the owner. */
void frames_free(struct frames *f, uint64_t pfn, uint64_t n)
{
	uint64_t i;
	int w;

	for (i = pfn - FIRST_PFN; n--; i++) {
		struct frame *frame = &f->frame[i];

		STORE(&frame->owner, 0);
		for (w = 0; w < FRAME_WORDS; w++)
			STORE(&frame->word[w], POISON);
		f->used[i / PAGES_2M]--;
	}
}
