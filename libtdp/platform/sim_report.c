// SPDX-License-Identifier: GPL-2.0-only
/* The sim platform: why nobody gets on, in words. */
#include <stdarg.h>
#include <stdio.h>

#include "sim_internal.h"

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
	if (!sim_is_scheduled(t))
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
	u32 mask = t->wait.who && sim_is_scheduled(t) ? t->wait.who(t) : 0;

	if (mask & ~sim.runnable)
		mask &= ~sim.runnable;
	return mask ? sim.threads[__builtin_ctz(mask)] : NULL;
}

/**
 * sim_describe_deadlock() - who waits for whom
 * @last: waits, as do all others who have not ended
 *
 * Return: one sentence, good until the next.
 */
const char *sim_describe_deadlock(const struct sim_thread *last)
{
	const struct sim_thread *t = last, *by;
	u32 seen = 0;

	report_len = 0;
	by = in_the_way(t);
	say(sim_is_scheduled(t) && t->asleep && !by ? "lost wake-up: " : "deadlock: ");
	say_thread(t);
	for (;;) {
		say(" waits for %s", t->wait.what);
		by = in_the_way(t);
		if (!by) {
			say(sim_is_scheduled(t) ? ", and nobody is left to bring it" :
						  ", which it has itself");
			return report;
		}
		say_held(t, by);
		seen |= sim_bit(t);
		if (by->ended) {
			say(", which has ended");
			return report;
		}
		if (seen & sim_bit(by))
			return report;
		t = by;
		say(", which");
	}
}

/**
 * sim_describe_spinning() - who goes round in circles, and who waits for that
 * @what: the current thread does
 *
 * Return: one sentence, good until the next.
 */
const char *sim_describe_spinning(const char *what)
{
	int i;

	report_len = 0;
	say("livelock: ");
	say_thread(sim.current);
	say(" %s, and nothing changes", what);
	for (i = 0; i < SIM_MAX_THREADS; i++) {
		const struct sim_thread *t = sim.threads[i];

		if (!t || t == sim.current || t->ended)
			continue;
		say("; ");
		say_thread(t);
		if (sim.runnable & sim_bit(t))
			say(t->spins ? " spins or retries, too" : " could run");
		else
			say(" waits for %s", t->wait.what);
	}
	return report;
}
