/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of explore.h share. */
#ifndef FUZZ_EXPLORE_INTERNAL_H
#define FUZZ_EXPLORE_INTERNAL_H

#include "explore.h"
#include "platform.h"

/* Memory that is not part of the explored world: it keeps what a restart takes back. Zeroed. */
void *explore_alloc(size_t bytes);
void explore_free(void *ptr, size_t bytes);

static inline uint64_t explore_mix(uint64_t h, uint64_t a)
{
	h = (h ^ a) * 0x9fb21c651e98df25ULL;
	return (h ^ h >> 29) * 0xd6e8feb86659fd93ULL;
}

/* ---- explore_order.c: which events are ordered ---- */

/*
 * How an event touches an object. Two events of different threads depend on each other if both
 * touch an object, one as FRONT and the other as BACK. So a read is FRONT: two of them do not. A
 * write is both. What changes something in a way in which order does not matter, but matters to
 * those who look, is FRONT if those are BACK.
 */
enum { TOUCH_FRONT = 1, TOUCH_BACK = 2, TOUCH_READ = TOUCH_FRONT, TOUCH_WRITE = 3 };

/* What an event touches. */
struct touch {
	uint64_t object;
	unsigned int how;
};
#define EVENT_MAX_TOUCHES 6
int event_touches(enum point_kind kind, uint64_t object, struct touch touches[EVENT_MAX_TOUCHES]);

/*
 * Objects beside those that the platform names, see explore_order.c.
 */
enum {
	OBJECT_WORLD = 1,
	OBJECT_TREE,
	OBJECT_CPUS,
	OBJECT_PAGES,
	OBJECT_FREED,
	OBJECT_QUEUES,
	OBJECT_SPIN,
	OBJECTS_OWN,
};

#define ORDER_WORDS 8

/* Objects touched, a bit for each; some share one, so that sets may seem to overlap that do not. */
struct order_set {
	uint64_t front[ORDER_WORDS];
	uint64_t back[ORDER_WORDS];
};

/**
 * struct order_object - something shared
 * @key: its name
 * @run: run in which the sums are valid
 * @front: sum of the hashes of the events that touched it as FRONT
 * @back: likewise
 */
struct order_object {
	uint64_t key;
	uint32_t run;
	uint64_t front;
	uint64_t back;
};

/**
 * struct order - the events of a run so far, as far as they are ordered
 * @own: those of enum OBJECT_*
 * @objects: hash table of the others
 * @mask: its size minus 1
 * @used: objects in it
 * @run: number of the run
 * @last: hash of each thread's last event, which takes in all those before it that it depends on
 */
struct order {
	struct order_object own[OBJECTS_OWN];
	struct order_object *objects;
	uint32_t mask;
	uint32_t used;
	uint32_t run;
	uint64_t last[PROG_MAX_THREADS];
};

void order_init(struct order *order);
void order_free(struct order *order);
void order_begin(struct order *order);
void order_event(struct order *order, int thread, const struct touch *touches, int n);

static inline uint32_t order_bit(uint64_t object)
{
	/* The own objects are touched most, and have bits of their own. */
	if (object < OBJECTS_OWN)
		return object;
	return OBJECTS_OWN + (uint32_t)((object * 0x9e3779b97f4a7c15ULL >> 32) *
						(ORDER_WORDS * 64 - OBJECTS_OWN) >>
					32);
}

static inline void order_add(struct order_set *set, const struct touch *touches, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		uint32_t bit = order_bit(touches[i].object);
		uint64_t how = touches[i].how;

		set->front[bit / 64] |= (how & TOUCH_FRONT) << (bit & 63);
		set->back[bit / 64] |= (how & TOUCH_BACK) >> 1 << (bit & 63);
	}
}

static inline bool order_independent(const struct order_set *a, const struct order_set *b)
{
	uint64_t both = 0;
	int i;

	for (i = 0; i < ORDER_WORDS; i++)
		both |= (a->front[i] & b->back[i]) | (a->back[i] & b->front[i]);
	return !both;
}

/* ---- explore_seen.c ---- */

/**
 * struct seen - states, and the largest budget with which each was explored
 * @slots: hash table; 0 is an empty slot
 * @budgets: of the slots
 * @mask: its size minus 1
 * @used: states in it
 */
