// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a thread waits for besides locks: that vCPUs in the middle of an instruction get to its end, that
 * another thread is done with a vCPU's log, that nobody uses a VM any more.
 */
#include "executor_internal.h"

/* The threads of a mask of vCPUs. */
static u32 threads_of(const struct executor *x, uint32_t vcpus)
{
	u32 mask = 0, i;

	for (i = 0; i < x->prog->nr_threads; i++) {
		const struct prog_thread *t = &x->prog->threads[i];

		if (t->kind == THREAD_VCPU && (vcpus & 1u << t->vcpu))
			mask |= 1u << i;
	}
	return mask;
}

/* Requests that vCPUs have to take: all up to @ticket. */
struct requests {
	struct executor *x;
	uint32_t vcpus;
	uint64_t ticket;
};

static bool are_taken(void *arg)
{
	const struct requests *r = arg;

	return !oracle_hw_unacked(r->x->oracle, r->vcpus, r->ticket);
}

static u32 who_has_not(const struct sim_thread *t)
{
	const struct requests *r = t->wait.arg;

	return threads_of(r->x, oracle_hw_unacked(r->x->oracle, r->vcpus, r->ticket));
}

/**
 * exec_wait_for_vcpus() - wait until vCPUs have taken the request that was just made
 * @x: executor
 * @vcpus: mask of those that are in the middle of an instruction
 */
void exec_wait_for_vcpus(struct executor *x, uint32_t vcpus)
{
	struct requests r = { .x = x, .vcpus = vcpus };
	const struct sim_wait wait = {
		.what = "the end of an instruction",
		.ready = are_taken,
		.who = who_has_not,
		.arg = &r,
		.on = &x->vcpus,
	};

	if (!vcpus)
		return;
	r.ticket = oracle_hw_ticket(x->oracle);
	sim_wait_until(&wait);
}

static bool is_not_drained(void *arg)
{
	const struct exec_vcpu *v = arg;

	return !v->drained;
}

/**
 * exec_wait_for_drain() - the vCPU's own thread wants to go on
 * @x: executor
 * @vcpu: number of the vCPU
 *
 * Who kicks a vCPU between two instructions hands over its log for it, which is what the vCPU itself
 * would be doing.
 */
void exec_wait_for_drain(struct executor *x, int vcpu)
{
	struct exec_vcpu *v = &x->vcpus[vcpu];
	const struct sim_wait wait = {
		.what = "its log to be drained",
		.ready = is_not_drained,
		.arg = v,
		.on = v,
	};

	if (v->drained)
		sim_wait_until(&wait);
}

/* Which threads but @t are within a step. */
static u32 others_stepping(const struct exec_thread *t)
{
	u32 mask = 0, i;

	for (i = 0; i < t->x->prog->nr_threads; i++) {
		if (t->x->threads[i].stepping && (int)i != t->number)
			mask |= 1u << i;
	}
	return mask;
}

static bool nobody_steps(void *arg)
{
	return !others_stepping(arg);
}

static u32 who_steps(const struct sim_thread *t)
{
	return others_stepping(t->wait.arg);
}

/**
 * exec_wait_for_steps() - wait until no other thread uses the VM
 * @x: executor, whose current thread destroys the VM: none begins to
 *
 * As each ioctl, and each vCPU, holds a reference to its VM until it is done.
 */
void exec_wait_for_steps(struct executor *x)
{
	const struct sim_wait wait = {
		.what = "the VM's other users",
		.ready = nobody_steps,
		.who = who_steps,
		.arg = x->current,
		.on = &x->dying,
	};

	sim_wait_until(&wait);
}
