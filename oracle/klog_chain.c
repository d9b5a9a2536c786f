// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule A: each change of an SPTE replaces the value that the change before it left.
 *
 * No event names a root, and lines of two CPUs may be inverted: a change is written down after the
 * cmpxchg that made it.  So a change belongs to that page table of its place whose entry has the
 * value which it replaced; if none has, the line that will make it so may yet come, and the change
 * waits for it.  A change for which nothing came in KLOG_WINDOW lines broke the chain: something
 * changed the SPTE and did not account for what was there.
 *
 * Without an event of their own an SPTE gains A, and D if it is writable, which the CPU sets; the
 * entries of a split get X back if the mitigation of huge pages is on.
 */
#include <string.h>

#include "klog_internal.h"

#define DIRECT_MAP	0x3fffffffULL	/* address bits that do not depend on where memory is mapped */

static uint64_t x_bit(const struct klog *log)
{
	return log->fmt.ept ? 4 : FMT_BIT_63;
}

/* Bits that the CPU may have set in @spte since the line that left it. */
static uint64_t cpu_sets(const struct klog *log, uint64_t spte)
{
	if (!fmt_mmu_present(spte))
		return 0;
	return log->fmt.accessed | (spte & FMT_BIT_W ? log->fmt.dirty : 0);
}

static bool follows(const struct klog *log, const struct klog_table *table, uint32_t i,
		    uint64_t old)
{
	uint64_t spte = table->spte[i], diff = spte ^ old;

	if (!diff || (table->partial && !klog_bit(table->known, i)))
		return true;
	if (table->unsure_x)
		diff &= ~x_bit(log);
	return fmt_mmu_present(spte) && !(diff & ~cpu_sets(log, spte)) &&
	       !(diff & spte & ~x_bit(log));
}

/* The first line about an entry of a split tells whether all of them got X back. */
static void settle_x(struct klog *log, struct klog_table *table, uint64_t old)
{
	int i;

	if (!table->unsure_x || !fmt_mmu_present(old))
		return;
	table->unsure_x = false;
	for (i = 0; i < 512 && klog_executable(log, old); i++)
		table->spte[i] ^= x_bit(log);
}

static bool waits_in(const struct klog *log, const struct klog_table *table,
		     const struct klog_event *ev)
{
	uint32_t i;

	for (i = 0; i < log->nr_held; i++) {
		const struct klog_event *held = &log->held[i].ev;

		if (log->held[i].table == table && held->a == ev->a && held->b == ev->c)
			return true;
	}
	return false;
}

/* Which of the page tables that could be meant: the newest valid one, but for what else is known. */
static int rank(const struct klog *log, const struct klog_table *table, const struct klog_event *ev)
{
	if (table->state != KLOG_LIVE)
		return ev->c == FMT_FROZEN ? 9 : log->nr_held && waits_in(log, table, ev) ? 8 : 1;
	if (ev->c == FMT_FROZEN)
		return 0;
	if (table->root->obsolete)
		return 2;
	return table->as_id == KLOG_NO_AS ? 3 : 4;
}

static struct klog_table *choose(struct klog *log, const struct klog_event *ev)
{
	uint32_t i = klog_index(ev->a, ev->level), n;
	struct klog_table *t, *best = NULL;
	int best_rank = 0;

	for (t = klog_at(log, ev->as_id, ev->a, ev->level); t; t = klog_next_at(t)) {
		int r = follows(log, t, i, ev->b) ? rank(log, t, ev) : 0;

		if (r > best_rank || (r && r == best_rank && t->seq > best->seq)) {
			best = t;
			best_rank = r;
		}
	}
	for (n = 0; ev->level >= 4 && n < log->nr_roots; n++) {
		int r;

		t = log->roots[n];
		if (t->as_id != KLOG_NO_AS || t->level != ev->level || !follows(log, t, i, ev->b))
			continue;
		r = rank(log, t, ev);
		if (r > best_rank) {
			best = t;
			best_rank = r;
		}
	}
	return best ? best : klog_adopt(log, ev->as_id, ev->a, ev->level);
}

/* @task is NULL for a change that had to wait, or was forced: it is long past that. */
static void apply(struct klog *log, struct klog_task *task, const struct klog_event *ev,
		  struct klog_table *table)
{
	uint32_t i = klog_index(ev->a, ev->level);
	bool was = klog_is_table(ev->b, ev->level), is = klog_is_table(ev->c, ev->level);
	bool same = was && is && fmt_table(&log->fmt, ev->b) == fmt_table(&log->fmt, ev->c);

	if (table->as_id == KLOG_NO_AS)
		klog_root_is_of(log, table, ev->as_id);
	settle_x(log, table, ev->b);
	if (was && !same) {
		klog_store(log, table, i, ev->b);
		klog_taken(log, task, table, i);
	}
	klog_store(log, table, i, ev->c);
	if (is && !same)
		klog_link(log, table, ev);
	if (task)
		task->table = table;
	if (klog_is_leaf(ev->c, ev->level) && ev->level > 1 && !klog_is_leaf(ev->b, ev->level))
		klog_check_nx(log, task, ev);
}

