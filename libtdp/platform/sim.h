/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sim platform: simulated threads on one OS thread, each on a fiber.  Every
 * shared access is a point (point.h) that counts itself, consults the choices of
 * the schedule, may let another thread go on, and tells the observer.  Nothing
 * here reads a clock, an address or the environment: page tables live in an arena
 * and have made-up physical addresses.  docs/interleaving.md says what is modelled.
 *
 *   sim.c	  points, choices, the step budget
 *   sim_thread.c threads: who runs, who waits, who spins for nothing
 *   sim_lock.c	  locks, reference counts, yielding
 *   sim_observer.c who is told of what happens
 *   sim_rcu.c	  RCU, SRCU
 *   sim_memory.c page tables and other memory
 *
 * The part above "for the mirrored code" is for whoever drives simulations (the
 * executor); the part below is the seam of platform.h.
 */
#ifndef TDP_SIM_H
#define TDP_SIM_H

#include <errno.h>
#include <string.h>

#include <tdp/types.h>

#include "point.h"
#include "sim_tsan.h"

/* Where in the source a point is; only read on slow paths. */
struct sim_site {
	const char *file;
	int line;
};

#define SIM_SITE                                                                      \
	({                                                                            \
		static const struct sim_site sim_site_ = { __FILE_NAME__, __LINE__ }; \
		&sim_site_;                                                           \
	})

/* What a choice of the schedule does at a point; bits of sim_point()'s result. */
enum sim_action {
	SIM_SWITCH = 1 << 0,
	SIM_RESCHED = 1 << 1,
	SIM_FAIL = 1 << 2,
	SIM_GP_END = 1 << 3,
	SIM_REUSE = 1 << 4,
	SIM_EVICT = 1 << 5,
};

/**
 * struct sim_choice - one choice, addressed within the current operation
 * @kind: POINT_*
 * @level: level of the point, 0 if the kind has none
 * @action: one SIM_* bit
 * @target: number of the thread that runs next, for SIM_SWITCH
 * @fired: its point came
 * @k: counts from 1
 */
struct sim_choice {
	u8 kind;
	u8 level;
	u8 action;
	u8 target;
	bool fired;
	u32 k;
};

/**
 * struct sim_scheduler - who decides, beyond the choices of the schedule
 * @ctx: passed back
 * @every_point: ask at every point; else @at_point is never called, and a point that nobody watches
 *	stays one decrement
 * @at_point: @thread is about to pass a point, its @k-th of that kind and level in this operation, that
 *	touches @object (sim_object()). Returns a mask of SIM_* actions, of which those count that the kind
 *	of point can have; for SIM_SWITCH it sets *@target. May be NULL
 * @pick: @thread gives way (@why: POINT_BLOCK, _END or _RELAX): who runs next? One of @runnable, which
 *	never holds @thread. May be NULL: the next one in the order of the numbers
 *
 * Threads are numbered from 0; @runnable is a mask of those that can run, in @at_point including
 * @thread itself. Threads that spin for nothing may be left out of @runnable while others have not had
 * their turn, so that no scheduler starves a thread that another one spins for. What is decided must
 * depend on the arguments and the scheduler's own state alone.
 */
struct sim_scheduler {
	void *ctx;
	bool every_point;
	unsigned int (*at_point)(void *ctx, int thread, enum point_kind kind, int level, u32 k,
				 u64 object, u32 runnable, int *target);
	int (*pick)(void *ctx, int thread, enum point_kind why, u32 k, u32 runnable);
};

enum sim_page_event { SIM_PAGE_ALLOC, SIM_PAGE_FREE };

struct sim_thread;

/**
 * struct sim_stuck - a deadlock or a livelock
 * @thread: waits, as do all others who have not ended; or spins
 * @spins: NULL, or what @thread does for ever
 */
struct sim_stuck {
	const struct sim_thread *thread;
	const char *spins;
};

/**
 * struct sim_observer - who wants to know (the oracle, a tracer); any member may be NULL: see sim_observer.c
 * @ctx: passed back
 * @thread: another thread goes on: its number, -1 for what is outside any thread
 * @decided: the scheduler chose @action (one SIM_* bit) for the point that @thread is at, its @k-th of that
 *	kind and level in this operation; @target: the thread to run next, for SIM_SWITCH
 * @progress: a count that stands still while nothing happens that could let a thread get on
 * @point: every point, before it acts; setting it costs speed. @pa: of the SPTE, 0 if none; @object:
 *	sim_object() of what is touched; @text: for POINT_BLOCK what is waited for, else NULL
 * @spte: SPTE at physical address @pa changed or was written: @how is POINT_WRITE, _XCHG, _CMPXCHG or _AND
 *	(also called for a failed cmpxchg: then @ok is false and @cur is what was found)
 * @init: @n SPTEs from @pa on, of a table that is not linked yet, became @first, @first + @step and so on;
 *	goes with @spte: both or none
 * @freeze: @n SPTEs of a removed table from @pa on, of which the first held @first and each other one @step more
 *	than the one before, were given the value @frozen; @how as for @spte;
 *	goes with @spte, too
 * @page: page-table page at @pa allocated (all entries @fill) or freed (after its grace period)
 * @flush: TLB flush of [@gfn, @gfn + @nr) requested from all vCPUs; @nr = 0: everything; returns when
 *	all have seen it, and may sim_wait_until() they have
 * @kick: request @req made of all vCPUs (see enum tdp_vcpu_request); as @flush
 * @lock: lock @name taken (+1 read, +2 write/exclusive) or released (-1, -2)
 * @rcu: +1 read section of the current thread begins, -1 it ends, 0 a grace period ended
 * @refused: an allocation was refused because the schedule said fail (@page: it was a page-table page)
 * @warn: WARN or BUG condition true
 * @stuck: nobody can get on, or all who could spin for nothing: returns what @fatal is to be told, in words
 * @fatal: use of a freed page table, deadlock or the like. If it returns, the run is left: on a
 *	scheduled thread sim_threads_run() returns false; elsewhere the process ends, so there it
 *	should longjmp
 */
