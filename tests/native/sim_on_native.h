/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the unit tests use of the sim platform, on the native one: included before a test, so that
 * the test itself need not know.  One thread runs, and another CPU gets in at points.  What only a
 * simulation can do is not there: such tests are skipped (NEEDS_SIM).
 */
#ifndef TESTS_NATIVE_SIM_ON_NATIVE_H
#define TESTS_NATIVE_SIM_ON_NATIVE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform.h"

#include <tdp/native.h>

#define NEEDS_SIM() skip()

struct sim_site {
	const char *file;
	int line;
};

struct sim_thread {
	u32 count[POINT_NR][POINT_LEVELS];
};

enum sim_action { SIM_RESCHED = 1 << 1, SIM_FAIL = 1 << 2, SIM_GP_END = 1 << 3 };

struct sim_choice {
	u8 kind;
	u8 level;
	u8 action;
	bool fired;
	u32 k;
};

struct sim_observer {
	void *ctx;
	void (*point)(void *ctx, enum point_kind kind, int level, hpa_t pa, u64 object,
		      const char *text, const struct sim_site *site);
	void (*freeze)(void *ctx, enum point_kind how, hpa_t pa, int level, int n, u64 first,
		       u64 step, u64 frozen);
	void (*flush)(void *ctx, gfn_t gfn, u64 nr, const struct sim_site *site);
	void (*kick)(void *ctx, int req, const struct sim_site *site);
	void (*warn)(void *ctx, const char *cond, const struct sim_site *site);
	void (*fatal)(void *ctx, char rule, const char *what, hpa_t pa);
};

/* @base_...: what tests before this one have left, having been skipped half-way */
static struct {
	struct sim_observer observer;
	struct sim_thread *thread;
	struct sim_choice *choices;
	u32 nr_choices;
	u64 base_pages, base_allocs;
	pthread_t self;
	bool started;
} sim_on_native;

static void sim_on_native_warn(void *ctx, const char *cond, const char *file, int line)
{
	const struct sim_site site = { file, line };

	(void)ctx;
	sim_on_native.observer.warn(sim_on_native.observer.ctx, cond, &site);
}

static inline void sim_set_observer(const struct sim_observer *observer)
{
	const struct sim_observer nobody = { 0 };

	sim_on_native.observer = observer ? *observer : nobody;
	tdp_set_warn(sim_on_native.observer.warn ? sim_on_native_warn : NULL, NULL);
}

static inline void sim_end_op(void)
{
	sim_on_native.thread = NULL;
	sim_on_native.nr_choices = 0;
}

static inline void sim_reset(void)
{
	sim_end_op();
	sim_on_native.base_pages = tdp_pages_in_use();
	sim_on_native.base_allocs = tdp_allocs_in_use();
	sim_on_native.self = pthread_self();
	sim_on_native.started = true;
	native_self.need_resched = false;
}

static inline void sim_begin_op(struct sim_thread *thread, struct sim_choice *choices, u32 nr)
{
	u32 i;

	memset(thread, 0, sizeof(*thread));
	for (i = 0; i < nr; i++)
		choices[i].fired = false;
	sim_on_native.thread = thread;
	sim_on_native.choices = choices;
	sim_on_native.nr_choices = nr;
}

static inline u64 sim_pages_in_use(void)
{
	return tdp_pages_in_use() - sim_on_native.base_pages;
}

static inline u64 sim_allocs_in_use(void)
{
	return tdp_allocs_in_use() - sim_on_native.base_allocs;
}

static inline u64 *sim_spte_ptr(hpa_t pa)
{
	return tdp_spte_at(pa);
}

/* A table without a descriptor is none, or none any more. */
static inline const u64 *sim_spte_look(hpa_t pa)
{
	return page_private(tdp_spte_at(pa)) ? tdp_spte_at(pa) : NULL;
}

static inline void sim_set_budget(u64 points)
{
	(void)points;
}

static hpa_t sim_on_native_pa(const void *ptr)
{
	const u64 i = native_page_index(ptr);

	return native_arena && i < NATIVE_PT_PAGES ? __pa(ptr) : 0;
}

/* Callbacks of RCU run on a thread of liburcu's. */
bool native_watched(void)
{
	return sim_on_native.started && pthread_equal(sim_on_native.self, pthread_self()) &&
	       (sim_on_native.observer.point || sim_on_native.nr_choices);
}

bool native_point(enum point_kind kind, int level, const void *ptr)
{
	const struct sim_observer *o = &sim_on_native.observer;
	const struct sim_site site = { "", 0 };
	bool refused = false;
	u32 i, k = 0;

	if (!native_watched())
		return false;
	if (o->point)
		o->point(o->ctx, kind, level, sim_on_native_pa(ptr), 0, NULL, &site);
	if (sim_on_native.thread)
		k = ++sim_on_native.thread->count[kind][level];
	for (i = 0; i < sim_on_native.nr_choices; i++) {
		struct sim_choice *c = &sim_on_native.choices[i];

		if (c->kind != kind || c->level != level || c->k != k)
			continue;
		c->fired = true;
		refused |= c->action == SIM_FAIL;
		native_self.need_resched |= c->action == SIM_RESCHED;
	}
	return refused;
}

/* The linker puts these in the place of the library's calls. */
void __real_native_flush(struct kvm *kvm, gfn_t gfn, u64 nr);
void __wrap_native_flush(struct kvm *kvm, gfn_t gfn, u64 nr);
void __real_native_kick(struct kvm *kvm, enum tdp_vcpu_request req);
void __wrap_native_kick(struct kvm *kvm, enum tdp_vcpu_request req);

void __wrap_native_flush(struct kvm *kvm, gfn_t gfn, u64 nr)
{
	const struct sim_site site = { "", 0 };

	if (sim_on_native.observer.flush)
		sim_on_native.observer.flush(sim_on_native.observer.ctx, gfn, nr, &site);
	__real_native_flush(kvm, gfn, nr);
}

void __wrap_native_kick(struct kvm *kvm, enum tdp_vcpu_request req)
{
	const struct sim_site site = { "", 0 };

	if (sim_on_native.observer.kick)
		sim_on_native.observer.kick(sim_on_native.observer.ctx, req, &site);
	__real_native_kick(kvm, req);
}

#endif /* TESTS_NATIVE_SIM_ON_NATIVE_H */
