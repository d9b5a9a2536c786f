// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host: page tables for the VMM's memory, and a thread that does to them what the kernel's memory
 * management does. It never changes what memory holds, so that nobody may see a change: what is
 * unmapped goes to swap and comes back, what moves is copied.
 *
 * Swap is only written where KVM says that a page is dirty: a dirty mark that is lost is data that is lost.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "stress.h"

/* Of 2 MiB, beyond twice the guest's memory: for huge pages where small ones are everywhere. */
#define SPARE_CHUNKS 16

#define DAWDLE_EVERY 64

static uint64_t pages_of(int level)
{
	return 1ULL << 9 * (level - 1);
}

uint64_t host_pfn(struct host *h, uint64_t hvn)
{
	return LOAD(&h->pte[hvn]);
}

int host_level(struct host *h, uint64_t hvn)
{
	return LOAD(&h->level[hvn / PAGES_2M]);
}

static void set_level(struct host *h, uint64_t hvn, uint64_t n, int level)
{
	uint64_t i;

	for (i = hvn / PAGES_2M; i * PAGES_2M < hvn + n; i++)
		STORE(&h->level[i], level);
}

/* Marks are those of the whole page that the host has there. */
static struct frame *head(struct host *h, uint64_t pfn)
{
	struct frame *frame = frame_at(&h->frames, pfn);
	const uint64_t owner = frame ? LOAD(&frame->owner) : 0;

	if (!owner)
		return NULL;
	return frame_at(&h->frames, pfn & -pages_of(host_level(h, owner - 1)));
}

static bool is_dirty(struct host *h, uint64_t hvn)
{
	struct frame *frame = head(h, host_pfn(h, hvn));

	return frame && LOAD(&frame->dirty);
}

static void set_dirty(struct host *h, uint64_t hvn, bool dirty)
{
	struct frame *frame = head(h, host_pfn(h, hvn));

	if (frame)
		STORE(&frame->dirty, dirty);
}

/* ---- pages come and go; with the lock held ---- */

static void save(struct host *h, uint64_t hvn)
{
	struct frame *frame = frame_known(&h->frames, host_pfn(h, hvn));
	int w;

	for (w = 0; w < FRAME_WORDS; w++)
		h->swap[hvn][w] = LOAD(&frame->word[w]);
}

/* Nobody maps the page any more: what is not dirty is what swap has. */
static void write_back(struct host *h, uint64_t hvn)
{
	struct frame *frame = frame_known(&h->frames, host_pfn(h, hvn));
	int w;

	if (!is_dirty(h, hvn))
		for (w = 0; w < FRAME_WORDS; w++)
			if (h->swap[hvn][w] != LOAD(&frame->word[w]))
				violation(
					h->stress, 'D', NO_PAGE,
					"host page %#lx was written by vCPU %d (%lu, %lu when it was last clean), and is not dirty",
					hvn, w, LOAD(&frame->word[w]), h->swap[hvn][w]);
	save(h, hvn);
}

static bool all(struct host *h, uint64_t hvn, uint64_t n, bool present)
{
	uint64_t i;

	for (i = hvn; i < hvn + n; i++)
		if (!host_pfn(h, i) == present)
			return false;
	return true;
}

/* Frames for pages that have none, as one page of @level; false: there are none. */
static bool page_in(struct host *h, uint64_t hvn, int level)
{
	const uint64_t n = pages_of(level);
	const uint64_t pfn = frames_alloc(&h->frames, n, hvn);
	uint64_t i;

	if (!pfn)
		return false;
	for (i = 0; i < n; i++) {
		struct frame *frame = frame_known(&h->frames, pfn + i);
		int w;

		for (w = 0; w < FRAME_WORDS; w++)
			STORE(&frame->word[w], h->swap[hvn + i][w]);
	}
	/* Faults look without the lock: who finds one page finds all of them. */
	if (level > PG_LEVEL_4K)
		set_level(h, hvn, n, level);
	for (i = 0; i < n; i++)
		STORE(&h->pte[hvn + i], pfn + i);
	return true;
}

static uint64_t backing_pages(const struct stress *s)
{
	return s->opt.backing == BACKING_4K ? 1 :
	       s->opt.backing == BACKING_2M ? PAGES_2M :
					      PAGES_1G;
}