struct sim_observer {
	void *ctx;
	void (*thread)(void *ctx, int thread);
	void (*decided)(void *ctx, int thread, enum point_kind kind, int level, u32 k,
			unsigned int action, int target);
	u64 (*progress)(void *ctx);
	void (*point)(void *ctx, enum point_kind kind, int level, hpa_t pa, u64 object,
		      const char *text, const struct sim_site *site);
	void (*spte)(void *ctx, enum point_kind how, hpa_t pa, int level, u64 cur, u64 val, bool ok,
		     const struct sim_site *site);
	void (*init)(void *ctx, hpa_t pa, int level, int n, u64 first, u64 step,
		     const struct sim_site *site);
	void (*freeze)(void *ctx, enum point_kind how, hpa_t pa, int level, int n, u64 first,
		       u64 step, u64 frozen);
	void (*page)(void *ctx, enum sim_page_event event, hpa_t pa, u64 fill);
	void (*flush)(void *ctx, gfn_t gfn, u64 nr, const struct sim_site *site);
	void (*kick)(void *ctx, int req, const struct sim_site *site);
	void (*lock)(void *ctx, const char *name, int delta);
	void (*rcu)(void *ctx, int delta);
	void (*refused)(void *ctx, bool page);
	void (*warn)(void *ctx, const char *cond, const struct sim_site *site);
	const char *(*stuck)(void *ctx, const struct sim_stuck *stuck);
	void (*fatal)(void *ctx, char rule, const char *what, hpa_t pa);
};

#define SIM_MAX_THREADS 8
#define SIM_MAX_HELD	8	/* locks that a thread holds at once */
#define SIM_MAX_SRCU	4	/* SRCU read sections likewise */

struct fiber;
struct srcu_struct;

/**
 * struct sim_wait - what a thread waits for
 * @what: in words: "mmu_lock for write"
 * @ready: whether it has come; NULL: it is handed over, by sim_wake()
 * @who: mask of the threads that stand in @t's way, for reports; NULL: nobody in particular
 * @arg: passed to @ready
 * @on: identity of what is waited for, a pointer
 */
struct sim_wait {
	const char *what;
	bool (*ready)(void *arg);
	u32 (*who)(const struct sim_thread *t);
	void *arg;
	const void *on;
};

struct sim_held {
	const void *lock;
	bool shared;
	u32 op;
};

/**
 * struct sim_thread - a simulated thread; zeroed before its first use by whoever owns it
 * @count: points passed in the current operation; kept while somebody watches
 * @armed: count at which the next choice waits, 0: none
 * @choices: the schedule's, for the current operation
 * @nr_choices: how many
 * @waiting: of those that have not come yet
 * @need_resched: it is to yield
 * @rcu_depth: RCU read sections that it is in
 * @rcu_since: when the outermost began, see sim_rcu.c
 * @srcu: SRCU read sections that it is in, and since when
 * @srcu_depth: how many
 * @held: locks that it holds
 * @locks_held: how many
 * @number: its bit in masks of threads
 * @op: number of its operation, for reports
 * @run: its function; NULL: it is not scheduled, but plays on the caller's stack
 * @arg: of @run
 * @fiber: its stack, while threads run
 * @ended: @run is over
 * @under_way: it is in the middle of an operation, so that others may wait for what it does
 * @asleep: it has announced to schedule() until somebody wakes it
 * @wait: what it waits for while it is not runnable
 * @next: behind it in a lock's queue
 * @shared: it waits for a lock for reading
 * @spins: how often it has spun or retried while progress was @spun_at
 * @lap: the walk it is in yields for nothing, see sim_yielded()
 */
struct sim_thread {
	u32 count[POINT_NR][POINT_LEVELS];
	u32 armed[POINT_NR][POINT_LEVELS];
	struct sim_choice *choices;
	u32 nr_choices;
	u32 waiting;
	bool need_resched;
	u32 rcu_depth;
	u64 rcu_since;
	struct {
		const struct srcu_struct *srcu;
		u64 since;
	} srcu[SIM_MAX_SRCU];
	u32 srcu_depth;
	struct sim_held held[SIM_MAX_HELD];
	u32 locks_held;

	int number;
	u32 op;
	void (*run)(void *arg);
	void *arg;
	struct fiber *fiber;
	bool ended;
	bool under_way;
	bool asleep;
	struct sim_wait wait;
	struct sim_thread *next;
	bool shared;
	u32 spins;
	u64 spun_at;
	struct {
		u64 progress;
		u32 yields;
		u32 laps;
		bool watched;
		bool read;
		u64 hash;
		u64 last;
	} lap;
};

