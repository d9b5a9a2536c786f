// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU: what the hardware does with a guest's accesses. In guest mode it uses what it has cached, walks
 * the page tables with atomic updates of A and D, and looks between two accesses whether somebody wants it
 * out. What it does with memory is checked there and then, since whatever it may use cannot go away meanwhile.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "stress.h"

enum walk_result { WALK_OK, WALK_VIOLATION, WALK_MISCONFIG, WALK_AGAIN };

/* ---- what libtdp asks of the hardware ---- */

static void flush(void *guest, gfn_t gfn, u64 nr)
{
	tlb_flush(&((struct stress_vcpu *)guest)->tlb, gfn, nr);
}

static void log_dirty(void *guest, bool on)
{
	((struct stress_vcpu *)guest)->logs = on;
}

static const struct tdp_guest_ops guest_ops = { .flush = flush, .log_dirty = log_dirty };

/* ---- entering and leaving ---- */

static bool enter(struct stress_vcpu *v)
{
	const int r = kvm_vcpu_guest_enter(v->vcpu);

	if (r)
		violation(v->stress, 'P', NO_PAGE, "vCPU %u cannot enter the guest: %d", v->id, r);
	v->root = kvm_vcpu_root_hpa(v->vcpu);
	v->in_guest = !r;
	return !r;
}

/* An exit hands over what was logged. */
static void leave(struct stress_vcpu *v)
{
	unsigned int i;

	kvm_vcpu_guest_exit(v->vcpu);
	v->in_guest = false;
	for (i = 0; i < v->logged; i++)
		kvm_vcpu_mark_page_dirty(v->vcpu, v->pml[i]);
	v->logged = 0;
}

/* ---- the walk ---- */

static uint64_t read_spte(uint64_t *sptep)
{
	return __atomic_load_n(sptep, __ATOMIC_ACQUIRE);
}

