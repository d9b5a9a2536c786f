// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames. A host page N that lies low enough has frame base + N until something moves it; the
 * others get frames as they are touched. Freed frames are not handed out again unless the schedule
 * says "reuse": then the next one is the one freed last.
 */
#include "host_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "oracle_internal.h"
#include "rules.h"

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
	host_pool_free(&h->region_pool);
	host_pool_free(&h->chunk_pool);
	host_pool_free(&h->small_pool);
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
	h->last_region = NULL;
	h->last_chunk = NULL;
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
	struct region *r = host_region(h, hvn);
	struct chunk *c;

	if (r->whole)
		return r->pfn + (hvn - r->first);
	if (r->absent)
		return HOST_NO_FRAME;
	c = host_chunk(h, r, hvn);
	if (!get_bit(c->present, hvn - c->first))
		return HOST_NO_FRAME;
	return host_chunk_frame(c, hvn - c->first);
}

uint64_t host_owner(struct oracle *o, uint64_t pfn)
{
	struct host *h = o->host;
	/* The frames of the start can have become others' one by one only: by "reuse". */
	const int levels = pfn >= h->fixed_end ? 3 : 1;
	uint64_t hvn = MAP_NONE;
	int level;

	for (level = 1; level <= levels && h->owners.used; level++) {
		hvn = map_get(&h->owners, host_owner_key(pfn, level));
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
	struct region *r = host_region(o->host, hvn);
	struct chunk *c;

	if (r->whole || r->absent)
		return true;
	c = host_chunk(o->host, r, hvn);
	return get_bit(c->backed, hvn - c->first);
}

static void fault_in(struct host *h, uint64_t hvn)
{
	struct region *r = host_region(h, hvn);
	struct chunk *c;

	if (r->absent) {
		r->absent = false;
		if (!h->reuse && host_region_form(r, host_frame_alloc(h, 3, r->first)))
			return;
	}
	c = host_chunk(h, r, hvn);
	if (c->huge_ok && !h->reuse && host_chunk_is_empty(c) && host_chunk_form(h, c))
		return;
	host_page_populate(h, c, hvn - c->first);
}

/* The host lets nobody write through its mapping of the page. */
bool host_protected(struct oracle *o, uint64_t hvn)
{
	static const uint64_t none[8];
	struct host *h = o->host;
	struct region *r = host_region(h, hvn);
	struct chunk *c;

	if (r->whole)
		return r->protected;
	c = host_chunk(h, r, hvn);
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
 *	   machine has no frames left.
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
	if (!ret && host_protected(o, hvn)) {
		if (write)
			allow_write(o, hvn);
		*writable = write;
	}
	o->host->reuse = o->host->busy = false;
	*pfn = frame;
	oracle_mix(o, hvn, frame);
	oracle_current(o)->lookup = (struct lookup){ .step = ++o->step, .hvn = hvn, .pfn = frame };
	if (o->predict)
		model_ev_fault_in(o->model, hvn, write, ret, *writable, frame);
	return ret;
}

/* Level at which the host maps the page: 1 to 3; 1 where nothing is mapped. */
int oracle_host_mapping_level(struct oracle *o, uint64_t hvn)
{
	struct region *r = host_region(o->host, hvn);

	if (r->whole)
		return 3;
	if (r->absent)
		return 1;
	return host_chunk(o->host, r, hvn)->huge ? 2 : 1;
}

bool oracle_host_is_mmio_pfn(struct oracle *o, uint64_t pfn)
{
	(void)o;
	return pfn - DEVICE_BASE < DEVICE_PAGES;
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
	rule_d_host(o, hvn, n);
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

	rule_d_host(o, hvn, n);
	/* A gigabyte page, too, is clean or dirty as a whole. */
	if (host_region(h, start)->whole)
		start &= -(uint64_t)REGION_PAGES;
	if (host_region(h, end - 1)->whole)
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

	rule_d_host(o, hvn & -n, n);
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
