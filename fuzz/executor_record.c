// SPDX-License-Identifier: GPL-2.0-only
/* The schedule of a run: the program's own choices that came, and what a scheduler decided. */
#include <stdlib.h>

#include "executor_internal.h"

/**
 * exec_record() - a choice was made
 * @x: executor; nothing is done if nobody wants to know
 * @choice: the choice
 */
void exec_record(struct executor *x, const struct prog_choice *choice)
{
	if (!x->opts->record)
		return;
	if (x->nr_record < x->opts->max_record)
		x->opts->record[x->nr_record] = *choice;
	x->nr_record++;
}

static int compare(const void *a, const void *b)
{
	return choice_compare(a, b);
}

/**
 * exec_record_finish() - the run is over: complete its schedule, and put it in order
 * @x: executor
 */
void exec_record_finish(struct executor *x)
{
	uint32_t i;

	for (i = 0; i < x->prog->nr_choices; i++) {
		if (x->choices[i].fired)
			exec_record(x, &x->prog->choices[i]);
	}
	x->res->nr_record = x->nr_record;
	if (x->opts->record && x->nr_record <= x->opts->max_record)
		qsort(x->opts->record, x->nr_record, sizeof(*x->opts->record), compare);
}
