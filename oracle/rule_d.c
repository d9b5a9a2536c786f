// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule D's second half: when an unmap returns, each frame written since it was last clean is known
 * to the host to be dirty. The first half, live migration, is in migrate.c.
 *
 * Aging may mark a frame dirty long before the last write through a stale TLB entry: the mark stays
 * until the host cleans the frame, for which it has to unmap it first.
 */
#include "host.h"
#include "rules.h"

void rule_d_call_end(struct oracle *o, const struct oracle_call *call)
{
	uint64_t hvn;

	if (call->kind != CALL_INVALIDATE_START || call->ret || !call->n)
		return;
	hvn = host_find_lost(o, call->gfn, call->n);
	if (hvn != HOST_NO_FRAME)
		oracle_report(o, 'D', NO_GFN, 0,
			      "host page 0x%llx was written, is unmapped and not marked dirty",
			      (unsigned long long)hvn);
}
