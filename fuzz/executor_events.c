// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who tells whom: the platform's events go to the oracle; the MMU's questions to the host go to the
 * oracle's host model; the oracle's hardware reads SPTEs and passes points of the platform.
 */
#include <tdp/spte_bits.h>

#include "executor_internal.h"
#include "fiber.h"
#include "stuck.h"

/* ---- for tracers ---- */

/**
 * exec_emit() - tell the tracer, if there is one
 * @x: executor
 * @ev: event; thread and operation are filled in here
 */
void exec_emit(struct executor *x, struct exec_event *ev)
{
	ev->thread = x->current ? x->current->number : EXEC_NO_THREAD;
	ev->op = x->current ? x->current->op : 0;
	x->opts->event(x->opts->ctx, ev);
}

/**
 * exec_emit_violations() - tell the tracer of violations found since it was told last
 * @x: executor
 */
void exec_emit_violations(struct executor *x)
{
	while (x->violations_told < oracle_nr_violations(x->oracle)) {
		struct exec_event ev = {
			.kind = EXEC_EV_VIOLATION,
			.violation = oracle_violation(x->oracle, x->violations_told++),
		};

		exec_emit(x, &ev);
	}
}

static void emit_and_check(struct executor *x, struct exec_event *ev)
{
	exec_emit(x, ev);
	exec_emit_violations(x);
}

/*
 * ---- platform to oracle ----
 *
 * What a tracer is told is put together out of line: AddressSanitizer makes every function pay for the
 * locals that one of its branches needs.
 */

static void ev_thread(void *ctx, int thread)
{
	struct executor *x = ctx;

	x->current = thread < 0 ? NULL : &x->threads[thread];
	oracle_set_thread(x->oracle, thread, thread < 0 ? 0 : x->current->op);
}

static void ev_decided(void *ctx, int thread, enum point_kind kind, int level, u32 k,
		       unsigned int action, int target)
{
	struct executor *x = ctx;
	struct prog_choice choice = {
		.thread = thread,
		.op = x->threads[thread].op,
		.kind = kind,
		.level = level,
		.k = k,
		.action = __builtin_ctz(action),
		.target = target,
	};

	exec_record(x, &choice);
}

static u64 ev_progress(void *ctx)
{
	struct executor *x = ctx;

	return oracle_progress(x->oracle);
}

static void ev_point(void *ctx, enum point_kind kind, int level, hpa_t pa, u64 object,
		     const char *text, const struct sim_site *site)
{
	struct executor *x = ctx;

	oracle_ev_point(x->oracle, kind, level, pa);
	if (exec_tracing(x)) {
		struct exec_event ev = {
			.kind = EXEC_EV_POINT,
			.point = kind,
			.level = level,
			.pa = pa,
			.object = object,
			.text = text,
			.site = site,
			.k = sim.current->count[kind][level] + 1,
		};

		if (kind == POINT_BLOCK && sim.current->wait.who)
			ev.n = sim.current->wait.who(sim.current);

		exec_emit(x, &ev);
	}
}

static const enum oracle_how hows[] = {
	[POINT_WRITE] = ORACLE_WRITE,
	[POINT_XCHG] = ORACLE_XCHG,
	[POINT_CMPXCHG] = ORACLE_CMPXCHG,
	[POINT_AND] = ORACLE_AND,
};

static EXEC_TRACES void trace_spte(struct executor *x, enum point_kind how, hpa_t pa, int level,
				   u64 cur, u64 val, bool ok, const struct sim_site *site)
{
	struct exec_event ev = {
		.kind = EXEC_EV_SPTE,
		.point = how,
		.level = level,
		.pa = pa,
		.old = cur,
		.val = val,
		.ok = ok,
		.site = site,
		.k = sim.current->count[how][level],
	};

	emit_and_check(x, &ev);
}

static void ev_spte(void *ctx, enum point_kind how, hpa_t pa, int level, u64 cur, u64 val, bool ok,
		    const struct sim_site *site)
{
	struct executor *x = ctx;

	x->res->stats.spte_changes += ok && cur != val;
	oracle_ev_spte(x->oracle, hows[how], pa, level, cur, val, ok);
	if (exec_tracing(x))
		trace_spte(x, how, pa, level, cur, val, ok, site);
}

