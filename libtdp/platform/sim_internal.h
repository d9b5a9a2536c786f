/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the sim platform share. */
#ifndef TDP_SIM_INTERNAL_H
#define TDP_SIM_INTERNAL_H

#include "platform.h"

/* sim.c */
void sim_observe_points(void);
void sim_watch(struct sim_thread *thread);
void sim_fatal(char rule, const char *what, hpa_t pa) __attribute__((noreturn));
void sim_bug_lock(const char *what, const char *name) __attribute__((noreturn));
u32 sim_give_way_point(enum point_kind kind, const char *text, const struct sim_site *site,
		       struct sim_thread **target);

/* sim_thread.c */
void sim_threads_reset(void);
void sim_thread_end(void); /* does not return, see fiber_end() */
void sim_leave(void) __attribute__((noreturn));
void sim_wait(const struct sim_wait *wait);
void sim_yielded(struct sim_thread *thread);
void sim_note_lap(struct sim_thread *t, enum point_kind kind, int level, const void *ptr);
u64 sim_progress(void);

static inline u32 sim_bit(const struct sim_thread *t)
{
	return 1u << t->number;
}

/* Is there a thread of that number in @mask? */
static inline bool sim_among(u32 mask, int number)
{
	return (u32)number < SIM_MAX_THREADS && (mask & 1u << number);
}

static inline bool sim_is_scheduled(const struct sim_thread *t)
{
	return t->run;
}

/* sim_rcu.c */
void sim_rcu_reset(void);
void sim_rcu_meet(void);
void sim_gp_end(void);
bool sim_rcu_queued(void);
extern struct sim_thread sim_rcu_thread;

/* sim_observer.c */
extern const struct sim_observer sim_nobody;

/* sim_memory.c */
void sim_memory_reset(void);

/* For each thread that there is: those that were started, and who runs now if it is none of them. */
#define SIM_EVERYBODY (SIM_MAX_THREADS + 1)
static inline struct sim_thread *sim_somebody(int i)
{
	if (i < SIM_MAX_THREADS)
		return sim.threads[i];
	return sim_is_scheduled(sim.current) ? NULL : sim.current;
}

#endif /* TDP_SIM_INTERNAL_H */
