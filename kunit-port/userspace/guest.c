// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's accesses: through a TLB, or a walk of the page tables that sets A and D, or a fault
 * that KVM answers.  What the hardware does is read off oracle/format.h, that is, off the manuals.
 */
#include "vm.h"

#include <string.h>

#define MAX_FAULTS 16 /* of one access */

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_EXEC };

static u64 pages_of(int level)
{
	return KVM_PAGES_PER_HPAGE(level);
}

static unsigned int need(enum access access)
{
	return access == ACCESS_WRITE ? FMT_W : access == ACCESS_EXEC ? FMT_X : FMT_R;
}

/**
 * guest_flush() - TLB entries go
 * @vm: the VM
 * @gfn: first page
 * @n: pages; ~0: all
 */
void guest_flush(struct tdp_vm *vm, u64 gfn, u64 n)
{
	int i, k;

	for (i = 0; i < vm->nr_cpus; i++) {
		vm->cpu[i].stale |= vm->cpu[i].executing;
		for (k = 0; k < VM_TLB; k++) {
			struct tlb_entry *e = &vm->cpu[i].tlb[k];

			if (!e->level || (n != ~0ULL && (e->gfn >= gfn + n ||
							 e->gfn + pages_of(e->level) <= gfn)))
				continue;
			e->level = 0;
		}
	}
}

/**
 * guest_drain() - vCPUs are made to exit: what the CPU has logged goes to KVM
 * @vm: the VM
 */
void guest_drain(struct tdp_vm *vm)
{
	int i;

	for (i = 0; i < vm->nr_cpus; i++) {
		struct guest_cpu *c = &vm->cpu[i];
		unsigned int k, n = c->nr_pml;

		c->nr_pml = 0;
		for (k = 0; k < n; k++)
			kvm_vcpu_mark_page_dirty(c->vcpu, c->pml[k]);
	}
}

static void drop(struct guest_cpu *c, u64 gfn)
{
	int k;

	for (k = 0; k < VM_TLB; k++)
		if (c->tlb[k].level && gfn - c->tlb[k].gfn < pages_of(c->tlb[k].level))
			c->tlb[k].level = 0;
}

static struct tlb_entry *lookup(struct guest_cpu *c, u64 gfn)
{
	int k;

	for (k = 0; k < VM_TLB; k++)
		if (c->tlb[k].level && gfn - c->tlb[k].gfn < pages_of(c->tlb[k].level))
			return &c->tlb[k];
	return NULL;
}

static void log_write(struct tdp_vm *vm, struct guest_cpu *c, u64 gfn)
{
	if (!vm->pml || c->guest_mode || !vm_logs(vm))
		return;
	if (c->nr_pml == VM_PML)
		guest_drain(vm);
	c->pml[c->nr_pml++] = gfn;
}

enum walked { WALK_DONE, WALK_FAULT, WALK_MISCONFIG };

/**
 * struct walk - an access that walks the page tables
 * @perm: what the entries so far allow; of a fault, what its error code tells
 * @e: the translation that was found
 */
struct walk {
	u64 gfn;
	enum access access;
	bool speculative;
	unsigned int perm;
	struct tlb_entry e;
};

static enum walked walk_leaf(struct tdp_vm *vm, struct guest_cpu *c, struct walk *w, u64 *sptep,
			     int level)
{
	const struct format *f = &vm->fmt;
	u64 set = f->accessed;

	w->perm &= fmt_perm(f, *sptep);
	if (!(w->perm & need(w->access)))
		return WALK_FAULT;
	if (w->access == ACCESS_WRITE)
		set |= f->dirty;
	if (w->speculative && (*sptep & set) != set)
		return WALK_FAULT;
	if (w->access == ACCESS_WRITE && f->dirty && !(*sptep & f->dirty))
		log_write(vm, c, w->gfn);
	*sptep |= set;
	w->e = (struct tlb_entry){
		.gfn = w->gfn & -pages_of(level),
		.pfn = fmt_pfn(f, *sptep) & -pages_of(level),
		.level = level,
		.perm = w->perm,
		.dirty = (*sptep & f->dirty) == f->dirty,
	};
	return WALK_DONE;
}

