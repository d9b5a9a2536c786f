// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule P: every fault resolves. A vCPU that takes the same fault again and again, is told each time
 * to try again, and nothing changed in between, will do so for ever. (Deadlocks, step budgets and
 * whether all threads together get on are the scheduler's to see, by oracle_progress().) While
 * another thread is in the middle of something it may be that thread that the vCPU waits for.
 */
#include "rules.h"

#define SAME_FAULTS	8

#define RET_PF_RETRY	1
#define RET_PF_FIXED	5
#define RET_PF_SPURIOUS	6

void rule_p_fault(struct oracle *o, int vcpu, uint64_t gfn, uint64_t error_code)
{
	struct vcpu *v = &o->vcpus[vcpu];

	if (oracle_others_call(o) || hw_others_executing(o)) {
		v->faults = 0;
		return;
	}
	if (gfn != v->fault_gfn || error_code != v->fault_code || o->progress != v->fault_progress)
		v->faults = 0;
	v->fault_gfn = gfn;
	v->fault_code = error_code;
	v->fault_progress = o->progress;
	if (++v->faults == SAME_FAULTS)
		oracle_report(
			o, 'P', gfn, 0,
			"vCPU %d took the same fault (error code 0x%llx) %d times for nothing",
			vcpu, (unsigned long long)error_code, SAME_FAULTS);
}

/* An answer other than "try again" ends the access. */
void rule_p_call_end(struct oracle *o, const struct oracle_call *call)
{
	if (call->kind == CALL_PAGE_FAULT && call->ret != RET_PF_RETRY &&
	    call->ret != RET_PF_FIXED && call->ret != RET_PF_SPURIOUS)
		o->vcpus[call->vcpu].faults = 0;
}
