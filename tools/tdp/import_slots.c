// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots, and what backs them.  A log with the probe kvm_set_memory_region says what they are;
 * in one without, a slot is a stretch of guest memory that was mapped, without wide gaps and
 * without MMIO.
 */
#include <stdlib.h>
#include <string.h>

#include "import.h"

#define GAP		0x8000ULL	/* pages; 128 MiB without a mapping separate two slots */
#define PAGES_2M	512ULL

/**
 * struct span - pages that an SPTE mapped
 * @first: first of them
 * @end: page after them
 */
struct span {
	uint64_t first;
	uint64_t end;
};

struct spans {
	uint32_t nr, cap;
	struct span *span;
};

static bool maps(const struct import *im, const struct ft_event *ev)
{
	return ev->vm == im->vm && ev->kind == FT_CHANGED &&
	       spte_classify(&im->desc, ev->level, ev->c).kind == SPTE_LEAF;
}

static bool spans_add(struct spans *s, uint64_t first, uint64_t n)
{
	if (s->nr && s->span[s->nr - 1].first == first && s->span[s->nr - 1].end == first + n)
		return true;
	if (s->nr == s->cap) {
		uint32_t cap = s->cap ? 2 * s->cap : 1024;
		struct span *span = realloc(s->span, cap * sizeof(*span));

		if (!span)
			return false;
		s->span = span;
		s->cap = cap;
	}
	s->span[s->nr++] = (struct span){ first, first + n };
	return true;
}

