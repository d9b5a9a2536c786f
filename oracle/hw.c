// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware: a vCPU's access goes through its TLB or a walk of the page tables, faults as the
 * manuals say, and leaves A and D bits and log entries behind.
 *
 * A TLB entry that does not permit an access faults without a new walk: a CPU may do that, and it
 * is what makes "spurious" faults. A write through an entry whose D bit is not known to be set
 * walks again.
 */
#include "hw.h"

#include <string.h>

#include "host.h"
#include "migrate.h"
#include "oracle_internal.h"
#include "mirror_internal.h"
#include "rules.h"

#define PFERR_PRESENT	(1ULL << 0)
#define PFERR_WRITE	(1ULL << 1)
#define PFERR_USER	(1ULL << 2)
#define PFERR_RSVD	(1ULL << 3)
#define PFERR_FETCH	(1ULL << 4)

enum walk_result { WALK_OK, WALK_VIOLATION, WALK_MISCONFIG, WALK_STOPPED };

/**
 * struct walk - a walk of the page tables
 * @perm: what the entries so far permit
 * @e: the translation, once found
 */
struct walk {
	uint64_t gfn;
	enum hw_access access;
	bool speculative;
	unsigned int perm;
	struct tlb_entry e;
};

void hw_reset(struct oracle *o)
{
	int i;

	o->nr_executing = 0;
	for (i = 0; i < PROG_MAX_VCPUS; i++) {
		struct vcpu *v = &o->vcpus[i];

		v->entered = v->must_load = v->switching = v->smm = v->guest_mode = false;
		v->executing = v->pending_exit = false;
		v->root = MIRROR_NONE;
		v->logged = v->drained = 0;
		v->nr_pending = 0;
		v->acked = 0;
		v->faults = 0;
		v->fault_gfn = NO_GFN;
		memset(v->tlb_victim, 0, sizeof(v->tlb_victim));
		memset(v->psc_victim, 0, sizeof(v->psc_victim));
		tlb_flush_all(v);
	}
}

static unsigned int need(enum hw_access access)
{
	return access == HW_WRITE ? FMT_W : access == HW_EXEC ? FMT_X : FMT_R;
}

static unsigned int point(struct oracle *o, enum oracle_point kind, int level, uint64_t pa)
{
	return o->env.point ? o->env.point(o->env.ctx, kind, level, pa) : 0;
}

/* ---- leaving the guest ---- */

/*
 * A VM exit: what the PML buffer holds goes to KVM. Handing over an entry may let other threads
 * run, the vCPU's own and those that kick it among them; each entry is handed over once, and who
 * comes last does not wait for those that others still have in hand: KVM's harvest does not either.
 */
void hw_exit_guest(struct oracle *o, int vcpu)
{
	struct vcpu *v = &o->vcpus[vcpu];
	const uint64_t end = v->logged;

	v->entered = false;
	while (v->drained < end)
		o->env.pml(o->env.ctx, vcpu, v->pml[v->drained++ % PML_ENTRIES]);
}

/* ---- instruction boundaries ---- */

static void begin_instruction(struct oracle *o, struct vcpu *v)
{
	v->executing = true;
	o->nr_executing++;
	v->thread = o->thread;
	if (!o->overlapped && oracle_others_call(o))
		oracle_overlap(o);
}

/*
 * An instruction boundary: interrupts are taken. The requests that came meanwhile take effect, and
 * whoever made them sees that before the exit is handled, as an IPI is acknowledged before KVM
 * looks at why the guest was left.
 */
static void end_instruction(struct oracle *o, struct vcpu *v, bool leave)
{
	uint32_t i;

	if (v->nr_pending == PENDING_ALL)
		tlb_flush_all(v);
	else
		for (i = 0; i < v->nr_pending; i++)
			tlb_flush_range(v, v->pending[i].gfn, v->pending[i].nr);
	leave |= v->pending_exit;
	v->nr_pending = 0;
	v->pending_exit = false;
	v->executing = false;
	o->nr_executing--;
	v->acked = o->requests;
	if (leave)
		hw_exit_guest(o, v - o->vcpus);
}

/* Ranges beyond what can be remembered become one flush of everything. */
static void pend_flush(struct vcpu *v, uint64_t gfn, uint64_t nr)
{
	if (!nr || v->nr_pending >= MAX_PENDING)
		v->nr_pending = PENDING_ALL;
	else
		v->pending[v->nr_pending++] = (struct pending_flush){ .gfn = gfn, .nr = nr };
}

