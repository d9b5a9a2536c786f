// SPDX-License-Identifier: GPL-2.0-only
/* Canaries of a known bug.  A file of its own, which no sanitizer watches threads in. */
#include "canary.h"

/* Of this execution; whoever begins one resets it. */
struct bug_canary bug_canary;

/**
 * bug_reached() - the code that is wrong runs
 */
void bug_reached(void)
{
	bug_canary.reached++;
}

/**
 * bug_triggered() - the code that is wrong is about to do something wrong, or has done so
 * @went_wrong: whether it does in this case, where the right code would have done the same in others
 */
void bug_triggered(bool went_wrong)
{
	bug_canary.triggered += went_wrong;
}

/**
 * bug_peek() - what an SPTE holds, for the condition of bug_triggered()
 * @sptep: SPTE
 *
 * Neither a point nor an access that anybody watches.
 */
uint64_t bug_peek(const uint64_t *sptep)
{
	return __atomic_load_n(sptep, __ATOMIC_RELAXED);
}
