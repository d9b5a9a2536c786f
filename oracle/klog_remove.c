// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables that are taken away.  Who takes the link away gives the page table back
 * (kvm_mmu_prepare_zap_page) and freezes its entries, in order: all 512 where others may be at
 * them (mmu_lock held for read), else those that are present; for a page table among them the
 * same is done before the next entry.  It does nothing else in between.  Rule L: each page table
 * is given back once.  Rule A: no entry is lost with it, i.e. not accounted.
 */
#include "klog_internal.h"

/**
 * klog_taken() - a page table has lost its link
 * @log: log
 * @task: who took it away, NULL if that was long ago
 * @parent: page table that linked it
 * @i: in which entry
 */
void klog_taken(struct klog *log, struct klog_task *task, struct klog_table *parent, uint32_t i)
{
	uint64_t gfn = parent->gfn + i * klog_span(parent->level);
	struct klog_table *child = klog_child(log, parent, i);

	if (!child && log->midway)
		child = klog_adopt(log, parent->as_id, gfn, parent->level - 1);
	if (!child)
		return;
	if (!task) {
		klog_die(log, child);
		return;
	}
	child->state = KLOG_TAKEN;
	child->up = task->taken;
	task->taken = child;
}

/* Whether the entry is one that who took the table away has yet to come to. */
static bool in_table(const struct klog_table *t, const struct klog_event *ev)
{
	return ev->level == t->level && ev->as_id == t->as_id &&
	       t->gfn == klog_base(ev->a, t->level + 1) && klog_index(ev->a, ev->level) >= t->next;
}

/**
 * klog_freezes() - whether a change to frozen is of the page table that the task took away
 * @task: task
 * @ev: change
 *
 * Return: true if task->taken is that page table.
 */
bool klog_freezes(struct klog_task *task, const struct klog_event *ev)
{
	struct klog_table *t = task->taken;
	uint32_t i = klog_index(ev->a, ev->level);

	if (!t || !in_table(t, ev))
		return false;
	klog_set_bit(t->frozen, i);
	t->next = i + 1;
	t->all |= !fmt_mmu_present(ev->b);
	return true;
}

static void check_entries(struct klog *log, const struct klog_table *t, uint32_t line)
{
	struct klog_event ev = { .line = line, .as_id = t->as_id, .level = t->level };
	uint32_t i, missing = 0;

	for (i = 0; i < 512; i++) {
		bool unknown = t->partial && !klog_bit(t->known, i);

		ev.a = t->gfn + i * klog_span(t->level);
		if (klog_bit(t->frozen, i) ||
		    (!t->all && (unknown || !fmt_mmu_present(t->spte[i]))))
			continue;
		if (klog_waits(log, t->as_id, ev.a, t->level))
			continue;
		if (!missing++)
			klog_violation(log, 'A', &ev,
				       "a page table was taken away, and its SPTE %llx is lost: it "
				       "was not frozen",
				       (unsigned long long)t->spte[i]);
	}
}

/* Entries of @t that link page tables which were not taken away have nothing to come any more. */
static void drop_children(struct klog *log, struct klog_table *t)
{
	uint32_t i;

	for (i = 0; i < 512 && t->level > 1; i++) {
		struct klog_table *child;

		if (!klog_is_table(t->spte[i], t->level))
			continue;
		child = klog_child(log, t, i);
		if (!child || child->state != KLOG_LIVE)
			continue;
		drop_children(log, child);
		klog_die(log, child);
	}
}

/* The task is done with the page table. */
static void finish(struct klog *log, struct klog_task *task, uint32_t line)
{
	struct klog_table *t = task->taken;

	task->taken = t->up;
	check_entries(log, t, line);
	drop_children(log, t);
	klog_die(log, t);
}

static void check_given_back(struct klog *log, struct klog_task *task, const struct klog_event *ev)
{
	bool told = ev->kind == KLOG_ZAP_PAGE;
	bool same = told && ev->a == task->zap_gfn && ev->level == task->zap_level;

	if (klog_absent(log, KLOG_ZAP_PAGE))
		return;
	if (task->zap_level && !same) {
		struct klog_event due = task->last;

		due.line = task->due;
		klog_violation(log, 'L', &due,
			       "a page table was taken away, and kvm_mmu_prepare_zap_page does not "
			       "follow");
	} else if (told && !same) {
		klog_violation(log, 'L', ev, "a page table is given back that was not taken away");
	}
}

/**
 * klog_removed() - what the task was removing, seen from what it does next
 * @log: log
 * @task: task
 * @ev: its next event
 *
 * Called for each event before anything else is made of it.
 */
void klog_removed(struct klog *log, struct klog_task *task, const struct klog_event *ev)
{
	if (task->zap_level || ev->kind == KLOG_ZAP_PAGE) {
		check_given_back(log, task, ev);
		task->zap_level = 0;
		if (ev->kind == KLOG_ZAP_PAGE)
			return;
	}
	while (task->taken &&
	       !(ev->kind == KLOG_CHANGED && ev->c == FMT_FROZEN && in_table(task->taken, ev)))
		finish(log, task, ev->line);
}
