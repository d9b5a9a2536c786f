// SPDX-License-Identifier: GPL-2.0-only
/*
 * How often the MMU writes an SPTE that others can see. The library with points tells of each; of a
 * table that is filled before it is linked it does not.
 */
#include "platform.h"

#include "policy_points.h"

static u64 writes;

/* Runs of SPTEs that change at once pass no points: here they go one by one, to be counted. */
bool native_watched(void)
{
	return true;
}

bool native_point(enum point_kind kind, int level, const void *ptr)
{
	(void)level;
	(void)ptr;
	if (kind >= POINT_WRITE && kind <= POINT_AND)
		__atomic_fetch_add(&writes, 1, __ATOMIC_RELAXED);
	return false; /* no allocation is refused */
}

/**
 * policy_spte_writes() - SPTEs written so far, one by one
 *
 * Return: a count that only grows. Exact for a single thread: a compare-and-exchange counts though it fails.
 */
u64 policy_spte_writes(void)
{
	return __atomic_load_n(&writes, __ATOMIC_RELAXED);
}
