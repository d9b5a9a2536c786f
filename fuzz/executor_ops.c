// SPDX-License-Identifier: GPL-2.0-only
/* Which function an operation is, and one step of it. */
#include "executor_ops.h"

/* A row for each operation of OP_LIST. */
static void (*const op_functions[OP_NR])(struct executor *x, const struct op *op) = {
	[OP_READ] = exec_op_read,
	[OP_WRITE] = exec_op_write,
	[OP_EXEC] = exec_op_exec,
	[OP_SPECULATE] = exec_op_speculate,
	[OP_PREFAULT] = exec_op_prefault,
	[OP_ROOT_LOAD] = exec_op_root_load,
	[OP_ROOT_UNLOAD] = exec_op_root_unload,
	[OP_SMM_ENTER] = exec_op_smm_enter,
	[OP_SMM_LEAVE] = exec_op_smm_leave,
	[OP_GUEST_ENTER] = exec_op_guest_enter,
	[OP_GUEST_LEAVE] = exec_op_guest_leave,
	[OP_SLOT_ADD] = exec_op_slot_add,
	[OP_SLOT_DELETE] = exec_op_slot_delete,
	[OP_SLOT_MOVE] = exec_op_slot_move,
	[OP_SLOT_FLAGS] = exec_op_slot_flags,
	[OP_LOG_START] = exec_op_log_start,
	[OP_LOG_GET] = exec_op_log_get,
	[OP_LOG_CLEAR] = exec_op_log_clear,
	[OP_LOG_STOP] = exec_op_log_stop,
	[OP_SPLIT] = exec_op_split,
	[OP_WRPROT] = exec_op_wrprot,
	[OP_TRACK] = exec_op_track,
	[OP_UNTRACK] = exec_op_untrack,
	[OP_ZAP_RANGE] = exec_op_zap_range,
	[OP_ZAP_FAST] = exec_op_zap_fast,
	[OP_NX_RECOVER] = exec_op_nx_recover,
	[OP_NX_TOGGLE] = exec_op_nx_toggle,
	[OP_DESTROY] = exec_op_destroy,
	[OP_UNMAP] = exec_op_unmap,
	[OP_REMAP] = exec_op_remap,
	[OP_CLEAN] = exec_op_clean,
	[OP_AGE] = exec_op_age,
	[OP_TEST_AGE] = exec_op_test_age,
	[OP_HUGE_FORM] = exec_op_huge_form,
	[OP_HUGE_BREAK] = exec_op_huge_break,
	[OP_PROTECT] = exec_op_protect,
};

static bool is_access(const struct op *op)
{
	return op->kind == OP_READ || op->kind == OP_WRITE || op->kind == OP_EXEC;
}

/* The run has taken as long as it may. */
static bool is_enough(const struct executor *x, const struct op *op)
{
	if (x->opts->max_points && sim_points() > x->opts->max_points)
		return true;
	return is_access(op) && !x->accesses_left;
}

/**
 * exec_op_step() - the current thread does its operation, or the next access of a repeated one
 * @x: executor
 * @t: thread
 *
 * Once the VM is destroyed, or about to be, operations do nothing.
 *
 * Return: whether the operation is over.
 */
bool exec_op_step(struct executor *x, struct exec_thread *t)
{
	const struct op *op = &t->prog->ops[t->op];

	if (!x->kvm || x->dying)
		return true;
	if (is_enough(x, op)) {
		x->res->truncated = true;
		return true;
	}
	if (is_access(op))
		x->accesses_left--;
	t->stepping = true;
	op_functions[op->kind](x, op);
	t->stepping = false;
	if (x->dying)
		sim_poll();
	return !is_access(op) || ++t->access == op->n;
}
