// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest mode on the native platform: who asks something of vCPUs waits for those that are in the guest
 * to leave it; one that is outside finds the request before it enters again.  Mirrors
 * kvm_make_all_cpus_request(), and the dance of vcpu->mode and vcpu->requests in vcpu_enter_guest().
 *
 * Who enters says so, then looks for requests; who asks makes the request, then looks who is
 * inside.  All four accesses are sequentially consistent, so that one of the two sees the other.
 */
#include "kvm_host.h"

#include <tdp/native.h>

/* What is pending, beside a bit for each request. */
#define FLUSH_ALL    (1u << 30)
#define FLUSH_RANGES (1u << 29)
#define REQUEST(req) (1u << (req))

static bool in_guest(u64 state)
{
	return state & 1;
}

/* ---- whoever asks ---- */

static void tell(struct tdp_cpu *cpu, u32 what)
{
	__atomic_fetch_or(&cpu->pending, what, __ATOMIC_SEQ_CST);
}

/* More than it can remember are everything. */
static void tell_range(struct tdp_cpu *cpu, gfn_t gfn, u64 nr)
{
	u32 what = FLUSH_RANGES;

	spin_lock(&cpu->lock);
	if (cpu->nr_ranges < NATIVE_CPU_RANGES)
		cpu->ranges[cpu->nr_ranges++] = (struct native_range){ gfn, nr };
	else
		what = FLUSH_ALL;
	spin_unlock(&cpu->lock);
	tell(cpu, what);
}

/* The vCPU was told. If it is in the guest, make it come out, and wait until it has if @wait. */
static void kick(struct tdp_cpu *cpu, bool wait)
{
	const u64 state = __atomic_load_n(&cpu->state, __ATOMIC_SEQ_CST);
	u32 tries = 0;

	if (!in_guest(state))
		return;
	/* A guest that calls this waits for itself. */
	if (WARN_ON(__atomic_load_n(&cpu->thread, __ATOMIC_RELAXED) == &native_self))
		return;
	if (cpu->ops->kick)
		cpu->ops->kick(cpu->guest);
	while (wait && __atomic_load_n(&cpu->state, __ATOMIC_ACQUIRE) == state)
		native_backoff(&tries);
}

static bool plays_guest(const struct tdp_cpu *cpu)
{
	return __atomic_load_n(&cpu->ops, __ATOMIC_ACQUIRE);
}

#define for_each_guest(i, cpu, kvm)                                   \
	for (i = 0; i < smp_load_acquire(&(kvm)->created_vcpus); i++) \
		if (cpu = &(kvm)->vcpus[i]->cpu, plays_guest(cpu))

/**
 * native_flush() - all vCPUs forget translations
 * @kvm: the VM
 * @gfn: first guest frame
 * @nr: how many; 0: everything
 *
 * All are told before any is waited for.
 */
void native_flush(struct kvm *kvm, gfn_t gfn, u64 nr)
{
	struct tdp_cpu *cpu;
	int i;

	for_each_guest(i, cpu, kvm)
	{
		if (nr)
			tell_range(cpu, gfn, nr);
		else
			tell(cpu, FLUSH_ALL);
	}
	for_each_guest(i, cpu, kvm) kick(cpu, true);
}

/**
 * native_kick() - all vCPUs leave the guest
 * @kvm: the VM
 * @req: what for
 */
void native_kick(struct kvm *kvm, enum tdp_vcpu_request req)
{
	struct tdp_cpu *cpu;
	int i;

	for_each_guest(i, cpu, kvm) tell(cpu, REQUEST(req));
	for_each_guest(i, cpu, kvm) kick(cpu, req != TDP_REQ_DRAIN);
}

/* ---- the vCPU ---- */

/**
 * kvm_vcpu_set_guest() - the vCPU will enter guest mode
 * @vcpu: the vCPU, which has not done so yet
 * @ops: how its hardware does what is asked of it; must stay. flush must be there
 * @guest: passed to @ops
 *
 * Return: 0; -EINVAL; -EBUSY if that was said before.
 */
