// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lifecycle, dispatch of events and calls to the parts, violations, and the hash over everything.
 */
#include "oracle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "map.h"
#include "migrate.h"
#include "mirror_internal.h"
#include "oracle_internal.h"
#include "rules.h"

/* ---- lifecycle ---- */

/**
 * oracle_create() - an oracle, to be reset before use
 *
 * Return: the oracle; never NULL, the program ends when there is no memory.
 */
struct oracle *oracle_create(void)
{
	struct oracle *o = oracle_alloc(1, sizeof(*o));

	o->mirror = mirror_create();
	o->host = host_create();
	o->migrate = migrate_create();
	o->model = model_create();
	map_init(&o->born);
	return o;
}

/**
 * oracle_destroy() - free an oracle
 * @o: oracle, may be NULL
 */
void oracle_destroy(struct oracle *o)
{
	if (!o)
		return;
	map_free(&o->born);
	model_destroy(o->model);
	migrate_destroy(o->migrate);
	host_destroy(o->host);
	mirror_destroy(o->mirror);
	free(o);
}

static const uint64_t *model_sptep(void *ctx, uint64_t pa)
{
	struct oracle *o = ctx;

	return o->env.sptep(o->env.ctx, pa);
}

static int model_mapping_level(void *ctx, uint64_t hvn)
{
	return oracle_host_mapping_level(ctx, hvn);
}

static bool model_is_mmio_pfn(void *ctx, uint64_t pfn)
{
	return oracle_host_is_mmio_pfn(ctx, pfn);
}

static void model_report(void *ctx, char rule, uint64_t gfn, uint64_t spte, const char *text)
{
	oracle_report(ctx, rule, gfn, spte, "%s", text);
}

/**
 * oracle_reset() - start over for a new VM
 * @o: oracle
 * @vm: its description; copied
 * @env: the machine that holds its page tables; copied
 *
 * Keeps all memory; costs what the last program touched.
 */
void oracle_reset(struct oracle *o, const struct vm_desc *vm, const struct oracle_env *env)
{
	const struct model_env model_env = {
		.ctx = o,
		.sptep = model_sptep,
		.mapping_level = model_mapping_level,
		.is_mmio_pfn = model_is_mmio_pfn,
		.report = model_report,
	};
	uint32_t i;

	o->vm = *vm;
	o->env = *env;
	format_init(&o->fmt, vm);
	o->nx_huge_pages = vm->nx_huge_pages;
	mirror_reset(o);
	host_reset(o);
	migrate_reset(o->migrate);
	hw_reset(o);
	slots_init(&o->slots, vm->gen);

	o->thread = ORACLE_MAX_THREADS - 1;
	o->current = &o->threads[o->thread];
	o->op = 0;
	o->step = 0;
	o->progress = 0;
	o->hash = 0x74647000;
	o->sum = 0;
	o->destroyed = false;
	o->brackets = 0;
	o->requests = 0;
	o->hash_points = false;
	for (i = 0; i < ORACLE_MAX_THREADS; i++) {
		o->threads[i].depth = 0;
		o->threads[i].frozen = MIRROR_NONE;
		o->threads[i].locks = o->threads[i].rcu = 0;
		o->threads[i].invalidations = 0;
		o->threads[i].pml = false;
		o->threads[i].nr_owed = 0;
		o->threads[i].lookup.step = 0;
	}
	o->calls_open = 0;
	o->invalidations = 0;
	o->regions_open = 0;
	o->region_step = 0;
	o->region_orders = 0;
	memset(o->slot_order, 0, sizeof(o->slot_order));
	o->overlapped = false;
	o->nr_stale = 0;
	o->nr_lockless = 0;
	map_clear(&o->born);
	o->open_since = 0;
	o->invalidated = 0;
	o->nr_tracked = 0;
	o->pml_early = 0;
	o->nr_nx_splits = o->nr_nx_maybe = 0;
	o->nx_open = 0;
	o->nx_step = 0;
	o->nx_unsure = false;
	o->track_open = 0;
	o->track_step = 0;
	o->track_unsure = false;
	o->nr_violations = 0;

	model_reset(o->model, vm, &model_env);
	o->predict = true;
}

