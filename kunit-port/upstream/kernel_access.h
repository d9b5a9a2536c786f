/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses to what threads share.  The tree reads and writes SPTEs with the same macros
 * as anything else; here they are told apart by their address, and go to the platform's
 * functions for SPTEs.
 */
#ifndef UPSTREAM_KERNEL_ACCESS_H
#define UPSTREAM_KERNEL_ACCESS_H

/* spte_access.c */
int upstream_spte_level(const u64 *sptep);
void upstream_will_link(const u64 *sptep, u64 old, u64 val);
void upstream_linked(u64 old, u64 val);
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
	return ok;
}

#undef READ_ONCE
#undef WRITE_ONCE
#define UPSTREAM_IS_WORD(x) __builtin_types_compatible_p(__typeof__(x), u64)
/* What a pointer leads to is read after the pointer, on every CPU; C has no word for that but acquire. */
#define UPSTREAM_POINTER_CLASS	5
#define UPSTREAM_LOAD_ORDER(x) \
	(__builtin_classify_type(x) == UPSTREAM_POINTER_CLASS ? __ATOMIC_ACQUIRE : __ATOMIC_RELAXED)
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

typedef atomic64_t atomic_t;
#define atomic_read(v) READ_ONCE((v)->counter)
#define refcount_dec(r) ((void)refcount_dec_and_test(r))

/* Simulated threads are sequentially consistent. */
#define smp_rmb()	     __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()	     __atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_store_mb(x, val) WRITE_ONCE(x, val)
#define barrier()	     __asm__ volatile("" ::: "memory")
#define data_race(x)	     (x)

/* The pointer is one that the thread has: following it is the access. */
#undef rcu_dereference
#define rcu_dereference(p)		(p)
#define rcu_dereference_raw(p)		(p)
#define rcu_dereference_protected(p, c) (p)
#define RCU_INIT_POINTER(p, v)		WRITE_ONCE(p, v)
#define RCU_LOCKDEP_WARN(...)		((void)0)
#define ASSERT_EXCLUSIVE_ACCESS(x)	((void)0)
#define RCU_NONIDLE(x)			(x)
#define rcu_read_lock_any_held()	true

/* A lock is an rwlock, or has the same beginning as a mutex. */
#define upstream_is_held(l)                                                   \
	_Generic((l),                                                         \
		rwlock_t *: sim_is_held((const rwlock_t *)(const void *)(l)), \
		default: sim_is_owned((const struct sim_lock *)(const void *)(l)))
#undef lockdep_assert_held
#define lockdep_assert_held(l)	   WARN_ON(!upstream_is_held(l))
#define lockdep_assert_not_held(l) ((void)(l))
#define lockdep_is_held(l)	   upstream_is_held(l)
#define lockdep_assert_once(cond)  WARN_ON(!(cond))
#define lockdep_assert(cond)	   WARN_ON(!(cond))

struct upstream_srcu_guard {
	struct srcu_struct *srcu;
	int idx;
};

static inline void upstream_srcu_guard_end(struct upstream_srcu_guard *guard)
{
	srcu_read_unlock(guard->srcu, guard->idx);
}

static inline void upstream_rcu_guard_end(const int *guard)
{
	(void)guard;
	rcu_read_unlock();
}

#define guard(what) upstream_guard_##what
#define upstream_guard_rcu() \
	int guard_ __attribute__((cleanup(upstream_rcu_guard_end), unused)) = (rcu_read_lock(), 0)
#define upstream_guard_srcu(s)                                                             \
	struct upstream_srcu_guard guard_ __attribute__((cleanup(upstream_srcu_guard_end), \
							 unused)) = { s, srcu_read_lock(s) }

#undef cond_resched_rwlock_write
#define cond_resched_rwlock_write(l) (sim_cond_resched_rwlock(l, true, SIM_SITE), 1)

#define local_irq_disable()  ((void)0)
#define local_irq_enable()   ((void)0)
#define signal_pending(task) false

#endif /* UPSTREAM_KERNEL_ACCESS_H */
