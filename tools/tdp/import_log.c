// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty logging.  A log of the kernel's own events has no ioctls; it has walks over a slot, in
 * order of gfn, by a task that serves no fault: write-protection of all that is mapped (logging
 * starts), of what was written (the log is read or cleared), page tables zapped so that huge
 * pages can come back (logging stops).  Which of them are of one walk, their order tells.
 */
#include "import_history.h"

#define WORD	64	/* pages of a word of the dirty bitmap, what an ioctl clears at least */
#define MAX_GAP	8192	/* pages that are looked at for something to clear */

static bool write_protected(const struct import *im, const struct ft_event *ev)
{
	struct spte_class old = spte_classify(&im->desc, ev->level, ev->b);
	struct spte_class new = spte_classify(&im->desc, ev->level, ev->c);

	return spte_write_protected(&old, &new);
}

/*
 * KVM_DIRTY_LOG_INITIALLY_SET shows where a huge page is write-protected by a clear: it loses
 * MMU-writable too, or it is split between the pages that the clear protects.
 */
static bool shows_init_set(const struct import *im, const struct ft_event *ev, uint64_t *last)
{
	if (ev->kind == FT_SPLIT) {
		bool between = *last && ev->a > *last && ev->a - *last <= 512;

		*last = 0;
		return between;
	}
	if (!write_protected(im, ev))
		return false;
	if (ev->level > 1)
		return spte_mmu_writable(&im->desc, ev->b) && !spte_mmu_writable(&im->desc, ev->c);
	*last = ev->a;
	return false;
}

/**
 * import_find_init_set - whether logging starts with every page dirty
 * @im: import; sets @manual_protect and @init_set of its VM
 */
void import_find_init_set(struct import *im)
{
	const struct import_log *log = im->log;
	bool slot_protected = false, gfn_protected = false, shown = false;
	uint64_t last = 0;
	uint32_t task = 0, i;

	for (i = 0; i < log->nr_events; i++) {
		const struct ft_event *ev = &log->events[i];

		if (ev->vm != im->vm)
			continue;
		slot_protected |= ev->kind == FT_WRPROT_SLOT;
		gfn_protected |= ev->kind == FT_WRPROT_GFN && ev->level > 1;
		if (ev->kind == FT_PAGE_FAULT && ev->task == task)
			last = 0;
		if (ev->kind != FT_CHANGED && ev->kind != FT_SPLIT)
			continue;
		if (ev->task != task)
			last = 0;
		task = ev->task;
		shown |= shows_init_set(im, ev, &last);
	}
	im->desc.init_set = im->exact ? gfn_protected && !slot_protected : shown;
	im->desc.manual_protect = im->desc.init_set;
}

static struct import_op *add(struct import *im, uint32_t event, const struct import_slot *slot,
			     enum op_kind kind)
{
	struct import_op *op = import_add_op(im, event, 2, kind);

	if (op)
		op->op.slot = import_slot_operand(slot);
	return op;
}

/* The clear of this walk now reaches up to @end. */
static void grow_clear(struct import *im, struct import_run *run, uint64_t end)
{
	struct op *op = &im->ops[run->clear - 1].op;

	end = (end - run->slot->base + WORD - 1) / WORD * WORD;
	if (end > run->slot->npages)
		end = run->slot->npages;
	op->n = run->slot->base + end - op->gfn;
}

static void begin_clear(struct import *im, struct import_run *run, uint32_t event, uint64_t gfn)
{
	struct import_op *op = add(im, event, run->slot, OP_LOG_CLEAR);

	if (!op)
		return;
	op->op.gfn = run->slot->base + (gfn - run->slot->base) / WORD * WORD;
	run->clear = im->nr_ops;
}

/**
 * import_log_on - logging of a slot must have begun
 * @im: import
 * @slot: slot
 * @event: number of the event that shows it
 */
void import_log_on(struct import *im, struct import_slot *slot, uint32_t event)
{
	struct import_op *op = import_add_op(im, event, 0, OP_LOG_START);

	if (op)
		op->op.slot = import_slot_operand(slot);
	slot->logging = slot->starting = true;
	slot->read_last = slot->read_before = 0;
}

/**
 * import_log_off - logging of a slot must have ended
 * @im: import
 * @slot: slot
 * @event: number of the event that shows it
 */
void import_log_off(struct import *im, struct import_slot *slot, uint32_t event)
{
	struct import_op *op = import_add_op(im, event, 0, OP_LOG_STOP);

	if (op)
		op->op.slot = import_slot_operand(slot);
	slot->logging = slot->starting = false;
}

static void begin(struct import *im, struct import_run *run, uint32_t event,
		  struct import_slot *slot)
{
	bool starts = !slot->logging || slot->starting;

