/* SPDX-License-Identifier: GPL-2.0-only */
/* Accesses to what threads share, on either platform; locks; RCU. */
#ifndef UPSTREAM_KERNEL_ACCESS_H
#define UPSTREAM_KERNEL_ACCESS_H

#undef READ_ONCE
#undef WRITE_ONCE
#define UPSTREAM_IS_WORD(x) __builtin_types_compatible_p(__typeof__(x), u64)
/* What a pointer leads to is read after the pointer, on every CPU; C has no word for that but acquire. */
#define UPSTREAM_POINTER_CLASS	5
#define UPSTREAM_LOAD_ORDER(x) \
	(__builtin_classify_type(x) == UPSTREAM_POINTER_CLASS ? __ATOMIC_ACQUIRE : __ATOMIC_RELAXED)
#ifdef TDP_NATIVE
#include "access_native.h"
#else
#include "access_sim.h"
#endif

typedef atomic64_t atomic_t;
#define atomic_read(v) READ_ONCE((v)->counter)
#define refcount_dec(r) ((void)refcount_dec_and_test(r))

/* Simulated threads are sequentially consistent; real ones need what the CPU needs. */
#define smp_rmb()	     __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()	     __atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_store_mb(x, val) ((void)WRITE_ONCE(x, val), __atomic_thread_fence(__ATOMIC_SEQ_CST))
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
#define cond_resched_rwlock_write(l) (upstream_yield_write(l), 1)

#define local_irq_disable()  ((void)0)
#define local_irq_enable()   ((void)0)
#define signal_pending(task) false

#endif /* UPSTREAM_KERNEL_ACCESS_H */
