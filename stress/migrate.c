// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live migration of a slot, as a VMM does it: everything is copied, then what was written meanwhile, in
 * rounds; then the guest stops, and what the last harvest names is copied. Both must be equal then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stress.h"

#define ROUNDS 3

/**
 * struct copy - what has arrived at the other side
 * @slot: its number; @first: its first host page
 * @bitmap: of the last harvest
 * @page: what each page held when it was copied last
 */
struct copy {
	struct stress *stress;
	unsigned int slot;
	uint64_t first, pages;
	size_t words;
	uint64_t *bitmap;
	uint64_t (*page)[FRAME_WORDS];
};

static void copy_page(struct copy *c, uint64_t i)
{
	host_read(&c->stress->host, c->first + i, c->page[i]);
}

static int get_log(struct copy *c)
{
	struct stress *s = c->stress;
	int r = kvm_vm_ioctl_get_dirty_log(s->kvm, c->slot, c->bitmap, c->words);

	/* Under manual protect it is the clear that makes the next writes be seen. */
	if (!r && s->opt.vm.manual_protect)
		r = kvm_vm_ioctl_clear_dirty_log(s->kvm, c->slot, 0, c->pages, c->bitmap);
	return r;
}

static void harvest(struct copy *c)
{
	const int r = get_log(c);
	uint64_t i;

	if (r)
		violation(c->stress, 'P', NO_PAGE, "slot %u's dirty log: %d", c->slot, r);
	COUNT(&c->stress->rounds);
	for (i = 0; i < c->pages; i++)
		if (c->bitmap[i / 64] >> (i % 64) & 1)
			copy_page(c, i);
}

static void compare(struct copy *c)
{
	struct stress *s = c->stress;
	const uint64_t gfn = slots_gfn(s, c->slot, LOAD(&s->slots.state[c->slot]));
	uint64_t i;
	int w;

	for (i = 0; i < c->pages; i++) {
		uint64_t words[FRAME_WORDS];

		host_read(&s->host, c->first + i, words);
		for (w = 0; w < FRAME_WORDS; w++) {
			if (words[w] == c->page[i][w])
				continue;
			violation(
				s, 'D', gfn + i,
				"slot %u, page %#lx: vCPU %d has written %lu, and %lu was migrated",
				c->slot, i, w, words[w], c->page[i][w]);
			return;
		}
	}
}

static void stop_and_compare(struct copy *c)
{
	struct stress *s = c->stress;

	rest_stop(&s->rest, GROUP_VCPUS);
	harvest(c);
	compare(c);
	rest_resume(&s->rest, GROUP_VCPUS);
}

static bool alloc_copy(struct copy *c)
{
	c->bitmap = calloc(c->words, sizeof(*c->bitmap));
	c->page = calloc(c->pages, sizeof(*c->page));
	return c->bitmap && c->page;
}

/**
 * migrate() - migrate a slot, and go on here
 * @vmm: the VMM
 * @slot: number of a slot that is there
 */
void migrate(struct actor *vmm, unsigned int slot)
{
	struct stress *s = vmm->stress;
	const bool moved = LOAD(&s->slots.state[slot]) & SLOT_MOVED;
	struct copy c = {
		.stress = s,
		.slot = slot,
		.first = slot * s->slots.size,
		.pages = s->slots.size,
		.words = (s->slots.size + 63) / 64,
	};
	uint64_t i;
	int round, r = -ENOMEM;

	if (alloc_copy(&c))
		r = slots_set(s, slot, true, moved, true);
	if (r)
		violation(s, 'P', NO_PAGE, "slot %u cannot be logged: %d", slot, r);
	for (i = 0; i < c.pages && !r; i++)
		copy_page(&c, i);
	for (round = 0; round < ROUNDS && !r && !stress_done(s); round++)
		harvest(&c);
	if (!r) {
		stop_and_compare(&c);
		r = slots_set(s, slot, true, moved, false);
		COUNT(&s->migrations);
	}
	if (r)
		violation(s, 'P', NO_PAGE, "slot %u is logged for ever: %d", slot, r);
	free(c.bitmap);
	free(c.page);
}
