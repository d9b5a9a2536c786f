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

static bool is_zap_or_age(const struct import *im, const struct ft_event *ev, bool age)
{
	struct spte_class old = spte_classify(&im->desc, ev->level, ev->b);
	struct spte_class new = spte_classify(&im->desc, ev->level, ev->c);

	if (old.kind != SPTE_LEAF)
		return false;
	return age ? new.kind == SPTE_LEAF &&old.a && !new.a :
		     new.kind == SPTE_NONE && !spte_is_frozen(ev->c);
}

/* A bit for each page of a slot, made when the first is set. */
static void set_bits(struct import *im, uint8_t **bits, const struct import_slot *slot,
		     uint64_t hvn, uint64_t n, bool set)
{
	uint64_t end = hvn + n - slot->desc.hvn, i;

	if (!*bits && set)
		*bits = calloc(slot->desc.npages / 8 + 1, 1);
	if (!*bits) {
		im->no_memory |= set;
		return;
	}
	if (end > slot->desc.npages)
		end = slot->desc.npages;
	for (i = hvn > slot->desc.hvn ? hvn - slot->desc.hvn : 0; i < end; i++) {
		if (i % 8 == 0 && end - i >= 8) {
			uint64_t bytes = (end - i) / 8;

			memset(*bits + i / 8, set ? 0xff : 0, bytes);
			i += 8 * bytes - 1;
		} else if (set) {
			(*bits)[i / 8] |= 1 << i % 8;
		} else {
			(*bits)[i / 8] &= ~(1 << i % 8);
		}
	}
}

static bool get_bit(const uint8_t *bits, const struct import_slot *slot, uint64_t hvn)
{
	uint64_t i = hvn - slot->desc.hvn;

	return bits && i < slot->desc.npages && (bits[i / 8] & 1 << i % 8);
}

static void set_readonly(struct import *im, struct import_slot *slot, uint64_t hvn, uint64_t n,
			 bool readonly)
{
	set_bits(im, &slot->readonly, slot, hvn, n, readonly);
}

static void note_unmap(struct import *im, uint32_t event, uint64_t hvn, uint64_t n)
{
	uint32_t i;

	for (i = 0; i < im->nr_slots; i++) {
		struct import_slot *slot = &im->slots[i];

		if (hvn >= slot->desc.hvn + slot->desc.npages || slot->desc.hvn >= hvn + n)
			continue;
		slot->unmapped_at = event;
		set_readonly(im, slot, hvn, n, false);
		if (slot->level_of)
			set_bits(im, &slot->absent, slot, hvn, n, true);
	}
}

static struct import_op *add_range(struct import *im, enum op_kind kind, uint32_t event,
				   uint64_t hvn, uint64_t n)
{
	/* What makes the host's mapping what an access finds comes before the access. */
	struct import_op *op = import_add_op(im, event, 1, kind);

	if (kind == OP_UNMAP)
		note_unmap(im, event, hvn, n);

	if (op) {
		op->op.gfn = hvn;
		op->op.n = n;
	}
	return op;
}

static bool all_absent(const struct import_slot *slot, uint64_t hvn)
{
	uint64_t i;

	for (i = 0; i < PAGES_2M; i++) {
		if (!get_bit(slot->absent, slot, hvn + i))
			return false;
	}
	return true;
}

/**
 * import_host_level - the host maps a page at a level: make the program's host do so
 * @im: import
 * @slot: of the page, or NULL
 * @event: number of the event that shows it
 * @gfn: guest page
 * @level: 1 or 2; larger ones never change
 *
 * Adds an operation only where the host's mapping would be another one.  A 2M region that is empty
 * gets one huge page by itself, and so do its pages get small ones only if one is there already.
 */
