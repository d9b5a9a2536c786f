// SPDX-License-Identifier: GPL-2.0-only
/* What the operations of the host's threads do: its side of the MMU notifiers. */
#include "executor_ops.h"

/* The host changes its own page tables: between the halves of an invalidation, as one event. */
static void host_changes(void)
{
	sim_point(POINT_STORE, 0, &sim_object_host, SIM_SITE);
}

/* Pages of the host's mapping of a page. */
static uint64_t mapping_pages(struct executor *x, uint64_t hvn)
{
	return KVM_PAGES_PER_HPAGE(oracle_host_mapping_level(x->oracle, hvn));
}

/*
 * A huge mapping at an end of the range, of which the range is but a part, is split first. That is
 * an invalidation of its own, of all the huge page: a fault beside the range must not go by its
 * size any more.
 */
static bool split_at(struct executor *x, const struct op *op, uint64_t hvn)
{
	uint64_t n = mapping_pages(x, hvn);
	uint64_t start = hvn & -n;

	if (n == 1 || (start >= op->gfn && start + n <= op->gfn + op->n))
		return false;
	exec_range_call(x, CALL_INVALIDATE_START, start, n);
	host_changes();
	oracle_host_huge_break(x->oracle, hvn, 1);
	exec_range_call(x, CALL_INVALIDATE_END, start, n);
	return true;
}

/* Begin an invalidation, and be about to change the range: no huge mapping reaches out of it. */
static void start_split(struct executor *x, const struct op *op)
{
	exec_range_call(x, CALL_INVALIDATE_START, op->gfn, op->n);
	do {
		while (split_at(x, op, op->gfn) || split_at(x, op, op->gfn + op->n - 1))
			;
		host_changes();
		/* A fault beside the range may have brought in a huge page meanwhile. */
	} while (split_at(x, op, op->gfn) || split_at(x, op, op->gfn + op->n - 1));
}

void exec_op_unmap(struct executor *x, const struct op *op)
{
	start_split(x, op);
	oracle_host_unmap(x->oracle, op->gfn, op->n);
	exec_range_call(x, CALL_INVALIDATE_END, op->gfn, op->n);
}

void exec_op_remap(struct executor *x, const struct op *op)
{
	start_split(x, op);
	oracle_host_unmap(x->oracle, op->gfn, op->n);
	oracle_host_populate(x->oracle, op->gfn, op->n);
	exec_range_call(x, CALL_INVALIDATE_END, op->gfn, op->n);
}

/* A huge page is written back as a whole, so all of it is invalidated. */
void exec_op_clean(struct executor *x, const struct op *op)
{
	const uint64_t last = op->gfn + op->n - 1;
	uint64_t start, end;

	for (;;) {
		start = op->gfn & -mapping_pages(x, op->gfn);
		end = (last | (mapping_pages(x, last) - 1)) + 1;
		exec_range_call(x, CALL_INVALIDATE_START, start, end - start);
		host_changes();
		/* Unless a fault beside it has brought in a larger one meanwhile. */
		if (!(start & (mapping_pages(x, op->gfn) - 1)) &&
		    !(end & (mapping_pages(x, last) - 1)))
			break;
		exec_range_call(x, CALL_INVALIDATE_END, start, end - start);
	}
	oracle_host_clean(x->oracle, op->gfn, op->n);
	exec_range_call(x, CALL_INVALIDATE_END, start, end - start);
}

void exec_op_protect(struct executor *x, const struct op *op)
{
	start_split(x, op);
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

/* What is part of a larger page stays that: a fault beside it may have brought that in meanwhile. */
void exec_op_huge_form(struct executor *x, const struct op *op)
{
	uint64_t n = KVM_PAGES_PER_HPAGE(op->level);
	uint64_t start = op->gfn & -n;

	exec_range_call(x, CALL_INVALIDATE_START, start, n);
	host_changes();
	if (mapping_pages(x, start) <= n)
		oracle_host_huge_form(x->oracle, op->gfn, op->level);
	exec_range_call(x, CALL_INVALIDATE_END, start, n);
}

void exec_op_huge_break(struct executor *x, const struct op *op)
{
	start_split(x, op);
	oracle_host_huge_break(x->oracle, op->gfn, op->n);
	exec_range_call(x, CALL_INVALIDATE_END, op->gfn, op->n);
}
