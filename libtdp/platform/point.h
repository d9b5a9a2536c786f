/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The points: every place where a thread touches something that another thread
 * may touch.  A schedule addresses them as KIND(LEVEL)#K within an operation.
 * POINT(NAME, "text", has a level).  New kinds go at the end: the binary program
 * format stores the number.
 */
#ifndef TDP_POINT_H
#define TDP_POINT_H

#define POINT_LIST(POINT)                                                    \
	POINT(OP, "op", 0) /* an operation begins */                         \
	POINT(READ, "read", 1) /* SPTE read */                               \
	POINT(WRITE, "write", 1) /* SPTE plain store */                      \
	POINT(XCHG, "xchg", 1) /* SPTE exchange */                           \
	POINT(CMPXCHG, "cmpxchg", 1) /* SPTE compare-and-exchange */         \
	POINT(AND, "and", 1) /* SPTE atomic fetch-and */                     \
	POINT(LOAD, "load", 0) /* other shared variable */                   \
	POINT(STORE, "store", 0)                                             \
	POINT(ATOMIC, "atomic", 0) /* read-modify-write of one */            \
	POINT(READ_LOCK, "read-lock", 0)                                     \
	POINT(WRITE_LOCK, "write-lock", 0)                                   \
	POINT(LOCK, "lock", 0) /* spinlock or mutex */                       \
	POINT(UNLOCK, "unlock", 0) /* of any lock */                         \
	POINT(RCU, "rcu", 0) /* read section begins */                       \
	POINT(RCU_END, "rcu-end", 0)                                         \
	POINT(CALL_RCU, "call-rcu", 0)                                       \
	POINT(SYNC, "sync", 0) /* wait for a grace period */                 \
	POINT(SRCU, "srcu", 0) /* SRCU read section begins */                \
	POINT(SRCU_END, "srcu-end", 0)                                       \
	POINT(ALLOC, "alloc", 0) /* memory that may be refused */            \
	POINT(FREE, "free", 0)                                               \
	POINT(FLUSH, "flush", 0) /* remote TLB flush requested */            \
	POINT(KICK, "kick", 0) /* other request to all vCPUs */              \
	POINT(RESCHED, "cond-resched", 0) /* a walk asks whether to yield */ \
	POINT(RELAX, "relax", 0) /* a spin or retry */                       \
	POINT(TLB, "tlb", 0) /* vCPU looks an address up */                  \
	POINT(WALK, "walk", 1) /* hardware walker reads an SPTE */           \
	POINT(ASSIST, "assist", 1) /* hardware sets A or D */                \
	POINT(MEMORY, "memory", 0) /* guest load or store of a frame */      \
	POINT(FAULTIN, "faultin", 0) /* pfn look-up in the host */           \
	POINT(BLOCK, "block", 0) /* the thread is about to wait */           \
	POINT(END, "end", 0) /* the thread's last operation has ended */

enum point_kind {
#define POINT(name, text, has_level) POINT_##name,
	POINT_LIST(POINT)
#undef POINT
	POINT_NR
};

#define POINT_LEVELS 6 /* 0: none, 1..5: 4K 2M 1G 512G 256T */

#endif /* TDP_POINT_H */