void oracle_set_prediction(struct oracle *o, bool on)
{
	if (o->predict && !on)
		model_stop(o->model);
	o->predict = on;
}

void oracle_set_thread(struct oracle *o, int thread, uint32_t op)
{
	o->thread = thread < 0 || thread >= PROG_MAX_THREADS ? ORACLE_MAX_THREADS - 1 : thread;
	o->current = &o->threads[o->thread];
	o->op = op;
}

uint64_t oracle_progress(const struct oracle *o)
{
	return o->progress;
}

/* ---- findings ---- */

uint32_t oracle_nr_violations(const struct oracle *o)
{
	return o->nr_violations < ORACLE_MAX_VIOLATIONS ? o->nr_violations : ORACLE_MAX_VIOLATIONS;
}

const struct oracle_violation *oracle_violation(const struct oracle *o, uint32_t i)
{
	return i < oracle_nr_violations(o) ? &o->violations[i] : NULL;
}

uint64_t oracle_hash(const struct oracle *o)
{
	return (o->hash ^ o->sum ^ o->brackets) * 0x9fb21c651e98df25ULL;
}

void oracle_hash_points(struct oracle *o, bool on)
{
	o->hash_points = on;
}

/**
 * oracle_report() - a rule was broken
 * @o: oracle
 * @rule: its letter
 * @gfn: guest page concerned, ~0 if none
 * @spte: SPTE concerned, 0 if none
 * @fmt: one sentence
 *
 * The first ORACLE_MAX_VIOLATIONS are kept.
 */
void oracle_report(struct oracle *o, char rule, uint64_t gfn, uint64_t spte, const char *fmt, ...)
{
	struct oracle_violation *v;
	va_list ap;

	if (o->nr_violations++ >= ORACLE_MAX_VIOLATIONS)
		return;
	v = &o->violations[o->nr_violations - 1];
	v->rule = rule;
	v->gfn = gfn;
	v->spte = spte;
	v->thread = o->thread == ORACLE_MAX_THREADS - 1 ? -1 : o->thread;
	v->op = o->op;
	v->step = o->step;
	va_start(ap, fmt);
	vsnprintf(v->text, sizeof(v->text), fmt, ap);
	va_end(ap);
	oracle_mix(o, rule, gfn);
}

/* ---- events ---- */

static void spte_rules(struct oracle *o, const struct spte_event *ev)
{
	rule_t_spte(o, ev);
	rule_x_spte(o, ev);
	rule_b_spte(o, ev);
	rule_g_spte(o, ev);
	rule_m_spte(o, ev);
	rule_w_spte(o, ev);
}

/*
 * The MMU writes an entry of the top level into a page that is no root yet: a prefault has loaded
 * one, which will be known by its end.
 */
static void find_root(struct oracle *o, struct mirror_table *t)
{
	const struct oracle_call *call = oracle_in_call(o);
	const struct vcpu *v;

	if (!call || (call->kind != CALL_PRE_FAULT && call->kind != CALL_PAGE_FAULT))
		return;
	v = &o->vcpus[call->vcpu];
	mirror_load_root(o, t->pa, v->smm, v->guest_mode, o->open_since);
}

static bool is_removed(const struct mirror_table *t)
{
	return t && t->live && !t->linked && !t->is_root;
}

/* Such are told one by one, or as a run. */
static void add_frozen(struct oracle *o, enum oracle_how how, uint64_t pa, int level, int n,
		       uint64_t old, uint64_t step)
{
	oracle_add(o, n, pa << 8 | how << 4 | level << 1, 8 << 8, old, step);
}

/**
 * oracle_ev_spte() - an SPTE was written, or a compare-and-exchange of one failed
 * @o: oracle
 * @how: kind of access; ORACLE_INIT: into a table that nobody can see yet
 * @pa: address of the SPTE
 * @level: of the SPTE, as the MMU has it
 * @old: value found
 * @val: value written, or to be written
 * @ok: it was
 */
