// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that several tasks worked at at once.  A program has one order of operations; a log, whose
 * events are written after what they tell, does not say which of two that overlap came first.
 */
#include <stdlib.h>

#include "import_history.h"

/**
 * import_raced - an access and an operation of another task on its page overlap
 * @im: import
 * @as_id: address space
 * @gfn: page
 */
void import_raced(struct import *im, int as_id, uint64_t gfn)
{
	int level;

	if (!im->races) {
		im->races = calloc(1, sizeof(*im->races));
		if (!im->races) {
			im->no_memory = true;
			return;
		}
		history_init(im->races, &im->desc);
	}
	for (level = 1; level <= 2; level++) {
		if (!history_find(im->races, as_id, gfn, level))
			history_begin(im->races, as_id, gfn, level, 0, 0, BORN_MAPPED);
		gfn &= ~511ULL;
	}
	im->no_memory |= im->races->no_memory;
}

/**
 * import_is_raced - whether it is unknown in which order a page's changes came
 * @im: import
 * @as_id: address space
 * @gfn: first page
 * @level: of the SPTE
 *
 * Return: true if so.
 */
bool import_is_raced(const struct import *im, int as_id, uint64_t gfn, int level)
{
	return im->races && history_find(im->races, as_id, gfn, level);
}

/**
 * import_races_free - forget all of them
 * @im: import
 */
void import_races_free(struct import *im)
{
	if (im->races)
		history_free(im->races);
	free(im->races);
	im->races = NULL;
}