/**
 * oracle_hw_ticket() - the last request made of all vCPUs
 * @o: oracle
 *
 * Return: its number, for oracle_hw_unacked().
 */
uint64_t oracle_hw_ticket(const struct oracle *o)
{
	return o->requests;
}

/**
 * oracle_hw_unacked() - who has not taken a request
 * @o: oracle
 * @vcpus: mask of vCPUs, as oracle_ev_flush() or oracle_ev_kick() returned it
 * @ticket: the request, as oracle_hw_ticket() gave it then
 *
 * Return: those of @vcpus that are still in the middle of the instruction that they were in.
 */
uint32_t oracle_hw_unacked(const struct oracle *o, uint32_t vcpus, uint64_t ticket)
{
	uint32_t left = 0;
	int i;

	for (i = 0; i < PROG_MAX_VCPUS; i++)
		if ((vcpus >> i & 1) && o->vcpus[i].executing && o->vcpus[i].acked < ticket)
			left |= 1u << i;
	return left;
}

/* Will the vCPU drop what it has cached of any of [@gfn, @gfn + @nr) when its instruction ends? */
bool hw_flush_pending(const struct vcpu *v, uint64_t gfn, uint64_t nr)
{
	uint32_t i;

	if (v->nr_pending == PENDING_ALL)
		return true;
	for (i = 0; i < v->nr_pending; i++) {
		const struct pending_flush *p = &v->pending[i];

		if (gfn < p->gfn ? p->gfn - gfn < nr : gfn - p->gfn < p->nr)
			return true;
	}
	return false;
}

/* Is some vCPU in the middle of an instruction that is not of the current thread? */
bool hw_others_executing(const struct oracle *o)
{
	int i;

	if (!o->nr_executing)
		return false;
	for (i = 0; i < PROG_MAX_VCPUS; i++)
		if (o->vcpus[i].executing && o->vcpus[i].thread != o->thread)
			return true;
	return false;
}

/* ---- entering the guest ---- */

static void load_root(struct oracle *o, int vcpu, uint64_t root)
{
	const uint64_t begun = oracle_call_step(o);
	struct vcpu *v = &o->vcpus[vcpu];
	struct mirror_table *t;

	if (root == MIRROR_NONE) {
		v->root = MIRROR_NONE;
		return;
	}
	t = mirror_table(o, root);
	if (t && t->live && v->root == root && v->root_gen == t->gen)
		return;
	t = mirror_load_root(o, root, v->smm, v->guest_mode,
			     begun < o->open_since ? begun : o->open_since);
	if (!t) {
		oracle_report(o, 'U', NO_GFN, 0, "vCPU %d loads a root page that is not allocated",
			      vcpu);
		v->root = MIRROR_NONE;
		return;
	}
	if (t->smm != v->smm || t->guest_mode != v->guest_mode)
		oracle_report(o, 'M', NO_GFN, 0, "vCPU %d loads the root of another mode", vcpu);
	/* KVM flushes the root's context when it loads it. */
	tlb_flush_all(v);
	v->root = root;
	v->root_gen = t->gen;
	v->must_load = false;
	o->progress++;
}

/* Calls that may put the vCPU's root, and load another. */
static bool is_vcpu_call(enum oracle_call_kind kind)
{
	switch (kind) {
	case CALL_PRE_FAULT:
	case CALL_ENTER_GUEST:
	case CALL_MMU_LOAD:
	case CALL_MMU_UNLOAD:
	case CALL_SET_MODE:
		return true;
	default:
		return false;
	}
}

/* A vCPU that calls the MMU is not in the guest. */
void hw_call_begin(struct oracle *o, const struct oracle_call *call)
{
	struct vcpu *v;
	int i;

	if (call->kind == CALL_DESTROY_VM) {
		for (i = 0; i < PROG_MAX_VCPUS; i++) {
			o->vcpus[i].root = MIRROR_NONE;
			o->vcpus[i].entered = false;
			o->vcpus[i].drained = o->vcpus[i].logged;
		}
		return;
	}
	if (!is_vcpu_call(call->kind) && call->kind != CALL_PAGE_FAULT)
		return;
	v = &o->vcpus[call->vcpu];
	if (v->entered || v->drained != v->logged)
		hw_exit_guest(o, call->vcpu);
	v->switching = is_vcpu_call(call->kind);
}

