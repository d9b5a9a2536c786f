// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which VM an event belongs to.  Most events name none.  Where probes name a VM, a task is of the
 * VM that it named last.  Without probes only VMs that follow one another can be told apart: by a
 * new thread that runs a vCPU of the same number, and by root generations that begin again.
 */
#include <stdlib.h>

#include "import.h"

#define NO_VM	0xffff

static int add_vm(struct import_log *log, uint64_t kvm, uint32_t first, struct import_error *err)
{
	if (log->nr_vms == IMPORT_MAX_VMS)
		return import_fail(err, log->events[first].line, "more than %d VMs in one log",
				   IMPORT_MAX_VMS);
	log->vms[log->nr_vms].kvm = kvm;
	log->vms[log->nr_vms].first = first;
	return log->nr_vms++;
}

/* The address is reused when a VM is gone, so the newest VM at it is meant. */
static int find_vm(const struct import_log *log, uint64_t kvm)
{
	uint32_t i;

	for (i = log->nr_vms; i-- > 0;) {
		if (log->vms[i].kvm == kvm)
			return i;
	}
	return -1;
}

static int by_probes(struct import_log *log, struct import_error *err)
{
	uint16_t *of_task = malloc(log->nr_tasks * sizeof(*of_task));
	int newest = NO_VM;
	uint32_t i;

	if (!of_task)
		return import_fail(err, 0, "no memory");
	for (i = 0; i < log->nr_tasks; i++)
		of_task[i] = NO_VM;
	for (i = 0; i < log->nr_events; i++) {
		struct ft_event *ev = &log->events[i];
		int vm = ev->kvm ? find_vm(log, ev->kvm) : of_task[ev->task];

		if (ev->kvm && (vm < 0 || ev->kind == FT_INIT)) {
			vm = add_vm(log, ev->kvm, i, err);
			if (vm < 0) {
				free(of_task);
				return vm;
			}
			newest = vm;
		}
		if (ev->kvm)
			of_task[ev->task] = vm;
		ev->vm = vm;
	}
	/* What a task did before it first named a VM is of that VM; who never does is of the newest. */
	for (i = 0; i < log->nr_tasks; i++)
		of_task[i] = newest;
	for (i = log->nr_events; i-- > 0;) {
		struct ft_event *ev = &log->events[i];

		if (ev->vm == NO_VM)
			ev->vm = of_task[ev->task];
		of_task[ev->task] = ev->vm;
	}
	free(of_task);
	return 0;
}

static int root_level(const struct import_log *log)
{
	int level = 4;
	uint32_t i;

	for (i = 0; i < log->nr_events; i++) {
		if (log->events[i].kind == FT_GET_PAGE && log->events[i].level > level)
			level = log->events[i].level;
	}
	return level;
}

/**
 * struct boundaries - where one VM ends and the next begins
 * @pid: index + 1 of the task that runs each vCPU of the newest VM
 * @root: a root allocated since the last generation was seen, 0 if none
 * @generation: last one seen, plus 1
 */
struct boundaries {
	uint32_t pid[IMPORT_NO_VCPU];
	uint32_t root;
	uint64_t generation;
};

static int begin_vm(struct import_log *log, struct boundaries *b, uint32_t at,
		    struct import_error *err)
{
	int vm = add_vm(log, 0, at, err);
	int i;

	if (vm < 0)
		return vm;
	for (i = 0; i < IMPORT_NO_VCPU; i++)
		b->pid[i] = 0;
	b->root = 0;
	b->generation = 0;
	return 0;
}

static int at_fault(struct import_log *log, struct boundaries *b, uint32_t *first_of, uint32_t i,
		    struct import_error *err)
{
	const struct ft_event *ev = &log->events[i];
	uint32_t *pid = &b->pid[ev->vcpu];
	uint32_t start = first_of[ev->task];

	if (*pid && *pid != ev->task + 1U) {
		if (start < log->vms[log->nr_vms - 1].first)
			return import_fail(
				err, ev->line,
				"vCPU %u is run by PID %d and by PID %d at "
				"the same time: expected one VM at a time, or the probes "
				"of docs/recording.md, which tell VMs apart",
				ev->vcpu, log->tasks[*pid - 1].pid, log->tasks[ev->task].pid);
		if (begin_vm(log, b, start, err))
			return -1;
	}
	b->pid[ev->vcpu] = ev->task + 1;
	return 0;
}

static int by_order(struct import_log *log, struct import_error *err)
{
	uint32_t *first_of = calloc(log->nr_tasks, sizeof(*first_of));
	struct boundaries b = { 0 };
	int level = root_level(log);
	uint32_t i, vm = 0;
	int ret = 0;

	if (!first_of)
		return import_fail(err, 0, "no memory");
	for (i = log->nr_events; i-- > 0;)
		first_of[log->events[i].task] = i;
	ret = begin_vm(log, &b, 0, err);
	for (i = 0; i < log->nr_events && !ret; i++) {
		const struct ft_event *ev = &log->events[i];

		if (ev->kind == FT_GET_PAGE && ev->level == level && !b.root)
			b.root = i;
		if (ev->kind == FT_PAGE_FAULT)
			ret = at_fault(log, &b, first_of, i, err);
		if (ev->kind == FT_ZAP_FAST) {
			if (ev->a < b.generation && b.root)
				ret = begin_vm(log, &b, b.root, err);
			b.generation = ev->a + 1;
			b.root = 0;
		}
	}
	for (i = 0; i < log->nr_events; i++) {
		while (vm + 1 < log->nr_vms && log->vms[vm + 1].first <= i)
			vm++;
		log->events[i].vm = vm;
	}
	free(first_of);
	return ret;
}

/**
 * import_find_vms - tell the VMs of a log apart
 * @log: log; sets the VM of each event, and @vms
 * @err: filled on failure
 *
 * Return: 0 or -EINVAL.
 */
int import_find_vms(struct import_log *log, struct import_error *err)
{
	bool probes = false;
	uint32_t i;
	int ret;

	for (i = 0; i < log->nr_events && !probes; i++)
		probes = log->events[i].kvm != 0;
	ret = probes ? by_probes(log, err) : by_order(log, err);
	if (ret)
		return ret;
	for (i = 0; i < log->nr_events; i++) {
		struct import_vm *vm = &log->vms[log->events[i].vm];

		if (!vm->nr_events++)
			vm->first = i;
		vm->last = i;
	}
	return 0;
}