void oracle_ev_spte(struct oracle *o, enum oracle_how how, uint64_t pa, int level, uint64_t old,
		    uint64_t val, bool ok)
{
	struct mirror_table *t = mirror_at(o->mirror, pa);
	struct spte_event ev;

	o->step++;
	if (val == o->fmt.frozen && ok && is_removed(t)) {
		/*
		 * Freezing what is empty in a removed table, 512 times a table, changes nothing
		 * that anybody looks at; nor can it break a rule.
		 */
		if (old == o->fmt.nonpresent) {
			o->sum++;
			return;
		}
		add_frozen(o, how, pa, level, 1, old, 0);
	} else {
		oracle_mix(o, pa << 8 | how << 4 | level << 1 | ok, old ^ val * 3);
		if (!ok)
			return;
	}
	if (!t || !t->live) {
		rule_u_table(o, NO_GFN, pa, "the MMU");
		return;
	}
	if (how == ORACLE_INIT) {
		if (t->linked)
			oracle_report(o, 'U', mirror_entry_gfn(t, pa), val,
				      "a page table is initialised after it was linked");
		mirror_init(t, pa, level, val);
		if (o->predict)
			model_ev_spte(o->model, pa);
		return;
	}
	if (!t->level && level == o->vm.levels && ok)
		find_root(o, t);
	ev = (struct spte_event){
		.how = how,
		.t = t,
		.pa = pa,
		.level = t->level ? t->level : level,
		.old = old,
		.val = val,
		.was = fmt_mmu_present(old),
		.is = fmt_mmu_present(val),
	};
	ev.gfn = t->level ? mirror_entry_gfn(t, pa) : NO_GFN;
	ev.was_leaf = ev.was && fmt_is_leaf(old, ev.level);
	ev.is_leaf = ev.is && fmt_is_leaf(val, ev.level);
	if (ev.level != level)
		oracle_report(o, 'M', ev.gfn, val,
			      "an SPTE of level %d is written as one of level %d", ev.level, level);
	rule_a_spte(o, &ev);
	if (ev.is && t->unsure)
		mirror_root_is_valid(t);
	if (old != val) {
		o->progress++;
		mirror_spte(o, t, pa, ev.level, old, val);
		if (t->level)
			spte_rules(o, &ev);
	}
	if (o->predict)
		model_ev_spte(o->model, pa);
}

/*
 * Are these @n SPTEs of a removed table 4K leaves that may be written like this, and differ by
 * nothing but their frame?
 */
static bool freezes_leaves(const struct oracle *o, const struct mirror_table *t,
			   enum oracle_how how, int level, int n, uint64_t first, uint64_t step)
{
	const uint64_t last = first + (n - 1) * step;

	return t->level == 1 && level == 1 && step == 1ULL << 12 && fmt_mmu_present(first) &&
	       !((first ^ last) & ~o->fmt.pa_mask) &&
	       (how == ORACLE_XCHG || (how == ORACLE_WRITE && !fmt_volatile(&o->fmt, first)));
}

/*
 * All that oracle_ev_spte() would do for each of them; what is frozen breaks no other rule than A.
 */
static void leaves_frozen(struct oracle *o, struct mirror_table *t, enum oracle_how how,
			  uint64_t pa, int n, uint64_t first, uint64_t step)
{
	o->step += n;
	o->progress += n;
	add_frozen(o, how, pa, t->level, n, first, step);
	mirror_leaves_gone(o, t, pa, n);
	if (o->predict)
		model_ev_sptes(o->model, pa, n);
}

/**
 * oracle_ev_init() - entries of a page table that nobody can see yet were written in one go
 * @o: oracle
 * @pa: address of the first
 * @level: of the SPTEs, as the MMU has it
 * @n: how many
 * @first: value of the first
 * @step: what each one's is above that of the one before
 *
 * The same as that many oracle_ev_spte() of kind ORACLE_INIT, but for the hash: it takes in what
 * is said here once.
 */