static enum walked walk(struct tdp_vm *vm, struct guest_cpu *c, struct walk *w)
{
	const struct format *f = &vm->fmt;
	hpa_t table = kvm_vcpu_root_hpa(c->vcpu);
	int level;

	w->perm = FMT_R | FMT_W | FMT_X;
	for (level = vm->levels;; level--) {
		hpa_t pa = table + (w->gfn >> (9 * (level - 1)) & 511) * 8;
		u64 *sptep;

		sim_point(POINT_WALK, level, __va(pa), SIM_SITE);
		sptep = sim_spte_ptr(pa);
		KUNIT_EXPECT_TRUE_MSG(vm->test, sptep,
				      "rule U: the walk for gfn %#llx leads to no page table",
				      (unsigned long long)w->gfn);
		if (!sptep || !fmt_hw_present(f, *sptep)) {
			w->perm = 0;
			return WALK_FAULT;
		}
		if (fmt_hw_bad(f, *sptep, level)) {
			KUNIT_EXPECT_TRUE_MSG(vm->test, !fmt_mmu_present(*sptep),
					      "rule B: the CPU rejects the SPTE %#018llx",
					      (unsigned long long)*sptep);
			return WALK_MISCONFIG;
		}
		if (fmt_is_leaf(*sptep, level))
			return walk_leaf(vm, c, w, sptep, level);
		if (w->speculative && (*sptep & f->accessed) != f->accessed)
			return WALK_FAULT;
		*sptep |= f->accessed;
		w->perm &= fmt_perm(f, *sptep);
		table = fmt_table(f, *sptep);
	}
}

static u64 error_code(const struct tdp_vm *vm, enum access access, unsigned int perm, bool rsvd)
{
	u64 code;

	if (vm->fmt.ept && rsvd)
		return PFERR_RSVD_MASK;
	code = access == ACCESS_WRITE ? PFERR_WRITE_MASK :
	       access == ACCESS_EXEC  ? PFERR_FETCH_MASK :
					0;
	if (!vm->fmt.ept || !code)
		code |= PFERR_USER_MASK;
	if (rsvd)
		code |= PFERR_RSVD_MASK | PFERR_PRESENT_MASK;
	if (perm)
		code |= PFERR_PRESENT_MASK;
	return code;
}

/* One attempt; false: it faults, with @code. */
static bool attempt(struct tdp_vm *vm, struct guest_cpu *c, u64 gfn, enum access access, u64 *pfn,
		    u64 *code)
{
	struct walk w = { .gfn = gfn, .access = access };
	struct tlb_entry *e = lookup(c, gfn);
	enum walked walked = WALK_DONE;

	if (!e || ((e->perm & need(access)) && access == ACCESS_WRITE && !e->dirty)) {
		walked = walk(vm, c, &w);
		if (walked == WALK_DONE) {
			drop(c, gfn);
			e = &c->tlb[c->next++ % VM_TLB];
			*e = w.e;
		}
	} else if (!(e->perm & need(access))) {
		walked = WALK_FAULT;
		w.perm = e->perm;
	}
	if (walked == WALK_DONE) {
		*pfn = e->pfn + (gfn - e->gfn);
		sim_point(POINT_MEMORY, 0, &sim_object_host, SIM_SITE);
		return true;
	}
	*code = error_code(vm, access, w.perm, walked == WALK_MISCONFIG);
	drop(c, gfn);
	return false;
}

/* An instruction, at whose end requests are taken. */
static bool execute(struct tdp_vm *vm, struct guest_cpu *c, u64 gfn, enum access access, u64 *pfn,
		    u64 *code)
{
	bool done;

	c->executing = true;
	done = attempt(vm, c, gfn, access, pfn, code);
	c->executing = false;
	if (c->stale)
		memset(c->tlb, 0, sizeof(c->tlb));
	c->stale = false;
	sim_poll();
	return done;
}

/* With a root, and what the entry flushes flushed; false: there is no root. */
static bool enter(struct tdp_vm *vm, struct guest_cpu *c)
{
	(void)vm;
	if (kvm_vcpu_enter_guest(c->vcpu))
		return false;
	if (c->flushes != kvm_vcpu_tlb_flushes(c->vcpu)) {
		memset(c->tlb, 0, sizeof(c->tlb));
		c->flushes = kvm_vcpu_tlb_flushes(c->vcpu);
	}
	return true;
}