/* Where all of a large page is missing, it comes as a whole, if the machine has one. */
static bool page_in_around(struct host *h, uint64_t hvn)
{
	int level;

	for (level = PG_LEVEL_1G; level > PG_LEVEL_4K; level--) {
		const uint64_t n = pages_of(level), first = hvn & -n;

		if (n <= backing_pages(h->stress) && first + n <= h->pages &&
		    all(h, first, n, false) && page_in(h, first, level))
			return true;
	}
	return page_in(h, hvn, PG_LEVEL_4K);
}

/* ---- what KVM asks and says ---- */

/* Now and then a look-up takes long: what it found may be gone when it returns. */
static void dawdle(void)
{
	static _Thread_local unsigned int lookups;

	if (!(++lookups % DAWDLE_EVERY))
		sched_yield();
}

static int fault_in(void *ctx, hvn_t hvn, bool write, bool *writable, kvm_pfn_t *pfn)
{
	struct host *h = ctx;

	(void)write;
	if (hvn >= h->pages)
		return -EFAULT;
	*writable = true;
	*pfn = host_pfn(h, hvn);
	if (*pfn) {
		dawdle();
		return 0;
	}
	pthread_mutex_lock(&h->lock);
	if (!host_pfn(h, hvn) && !page_in_around(h, hvn)) {
		pthread_mutex_unlock(&h->lock);
		return -ENOMEM;
	}
	*pfn = host_pfn(h, hvn);
	pthread_mutex_unlock(&h->lock);
	return 0;
}

static int mapping_level(void *ctx, hvn_t hvn)
{
	struct host *h = ctx;

	return host_pfn(h, hvn) ? host_level(h, hvn) : PG_LEVEL_4K;
}

static void mark_dirty(void *ctx, kvm_pfn_t pfn)
{
	struct frame *frame = head(ctx, pfn);

	if (frame)
		STORE(&frame->dirty, true);
	else
		violation(((struct host *)ctx)->stress, 'U', NO_PAGE,
			  "KVM says that frame %#lx is dirty, which is nobody's", (uint64_t)pfn);
}

static void mark_accessed(void *ctx, kvm_pfn_t pfn)
{
	struct frame *frame = head(ctx, pfn);

	if (frame)
		STORE(&frame->accessed, true);
	else
		violation(((struct host *)ctx)->stress, 'U', NO_PAGE,
			  "KVM says that frame %#lx was accessed, which is nobody's",
			  (uint64_t)pfn);
}

const struct tdp_host_ops stress_host_ops = {
	.fault_in = fault_in,
	.mapping_level = mapping_level,
	.set_pfn_dirty = mark_dirty,
	.set_pfn_accessed = mark_accessed,
};

/* ---- the VMM's own accesses ---- */

/* What the page holds now. */
void host_read(struct host *h, uint64_t hvn, uint64_t words[FRAME_WORDS])
{
	int w;

	pthread_mutex_lock(&h->lock);
	if (host_pfn(h, hvn))
		for (w = 0; w < FRAME_WORDS; w++)
			words[w] = LOAD(&frame_known(&h->frames, host_pfn(h, hvn))->word[w]);
	else
		memcpy(words, h->swap[hvn], sizeof(h->swap[hvn]));
	pthread_mutex_unlock(&h->lock);
}

/* A store through the VMM's own mapping, which marks the page dirty; false: no frame for it. */
bool host_write(struct host *h, uint64_t hvn, unsigned int word, uint64_t val)
{
	bool there;

	pthread_mutex_lock(&h->lock);
	there = host_pfn(h, hvn) || page_in_around(h, hvn);
	if (there) {
		STORE(&frame_known(&h->frames, host_pfn(h, hvn))->word[word], val);
		set_dirty(h, hvn, true);
	}
	pthread_mutex_unlock(&h->lock);
	return there;
}

/* ---- what memory management does, between the halves of an invalidation ---- */

static void invalidate(struct host *h, uint64_t hvn, uint64_t n)
{
	int r = kvm_mmu_notifier_invalidate_range_start(h->stress->kvm, hvn, hvn + n);

	if (r < 0)
		violation(h->stress, 'P', NO_PAGE, "invalidation of %#lx+%#lx: %d", hvn, n, r);
}

static void invalidated(struct host *h, uint64_t hvn, uint64_t n)
{
	kvm_mmu_notifier_invalidate_range_end(h->stress->kvm, hvn, hvn + n);
}

