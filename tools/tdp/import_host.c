// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's side: which guest page a host address of the log is, and how large the host's
 * mapping is.
 *
 * A log without the probe kvm_set_memory_region does not say where the host has a slot.  What
 * does is each unmap or age whose SPTEs' changes follow: the page that changed must lie in the
 * range.  All of them together leave few offsets, most often one.
 */
#include <stdlib.h>
#include <string.h>

#include "import.h"

#define PAGES_2M	512ULL

/**
 * import_range_add - note where the host has some guest memory
 * @im: import
 * @hva: host page number in the log
 * @n: pages
 * @hvn: host page number that the program would like it to have
 *
 * Memory that is known by another slot keeps its number: an alias, or a slot that comes back.
 *
 * Return: the host page number in the program.
 */
uint64_t import_range_add(struct import *im, uint64_t hva, uint64_t n, uint64_t hvn)
{
	uint32_t i;

	for (i = 0; i < im->nr_ranges; i++) {
		const struct import_range *r = &im->ranges[i];

		if (hva >= r->hva && hva + n <= r->hva + r->n)
			return r->hvn + (hva - r->hva);
	}
	for (i = 0; i < im->nr_ranges; i++) {
		const struct import_range *r = &im->ranges[i];

		/* Keeps its place in a 1G region, which is what huge mappings need. */
		while (hvn < r->hvn + r->n && r->hvn < hvn + n) {
			hvn += 1ULL << 18;
			i = 0;
			r = &im->ranges[0];
		}
	}
	if (im->nr_ranges < IMPORT_MAX_RANGES)
		im->ranges[im->nr_ranges++] = (struct import_range){ hva, n, hvn };
	return hvn;
}

/**
 * import_host_op - an operation of the host, in each piece of guest memory that it meets
 * @im: import
 * @kind: OP_UNMAP, OP_AGE or OP_TEST_AGE
 * @event: number of the event
 * @start: first byte's address in the log
 * @end: of the byte after
 * @elsewhere: counts those that meet no guest memory
 */
void import_host_op(struct import *im, enum op_kind kind, uint32_t event, uint64_t start,
		    uint64_t end, uint32_t *elsewhere)
{
	uint64_t first = start >> 12;
	uint64_t last = (end + 0xfff) >> 12;
	bool met = false;
	uint32_t i;

	for (i = 0; i < im->nr_ranges; i++) {
		const struct import_range *r = &im->ranges[i];
		uint64_t from = first > r->hva ? first : r->hva;
		uint64_t to = last < r->hva + r->n ? last : r->hva + r->n;
		struct import_op *op;

		if (from >= to)
			continue;
		met = true;
		op = import_add_op(im, event, 1, kind);
		if (!op)
			return;
		op->op.gfn = r->hvn + (from - r->hva);
		op->op.n = to - from;
	}
	if (!met)
		++*elsewhere;
}

/**
 * import_host_level - the host maps a page at a level: make the program's host do so
 * @im: import
 * @slot: of the page, or NULL
 * @event: number of the event that shows it
 * @gfn: guest page
 * @level: 1 or 2; larger ones never change
 *
 * Adds an operation only where the host's mapping was another one before.
 */
void import_host_level(struct import *im, struct import_slot *slot, uint32_t event, uint64_t gfn,
		       int level)
{
	uint64_t region, hvn;
	struct import_op *op;

	if (!slot || !slot->level_of || level > 2 || gfn < slot->base)
		return;
	hvn = slot->desc.hvn + (gfn - slot->base);
	region = hvn / PAGES_2M - slot->desc.hvn / PAGES_2M;
	if (region >= slot->nr_regions || slot->level_of[region] == level ||
	    slot->level_of[region] > 2)
		return;
	slot->level_of[region] = level;
	op = import_add_op(im, event, 0, level == 2 ? OP_HUGE_FORM : OP_HUGE_BREAK);
	if (!op)
		return;
	op->op.gfn = hvn & ~(PAGES_2M - 1);
	if (level == 2)
		op->op.level = 2;
	else
		op->op.n = PAGES_2M;
}

/**
 * struct offsets - which offsets of host page from guest page are possible for a slot
 * @lo: smallest, @hi: largest
 * @any: something was learnt
 */
struct offsets {
	uint64_t lo, hi;
	bool any;
};

/* The SPTE of [gfn, gfn + n) changed since the host did something to [start, end). */
static void narrow(struct offsets *o, uint64_t gfn, uint64_t n, uint64_t start, uint64_t end)
{
	uint64_t lo = start - (gfn + n - 1);	/* the last page of it is the first of the range */
	uint64_t hi = end - 1 - gfn;		/* or the other way round */

	if (o->any && lo < o->lo)
		lo = o->lo;
	if (o->any && hi > o->hi)
		hi = o->hi;
	if (lo > hi)
		return;		/* a contradiction: it was another slot's, or another's doing */
	o->lo = lo;
	o->hi = hi;
	o->any = true;
}

static bool is_zap_or_age(const struct import *im, const struct ft_event *ev, bool age)
{
	struct spte_class old = spte_classify(&im->desc, ev->level, ev->b);
	struct spte_class new = spte_classify(&im->desc, ev->level, ev->c);

	if (old.kind != SPTE_LEAF)
		return false;
	return age ? new.kind == SPTE_LEAF &&old.a && !new.a :
		     new.kind == SPTE_NONE && !spte_is_frozen(ev->c);
}

static void learn(struct import *im, struct offsets *offsets)
{
	const struct import_log *log = im->log;
	/* Of each task: the notifier's event that is under way, plus 1. */
	uint32_t *notifier = calloc(log->nr_tasks, sizeof(*notifier));
	uint32_t i;

	if (!notifier) {
		im->no_memory = true;
		return;
	}
	for (i = 0; i < log->nr_events; i++) {
		const struct ft_event *ev = &log->events[i];
		const struct ft_event *by;
		struct import_slot *slot;

		if (ev->vm != im->vm)
			continue;
		if (ev->kind == FT_UNMAP_HVA || ev->kind == FT_AGE_HVA)
			notifier[ev->task] = i + 1;
		else if (ev->kind != FT_CHANGED)
			notifier[ev->task] = 0;
		if (ev->kind != FT_CHANGED || !notifier[ev->task])
			continue;
		by = &log->events[notifier[ev->task] - 1];
		slot = import_slot_at(im, ev->as_id, ev->a);
		if (slot && is_zap_or_age(im, ev, by->kind == FT_AGE_HVA))
			narrow(&offsets[slot - im->slots], ev->a, 1ULL << 9 * (ev->level - 1),
			       by->a >> 12, (by->b + 0xfff) >> 12);
	}
	free(notifier);
}

/**
 * import_infer_ranges - find out where the host has each slot, where the log does not say
 * @im: import with its slots; adds ranges
 */
void import_infer_ranges(struct import *im)
{
	struct offsets offsets[IMPORT_MAX_SLOTS] = { 0 };
	uint32_t i;

	learn(im, offsets);
	for (i = 0; i < im->nr_slots; i++) {
		struct import_slot *slot = &im->slots[i];
		uint64_t offset = offsets[i].lo;

		if (!offsets[i].any)
			continue;
		/* Huge mappings need host and guest addresses that agree in their low bits. */
		if (slot->desc.backing != BACKING_4K &&
		    ((offset + PAGES_2M - 1) & ~(PAGES_2M - 1)) <= offsets[i].hi)
			offset = (offset + PAGES_2M - 1) & ~(PAGES_2M - 1);
		slot->desc.hvn = import_range_add(im, slot->desc.base + offset, slot->desc.npages,
						  slot->desc.base);
	}
}
