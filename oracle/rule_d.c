// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule D's second half: when an unmap returns, each frame written since it was last clean is known
 * to the host to be dirty. The first half, live migration, is in migrate.c.
 *
 * Where calls overlap, a fault beside the range may map a huge page that reaches into it until the
 * host has split its own (see rule N), so it is looked at when the host takes the page away or
 * cleans it.
 *
 * Aging may mark a frame dirty long before the last write through a stale TLB entry: the mark stays
 * until the host cleans the frame, for which it has to unmap it first.
 */
#include "host.h"
#include "rules.h"

static void check(struct oracle *o, uint64_t start, uint64_t n)
{
	uint64_t hvn = host_find_lost(o, start, n);

	if (hvn != HOST_NO_FRAME)
		oracle_report(o, 'D', NO_GFN, 0,
			      "host page 0x%llx was written, is unmapped and not marked dirty",
			      (unsigned long long)hvn);
}

void rule_d_call_end(struct oracle *o, const struct oracle_call *call)
{
	if (call->kind == CALL_INVALIDATE_START && !call->ret && call->n && !o->overlapped)
		check(o, call->gfn, call->n);
}

/* The host is about to forget what the pages hold, or that it was written. */
void rule_d_host(struct oracle *o, uint64_t hvn, uint64_t n)
{
	if (o->overlapped && n)
		check(o, hvn, n);
}