void oracle_ev_init(struct oracle *o, uint64_t pa, int level, int n, uint64_t first, uint64_t step)
{
	struct mirror_table *t = mirror_at(o->mirror, pa);

	o->step += n;
	oracle_mix(o, pa << 8 | ORACLE_INIT << 4 | level << 1 | 1, first);
	oracle_mix(o, n, step);
	if (!t || !t->live) {
		rule_u_table(o, NO_GFN, pa, "the MMU");
		return;
	}
	if (t->linked)
		oracle_report(o, 'U', mirror_entry_gfn(t, pa), first,
			      "a page table is initialised after it was linked");
	mirror_init_run(t, pa, level, n, first, step);
	if (o->predict)
		model_ev_sptes(o->model, pa, n);
}

/**
 * oracle_ev_freeze() - a run of SPTEs of one page was given one value
 * @o: oracle
 * @how: kind of access
 * @pa: address of the first
 * @level: of the SPTEs, as the MMU has it
 * @n: how many
 * @first: what the first one held
 * @step: how much more each other one held than the one before
 * @frozen: what they hold
 *
 * The same as that many oracle_ev_spte().
 */
void oracle_ev_freeze(struct oracle *o, enum oracle_how how, uint64_t pa, int level, int n,
		      uint64_t first, uint64_t step, uint64_t frozen)
{
	struct mirror_table *t = mirror_at(o->mirror, pa);
	const bool removed = frozen == o->fmt.frozen && is_removed(t);
	int i;

	if (removed && first == o->fmt.nonpresent && !step) {
		o->step += n;
		o->sum += n;
	} else if (removed && freezes_leaves(o, t, how, level, n, first, step)) {
		leaves_frozen(o, t, how, pa, n, first, step);
	} else {
		for (i = 0; i < n; i++)
			oracle_ev_spte(o, how, pa + i * 8, level, first + i * step, frozen, true);
	}
}

/**
 * oracle_ev_page_alloc() - a page-table page was allocated
 * @o: oracle
 * @pa: its address
 * @fill: value of every entry
 */
void oracle_ev_page_alloc(struct oracle *o, uint64_t pa, uint64_t fill)
{
	struct mirror_table *t = mirror_table(o, pa);

	o->step++;
	oracle_mix(o, pa, fill);
	if (pa < MIRROR_PT_PA || pa >= MIRROR_PT_END || (t && t->live)) {
		oracle_report(o, 'U', NO_GFN, 0,
			      "page 0x%llx is allocated as a page table, but is none or in use",
			      (unsigned long long)pa);
		return;
	}
	mirror_alloc(o, pa, fill);
	if (o->predict)
		model_ev_page_alloc(o->model, pa, fill);
}

/**
 * oracle_ev_page_free() - a page-table page was freed, its grace period is over
 * @o: oracle
 * @pa: its address
 */
void oracle_ev_page_free(struct oracle *o, uint64_t pa)
{
	struct mirror_table *t = mirror_table(o, pa);

	o->step++;
	oracle_mix(o, pa, ~0ULL);
	if (!t || !t->live) {
		oracle_report(o, 'U', NO_GFN, 0, "page table 0x%llx is freed twice",
			      (unsigned long long)pa);
		return;
	}
	rule_u_free(o, t);
	rule_l_free(o, t);
	mirror_free(o, t);
	if (o->predict)
		model_ev_page_free(o->model, pa);
}

/**
 * oracle_ev_flush() - all vCPUs are to drop translations
 * @o: oracle
 * @gfn: first page
 * @nr: number of pages; 0: everything
 *
 * Return: mask of the vCPUs that have not acknowledged yet.
 */
uint32_t oracle_ev_flush(struct oracle *o, uint64_t gfn, uint64_t nr)
{
	o->step++;
	oracle_mix(o, gfn, nr);
	if (o->predict)
		model_ev_flush(o->model, gfn, nr);
	owed_paid(o, gfn, nr);
	return hw_flush(o, gfn, nr);
}

/**
 * oracle_ev_kick() - all vCPUs are made to leave the guest
 * @o: oracle
 * @drop_roots: all roots were invalidated: none runs again before it has loaded a new one
 *
 * Return: mask of the vCPUs that have not left yet.
 */
