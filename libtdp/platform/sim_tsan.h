/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the sim platform tells ThreadSanitizer, which watches the mirrored code: what is known of the
 * order of accesses on real CPUs, as who takes a lock comes after who has released it; and accesses that
 * the platform makes in the mirrored code's place.  Nothing in builds without TSan.
 */
#ifndef TDP_SIM_TSAN_H
#define TDP_SIM_TSAN_H

#ifdef TDP_TSAN
#include <sanitizer/tsan_interface.h>
#include <sanitizer/tsan_interface_atomic.h>
void __tsan_write_range(void *ptr, size_t bytes);
void __tsan_read8_pc(void *ptr, void *pc);
void __tsan_write8(void *ptr);

#define SIM_ACQUIRE(obj) __tsan_acquire((void *)(obj))
#define SIM_RELEASE(obj) __tsan_release((void *)(obj))

/* The current thread writes memory that is its own. */
#define SIM_OWN_WRITE(ptr, bytes) __tsan_write_range(ptr, bytes)

/*
 * A page table is known by one word: who gets it or gives it back writes that word, and each use of any of
 * its SPTEs reads it first. So a use that is not ordered after the allocation, or before the
 * free, is a data race, just as if each of 512 SPTEs had been written.
 */
#define SIM_OWN_TABLE(page) __tsan_write8(&(page)->owner)
#define SIM_USE_TABLE(page) __tsan_read8_pc((void *)&(page)->owner, __builtin_return_address(0))

/*
 * Accesses to SPTEs, where the value before (@old) and after (@val) is known already. They are atomic, and
 * ordered as far as somebody may follow them: an SPTE publishes nothing but the page table that it
 * links. That is no more than the kernel has by address dependencies, so that TSan does not take
 * an SPTE without a table for an ordering that the kernel may lack.
 */
#define SIM_SPTE_READ(sptep, val)                                                        \
	((void)__tsan_atomic64_load((const volatile __tsan_atomic64 *)(sptep),           \
				    sim_names_table(val) ? __tsan_memory_order_acquire : \
							   __tsan_memory_order_relaxed))
#define SIM_SPTE_WRITE(sptep, val)                                                         \
	__tsan_atomic64_store((volatile __tsan_atomic64 *)(sptep), (__tsan_atomic64)(val), \
			      sim_names_table(val) ? __tsan_memory_order_release :         \
						     __tsan_memory_order_relaxed)
/* By compare-and-exchange, which succeeds: TSan's exchange has a fence that costs 20 ns. */
#define SIM_SPTE_XCHG(sptep, old, val)                                                       \
	({                                                                                   \
		__tsan_atomic64 sim_old = (__tsan_atomic64)(old);                            \
                                                                                             \
		__tsan_atomic64_compare_exchange_strong((volatile __tsan_atomic64 *)(sptep), \
							&sim_old, (__tsan_atomic64)(val),    \
							sim_xchg_order(old, val),            \
							__tsan_memory_order_relaxed);        \
	})
#define sim_xchg_order(old, val)                                                     \
	(sim_names_table(old) ? sim_names_table(val) ? __tsan_memory_order_acq_rel : \
						       __tsan_memory_order_acquire : \
	 sim_names_table(val) ? __tsan_memory_order_release :                        \
				__tsan_memory_order_relaxed)
#else
#define SIM_ACQUIRE(obj)	       ((void)(obj))
#define SIM_RELEASE(obj)	       ((void)(obj))
#define SIM_OWN_WRITE(ptr, bytes)      ((void)(ptr))
#define SIM_OWN_TABLE(page)	       ((void)(page))
#define SIM_USE_TABLE(page)	       ((void)(page))
#define SIM_SPTE_READ(sptep, val)      ((void)(sptep))
#define SIM_SPTE_WRITE(sptep, val)     ((void)(*(sptep) = (val)))
#define SIM_SPTE_XCHG(sptep, old, val) ((void)(*(sptep) = (val)))
#endif

/* The platform's own book-keeping, which is not the program's. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SIM_BOOKKEEPING                                                                         \
	__attribute__((disable_sanitizer_instrumentation, no_sanitize("coverage", "undefined"), \
		       noinline, unused))
#endif
#endif
#ifndef SIM_BOOKKEEPING
#define SIM_BOOKKEEPING
#endif
/* What book-keeping and the mirrored code both ask for: part of whoever asks. */
#define SIM_INLINE inline __attribute__((always_inline))

/* A function that reads what others change meanwhile, as the kernel does on purpose. */
#ifdef TDP_TSAN
#define __no_kcsan __attribute__((no_sanitize("thread")))
#else
#define __no_kcsan
#endif

#endif /* TDP_SIM_TSAN_H */
