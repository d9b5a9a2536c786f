/* SPDX-License-Identifier: GPL-2.0-only */
/* What ASan, MSan and TSan want to know of fibers; nothing in builds without them. */
#ifndef TDP_FIBER_SANITIZER_H
#define TDP_FIBER_SANITIZER_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#if __has_feature(memory_sanitizer)
#define FIBER_MSAN 1
#endif
#if __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define FIBER_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__) || defined(TDP_TSAN)
#define FIBER_TSAN 1
#endif

/*
 * Functions that are on two stacks at once. MSan alone has to see them, in order to know that what
 * they pass on is initialised.
 */
#ifdef FIBER_MSAN
#define FIBER_RAW __attribute__((no_sanitize("memory", "coverage", "undefined")))
#elif defined(__clang__)
#define FIBER_RAW \
	__attribute__((disable_sanitizer_instrumentation, no_sanitize("coverage", "undefined")))
#else
#define FIBER_RAW __attribute__((no_sanitize("address", "thread", "undefined")))
#endif

#ifdef FIBER_MSAN
#include <sanitizer/msan_interface.h>
#elif defined(FIBER_ASAN)
#include <sanitizer/asan_interface.h>
#endif
#ifdef FIBER_TSAN
#include <sanitizer/tsan_interface.h>
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreSyncBegin(const char *file, int line);
void AnnotateIgnoreSyncEnd(const char *file, int line);
#endif

/* Just before a jump to the stack of @size bytes at @bottom; @fake_stack NULL: never to come back. */
static inline __attribute__((always_inline)) void fiber_asan_start(void **fake_stack,
								   const void *bottom, size_t size)
{
#ifdef FIBER_MSAN
	(void)fake_stack;
	__msan_start_switch_fiber(bottom, size);
#elif defined(FIBER_ASAN)
	__sanitizer_start_switch_fiber(fake_stack, bottom, size);
#else
	(void)fake_stack;
	(void)bottom;
	(void)size;
#endif
}

/* Just after it; stores where the stack was that was left. */
static inline __attribute__((always_inline)) void
fiber_asan_finish(void *fake_stack, const void **bottom, size_t *size)
{
#ifdef FIBER_MSAN
	(void)fake_stack;
	__msan_finish_switch_fiber(bottom, size);
#elif defined(FIBER_ASAN)
	__sanitizer_finish_switch_fiber(fake_stack, bottom, size);
#else
	(void)fake_stack;
	(void)bottom;
	(void)size;
#endif
}

/* Frames from @low to @top are gone without having returned. */
static inline void fiber_asan_unpoison(const char *low, const char *top)
{
#ifdef FIBER_ASAN
	__asan_unpoison_memory_region(low, top - low);
#else
	(void)low;
	(void)top;
#endif
}

#ifdef FIBER_TSAN
/* The OS thread's own, if it is not known yet. */
static inline void fiber_tsan_learn(void **fiber)
{
	if (!*fiber)
		*fiber = __tsan_get_current_fiber();
}

/* One that is there already, or a new one. */
static inline void *fiber_tsan_get(void **fiber)
{
	if (!*fiber)
		*fiber = __tsan_create_fiber(0);
	return *fiber;
}

static inline void fiber_tsan_destroy(void *fiber)
{
	__tsan_destroy_fiber(fiber);
}

/* Just before a jump. No synchronisation: what two threads do is ordered by what they do alone. */
static inline __attribute__((always_inline)) void fiber_tsan_switch(void *to)
{
	__tsan_switch_to_fiber(to, __tsan_switch_to_fiber_no_sync);
}

/* What @before has done happens before what @after will do; @self is the fiber that says so. */
static inline void fiber_tsan_order(void *before, void *after, void *self)
{
	if (before != self)
		__tsan_switch_to_fiber(before, __tsan_switch_to_fiber_no_sync);
	__tsan_switch_to_fiber(after, 0);
	if (after != self)
		__tsan_switch_to_fiber(self, __tsan_switch_to_fiber_no_sync);
}

/* Whether to look away from what the current fiber does: from reads, writes (which goes with them), locks. */
static inline void fiber_tsan_ignore(bool ignore)
{
	if (ignore) {
		AnnotateIgnoreReadsBegin(__FILE_NAME__, __LINE__);
		AnnotateIgnoreSyncBegin(__FILE_NAME__, __LINE__);
	} else {
		AnnotateIgnoreSyncEnd(__FILE_NAME__, __LINE__);
		AnnotateIgnoreReadsEnd(__FILE_NAME__, __LINE__);
	}
}
#else
static inline void fiber_tsan_learn(void **fiber)
{
	(void)fiber;
}

static inline void *fiber_tsan_get(void **fiber)
{
	(void)fiber;
	return NULL;
}

static inline void fiber_tsan_destroy(void *fiber)
{
	(void)fiber;
}

static inline __attribute__((always_inline)) void fiber_tsan_switch(void *to)
{
	(void)to;
}

static inline void fiber_tsan_order(void *before, void *after, void *self)
{
	(void)before;
	(void)after;
	(void)self;
}

static inline void fiber_tsan_ignore(bool ignore)
{
	(void)ignore;
}
#endif

#endif /* TDP_FIBER_SANITIZER_H */