/*
 * KVM enters the guest only if no request has come since it looked: with interrupts off and the
 * vCPU marked as in guest mode it looks again, so that roots invalidated before that are seen here,
 * and after that by a kick.
 */
static bool let_in(struct oracle *o, struct vcpu *v, const struct oracle_call *call)
{
	if (call->ret || v->root == MIRROR_NONE || o->invalidated > oracle_call_step(o))
		return false;
	mirror_root_is_valid(mirror_table(o, v->root));
	return true;
}

void hw_call_end(struct oracle *o, const struct oracle_call *call)
{
	struct vcpu *v = &o->vcpus[call->vcpu];

	if (!is_vcpu_call(call->kind))
		return;
	v->switching = false;
	if (call->kind == CALL_SET_MODE && !call->ret) {
		v->smm = call->smm;
		v->guest_mode = call->guest_mode;
	}
	load_root(o, call->vcpu, call->root);
	if (call->kind == CALL_ENTER_GUEST)
		v->entered = let_in(o, v, call);
}

/*
 * A flush was requested. A vCPU outside the guest has acknowledged already and flushes before it
 * enters again; as it uses its caches in neither case, dropping the entries at once is the same.
 * One that is between two instructions takes the request there.
 */
uint32_t hw_flush(struct oracle *o, uint64_t gfn, uint64_t nr)
{
	uint32_t unacked = 0;
	int i;

	o->requests++;
	for (i = 0; i < PROG_MAX_VCPUS; i++) {
		struct vcpu *v = &o->vcpus[i];

		if (v->executing) {
			pend_flush(v, gfn, nr);
			unacked |= 1u << i;
		} else if (nr) {
			tlb_flush_range(v, gfn, nr);
		} else {
			tlb_flush_all(v);
		}
	}
	return unacked;
}

/*
 * The first slot that is logged makes the vCPUs log what they write from when they enter the guest
 * again; that call has yet to clear the D bits.
 */
static void note_logging(struct oracle *o)
{
	const struct oracle_call *call = oracle_in_call(o);
	struct thread_state *t = oracle_current(o);

	if (!call || call->kind != CALL_SET_REGION || !(call->region.flags & SLOT_LOG) || t->pml)
		return;
	t->pml = true;
	o->pml_early++;
}

/*
 * Every vCPU leaves the guest; with @drop_roots none enters again before it has loaded a new root.
 */
uint32_t hw_kick(struct oracle *o, bool drop_roots)
{
	uint32_t unacked = 0;
	int i;

	o->requests++;
	if (!drop_roots)
		note_logging(o);
	for (i = 0; i < PROG_MAX_VCPUS; i++) {
		struct vcpu *v = &o->vcpus[i];

		if (drop_roots && v->root != MIRROR_NONE)
			v->must_load = true;
		if (v->executing) {
			v->pending_exit = true;
			unacked |= 1u << i;
		}
	}
	/* Draining may let other threads run: the request has reached everybody before. */
	for (i = 0; i < PROG_MAX_VCPUS; i++) {
		struct vcpu *v = &o->vcpus[i];

		if (!v->executing && (v->entered || v->drained != v->logged))
			hw_exit_guest(o, i);
	}
	return unacked;
}

/* ---- the walk ---- */

/*
 * Page tables of this root are walked from the lowest cached non-leaf entry; sets *@level and
 * *@table.
 */
static bool walk_start(struct oracle *o, struct vcpu *v, struct walk *w, uint64_t *table,
		       int *level, uint32_t *gen)
{
	int vcpu = v - o->vcpus, l;

	for (l = 2; l <= o->vm.levels; l++) {
		struct psc_entry *e = psc_find(v, w->gfn, l);

		if (!e)
			continue;
		if (!rule_t_walk(o, vcpu, w->gfn, l, e)) {
			/*
			 * Reported: the walk goes on as the CPU would, unless there is nothing to
			 * read.
			 */
			struct mirror_table *t = mirror_table(o, e->table);

			if (!t || !t->live) {
				rule_u_table(o, w->gfn, e->table, "the hardware walker");
				return false;
			}
		}
		*table = e->table;
		*gen = e->table_gen;
		*level = l - 1;
		return true;
	}
	*table = v->root;
	*gen = v->root_gen;
	*level = o->vm.levels;
	return true;
}