/* KVM does the store itself, where there is memory that may be written. */
static u64 emulate(struct tdp_vm *vm, struct guest_cpu *c, u64 gfn, enum access access)
{
	const struct tdp_slot *s = vm_slot_of(vm, c->smm, gfn);

	if (access == ACCESS_WRITE && s && !(s->flags & TDP_READONLY))
		kvm_vcpu_mark_page_dirty(c->vcpu, gfn);
	return TDP_EMULATED;
}

static u64 access_page(struct tdp_vm *vm, struct guest_cpu *c, u64 gfn, enum access access)
{
	int faults, r;
	u64 pfn, code;

	for (faults = 0; faults < MAX_FAULTS; faults++) {
		if (!enter(vm, c))
			return TDP_NO_ROOT;
		if (execute(vm, c, gfn, access, &pfn, &code))
			return pfn;
		/* The exit comes before its reason is looked at. */
		guest_drain(vm);
		r = kvm_mmu_page_fault(c->vcpu, gfn << PAGE_SHIFT, code);
		KUNIT_EXPECT_TRUE_MSG(vm->test,
				      r != RET_PF_EMULATE || !(code & PFERR_RSVD_MASK) ||
					      kvm_vcpu_mmio_gfn(c->vcpu) == gfn,
				      "rule G: gfn %#llx is emulated, wanted %#llx",
				      (unsigned long long)kvm_vcpu_mmio_gfn(c->vcpu),
				      (unsigned long long)gfn);
		if (r == RET_PF_EMULATE || r == RET_PF_WRITE_PROTECTED)
			return emulate(vm, c, gfn, access);
		if (r < 0)
			return TDP_FAULT_ERROR;
		if (r == RET_PF_RETRY)
			sim_retry(SIM_SITE);
	}
	kunit_fail(vm->test, __FILE_NAME__, __LINE__, "the access to end",
		   "rule P: %d faults for gfn %#llx, and it is still not mapped", MAX_FAULTS,
		   (unsigned long long)gfn);
	return TDP_STUCK;
}

static u64 access_by(struct tdp_vm *vm, int vcpu, u64 gfn, enum access access)
{
	u64 found;

	vm_begin(vm);
	found = access_page(vm, &vm->cpu[vcpu], gfn, access);
	vm_end(vm);
	return found;
}

u64 tdp_read(struct tdp_vm *vm, int vcpu, u64 gfn)
{
	return access_by(vm, vcpu, gfn, ACCESS_READ);
}

u64 tdp_write(struct tdp_vm *vm, int vcpu, u64 gfn)
{
	return access_by(vm, vcpu, gfn, ACCESS_WRITE);
}

u64 tdp_exec(struct tdp_vm *vm, int vcpu, u64 gfn)
{
	return access_by(vm, vcpu, gfn, ACCESS_EXEC);
}

void tdp_speculate(struct tdp_vm *vm, int vcpu, u64 gfn)
{
	struct walk w = { .gfn = gfn, .access = ACCESS_READ, .speculative = true };
	struct guest_cpu *c = &vm->cpu[vcpu];

	vm_begin(vm);
	if (enter(vm, c) && !lookup(c, gfn) && walk(vm, c, &w) == WALK_DONE)
		c->tlb[c->next++ % VM_TLB] = w.e;
	vm_end(vm);
}

long tdp_prefault(struct tdp_vm *vm, int vcpu, u64 gfn, u64 pages)
{
	struct guest_cpu *c = &vm->cpu[vcpu];
	u64 first = gfn, end = gfn + pages;
	long r = 0;

	vm_begin(vm);
	while (gfn < end) {
		r = kvm_vcpu_enter_guest(c->vcpu);
		if (!r)
			r = kvm_arch_vcpu_pre_fault_memory(c->vcpu, gfn, end - gfn);
		if (r <= 0)
			break;
		gfn += r;
	}
	vm_end(vm);
	return gfn > first ? (long)(gfn - first) : r;
}