static void ev_init(void *ctx, hpa_t pa, int level, int n, u64 first, u64 step,
		    const struct sim_site *site)
{
	struct executor *x = ctx;
	int i;

	oracle_ev_init(x->oracle, pa, level, n, first, step);
	for (i = 0; i < n && exec_tracing(x); i++) {
		struct exec_event ev = {
			.kind = EXEC_EV_SPTE,
			.point = POINT_OP,
			.level = level,
			.pa = pa + i * 8,
			.old = SHADOW_NONPRESENT_VALUE,
			.val = first + i * step,
			.ok = true,
			.site = site,
		};

		emit_and_check(x, &ev);
	}
}

static void ev_freeze(void *ctx, enum point_kind how, hpa_t pa, int level, int n, u64 first,
		      u64 step, u64 frozen)
{
	struct executor *x = ctx;

	x->res->stats.spte_changes += n;
	oracle_ev_freeze(x->oracle, hows[how], pa, level, n, first, step, frozen);
}

static EXEC_TRACES void trace_page(struct executor *x, enum sim_page_event event, hpa_t pa,
				   u64 fill)
{
	struct exec_event ev = {
		.kind = event == SIM_PAGE_ALLOC ? EXEC_EV_ALLOC : EXEC_EV_FREE,
		.pa = pa,
		.val = fill,
	};

	emit_and_check(x, &ev);
}

static void ev_page(void *ctx, enum sim_page_event event, hpa_t pa, u64 fill)
{
	struct executor *x = ctx;

	if (event == SIM_PAGE_ALLOC) {
		x->res->stats.tables_allocated++;
		oracle_ev_page_alloc(x->oracle, pa, fill);
	} else {
		x->res->stats.tables_freed++;
		oracle_ev_page_free(x->oracle, pa);
	}
	if (exec_tracing(x))
		trace_page(x, event, pa, fill);
}

static void ev_flush(void *ctx, gfn_t gfn, u64 nr, const struct sim_site *site)
{
	struct executor *x = ctx;
	uint32_t busy;

	x->res->stats.flushes++;
	busy = oracle_ev_flush(x->oracle, gfn, nr);
	if (exec_tracing(x)) {
		struct exec_event ev = { .kind = EXEC_EV_FLUSH, .gfn = gfn, .n = nr, .site = site };

		emit_and_check(x, &ev);
	}
	exec_wait_for_vcpus(x, busy);
}

static void ev_kick(void *ctx, int req, const struct sim_site *site)
{
	struct executor *x = ctx;
	bool drop_roots = req == TDP_REQ_FREE_OBSOLETE_ROOTS;
	uint32_t busy;
	int i;

	if (exec_tracing(x)) {
		struct exec_event ev = { .kind = EXEC_EV_KICK, .n = req, .site = site };

		exec_emit(x, &ev);
	}
	for (i = 0; i < PROG_MAX_VCPUS; i++)
		x->vcpus[i].in_guest = false;
	busy = oracle_ev_kick(x->oracle, drop_roots);
	if (exec_tracing(x))
		exec_emit_violations(x);
	/* The kernel waits for all requests but the mere kick that drains logs. */
	if (req != TDP_REQ_DRAIN)
		exec_wait_for_vcpus(x, busy);
}

static EXEC_TRACES void trace_bracket(struct executor *x, enum exec_event_kind kind,
				      const char *name, int delta)
{
	struct exec_event ev = { .kind = kind, .text = name, .delta = delta };

	emit_and_check(x, &ev);
}

static void ev_lock(void *ctx, const char *name, int delta)
{
	struct executor *x = ctx;

	oracle_ev_lock(x->oracle, name, delta);
	if (exec_tracing(x))
		trace_bracket(x, EXEC_EV_LOCK, name, delta);
}

static void ev_rcu(void *ctx, int delta)
{
	struct executor *x = ctx;

	oracle_ev_rcu(x->oracle, delta);
	if (exec_tracing(x))
		trace_bracket(x, EXEC_EV_RCU, NULL, delta);
}

