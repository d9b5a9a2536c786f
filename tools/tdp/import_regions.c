// SPDX-License-Identifier: GPL-2.0-only
/* Slots of a log that has every memory region as it was set. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"

#define KERNEL_ID_AS(id)	((id) >> 16)
#define KERNEL_LOG		1u	/* KVM_MEM_LOG_DIRTY_PAGES */
#define KERNEL_RO		2u	/* KVM_MEM_READONLY */
#define MAX_REGIONS		1024

/**
 * struct region - a slot of the kernel's while the log is looked through
 * @id: its number
 * @base: where it is; @npages: how long, 0 while it does not exist
 * @used: something was mapped in it at some time
 */
struct region {
	uint32_t id;
	uint64_t base;
	uint64_t npages;
	bool used;
};

struct regions {
	uint32_t nr;
	struct region region[MAX_REGIONS];
};

static struct region *find_region(struct regions *r, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < r->nr; i++) {
		if (r->region[i].id == id)
			return &r->region[i];
	}
	if (r->nr == MAX_REGIONS)
		return NULL;
	r->region[r->nr].id = id;
	return &r->region[r->nr++];
}

static void mark_used(struct regions *r, int as_id, uint64_t gfn)
{
	static uint32_t last;
	uint32_t i;

	for (i = 0; i < r->nr; i++) {
		struct region *region = &r->region[(last + i) % r->nr];

		if (KERNEL_ID_AS(region->id) == (uint32_t)as_id && gfn >= region->base &&
		    gfn < region->base + region->npages) {
			region->used = true;
			last = (last + i) % r->nr;
			return;
		}
	}
}

static void look_through(struct import *im, struct regions *r)
{
	const struct import_log *log = im->log;
	uint32_t i;

	for (i = 0; i < log->nr_events; i++) {
		const struct ft_event *ev = &log->events[i];

		if (ev->vm != im->vm)
			continue;
		if (ev->kind == FT_REGION) {
			struct region *region = find_region(r, ev->d);

			if (!region)
				continue;
			region->base = ev->a >> 12;
			region->npages = ev->b >> 12;
		} else if (ev->kind == FT_CHANGED &&
			   spte_classify(&im->desc, ev->level, ev->c).kind == SPTE_LEAF) {
			mark_used(r, ev->as_id, ev->a);
		}
	}
}

static uint32_t slot_flags(uint32_t kernel)
{
	return (kernel & KERNEL_LOG ? SLOT_LOG : 0) | (kernel & KERNEL_RO ? SLOT_RO : 0);
}

/**
 * import_slot_by_kernel_id - the slot with a number of the kernel's
 * @im: import
 * @id: as_id << 16 | id
 *
 * Return: the slot, or NULL if nothing was ever mapped in it.
 */
struct import_slot *import_slot_by_kernel_id(struct import *im, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < im->nr_slots; i++) {
		if (im->slots[i].kernel_id == id)
			return &im->slots[i];
	}
	return NULL;
}

/**
 * import_region_moves - follow a memory region that is set
 * @im: import; the slot concerned is as it will be afterwards
 * @ev: event FT_REGION
 *
 * Return: the slot, or NULL if nothing was ever mapped in it.
 */
struct import_slot *import_region_moves(struct import *im, const struct ft_event *ev)
{
	struct import_slot *slot = import_slot_by_kernel_id(im, ev->d);

	if (!slot)
		return NULL;
	slot->alive = ev->b != 0;
	if (slot->alive) {
		slot->base = ev->a >> 12;
		slot->npages = ev->b >> 12;
		slot->logging = ev->flags & KERNEL_LOG;
	}
	return slot;
}

/**
 * import_region_desc - the program's slot for a memory region that is added
 * @im: import
 * @slot: slot of the region
 * @ev: event FT_REGION
 *
 * Return: description.
 */
struct slot_desc import_region_desc(struct import *im, const struct import_slot *slot,
				    const struct ft_event *ev)
{
	struct slot_desc desc = slot->desc;

	desc.base = ev->a >> 12;
	desc.npages = ev->b >> 12;
	desc.flags = slot_flags(ev->flags);
	desc.hvn = import_range_add(im, ev->c >> 12, desc.npages, desc.base);
	return desc;
}

/* A region that is set for the first time makes the slot; until anything is mapped, declared. */
static void make_slots(struct import *im, struct regions *r)
{
	const struct import_log *log = im->log;
	uint32_t i, declared = 0;
	bool mapped = false;

	for (i = 0; i < log->nr_events; i++) {
		const struct ft_event *ev = &log->events[i];
		struct import_slot *slot;
		struct region *region;

		mapped |= ev->vm == im->vm && ev->kind == FT_CHANGED;
		if (ev->vm != im->vm || ev->kind != FT_REGION || !ev->b)
			continue;
		region = find_region(r, ev->d);
		if (!region || !region->used || import_slot_by_kernel_id(im, ev->d))
			continue;
		slot = import_slot_add(im, KERNEL_ID_AS(ev->d), ev->a >> 12, ev->b >> 12);
		if (!slot) {
			im->counts.slots_left_out++;
			region->used = false;
			continue;
		}
		slot->kernel_id = ev->d;
		slot->desc = import_region_desc(im, slot, ev);
		slot->declared = !mapped && declared < PROG_MAX_SLOTS;
		declared += slot->declared;
	}
}

/**
 * import_slots_recorded - the slots of a log that has the memory regions
 * @im: import; those slots are added in which anything was ever mapped
 *
 * Return: 0 or -ENOMEM.
 */
int import_slots_recorded(struct import *im)
{
	struct regions *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	look_through(im, r);
	make_slots(im, r);
	free(r);
	return 0;
}