uint32_t oracle_ev_kick(struct oracle *o, bool drop_roots)
{
	o->step++;
	oracle_mix(o, 3, drop_roots);
	if (drop_roots) {
		mirror_invalidate_roots(o);
		o->progress++;
	}
	if (o->predict)
		model_ev_kick(o->model, drop_roots);
	return hw_kick(o, drop_roots);
}

/**
 * oracle_ev_lock() - a lock was taken or released
 * @o: oracle
 * @name: of the lock
 * @delta: +1 or +2 taken shared or exclusive, -1 or -2 released
 */
void oracle_ev_lock(struct oracle *o, const char *name, int delta)
{
	struct thread_state *t = oracle_current(o);

	oracle_mix_bracket(o, (uint64_t)delta << 1);
	t->locks += delta > 0 ? 1 : -1;
	t->last_lock = name;
	if (delta < 0 && t->depth && t->calls[0].call.kind == CALL_SET_REGION &&
	    strstr(name, "slots_lock"))
		t->region_order = ++o->region_orders;
}

/**
 * oracle_ev_rcu() - an RCU read section begins or ends
 * @o: oracle
 * @delta: +1 begins, -1 ends, 0 a grace period ended
 */
void oracle_ev_rcu(struct oracle *o, int delta)
{
	struct thread_state *t = oracle_current(o);

	oracle_mix_bracket(o, (uint64_t)delta << 1 | 1);
	if (!t->rcu)
		t->rcu_since = o->step;
	t->rcu += delta;
}

/**
 * oracle_ev_refused() - an allocation failed because the schedule wanted it to
 * @o: oracle
 * @page: it was of a page-table page
 */
void oracle_ev_refused(struct oracle *o, bool page)
{
	o->step++;
	oracle_mix(o, 5, page);
	o->progress++;
	if (o->predict)
		model_ev_refused(o->model, page);
}

/**
 * oracle_ev_warn() - a WARN or BUG of the MMU fired
 * @o: oracle
 * @cond: its condition
 * @file: source file, without directories
 * @line: source line
 */
void oracle_ev_warn(struct oracle *o, const char *cond, const char *file, int line)
{
	o->step++;
	oracle_report(o, '!', NO_GFN, 0, "WARN at %s:%d: %s", file, line, cond);
}

void oracle_ev_point(struct oracle *o, int kind, int level, uint64_t pa)
{
	if (o->hash_points)
		oracle_mix(o, (uint64_t)kind << 8 | level, pa);
}

/* ---- calls ---- */

/**
 * oracle_call_name() - what a call is called in messages and traces
 * @kind: CALL_*
 *
 * Return: its name.
 */
const char *oracle_call_name(enum oracle_call_kind kind)
{
	static const char *const names[] = {
#define CALL(name, text) [CALL_##name] = text,
		CALL_LIST(CALL)
#undef CALL
	};

	return kind < CALL_NR ? names[kind] : "call";
}

/* From now on things happen at the same time: what follows from their order is not predicted. */
void oracle_overlap(struct oracle *o)
{
	o->overlapped = true;
	oracle_set_prediction(o, false);
}

/* Has a change of slots been under way at any time since step @since? */
bool oracle_region_changed(const struct oracle *o, uint64_t since)
{
	return o->regions_open || o->region_step > since;
}

/* Is the slot about to go, or to be where it is not now? */
bool oracle_slot_leaves(const struct oracle *o, uint8_t number)
{
	int i;

	for (i = 0; i < ORACLE_MAX_THREADS && o->regions_open; i++) {
		const struct oracle_call *call = &o->threads[i].calls[0].call;
		const struct slot *slot;

		if (!o->threads[i].depth || call->kind != CALL_SET_REGION ||
		    OP_SLOT(call->region.as_id, call->region.id) != number)
			continue;
		slot = &o->slots.slot[OP_SLOT_AS(number)][OP_SLOT_ID(number)];
		if (!call->region.npages || call->region.base != slot->desc.base)
			return true;
	}
	return false;
}

