// SPDX-License-Identifier: GPL-2.0-only
/* What the operations of the VMM's threads do: slots, dirty logs, zaps, tracking, NX recovery. */
#include "executor_ops.h"

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

void exec_op_slot_add(struct executor *x, const struct op *op)
{
	exec_add_slot(x, &op->desc);
}

/* A slot that is not there is deleted all the same: KVM has to refuse. */
void exec_op_slot_delete(struct executor *x, const struct op *op)
{
	struct slot_desc desc = slot_of(x, op->slot)->desc;

	desc.as_id = OP_SLOT_AS(op->slot);
	desc.id = OP_SLOT_ID(op->slot);
	desc.npages = 0;
	set_slot(x, &desc);
}

void exec_op_slot_move(struct executor *x, const struct op *op)
{
	struct slot_desc desc = slot_of(x, op->slot)->desc;

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

void exec_op_slot_flags(struct executor *x, const struct op *op)
{
	change_flags(x, op->slot, 0, op->flags);
}

void exec_op_log_start(struct executor *x, const struct op *op)
{
	change_flags(x, op->slot, ~0U, SLOT_LOG);
}

void exec_op_log_stop(struct executor *x, const struct op *op)
{
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

void exec_op_log_get(struct executor *x, const struct op *op)
{
	size_t words = slot_words(slot_of(x, op->slot));
	uint64_t *bitmap = exec_bitmap(x, words);

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
void exec_op_log_clear(struct executor *x, const struct op *op)
{
	const struct exec_slot *slot = slot_of(x, op->slot);
	uint64_t npages = slot->used ? slot->desc.npages : 64;
	uint64_t base = slot->used ? slot->desc.base : 0;
	uint64_t start = op->gfn > base ? op->gfn - base : 0;
	uint64_t end = op->gfn + op->n > base ? op->gfn + op->n - base : 0;
	uint64_t first, last;
	uint64_t *bitmap;

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

void exec_op_split(struct executor *x, const struct op *op)
{
	exec_slot_call(x, CALL_SPLIT, op->slot, 0, op->level);
}

void exec_op_wrprot(struct executor *x, const struct op *op)
{
	exec_slot_call(x, CALL_WRITE_PROTECT, op->slot, op->gfn, op->level);
}

void exec_op_track(struct executor *x, const struct op *op)
{
	exec_slot_call(x, CALL_TRACK, op->slot, op->gfn, 0);
}

void exec_op_untrack(struct executor *x, const struct op *op)
{
	exec_slot_call(x, CALL_UNTRACK, op->slot, op->gfn, 0);
}

void exec_op_zap_range(struct executor *x, const struct op *op)
{
	exec_range_call(x, CALL_ZAP_RANGE, op->gfn, op->n);
}

void exec_op_zap_fast(struct executor *x, const struct op *op)
{
	(void)op;
	exec_vm_call(x, CALL_ZAP_FAST, false);
}

void exec_op_nx_recover(struct executor *x, const struct op *op)
{
	(void)op;
	exec_vm_call(x, CALL_NX_RECOVER, false);
}

void exec_op_nx_toggle(struct executor *x, const struct op *op)
{
	exec_vm_call(x, CALL_SET_NX, op->on);
}

void exec_op_destroy(struct executor *x, const struct op *op)
{
	(void)op;
	x->dying = true;
	exec_wait_for_steps(x);
	exec_finish(x);
}
