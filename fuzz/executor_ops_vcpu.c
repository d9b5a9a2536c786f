// SPDX-License-Identifier: GPL-2.0-only
/* What the operations of a vCPU's thread do. */
#include "executor_ops.h"

static int this_vcpu(const struct executor *x)
{
	return x->current->prog->vcpu;
}

/* The page that the access in question of a repeated operation is to. */
static uint64_t this_gfn(const struct executor *x, const struct op *op)
{
	return op->gfn + x->current->access * op->step;
}

void exec_op_read(struct executor *x, const struct op *op)
{
	exec_access(x, this_vcpu(x), this_gfn(x, op), HW_READ);
}

void exec_op_write(struct executor *x, const struct op *op)
{
	exec_access(x, this_vcpu(x), this_gfn(x, op), HW_WRITE);
}

void exec_op_exec(struct executor *x, const struct op *op)
{
	exec_access(x, this_vcpu(x), this_gfn(x, op), HW_EXEC);
}

void exec_op_speculate(struct executor *x, const struct op *op)
{
	exec_speculate(x, this_vcpu(x), op->gfn);
}

void exec_op_prefault(struct executor *x, const struct op *op)
{
	exec_prefault(x, this_vcpu(x), op->gfn, op->n);
}

/* What a VMM asks of a vCPU, it asks while the guest does not run. */
static void vcpu_call(struct executor *x, enum oracle_call_kind kind)
{
	x->vcpus[this_vcpu(x)].in_guest = false;
	exec_vcpu_call(x, kind, this_vcpu(x));
}

void exec_op_root_load(struct executor *x, const struct op *op)
{
	(void)op;
	vcpu_call(x, CALL_MMU_LOAD);
}

void exec_op_root_unload(struct executor *x, const struct op *op)
{
	(void)op;
	vcpu_call(x, CALL_MMU_UNLOAD);
}

void exec_op_smm_enter(struct executor *x, const struct op *op)
{
	(void)op;
	x->vcpus[this_vcpu(x)].smm = true;
	vcpu_call(x, CALL_SET_MODE);
}

void exec_op_smm_leave(struct executor *x, const struct op *op)
{
	(void)op;
	x->vcpus[this_vcpu(x)].smm = false;
	vcpu_call(x, CALL_SET_MODE);
}

void exec_op_guest_enter(struct executor *x, const struct op *op)
{
	(void)op;
	x->vcpus[this_vcpu(x)].guest_mode = true;
	vcpu_call(x, CALL_SET_MODE);
}

void exec_op_guest_leave(struct executor *x, const struct op *op)
{
	(void)op;
	x->vcpus[this_vcpu(x)].guest_mode = false;
	vcpu_call(x, CALL_SET_MODE);
}