static void ev_refused(void *ctx, bool page)
{
	struct executor *x = ctx;

	x->res->stats.refused++;
	oracle_ev_refused(x->oracle, page);
	if (exec_tracing(x)) {
		struct exec_event ev = { .kind = EXEC_EV_REFUSED, .ok = page };

		emit_and_check(x, &ev);
	}
}

static void ev_warn(void *ctx, const char *cond, const struct sim_site *site)
{
	struct executor *x = ctx;

	if (exec_tracing(x)) {
		struct exec_event ev = { .kind = EXEC_EV_WARN, .text = cond, .site = site };

		exec_emit(x, &ev);
	}
	oracle_ev_warn(x->oracle, cond, site->file, site->line);
	if (exec_tracing(x))
		exec_emit_violations(x);
}

static void ev_fatal(void *ctx, char rule, const char *what, hpa_t pa)
{
	struct executor *x = ctx;

	if (pa)
		oracle_report(x->oracle, rule, ~0ULL, 0, "%s (physical address 0x%llx)", what,
			      (unsigned long long)pa);
	else
		oracle_report(x->oracle, rule, ~0ULL, 0, "%s", what);
	if (exec_tracing(x))
		exec_emit_violations(x);
	/* A thread's own stack is left by the platform. */
	if (!x->scheduled)
		longjmp(x->fatal, 1);
}

/* ---- host: the MMU's questions ---- */

static int host_fault_in(void *host, hvn_t hvn, bool write, bool *writable, kvm_pfn_t *pfn)
{
	struct executor *x = host;
	unsigned int actions = sim_point(POINT_FAULTIN, 0, &sim_object_host, SIM_SITE);

	if (actions & SIM_FAIL) {
		ev_refused(x, false);
		oracle_host_busy(x->oracle);
	}
	if (actions & SIM_REUSE)
		oracle_host_reuse(x->oracle);
	return oracle_host_fault_in(x->oracle, hvn, write, writable, pfn);
}

static int host_mapping_level(void *host, hvn_t hvn)
{
	struct executor *x = host;

	return oracle_host_mapping_level(x->oracle, hvn);
}

/* Which frames, in whatever order. */
static void note_marks(struct executor *x, kvm_pfn_t pfn, u64 n, bool dirty, bool accessed)
{
	const u64 odd = 0x9e3779b97f4a7c15ULL;

	if (!x->opts->call)
		return;
	for (; n--; pfn++) {
		if (oracle_host_is_mmio_pfn(x->oracle, pfn))
			continue;
		x->marks += dirty ? (2 * pfn + 1) * odd : 0;
		x->marks += accessed ? (2 * pfn + 1) * odd * odd : 0;
	}
}

static void host_set_pfn_dirty(void *host, kvm_pfn_t pfn)
{
	struct executor *x = host;

	note_marks(x, pfn, 1, true, false);
	oracle_host_set_dirty(x->oracle, pfn);
}

static void host_set_pfn_accessed(void *host, kvm_pfn_t pfn)
{
	struct executor *x = host;

	note_marks(x, pfn, 1, false, true);
	oracle_host_set_accessed(x->oracle, pfn);
}

static void host_set_pfns(void *host, kvm_pfn_t pfn, u64 n, bool dirty, bool accessed)
{
	struct executor *x = host;

	note_marks(x, pfn, n, dirty, accessed);
	oracle_host_set_marks(x->oracle, pfn, n, dirty, accessed);
}

static bool host_is_mmio_pfn(void *host, kvm_pfn_t pfn)
{
	struct executor *x = host;

	return oracle_host_is_mmio_pfn(x->oracle, pfn);
}

const struct tdp_host_ops exec_host_ops = {
	.fault_in = host_fault_in,
	.mapping_level = host_mapping_level,
	.set_pfn_dirty = host_set_pfn_dirty,
	.set_pfn_accessed = host_set_pfn_accessed,
	.set_pfns = host_set_pfns,
	.is_mmio_pfn = host_is_mmio_pfn,
};

/* ---- hardware: the oracle's reach into memory ---- */

static const uint64_t *env_sptep(void *ctx, uint64_t pa)
{
	(void)ctx;
	return sim_spte_look(pa);
}