/* Sets bits of an entry; false if it is not @old any more. */
static bool assist(uint64_t *sptep, uint64_t *old, uint64_t set)
{
	uint64_t expected = *old;

	if ((expected & set) == set)
		return true;
	if (!__atomic_compare_exchange_n(sptep, &expected, expected | set, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		return false;
	*old |= set;
	return true;
}

static unsigned int need(enum access access)
{
	return access == ACCESS_WRITE ? FMT_W : access == ACCESS_EXEC ? FMT_X : FMT_R;
}

/* What is cached of a leaf; with W only where the next write need not set D any more. */
static void fill(struct stress_vcpu *v, uint64_t gfn, uint64_t spte, int level, unsigned int perm,
		 struct tlb_entry *e)
{
	const struct format *f = &v->stress->fmt;
	const uint64_t pages = 1ULL << 9 * (level - 1);

	if (f->dirty && !(spte & f->dirty))
		perm &= ~FMT_W;
	*e = (struct tlb_entry){
		.gfn = gfn,
		.pfn = (fmt_pfn(f, spte) & -pages) + (gfn & (pages - 1)),
		.level = level,
		.perm = perm,
	};
	*tlb_slot(&v->tlb, gfn) = *e;
}

/* @perm: in: what the entries above grant; result: what all do */
static enum walk_result walk_leaf(struct stress_vcpu *v, uint64_t gfn, enum access access,
				  uint64_t *sptep, uint64_t spte, int level, unsigned int *perm,
				  struct tlb_entry *e)
{
	const struct format *f = &v->stress->fmt;
	const bool writes = access == ACCESS_WRITE;
	const bool logs = writes && v->logs && !v->guest_mode && !(spte & f->dirty);
	const unsigned int granted = *perm & fmt_perm(f, spte);

	if (!(granted & need(access))) {
		*perm = granted;
		return WALK_VIOLATION;
	}
	if (!assist(sptep, &spte, f->accessed | (writes ? f->dirty : 0)))
		return WALK_AGAIN;
	if (logs)
		v->pml[v->logged++] = gfn;
	fill(v, gfn, spte, level, granted, e);
	return WALK_OK;
}

static enum walk_result walk(struct stress_vcpu *v, uint64_t gfn, enum access access,
			     unsigned int *perm, struct tlb_entry *e)
{
	const struct format *f = &v->stress->fmt;
	struct psc_entry *psc = psc_slot(&v->tlb, gfn);
	int level = v->stress->opt.vm.levels;
	uint64_t table = v->root;

	*perm = FMT_R | FMT_W | FMT_X;
	if (psc->gfn == (gfn & -PAGES_2M)) {
		table = psc->table;
		level = PG_LEVEL_4K;
	}
	for (;;) {
		uint64_t *sptep = tdp_spte_at(table + (gfn >> 9 * (level - 1) & 511) * 8);
		uint64_t spte = sptep ? read_spte(sptep) : 0;
		enum walk_result res;

		if (!sptep)
			violation(v->stress, 'U', gfn, "vCPU %u finds no page table at %#lx", v->id,
				  table);
		if (!fmt_hw_present(f, spte)) {
			*perm = 0;
			return WALK_VIOLATION;
		}
		if (fmt_hw_bad(f, spte, level)) {
			if (!fmt_is_mmio(f, spte))
				violation(v->stress, 'B', gfn,
					  "vCPU %u meets %016lx at level %d, with reserved bits",
					  v->id, spte, level);
			return WALK_MISCONFIG;
		}
		if (fmt_is_leaf(spte, level)) {
			res = walk_leaf(v, gfn, access, sptep, spte, level, perm, e);
			if (res != WALK_AGAIN)
				return res;
			continue;
		}
		if (!assist(sptep, &spte, f->accessed))
			continue;
		*perm &= fmt_perm(f, spte);
		table = fmt_table(f, spte);
		level--;
		if (level == PG_LEVEL_4K)
			*psc = (struct psc_entry){ .gfn = gfn & -PAGES_2M, .table = table };
	}
}

/* ---- memory ---- */

static void read_word(struct stress_vcpu *v, uint64_t gfn, struct frame *frame, uint64_t hvn)
{
	const unsigned int next = (v->id + 1) % v->stress->opt.vcpus;
	uint64_t val = LOAD(&frame->word[v->id]);

	if (val != v->written[hvn])
		violation(v->stress, 'T', gfn, "vCPU %u reads %lu where it wrote %lu last", v->id,
			  val, v->written[hvn]);
	val = LOAD(&frame->word[next]);
	if (val < v->seen[hvn])
		violation(v->stress, 'T', gfn, "vCPU %u reads %lu of vCPU %u's after %lu", v->id,
			  val, next, v->seen[hvn]);
	v->seen[hvn] = val;
}

/**
 * struct known - what was known before an access, to be held against what is known after it
 * @slot: the slot's state; @hvn: page that it has there
 * @tracked: the gfn that is write-tracked
 * @nx: the NX mitigation
 */
struct known {
	uint64_t slot, hvn;
	uint64_t tracked;
	uint64_t nx;
};

static struct known what_is_known(struct stress *s, uint64_t gfn)
{
	struct known k = { .tracked = LOAD(&s->tracked), .nx = LOAD(&s->nx) };

	k.slot = slots_look(s, gfn, &k.hvn);
	return k;
}

/* The vCPU is in the guest: who takes something away from it waits until it is not. */
static void use_memory(struct stress_vcpu *v, uint64_t gfn, enum access access,
		       const struct tlb_entry *e, const struct known *before)
{
	struct stress *s = v->stress;
	struct frame *frame = frame_at(&s->host.frames, e->pfn);
	const uint64_t owner = frame ? LOAD(&frame->owner) : 0;
	struct known after;

	if (!owner) {
		violation(s, 'U', gfn,
			  "vCPU %u uses frame %#lx, which is nobody's, by an entry of level %d",
			  v->id, e->pfn, e->level);
		return;
	}
	if (access == ACCESS_WRITE)
		STORE(&frame->word[v->id], ++v->written[owner - 1]);
	else
		read_word(v, gfn, frame, owner - 1);

	after = what_is_known(s, gfn);
	if (after.slot == before->slot && !(after.slot & SLOT_CHANGES) && after.hvn != owner - 1)
		violation(s, after.hvn == NO_PAGE ? 'N' : 'M', gfn,
			  "vCPU %u uses host page %#lx there, by frame %#lx at level %d", v->id,
			  owner - 1, e->pfn, e->level);
	if (access == ACCESS_WRITE && after.tracked == before->tracked &&
	    after.tracked == known_on(after.tracked, gfn))
		violation(s, 'W', gfn, "vCPU %u writes what is tracked", v->id);
	if (access == ACCESS_EXEC && after.nx == before->nx && after.nx == known_on(after.nx, 0) &&
	    e->level > PG_LEVEL_4K)
		violation(s, 'X', gfn, "vCPU %u executes from a huge page", v->id);
}

static uint64_t error_code(const struct stress *s, enum access access, unsigned int perm, bool rsvd)
{
	const uint64_t how = access == ACCESS_WRITE ? PFERR_WRITE_MASK :
			     access == ACCESS_EXEC  ? PFERR_FETCH_MASK :
						      0;

	if (s->fmt.ept) {
		if (rsvd)
			return PFERR_RSVD_MASK;
		return (how ?: PFERR_USER_MASK) | (perm ? PFERR_PRESENT_MASK : 0);
	}
	return PFERR_USER_MASK | how | (perm ? PFERR_PRESENT_MASK : 0) |
	       (rsvd ? PFERR_RSVD_MASK | PFERR_PRESENT_MASK : 0);
}

/* The access is done, or faults with *@code. */
static bool try_access(struct stress_vcpu *v, uint64_t gfn, enum access access, uint64_t *code)
{
	const struct known before = what_is_known(v->stress, gfn);
	struct tlb_entry e = *tlb_slot(&v->tlb, gfn);
	unsigned int perm;
	enum walk_result res = WALK_OK;

	/* Of two ways to go by an entry that does not permit it, a walk is the kinder to KVM. */
	if (e.gfn != gfn || !(e.perm & need(access)))
		res = walk(v, gfn, access, &perm, &e);
	if (res == WALK_OK) {
		use_memory(v, gfn, access, &e, &before);
		return true;
	}
	*code = error_code(v->stress, access, perm, res == WALK_MISCONFIG);
	tlb_flush(&v->tlb, gfn, 1);
	return false;
}

/* ---- exits ---- */

/* KVM stores what the guest may not, if there is memory. */
static bool emulate(struct stress_vcpu *v, uint64_t gfn, enum access access)
{
	struct stress *s = v->stress;
	uint64_t hvn, state;

	if (access != ACCESS_WRITE)
		return false;
	pthread_rwlock_rdlock(&s->slots.emulation);
	state = slots_look(s, gfn, &hvn);
	if (hvn != NO_PAGE && !(state & SLOT_CHANGES)) {
		if (host_write(&s->host, hvn, v->id, ++v->written[hvn]))
			kvm_vcpu_mark_page_dirty(v->vcpu, gfn);
		else
			violation(s, 'P', gfn, "the machine has no frame");
	}
	pthread_rwlock_unlock(&s->slots.emulation);
	return hvn != NO_PAGE;
}

/* Whether the access is to be tried again. */
static bool fault(struct stress_vcpu *v, uint64_t gfn, uint64_t code)
{
	const struct known before = what_is_known(v->stress, gfn);
	struct known after;
	int r;

	COUNT(&v->faults);
	STORE(&v->in, "page fault");
	r = kvm_mmu_page_fault(v->vcpu, gfn << 12, code);
	STORE(&v->in, NULL);
	switch (r) {
	case RET_PF_RETRY:
		/* Whoever is in the way may need this CPU. */
		COUNT(&v->retries);
		sched_yield();
		return true;
	case RET_PF_FIXED:
	case RET_PF_SPURIOUS:
		return true;
	case RET_PF_EMULATE:
		after = what_is_known(v->stress, gfn);
		if (after.slot == before.slot && !(after.slot & SLOT_CHANGES) &&
		    after.hvn != NO_PAGE)
			violation(v->stress, 'G', gfn,
				  "vCPU %u's access to memory is taken for MMIO", v->id);
		return false;
	case RET_PF_WRITE_PROTECTED:
		return false;
	default:
		violation(v->stress, 'P', gfn, "vCPU %u's fault with code %#lx is answered by %d",
			  v->id, code, r);
		return false;
	}
}

static bool access_memory(struct stress_vcpu *v, uint64_t gfn, enum access access)
{
	while (!stress_done(v->stress) && (v->in_guest || enter(v))) {
		uint64_t code;
		const bool done = try_access(v, gfn, access, &code);

		if (!done || kvm_vcpu_must_exit(v->vcpu) || v->logged == PML_ENTRIES)
			leave(v);
		if (done)
			return true;
		if (!fault(v, gfn, code))
			return emulate(v, gfn, access);
	}
	return false;
}

/**
 * vcpu_access() - one access, with all exits that it takes
 * @v: the vCPU; outside of the guest or inside, before and after
 * @gfn: guest frame
 * @access: what for
 *
 * Who watches notices one that never ends.
 *
 * Return: it was done; false: there is no memory, or the stress is over.
 */
bool vcpu_access(struct stress_vcpu *v, uint64_t gfn, enum access access)
{
	bool done;

	STORE(&v->at, gfn);
	done = access_memory(v, gfn, access);
	COUNT(&v->accesses);
	return done;
}

/* Now and then the guest runs a guest of its own, which has other page tables. */
void vcpu_switch_mode(struct stress_vcpu *v)
{
	if (v->in_guest)
		leave(v);
	v->guest_mode = !v->guest_mode;
	kvm_vcpu_set_mode(v->vcpu, false, v->guest_mode);
}

void *vcpu_thread(void *arg)
{
	struct stress_vcpu *v = arg;
	struct rest *rest = &v->stress->rest;

	while (!stress_done(v->stress)) {
		workload_run(v);
		if (rest_wanted(rest, GROUP_VCPUS) && v->in_guest)
			leave(v);
		rest_here(rest, GROUP_VCPUS);
	}
	if (v->in_guest)
		leave(v);
	rest_leave(rest, GROUP_VCPUS);
	return NULL;
}

int vcpu_init(struct stress *s, unsigned int id)
{
	struct stress_vcpu *v = &s->vcpus[id];
	int r;

	v->stress = s;
	v->id = id;
	v->rng.state = s->opt.seed * 1000 + id;
	tlb_flush(&v->tlb, 0, 0);
	v->written = calloc(s->opt.pages, sizeof(*v->written));
	v->seen = calloc(s->opt.pages, sizeof(*v->seen));
	if (!v->written || !v->seen)
		return -ENOMEM;
	r = kvm_create_vcpu(s->kvm, &v->vcpu);
	return r ?: kvm_vcpu_set_guest(v->vcpu, &guest_ops, v);
}

void vcpu_destroy(struct stress_vcpu *v)
{
	free(v->written);
	free(v->seen);
}
