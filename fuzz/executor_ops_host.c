// SPDX-License-Identifier: GPL-2.0-only
/* What the operations of the host's threads do: its side of the MMU notifiers. */
#include "executor_ops.h"

/* The host changes its own page tables: between the halves of an invalidation, as one event. */
static void host_changes(void)
{
	sim_point(POINT_STORE, 0, &sim_object_host, SIM_SITE);
}

void exec_op_unmap(struct executor *x, const struct op *op)
{
	exec_range_call(x, CALL_INVALIDATE_START, op->gfn, op->n);
	host_changes();
	oracle_host_unmap(x->oracle, op->gfn, op->n);
	exec_range_call(x, CALL_INVALIDATE_END, op->gfn, op->n);
}

void exec_op_remap(struct executor *x, const struct op *op)
{
	exec_range_call(x, CALL_INVALIDATE_START, op->gfn, op->n);
	host_changes();
	oracle_host_unmap(x->oracle, op->gfn, op->n);
	oracle_host_populate(x->oracle, op->gfn, op->n);
	exec_range_call(x, CALL_INVALIDATE_END, op->gfn, op->n);
}

void exec_op_clean(struct executor *x, const struct op *op)
{
	exec_range_call(x, CALL_INVALIDATE_START, op->gfn, op->n);
	host_changes();
	oracle_host_clean(x->oracle, op->gfn, op->n);
	exec_range_call(x, CALL_INVALIDATE_END, op->gfn, op->n);
}

void exec_op_protect(struct executor *x, const struct op *op)
{
	exec_range_call(x, CALL_INVALIDATE_START, op->gfn, op->n);
	host_changes();
	oracle_host_protect(x->oracle, op->gfn, op->n);
	exec_range_call(x, CALL_INVALIDATE_END, op->gfn, op->n);
}

void exec_op_age(struct executor *x, const struct op *op)
{
	exec_range_call(x, CALL_AGE, op->gfn, op->n);
}

void exec_op_test_age(struct executor *x, const struct op *op)
{
	exec_range_call(x, CALL_TEST_AGE, op->gfn, op->n);
}

void exec_op_huge_form(struct executor *x, const struct op *op)
{
	uint64_t n = KVM_PAGES_PER_HPAGE(op->level);
	uint64_t start = op->gfn & -n;

	exec_range_call(x, CALL_INVALIDATE_START, start, n);
	host_changes();
	oracle_host_huge_form(x->oracle, op->gfn, op->level);
	exec_range_call(x, CALL_INVALIDATE_END, start, n);
}

void exec_op_huge_break(struct executor *x, const struct op *op)
{
	exec_range_call(x, CALL_INVALIDATE_START, op->gfn, op->n);
	host_changes();
	oracle_host_huge_break(x->oracle, op->gfn, op->n);
	exec_range_call(x, CALL_INVALIDATE_END, op->gfn, op->n);
}