/**
 * struct sim - the simulated world
 * @current: the thread that runs
 * @observer: who is told of events; never NULL
 * @left: points until one has to look closer, see sim_point(); never 0 between points
 * @granted: what @left was when a point looked closer last
 * @spent: points passed until then, since sim_reset()
 * @budget_end: point at which the run is stopped as a livelock (rule P); 0: none
 * @closely: every point looks closer: it is observed, or a choice still waits in this operation
 * @counting: a choice is the only reason to, so that the count of points is all there is to look at
 * @scheduler: decides beyond the schedule; NULL: nobody
 * @threads: those that were started, by number
 * @runnable: mask of those that can go on
 * @polled: mask of those that wait for something that comes true by itself: see sim_poll()
 * @queued: how many wait for an rwlock
 * @progress: counts SPTEs that changed, and what else lets threads get on
 * @switches: counts how often another thread went on
 */
struct sim {
	struct sim_thread *current;
	const struct sim_observer *observer;
	u64 left;
	u64 granted;
	u64 spent;
	u64 budget_end;
	bool closely;
	bool counting;
	const struct sim_scheduler *scheduler;
	struct sim_thread *threads[SIM_MAX_THREADS];
	u32 runnable;
	u32 polled;
	u32 queued;
	u64 progress;
	u64 switches;
};
extern struct sim sim;

/* sim_observer.c */
void sim_set_observer(const struct sim_observer *observer);

/* sim.c: driving it */
void sim_reset(void);
void sim_begin_op(struct sim_thread *thread, struct sim_choice *choices, u32 nr);
void sim_end_op(void);
u64 sim_pages_in_use(void);
u64 sim_allocs_in_use(void);
u64 *sim_spte_ptr(hpa_t pa); /* NULL if not in a live page-table page; for the hardware model */
const u64 *sim_spte_look(hpa_t pa);

void sim_set_budget(u64 points);
u64 sim_points(void);

/* sim_thread.c: threads that run in turn */
void sim_set_scheduler(const struct sim_scheduler *scheduler);
void sim_thread_start(struct sim_thread *thread, int number, void (*run)(void *arg), void *arg);
bool sim_threads_run(void);
void sim_alone(bool on);
void sim_give_way_to(struct sim_thread *thread);
void sim_wait_until(const struct sim_wait *wait);
void sim_retry(const struct sim_site *site);
void sim_wake(struct sim_thread *thread);
void sim_poll_slowly(void);

/* Something happened that a thread may wait for. */
static inline void sim_poll(void)
{
	if (__builtin_expect(sim.polled != 0, 0))
		sim_poll_slowly();
}

/*
 * Identity of what a point touches, the same in each run of a program: never 0 but for NULL, i.e. nothing
 * that another thread could touch. Things that are not memory have addresses here.
 */
u64 sim_object(const void *ptr);
extern char sim_object_rcu, sim_object_tlbs, sim_object_host;

/* sim.c: slow paths of the inlines below */
unsigned int sim_look_closer(enum point_kind kind, int level, const void *ptr,
			     const struct sim_site *site);
void sim_used_freed(const void *ptr);
void sim_used_without_descriptor(const void *ptr) __attribute__((cold));
bool sim_ptr_is_live(const void *ptr);
void sim_warn(const char *cond, const struct sim_site *site);

static SIM_INLINE hpa_t sim_ptr_pa(const void *ptr);

/**
 * sim_point() - a shared access is about to happen
 * @kind: what
 * @level: of the SPTE, 0 if none
 * @ptr: what is touched: SPTE, lock, variable; NULL if nobody else can touch it
 * @site: source line
 *
 * Another thread may run before this returns. A program of a few operations passes thousands of points, nearly all of them with nobody watching
 * and no choice waiting; those cost one decrement.
 *
 * Return: mask of SIM_* actions that the schedule chose for this point.
 */
static inline SIM_BOOKKEEPING unsigned int sim_point(enum point_kind kind, int level,
						     const void *ptr, const struct sim_site *site)
{
	if (__builtin_expect(--sim.left != 0, 1))
		return 0;
	return sim_look_closer(kind, level, ptr, site);
}

/* ---- for the mirrored code ---- */

/*
 * Page tables come from an arena: page i has physical address (SIM_PT_PFN + i) << PAGE_SHIFT.
 * Guest frames have other pfns (the host model's business).
 */
#define SIM_PT_PFN   0x100000ULL
#define SIM_PT_PAGES (1ULL << 18)

extern char *sim_arena;

enum sim_page_state { SIM_PAGE_NONE, SIM_PAGE_LIVE, SIM_PAGE_LATE, SIM_PAGE_FREED };

/**
 * struct sim_page - a page-table page, in lines of eight SPTEs
 * @touched: bit per line: it may hold something else than @fill
 * @late: bit per line: it reads as @late_val, which has not been written to memory yet; not touched
 * @fill: what the other lines hold
 * @late_val: see @late
 * @priv: page_private()
 * @state: SIM_PAGE_LATE: live, and @late is not empty
 * @owner: stands for the page before TSan, see SIM_OWN_TABLE(); its value means nothing
 *
 * Most of a page table stays as it was allocated: taking, scanning, freezing and freeing one costs
 * what was used of it.
 */
struct sim_page {
	u64 touched;
	u64 late;
	u64 fill;
	u64 late_val;
	void *priv;
	u8 state;
	u64 owner;
} __attribute__((aligned(64)));