/**
 * oracle_slots_seen() - the slots that the MMU may take a gfn to be in
 * @o: oracle
 * @as: address space
 * @gfn: guest page
 * @seen: result, MAX_SEEN entries
 *
 * While a slot is being changed, who looks finds it as it was or as it will be.
 *
 * Return: how many.
 */
int oracle_slots_seen(struct oracle *o, int as, uint64_t gfn, const struct slot_desc **seen)
{
	uint32_t i;
	int n = 0;

	for (i = 0; i < o->slots.nr[as]; i++) {
		const struct slot_desc *d = &o->slots.list[as][i]->desc;

		if (gfn - d->base < d->npages)
			seen[n++] = d;
	}
	for (i = 0; i < ORACLE_MAX_THREADS && o->regions_open; i++) {
		const struct oracle_call *call = &o->threads[i].calls[0].call;

		if (o->threads[i].depth && call->kind == CALL_SET_REGION &&
		    call->region.as_id == as && gfn - call->region.base < call->region.npages)
			seen[n++] = &call->region;
	}
	return n;
}

static struct call_frame *push(struct oracle *o, const struct oracle_call *call)
{
	struct thread_state *t = oracle_current(o);
	struct call_frame *f;

	if (t->depth == ORACLE_MAX_DEPTH) {
		fprintf(stderr, "oracle: more than %d calls within calls\n", ORACLE_MAX_DEPTH);
		abort();
	}
	if (!t->depth && !o->calls_open++)
		o->open_since = o->step;
	f = &t->calls[t->depth++];
	f->call = *call;
	f->step = o->step;
	return f;
}

/* The oldest call that is still open, of any thread. */
static void find_open_since(struct oracle *o)
{
	int i;

	o->open_since = ~0ULL;
	for (i = 0; i < ORACLE_MAX_THREADS; i++)
		if (o->threads[i].depth && o->threads[i].calls[0].step < o->open_since)
			o->open_since = o->threads[i].calls[0].step;
}

/**
 * oracle_call_begin() - the MMU is about to be asked something
 * @o: oracle
 * @call: what; its outputs are not looked at
 *
 * A call may begin within another one of the same thread (a PML buffer is drained). If it begins
 * within a call, an invalidation or an instruction of another, there is no prediction from now on.
 */
void oracle_call_begin(struct oracle *o, const struct oracle_call *call)
{
	if (!o->overlapped && (oracle_others_call(o) || hw_others_executing(o)))
		oracle_overlap(o);
	hw_call_begin(o, call);
	o->step++;
	oracle_mix(o,
		   (uint64_t)call->kind << 32 | (uint64_t)call->vcpu << 16 | call->slot << 8 |
			   call->level,
		   call->gfn ^ call->n << 20 ^ call->error_code << 56);
	push(o, call);
	oracle_current(o)->region_order = 0;
	if (call->kind == CALL_DESTROY_VM)
		o->destroyed = true;
	if (call->kind == CALL_SET_REGION)
		o->regions_open++;
	rule_w_call_begin(o, call);
	rule_x_call_begin(o, call);
	if (o->predict)
		model_call_begin(o->model, call);
}

/*
 * Has a later change of the same slot returned before this one did? Changes are made one after the
 * other, under slots_lock, and count in that order.
 */
static bool region_is_late(struct oracle *o, const struct oracle_call *call)
{
	const struct slot_desc *region = &call->region;
	uint64_t order = oracle_current(o)->region_order, *last;

	if (region->as_id > 1 || region->id >= PROG_MAX_SLOTS)
		return false;
	last = &o->slot_order[region->as_id][region->id];
	if (!order)
		order = ++o->region_orders;
	if (!call->ret && order < *last) {
		o->slots.gen_unsure[region->as_id] = true;
		return true;
	}
	if (!call->ret)
		*last = order;
	return false;
}

