// SPDX-License-Identifier: GPL-2.0-only
/* A log of the points of a run. */
#include "point_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct object_users - who touches an object
 * @object: which, 0: a free place of the table
 * @readers: mask of threads that read it
 * @writers: mask of threads that write it
 */
struct object_users {
	uint64_t object;
	uint8_t readers;
	uint8_t writers;
};

/**
 * point_kind_writes() - whether a point may change what it touches
 * @kind: POINT_*
 *
 * Return: false if it only looks.
 */
bool point_kind_writes(enum point_kind kind)
{
	switch (kind) {
	case POINT_READ:
	case POINT_LOAD:
	case POINT_WALK:
	case POINT_TLB:
		return false;
	default:
		return true;
	}
}

static unsigned int log_point(void *ctx, int thread, enum point_kind kind, int level, u32 k,
			      u64 object, u32 runnable, int *target)
{
	struct point_log *log = ctx;

	(void)runnable;
	(void)target;
	if (thread < 0 || thread >= PROG_MAX_THREADS)
		return 0;
	if (kind == POINT_OP && k == 1)
		log->begun[thread]++;
	if (!log->begun[thread])
		return 0;
	log->points[log->nr++ & (log->size - 1)] = (struct logged_point){
		.object = object,
		.k = k,
		.op = log->begun[thread] - 1,
		.thread = thread,
		.kind = kind,
		.level = level,
	};
	return 0;
}

/**
 * point_log_init() - make a log
 * @log: filled
 * @size: points that it keeps, a power of two
 *
 * Return: 0 or -ENOMEM.
 */
int point_log_init(struct point_log *log, uint32_t size)
{
	memset(log, 0, sizeof(*log));
	log->size = size;
	log->points = calloc(size, sizeof(*log->points));
	log->users = calloc(2 * size, sizeof(*log->users));
	if (!log->points || !log->users) {
		point_log_free(log);
		return -ENOMEM;
	}
	point_log_begin(log);
	return 0;
}

/**
 * point_log_free() - free what point_log_init() allocated
 * @log: a log, or all zero
 */
void point_log_free(struct point_log *log)
{
	free(log->points);
	free(log->users);
	memset(log, 0, sizeof(*log));
}

/**
 * point_log_begin() - empty a log, for another run
 * @log: whose scheduler is then ready to be given to executor_run()
 */
void point_log_begin(struct point_log *log)
{
	log->nr = 0;
	memset(log->begun, 0, sizeof(log->begun));
	log->scheduler = (struct sim_scheduler){
		.ctx = log,
		.every_point = true,
		.at_point = log_point,
	};
}

static struct object_users *users_of(const struct point_log *log, uint64_t object)
{
	uint32_t mask = 2 * log->size - 1, i = (object * 0x9e3779b97f4a7c15ULL) >> 32 & mask;

	while (log->users[i].object && log->users[i].object != object)
		i = (i + 1) & mask;
	log->users[i].object = object;
	return &log->users[i];
}

/**
 * point_log_conflicts() - mark the points where threads touch the same thing
 * @log: of a finished run
 *
 * Whether it is the same thing at the same time does not matter: another schedule may make it so.
 *
 * Return: how many points are marked.
 */
uint32_t point_log_conflicts(struct point_log *log)
{
	uint32_t i, nr = point_log_nr(log), found = 0;

	memset(log->users, 0, 2 * log->size * sizeof(*log->users));
	for (i = 0; i < nr; i++) {
		const struct logged_point *p = point_log_at(log, i);

		if (!p->object)
			continue;
		if (point_kind_writes(p->kind))
			users_of(log, p->object)->writers |= 1u << p->thread;
		else
			users_of(log, p->object)->readers |= 1u << p->thread;
	}
	for (i = 0; i < nr; i++) {
		struct logged_point *p = point_log_at(log, i);
		const struct object_users *users;
		uint8_t others;

		p->conflict = false;
		if (!p->object)
			continue;
		users = users_of(log, p->object);
		others = users->writers;
		if (point_kind_writes(p->kind))
			others |= users->readers;
		p->conflict = others & ~(1u << p->thread);
		found += p->conflict;
	}
	return found;
}

/**
 * point_log_choice() - a choice at a logged point
 * @point: where
 * @action: CHOICE_*
 * @target: thread to run next, for CHOICE_SWITCH
 *
 * Return: the choice; whether the point can have it is for choice_check() to say.
 */
struct prog_choice point_log_choice(const struct logged_point *point, uint8_t action,
				    uint8_t target)
{
	return (struct prog_choice){
		.thread = point->thread,
		.op = point->op,
		.kind = point->kind,
		.level = point->level,
		.k = point->k,
		.action = action,
		.target = target,
	};
}