extern struct sim_page sim_pages[SIM_PT_PAGES];

/* Book-keeping of the simulation is nobody's data race. */
#define sim_load(x)	    __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define sim_store(x, val)   __atomic_store_n(&(x), val, __ATOMIC_RELAXED)

static SIM_INLINE u64 sim_page_index(const void *ptr)
{
	return ((uintptr_t)ptr - (uintptr_t)sim_arena) >> PAGE_SHIFT;
}

static SIM_INLINE u64 sim_line_bit(const u64 *sptep)
{
	return 1ULL << ((uintptr_t)sptep / 64 % 64);
}

void sim_reach_slowly(const u64 *sptep);

/* An SPTE is about to be read, by hardware: its table is live, and memory holds what it reads as. */
static SIM_INLINE struct sim_page *sim_reach(const u64 *sptep)
{
	const u64 i = sim_page_index(sptep);

	if (unlikely(i >= SIM_PT_PAGES || sim_load(sim_pages[i].state) != SIM_PAGE_LIVE))
		sim_reach_slowly(sptep);
	return &sim_pages[i];
}

/* An SPTE is about to be written, by hardware. */
static SIM_INLINE struct sim_page *sim_touch(const u64 *sptep)
{
	struct sim_page *page = sim_reach(sptep);

	sim_store(page->touched, sim_load(page->touched) | sim_line_bit(sptep));
	return page;
}

/* The same by the mirrored code; what the SPTE holds. */
static inline SIM_BOOKKEEPING u64 sim_about_to_read(const u64 *sptep)
{
	SIM_USE_TABLE(sim_reach(sptep));
	return *sptep;
}

static inline SIM_BOOKKEEPING u64 sim_about_to_write(const u64 *sptep)
{
	SIM_USE_TABLE(sim_touch(sptep));
	return *sptep;
}

static SIM_INLINE hpa_t sim_ptr_pa(const void *ptr)
{
	return (SIM_PT_PFN << PAGE_SHIFT) + (hpa_t)((const char *)ptr - sim_arena);
}

static inline hpa_t __pa(const void *ptr)
{
	return sim_ptr_pa(ptr);
}

/*
 * Bits above those of the arena are a memory-encryption bit of the SPTE that the address came from; they
 * name no page, as in the kernel, whose physical_mask is without them.
 */
#define SIM_PT_PA_MASK		((1ULL << 34) - 1)

static inline void *__va(hpa_t pa)
{
	return sim_arena + ((pa & SIM_PT_PA_MASK) - (SIM_PT_PFN << PAGE_SHIFT));
}

static inline SIM_BOOKKEEPING void sim_spte_changed(enum point_kind how, const u64 *sptep,
						    int level, u64 cur, u64 val, bool ok,
						    const struct sim_site *site)
{
	sim.progress += ok && cur != val;
	sim.observer->spte(sim.observer->ctx, how, sim_ptr_pa(sptep), level, cur, val, ok, site);
}

/* May an SPTE be followed to a page table? Never false if so. */
static SIM_INLINE bool sim_names_table(u64 spte)
{
	return ((spte & SIM_PT_PA_MASK) >> PAGE_SHIFT) - SIM_PT_PFN < SIM_PT_PAGES;
}

static inline u64 sim_read_spte(const u64 *sptep, int level, const struct sim_site *site)
{
	u64 val;

	sim_point(POINT_READ, level, sptep, site);
	val = sim_about_to_read(sptep);
	SIM_SPTE_READ(sptep, val);
	return val;
}

/* The read of a walk that passed empty SPTEs: it is among the points that passing them counted. */
static inline u64 sim_peek_spte(const u64 *sptep)
{
	const u64 val = sim_about_to_read(sptep);

	SIM_SPTE_READ(sptep, val);
	return val;
}

static inline void sim_write_spte(u64 *sptep, u64 val, int level, const struct sim_site *site)
{
	u64 old;

	sim_point(POINT_WRITE, level, sptep, site);
	old = sim_about_to_write(sptep);
	SIM_SPTE_WRITE(sptep, val);
	sim_spte_changed(POINT_WRITE, sptep, level, old, val, true, site);
}

static inline u64 sim_xchg_spte(u64 *sptep, u64 val, int level, const struct sim_site *site)
{
	u64 old;

	sim_point(POINT_XCHG, level, sptep, site);
	old = sim_about_to_write(sptep);
	SIM_SPTE_XCHG(sptep, old, val);
	sim_spte_changed(POINT_XCHG, sptep, level, old, val, true, site);
	return old;
}

static inline bool sim_cmpxchg_spte(u64 *sptep, u64 *old, u64 val, int level,
				    const struct sim_site *site)
{
	u64 cur;
	bool ok;

	sim_point(POINT_CMPXCHG, level, sptep, site);
	cur = sim_about_to_write(sptep);
	ok = cur == *old;
	if (ok) {
		SIM_SPTE_XCHG(sptep, cur, val);
	} else {
		SIM_SPTE_READ(sptep, cur);
		*old = cur;
	}
	sim_spte_changed(POINT_CMPXCHG, sptep, level, cur, val, ok, site);
	return ok;
}