/* A large page becomes pages of the next size, whose marks are its. */
static void split(struct host *h, uint64_t hvn)
{
	const int level = host_level(h, hvn);
	const uint64_t n = pages_of(level), first = hvn & -n;
	struct frame *of_all;
	bool dirty;
	uint64_t i;

	if (level == PG_LEVEL_4K)
		return;
	invalidate(h, first, n);
	of_all = frame_known(&h->frames, host_pfn(h, first));
	dirty = LOAD(&of_all->dirty);
	for (i = 0; i < n; i++)
		STORE(&of_all[i].dirty, dirty);
	set_level(h, first, n, level - 1);
	invalidated(h, first, n);
}

/* No large page reaches out of the range. */
static void split_ends(struct host *h, uint64_t hvn, uint64_t n)
{
	uint64_t end = hvn + n;

	while (hvn & (pages_of(host_level(h, hvn)) - 1))
		split(h, hvn);
	while (end < h->pages && (end & (pages_of(host_level(h, end)) - 1)))
		split(h, end);
	/* A range inside of one page, from its first on. */
	while (pages_of(host_level(h, hvn)) > n)
		split(h, hvn);
}

static void drop(struct host *h, uint64_t hvn)
{
	const uint64_t pfn = host_pfn(h, hvn);

	STORE(&h->pte[hvn], 0);
	frames_free(&h->frames, pfn, 1);
}

/* Nobody maps the range any more, and swap has what it holds. */
static void invalidate_and_write_back(struct host *h, uint64_t hvn, uint64_t n)
{
	uint64_t i;

	split_ends(h, hvn, n);
	invalidate(h, hvn, n);
	for (i = hvn; i < hvn + n; i++)
		if (host_pfn(h, i))
			write_back(h, i);
}

static void unmap(struct host *h, struct stress_rng *rng, uint64_t hvn, uint64_t n)
{
	uint64_t i;

	(void)rng;
	invalidate_and_write_back(h, hvn, n);
	for (i = hvn; i < hvn + n; i++)
		if (host_pfn(h, i))
			drop(h, i);
	for (i = hvn & -PAGES_2M; i < hvn + n; i += PAGES_2M)
		if (all(h, i, PAGES_2M, false))
			set_level(h, i, PAGES_2M, PG_LEVEL_4K);
	invalidated(h, hvn, n);
}

/* The pages have other frames, of one page of @level; all of them have frames now. */
static bool replace(struct host *h, uint64_t hvn, int level)
{
	const uint64_t n = pages_of(level);
	const uint64_t pfn = frames_alloc(&h->frames, n, hvn);
	bool dirty = false;
	uint64_t i;

	if (!pfn)
		return false;
	for (i = 0; i < n; i++) {
		const uint64_t from = host_pfn(h, hvn + i);
		struct frame *old = frame_known(&h->frames, from);
		struct frame *new = frame_known(&h->frames, pfn + i);
		int w;

		dirty |= is_dirty(h, hvn + i);
		for (w = 0; w < FRAME_WORDS; w++)
			STORE(&new->word[w], LOAD(&old->word[w]));
	}
	for (i = 0; i < n; i++) {
		drop(h, hvn + i);
		STORE(&h->pte[hvn + i], pfn + i);
	}
	if (level > PG_LEVEL_4K)
		set_level(h, hvn, n, level);
	STORE(&frame_known(&h->frames, pfn)->dirty, dirty);
	return true;
}

static void move(struct host *h, struct stress_rng *rng, uint64_t hvn, uint64_t n)
{
	uint64_t i, step;

	(void)rng;
	split_ends(h, hvn, n);
	invalidate(h, hvn, n);
	for (i = hvn; i < hvn + n; i += step) {
		const int level = host_level(h, i);

		step = host_pfn(h, i) ? pages_of(level) : 1;
		if (host_pfn(h, i))
			replace(h, i, level);
	}
	invalidated(h, hvn, n);
}

/* As khugepaged: only what is all there. */
static void form(struct host *h, struct stress_rng *rng, uint64_t hvn, uint64_t range)
{
	const int level = stress_below(rng, 16) ? PG_LEVEL_2M : PG_LEVEL_1G;
	const uint64_t n = pages_of(level), first = hvn & -n;

	(void)range;
	if (n > backing_pages(h->stress) || first + n > h->pages || host_level(h, first) >= level ||
	    !all(h, first, n, true))
		return;
	invalidate(h, first, n);
	replace(h, first, level);
	invalidated(h, first, n);
}

static void split_one(struct host *h, struct stress_rng *rng, uint64_t hvn, uint64_t n)
{
	(void)rng;
	(void)n;
	split(h, hvn);
}

