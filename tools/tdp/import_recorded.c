// SPDX-License-Identifier: GPL-2.0-only
/* The history that a log tells. */
#include "import_history.h"

static bool is_none(const struct history *h, int level, uint64_t spte)
{
	return spte_classify(h->vm, level, spte).kind == SPTE_NONE;
}

static void changed(struct history *h, const struct ft_event *ev)
{
	uint32_t life;

	if (is_none(h, ev->level, ev->b)) {
		if (!is_none(h, ev->level, ev->c))
			history_begin(h, ev->as_id, ev->a, ev->level, ev->c, ev->line, BORN_MAPPED);
		return;
	}
	life = history_of_value(h, ev->as_id, ev->a, ev->level, ev->b);
	if (life == HISTORY_OPEN)
		life = history_begin(h, ev->as_id, ev->a, ev->level, ev->b, ev->line, BORN_UNSEEN);
	else
		history_change(h, life, ev->level, ev->b, ev->line);	/* what had no event */
	if (life != HISTORY_OPEN)
		history_change(h, life, ev->level, ev->c, ev->line);
}

/**
 * history_fast_fault - a fast page fault made an SPTE writable
 * @h: history
 * @ev: event FT_FAST_FAULT; has neither address space nor level, but the SPTE's value finds both
 */
void history_fast_fault(struct history *h, const struct ft_event *ev)
{
	uint64_t gfn = ev->a >> 12;
	int as_id, level;
	uint32_t life;

	if (!ev->d)
		return;
	for (level = 1; level <= 3; level++) {
		for (as_id = 0; as_id < 2; as_id++) {
			life = history_of_value(h, as_id, gfn, level, ev->b);
			if (life == HISTORY_OPEN || ((h->lives[life].spte ^ ev->b) & ~0xfffULL))
				continue;
			history_change(h, life, level, ev->b, ev->line);
			history_change(h, life, level, ev->c, ev->line);
			return;
		}
		gfn &= ~((1ULL << 9 * level) - 1);
	}
	/* A child of a split, of which nothing was said so far. */
	history_change(h, history_begin(h, 0, ev->a >> 12, 1, ev->b, ev->line, BORN_UNSEEN), 1,
		       ev->c, ev->line);
}

/**
 * history_from_log - collect what a VM's SPTEs went through on the recorded host
 * @h: filled; initialised
 * @im: import of that VM
 */
void history_from_log(struct history *h, const struct import *im)
{
	const struct import_log *log = im->log;
	uint32_t i;

	for (i = 0; i < log->nr_events && !h->no_memory; i++) {
		const struct ft_event *ev = &log->events[i];

		if (ev->vm != im->vm)
			continue;
		if (ev->kind == FT_CHANGED)
			changed(h, ev);
		else if (ev->kind == FT_FAST_FAULT)
			history_fast_fault(h, ev);
	}
}
