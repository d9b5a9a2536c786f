// SPDX-License-Identifier: GPL-2.0-only
/*
 * A live migration that is as lazy as the interface allows: it copies a slot when logging has been
 * started, and then each page that a harvest names, after the call that re-arms the page (get;
 * clear under manual protect) returned. A page is *stale* while it was written after its last copy.
 *
 * A get that returns without naming a stale page has lost the write: logging stores where it could
 * be found before the store is done, or before KVM's harvest begins (PML buffers are drained
 * first). The page may still be named by a later get, so it is only *lost* once the program is
 * over, unless it was named since. A page written after the last get is not: there would have been
 * another.
 *
 * What counts is the slot that was written through. Two slots with the same host pages are two
 * logs, and it is the VMM's business to merge them; KVM marks only the one that was used.
 */
#include "migrate.h"

#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "oracle_internal.h"

#define NR_SLOTS	(2 * PROG_MAX_SLOTS)

/**
 * struct pages - 512 pages of a slot
 * @first: number of the first, within the slot
 * @next: of the same slot, index + 1 in the array, 0: none
 * @stale: written after their last copy
 * @named: named by a get of a log that is re-armed by a clear
 * @lost: stale when a get that did not name them returned
 */
struct pages {
	uint64_t first;
	uint32_t next;
	uint64_t stale[8];
	uint64_t named[8];
	uint64_t lost[8];
};

struct migrate {
	struct map map;		/* slot and page >> 9: index */
	struct pages *pages;
	uint32_t nr, max;
	uint32_t head[NR_SLOTS];	/* index + 1 */
};

static uint32_t slot_index(uint8_t number)
{
	return OP_SLOT_AS(number) * PROG_MAX_SLOTS + OP_SLOT_ID(number);
}

struct migrate *migrate_create(void)
{
	struct migrate *m = oracle_alloc(1, sizeof(*m));

	map_init(&m->map);
	return m;
}

void migrate_destroy(struct migrate *m)
{
	if (!m)
		return;
	map_free(&m->map);
	free(m->pages);
	free(m);
}

void migrate_reset(struct migrate *m)
{
	map_clear(&m->map);
	m->nr = 0;
	memset(m->head, 0, sizeof(m->head));
}

static struct pages *pages_get(struct migrate *m, uint8_t number, uint64_t page)
{
	uint32_t s = slot_index(number);
	uint64_t key = page / 512 << 4 | s, i = map_get(&m->map, key);
	struct pages *p;

	if (i != MAP_NONE)
		return &m->pages[i];
	if (m->nr == m->max) {
		m->max = m->max ? m->max * 2 : 64;
		m->pages = oracle_grow(m->pages, m->max, sizeof(*m->pages));
	}
	map_put(&m->map, key, m->nr);
	p = &m->pages[m->nr++];
	memset(p, 0, sizeof(*p));
	p->first = page & ~511ULL;
	p->next = m->head[s];
	m->head[s] = m->nr;
	return p;
}

/* A store to @gfn of @slot is done. */
void migrate_written(struct oracle *o, const struct slot *slot, uint64_t gfn)
{
	uint64_t page = gfn - slot->desc.base;
	struct pages *p;

	if (!(slot->desc.flags & SLOT_LOG))
		return;
	p = pages_get(o->migrate, slot->number, page);
	p->stale[page / 64 % 8] |= 1ULL << (page & 63);
	/* A harvest that is to come will have to name it. */
	p->lost[page / 64 % 8] &= ~(1ULL << (page & 63));
}

/*
 * The slot was created, deleted, moved, or its logging started or stopped: everything is copied
 * anew.
 */
void migrate_slot_changed(struct oracle *o, uint8_t number)
{
	struct migrate *m = o->migrate;
	uint32_t i;

	for (i = m->head[slot_index(number)]; i; i = m->pages[i - 1].next) {
		struct pages *p = &m->pages[i - 1];

		memset(p->stale, 0, sizeof(p->stale));
		memset(p->named, 0, sizeof(p->named));
		memset(p->lost, 0, sizeof(p->lost));
	}
}

static uint64_t bitmap_word(const struct oracle_call *call, uint64_t word)
{
	return word < call->words ? call->bitmap[word] : 0;
}

static void harvested(struct oracle *o, const struct oracle_call *call, struct pages *p)
{
	uint32_t w;

	for (w = 0; w < 8; w++) {
		uint64_t named = p->stale[w] ? bitmap_word(call, p->first / 64 + w) : 0;

		p->lost[w] = (p->lost[w] | p->stale[w]) & ~named;
		if (o->vm.manual_protect) {
			/*
			 * Named by an earlier get and not re-armed since: its copy is still to
			 * come.
			 */
			p->named[w] |= named;
			p->lost[w] &= ~p->named[w];
		} else {
			p->stale[w] &= ~named;
		}
	}
}

/*
 * What the VMM clears, it copies, whether it saw the bit or not: a VMM that clears bits which it
 * did not read would lose pages by itself.
 */
static void cleared(const struct oracle_call *call, struct pages *p)
{
	uint32_t w;

	for (w = 0; w < 8; w++) {
		uint64_t word = p->first / 64 + w;
		uint64_t mask;

		if (word < call->gfn / 64)
			continue;
		mask = bitmap_word(call, word - call->gfn / 64);
		p->stale[w] &= ~mask;
		p->named[w] &= ~mask;
		p->lost[w] &= ~mask;
	}
}

void migrate_call_end(struct oracle *o, const struct oracle_call *call)
{
	struct migrate *m = o->migrate;
	uint32_t i;

	if (call->ret || OP_SLOT_AS(call->slot) > 1 || OP_SLOT_ID(call->slot) >= PROG_MAX_SLOTS)
		return;
	for (i = m->head[slot_index(call->slot)]; i; i = m->pages[i - 1].next) {
		if (call->kind == CALL_LOG_GET)
			harvested(o, call, &m->pages[i - 1]);
		else
			cleared(call, &m->pages[i - 1]);
	}
}

/* The program is over, every log was harvested a last time: source and copy must be equal. */
void migrate_quiesce(struct oracle *o)
{
	struct migrate *m = o->migrate;
	uint32_t as, k, i, w;

	for (as = 0; as < 2; as++) {
		for (k = 0; k < o->slots.nr[as]; k++) {
			const struct slot *slot = o->slots.list[as][k];

			for (i = m->head[slot_index(slot->number)]; i; i = m->pages[i - 1].next) {
				const struct pages *p = &m->pages[i - 1];

				for (w = 0; w < 8; w++) {
					uint64_t gfn = slot->desc.base + p->first + w * 64;

					if (!p->lost[w])
						continue;
					gfn += __builtin_ctzll(p->lost[w]);
					oracle_report(o, 'D', gfn, 0,
						      "a write to slot %u.%u was in no harvest", as,
						      slot->desc.id);
				}
			}
		}
	}
}
