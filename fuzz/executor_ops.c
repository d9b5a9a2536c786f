// SPDX-License-Identifier: GPL-2.0-only
/* What each operation does: one function each, and the table that finds it. */
#include "executor_internal.h"

/* ---- vCPU ---- */

static void op_read(struct executor *x, struct exec_thread *t, const struct op *op)
{
	exec_access(x, t->prog->vcpu, op->gfn + t->access * op->step, HW_READ);
}

static void op_write(struct executor *x, struct exec_thread *t, const struct op *op)
{
	exec_access(x, t->prog->vcpu, op->gfn + t->access * op->step, HW_WRITE);
}

static void op_exec(struct executor *x, struct exec_thread *t, const struct op *op)
{
	exec_access(x, t->prog->vcpu, op->gfn + t->access * op->step, HW_EXEC);
}

static void op_speculate(struct executor *x, struct exec_thread *t, const struct op *op)
{
	exec_speculate(x, t->prog->vcpu, op->gfn);
}

static void op_prefault(struct executor *x, struct exec_thread *t, const struct op *op)
{
	exec_prefault(x, t->prog->vcpu, op->gfn, op->n);
}

/* What a VMM asks of a vCPU, it asks while the guest does not run. */
static void vcpu_call(struct executor *x, struct exec_thread *t, enum oracle_call_kind kind)
{
	x->vcpus[t->prog->vcpu].in_guest = false;
	exec_vcpu_call(x, kind, t->prog->vcpu);
}

static void op_root_load(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)op;
	vcpu_call(x, t, CALL_MMU_LOAD);
}

static void op_root_unload(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)op;
	vcpu_call(x, t, CALL_MMU_UNLOAD);
}

static void op_smm_enter(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)op;
	x->vcpus[t->prog->vcpu].smm = true;
	vcpu_call(x, t, CALL_SET_MODE);
}

static void op_smm_leave(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)op;
	x->vcpus[t->prog->vcpu].smm = false;
	vcpu_call(x, t, CALL_SET_MODE);
}

static void op_guest_enter(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)op;
	x->vcpus[t->prog->vcpu].guest_mode = true;
	vcpu_call(x, t, CALL_SET_MODE);
}

static void op_guest_leave(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)op;
	x->vcpus[t->prog->vcpu].guest_mode = false;
	vcpu_call(x, t, CALL_SET_MODE);
}

/* ---- VMM ---- */

static struct exec_slot *slot_of(struct executor *x, uint8_t slot)
{
	return &x->slots[OP_SLOT_AS(slot) & 1][OP_SLOT_ID(slot) % PROG_MAX_SLOTS];
}

/* Tell KVM, and remember what it agreed to. */
static int set_slot(struct executor *x, const struct slot_desc *desc)
{
	struct exec_slot *slot = slot_of(x, OP_SLOT(desc->as_id, desc->id));
	int ret = exec_set_region(x, desc);

	if (ret)
		return ret;
	slot->used = desc->npages;
	slot->desc = *desc;
	return 0;
}

/**
 * exec_add_slot() - give the VM memory
 * @x: executor
 * @desc: the slot; the host backs its pages as it says, unless a slot of that number exists
 *
 * Return: what kvm_set_memory_region() says.
 */
int exec_add_slot(struct executor *x, const struct slot_desc *desc)
{
	if (!slot_of(x, OP_SLOT(desc->as_id, desc->id))->used)
		oracle_host_set_backing(x->oracle, desc->hvn, desc->npages, desc->backing);
	return set_slot(x, desc);
}

static void op_slot_add(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	exec_add_slot(x, &op->desc);
}

/* A slot that is not there is deleted all the same: KVM has to refuse. */
static void op_slot_delete(struct executor *x, struct exec_thread *t, const struct op *op)
{
	struct slot_desc desc = slot_of(x, op->slot)->desc;

	(void)t;
	desc.as_id = OP_SLOT_AS(op->slot);
	desc.id = OP_SLOT_ID(op->slot);
	desc.npages = 0;
	set_slot(x, &desc);
}

static void op_slot_move(struct executor *x, struct exec_thread *t, const struct op *op)
{
	struct slot_desc desc = slot_of(x, op->slot)->desc;

	(void)t;
	if (!slot_of(x, op->slot)->used)
		return;
	desc.base = op->gfn;
	set_slot(x, &desc);
}

static void change_flags(struct executor *x, uint8_t slot, uint32_t keep, uint32_t set)
{
	struct slot_desc desc = slot_of(x, slot)->desc;

	if (!slot_of(x, slot)->used)
		return;
	desc.flags = (desc.flags & keep) | set;
	set_slot(x, &desc);
}

static void op_slot_flags(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	change_flags(x, op->slot, 0, op->flags);
}

static void op_log_start(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	change_flags(x, op->slot, ~0U, SLOT_LOG);
}

static void op_log_stop(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	change_flags(x, op->slot, ~SLOT_LOG, 0);
}

