// SPDX-License-Identifier: GPL-2.0-only
/* tdp import --verify: whether libtdp does what the recorded kernel did. */
#include <inttypes.h>
#include <stdio.h>

#include "import_history.h"
#include "tdp.h"

static void print(const struct import *im, const struct comparison *c)
{
	uint64_t all = c->recorded + c->replayed;
	uint32_t i;

	printf("%s vm %u: %" PRIu64 " SPTE classes recorded, %" PRIu64 " replayed, %" PRIu64
	       " the same: %.2f%%\n",
	       im->log->path, im->vm, c->recorded, c->replayed, c->matched,
	       all ? 200.0 * c->matched / all : 100.0);
	for (i = 0; i < DIFF_NR; i++) {
		if (c->differences[i])
			printf("  %7" PRIu64 " %-12s %s\n", c->differences[i], difference_names[i],
			       difference_reasons[i]);
	}
	for (i = 0; i < c->nr_examples; i++)
		printf("  %s\n", c->examples[i]);
}

/**
 * import_verify - replay a program made of a log and compare what SPTEs went through
 * @im: import
 * @prog: all of it as a program
 * @turns: order of its operations
 * @err: filled on failure
 *
 * Prints the share that is the same, and every kind of difference with its reason.
 *
 * Return: TDP_EXIT_OK; TDP_EXIT_VIOLATION if a difference has no reason or the replay breaks a
 * rule; -EINVAL if nothing could be compared.
 */
int import_verify(const struct import *im, const struct program *prog,
		  const struct import_turns *turns, struct import_error *err)
{
	struct history recorded, replayed;
	struct comparison result = { 0 };
	int ret;

	history_init(&recorded, &im->desc);
	history_init(&replayed, &im->desc);
	history_from_log(&recorded, im);
	ret = replayed.no_memory ? import_fail(err, 0, "no memory for the replay") :
				   history_from_replay(&replayed, prog, turns, err);
	if (!ret && (recorded.no_memory || history_compare(im, &recorded, &replayed, &result)))
		ret = import_fail(err, 0, "no memory for the comparison");
	history_free(&recorded);
	history_free(&replayed);
	if (ret > 0)
		printf("%s vm %u: %s\n", im->log->path, im->vm, err->msg);
	if (ret)
		return ret > 0 ? TDP_EXIT_VIOLATION : ret;
	print(im, &result);
	return result.differences[DIFF_UNNAMED] ? TDP_EXIT_VIOLATION : TDP_EXIT_OK;
}
