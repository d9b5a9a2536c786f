// SPDX-License-Identifier: GPL-2.0-only
/* Where WARN and BUG conditions of the mirrored code go on the native platform. */
#include "platform.h"

#include <stdio.h>

#include <tdp/native.h>

/* Of a condition that is true at every fault nobody reads more. */
#define MAX_LINES 20

static struct {
	void (*warn)(void *ctx, const char *cond, const char *file, int line);
	void *ctx;
	u32 lines;
} report;

/**
 * tdp_set_warn() - who is told of conditions that must never be true
 * @warn: called on whatever thread finds one, with locks held: it must not call libtdp. NULL: the
 *	first few are written to stderr
 * @ctx: passed to @warn
 *
 * For all VMs of the process; to be set before there are any.
 */
void tdp_set_warn(void (*warn)(void *ctx, const char *cond, const char *file, int line), void *ctx)
{
	report.ctx = ctx;
	report.warn = warn;
}

void native_warn(const char *cond, const char *file, int line)
{
	if (report.warn)
		report.warn(report.ctx, cond, file, line);
	else if (__atomic_fetch_add(&report.lines, 1, __ATOMIC_RELAXED) < MAX_LINES)
		fprintf(stderr, "libtdp: WARN at %s:%d: %s\n", file, line, cond);
}