static void cache_table(struct oracle *o, struct vcpu *v, struct walk *w, uint64_t pa,
			uint64_t spte, uint32_t pa_gen, int level)
{
	uint64_t table = fmt_table(&o->fmt, spte);
	struct mirror_table *t = mirror_at(o->mirror, table);
	/* The walk began below the levels for which there was an entry. */
	*psc_new(v, level) = (struct psc_entry){
		.gfn = w->gfn >> (9 * (level - 1)) << (9 * (level - 1)),
		.pa = pa,
		.spte = spte,
		.table = table,
		.unlinks = o->mirror->unlinks,
		.pa_gen = pa_gen,
		.table_gen = t ? t->gen : 0,
	};
}

/*
 * Sets bits of the entry that the walk read as @old; false if it changed meanwhile: read it again.
 */
static bool assist(struct oracle *o, uint64_t pa, int level, uint64_t old, uint64_t set)
{
	if ((old & set) == set)
		return true;
	point(o, ORACLE_POINT_ASSIST, level, pa);
	if (!o->env.cmpxchg_spte(o->env.ctx, pa, old, old | set))
		return false;
	o->step++;
	oracle_mix(o, pa, old | set);
	if (o->predict)
		model_ev_assist(o->model, pa, old, old | set);
	return true;
}

static void log_pml(struct oracle *o, struct vcpu *v, uint64_t gfn)
{
	/* Only what L1 runs is logged, and only while some slot wants to know. */
	if (!o->vm.pml || v->guest_mode || (!o->slots.nr_logging && !o->pml_early))
		return;
	/* The buffer is full: that is an exit of its own, after which the guest goes on. */
	if (v->logged - v->drained == PML_ENTRIES) {
		bool entered = v->entered;

		hw_exit_guest(o, v - o->vcpus);
		v->entered = entered;
	}
	v->pml[v->logged++ % PML_ENTRIES] = gfn;
}

static enum walk_result walk_leaf(struct oracle *o, struct vcpu *v, struct walk *w, uint64_t pa,
				  uint32_t gen, int level, uint64_t spte)
{
	uint64_t set = o->fmt.accessed;
	bool writes = w->access == HW_WRITE;

	if (!(w->perm & need(w->access)))
		return WALK_VIOLATION;
	if (writes)
		set |= o->fmt.dirty;
	if (w->speculative && (spte & set) != set)
		return WALK_VIOLATION;
	if (!assist(o, pa, level, spte, set))
		return WALK_STOPPED;
	if (level > 1 && (spte & set) != set)
		rule_m_lockless(o, pa, spte);
	if (writes && o->fmt.dirty && !(spte & o->fmt.dirty))
		log_pml(o, v, w->gfn);

	spte |= set;
	w->e = (struct tlb_entry){
		.gfn = w->gfn >> (9 * (level - 1)) << (9 * (level - 1)),
		.pfn = fmt_pfn(&o->fmt, spte) & ~((1ULL << (9 * (level - 1))) - 1),
		.leaf = pa,
		.spte = spte,
		.root = v->root,
		.unlinks = o->mirror->unlinks,
		.leaf_gen = gen,
		.level = level,
		.perm = w->perm,
		.dirty = !o->fmt.dirty || (spte & o->fmt.dirty),
	};
	return WALK_OK;
}

/* The entry at @level of the page at @table; WALK_STOPPED: there is no such page (any more). */
static enum walk_result walk(struct oracle *o, struct vcpu *v, struct walk *w)
{
	uint64_t table;
	uint32_t gen;
	int level;