/* What a fast page fault made of @old: it gives back what was withheld. */
static uint64_t fast_fixed(const struct klog *log, const struct klog_event *ev)
{
	uint64_t spte = ev->b;

	if (fmt_access_tracked(&log->fmt, spte)) {
		spte |= (spte & log->fmt.saved) >> log->fmt.saved_shift;
		spte &= ~log->fmt.saved;
		return spte | (ev->c & spte & log->fmt.mmu_writable ? ev->c & FMT_BIT_W : 0);
	}
	return spte | FMT_BIT_W;
}

/* The leaf that a fast page fault changed: of any level and address space that has the value. */
static bool apply_fast(struct klog *log, const struct klog_event *ev)
{
	struct klog_table *best = NULL;
	bool best_sure = false;
	int as_id, level;

	for (level = 1; level <= 3; level++) {
		for (as_id = 0; as_id < 2; as_id++) {
			uint64_t gfn = ev->a >> 12;
			uint32_t i = klog_index(gfn, level);
			struct klog_table *t;

			for (t = klog_at(log, as_id, gfn, level); t; t = klog_next_at(t)) {
				bool sure = !((ev->e ^ (t->pa + 8 * i)) & DIRECT_MAP);

				if (!klog_is_leaf(ev->b, level) || !follows(log, t, i, ev->b) ||
				    (best && best_sure >= sure))
					continue;
				best = t;
				best_sure = sure;
			}
		}
	}
	if (!best)
		return false;
	settle_x(log, best, ev->b);
	klog_store(log, best, klog_index(ev->a >> 12, best->level), fast_fixed(log, ev));
	return true;
}

static bool try(struct klog *log, struct klog_task *task, const struct klog_event *ev,
		struct klog_table *table)
{
	if (ev->kind == KLOG_FAST_FAULT)
		return apply_fast(log, ev);
	if (table && !follows(log, table, klog_index(ev->a, ev->level), ev->b))
		return false;
	if (!table)
		table = choose(log, ev);
	if (table)
		apply(log, task, ev, table);
	return table;
}

static void drop_held(struct klog *log, uint32_t i)
{
	log->nr_held--;
	memmove(&log->held[i], &log->held[i + 1], (log->nr_held - i) * sizeof(*log->held));
}

/* Whether the SPTE of one is that of the other, or in the page table that the other links. */
static bool same_place(const struct klog_event *of, const struct klog_event *by)
{
	uint64_t gfn = of->kind == KLOG_FAST_FAULT ? of->a >> 12 : of->a;

	if (by->kind == KLOG_FAST_FAULT)
		return of->kind == KLOG_FAST_FAULT || klog_base(by->a >> 12, of->level) == of->a;
	return klog_base(gfn, by->level) == by->a &&
	       (of->kind == KLOG_FAST_FAULT || (by->level >= of->level && by->as_id == of->as_id));
}

/*
 * A change has been put where it belongs, and may be the one that others wait for. It is, only if it
 * was made before they were, i.e. if its task was on the way to writing it down when they came: it
 * is the first one that its task wrote down since.
 */
static void retry(struct klog *log, const struct klog_event *by, uint32_t before)
{
	uint32_t i = 0;

	while (i < log->nr_held) {
		struct klog_held held = log->held[i];

		if (before >= held.ev.line || !same_place(&held.ev, by) ||
		    !try(log, NULL, &held.ev, held.table)) {
			i++;
			continue;
		}
		drop_held(log, i);
		retry(log, &held.ev, held.before);
		i = 0;
	}
}

static void hold(struct klog *log, const struct klog_task *task, const struct klog_event *ev,
		 struct klog_table *table)
{
	struct klog_held *held;
	struct klog_table *t = table;

	if (log->nr_held == KLOG_MAX_HELD)
		klog_expire_held(log, true);
	if (!t && ev->kind != KLOG_FAST_FAULT)
		t = klog_at(log, ev->as_id, ev->a, ev->level);
	while (t && !table && t->state != KLOG_LIVE)
		t = klog_next_at(t);
	held = &log->held[log->nr_held++];
	*held = (struct klog_held){ .ev = *ev, .table = table, .before = task->before };
	held->placed = t;
	if (t)
		held->spte = t->spte[klog_index(ev->a, ev->level)];
	log->totals.early++;
}

/**
 * klog_chain() - put a change where it belongs
 * @log: log
 * @task: who made it
 * @ev: change
 * @table: page table whose entry it is, NULL if that is open
 */
void klog_chain(struct klog *log, struct klog_task *task, const struct klog_event *ev,
		struct klog_table *table)
{
	task->before = task->changed;
	task->changed = ev->line;
	if (!try(log, task, ev, table))
		hold(log, task, ev, table);
	else if (log->nr_held)
		retry(log, ev, task->before);
}

/**
 * klog_chain_fast() - a fast page fault, which holds no lock
 * @log: log
 * @task: whose
 * @ev: event
 */
