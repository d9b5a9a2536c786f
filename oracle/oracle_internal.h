/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the oracle share.  oracle.h is the outside.
 */
#ifndef ORACLE_INTERNAL_H
#define ORACLE_INTERNAL_H

#include "format.h"
#include "hw.h"
#include "map.h"
#include "mirror.h"
#include "model.h"
#include "oracle.h"
#include "slots.h"

#define ORACLE_MAX_VIOLATIONS	32
/* The last thread is nobody's: the start and the end of a program. */
#define ORACLE_MAX_THREADS	(PROG_MAX_THREADS + 1)
#define ORACLE_MAX_DEPTH	4	/* calls within calls: a PML drain inside another one */
#define ORACLE_MAX_TRACKED	64
#define NO_GFN			(~0ULL)

struct host;
struct migrate;

/**
 * struct spte_event - a change of an SPTE, as the rules see it
 * @how: what kind of access made it
 * @t: page-table page that holds it
 * @pa: its address
 * @level: its level as the page's place in the tree has it
 * @gfn: first gfn that it maps
 * @old: value before, @val: value after
 * @was: @old is MMU-present, @is: @val is
 * @was_leaf: @old is an MMU-present leaf, @is_leaf: @val is
 */
struct spte_event {
	enum oracle_how how;
	struct mirror_table *t;
	uint64_t pa;
	int level;
	uint64_t gfn;
	uint64_t old, val;
	bool was, is;
	bool was_leaf, is_leaf;
};

/**
 * struct hw_use - hardware is about to access memory
 * @v: the vCPU, @vcpu: its number
 * @gfn: guest page
 * @access: read, write, execute
 * @e: translation it uses
 * @cached: @e was in the TLB before
 */
struct hw_use {
	struct vcpu *v;
	int vcpu;
	uint64_t gfn;
	enum hw_access access;
	struct tlb_entry *e;
	bool cached;
};

#define MAX_SEEN	(PROG_MAX_SLOTS + ORACLE_MAX_THREADS)

/* A host page looked up by a fault: at which step, and what the answer was. */
struct lookup {
	uint64_t step;
	uint64_t hvn;
	uint64_t pfn;
};

/* Host pages, or gfns, of which look-ups before @step must not be used any more. */
struct stale_range {
	uint64_t step;
	uint64_t start, n;
	bool gfns;
};

#define MAX_STALE	16

/* A huge page's SPTE has changed at @step, without mmu_lock it may be, and was @old. */
struct lockless {
	uint64_t step;
	uint64_t pa;
	uint64_t old;
	int thread;
};

#define MAX_LOCKLESS	16

#define OWED_MAX	8
#define OWED_ANY_ROOT	(~0ULL)

/* Pages of a root that have lost a translation, or part of what it permitted, see owed.c. */
struct owed_range {
	uint64_t root;
	uint64_t start, end;
	uint64_t unit;
	bool gone;
};

struct call_frame {
	struct oracle_call call;
	uint64_t step;
};

/**
 * struct thread_state - what is known of a thread
 * @depth: calls it is in
 * @calls: those, outermost first
 * @frozen: address of the SPTE that it froze last
 * @locks: locks that it holds
 * @last_lock: the lock that it took or released last
 * @rcu: RCU read sections that it is in
 * @rcu_since: step at which the outermost of those began
 * @invalidations: that it has started and not ended
 * @region_order: when the SET_REGION call that it is in released slots_lock, see region_set(); 0:
 * not yet
 * @lookup: the last that it made
 * @pml: the SET_REGION call that it is in has kicked the vCPUs: they log by now
 * @returned: step at which its last call returned
 * @owed: what the call that it is in may still have to flush, @nr_owed: how many ranges
 */
struct thread_state {
	int depth;
	struct call_frame calls[ORACLE_MAX_DEPTH];
	uint64_t frozen;
	int locks;
	const char *last_lock;
	int rcu;
	uint64_t rcu_since;
	int invalidations;
	uint64_t region_order;
	bool pml;
	struct lookup lookup;
	struct owed_range owed[OWED_MAX];
	uint32_t nr_owed;
	uint64_t returned;
};

struct tracked_gfn {
	uint8_t slot;
	uint64_t gfn;
	int32_t count;
};

struct oracle {
	struct vm_desc vm;
	struct oracle_env env;
	struct format fmt;
	struct mirror *mirror;
	struct host *host;
	struct migrate *migrate;
	struct model *model;
	bool predict;
	bool overlapped;	/* calls of several threads have, or a call and an instruction */
	bool destroyed;		/* or about to be */
	uint64_t requests;	/* flushes and kicks so far */
	bool nx_huge_pages;	/* the mitigation is on, and nobody is turning it off */
	struct slots slots;
	struct vcpu vcpus[PROG_MAX_VCPUS];

