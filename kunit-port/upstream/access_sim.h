/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses to what simulated threads share.  The tree reads and writes SPTEs with the same macros as
 * anything else; here they are told apart by their address, and go to the platform's functions for SPTEs.
 */
#ifndef UPSTREAM_ACCESS_SIM_H
#define UPSTREAM_ACCESS_SIM_H

/* spte_access.c */
int upstream_spte_level(const u64 *sptep);
void upstream_will_link(const u64 *sptep, u64 old, u64 val);
void upstream_linked(u64 old, u64 val);
void upstream_not_linked(const u64 *sptep, u64 val);
void upstream_page_free(u64 *page, const struct sim_site *site);

static inline bool upstream_is_spte(const void *ptr)
{
	return sim_page_index(ptr) < SIM_PT_PAGES;
}

/* The level is wanted only if somebody looks at the point. */
static inline u64 upstream_read64(const u64 *ptr, const struct sim_site *site)
{
	if (upstream_is_spte(ptr))
		return sim_read_spte(ptr, sim_undisturbed(1) ? 0 : upstream_spte_level(ptr), site);
	sim_point(POINT_LOAD, 0, ptr, site);
	return __atomic_load_n(ptr, __ATOMIC_RELAXED);
}

static inline void upstream_write64(u64 *ptr, u64 val, const struct sim_site *site)
{
	u64 old;

	if (!upstream_is_spte(ptr)) {
		sim_point(POINT_STORE, 0, ptr, site);
		__atomic_store_n(ptr, val, __ATOMIC_RELAXED);
		return;
	}
	old = sim_peek_spte(ptr);
	upstream_will_link(ptr, old, val);
	sim_write_spte(ptr, val, upstream_spte_level(ptr), site);
	upstream_linked(old, val);
}

static inline u64 upstream_xchg64(u64 *ptr, u64 val, const struct sim_site *site)
{
	u64 old;

	upstream_will_link(ptr, 0, val);
	old = sim_xchg_spte(ptr, val, upstream_spte_level(ptr), site);
	upstream_linked(old, val);
	return old;
}

static inline bool upstream_cmpxchg64(u64 *ptr, u64 *old, u64 val, const struct sim_site *site)
{
	bool ok;

	upstream_will_link(ptr, *old, val);
	ok = sim_cmpxchg_spte(ptr, old, val, upstream_spte_level(ptr), site);
	if (ok)
		upstream_linked(*old, val);
	else
		upstream_not_linked(ptr, val);
	return ok;
}

#define READ_ONCE(x)                                                                             \
	__builtin_choose_expr(UPSTREAM_IS_WORD(x), upstream_read64((const u64 *)&(x), SIM_SITE), \
			      ({                                                                 \
				      sim_point(POINT_LOAD, 0, &(x), SIM_SITE);                  \
				      __atomic_load_n(&(x), UPSTREAM_LOAD_ORDER(x));             \
			      }))
#define WRITE_ONCE(x, val)                                                             \
	__builtin_choose_expr(UPSTREAM_IS_WORD(x),                                     \
			      upstream_write64((u64 *)&(x), (u64)(val), SIM_SITE), ({  \
				      sim_point(POINT_STORE, 0, &(x), SIM_SITE);       \
				      __atomic_store_n(&(x), (val), __ATOMIC_RELAXED); \
			      }))
#define xchg(ptr, val)		     upstream_xchg64(ptr, val, SIM_SITE)
#define try_cmpxchg64(ptr, old, val) upstream_cmpxchg64(ptr, old, val, SIM_SITE)
#define atomic64_fetch_and(mask, v) \
	sim_fetch_and_spte((u64 *)(v), mask, upstream_spte_level((u64 *)(v)), SIM_SITE)

/* What the tree reads plainly, and other threads may change just before. */
#define upstream_point(ptr) sim_point(POINT_LOAD, 0, ptr, SIM_SITE)

/* A lock is an rwlock, or has the same beginning as a mutex. */
#define upstream_is_held(l)                                                   \
	_Generic((l),                                                         \
		rwlock_t *: sim_is_held((const rwlock_t *)(const void *)(l)), \
		default: sim_is_owned((const struct sim_lock *)(const void *)(l)))
#define upstream_yield_write(l) sim_cond_resched_rwlock(l, true, SIM_SITE)

#define upstream_zalloc(size)	  sim_zalloc(1, size, SIM_SITE)
#define upstream_free(ptr)	  sim_free(ptr, SIM_SITE)
#define upstream_table_free(page) upstream_page_free(page, SIM_SITE)

#endif /* UPSTREAM_ACCESS_SIM_H */