static int by_first(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static void collect(struct import *im, int as_id, struct spans *spans, struct spans *mmio)
{
	const struct import_log *log = im->log;
	uint32_t i;

	for (i = 0; i < log->nr_events; i++) {
		const struct ft_event *ev = &log->events[i];
		bool kept = true;

		if (maps(im, ev) && ev->as_id == as_id)
			kept = spans_add(spans, ev->a, 1ULL << 9 * (ev->level - 1));
		else if (ev->vm == im->vm && ev->kind == FT_MARK_MMIO)
			kept = spans_add(mmio, ev->a, 1);
		im->no_memory |= !kept;
	}
	if (spans->nr)
		qsort(spans->span, spans->nr, sizeof(*spans->span), by_first);
}

static bool mmio_between(const struct spans *mmio, uint64_t from, uint64_t to)
{
	uint32_t i;

	for (i = 0; i < mmio->nr; i++) {
		if (mmio->span[i].first >= from && mmio->span[i].first < to)
			return true;
	}
	return false;
}

/* Join what is close; sorted input, in place. */
static void join_close(struct spans *s, const struct spans *mmio)
{
	uint32_t i, n = 0;

	for (i = 0; i < s->nr; i++) {
		struct span *last = n ? &s->span[n - 1] : NULL;
		struct span *next = &s->span[i];

		if (last &&
		    (next->first < last->end || (next->first - last->end <= GAP &&
						 !mmio_between(mmio, last->end, next->first)))) {
			if (next->end > last->end)
				last->end = next->end;
		} else {
			s->span[n++] = *next;
		}
	}
	s->nr = n;
}

/* Join the closest until no more than @max are left. */
static void join_most(struct spans *s, uint32_t max)
{
	while (s->nr > max) {
		uint32_t best = 1, i;

		for (i = 2; i < s->nr; i++) {
			if (s->span[i].first - s->span[i - 1].end <
			    s->span[best].first - s->span[best - 1].end)
				best = i;
		}
		s->span[best - 1].end = s->span[best].end;
		memmove(&s->span[best], &s->span[best + 1], (s->nr - best - 1) * sizeof(*s->span));
		s->nr--;
	}
}

/**
 * import_slot_add - add a slot to the program's
 * @im: import
 * @as_id: address space
 * @base: first gfn
 * @n: pages
 *
 * Return: the slot, or NULL if a program can have no more.
 */
struct import_slot *import_slot_add(struct import *im, int as_id, uint64_t base, uint64_t n)
{
	struct import_slot *slot = &im->slots[im->nr_slots];
	uint32_t i, id = 0;

	for (i = 0; i < im->nr_slots; i++)
		id += im->slots[i].desc.as_id == as_id;
	if (id >= PROG_MAX_SLOTS || im->nr_slots == IMPORT_MAX_SLOTS)
		return NULL;
	memset(slot, 0, sizeof(*slot));
	slot->desc.id = id;
	slot->desc.as_id = as_id;
	slot->desc.base = slot->base = base;
	slot->desc.npages = slot->npages = n;
	slot->desc.hvn = base;
	slot->kernel_id = IMPORT_NO_ID;
	im->nr_slots++;
	return slot;
}

/**
 * import_slot_at - the slot that has a guest page now
 * @im: import
 * @as_id: address space
 * @gfn: guest page
 *
 * Return: the slot or NULL.
 */
struct import_slot *import_slot_at(struct import *im, int as_id, uint64_t gfn)
{
	uint32_t i;

	for (i = 0; i < im->nr_slots; i++) {
		struct import_slot *slot = &im->slots[i];

		if (slot->alive && slot->desc.as_id == as_id && gfn >= slot->base &&
		    gfn < slot->base + slot->npages)
			return slot;
	}
	return NULL;
}

/**
 * import_slot_logging - whether the dirty log of a guest page is on now
 * @im: import
 * @as_id: address space
 * @gfn: guest page
 *
 * Return: true if so.
 */
bool import_slot_logging(struct import *im, int as_id, uint64_t gfn)
{
	struct import_slot *slot = import_slot_at(im, as_id, gfn);

	return slot && slot->logging;
}

/**
 * import_slot_operand - how an operation names a slot
 * @slot: slot
 *
 * Return: the operand.
 */
uint8_t import_slot_operand(const struct import_slot *slot)
{
	return OP_SLOT(slot->desc.as_id, slot->desc.id);
}

static int from_mappings(struct import *im)
{
	int as_id;

	for (as_id = 0; as_id < 2; as_id++) {
		struct spans spans = { 0 }, mmio = { 0 };
		uint32_t i;

		collect(im, as_id, &spans, &mmio);
		join_close(&spans, &mmio);
		join_most(&spans, as_id ? 2 : 6);
		for (i = 0; i < spans.nr; i++) {
			const struct span *s = &spans.span[i];
			struct import_slot *slot =
				import_slot_add(im, as_id, s->first, s->end - s->first);

			slot->declared = slot->alive = true;
		}
		free(spans.span);
		free(mmio.span);
	}
	return 0;
}

/* How large the host's mappings of a slot were at most, wherever the slot was. */
static void find_backing(struct import *im)
{
	const struct import_log *log = im->log;
	uint32_t i;

	for (i = 0; i < log->nr_events; i++) {
		const struct ft_event *ev = &log->events[i];
		struct import_slot *slot;

		if (ev->vm == im->vm && ev->kind == FT_REGION)
			import_region_moves(im, ev);
		if (!maps(im, ev) || ev->level < 2)
			continue;
		slot = import_slot_at(im, ev->as_id, ev->a);
		if (slot && slot->desc.backing < (enum slot_backing)(ev->level - 1))
			slot->desc.backing = ev->level == 2 ? BACKING_2M : BACKING_1G;
	}
}

static void init_levels(struct import *im, struct import_slot *slot)
{
	uint64_t end = slot->desc.hvn + slot->desc.npages;

	if (slot->desc.backing == BACKING_4K)
		return;
	slot->nr_regions = (end + PAGES_2M - 1) / PAGES_2M - slot->desc.hvn / PAGES_2M;
	slot->level_of = malloc(slot->nr_regions);
	if (slot->level_of)
		memset(slot->level_of, slot->desc.backing == BACKING_2M ? 2 : 3, slot->nr_regions);
	else
		im->no_memory = true;
}

/**
 * import_find_slots - find the slots, where the host has them, and how it maps them
 * @im: import; its VM is described
 * @err: filled on failure
 *
 * Return: 0 or -EINVAL.
 */
int import_find_slots(struct import *im, struct import_error *err)
{
	int ret;

	ret = im->exact ? import_slots_recorded(im) : from_mappings(im);
	if (ret)
		return import_fail(err, 0, "no memory for the slots");
	if (!im->nr_slots)
		return import_fail(err, im->log->events[im->log->vms[im->vm].first].line,
				   "VM %u maps nothing: expected one whose guest ran", im->vm);
	find_backing(im);
	if (!im->exact)
		import_infer_ranges(im);
	import_slots_rewind(im);
	return 0;
}

/**
 * import_slots_rewind - every slot is again as it is when the program begins
 * @im: import
 */
void import_slots_rewind(struct import *im)
{
	uint32_t i;

	for (i = 0; i < im->nr_slots; i++) {
		struct import_slot *slot = &im->slots[i];

		slot->alive = slot->declared;
		slot->base = slot->desc.base;
		slot->npages = slot->desc.npages;
		slot->logging = slot->desc.flags & SLOT_LOG;
		slot->protect = slot->protected_at = slot->unmapped_at = 0;
		slot->worked_at = 0;
		slot->starting = false;
		slot->read_last = slot->read_before = 0;
		import_host_free(slot);
		init_levels(im, slot);
	}
}
