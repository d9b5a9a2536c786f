// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which events of a run are ordered, and which could as well have come in another order.
 *
 * Each event of a thread touches objects.  Its hash takes in the thread's event before it and, for
 * each object, the sum of the hashes of all earlier events that it depends on (explore_internal.h:
 * FRONT and BACK).  Sums do not say in which order those came; what must be said of it is in their
 * own hashes.  The last events of all threads together then name the partial order of the run so
 * far, and with it the state: two runs that order dependent events alike reach the same.
 * (Musuvathi and Qadeer: "Partial-order reduction for context-bounded state exploration".)
 */
#include "explore_internal.h"

#define ORDER_FIRST 1024u

/*
 * Objects beside those that the platform names.
 *
 * WORLD is what no point names: host pages and their marks, slots, tracked pages, requests to
 * vCPUs, what a harvest copied.  Calls of the MMU's interface change it where they begin and end,
 * and so does a look-up of a page in the host.  The oracle looks at it when an SPTE changes and
 * when the hardware looks up, walks or accesses.
 *
 * TREE are the page tables as a whole: the hardware's use of a cached translation is judged by what
 * became of the SPTEs that it came from, each of which changes in an event of its own.
 *
 * CPUS are the translations that vCPUs hold: a flush or kick takes them away.
 *
 * PAGES is the allocator: who asks first gets the lower address.
 *
 * FREED are the pages that RCU callbacks free, in whatever event lets them run.
 *
 * QUEUES are those of the rwlocks: a walk that asks whether somebody waits looks at them.
 *
 * SPIN: threads that spin are held back while others have had no turn, and as long as nothing
 * changes.
 */

void order_init(struct order *order)
{
	uint32_t i;

	*order = (struct order){ .mask = ORDER_FIRST - 1 };
	for (i = 0; i < OBJECTS_OWN; i++)
		order->own[i] = (struct order_object){ .key = i };
	order->objects = explore_alloc(ORDER_FIRST * sizeof(*order->objects));
}

void order_free(struct order *order)
{
	explore_free(order->objects, (order->mask + 1ULL) * sizeof(*order->objects));
}

/* A new run: no event yet. */
void order_begin(struct order *order)
{
	uint32_t i;

	order->run++;
	for (i = 0; i < PROG_MAX_THREADS; i++)
		order->last[i] = i + 1;
}

static struct order_object *slot_of(struct order *order, uint64_t key)
{
	uint32_t i = (uint32_t)(key * 0x9e3779b97f4a7c15ULL >> 32) & order->mask;

	while (order->objects[i].key && order->objects[i].key != key)
		i = (i + 1) & order->mask;
	return &order->objects[i];
}

static void order_double(struct order *order)
{
	struct order_object *old = order->objects;
	uint32_t size = order->mask + 1, i;

	order->objects = explore_alloc(2ULL * size * sizeof(*old));
	order->mask = 2 * size - 1;
	for (i = 0; i < size; i++)
		if (old[i].key)
			*slot_of(order, old[i].key) = old[i];
	explore_free(old, size * sizeof(*old));
}

static struct order_object *object_of(struct order *order, uint64_t key)
{
	struct order_object *o = key < OBJECTS_OWN ? &order->own[key] : slot_of(order, key);

	if (!o->key) {
		o->key = key;
		order->used++;
	}
	if (o->run != order->run) {
		o->run = order->run;
		o->front = 0;
		o->back = 0;
	}
	return o;
}

/**
 * order_event() - an event of a thread
 * @order: events so far
 * @thread: number of the thread
 * @touches: what it touches, no object twice
 * @n: how many, at most EVENT_MAX_TOUCHES
 */