static inline u64 sim_fetch_and_spte(u64 *sptep, u64 mask, int level, const struct sim_site *site)
{
	u64 old;

	sim_point(POINT_AND, level, sptep, site);
	old = sim_about_to_write(sptep);
	SIM_SPTE_XCHG(sptep, old, old & mask);
	sim_spte_changed(POINT_AND, sptep, level, old, old & mask, true, site);
	return old;
}

/*
 * A table that nobody else can see yet: no point, but the observer is told. @n SPTEs become @first,
 * @first + @step and so on.
 */
static inline SIM_BOOKKEEPING void sim_init_sptes(u64 *sptep, int n, u64 first, u64 step, int level,
						  const struct sim_site *site)
{
	int i;

	for (i = 0; i < n; i++) {
		sim_touch(&sptep[i]);
		sptep[i] = first + i * step;
	}
	SIM_OWN_WRITE(sptep, n * sizeof(*sptep));
	sim.observer->init(sim.observer->ctx, sim_ptr_pa(sptep), level, n, first, step, site);
}

/* sim_memory.c: many SPTEs at once; neither is a point */
int sim_run_length(const u64 *sptep, int n, u64 val);
int sim_step_length(const u64 *sptep, int n, u64 step);
void sim_write_run(u64 *sptep, int n, u64 val);

/*
 * How many of @n SPTEs may be passed at @points points each without anybody noticing: as many as come
 * before the next point at which somebody looks closer.
 */
static SIM_INLINE int sim_unwatched(int n, int points)
{
	if (likely((u64)n * points < sim.left))
		return n;
	return (sim.left - 1) / points;
}

/* Whether nobody looks closer at any of the next @points points: no choice, no other thread. */
static inline SIM_BOOKKEEPING bool sim_undisturbed(u64 points)
{
	return sim.left > points;
}

/**
 * struct sim_step - the points of one of many equal steps, each of which passes an SPTE
 * @kind: how it touches the SPTE
 * @level: of the SPTE
 * @touches: how often
 * @asks: how often it asks whether to yield
 */
struct sim_step {
	enum point_kind kind;
	int level;
	int touches;
	int asks;
};

/* sim.c: where choices wait for their points */
int sim_steps_to_choice(int n, const struct sim_step *step);
void sim_count_steps(int n, const struct sim_step *step);

/* How many of @n such steps may be taken without anybody noticing? */
static inline SIM_BOOKKEEPING int sim_free_steps(int n, const struct sim_step *step)
{
	if (unlikely(sim.counting))
		return sim_steps_to_choice(n, step);
	return sim_unwatched(n, step->touches + step->asks);
}

/* As many were taken. */
static inline SIM_BOOKKEEPING void sim_take_steps(int n, const struct sim_step *step)
{
	if (unlikely(sim.counting))
		sim_count_steps(n, step);
	else
		sim.left -= (u64)n * (step->touches + step->asks);
}

/**
 * sim_skip_sptes() - pass over SPTEs in which a walk has no interest
 * @sptep: first of @n SPTEs of one live table
 * @n: how many at most
 * @val: value that does not interest the walk
 * @level: of the SPTEs
 * @reads: how often the walk would read each of them
 * @asks: it would ask whether to yield, at each of them
 *
 * Most SPTEs that walks pass are empty. This passes them by what is known of the page, and does just what
 * single steps would: it stops short of a point for which the schedule has a choice, and a walk
 * that may have to yield skips nothing.
 *
 * Return: how many were passed.
 */
static inline SIM_BOOKKEEPING int sim_skip_sptes(const u64 *sptep, int n, u64 val, int level,
						 int reads, bool asks)
{
	const struct sim_step step = {
		.kind = POINT_READ,
		.level = level,
		.touches = reads,
		.asks = asks,
	};

	if (asks && unlikely(sim.current->need_resched || sim.queued))
		return 0;
	SIM_USE_TABLE(&sim_pages[sim_page_index(sptep)]);
	n = sim_run_length(sptep, sim_free_steps(n, &step), val);
	sim_take_steps(n, &step);
	return n;
}

/**
 * sim_freeze_sptes() - exchange a run of SPTEs that hold @empty for @frozen
 * @sptep: first of @n SPTEs of one table that was removed
 * @n: how many at most
 * @empty: ends at the first SPTE that holds something else
 * @frozen: new value
 * @level: of the SPTEs
 *
 * The same as that many exchanges; stops short like sim_skip_sptes().
 *
 * Return: how many were exchanged.
 */
static inline SIM_BOOKKEEPING int sim_freeze_sptes(u64 *sptep, int n, u64 empty, u64 frozen,
						   int level)
{
	const struct sim_step step = { .kind = POINT_XCHG, .level = level, .touches = 1 };

	n = sim_run_length(sptep, sim_free_steps(n, &step), empty);
	sim_write_run(sptep, n, frozen);
	sim_take_steps(n, &step);
	if (!n)
		return 0;
	SIM_USE_TABLE(&sim_pages[sim_page_index(sptep)]);
	sim.observer->freeze(sim.observer->ctx, POINT_XCHG, sim_ptr_pa(sptep), level, n, empty, 0,
			     frozen);
	return n;
}

