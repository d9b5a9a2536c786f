// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a task was asked to map, and what it mapped (rule M); MMIO SPTEs, which hold the gfn, the
 * access and the generation of the memslots (rule G).
 */
#include "klog_internal.h"

#define WRITE		0x2	/* of EPT's exit qualification and of an error code */
#define EPT_EXEC	0x4
#define NPT_EXEC	0x10

void klog_fault(struct klog_task *task, const struct klog_event *ev)
{
	task->mapping = false;
	task->fault = true;
	task->began = ev->line;
	task->fault_gfn = ev->a >> 12;
	task->error = ev->b;
}

void klog_requested(struct klog_task *task, const struct klog_event *ev)
{
	task->mapping = true;
	task->fault = task->fault && task->fault_gfn == ev->a;
	task->gfn = ev->a;
	task->pfn = ev->b;
	task->goal = ev->level;
	task->requested = ev->line;
	task->last.line = 0;
}

static void check_granted(struct klog *log, const struct klog_task *task,
			  const struct klog_event *ev)
{
	uint64_t fetch = log->fmt.ept ? EPT_EXEC : NPT_EXEC;

	if (!task->fault)
		return;
	/*
	 * A page that comes to be write-tracked meanwhile would be an exception; KVM emulates
	 * writes to those that are before it maps anything.
	 */
	if (task->error & WRITE && !(ev->c & FMT_BIT_W))
		klog_violation(log, 'M', ev, "%llx is made for a write and is not writable",
			       (unsigned long long)ev->c);
	if (task->error & fetch && !klog_executable(log, ev->c))
		klog_violation(log, 'M', ev,
			       "%llx is made for an instruction fetch and is not "
			       "executable",
			       (unsigned long long)ev->c);
}

/**
 * klog_check_mapped() - a task that was asked for a mapping has made a leaf, or an MMIO SPTE
 * @log: log
 * @task: task
 * @ev: change
 */
void klog_check_mapped(struct klog *log, struct klog_task *task, const struct klog_event *ev)
{
	uint64_t pfn;

	if (klog_absent(log, KLOG_REQUESTED) || !fmt_mmu_present(ev->c))
		return;
	pfn = task->pfn - (task->gfn - ev->a);
	if (fmt_pfn(&log->fmt, ev->c) != pfn)
		klog_violation(log, 'M', ev, "%llx maps page %llx, and %llx was asked for",
			       (unsigned long long)ev->c,
			       (unsigned long long)fmt_pfn(&log->fmt, ev->c),
			       (unsigned long long)pfn);
	if (ev->level > task->goal)
		klog_violation(log, 'M', ev, "%llx is a leaf of level %d, and %d was asked for",
			       (unsigned long long)ev->c, ev->level, task->goal);
	check_granted(log, task, ev);
	klog_check_looked_up(log, task, ev);
}

/**
 * klog_set() - a task says what it mapped
 * @log: log
 * @task: task
 * @ev: event
 */
void klog_set(struct klog *log, struct klog_task *task, const struct klog_event *ev)
{
	bool asked = task->mapping;
	uint64_t pfn = task->pfn - (task->gfn - ev->a);

	task->mapping = task->fault = false;
	if (task->last.line && task->last.a == ev->a && task->last.level == ev->level)
		klog_moved(log, task, ev->e & FMT_ADDRESS);
	if (klog_absent(log, KLOG_REQUESTED))
		return;
	if (!asked || klog_base(task->gfn, ev->level) != ev->a) {
		klog_violation(log, 'M', ev, "a mapping is told that nobody asked for");
		return;
	}
	if (ev->e && (ev->e >> 3 & 511) != klog_index(ev->a, ev->level))
		klog_violation(log, 'M', ev, "the SPTE at %llx is none of gfn %llx",
			       (unsigned long long)ev->e, (unsigned long long)ev->a);
	if (klog_is_leaf(ev->b, ev->level) && fmt_pfn(&log->fmt, ev->b) != pfn)
		klog_violation(log, 'M', ev, "%llx maps page %llx, and %llx was asked for",
			       (unsigned long long)ev->b,
			       (unsigned long long)fmt_pfn(&log->fmt, ev->b),
			       (unsigned long long)pfn);
}

/**
 * klog_mark_mmio() - a task says which MMIO SPTE it made
 * @log: log
 * @task: task
 * @ev: event
 */
void klog_mark_mmio(struct klog *log, struct klog_task *task, const struct klog_event *ev)
{
	uint64_t spte = task->last.c;

	task->mapping = task->fault = false;
	if (!task->last.line || task->last.a != ev->a || !fmt_is_mmio(&log->fmt, spte))
		return;
	if (fmt_mmio_gen(&log->fmt, spte) != (ev->c & log->fmt.gen_mask))
		klog_violation(log, 'G', ev, "%llx holds generation %llx, and is of %llx",
			       (unsigned long long)spte,
			       (unsigned long long)fmt_mmio_gen(&log->fmt, spte),
			       (unsigned long long)ev->c);
	if ((spte & log->fmt.mmio_access) != (ev->b & log->fmt.mmio_access))
		klog_violation(log, 'G', ev, "%llx does not hold access %llx",
			       (unsigned long long)spte, (unsigned long long)ev->b);
}

/**
 * klog_check_mmio() - a task compares generations of an MMIO SPTE that the guest ran into
 * @log: log
 * @task: task
 * @ev: event
 */
void klog_check_mmio(struct klog *log, struct klog_task *task, const struct klog_event *ev)
{
	struct klog_event at = *ev;

	at.a = fmt_mmio_gfn(&log->fmt, ev->a);
	at.level = 1;
	task->mmio_valid = ev->b == ev->c;
	if (fmt_mmio_gen(&log->fmt, ev->a) != ev->c)
		klog_violation(log, 'G', &at, "%llx holds generation %llx, and %llx is read off it",
			       (unsigned long long)ev->a,
			       (unsigned long long)fmt_mmio_gen(&log->fmt, ev->a),
			       (unsigned long long)ev->c);
	if (ev->d != task->mmio_valid)
		klog_violation(log, 'G', &at, "generation %llx counts as %s, the VM's is %llx",
			       (unsigned long long)ev->c, ev->d ? "valid" : "stale",
			       (unsigned long long)ev->b);
}

/**
 * klog_handle_mmio() - an access is going to be emulated
 * @log: log
 * @task: task
 * @ev: event
 */
void klog_handle_mmio(struct klog *log, struct klog_task *task, const struct klog_event *ev)
{
	if (!task->mmio_valid && !klog_absent(log, KLOG_CHECK_MMIO))
		klog_violation(log, 'G', ev,
			       "an access is emulated by an MMIO SPTE whose generation is stale");
	task->mmio_valid = false;
}
