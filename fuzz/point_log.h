/* SPDX-License-Identifier: GPL-2.0-only */
/* A log of the points of a run, and where in it threads touch the same things. */
#ifndef FUZZ_POINT_LOG_H
#define FUZZ_POINT_LOG_H

#include "executor.h"
#include "platform.h"

/**
 * struct logged_point - a point that a thread passed
 * @object: what it touches there, as sim_object() has it; 0: nothing shared
 * @k: the so-manyeth point of its kind and level in its operation, from 1
 * @op: operation of @thread
 * @thread: whose point
 * @kind: POINT_*
 * @level: of the SPTE, 0 if none
 * @conflict: after point_log_conflicts(): another thread touches @object too, and one of the two writes
 */
struct logged_point {
	uint64_t object;
	uint32_t k;
	uint16_t op;
	uint8_t thread;
	uint8_t kind;
	uint8_t level;
	bool conflict;
};

struct object_users;

/**
 * struct point_log - the last points of a run
 * @scheduler: give this to executor_run(); it decides nothing
 * @points: a ring
 * @size: room in it, a power of two
 * @nr: points logged, those that fell out of the ring included
 * @begun: operations that each thread has begun
 * @users: who touches which object, for point_log_conflicts()
 */
struct point_log {
	struct sim_scheduler scheduler;
	struct logged_point *points;
	uint32_t size;
	uint32_t nr;
	uint32_t begun[PROG_MAX_THREADS];
	struct object_users *users;
};

int point_log_init(struct point_log *log, uint32_t size);
void point_log_free(struct point_log *log);
void point_log_begin(struct point_log *log);
uint32_t point_log_conflicts(struct point_log *log);
bool point_kind_writes(enum point_kind kind);

/* How many points the log has, at most @size, and the @i-th of them, from 0. */
static inline uint32_t point_log_nr(const struct point_log *log)
{
	return log->nr < log->size ? log->nr : log->size;
}

static inline struct logged_point *point_log_at(const struct point_log *log, uint32_t i)
{
	return &log->points[(log->nr - point_log_nr(log) + i) & (log->size - 1)];
}

struct prog_choice point_log_choice(const struct logged_point *point, uint8_t action,
				    uint8_t target);

#endif /* FUZZ_POINT_LOG_H */