static uint64_t slot_words(const struct exec_slot *slot)
{
	return slot->used ? (slot->desc.npages + 63) / 64 : 1;
}

static void count_dirty(struct executor *x, const uint64_t *bitmap, size_t words)
{
	size_t i;

	for (i = 0; i < words; i++)
		x->res->stats.dirty_pages += __builtin_popcountll(bitmap[i]);
}

static int log_get(struct executor *x, uint8_t number, uint64_t *bitmap, size_t words)
{
	int ret = exec_log_get(x, number, bitmap, words);

	if (!ret && x->opts->count_dirty)
		count_dirty(x, bitmap, words);
	return ret;
}

static void op_log_get(struct executor *x, struct exec_thread *t, const struct op *op)
{
	size_t words = slot_words(slot_of(x, op->slot));
	uint64_t *bitmap = exec_bitmap(x, words);

	(void)t;
	if (!log_get(x, op->slot, bitmap, words))
		exec_bitmap_clear(x, 0, words);
}

/* Sets bits [@first, @end). */
static void set_bits(uint64_t *bitmap, uint64_t first, uint64_t end)
{
	while (first < end && first % 64) {
		bitmap[first / 64] |= 1ULL << first % 64;
		first++;
	}
	for (; first + 64 <= end; first += 64)
		bitmap[first / 64] = ~0ULL;
	for (; first < end; first++)
		bitmap[first / 64] |= 1ULL << first % 64;
}

/*
 * The ioctl takes whole words of 64 pages, except at the slot's end.  A range that is not in the slot
 * goes to KVM as one that it has to refuse.
 */
static void op_log_clear(struct executor *x, struct exec_thread *t, const struct op *op)
{
	const struct exec_slot *slot = slot_of(x, op->slot);
	uint64_t npages = slot->used ? slot->desc.npages : 64;
	uint64_t base = slot->used ? slot->desc.base : 0;
	uint64_t start = op->gfn > base ? op->gfn - base : 0;
	uint64_t end = op->gfn + op->n > base ? op->gfn + op->n - base : 0;
	uint64_t first, last;
	uint64_t *bitmap;

	(void)t;
	if (end > npages)
		end = npages;
	if (start >= end) {
		exec_log_clear(x, op->slot, (npages + 127) & ~63ULL, 64, exec_bitmap(x, 1));
		return;
	}
	first = start & ~63ULL;
	last = (end + 63) & ~63ULL;
	if (last > npages)
		last = npages;
	bitmap = exec_bitmap(x, (last - first + 63) / 64);
	set_bits(bitmap, start - first, end - first);
	exec_log_clear(x, op->slot, first, last - first, bitmap);
	exec_bitmap_clear(x, (start - first) / 64, (end - start) / 64 + 2);
}

/**
 * exec_last_harvest() - what live migration does when the guest has stopped
 * @x: executor
 *
 * Every slot that is logged is harvested once more, and re-armed where that is a step of its own.
 */
void exec_last_harvest(struct executor *x)
{
	int as_id, id;

	for (as_id = 0; as_id < 2; as_id++) {
		for (id = 0; id < PROG_MAX_SLOTS; id++) {
			const struct exec_slot *slot = &x->slots[as_id][id];
			uint8_t number = OP_SLOT(as_id, id);
			size_t words = slot_words(slot);
			uint64_t *bitmap;

			if (!slot->used || !(slot->desc.flags & SLOT_LOG))
				continue;
			bitmap = exec_bitmap(x, words);
			if (log_get(x, number, bitmap, words))
				continue;
			if (x->prog->vm.manual_protect)
				exec_log_clear(x, number, 0, slot->desc.npages, bitmap);
			exec_bitmap_clear(x, 0, words);
		}
	}
}

static void op_split(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	exec_slot_call(x, CALL_SPLIT, op->slot, 0, op->level);
}

static void op_wrprot(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	exec_slot_call(x, CALL_WRITE_PROTECT, op->slot, op->gfn, op->level);
}

static void op_track(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	exec_slot_call(x, CALL_TRACK, op->slot, op->gfn, 0);
}

static void op_untrack(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	exec_slot_call(x, CALL_UNTRACK, op->slot, op->gfn, 0);
}

static void op_zap_range(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	exec_range_call(x, CALL_ZAP_RANGE, op->gfn, op->n);
}

static void op_zap_fast(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	(void)op;
	exec_vm_call(x, CALL_ZAP_FAST, false);
}

static void op_nx_recover(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	(void)op;
	exec_vm_call(x, CALL_NX_RECOVER, false);
}

static void op_nx_toggle(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	exec_vm_call(x, CALL_SET_NX, op->on);
}

static void op_destroy(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	(void)op;
	exec_finish(x);
}

/* ---- host ---- */

static void op_unmap(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	exec_range_call(x, CALL_INVALIDATE_START, op->gfn, op->n);
	oracle_host_unmap(x->oracle, op->gfn, op->n);
	exec_range_call(x, CALL_INVALIDATE_END, op->gfn, op->n);
}