void import_host_level(struct import *im, struct import_slot *slot, uint32_t event, uint64_t gfn,
		       int level)
{
	uint64_t region, hvn, first;
	bool empty;

	if (!slot || !slot->level_of || level > 2 || gfn < slot->base)
		return;
	hvn = slot->desc.hvn + (gfn - slot->base);
	first = hvn & ~(PAGES_2M - 1);
	region = hvn / PAGES_2M - slot->desc.hvn / PAGES_2M;
	if (region >= slot->nr_regions || slot->level_of[region] > 2)
		return;
	empty = all_absent(slot, first);
	if (level == 2 && !empty && slot->level_of[region] == 1)
		add_range(im, OP_REMAP, event, first, PAGES_2M);
	if (level == 1 && empty)
		add_range(im, OP_REMAP, event, hvn, 1);
	else if (level == 1 && slot->level_of[region] == 2)
		add_range(im, OP_HUGE_BREAK, event, first, PAGES_2M);
	slot->level_of[region] = level;
	set_bits(im, &slot->absent, slot, level == 2 ? first : hvn, level == 2 ? PAGES_2M : 1,
		 false);
}

/**
 * import_host_is_huge - whether the program's host maps a page with a huge page
 * @slot: of the page
 * @gfn: guest page
 *
 * Return: true if it does, and nothing of it was ever unmapped.
 */
bool import_host_is_huge(const struct import_slot *slot, uint64_t gfn)
{
	uint64_t hvn = slot->desc.hvn + (gfn - slot->base);
	uint64_t region = hvn / PAGES_2M - slot->desc.hvn / PAGES_2M;

	return slot->level_of && region < slot->nr_regions && slot->level_of[region] == 2 &&
	       !get_bit(slot->absent, slot, hvn);
}

/**
 * struct met - guest memory that the host's operation met
 * @any: there was some
 * @all: every SPTE that changed is in a range that is known
 */
struct met {
	bool any;
	bool all;
};

static bool is_known(const struct import *im, uint64_t hvn)
{
	uint32_t i;

	for (i = 0; i < im->nr_ranges; i++) {
		if (hvn >= im->ranges[i].hvn && hvn < im->ranges[i].hvn + im->ranges[i].n)
			return true;
	}
	return false;
}

/*
 * What changed because of the event: leaves that are of the kind of change which it makes, by
 * its task, before that does anything else.  With @kind OP_NR only looks.
 */
static struct met by_effect(struct import *im, enum op_kind kind, uint32_t event, bool age)
{
	const struct import_log *log = im->log;
	uint16_t task = log->events[event].task;
	struct met met = { .all = true };
	uint64_t end = IMPORT_NO_GFN;
	struct import_op *op = NULL;
	uint32_t i;

	for (i = event + 1; i < log->nr_events; i++) {
		const struct ft_event *ev = &log->events[i];
		struct import_slot *slot;
		uint64_t hvn, n;

		if (ev->task != task)
			continue;
		if (ev->kind != FT_CHANGED)
			break;
		n = 1ULL << 9 * (ev->level - 1);
		slot = import_slot_at(im, ev->as_id, ev->a);
		if (!slot || !is_zap_or_age(im, ev, age))
			continue;
		hvn = slot->desc.hvn + (ev->a - slot->base);
		met.any = true;
		met.all &= is_known(im, hvn);
		if (kind == OP_NR)
			continue;
		if (op && hvn == end) {
			op->op.n += n;
			if (kind == OP_UNMAP)
				note_unmap(im, event, hvn, n);
		} else {
			op = add_range(im, kind, event, hvn, n);
		}
		end = hvn + n;
	}
	return met;
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

	if (!im->exact && kind != OP_TEST_AGE) {
		struct met effect = by_effect(im, OP_NR, event, kind == OP_AGE);

		if (effect.any && !effect.all) {
			by_effect(im, kind, event, kind == OP_AGE);
			return;
		}
	}
	for (i = 0; i < im->nr_ranges; i++) {
		const struct import_range *r = &im->ranges[i];
		uint64_t from = first > r->hva ? first : r->hva;
		uint64_t to = last < r->hva + r->n ? last : r->hva + r->n;

		if (from >= to)
			continue;
		met = true;
		add_range(im, kind, event, r->hvn + (from - r->hva), to - from);
	}
	if (!met)
		++*elsewhere;
}

