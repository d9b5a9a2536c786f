/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The native platform: real threads, C11 atomics, liburcu.  docs/native.md says what each piece is
 * and why.
 *
 *   native_thread.h	what a thread has of its own; yielding
 *   native_atomic.h	SPTEs and other shared variables
 *   native_lock.h	locks; the reader-distributed mmu_lock
 *   native_rcu.h	RCU, SRCU
 *   native_memory.h	page tables and other memory
 *   native_guest.c	guest mode: flushes and kicks that wait for vCPUs
 */
#ifndef TDP_PLATFORM_NATIVE_H
#define TDP_PLATFORM_NATIVE_H

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <tdp/types.h>

#ifdef TDP_TSAN
#include <sanitizer/tsan_interface.h>
#define NATIVE_ACQUIRE(obj) __tsan_acquire((void *)(obj))
#define NATIVE_RELEASE(obj) __tsan_release((void *)(obj))
/* What this thread has other libraries do with memory is not watched. */
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#define NATIVE_IGNORE_BEGIN() AnnotateIgnoreWritesBegin(__FILE__, __LINE__)
#define NATIVE_IGNORE_END()   AnnotateIgnoreWritesEnd(__FILE__, __LINE__)
/* A function that reads what others change meanwhile, as the kernel does on purpose. */
#define __no_kcsan __attribute__((no_sanitize("thread")))
#else
#define NATIVE_ACQUIRE(obj)   ((void)(obj))
#define NATIVE_RELEASE(obj)   ((void)(obj))
#define NATIVE_IGNORE_BEGIN() ((void)0)
#define NATIVE_IGNORE_END()   ((void)0)
#define __no_kcsan
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NATIVE_ASAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define NATIVE_ASAN 1
#endif

/* Builds that look for mistakes, at any price. */
#if defined(NATIVE_ASAN) || defined(TDP_TSAN)
#define NATIVE_DEBUG 1
#else
#define NATIVE_DEBUG 0
#endif

/*
 * In the library that unit tests and ./dev stress run on, and in no other: a place where another CPU could get in
 * between. Who links it decides what happens; true: the allocation is refused. The kinds are those of sim.h.
 */
#ifdef NATIVE_POINTS
#include "point.h"
bool native_point(enum point_kind kind, int level, const void *ptr);
bool native_watched(void);
#else
#define native_point(kind, level, ptr) ((void)(level), (void)(ptr), false)
#define native_watched()	       false
#endif

/* native_report.c */
void native_warn(const char *cond, const char *file, int line) __attribute__((cold));

static __always_inline bool native_warn_on(bool cond, const char *text, const char *file, int line)
{
	if (unlikely(cond))
		native_warn(text, file, line);
	return cond;
}

#define WARN_ON(cond)	   native_warn_on(cond, #cond, __FILE_NAME__, __LINE__)
#define WARN_ON_ONCE(cond) WARN_ON(cond)

#include "native_thread.h"

#include "native_atomic.h"
#include "native_lock.h"
#include "native_memory.h"
#include "native_rcu.h"

/*
 * Other CPUs. When a flush returns, no vCPU in guest mode has the entries any more, and who enters has
 * dropped them first.
 */
#define tdp_flush_tlbs(kvm)		   native_at(FLUSH, 0, NULL, native_flush(kvm, 0, 0))
#define tdp_flush_tlbs_range(kvm, gfn, nr) native_at(FLUSH, 0, NULL, native_flush(kvm, gfn, nr))
#define tdp_kick_vcpus(kvm, req)	   native_at(KICK, 0, NULL, native_kick(kvm, req))
struct kvm;
void native_flush(struct kvm *kvm, gfn_t gfn, u64 nr);
void native_kick(struct kvm *kvm, enum tdp_vcpu_request req);

#define NATIVE_CPU_RANGES 16

struct native_range {
	gfn_t gfn;
	u64 nr;
};

struct tdp_guest_ops;

/**
 * struct tdp_cpu - a vCPU as flushes and kicks see it
 * @state: odd while it is in guest mode; each entry and each exit adds one
 * @pending: what it has to do before it enters again: NATIVE_CPU_*
 * @ops: how it does that; NULL: it never enters guest mode
 * @guest: passed to @ops
 * @thread: in guest mode, whose thread it is
 * @roots: roots that it had loaded when its TLB was flushed for a new one
 * @lock: protects @ranges
 * @nr_ranges: how many are there
 * @ranges: to be flushed
 */
struct tdp_cpu {
	u64 state;
	u32 pending;
	const struct tdp_guest_ops *ops;
	void *guest;
	const struct native_thread *thread;
	u64 roots;
	spinlock_t lock;
	u32 nr_ranges;
	struct native_range ranges[NATIVE_CPU_RANGES];
};

#endif /* TDP_PLATFORM_NATIVE_H */