/**
 * sim_freeze_leaves() - give a run of leaves, equal but for their address, the value @frozen
 * @sptep: first of @n SPTEs of one table that was removed; it was read
 * @n: how many at most
 * @step: each leaf is this much above the one before
 * @frozen: new value
 * @how: POINT_XCHG or POINT_WRITE
 * @points: points that single steps would pass at each leaf
 * @level: of the SPTEs
 *
 * The same as single steps, with what else they do at each leaf, but for the very last point: that
 * one is the caller's, who does for all of them what else there is to do. Stops short like
 * sim_skip_sptes().
 *
 * Return: how many, at least 2; 0 if there is no run: go by single steps.
 */
static inline SIM_BOOKKEEPING int sim_freeze_leaves(u64 *sptep, int n, u64 step, u64 frozen,
						    enum point_kind how, int points, int level)
{
	const u64 first = sim_peek_spte(sptep);

	n = sim_step_length(sptep, sim_unwatched(n, points), step);
	if (n < 2)
		return 0;
	sim_write_run(sptep, n, frozen);
	sim.left -= (u64)n * points - 1;
	sim.observer->freeze(sim.observer->ctx, how, sim_ptr_pa(sptep), level, n, first, step,
			     frozen);
	return n;
}

#define tdp_read_spte(sptep, level)		 sim_read_spte(sptep, level, SIM_SITE)
#define tdp_write_spte(sptep, val, level)	 sim_write_spte(sptep, val, level, SIM_SITE)
#define tdp_xchg_spte(sptep, val, level)	 sim_xchg_spte(sptep, val, level, SIM_SITE)
#define tdp_cmpxchg_spte(sptep, old, val, level) sim_cmpxchg_spte(sptep, old, val, level, SIM_SITE)
#define tdp_fetch_and_spte(sptep, mask, level)	 sim_fetch_and_spte(sptep, mask, level, SIM_SITE)
#define tdp_init_sptes(sptep, n, first, step, level) \
	sim_init_sptes(sptep, n, first, step, level, SIM_SITE)
#define tdp_skip_sptes(sptep, n, val, level, reads, asks) \
	sim_skip_sptes(sptep, n, val, level, reads, asks)
#define tdp_peek_spte(sptep)			 sim_peek_spte(sptep)
#define tdp_run_length(sptep, n, val)		 sim_run_length(sptep, n, val)
#define tdp_freeze_sptes(sptep, n, empty, frozen, level) \
	sim_freeze_sptes(sptep, n, empty, frozen, level)
/* @first: what @sptep holds; @atomic: each would be exchanged, else stored */
#define tdp_freeze_leaves(sptep, n, first, step, frozen, atomic, points, level)                   \
	sim_freeze_leaves(sptep, n, step, frozen, (atomic) ? POINT_XCHG : POINT_WRITE, points, level)
/* Short cuts of platforms without points at each SPTE: here walks make single steps. */
#define tdp_change_leaves(sptep, n, first, step, val, val_step, atomic) \
	((void)(n), (void)(first), (void)(val), (void)(val_step), (void)(atomic), 0)
#define tdp_alike_sptes(sptep, n, val, mask) ((void)(n), (void)(val), (void)(mask), 0)

/* Shared variables that are not SPTEs. */
#define READ_ONCE(x)                                      \
	({                                                \
		sim_point(POINT_LOAD, 0, &(x), SIM_SITE); \
		__atomic_load_n(&(x), __ATOMIC_RELAXED);  \
	})
#define WRITE_ONCE(x, val)                                       \
	do {                                                     \
		sim_point(POINT_STORE, 0, &(x), SIM_SITE);       \
		__atomic_store_n(&(x), (val), __ATOMIC_RELAXED); \
	} while (0)
#define smp_load_acquire(p)                            \
	({                                             \
		sim_point(POINT_LOAD, 0, p, SIM_SITE); \
		__atomic_load_n(p, __ATOMIC_ACQUIRE);  \
	})
#define smp_store_release(p, val)                             \
	do {                                                  \
		sim_point(POINT_STORE, 0, p, SIM_SITE);       \
		__atomic_store_n(p, (val), __ATOMIC_RELEASE); \
	} while (0)

typedef struct {
	s64 counter;
} atomic64_t;
typedef struct {
	u32 refs;
} refcount_t;

#define atomic64_read(v)   READ_ONCE((v)->counter)
#define atomic64_set(v, i) WRITE_ONCE((v)->counter, i)
#define atomic64_add(i, v)                                              \
	do {                                                            \
		sim_point(POINT_ATOMIC, 0, v, SIM_SITE);                \
		__atomic_fetch_add(&(v)->counter, i, __ATOMIC_RELAXED); \
	} while (0)
#define atomic64_inc(v) atomic64_add(1, v)
#define atomic64_dec(v) atomic64_add(-1, v)

typedef atomic64_t tdp_stat_t;
#define tdp_stat_add(i, stat) atomic64_add(i, stat)
#define tdp_stat_read(stat)   atomic64_read(stat)

/* Words whose bits several threads set and clear: requests, dirty bitmaps. */
#define tdp_xchg_word(p, val)                                  \
	({                                                     \
		sim_point(POINT_ATOMIC, 0, p, SIM_SITE);       \
		__atomic_exchange_n(p, val, __ATOMIC_ACQ_REL); \
	})
/* No point: such a word may as well be read at any other time of the operation. */
#define tdp_read_word(p)       __atomic_load_n(p, __ATOMIC_RELAXED)
/* Likewise, by who has the lock that keeps other writers away. */
#define tdp_write_word(p, val) __atomic_store_n(p, val, __ATOMIC_RELAXED)
#define tdp_fetch_or(p, mask)                                 \
	({                                                    \
		sim_point(POINT_ATOMIC, 0, p, SIM_SITE);      \
		__atomic_fetch_or(p, mask, __ATOMIC_ACQ_REL); \
	})
