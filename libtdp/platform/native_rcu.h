/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RCU by liburcu, of the flavour in which threads need not register: they are the user's, who may
 * use liburcu, too.  SRCU as in the kernel, since liburcu has none.
 */
#ifndef TDP_PLATFORM_NATIVE_RCU_H
#define TDP_PLATFORM_NATIVE_RCU_H

/* Read sections inline, as the licence allows; but sanitizers would watch liburcu's own accesses then. */
#if !NATIVE_DEBUG
#define _LGPL_SOURCE
#endif
/* struct rcu_head has more to it here, and the kernel's names are macros of ours. */
#define rcu_head native_urcu_head
#include <urcu/urcu-bp.h>
#undef rcu_head
#include <urcu/map/clear.h>
#undef rcu_dereference
#undef rcu_assign_pointer

struct rcu_head {
	struct native_urcu_head urcu;
	void (*func)(struct rcu_head *head);
};

extern char native_rcu_readers; /* stands for read sections before TSan */

static inline void rcu_read_lock(void)
{
	urcu_bp_read_lock();
}

static inline void rcu_read_unlock(void)
{
	NATIVE_RELEASE(&native_rcu_readers);
	urcu_bp_read_unlock();
}

#define call_rcu(head, func) native_call_rcu(head, func)
#define synchronize_rcu()    native_synchronize_rcu()
#define rcu_barrier()	     native_rcu_barrier()
void native_call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
void native_synchronize_rcu(void);
void native_rcu_barrier(void);

#define rcu_dereference(p)	 smp_load_acquire(&(p))
#define rcu_assign_pointer(p, v) smp_store_release(&(p), v)

/**
 * struct srcu_struct - readers who may sleep, and a wait for those of this structure alone
 * @period: one wait at a time
 * @index: which of the two counts new readers use, in its lowest bit
 * @shard: readers that came in and went out, of both kinds
 *
 * Mirrors the algorithm of kernel/rcu/srcutree.c: two counts per CPU, and each wait changes them over.
 */
struct srcu_struct {
	struct mutex period;
	u32 index;
	struct {
		u64 in[2];
		u64 out[2];
		char pad[NATIVE_LINE - 4 * sizeof(u64)];
	} shard[NATIVE_SHARDS];
};

void init_srcu_struct(struct srcu_struct *srcu);
void synchronize_srcu(struct srcu_struct *srcu);

static inline int srcu_read_lock(struct srcu_struct *srcu)
{
	const int idx = __atomic_load_n(&srcu->index, __ATOMIC_RELAXED) & 1;

	__atomic_fetch_add(&srcu->shard[native_shard()].in[idx], 1, __ATOMIC_SEQ_CST);
	native_mb_after_atomic();
	return idx;
}

static inline void srcu_read_unlock(struct srcu_struct *srcu, int idx)
{
	__atomic_fetch_add(&srcu->shard[native_shard()].out[idx], 1, __ATOMIC_SEQ_CST);
}

#endif /* TDP_PLATFORM_NATIVE_RCU_H */