int kvm_vcpu_set_guest(struct kvm_vcpu *vcpu, const struct tdp_guest_ops *ops, void *guest)
{
	struct tdp_cpu *cpu;

	if (!vcpu || !ops || !ops->flush)
		return -EINVAL;
	cpu = &vcpu->cpu;
	if (cpu->ops)
		return -EBUSY;
	spin_lock_init(&cpu->lock);
	cpu->guest = guest;
	/* Whatever was asked before this is pending from the start. */
	cpu->pending = FLUSH_ALL | REQUEST(TDP_REQ_UPDATE_DIRTY_LOGGING);
	__atomic_store_n(&cpu->ops, ops, __ATOMIC_SEQ_CST);
	return 0;
}

static void flush_ranges(struct tdp_cpu *cpu)
{
	struct native_range ranges[NATIVE_CPU_RANGES];
	u32 i, nr;

	spin_lock(&cpu->lock);
	nr = cpu->nr_ranges;
	memcpy(ranges, cpu->ranges, nr * sizeof(*ranges));
	cpu->nr_ranges = 0;
	spin_unlock(&cpu->lock);
	for (i = 0; i < nr; i++)
		cpu->ops->flush(cpu->guest, ranges[i].gfn, ranges[i].nr);
}

static void serve(struct kvm_vcpu *vcpu)
{
	struct tdp_cpu *cpu = &vcpu->cpu;
	const u32 what = __atomic_exchange_n(&cpu->pending, 0, __ATOMIC_SEQ_CST);
	const u64 roots = kvm_vcpu_tlb_flushes(vcpu);

	if ((what & REQUEST(TDP_REQ_UPDATE_DIRTY_LOGGING)) && cpu->ops->log_dirty)
		cpu->ops->log_dirty(cpu->guest,
				    atomic64_read(&vcpu->kvm->nr_memslots_dirty_logging));
	if ((what & FLUSH_ALL) || cpu->roots != roots)
		cpu->ops->flush(cpu->guest, 0, 0);
	if (what & FLUSH_RANGES)
		flush_ranges(cpu);
	cpu->roots = roots;
}

/* Each change of state is one step of the vCPU's own. */
static void step(struct tdp_cpu *cpu, int order)
{
	__atomic_store_n(&cpu->state, cpu->state + 1, order);
}

/**
 * kvm_vcpu_guest_enter() - enter guest mode
 * @vcpu: the vCPU, outside of it; kvm_vcpu_set_guest() came before
 *
 * As kvm_vcpu_enter_guest(), and what the hardware was asked for is done: until kvm_vcpu_guest_exit() the
 * thread may use translations, and the page tables that are linked from its root. It calls nothing else of
 * libtdp in between, since others wait for it with locks held.
 *
 * Context: takes mmu_lock for reading, inside an SRCU read section.
 * Return: 0: in guest mode; -ENOMEM: there is no root; -EINVAL.
 */
int kvm_vcpu_guest_enter(struct kvm_vcpu *vcpu)
{
	struct tdp_cpu *cpu;
	int r;

	if (!vcpu || !vcpu->cpu.ops || in_guest(vcpu->cpu.state))
		return -EINVAL;
	cpu = &vcpu->cpu;
	for (;;) {
		r = kvm_vcpu_enter_guest(vcpu);
		if (r)
			return r;
		serve(vcpu);
		__atomic_store_n(&cpu->thread, &native_self, __ATOMIC_RELAXED);
		step(cpu, __ATOMIC_SEQ_CST);
		if (!__atomic_load_n(&cpu->pending, __ATOMIC_SEQ_CST) &&
		    !__atomic_load_n(&vcpu->requests, __ATOMIC_SEQ_CST))
			return 0;
		step(cpu, __ATOMIC_RELEASE);
	}
}

/**
 * kvm_vcpu_must_exit() - does anybody wait for the vCPU to leave the guest?
 * @vcpu: in guest mode
 *
 * To be asked at each boundary of instructions.
 */
bool kvm_vcpu_must_exit(const struct kvm_vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->cpu.pending, __ATOMIC_RELAXED);
}

/**
 * kvm_vcpu_guest_exit() - leave guest mode
 * @vcpu: the vCPU; nothing is done if it is outside
 */
void kvm_vcpu_guest_exit(struct kvm_vcpu *vcpu)
{
	if (!vcpu || !in_guest(vcpu->cpu.state))
		return;
	__atomic_store_n(&vcpu->cpu.thread, NULL, __ATOMIC_RELAXED);
	step(&vcpu->cpu, __ATOMIC_RELEASE);
}