#define tdp_fetch_andnot(p, mask)                                 \
	({                                                        \
		sim_point(POINT_ATOMIC, 0, p, SIM_SITE);          \
		__atomic_fetch_and(p, ~(mask), __ATOMIC_ACQ_REL); \
	})

#define refcount_set(r, n)	 WRITE_ONCE((r)->refs, n)
#define refcount_read(r)	 READ_ONCE((r)->refs)
#define refcount_inc_not_zero(r) sim_refcount_inc_not_zero(r, SIM_SITE)
#define refcount_dec_and_test(r) sim_refcount_dec_and_test(r, SIM_SITE)
bool sim_refcount_inc_not_zero(refcount_t *r, const struct sim_site *site);
bool sim_refcount_dec_and_test(refcount_t *r, const struct sim_site *site);

/*
 * Locks; names are for reports.  Who comes first gets a lock first, and it is handed over when it is
 * released.  As with the kernel's, readers wait behind a writer that waits.
 */
struct sim_queue {
	struct sim_thread *first;
	struct sim_thread *last;
};

typedef struct {
	const char *name;
	u32 readers;
	struct sim_thread *writer;
	struct sim_queue queue;
} rwlock_t;

struct sim_lock {
	const char *name;
	struct sim_thread *owner;
	struct sim_queue queue;
};

typedef struct {
	struct sim_lock lock;
} spinlock_t;

struct mutex {
	struct sim_lock lock;
};

#define rwlock_init(l)	  (*(l) = (rwlock_t){ .name = #l })
#define spin_lock_init(l) (*(l) = (spinlock_t){ .lock.name = #l })
#define mutex_init(l)	  (*(l) = (struct mutex){ .lock.name = #l })
#define read_lock(l)	  sim_read_lock(l, SIM_SITE)
#define read_unlock(l)	  sim_read_unlock(l, SIM_SITE)
#define write_lock(l)	  sim_write_lock(l, SIM_SITE)
#define write_unlock(l)	  sim_write_unlock(l, SIM_SITE)
#define spin_lock(l)	  sim_lock(&(l)->lock, SIM_SITE)
#define spin_unlock(l)	  sim_unlock(&(l)->lock, SIM_SITE)
#define mutex_lock(l)	  sim_lock(&(l)->lock, SIM_SITE)
#define mutex_unlock(l)	  sim_unlock(&(l)->lock, SIM_SITE)
void sim_read_lock(rwlock_t *lock, const struct sim_site *site);
void sim_read_unlock(rwlock_t *lock, const struct sim_site *site);
void sim_write_lock(rwlock_t *lock, const struct sim_site *site);
void sim_write_unlock(rwlock_t *lock, const struct sim_site *site);
void sim_lock(struct sim_lock *lock, const struct sim_site *site);
void sim_unlock(struct sim_lock *lock, const struct sim_site *site);

static inline SIM_BOOKKEEPING bool sim_is_held(const rwlock_t *lock)
{
	return lock->readers || lock->writer;
}

static inline SIM_BOOKKEEPING bool sim_is_held_read(const rwlock_t *lock)
{
	return lock->readers;
}

static inline SIM_BOOKKEEPING bool sim_is_held_write(const rwlock_t *lock)
{
	return lock->writer == sim.current;
}

static inline SIM_BOOKKEEPING bool sim_is_owned(const struct sim_lock *lock)
{
	return lock->owner == sim.current;
}

#define lockdep_assert_held(l)	     WARN_ON(!sim_is_held(l)) /* an rwlock */
#define lockdep_assert_held_read(l)  WARN_ON(!sim_is_held_read(l))
#define lockdep_assert_held_write(l) WARN_ON(!sim_is_held_write(l))
#define lockdep_assert_owned(l)	     WARN_ON(!sim_is_owned(&(l)->lock)) /* spinlock, mutex */

/*
 * Scheduling. need_resched() is a point of its own, so that a schedule can say
 * at which of a walk's questions the answer becomes yes; yielding clears it.
 */
#define need_resched()		     sim_need_resched(SIM_SITE)
#define cond_resched()		     sim_cond_resched(SIM_SITE)
#define cond_resched_rwlock_read(l)  sim_cond_resched_rwlock(l, false, SIM_SITE)
#define cond_resched_rwlock_write(l) sim_cond_resched_rwlock(l, true, SIM_SITE)
#define cpu_relax()		     sim_relax(SIM_SITE)
static inline SIM_BOOKKEEPING bool sim_need_resched(const struct sim_site *site)
{
	sim_point(POINT_RESCHED, 0, NULL, site);
	return sim.current->need_resched;
}
void sim_cond_resched(const struct sim_site *site);
void sim_cond_resched_rwlock(rwlock_t *lock, bool write, const struct sim_site *site);
void sim_relax(const struct sim_site *site);

/* Somebody waits for the lock: who holds it should let go for a moment. */
static inline SIM_BOOKKEEPING bool rwlock_needbreak(const rwlock_t *lock)
{
	return lock->queue.first != NULL;
}

