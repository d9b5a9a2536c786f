/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that shrink share. */
#ifndef FUZZ_SHRINK_INTERNAL_H
#define FUZZ_SHRINK_INTERNAL_H

#include "point_log.h"
#include "shrink.h"

#define SHRINK_SEEN (1u << 16)
#define SHRINK_LOG  (1u << 12) /* points of a run that are logged */

/**
 * enum shrink_search_mode - whether another schedule is looked for
 * @SHRINK_AS_IS: no
 * @SHRINK_NO_MORE: yes, one that has no more preemptions and choices than there are now
 * @SHRINK_ANY: yes; a program with fewer operations is smaller whatever its schedule
 */
enum shrink_search_mode { SHRINK_AS_IS, SHRINK_NO_MORE, SHRINK_ANY };

/**
 * struct shrink - a program being shrunk
 * @x: runs the candidates
 * @best: the smallest program so far
 * @trial: the candidate
 * @opts: how long
 * @failure: how the program fails
 * @res: of the run made last
 * @max_points: a candidate may pass so many points
 * @executions: runs made
 * @points: passed in all of them
 * @enough: the watcher does not want to wait longer
 * @progress: what the watcher is told
 * @mode: what to do about a candidate that does not fail under the schedule it has
 * @log: points of a run
 * @seen: hashes of candidates that did not fail, an open table; 0: free
 * @nr_seen: of @seen
 * @encoded: room for the binary form of a candidate
 * @encoded_size: bytes
 */
struct shrink {
	struct executor *x;
	struct program *best;
	struct program *trial;
	struct shrink_options opts;
	struct failure failure;
	struct exec_result res;
	uint64_t max_points;
	uint64_t executions;
	uint64_t points;
	bool enough;
	struct shrink_progress progress;
	enum shrink_search_mode mode;
	struct point_log log;
	uint64_t *seen;
	uint32_t nr_seen;
	uint8_t *encoded;
	size_t encoded_size;
};

/*
 * A pass makes candidates in @s->trial, each of which is simpler than @s->best in a way that cannot
 * go on for ever, and gives them to shrink_try().  It returns true if one was kept.
 */

/* shrink.c */
bool shrink_done(const struct shrink *s);
struct program *shrink_begin(struct shrink *s);
bool shrink_fails(struct shrink *s, struct program *prog, const struct exec_options *with);
bool shrink_try(struct shrink *s);
void shrink_keep(struct shrink *s);

/* shrink_parts.c */
bool shrink_threads(struct shrink *s);
bool shrink_ops(struct shrink *s);
bool shrink_repeats(struct shrink *s);
bool shrink_merge(struct shrink *s);
bool shrink_vm(struct shrink *s);
bool shrink_slots(struct shrink *s);
bool shrink_smm(struct shrink *s);
bool shrink_numbers(struct shrink *s);

/* shrink_operands.c */
bool shrink_kinds(struct shrink *s);
bool shrink_pages(struct shrink *s);
bool shrink_operands(struct shrink *s);

/* shrink_schedule.c */
bool shrink_choices(struct shrink *s);
bool shrink_points(struct shrink *s);
bool shrink_order(struct shrink *s);

/* shrink_search.c */
bool shrink_search(struct shrink *s);
bool shrink_preemptions(struct shrink *s);

#endif /* FUZZ_SHRINK_INTERNAL_H */