static void op_remap(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	exec_range_call(x, CALL_INVALIDATE_START, op->gfn, op->n);
	oracle_host_unmap(x->oracle, op->gfn, op->n);
	oracle_host_populate(x->oracle, op->gfn, op->n);
	exec_range_call(x, CALL_INVALIDATE_END, op->gfn, op->n);
}

static void op_clean(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	exec_range_call(x, CALL_INVALIDATE_START, op->gfn, op->n);
	oracle_host_clean(x->oracle, op->gfn, op->n);
	exec_range_call(x, CALL_INVALIDATE_END, op->gfn, op->n);
}

static void op_protect(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	exec_range_call(x, CALL_INVALIDATE_START, op->gfn, op->n);
	oracle_host_protect(x->oracle, op->gfn, op->n);
	exec_range_call(x, CALL_INVALIDATE_END, op->gfn, op->n);
}

static void op_age(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	exec_range_call(x, CALL_AGE, op->gfn, op->n);
}

static void op_test_age(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	exec_range_call(x, CALL_TEST_AGE, op->gfn, op->n);
}

static void op_huge_form(struct executor *x, struct exec_thread *t, const struct op *op)
{
	uint64_t n = KVM_PAGES_PER_HPAGE(op->level);
	uint64_t start = op->gfn & -n;

	(void)t;
	exec_range_call(x, CALL_INVALIDATE_START, start, n);
	oracle_host_huge_form(x->oracle, op->gfn, op->level);
	exec_range_call(x, CALL_INVALIDATE_END, start, n);
}

static void op_huge_break(struct executor *x, struct exec_thread *t, const struct op *op)
{
	(void)t;
	exec_range_call(x, CALL_INVALIDATE_START, op->gfn, op->n);
	oracle_host_huge_break(x->oracle, op->gfn, op->n);
	exec_range_call(x, CALL_INVALIDATE_END, op->gfn, op->n);
}

/* A row for each operation of OP_LIST; one that lacks here does not compile away, it is NULL and a test finds it. */
static void (*const op_functions[OP_NR])(struct executor *x, struct exec_thread *t,
					 const struct op *op) = {
	[OP_READ] = op_read,
	[OP_WRITE] = op_write,
	[OP_EXEC] = op_exec,
	[OP_SPECULATE] = op_speculate,
	[OP_PREFAULT] = op_prefault,
	[OP_ROOT_LOAD] = op_root_load,
	[OP_ROOT_UNLOAD] = op_root_unload,
	[OP_SMM_ENTER] = op_smm_enter,
	[OP_SMM_LEAVE] = op_smm_leave,
	[OP_GUEST_ENTER] = op_guest_enter,
	[OP_GUEST_LEAVE] = op_guest_leave,
	[OP_SLOT_ADD] = op_slot_add,
	[OP_SLOT_DELETE] = op_slot_delete,
	[OP_SLOT_MOVE] = op_slot_move,
	[OP_SLOT_FLAGS] = op_slot_flags,
	[OP_LOG_START] = op_log_start,
	[OP_LOG_GET] = op_log_get,
	[OP_LOG_CLEAR] = op_log_clear,
	[OP_LOG_STOP] = op_log_stop,
	[OP_SPLIT] = op_split,
	[OP_WRPROT] = op_wrprot,
	[OP_TRACK] = op_track,
	[OP_UNTRACK] = op_untrack,
	[OP_ZAP_RANGE] = op_zap_range,
	[OP_ZAP_FAST] = op_zap_fast,
	[OP_NX_RECOVER] = op_nx_recover,
	[OP_NX_TOGGLE] = op_nx_toggle,
	[OP_DESTROY] = op_destroy,
	[OP_UNMAP] = op_unmap,
	[OP_REMAP] = op_remap,
	[OP_CLEAN] = op_clean,
	[OP_AGE] = op_age,
	[OP_TEST_AGE] = op_test_age,
	[OP_HUGE_FORM] = op_huge_form,
	[OP_HUGE_BREAK] = op_huge_break,
	[OP_PROTECT] = op_protect,
};

static bool is_access(const struct op *op)
{
	return op->kind == OP_READ || op->kind == OP_WRITE || op->kind == OP_EXEC;
}

/**
 * exec_op_step() - the current thread does its operation, or the next access of a repeated one
 * @x: executor
 * @t: thread
 *
 * Once the VM is destroyed, operations do nothing.
 *
 * Return: whether the operation is over.
 */
bool exec_op_step(struct executor *x, struct exec_thread *t)
{
	const struct op *op = &t->prog->ops[t->op];

	if (!x->kvm)
		return true;
	if (!is_access(op)) {
		op_functions[op->kind](x, t, op);
		return true;
	}
	if (!x->accesses_left) {
		x->res->truncated = true;
		return true;
	}
	x->accesses_left--;
	op_functions[op->kind](x, t, op);
	return ++t->access == op->n;
}