	w->perm = 0;
	if (!walk_start(o, v, w, &table, &level, &gen))
		return WALK_STOPPED;
	w->perm = FMT_R | FMT_W | FMT_X;
	for (;;) {
		uint64_t pa = table + ((w->gfn >> (9 * (level - 1))) & 511) * 8;
		struct mirror_table *t = mirror_at(o->mirror, table);
		enum walk_result res;
		uint64_t spte;
		bool live;

		if (point(o, ORACLE_POINT_WALK, level, pa) & ORACLE_EVICT)
			tlb_flush_range(v, w->gfn, 1);
		spte = oracle_read_spte(o, pa, &live);
		if (!live || !t || t->gen != gen) {
			rule_u_table(o, w->gfn, pa, "the hardware walker");
			if (!live || !t) {
				w->perm = 0;
				return WALK_STOPPED;
			}
		}
		if (!fmt_hw_present(&o->fmt, spte)) {
			w->perm = 0;
			return WALK_VIOLATION;
		}
		if (fmt_hw_bad(&o->fmt, spte, level))
			return WALK_MISCONFIG;
		if (fmt_is_leaf(spte, level)) {
			unsigned int above = w->perm;

			w->perm &= fmt_perm(&o->fmt, spte);
			res = walk_leaf(o, v, w, pa, t->gen, level, spte);
			if (res != WALK_STOPPED)
				return res;
			w->perm = above;
			continue;	/* changed under us: read it again */
		}
		if (w->speculative && (spte & o->fmt.accessed) != o->fmt.accessed) {
			w->perm = 0;
			return WALK_VIOLATION;
		}
		if (!assist(o, pa, level, spte, o->fmt.accessed))
			continue;
		spte |= o->fmt.accessed;
		w->perm &= fmt_perm(&o->fmt, spte);
		cache_table(o, v, w, pa, spte, t->gen, level);
		table = fmt_table(&o->fmt, spte);
		t = mirror_at(o->mirror, table);
		gen = t ? t->gen : 0;
		level--;
	}
}

/* ---- accesses ---- */

static uint64_t error_code(const struct oracle *o, enum hw_access access, unsigned int perm,
			   bool rsvd)
{
	uint64_t code = 0;

	if (o->fmt.ept) {
		/*
		 * What KVM makes of an EPT misconfiguration, and of a violation's exit
		 * qualification.
		 */
		if (rsvd)
			return PFERR_RSVD;
		code = access == HW_READ  ? PFERR_USER :
		       access == HW_WRITE ? PFERR_WRITE :
					    PFERR_FETCH;
	} else {
		/* Every nested walk is a user walk. */
		code = PFERR_USER;
		if (access == HW_WRITE)
			code |= PFERR_WRITE;
		if (access == HW_EXEC)
			code |= PFERR_FETCH;
		if (rsvd)
			code |= PFERR_RSVD | PFERR_PRESENT;
	}
	if (perm)
		code |= PFERR_PRESENT;
	return code;
}

/*
 * An EPT violation or nested page fault: the exit drops what the vCPU has cached for the address.
 * It leaves the guest when the instruction ends.
 */
static enum hw_result fault(struct oracle *o, int vcpu, uint64_t gfn, enum hw_access access,
			    unsigned int perm, bool rsvd, struct hw_exit *exit)
{
	exit->gpa = gfn << 12;
	exit->error_code = error_code(o, access, perm, rsvd);
	oracle_mix(o, exit->gpa, exit->error_code);
	tlb_flush_range(&o->vcpus[vcpu], gfn, 1);
	rule_p_fault(o, vcpu, gfn, exit->error_code);
	return rsvd ? HW_MISCONFIG : HW_FAULT;
}

/* Check an access against the rules, and let the write be seen. */
static void use_memory(struct oracle *o, struct vcpu *v, int vcpu, uint64_t gfn,
		       enum hw_access access, struct tlb_entry *e, bool cached)
{
	struct hw_use use = {
		.v = v,
		.vcpu = vcpu,
		.gfn = gfn,
		.access = access,
		.e = e,
		.cached = cached,
	};
	const struct slot *slot = slots_find(&o->slots, v->smm, gfn);
	uint64_t hvn;
	bool ok = true;

	if (cached)
		ok = rule_t_use(o, &use);
	ok = rule_m_use(o, &use, &hvn) && ok;
	rule_w_use(o, &use);
	o->step++;
	o->progress++;
	oracle_mix(o, gfn << 2 | access, e->pfn);
	if (access != HW_WRITE || hvn == HOST_NO_FRAME)
		return;
	/* A store that went astray is not one to that page. */
	if (ok)
		host_written(o, hvn, false);
	if (slot)
		migrate_written(o, slot, gfn);
}

/*
 * The access is performed. A translation that is dropped meanwhile is missing from the next one on.
 */
static void perform(struct oracle *o, struct vcpu *v, int vcpu, uint64_t gfn, enum hw_access access,
		    struct tlb_entry *e, bool cached)
{
	bool evict = point(o, ORACLE_POINT_MEMORY, 0, gfn << 12) & ORACLE_EVICT;

	use_memory(o, v, vcpu, gfn, access, e, cached);
	if (evict)
		tlb_flush_range(v, gfn, 1);
}

