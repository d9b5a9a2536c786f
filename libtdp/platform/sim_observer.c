// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is told of what happens.  What an observer does not want to know goes to functions that do
 * nothing, so that no event has to ask first.
 */
#include "sim_internal.h"

static void ignore_thread(void *ctx, int thread)
{
	(void)ctx, (void)thread;
}

static void ignore_decided(void *ctx, int thread, enum point_kind kind, int level, u32 k,
			   unsigned int action, int target)
{
	(void)ctx, (void)thread, (void)kind, (void)level, (void)k, (void)action, (void)target;
}

static u64 no_progress(void *ctx)
{
	(void)ctx;
	return 0;
}

static void ignore_spte(void *ctx, enum point_kind how, hpa_t pa, int level, u64 cur, u64 val,
			bool ok, const struct sim_site *site)
{
	(void)ctx, (void)how, (void)pa, (void)level, (void)cur, (void)val, (void)ok, (void)site;
}

static void ignore_init(void *ctx, hpa_t pa, int level, int n, u64 first, u64 step,
			const struct sim_site *site)
{
	(void)ctx, (void)pa, (void)level, (void)n, (void)first, (void)step, (void)site;
}

static void ignore_freeze(void *ctx, enum point_kind how, hpa_t pa, int level, int n, u64 first,
			  u64 step, u64 frozen)
{
	(void)ctx, (void)how, (void)pa, (void)level, (void)n, (void)first, (void)step;
	(void)frozen;
}

static void ignore_page(void *ctx, enum sim_page_event event, hpa_t pa, u64 fill)
{
	(void)ctx, (void)event, (void)pa, (void)fill;
}

static void ignore_flush(void *ctx, gfn_t gfn, u64 nr, const struct sim_site *site)
{
	(void)ctx, (void)gfn, (void)nr, (void)site;
}

static void ignore_kick(void *ctx, int req, const struct sim_site *site)
{
	(void)ctx, (void)req, (void)site;
}

static void ignore_lock(void *ctx, const char *name, int delta)
{
	(void)ctx, (void)name, (void)delta;
}

static void ignore_rcu(void *ctx, int delta)
{
	(void)ctx, (void)delta;
}

static void ignore_refused(void *ctx, bool page)
{
	(void)ctx, (void)page;
}

static const char *name_stuck(void *ctx, const struct sim_stuck *stuck)
{
	(void)ctx;
	return stuck->spins ? "livelock" : "deadlock";
}

/* Who wants to know nothing. */
const struct sim_observer sim_nobody = {
	.thread = ignore_thread,
	.decided = ignore_decided,
	.progress = no_progress,
	.spte = ignore_spte,
	.init = ignore_init,
	.freeze = ignore_freeze,
	.page = ignore_page,
	.flush = ignore_flush,
	.kick = ignore_kick,
	.lock = ignore_lock,
	.rcu = ignore_rcu,
	.refused = ignore_refused,
	.stuck = name_stuck,
};

/* As the caller's, with nothing missing but point, warn and fatal. */
static struct sim_observer sim_told;

#define IGNORE_IF_MISSING(event)                          \
	do {                                              \
		if (!sim_told.event)                      \
			sim_told.event = sim_nobody.event; \
	} while (0)

/**
 * sim_set_observer() - who is told of every event
 * @observer: copied; NULL for nobody
 */
void sim_set_observer(const struct sim_observer *observer)
{
	sim_told = observer ? *observer : (struct sim_observer){ 0 };
	IGNORE_IF_MISSING(thread);
	IGNORE_IF_MISSING(decided);
	IGNORE_IF_MISSING(progress);
	IGNORE_IF_MISSING(spte);
	IGNORE_IF_MISSING(init);
	IGNORE_IF_MISSING(freeze);
	IGNORE_IF_MISSING(page);
	IGNORE_IF_MISSING(flush);
	IGNORE_IF_MISSING(kick);
	IGNORE_IF_MISSING(lock);
	IGNORE_IF_MISSING(rcu);
	IGNORE_IF_MISSING(refused);
	IGNORE_IF_MISSING(stuck);
	sim.observer = &sim_told;
	sim_observe_points();
}