	*run = (struct import_run){ .slot = slot, .splits_only = true };
	if (!slot->logging)
		import_log_on(im, slot, event);
	slot->starting = false;
	if (starts && !im->desc.init_set)
		return;
	slot->read_before = slot->read_last;
	slot->read_last = im->log->events[event].line;
	add(im, event, slot, OP_LOG_GET);
	run->clears = im->desc.manual_protect;
}

static const struct history_life *alive(const struct import *im, int as_id, uint64_t gfn, int level)
{
	const struct history_key *key = history_find(im->history, as_id, gfn, level);
	const struct history_life *life = key ? &im->history->lives[key->last] : NULL;

	return life && life->spte ? life : NULL;
}

/* What is known of a child of a split is that its parent was writable. */
static bool is_writable(const struct import *im, int as_id, uint64_t gfn)
{
	const struct history_life *life = alive(im, as_id, gfn, 1);
	uint32_t last;

	if (life)
		return life->steps[life->nr - 1].class.w;
	life = alive(im, as_id, gfn & ~511ULL, 2);
	if (!life)
		return false;
	last = life->nr - 1;
	if (last && life->steps[last].class.kind == SPTE_TABLE)
		last--;
	return life->steps[last].class.w;
}

/* Whether a clear of these pages would have had something to protect. */
static bool anything_to_clear(const struct import *im, int as_id, uint64_t from, uint64_t to)
{
	uint64_t gfn;

	if (to > from + MAX_GAP)
		return true;
	for (gfn = from; gfn < to; gfn++) {
		if (is_writable(im, as_id, gfn))
			return true;
	}
	return false;
}

/* The walk has come to these pages, of which a clear protects no more than was asked for. */
static void clear(struct import *im, struct import_run *run, uint32_t event, uint64_t gfn,
		  uint64_t n)
{
	int as_id = run->slot->desc.as_id;

	if (run->clear) {
		const struct op *op = &im->ops[run->clear - 1].op;
		uint64_t end = op->gfn + op->n;
		uint64_t word = run->slot->base + (gfn - run->slot->base) / WORD * WORD;

		if (word > end && anything_to_clear(im, as_id, end, word))
			run->clear = 0;
	}
	if (!run->clear)
		begin_clear(im, run, event, gfn);
	if (run->clear)
		grow_clear(im, run, gfn + n);
}

static void walk(struct import *im, struct import_run *run, uint32_t event, uint64_t gfn,
		 uint64_t n, bool split)
{
	struct import_slot *slot = import_slot_at(im, im->log->events[event].as_id, gfn);

	if (!slot)
		return;
	/* Those of a huge page that was split come before what the walk has split already. */
	if (run->slot != slot || run->stop || (gfn < run->next && !run->splits_only))
		begin(im, run, event, slot);
	if (!split && run->splits_only)
		run->splits_only = false;
	run->next = split ? gfn : gfn + n;
	if (run->clears && !split)
		clear(im, run, event, gfn, n);
}

/**
 * import_log_protected - a leaf was write-protected, other than by a fault
 * @im: import
 * @run: walk of the task
 * @event: number of the event
 */
void import_log_protected(struct import *im, struct import_run *run, uint32_t event)
{
	const struct ft_event *ev = &im->log->events[event];

	walk(im, run, event, ev->a, 1ULL << 9 * (ev->level - 1), false);
}

/**
 * import_log_split - a huge page was split, other than by a fault
 * @im: import
 * @run: walk of the task
 * @event: number of the event
 */
void import_log_split(struct import *im, struct import_run *run, uint32_t event)
{
	const struct ft_event *ev = &im->log->events[event];

	walk(im, run, event, ev->a, 1ULL << 9 * (ev->level - 1), true);
}

/**
 * import_log_masked - the probe says that a word of the dirty bitmap was cleared
 * @im: import
 * @run: walk of the task
 * @event: number of the event
 */
void import_log_masked(struct import *im, struct import_run *run, uint32_t event)
{
	walk(im, run, event, im->log->events[event].a, WORD, false);
}

/**
 * import_log_collapsed - a page table was zapped so that a huge page can take its place
 * @im: import
 * @run: walk of the task
 * @event: number of the event
 */
void import_log_collapsed(struct import *im, struct import_run *run, uint32_t event)
{
	const struct ft_event *ev = &im->log->events[event];
	struct import_slot *slot = import_slot_at(im, ev->as_id, ev->a);

	if (!slot || (run->stop && run->slot == slot))
		return;
	*run = (struct import_run){ .slot = slot, .stop = true };
	if (!slot->logging)
		add(im, event, slot, OP_LOG_START);
	add(im, event, slot, OP_LOG_STOP);
	slot->logging = false;
}