/**
 * import_host_access - a page is mapped: the host maps it read-only, or writable, as the SPTE says
 * @im: import
 * @slot: of the page, or NULL
 * @event: number of the event FT_CHANGED
 * @untouched: nothing was mapped there since the slot's last protect operation
 *
 * Adds an operation only where the program's host does not have it so yet.  One that begins where
 * the last one ended becomes part of that, and may be that early if the page was not mapped since.
 */
void import_host_access(struct import *im, struct import_slot *slot, uint32_t event, bool untouched)
{
	const struct ft_event *ev = &im->log->events[event];
	uint64_t hvn, n = 1ULL << 9 * (ev->level - 1);
	bool readonly = !spte_host_writable(&im->desc, ev->c);
	struct import_op *op;

	if (!slot || ev->a < slot->base || slot->desc.flags & SLOT_RO)
		return;
	hvn = slot->desc.hvn + (ev->a - slot->base);
	if (get_bit(slot->readonly, slot, hvn) == readonly)
		return;
	set_readonly(im, slot, hvn, n, readonly);
	if (!readonly) {
		op = import_add_op(im, event, 0, OP_REMAP);
		slot->unmapped_at = event;
	} else if (slot->protect && untouched && slot->protected_at > slot->unmapped_at &&
		   im->ops[slot->protect - 1].op.gfn + im->ops[slot->protect - 1].op.n == hvn) {
		im->ops[slot->protect - 1].op.n += n;
		return;
	} else {
		op = import_add_op(im, event, 0, OP_PROTECT);
		slot->protect = im->nr_ops;
		slot->protected_at = event;
	}
	if (op) {
		op->op.gfn = hvn;
		op->op.n = n;
	}
}

/**
 * import_host_written - a page is mapped because of a write: the host has made its mapping writable
 * @im: import
 * @slot: of the page, or NULL
 * @event: number of the event FT_CHANGED
 */
void import_host_written(struct import *im, struct import_slot *slot, uint32_t event)
{
	const struct ft_event *ev = &im->log->events[event];

	if (slot && ev->a >= slot->base)
		set_readonly(im, slot, slot->desc.hvn + (ev->a - slot->base),
			     1ULL << 9 * (ev->level - 1), false);
}

/**
 * import_host_free - free what is known of the host's mappings of a slot
 * @slot: slot
 */
void import_host_free(struct import_slot *slot)
{
	free(slot->level_of);
	free(slot->readonly);
	free(slot->absent);
	slot->level_of = slot->readonly = slot->absent = NULL;
}

/**
 * struct offsets - which offsets of host page from guest page are possible for a slot
 * @lo: smallest, @hi: largest
 * @any: something was learnt
 * @contradiction: no one offset is possible: there are several slots where one was thought to be
 */
struct offsets {
	uint64_t lo, hi;
	bool any;
	bool contradiction;
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
	if (lo > hi) {
		o->contradiction = true;
		return;
	}
	o->lo = lo;
	o->hi = hi;
	o->any = true;
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
		uint64_t offset = offsets[i].lo, last = offsets[i].hi;

		/* Huge mappings need host and guest addresses that agree in their low bits. */
		if (slot->desc.backing != BACKING_4K) {
			offset = (offset + PAGES_2M - 1) & ~(PAGES_2M - 1);
			last &= ~(PAGES_2M - 1);
		}
		if (!offsets[i].any || offsets[i].contradiction || offset != last)
			continue;
		slot->desc.hvn = import_range_add(im, slot->desc.base + offset, slot->desc.npages,
						  slot->desc.base);
	}
}
