// SPDX-License-Identifier: GPL-2.0-only
/* Events of a log, one by one: what each task is doing, and what is reported. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "klog_internal.h"
#include "map.h"

const char *const klog_known_names[KLOG_NR_KNOWN] = {
	[KLOG_REFAULT_D] = "refault-d",
	[KLOG_MMIO_LEAF] = "mmio-leaf",
	[KLOG_TAKES_WRITE] = "takes-write",
};

static void report(struct klog *log, struct klog_report *found, const struct klog_event *ev)
{
	found->line = ev->line;
	found->as_id = ev->as_id;
	found->level = ev->level;
	found->gfn = ev->a;
	log->setup.report(log->setup.arg, found);
}

/**
 * klog_violation() - a rule is broken
 * @log: log
 * @rule: its letter
 * @ev: line that shows it; names the SPTE
 * @fmt: what is wrong
 */
void klog_violation(struct klog *log, char rule, const struct klog_event *ev, const char *fmt, ...)
{
	struct klog_report found = { .rule = rule };
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	found.text = text;
	log->totals.violations++;
	report(log, &found, ev);
}

/* Something that this kernel is known to do. */
void klog_known(struct klog *log, enum klog_known known, const struct klog_event *ev)
{
	struct klog_report found = { .known = known, .text = klog_known_names[known] };

	log->totals.known[known]++;
	report(log, &found, ev);
}

static struct klog_task *task_of(struct klog *log, uint32_t number)
{
	if (number >= log->nr_tasks) {
		uint32_t n = number + 16;

		log->tasks = oracle_grow(log->tasks, n, sizeof(*log->tasks));
		memset(&log->tasks[log->nr_tasks], 0, (n - log->nr_tasks) * sizeof(*log->tasks));
		log->nr_tasks = n;
	}
	return &log->tasks[number];
}

/* A split is told right after the change that made it. */
static void check_split(struct klog *log, struct klog_task *task, const struct klog_event *ev)
{
	bool told = ev->kind == KLOG_SPLIT && !ev->d;
	bool same = told && ev->a == task->split_gfn && ev->level == task->split_level;

	if (klog_absent(log, KLOG_SPLIT))
		return;
	if (task->split_level && !same) {
		struct klog_event due = task->last;

		due.line = task->due;
		klog_violation(log, 'L', &due,
			       "a huge page was given a page table, and "
			       "kvm_mmu_split_huge_page does not follow");
	} else if (told && !same) {
		klog_violation(log, 'L', ev, "a split is told of which there was no change");
	}
	task->split_level = 0;
}

static void get_page(struct klog *log, struct klog_task *task, const struct klog_event *ev)
{
	/* A root is made by who enters the guest, a fifth level's child by who maps. */
	if (ev->level == 5 || (ev->level == 4 && !(log->levels == 5 && task->mapping))) {
		klog_new_root(log, task->kvm ? task->kvm : log->newest, ev->level);
		log->began = true;
		return;
	}
	task->got_gfn = ev->a;
	task->got_level = ev->level;
}

static void changed(struct klog *log, struct klog_task *task, const struct klog_event *ev)
{
	struct klog_table *table = NULL;

	if (!log->began) {
		log->began = log->midway = true;
		log->levels = ev->level > 4 ? 5 : 4;
	}
	log->totals.changes++;
	klog_learn_format(log, ev);
	if (ev->c == FMT_FROZEN && klog_freezes(task, ev))
		table = task->taken;
	task->table = NULL;
	klog_check_change(log, task, ev);
	task->last = *ev;
	if (ev->c == FMT_FROZEN && !table && !klog_taking(log, ev)) {
		klog_violation(log, 'A', ev,
			       "frozen, which is for entries of a page table that was taken away");
		return;
	}
	klog_chain(log, task, ev, table);
}

static void dispatch(struct klog *log, struct klog_task *task, const struct klog_event *ev)
{
	switch (ev->kind) {
	case KLOG_FAULT:
		klog_fault(task, ev);
		break;
	case KLOG_FAST_FAULT:
		klog_chain_fast(log, task, ev);
		break;
	case KLOG_REQUESTED:
		klog_requested(task, ev);
		break;
	case KLOG_SET:
		klog_set(log, task, ev);
		break;
	case KLOG_CHANGED:
		changed(log, task, ev);
		break;
	case KLOG_GET_PAGE:
		get_page(log, task, ev);
		break;
	case KLOG_ZAP_FAST:
		klog_zap_fast(log, task);
		break;
	case KLOG_MARK_MMIO:
		klog_mark_mmio(log, task, ev);
		break;
	case KLOG_CHECK_MMIO:
		klog_check_mmio(log, task, ev);
		break;
	case KLOG_HANDLE_MMIO:
		klog_handle_mmio(log, task, ev);
		break;
	case KLOG_VM_BEGIN:
		log->newest = ev->kvm;
		break;
	case KLOG_VM_END:
		klog_vm_end(log, ev);
		break;
	case KLOG_REGION:
		klog_region(log, ev);
		break;
	case KLOG_UNMAP:
		klog_unmap(task, ev);
		break;
	case KLOG_UNMAP_END:
		klog_unmap_end(log, task, ev);
		break;
	case KLOG_ZAP_ROOTS:
		task->zapping = ev->kvm;
		task->zap_from = ev->line;
		break;
	case KLOG_ZAP_ROOTS_END:
		klog_zap_roots_end(log, task, ev);
		break;
	default:
		break;
	}
}

/**
 * klog_open() - begin to check a log
 * @setup: what the log does not tell, and where to report to; copied
 *
 * Return: the checker; klog_close() frees it.
 */
struct klog *klog_open(const struct klog_setup *setup)
{
	struct klog *log = oracle_alloc(1, sizeof(*log));

	log->setup = *setup;
	log->levels = 4;
	log->fmt_known = setup->vm_given;
	format_init(&log->fmt, &setup->vm);
	if (setup->nx_given)
		log->nx_expect = setup->vm.nx_huge_pages ? 'n' : 'x';
	klog_tree_init(log);
	return log;
}

/**
 * klog_event() - the next line
 * @log: log
 * @ev: event
 */
void klog_event(struct klog *log, const struct klog_event *ev)
{
	struct klog_task *task = task_of(log, ev->task);

	log->line = ev->line;
	if (ev->kvm)
		task->kvm = ev->kvm;
	klog_removed(log, task, ev);
	if (task->split_level || ev->kind == KLOG_SPLIT)
		check_split(log, task, ev);
	if (log->nr_held)
		klog_expire_held(log, false);
	klog_expire_dead(log);
	if (log->nx_line)
		klog_expire_nx(log, false);
	dispatch(log, task, ev);
}

/**
 * klog_end() - there are no more lines
 * @log: log
 * @totals: filled
 */
void klog_end(struct klog *log, struct klog_totals *totals)
{
	struct klog_event end = { .kind = KLOG_OTHER, .line = log->line };
	uint32_t i;

	for (i = 0; i < log->nr_tasks; i++) {
		end.task = i;
		klog_removed(log, &log->tasks[i], &end);
		if (log->tasks[i].split_level)
			check_split(log, &log->tasks[i], &end);
	}
	klog_expire_held(log, true);
	klog_expire_nx(log, true);
	*totals = log->totals;
}

/**
 * klog_close() - free a checker
 * @log: it, or NULL
 */
void klog_close(struct klog *log)
{
	if (!log)
		return;
	klog_tree_free(log);
	free(log->tasks);
	free(log->regions);
	free(log);
}
