/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fibers: stacks that simulated threads run on, one at a time, on one OS thread.
 *
 * A switch takes about ten nanoseconds: Boost.Context's fcontext by default, the C library's
 * ucontext as the portable fallback (CMake option TDP_FIBERS).  ASan, MSan and TSan are told of
 * each.  TSan sees a fiber as a thread of its own, and no synchronisation in a switch: only what
 * happened before fiber_get() happens before a fiber's run, and only fiber_put() orders its run
 * before what follows.
 *
 * Neither exceptions nor longjmp() may leave a fiber.
 */
#ifndef TDP_FIBER_H
#define TDP_FIBER_H

#include <stdbool.h>

struct fiber;

struct fiber *fiber_get(void (*run)(void *arg), void *arg);
void fiber_switch(struct fiber *to);
/*
 * Does not return, but is not declared so: before such a call AddressSanitizer cleans the whole stack,
 * which fiber_put() does anyway, and makes a system call.
 */
void fiber_end(struct fiber *to);
struct fiber *fiber_current(void);
void fiber_put(struct fiber *f);
void fiber_play(void **part);
void fiber_order(struct fiber *before, struct fiber *after);
void fiber_meet(void *part);
bool fiber_alone(bool on);

#endif /* TDP_FIBER_H */
