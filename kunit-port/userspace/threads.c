// SPDX-License-Identifier: GPL-2.0-only
/* Threads of a test: simulated ones, which give way where the test says. */
#include "vm.h"

#include <string.h>

static const u8 kinds[TDP_NR_POINTS] = {
	[TDP_OP] = POINT_OP,
	[TDP_READ] = POINT_READ,
	[TDP_WRITE] = POINT_WRITE,
	[TDP_XCHG] = POINT_XCHG,
	[TDP_CMPXCHG] = POINT_CMPXCHG,
	[TDP_AND] = POINT_AND,
	[TDP_ATOMIC] = POINT_ATOMIC,
	[TDP_READ_LOCK] = POINT_READ_LOCK,
	[TDP_WRITE_LOCK] = POINT_WRITE_LOCK,
	[TDP_LOCK] = POINT_LOCK,
	[TDP_UNLOCK] = POINT_UNLOCK,
	[TDP_FLUSH] = POINT_FLUSH,
	[TDP_COND_RESCHED] = POINT_RESCHED,
	[TDP_WALK] = POINT_WALK,
	[TDP_MEMORY] = POINT_MEMORY,
	[TDP_FAULTIN] = POINT_FAULTIN,
	[TDP_END] = POINT_END,
};

void tdp_resched(struct tdp_vm *vm, enum tdp_point point, int level, int nth)
{
	if (vm->nr_resched == VM_MAX_CHOICES) {
		kunit_fail(vm->test, __FILE_NAME__, __LINE__, "room", "too many of tdp_resched()");
		kunit_abort(vm->test);
	}
	vm->resched[vm->nr_resched++] = (struct sim_choice){
		.kind = kinds[point],
		.level = level,
		.action = SIM_RESCHED,
		.k = nth,
	};
}

/* The thread that runs; NULL outside of tdp_interleave(). */
static struct vm_thread *this_thread(struct tdp_vm *vm)
{
	int i;

	for (i = 0; vm->interleaved && i < TDP_MAX_THREADS; i++)
		if (sim.current == &vm->threads[i].sim)
			return &vm->threads[i];
	return NULL;
}

/* A call of the thread begins, or its end: the switches that are in it. */
static void thread_begin(struct tdp_vm *vm, struct vm_thread *t)
{
	u32 nr = 0;
	int i;

	for (i = 0; i < vm->nr_switches && nr < VM_MAX_CHOICES; i++) {
		const struct tdp_switch *s = &vm->switches[i];

		if (s->thread != t->number || s->op != t->op)
			continue;
		t->choices[nr++] = (struct sim_choice){
			.kind = kinds[s->point],
			.level = s->level,
			.k = s->nth,
			.action = s->to == TDP_RESCHED ? SIM_RESCHED : SIM_SWITCH,
			.target = s->to == TDP_RESCHED ? 0 : s->to,
		};
	}
	t->sim.op = t->op;
	sim_begin_op(&t->sim, t->choices, nr);
}

/**
 * vm_begin() - an operation begins
 * @vm: the VM
 */
void vm_begin(struct tdp_vm *vm)
{
	struct vm_thread *t = this_thread(vm);

	vm->flushed = false;
	if (t) {
		thread_begin(vm, t);
		t->sim.under_way = false;
		sim_point(POINT_OP, 0, NULL, SIM_SITE);
		t->sim.under_way = true;
	} else {
		sim_begin_op(&vm->thread, vm->resched, vm->nr_resched);
		vm->nr_resched = 0;
	}
	sim_set_budget(VM_BUDGET);
}

/**
 * vm_end() - it is over
 * @vm: the VM
 */
void vm_end(struct tdp_vm *vm)
{
	struct vm_thread *t = this_thread(vm);

	sim_end_op();
	if (t)
		t->op++;
}

static void run_thread(void *arg)
{
	struct vm_thread *t = arg;

	t->run(t->vm);
	t->sim.under_way = false;
	thread_begin(t->vm, t);
}

void tdp_interleave(struct tdp_vm *vm, void (*const threads[])(struct tdp_vm *vm), int nr,
		    const struct tdp_switch *switches, int n)
{
	bool ended;
	int i;

	memset(vm->threads, 0, sizeof(vm->threads));
	vm->switches = switches;
	vm->nr_switches = n;
	for (i = 0; i < nr; i++) {
		vm->threads[i].vm = vm;
		vm->threads[i].number = i;
		vm->threads[i].run = threads[i];
		sim_thread_start(&vm->threads[i].sim, i, run_thread, &vm->threads[i]);
	}
	vm->interleaved = true;
	ended = sim_threads_run();
	vm->interleaved = false;
	if (!ended)
		kunit_abort(vm->test);
	sim_begin_op(&vm->thread, NULL, 0);
}

static bool at_boundary(void *arg)
{
	const struct tdp_vm *vm = arg;
	int i;

	for (i = 0; i < vm->nr_cpus; i++)
		if (vm->cpu[i].executing)
			return false;
	return true;
}

static u32 anybody(const struct sim_thread *t)
{
	(void)t;
	return 0;
}

/**
 * vm_wait_for_cpus() - a request to all vCPUs waits until each has come to the end of its instruction
 * @vm: the VM
 */
void vm_wait_for_cpus(struct tdp_vm *vm)
{
	const struct sim_wait wait = {
		.what = "the end of an instruction",
		.ready = at_boundary,
		.who = anybody,
		.arg = vm,
		.on = &vm->cpu,
	};

	if (vm->interleaved && !at_boundary(vm))
		sim_wait_until(&wait);
}
