// SPDX-License-Identifier: GPL-2.0-only
/* The native platform's RCU and SRCU. */
#include "platform.h"

char native_rcu_readers;
static char callbacks_done; /* stands for callbacks before TSan */

/* On liburcu's thread. TSan does not see what liburcu does for order, and is told. */
static void run_callback(struct native_urcu_head *urcu)
{
	struct rcu_head *head = container_of(urcu, struct rcu_head, urcu);

	NATIVE_ACQUIRE(&native_rcu_readers);
	NATIVE_ACQUIRE(head);
	head->func(head);
	NATIVE_RELEASE(&callbacks_done);
}

/**
 * native_call_rcu() - call_rcu(): call a function when all read sections of now are over
 * @head: of what the function is about
 * @func: the function
 */
void native_call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	head->func = func;
	NATIVE_RELEASE(head);
	urcu_bp_call_rcu(&head->urcu, run_callback);
}

/**
 * native_synchronize_rcu() - synchronize_rcu(): wait for all read sections of now
 */
void native_synchronize_rcu(void)
{
	urcu_bp_synchronize_rcu();
	NATIVE_ACQUIRE(&native_rcu_readers);
}

/**
 * native_rcu_barrier() - rcu_barrier(): wait for all callbacks that were asked for
 *
 * Outside read sections.
 */
void native_rcu_barrier(void)
{
	/* It hands memory to liburcu's thread, ordered by what TSan does not see. */
	NATIVE_IGNORE_BEGIN();
	urcu_bp_barrier();
	NATIVE_IGNORE_END();
	NATIVE_ACQUIRE(&callbacks_done);
}

/* ---- SRCU ---- */

/**
 * init_srcu_struct() - nobody reads
 * @srcu: the structure, zeroed
 */
void init_srcu_struct(struct srcu_struct *srcu)
{
	mutex_init(&srcu->period);
}

/*
 * Have all readers of a kind left? The outs are summed first: a reader that comes and goes meanwhile may
 * be seen to come, never just to go.
 */
static bool nobody_reads(struct srcu_struct *srcu, int idx)
{
	u64 out = 0, in = 0;
	int i;

	for (i = 0; i < NATIVE_SHARDS; i++)
		out += __atomic_load_n(&srcu->shard[i].out[idx], __ATOMIC_SEQ_CST);
	for (i = 0; i < NATIVE_SHARDS; i++)
		in += __atomic_load_n(&srcu->shard[i].in[idx], __ATOMIC_SEQ_CST);
	return in == out;
}

static void wait_for_readers(struct srcu_struct *srcu, int idx)
{
	u32 tries = 0;

	while (!nobody_reads(srcu, idx))
		native_backoff(&tries);
}

/**
 * synchronize_srcu() - wait for all read sections of now
 * @srcu: whose
 *
 * New readers count elsewhere, so that they keep nobody waiting. One who has read the index but not
 * counted itself yet is why there are two waits: it may turn up in a count that was just found empty,
 * and the next wait must not take it for its own.
 *
 * Context: outside read sections of @srcu.
 */
void synchronize_srcu(struct srcu_struct *srcu)
{
	u32 index;

	(void)native_point(POINT_SYNC, 0, srcu);
	native_mutex_lock(&srcu->period);
	index = srcu->index;
	/* What the caller did before is seen by readers that are not waited for. */
	__atomic_fetch_add(&srcu->index, 0, __ATOMIC_SEQ_CST);
	native_mb_after_atomic();
	wait_for_readers(srcu, (index + 1) & 1);
	__atomic_fetch_add(&srcu->index, 1, __ATOMIC_SEQ_CST);
	native_mb_after_atomic();
	wait_for_readers(srcu, index & 1);
	native_mutex_unlock(&srcu->period);
}
