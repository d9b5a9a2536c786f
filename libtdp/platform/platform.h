/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam: what the mirrored MMU asks of the kernel around it.  Everything that
 * two threads may touch at once goes through here, and through nothing else.
 *
 * A platform provides, with the kernel's names and meaning:
 *
 *  SPTEs		tdp_read_spte tdp_write_spte tdp_xchg_spte tdp_cmpxchg_spte
 *			tdp_fetch_and_spte; tdp_init_sptes for a table that is not linked yet;
 *			tdp_skip_sptes, tdp_freeze_sptes, tdp_freeze_leaves: runs of
 *			them at once
 *  shared variables	READ_ONCE WRITE_ONCE smp_load_acquire smp_store_release;
 *			atomic64_t: atomic64_read _set _inc _dec _add;
 *			tdp_stat_t: tdp_stat_add _read, a sum that many threads add to;
 *			refcount_t: refcount_set _inc_not_zero _dec_and_test _read;
 *			__no_kcsan: a function that reads what changes meanwhile, on purpose
 *  locks		rwlock_t spinlock_t struct mutex, *_init *_lock *_unlock,
 *			rwlock_needbreak, lockdep_assert_held*
 *  scheduling		need_resched cond_resched cond_resched_rwlock_read/_write cpu_relax;
 *			struct rcuwait, rcuwait_init prepare_to_rcuwait finish_rcuwait
 *			rcuwait_wake_up set_current_state schedule
 *  RCU, SRCU		rcu_read_lock/_unlock call_rcu rcu_barrier synchronize_rcu,
 *			struct srcu_struct: srcu_read_lock/_unlock synchronize_srcu
 *  memory		kzalloc kvcalloc kfree; tdp_page_alloc tdp_page_free (page tables);
 *			tdp_page_reserve for one whose entries need not be set yet, and
 *			tdp_page_set, which does so;
 *			__pa __va for page tables, page_private set_page_private
 *  CPUs		tdp_flush_tlbs tdp_flush_tlbs_range tdp_kick_vcpus; struct tdp_cpu, what
 *			a vCPU has of it
 *  reports		WARN_ON WARN_ON_ONCE KVM_BUG_ON
 *
 * One is chosen at compile time: sim.h (one OS thread, every access a point where
 * a schedule may interfere), or with TDP_NATIVE native.h (real threads).
 */
#ifndef TDP_PLATFORM_H
#define TDP_PLATFORM_H

#include <tdp/types.h>

#define likely(x)			__builtin_expect(!!(x), 1)
#define unlikely(x)			__builtin_expect(!!(x), 0)
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define ARRAY_SIZE(a)			(sizeof(a) / sizeof((a)[0]))
#define BIT_ULL(n)			(1ULL << (n))
#define GENMASK_ULL(hi, lo)		((~0ULL << (lo)) & (~0ULL >> (63 - (hi))))

/*
 * Requests that reach vCPUs through tdp_kick_vcpus(). All make every vCPU leave the guest.
 * DRAIN: so that it hands over what its PML buffer holds (kvm_arch_sync_dirty_log).
 * FREE_OBSOLETE_ROOTS: it must load a new root before it runs again; waited for.
 * UPDATE_DIRTY_LOGGING: it logs, or logs no more, when it runs again; waited for.
 */
enum tdp_vcpu_request { TDP_REQ_DRAIN, TDP_REQ_FREE_OBSOLETE_ROOTS, TDP_REQ_UPDATE_DIRTY_LOGGING };

#ifdef TDP_NATIVE
#include "native.h"
#else
#include "sim.h"
#endif

/* How many of @n SPTEs from @sptep on hold @val, in a row; none of them is a point. */
#ifndef tdp_run_length
#define tdp_run_length(sptep, n, val)                                   \
	({                                                              \
		int run_ = 0;                                           \
									\
		while (run_ < (n) && (sptep)[run_] == (val))            \
			run_++;                                         \
		run_;                                                   \
	})
#endif

#endif /* TDP_PLATFORM_H */