void order_event(struct order *order, int thread, const struct touch *touches, int n)
{
	struct order_object *objects[EVENT_MAX_TOUCHES];
	uint64_t h = explore_mix(order->last[thread], n);
	int i;

	if ((order->used + EVENT_MAX_TOUCHES) * 2 > order->mask)
		order_double(order);
	for (i = 0; i < n; i++) {
		struct order_object *o = object_of(order, touches[i].object);
		unsigned int how = touches[i].how;

		objects[i] = o;
		h = explore_mix(h, o->key * 4 + how);
		/* For writes both sums are often the same: they must not cancel out. */
		h = explore_mix(h, (how & TOUCH_FRONT ? o->back : 0) * 0x9e3779b97f4a7c15ULL +
					   (how & TOUCH_BACK ? o->front : 0));
	}
	for (i = 0; i < n; i++) {
		objects[i]->front += touches[i].how & TOUCH_FRONT ? h : 0;
		objects[i]->back += touches[i].how & TOUCH_BACK ? h : 0;
	}
	order->last[thread] = h;
}

#define OBJECT_PLATFORM (1ULL << 62)

static unsigned int how_itself(enum point_kind kind)
{
	switch (kind) {
	case POINT_READ:
	case POINT_LOAD:
	case POINT_WALK:
	case POINT_TLB:
		return TOUCH_READ;
	default:
		return TOUCH_WRITE;
	}
}

/* What events of a kind touch beside the object that the platform names. */
struct kind_touches {
	int n;
	struct touch touches[5];
};

#define FRONT(id) { OBJECT_##id, TOUCH_FRONT }
#define BACK(id)  { OBJECT_##id, TOUCH_BACK }
#define BOTH(id)  { OBJECT_##id, TOUCH_WRITE }

#define SPTE_CHANGE                                                          \
	{                                                                    \
		4,                                                           \
		{                                                            \
			FRONT(FREED), FRONT(WORLD), FRONT(TREE), FRONT(SPIN) \
		}                                                            \
	}
#define HARDWARE_LOOK                                 \
	3,                                            \
	{                                             \
		FRONT(WORLD), BACK(TREE), FRONT(CPUS) \
	}
#define CPUS_CHANGE                                                       \
	{                                                                 \
		4,                                                        \
		{                                                         \
			FRONT(WORLD), BACK(TREE), BACK(CPUS), FRONT(SPIN) \
		}                                                         \
	}

static const struct kind_touches kind_touches[POINT_NR] = {
	[POINT_READ] = { 1, { FRONT(FREED) } },
	[POINT_WRITE] = SPTE_CHANGE,
	[POINT_XCHG] = SPTE_CHANGE,
	[POINT_CMPXCHG] = SPTE_CHANGE,
	[POINT_AND] = SPTE_CHANGE,
	[POINT_TLB] = { HARDWARE_LOOK },
	[POINT_MEMORY] = { HARDWARE_LOOK },
	[POINT_WALK] = { 4, { FRONT(FREED), FRONT(WORLD), BACK(TREE), FRONT(CPUS) } },
	[POINT_ASSIST] = { 4, { FRONT(FREED), FRONT(WORLD), BOTH(TREE), FRONT(CPUS) } },
	[POINT_FLUSH] = CPUS_CHANGE,
	[POINT_KICK] = CPUS_CHANGE,
	[POINT_FAULTIN] = { 2, { BOTH(WORLD), FRONT(SPIN) } },
	[POINT_ALLOC] = { 1, { BOTH(PAGES) } },
	[POINT_FREE] = { 2, { BOTH(PAGES), BACK(FREED) } },
	[POINT_READ_LOCK] = { 1, { BACK(QUEUES) } },
	[POINT_WRITE_LOCK] = { 1, { BACK(QUEUES) } },
	[POINT_UNLOCK] = { 2, { BACK(QUEUES), FRONT(SPIN) } },
	[POINT_RESCHED] = { 1, { FRONT(QUEUES) } },
	[POINT_RELAX] = { 1, { BOTH(SPIN) } },
};

/**
 * event_touches() - what an event touches
 * @kind: of its point
 * @object: that the platform names, 0 if none
 * @touches: receives objects and how each is touched
 *
 * Return: how many, at most EVENT_MAX_TOUCHES.
 */
int event_touches(enum point_kind kind, uint64_t object, struct touch touches[EVENT_MAX_TOUCHES])
{
	const struct kind_touches *more = &kind_touches[kind];
	int n = more->n, i;

	for (i = 0; i < n; i++)
		touches[i] = more->touches[i];
	if (object)
		touches[n++] = (struct touch){ object | OBJECT_PLATFORM, how_itself(kind) };
	return n;
}
