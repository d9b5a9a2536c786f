/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operations, one function each, run by the current thread.  A new one needs a row in OP_LIST
 * (oracle/op.h), a function in the file of its kind of thread, and a row in executor_ops.c.
 */
#ifndef FUZZ_EXECUTOR_OPS_H
#define FUZZ_EXECUTOR_OPS_H

#include "executor_internal.h"

/* executor_ops_vcpu.c */
void exec_op_read(struct executor *x, const struct op *op);
void exec_op_write(struct executor *x, const struct op *op);
void exec_op_exec(struct executor *x, const struct op *op);
void exec_op_speculate(struct executor *x, const struct op *op);
void exec_op_prefault(struct executor *x, const struct op *op);
void exec_op_root_load(struct executor *x, const struct op *op);
void exec_op_root_unload(struct executor *x, const struct op *op);
void exec_op_smm_enter(struct executor *x, const struct op *op);
void exec_op_smm_leave(struct executor *x, const struct op *op);
void exec_op_guest_enter(struct executor *x, const struct op *op);
void exec_op_guest_leave(struct executor *x, const struct op *op);

/* executor_ops_vmm.c */
void exec_op_slot_add(struct executor *x, const struct op *op);
void exec_op_slot_delete(struct executor *x, const struct op *op);
void exec_op_slot_move(struct executor *x, const struct op *op);
void exec_op_slot_flags(struct executor *x, const struct op *op);
void exec_op_log_start(struct executor *x, const struct op *op);
void exec_op_log_stop(struct executor *x, const struct op *op);
void exec_op_log_get(struct executor *x, const struct op *op);
void exec_op_log_clear(struct executor *x, const struct op *op);
void exec_op_split(struct executor *x, const struct op *op);
void exec_op_wrprot(struct executor *x, const struct op *op);
void exec_op_track(struct executor *x, const struct op *op);
void exec_op_untrack(struct executor *x, const struct op *op);
void exec_op_zap_range(struct executor *x, const struct op *op);
void exec_op_zap_fast(struct executor *x, const struct op *op);
void exec_op_nx_recover(struct executor *x, const struct op *op);
void exec_op_nx_toggle(struct executor *x, const struct op *op);
void exec_op_destroy(struct executor *x, const struct op *op);

/* executor_ops_host.c */
void exec_op_unmap(struct executor *x, const struct op *op);
void exec_op_remap(struct executor *x, const struct op *op);
void exec_op_clean(struct executor *x, const struct op *op);
void exec_op_protect(struct executor *x, const struct op *op);
void exec_op_age(struct executor *x, const struct op *op);
void exec_op_test_age(struct executor *x, const struct op *op);
void exec_op_huge_form(struct executor *x, const struct op *op);
void exec_op_huge_break(struct executor *x, const struct op *op);

#endif /* FUZZ_EXECUTOR_OPS_H */