/* What is dirty is written to where it comes from, and is clean from then on. */
static void clean(struct host *h, struct stress_rng *rng, uint64_t hvn, uint64_t n)
{
	uint64_t i;

	(void)rng;
	invalidate_and_write_back(h, hvn, n);
	for (i = hvn; i < hvn + n; i++)
		if (host_pfn(h, i))
			set_dirty(h, i, false);
	invalidated(h, hvn, n);
}

static void age(struct host *h, struct stress_rng *rng, uint64_t hvn, uint64_t n)
{
	struct kvm *kvm = h->stress->kvm;

	switch (stress_below(rng, 3)) {
	case 0:
		kvm_mmu_notifier_clear_flush_young(kvm, hvn, hvn + n);
		break;
	case 1:
		kvm_mmu_notifier_clear_young(kvm, hvn, hvn + n);
		break;
	default:
		kvm_mmu_notifier_test_young(kvm, hvn, hvn + n);
	}
}

/* A few pages; a 2M page; several of those; all. */
static void pick_range(struct host *h, struct stress_rng *rng, uint64_t *hvn, uint64_t *n)
{
	static const uint64_t sizes[] = { 1, 16, PAGES_2M, 8 * PAGES_2M };
	const uint64_t size = sizes[stress_below(rng, 4)];

	*n = size < PAGES_2M ? 1 + stress_below(rng, size) : size;
	*hvn = stress_below(rng, h->pages);
	if (*n >= PAGES_2M)
		*hvn &= -PAGES_2M;
	if (*n > h->pages - *hvn)
		*n = h->pages - *hvn;
}

/**
 * struct host_op - something that memory management does
 * @mix: what it is part of
 * @name: what it is called in a report
 * @run: does it, to a range; with the lock held
 */
struct host_op {
	enum mix mix;
	const char *name;
	void (*run)(struct host *h, struct stress_rng *rng, uint64_t hvn, uint64_t n);
};

/* clang-format off */
static const struct host_op host_ops[] = {
	{ MIX_UNMAP, "host unmap", unmap },
	{ MIX_UNMAP, "host clean", clean },
	{ MIX_MOVE, "host move", move },
	{ MIX_AGE, "host age", age },
	{ MIX_HUGE, "host huge page formed", form },
	{ MIX_HUGE, "host huge page broken", split_one },
};
/* clang-format on */

#define NR_HOST_OPS (sizeof(host_ops) / sizeof(host_ops[0]))

/* The host's thread: something to some range, again and again. */
void *host_thread(void *arg)
{
	struct actor *a = arg;
	struct stress *s = a->stress;

	while (!stress_done(s)) {
		const struct host_op *op = &host_ops[stress_below(&a->rng, NR_HOST_OPS)];
		uint64_t hvn, n;

		rest_here(&s->rest, GROUP_OTHERS);
		if (!(s->opt.mix & op->mix)) {
			COUNT(&a->operations);
			continue;
		}
		pick_range(&s->host, &a->rng, &hvn, &n);
		actor_begins(a, op->name);
		pthread_mutex_lock(&s->host.lock);
		op->run(&s->host, &a->rng, hvn, n);
		pthread_mutex_unlock(&s->host.lock);
		actor_ends(a);
	}
	rest_leave(&s->rest, GROUP_OTHERS);
	return NULL;
}

/* Nobody maps anything any more: all that was written is marked so. */
void host_all_written(struct host *h)
{
	uint64_t hvn;

	for (hvn = 0; hvn < h->pages; hvn++)
		if (host_pfn(h, hvn))
			write_back(h, hvn);
}

int host_init(struct host *h, struct stress *s)
{
	h->stress = s;
	h->pages = s->opt.pages;
	pthread_mutex_init(&h->lock, NULL);
	h->pte = calloc(h->pages, sizeof(*h->pte));
	h->level = malloc(h->pages / PAGES_2M * sizeof(*h->level));
	h->swap = calloc(h->pages, sizeof(*h->swap));
	if (!h->pte || !h->level || !h->swap ||
	    frames_init(&h->frames, 2 * h->pages + SPARE_CHUNKS * PAGES_2M))
		return -ENOMEM;
	set_level(h, 0, h->pages, PG_LEVEL_4K);
	return 0;
}

void host_destroy(struct host *h)
{
	frames_destroy(&h->frames);
	free(h->swap);
	free((void *)h->level);
	free((void *)h->pte);
}