void klog_chain_fast(struct klog *log, struct klog_task *task, const struct klog_event *ev)
{
	if (!ev->d)
		return;
	if (!(ev->b & log->fmt.mmu_writable) && !fmt_access_tracked(&log->fmt, ev->b)) {
		struct klog_event at = *ev;

		at.a >>= 12;
		at.level = 1;
		klog_violation(log, 'M', &at,
			       "a fast page fault made %llx writable, "
			       "which is not MMU-writable",
			       (unsigned long long)ev->b);
	}
	klog_chain(log, task, ev, NULL);
}

/**
 * klog_moved() - the task says at which address the SPTE is that it changed last
 * @log: log
 * @task: task
 * @pa: address of the page table
 *
 * Where another one of the same place had the same value, the wrong one may have been chosen.
 */
void klog_moved(struct klog *log, struct klog_task *task, uint64_t pa)
{
	const struct klog_event *ev = &task->last;
	struct klog_table *chosen = task->table, *right = klog_by_pa(log, pa);
	uint32_t i = klog_index(ev->a, ev->level);

	if (!chosen || !right || right == chosen || !chosen->pa || right->level != chosen->level ||
	    right->as_id != chosen->as_id || right->gfn != chosen->gfn)
		return;
	if (klog_is_table(ev->b, ev->level) || klog_is_table(ev->c, ev->level) ||
	    chosen->spte[i] != ev->c || !follows(log, right, i, ev->b))
		return;
	klog_store(log, chosen, i, ev->b);
	klog_store(log, right, i, ev->c);
	task->table = right;
	retry(log, ev, 0);
}

/*
 * Whether the task's taking away of a page table of which this is an entry waits: then it was not
 * known which one it is.
 */
bool klog_taking(const struct klog *log, const struct klog_event *ev)
{
	uint32_t i;

	for (i = 0; i < log->nr_held; i++) {
		const struct klog_event *held = &log->held[i].ev;

		if (held->task == ev->task && held->kind == KLOG_CHANGED &&
		    klog_is_table(held->b, held->level) && same_place(ev, held))
			return true;
	}
	return false;
}

/* Whether a line about this SPTE waits for one that comes before it. */
bool klog_waits(const struct klog *log, int as_id, uint64_t gfn, int level)
{
	uint32_t i;

	for (i = 0; i < log->nr_held; i++) {
		const struct klog_event *ev = &log->held[i].ev;

		if (ev->kind == KLOG_FAST_FAULT ?
			    klog_base(ev->a >> 12, level) == gfn :
			    ev->as_id == as_id && ev->a == gfn && ev->level == level)
			return true;
	}
	return false;
}

static void broken(struct klog *log, const struct klog_held *held)
{
	const struct klog_event *ev = &held->ev;

	if (!held->placed)
		klog_violation(log, 'L', ev, "an SPTE of a page table that nothing links");
	else if (klog_is_leaf(held->spte, ev->level) && (held->spte ^ ev->b) == FMT_BIT_W &&
		 ev->b & FMT_BIT_W)
		klog_violation(log, 'A', ev,
			       "%llx was writable, and no fast page fault made it so: it was %llx",
			       (unsigned long long)ev->b, (unsigned long long)held->spte);
	else
		klog_violation(log, 'A', ev,
			       "%llx is replaced, which was not there: the SPTE was %llx",
			       (unsigned long long)ev->b, (unsigned long long)held->spte);
}

/* Nothing came that a change could follow: say so, and go on as if it had. */
static void force(struct klog *log, const struct klog_held *held)
{
	struct klog_event ev = held->ev;
	struct klog_table *t = held->table;

	if (ev.kind == KLOG_FAST_FAULT) {
		ev.a >>= 12;
		ev.level = 1;
		klog_violation(log, 'A', &ev, "a fast page fault changed %llx, which was not there",
			       (unsigned long long)ev.b);
		return;
	}
	broken(log, held);
	if (!t)
		t = klog_at(log, ev.as_id, ev.a, ev.level);
	while (t && !held->table && (t->state == KLOG_LIVE) == (ev.c == FMT_FROZEN))
		t = klog_next_at(t);
	if (!t)
		return;
	ev.b = t->spte[klog_index(ev.a, ev.level)];
	/* What has gone on since is not to be undone. */
	if (ev.b == ev.c || ev.b != held->spte)
		return;
	apply(log, NULL, &ev, t);
	retry(log, &ev, 0);
}

/**
 * klog_expire_held() - report what has waited for too long
 * @log: log
 * @all: there will be no more lines
 */
void klog_expire_held(struct klog *log, bool all)
{
	while (log->nr_held && (all || log->held[0].ev.line + KLOG_WINDOW < log->line)) {
		struct klog_held held = log->held[0];

		drop_held(log, 0);
		force(log, &held);
	}
}

/* The page table is to be used for something else. */
void klog_forget_held(struct klog *log, struct klog_table *table)
{
	uint32_t i;

	for (i = 0; i < log->nr_held; i++) {
		if (log->held[i].table == table)
			log->held[i].table = NULL;
	}
}
