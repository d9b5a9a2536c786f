// SPDX-License-Identifier: GPL-2.0-only
/* Why no thread of the sim platform gets on, in words. */
#include <stdarg.h>
#include <stdio.h>

#include "stuck.h"

/* As long as a violation's text may be. */
static char report[240];
static size_t report_len;

static void __attribute__((format(printf, 1, 2))) say(const char *fmt, ...)
{
	size_t room = sizeof(report) - report_len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(report + report_len, room, fmt, ap);
	va_end(ap);
	report_len += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

static void say_thread(const struct sim_thread *t)
{
	if (!t->run)
		say("the only thread");
	else
		say("t%d (operation %u)", t->number, t->op);
}

/* What @by has of what @t waits for. */
static void say_held(const struct sim_thread *t, const struct sim_thread *by)
{
	u32 i;

	for (i = 0; i < by->locks_held; i++) {
		if (by->held[i].lock != t->wait.on)
			continue;
		say(", held%s by ", by->held[i].shared ? " for read" : "");
		say_thread(by);
		if (by->held[i].op != by->op)
			say(" since operation %u", by->held[i].op);
		return;
	}
	say(", and in its way is ");
	say_thread(by);
}

/* Who stands in the way of @t; of several one that does not run. */
static const struct sim_thread *in_the_way(const struct sim_thread *t)
{
	u32 mask = t->wait.who && t->run ? t->wait.who(t) : 0;

	if (mask & ~sim.runnable)
		mask &= ~sim.runnable;
	return mask ? sim.threads[__builtin_ctz(mask)] : NULL;
}

static void say_deadlock(const struct sim_thread *last)
{
	const struct sim_thread *t = last, *by = in_the_way(t);
	u32 seen = 0;

	say(t->run && t->asleep && !by ? "lost wake-up: " : "deadlock: ");
	say_thread(t);
	for (;;) {
		say(" waits for %s", t->wait.what);
		by = in_the_way(t);
		if (!by) {
			say(t->run ? ", and nobody is left to bring it" : ", which it has itself");
			return;
		}
		say_held(t, by);
		seen |= 1u << t->number;
		if (by->ended) {
			say(", which has ended");
			return;
		}
		if (seen & 1u << by->number)
			return;
		t = by;
		say(", which");
	}
}

static void say_livelock(const struct sim_thread *spins, const char *how)
{
	int i;

	say("livelock: ");
	say_thread(spins);
	say(" %s, and nothing changes", how);
	for (i = 0; i < SIM_MAX_THREADS; i++) {
		const struct sim_thread *t = sim.threads[i];

		if (!t || t == spins || t->ended)
			continue;
		say("; ");
		say_thread(t);
		if (sim.runnable & 1u << t->number)
			say(t->spins ? " spins or retries, too" : " could run");
		else
			say(" waits for %s", t->wait.what);
	}
}

/**
 * stuck_in_words() - who waits for whom, or who goes round in circles
 * @ctx: nothing; so that this serves as an observer's @stuck
 * @stuck: what the platform says of it, while all threads are as they got stuck
 *
 * Return: one sentence, good until the next.
 */
const char *stuck_in_words(void *ctx, const struct sim_stuck *stuck)
{
	(void)ctx;
	report_len = 0;
	if (stuck->spins)
		say_livelock(stuck->thread, stuck->spins);
	else
		say_deadlock(stuck->thread);
	return report;
}