struct seen {
	uint64_t *slots;
	uint8_t *budgets;
	uint64_t mask;
	uint64_t used;
};

void seen_init(struct seen *seen);
void seen_free(struct seen *seen);
bool seen_before(struct seen *seen, uint64_t state, uint32_t budget);

/* ---- explore_world.c ---- */

struct world;

bool world_possible(void);
struct world *world_create(void);
void world_destroy(struct world *w);
bool world_begin(struct world *w, void (*body)(void *arg), void *arg);
void world_mark(struct world *w);
void world_run(struct world *w);
void world_end(struct world *w);
void world_leave(struct world *w) __attribute__((noreturn));

/* ---- explore_start.c: where exploration starts ---- */

/**
 * struct explore_start - finds the place where exploration starts
 * @nr_threads: of the program
 * @from: first operation of each thread that is explored
 * @op: operation that each thread is in, -1 before its first
 * @missing: threads that have not come to the first of their explored operations
 * @asked: threads whose question for that operation's point has been asked
 */
struct explore_start {
	uint32_t nr_threads;
	uint32_t from[PROG_MAX_THREADS];
	int64_t op[PROG_MAX_THREADS];
	uint32_t missing;
	uint32_t asked;
};

void explore_start_init(struct explore_start *start, const struct program *prog,
			const struct explore_options *opts);
void explore_strip(struct program *prog, const struct explore_start *start);
bool explore_arrive(struct explore_start *start, int thread, enum point_kind kind, uint32_t k,
		    uint32_t runnable, int *target);
int explore_next(int thread, uint32_t runnable);

/* ---- explore_search.c: depth first ---- */

/* Answers other than the default ones, by number of the question. */
struct explore_switch {
	uint32_t question;
	uint32_t target;
};
#define EXPLORE_MAX_SWITCHES 1024

struct explore_switches {
	uint32_t nr;
	struct explore_switch at[EXPLORE_MAX_SWITCHES];
};

/**
 * struct search_subject - what is explored
 * @ctx: passed back
 * @nr_threads: threads it has, at most PROG_MAX_THREADS
 * @run: run it once from the common start, with search_start() first and then search_point() and
 *	search_pick() where threads may be switched, search_touch() in between; returns the rules
 *	broken, bits as in struct explore_result
 * @leave: NULL, or what remains of the run does not matter: does not return, and neither does @run
 *	for this schedule; @run returns
 */
struct search_subject {
	void *ctx;
	uint32_t nr_threads;
	uint32_t (*run)(void *ctx);
	void (*leave)(void *ctx);
};

/**
 * struct search_options - how
 * @preemptions: at most so many in a schedule
 * @no_reduction: run equivalent schedules too
 * @first: stop at the first schedule that breaks a rule
 * @max_schedules: stop after so many; 0: never
 * @part: which share of the work this is
 * @parts: how many there are
 */
struct search_options {
	uint32_t preemptions;
	bool no_reduction;
	bool first;
	uint64_t max_schedules;
	uint32_t part;
	uint32_t parts;
};

/**
 * struct search_found - what a search found
 * @count: totals but @states, the caller's; may be read from another process meanwhile
 * @exhausted: nothing is left to run
 * @rules: broken
 * @preemptions: of the smallest failing schedule
 * @smallest: that schedule
 */
struct search_found {
	struct explore_count count;
	bool exhausted;
	uint32_t rules;
	uint32_t preemptions;
	struct explore_switches smallest;
};

struct search;
struct search *search_create(const struct search_subject *subject,
			     const struct search_options *opts);
void search_destroy(struct search *s);
void search_run(struct search *s, struct search_found *found);
bool search_was_cut(const struct search *s);

/* For the subject. */
void search_start(struct search *s, int thread);
void search_asked(struct search *s, int thread, const struct touch *touches, int n);
int search_first(struct search *s, int thread, uint32_t runnable);
int search_point(struct search *s, int thread, const struct touch *touches, int n,
		 uint32_t runnable, bool preemptible);
int search_pick(struct search *s, int thread, uint32_t runnable);
void search_touch(struct search *s, int thread, const struct touch *touches, int n);

#endif /* FUZZ_EXPLORE_INTERNAL_H */