	/* now */
	int thread;
	struct thread_state *current;	/* that thread's */
	uint32_t op;
	uint64_t step;
	uint64_t progress;	/* counts what changes: SPTEs, slots, roots, host memory */
	uint64_t hash;
	uint64_t brackets;	/* part of the hash: locks and RCU sections, see oracle_mix_bracket() */
	uint64_t sum;		/* part of the hash: of what is told one by one or in runs, see oracle_add() */
	bool hash_points;
	struct thread_state threads[ORACLE_MAX_THREADS];
	int calls_open;
	int invalidations;	/* of all threads, started and not ended */
	uint64_t open_since;	/* step at which the oldest open call began */
	uint64_t invalidated;	/* step at which roots were invalidated last */
	int nr_executing;	/* vCPUs in the middle of an instruction */
	int regions_open;	/* SET_REGION calls among them: which slots there are is in flux */
	uint64_t region_step;	/* step at which one returned last */
	uint64_t region_orders;
	uint64_t slot_order[2][PROG_MAX_SLOTS];

	/* rules' own */
	struct map born;	/* leaf: step of the look-up that it was made from, see rule_n.c */
	struct stale_range stale[MAX_STALE];
	uint32_t nr_stale;
	struct lockless lockless[MAX_LOCKLESS];	/* see rule_m.c */
	uint32_t nr_lockless;
	struct tracked_gfn tracked[ORACLE_MAX_TRACKED];
	uint32_t nr_tracked;
	int pml_early;		/* SET_REGION calls that have made vCPUs log, and not returned */
	int64_t nr_nx_splits;	/* tables that are on the recovery list, */
	int64_t nr_nx_maybe;	/* and those of which that is not known */
	int nx_open;		/* SET_NX calls that have not returned */
	uint64_t nx_step;	/* step at which one did last */
	bool nx_unsure;		/* those that were last overlapped: it may be on or off */
	int track_open;		/* TRACK and UNTRACK calls that have not returned */
	uint64_t track_step;	/* step at which one did last */
	bool track_unsure;	/* more may be tracked than is known of */

	/* findings */
	uint32_t nr_violations;
	struct oracle_violation violations[ORACLE_MAX_VIOLATIONS];
};

static inline struct thread_state *oracle_current(struct oracle *o)
{
	return o->current;
}

/* The innermost call that the current thread is in, NULL if none. */
static inline const struct oracle_call *oracle_in_call(struct oracle *o)
{
	struct thread_state *t = oracle_current(o);

	return t->depth ? &t->calls[t->depth - 1].call : NULL;
}

/* The step at which the call began that the current thread returns from now. */
static inline uint64_t oracle_call_step(struct oracle *o)
{
	return oracle_current(o)->calls[oracle_current(o)->depth].step;
}

/* The hash is part of every event: two words at a time, one multiplication each. */
static inline void oracle_mix(struct oracle *o, uint64_t a, uint64_t b)
{
	uint64_t h = (o->hash ^ a) * 0x9fb21c651e98df25ULL;

	h ^= (h >> 32) ^ b;
	o->hash = h * 0xd6e8feb86659fd93ULL;
}

/*
 * Locks and RCU sections are half of all events: they get less than oracle_mix(), but where they are
 * between the others counts.
 */
static inline void oracle_mix_bracket(struct oracle *o, uint64_t what)
{
	o->brackets = (o->brackets ^ o->hash ^ what) * 0x9fb21c651e98df25ULL;
}

/* Is a thread other than the current one in a call, or between the halves of an invalidation? */
static inline bool oracle_others_call(struct oracle *o)
{
	return o->calls_open > !!oracle_current(o)->depth ||
	       o->invalidations > oracle_current(o)->invalidations;
}

/*
 * Part of the hash, too: @n things, the first of which is @a, @b, and each other @a_step, @b_step
 * more. The same for one thing at a time as for all of them, in whatever order.
 */
static inline void oracle_add(struct oracle *o, uint64_t n, uint64_t a, uint64_t a_step, uint64_t b,
			      uint64_t b_step)
{
	const uint64_t pairs = n * (n - 1) / 2;

	o->sum += (n * a + pairs * a_step) * 0x9fb21c651e98df25ULL +
		  (n * b + pairs * b_step) * 0xd6e8feb86659fd93ULL;
}

static inline uint64_t oracle_read_spte(struct oracle *o, uint64_t pa, bool *live)
{
	const uint64_t *sptep = o->env.sptep(o->env.ctx, pa);

	*live = sptep;
	return sptep ? __atomic_load_n(sptep, __ATOMIC_ACQUIRE) : 0;
}

/* ---- oracle.c ---- */
int oracle_slots_seen(struct oracle *o, int as, uint64_t gfn, const struct slot_desc **seen);
bool oracle_slot_leaves(const struct oracle *o, uint8_t number);
void oracle_overlap(struct oracle *o);
bool oracle_region_changed(const struct oracle *o, uint64_t since);

/* ---- owed.c ---- */
void owed_add(struct oracle *o, uint64_t root, uint64_t start, uint64_t n, bool gone);
void owed_paid(struct oracle *o, uint64_t gfn, uint64_t nr);
bool owed_any(const struct oracle *o, uint64_t root, uint64_t gfn, bool gone);

#endif /* ORACLE_INTERNAL_H */