static void region_set(struct oracle *o, const struct oracle_call *call)
{
	const struct slot *slot =
		slots_get(&o->slots, OP_SLOT(call->region.as_id, call->region.id));
	struct slot_desc old = { 0 };
	bool moved, log_changed;

	if (region_is_late(o, call))
		return;

	if (slot)
		old = slot->desc;
	if (!slots_set(&o->slots, &call->region, !call->ret))
		return;
	o->progress++;
	moved = old.npages != call->region.npages || old.base != call->region.base;
	log_changed = (old.flags ^ call->region.flags) & SLOT_LOG;
	if (moved || log_changed)
		migrate_slot_changed(o, OP_SLOT(call->region.as_id, call->region.id));
	if (old.npages && moved) {
		rule_w_slot(o, OP_SLOT(old.as_id, old.id));
		/* Other slots may have come to be there since. */
		if (!oracle_region_changed(o, oracle_call_step(o)))
			rule_n_slot(o, &old);
	}
}

static void count_invalidations(struct oracle *o, const struct oracle_call *call)
{
	struct thread_state *t = oracle_current(o);

	if (call->ret < 0)
		return;
	if (call->kind == CALL_INVALIDATE_START) {
		t->invalidations++;
		o->invalidations++;
	} else if (call->kind == CALL_INVALIDATE_END && t->invalidations) {
		t->invalidations--;
		o->invalidations--;
	}
}

/* Those that a vCPU makes again and again until a fault is resolved do not count. */
static bool gets_on(const struct oracle_call *call)
{
	return call->kind != CALL_ENTER_GUEST && call->kind != CALL_PAGE_FAULT &&
	       call->kind != CALL_MARK_DIRTY;
}

static void call_rules(struct oracle *o, const struct oracle_call *call)
{
	rule_n_call_end(o, call);
	rule_d_call_end(o, call);
	rule_g_call_end(o, call);
	rule_w_call_end(o, call);
	rule_x_call_end(o, call);
	rule_p_call_end(o, call);
	rule_l_call_end(o, call);
	if (call->kind == CALL_LOG_GET || call->kind == CALL_LOG_CLEAR)
		migrate_call_end(o, call);
}

/**
 * oracle_call_end() - the MMU has answered
 * @o: oracle
 * @call: as at oracle_call_begin(), with the outputs
 */
void oracle_call_end(struct oracle *o, const struct oracle_call *call)
{
	struct thread_state *t = oracle_current(o);

	o->step++;
	oracle_mix(o, (uint64_t)call->ret ^ (uint64_t)call->level << 32, call->root);
	if (!t->depth || t->calls[t->depth - 1].call.kind != call->kind) {
		fprintf(stderr, "oracle: a call ends that did not begin\n");
		abort();
	}
	if (!--t->depth) {
		t->nr_owed = 0;
		if (--o->calls_open)
			find_open_since(o);
	}
	if (call->kind == CALL_SET_REGION) {
		o->regions_open--;
		o->pml_early -= t->pml;
		t->pml = false;
		region_set(o, call);
		o->region_step = o->step;
	}
	count_invalidations(o, call);
	hw_call_end(o, call);
	call_rules(o, call);
	t->returned = o->step;
	o->progress += gets_on(call);
	if (o->predict)
		model_call_end(o->model, call);
}

/**
 * oracle_check_stat() - compare the MMU's statistics
 * @o: oracle
 * @stat: statistics, while no call is under way
 */
void oracle_check_stat(struct oracle *o, const struct oracle_stat *stat)
{
	rule_l_stat(o, stat);
	if (o->predict)
		model_check_stat(o->model, stat);
}

/**
 * oracle_quiesce() - nothing runs, every log was harvested a last time
 * @o: oracle
 */
void oracle_quiesce(struct oracle *o)
{
	o->step++;
	migrate_quiesce(o);
}

/**
 * oracle_final() - the VM was destroyed
 * @o: oracle
 * @pages_left: page-table pages still allocated
 * @allocs_left: other allocations
 */
void oracle_final(struct oracle *o, uint64_t pages_left, uint64_t allocs_left)
{
	o->step++;
	oracle_mix(o, pages_left, allocs_left);
	rule_l_final(o, pages_left, allocs_left);
}