static bool env_cmpxchg_spte(void *ctx, uint64_t pa, uint64_t old, uint64_t val)
{
	struct executor *x = ctx;
	u64 *sptep = sim_spte_ptr(pa), found = old;
	bool ok = sptep && __atomic_compare_exchange_n(sptep, &found, val, false, __ATOMIC_ACQ_REL,
						       __ATOMIC_ACQUIRE);

	if (exec_tracing(x)) {
		struct exec_event ev = {
			.kind = EXEC_EV_ASSIST,
			.pa = pa,
			.old = found,
			.val = val,
			.ok = ok,
		};

		emit_and_check(x, &ev);
	}
	return ok;
}

static unsigned int env_point(void *ctx, int kind, int level, uint64_t pa)
{
	static const enum point_kind kinds[] = {
		[ORACLE_POINT_TLB] = POINT_TLB,
		[ORACLE_POINT_WALK] = POINT_WALK,
		[ORACLE_POINT_ASSIST] = POINT_ASSIST,
		[ORACLE_POINT_MEMORY] = POINT_MEMORY,
	};
	const void *touched = kind == ORACLE_POINT_TLB	  ? &sim_object_tlbs :
			      kind == ORACLE_POINT_MEMORY ? &sim_object_host :
							    __va(pa);

	(void)ctx;
	return sim_point(kinds[kind], level, touched, SIM_SITE) & SIM_EVICT ? ORACLE_EVICT : 0;
}

/* The stack of the thread that runs the vCPU; NULL if none does. */
static struct fiber *fiber_of_vcpu(const struct executor *x, int vcpu)
{
	uint32_t i;

	for (i = 0; i < x->prog->nr_threads; i++) {
		const struct prog_thread *t = &x->prog->threads[i];

		if (t->kind == THREAD_VCPU && t->vcpu == vcpu)
			return x->threads[i].sim.fiber;
	}
	return NULL;
}

/* What the vCPU's own thread does on real hosts, on its way out of the guest. */
static void drain(struct executor *x, int vcpu, uint64_t gfn)
{
	struct fiber *its = fiber_of_vcpu(x, vcpu), *mine = fiber_current();

	if (its)
		fiber_order(its, mine);
	x->vcpus[vcpu].drained = true;
	exec_mark_dirty(x, vcpu, gfn);
	x->vcpus[vcpu].drained = false;
	if (its)
		fiber_order(mine, its);
}

static void env_pml(void *ctx, int vcpu, uint64_t gfn)
{
	struct executor *x = ctx;
	bool own = x->current && x->current->prog->kind == THREAD_VCPU &&
		   x->current->prog->vcpu == vcpu;

	if (exec_tracing(x)) {
		struct exec_event ev = { .kind = EXEC_EV_PML, .vcpu = vcpu, .gfn = gfn };

		exec_emit(x, &ev);
	}
	/* It is out of the guest by now: who waits for that need not wait for the log. */
	sim_poll();
	if (own)
		exec_mark_dirty(x, vcpu, gfn);
	else
		drain(x, vcpu, gfn);
	sim_poll();
}

/**
 * exec_events_init() - fill the tables of call-backs
 * @x: executor
 */
void exec_events_init(struct executor *x)
{
	x->observer = (struct sim_observer){
		.ctx = x,
		.thread = ev_thread,
		.decided = ev_decided,
		.progress = ev_progress,
		.spte = ev_spte,
		.init = ev_init,
		.freeze = ev_freeze,
		.page = ev_page,
		.flush = ev_flush,
		.kick = ev_kick,
		.lock = ev_lock,
		.rcu = ev_rcu,
		.refused = ev_refused,
		.warn = ev_warn,
		.stuck = stuck_in_words,
		.fatal = ev_fatal,
	};
	x->env = (struct oracle_env){
		.ctx = x,
		.sptep = env_sptep,
		.cmpxchg_spte = env_cmpxchg_spte,
		.point = env_point,
		.pml = env_pml,
	};
}

/**
 * exec_events_begin() - listen to the platform
 * @x: executor whose options say how closely
 */
void exec_events_begin(struct executor *x)
{
	/* Whoever looks closer at a point for the schedule's sake need not tell of it. */
	x->observer.point = x->opts->event || x->opts->hash_points ? ev_point : NULL;
	sim_set_observer(&x->observer);
}