/*
 * Sleeping until another thread changes something: the sleeper announces it, looks a last time, and
 * calls schedule(), which does not sleep if it was woken since.
 */
struct rcuwait {
	struct sim_thread *task;
};
#define rcuwait_init(w)		((w)->task = NULL)
#define prepare_to_rcuwait(w)	sim_prepare_to_rcuwait(w)
#define finish_rcuwait(w)	sim_finish_rcuwait(w)
#define rcuwait_wake_up(w)	sim_rcuwait_wake_up(w)
#define TASK_UNINTERRUPTIBLE	true
#define set_current_state(asleep) sim_set_asleep(asleep)
#define schedule()		sim_schedule(SIM_SITE)
void sim_prepare_to_rcuwait(struct rcuwait *wait);
void sim_finish_rcuwait(struct rcuwait *wait);
void sim_rcuwait_wake_up(struct rcuwait *wait);
void sim_set_asleep(bool asleep);
void sim_schedule(const struct sim_site *site);

/*
 * RCU. Callbacks run when a grace period ends: where the schedule says gp-end
 * and no reader is left that began before that, else as late as possible, at
 * rcu_barrier().
 */
struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
	u64 readers; /* which of them its grace period waits for */
};

#define rcu_read_lock()	     sim_rcu_read_lock(SIM_SITE)
#define rcu_read_unlock()    sim_rcu_read_unlock(SIM_SITE)
#define call_rcu(head, func) sim_call_rcu(head, func, SIM_SITE)
#define synchronize_rcu()    sim_rcu_barrier(SIM_SITE)
#define rcu_barrier()	     sim_rcu_barrier(SIM_SITE)
void sim_rcu_read_lock(const struct sim_site *site);
void sim_rcu_read_unlock(const struct sim_site *site);
void sim_call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head),
		  const struct sim_site *site);
void sim_rcu_barrier(const struct sim_site *site);
#define rcu_dereference(p)	 smp_load_acquire(&(p))
#define rcu_assign_pointer(p, v) smp_store_release(&(p), v)

/* synchronize_srcu() waits for the readers that were inside when it began, and for no others. */
struct srcu_struct {
	const char *name;
};
#define init_srcu_struct(s)	 (*(s) = (struct srcu_struct){ .name = #s })
#define srcu_read_lock(s)	 sim_srcu_read_lock(s, SIM_SITE)
#define srcu_read_unlock(s, idx) sim_srcu_read_unlock(s, idx, SIM_SITE)
#define synchronize_srcu(s)	 sim_synchronize_srcu(s, SIM_SITE)
int sim_srcu_read_lock(struct srcu_struct *srcu, const struct sim_site *site);
void sim_srcu_read_unlock(struct srcu_struct *srcu, int idx, const struct sim_site *site);
void sim_synchronize_srcu(struct srcu_struct *srcu, const struct sim_site *site);

/* Memory; each allocation is a point and may be made to fail. All of it comes back zeroed. */
#define kzalloc(size)	  sim_zalloc(1, size, SIM_SITE)
#define kvcalloc(n, size) sim_zalloc(n, size, SIM_SITE)
#define kfree(ptr)	  sim_free(ptr, SIM_SITE)
void *sim_zalloc(size_t n, size_t size, const struct sim_site *site);
void sim_free(void *ptr, const struct sim_site *site);

/* A page-table page with every entry @fill; NULL if refused. Whoever touches a freed one is found. */
#define tdp_page_alloc(fill)	sim_page_alloc(fill, SIM_SITE)
#define tdp_page_reserve(fill)	sim_page_alloc(fill, SIM_SITE)
#define tdp_page_set(ptr, fill) ((void)(ptr), (void)(fill)) /* it is */
#define tdp_page_free(ptr)	sim_page_free(ptr, SIM_SITE)
u64 *sim_page_alloc(u64 fill, const struct sim_site *site);
void sim_page_free(u64 *page, const struct sim_site *site);

/* A page without one is no table, or none any more: the kernel would follow a null pointer. */
static inline void *page_private(const void *ptr)
{
	const u64 i = sim_page_index(ptr);

	if (unlikely(i >= SIM_PT_PAGES || !sim_pages[i].priv))
		sim_used_without_descriptor(ptr);
	return sim_pages[i].priv;
}
static inline void set_page_private(void *ptr, void *priv)
{
	sim_pages[sim_page_index(ptr)].priv = priv;
}

/*
 * Other CPUs. A flush returns once every vCPU in guest mode has dropped the entries. There is one VM, whose
 * vCPUs are the observer's.
 */
#define tdp_flush_tlbs(kvm)		   sim_flush(0, 0, SIM_SITE)
#define tdp_flush_tlbs_range(kvm, gfn, nr) sim_flush(gfn, nr, SIM_SITE)
#define tdp_kick_vcpus(kvm, req)	   sim_kick(req, SIM_SITE)
struct tdp_cpu {
};
void sim_flush(gfn_t gfn, u64 nr, const struct sim_site *site);
void sim_kick(int req, const struct sim_site *site);

static __always_inline bool sim_warn_on(bool cond, const char *text, const struct sim_site *site)
{
	if (unlikely(cond))
		sim_warn(text, site);
	return cond;
}

#define WARN_ON(cond)	   sim_warn_on(cond, #cond, SIM_SITE)
#define WARN_ON_ONCE(cond) WARN_ON(cond)

#endif /* TDP_SIM_H */