static enum hw_result access_memory(struct oracle *o, struct vcpu *v, uint64_t gfn,
				    enum hw_access access, struct hw_exit *exit)
{
	struct walk w = { .gfn = gfn, .access = access };
	int vcpu = v - o->vcpus;
	struct tlb_entry *e;

	if (point(o, ORACLE_POINT_TLB, 0, gfn << 12) & ORACLE_EVICT)
		tlb_flush_range(v, gfn, 1);

	e = tlb_find(v, gfn);
	if (e && !(e->perm & need(access)))
		return fault(o, vcpu, gfn, access, e->perm, false, exit);
	if (e && (access != HW_WRITE || e->dirty)) {
		perform(o, v, vcpu, gfn, access, e, true);
		return HW_DONE;
	}

	switch (walk(o, v, &w)) {
	case WALK_OK:
		e = tlb_insert(v, &w.e);
		perform(o, v, vcpu, gfn, access, e, false);
		return HW_DONE;
	case WALK_MISCONFIG:
		return fault(o, vcpu, gfn, access, w.perm, true, exit);
	default:
		return fault(o, vcpu, gfn, access, w.perm, false, exit);
	}
}

/**
 * oracle_hw_access() - a guest access
 * @o: oracle
 * @vcpu: number of the vCPU
 * @gfn: guest page
 * @access: read, write or instruction fetch
 * @exit: filled unless the access was performed
 *
 * Other threads may run at the points inside. Nobody but the vCPU itself changes its caches
 * meanwhile: requests wait for the end of the instruction.
 *
 * Return: HW_DONE, or why the vCPU left guest mode; HW_NO_ROOT if it may not run at all.
 */
enum hw_result oracle_hw_access(struct oracle *o, int vcpu, uint64_t gfn, enum hw_access access,
				struct hw_exit *exit)
{
	struct vcpu *v = &o->vcpus[vcpu];
	enum hw_result res;

	if (v->root == MIRROR_NONE || v->must_load || !v->entered)
		return HW_NO_ROOT;
	begin_instruction(o, v);
	res = access_memory(o, v, gfn, access, exit);
	end_instruction(o, v, res != HW_DONE);
	return res;
}

/**
 * oracle_hw_speculate() - a vCPU looks ahead
 * @o: oracle
 * @vcpu: number of the vCPU
 * @gfn: guest page
 *
 * Fills the paging-structure cache as far as the walk gets, and the TLB if it gets to the end
 * without having to set a bit; never faults.
 */
void oracle_hw_speculate(struct oracle *o, int vcpu, uint64_t gfn)
{
	struct vcpu *v = &o->vcpus[vcpu];
	struct walk w = { .gfn = gfn, .access = HW_READ, .speculative = true };

	if (v->root == MIRROR_NONE || v->must_load || !v->entered || tlb_find(v, gfn))
		return;
	begin_instruction(o, v);
	if (walk(o, v, &w) == WALK_OK)
		tlb_insert(v, &w.e);
	end_instruction(o, v, false);
}

/**
 * oracle_hw_emulated_write() - KVM did a guest's store by itself
 * @o: oracle
 * @vcpu: number of the vCPU
 * @gfn: guest page
 *
 * KVM stores through the VMM's address space, so that the host sees the page become dirty.
 *
 * Return: false if there is no memory that KVM may write: no slot, a read-only one, or a device's.
 */
bool oracle_hw_emulated_write(struct oracle *o, int vcpu, uint64_t gfn)
{
	const struct slot *slot = slots_find(&o->slots, o->vcpus[vcpu].smm, gfn);
	bool writable;
	uint64_t pfn, hvn;

	if (!slot || (slot->desc.flags & SLOT_RO))
		return false;
	hvn = slot->desc.hvn + (gfn - slot->desc.base);
	if (host_frame(o, hvn) == HOST_NO_FRAME) {
		bool predict = o->predict;
		int ret;

		/*
		 * The copy to user space faults the page in by itself; the MMU does not hear of it.
		 */
		o->predict = false;
		ret = oracle_host_fault_in(o, hvn, true, &writable, &pfn);
		o->predict = predict;
		if (ret)
			return false;
	}
	o->step++;
	oracle_mix(o, gfn, ~0ULL);
	host_written(o, hvn, true);
	migrate_written(o, slot, gfn);
	return true;
}
