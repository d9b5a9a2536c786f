// SPDX-License-Identifier: GPL-2.0-only
/* The history that a replay makes: which SPTE of which page table is written, and what it maps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor.h"
#include "import_history.h"

#define PTES		512
#define ADDRESS		0x000ffffffffff000ULL

/**
 * struct table - a page-table page
 * @known: it is a root, or was linked
 * @as_id: address space, once known
 * @level: of its SPTEs
 * @base: first gfn of what it maps
 * @spte: values
 * @life: of each SPTE, HISTORY_OPEN while it is none
 */
struct table {
	bool known;
	uint8_t as_id;
	uint8_t level;
	uint64_t base;
	uint64_t spte[PTES];
	uint32_t life[PTES];
};

/**
 * struct replay - what a replay has done so far
 * @h: history being made
 * @nr_tables: of @tables
 * @tables: by page number
 * @events: of the executor
 * @begun: an operation has begun
 * @harvest: the executor reads the dirty logs one last time, which the log knows nothing of
 * @violation: first one
 */
struct replay {
	struct history *h;
	uint64_t nr_tables;
	struct table **tables;
	uint32_t events;
	bool begun;
	bool harvest;
	char violation[320];
};

static struct table *table_at(struct replay *r, uint64_t pa)
{
	uint64_t page = pa >> 12;

	if (page >= r->nr_tables) {
		uint64_t nr = page + page / 2 + 64;
		struct table **tables = realloc(r->tables, nr * sizeof(*tables));

		if (!tables) {
			r->h->no_memory = true;
			return NULL;
		}
		memset(tables + r->nr_tables, 0, (nr - r->nr_tables) * sizeof(*tables));
		r->tables = tables;
		r->nr_tables = nr;
	}
	if (!r->tables[page]) {
		r->tables[page] = calloc(1, sizeof(struct table));
		r->h->no_memory |= !r->tables[page];
	}
	return r->tables[page];
}

static void forget(struct replay *r, uint64_t pa, uint64_t fill)
{
	struct table *t = table_at(r, pa);
	int i;

	if (!t)
		return;
	t->known = false;
	for (i = 0; i < PTES; i++) {
		t->spte[i] = fill;
		t->life[i] = HISTORY_OPEN;
	}
}

static void now_known(struct replay *r, uint64_t pa, int as_id, uint64_t base, int level);

/* SPTE @i of a table has this value now. */
static void set(struct replay *r, struct table *t, int i, uint64_t spte, enum history_birth born)
{
	struct spte_class class = spte_classify(r->h->vm, t->level, spte);
	uint64_t gfn = t->base + ((uint64_t)i << 9 * (t->level - 1));

	if (t->life[i] != HISTORY_OPEN)
		history_change(r->h, t->life[i], t->level, spte, r->events);
	else if (class.kind != SPTE_NONE)
		t->life[i] = history_begin(r->h, t->as_id, gfn, t->level, spte, r->events, born);
	if (class.kind == SPTE_NONE)
		t->life[i] = HISTORY_OPEN;
	if (class.kind == SPTE_TABLE)
		now_known(r, spte & ADDRESS, t->as_id, gfn, t->level - 1);
}

static void now_known(struct replay *r, uint64_t pa, int as_id, uint64_t base, int level)
{
	struct table *t = table_at(r, pa);
	int i;

	if (!t || t->known)
		return;
	t->known = true;
	t->as_id = as_id;
	t->level = level;
	t->base = base;
	for (i = 0; i < PTES; i++)
		set(r, t, i, t->spte[i], BORN_UNSEEN);
}

static void spte_event(struct replay *r, uint64_t pa, uint64_t spte)
{
	struct table *t = table_at(r, pa);
	int i = (pa >> 3) % PTES;

	if (!t)
		return;
	t->spte[i] = spte;
	if (t->known && !r->harvest)
		set(r, t, i, spte, BORN_MAPPED);
}

static void on_event(void *ctx, const struct exec_event *ev)
{
	struct replay *r = ctx;

	r->events++;
	switch (ev->kind) {
	case EXEC_EV_OP:
		r->begun = true;
		break;
	case EXEC_EV_CALL:
		r->harvest = r->begun && ev->thread < 0 &&
			     (ev->call->kind == CALL_LOG_GET || ev->call->kind == CALL_LOG_CLEAR);
		break;
	case EXEC_EV_ALLOC:
		forget(r, ev->pa, ev->val);
		break;
	case EXEC_EV_FREE:
		forget(r, ev->pa, 0);
		break;
	case EXEC_EV_SPTE:
	case EXEC_EV_ASSIST:
		if (ev->ok)
			spte_event(r, ev->pa, ev->val);
		break;
	case EXEC_EV_RETURN:
		r->harvest = false;
		if (ev->call->kind == CALL_ENTER_GUEST || ev->call->kind == CALL_MMU_LOAD) {
			if (ev->call->root != INVALID_PAGE)
				now_known(r, ev->call->root, ev->call->smm, 0, r->h->vm->levels);
		}
		break;
	case EXEC_EV_VIOLATION:
		if (!r->violation[0])
			snprintf(r->violation, sizeof(r->violation),
				 "rule %c, operation %u of thread "
				 "%d: %s",
				 ev->violation->rule, ev->violation->op, ev->violation->thread,
				 ev->violation->text);
		break;
	default:
		break;
	}
}

/**
 * history_from_replay - replay a program and collect what the SPTEs went through
 * @h: filled; initialised
 * @prog: program
 * @turns: order of its operations
 * @err: filled on failure
 *
 * Return: 0; 1 if the oracle finds a violation, which @err tells; -EINVAL if it cannot be replayed.
 */
int history_from_replay(struct history *h, const struct program *prog,
			const struct import_turns *turns, struct import_error *err)
{
	struct replay r = { .h = h };
	struct exec_options options = {
		.turns = turns->thread,
		.nr_turns = turns->nr,
		.event = on_event,
		.ctx = &r,
	};
	struct exec_result *result = calloc(1, sizeof(*result));
	struct executor *x = executor_create();
	uint64_t i;
	int ret = -1;

	if (x && result)
		ret = executor_run(x, prog, &options, result);
	if (ret || h->no_memory)
		ret = import_fail(err, 0, "no memory for the replay");
	else if (result->nr_violations && import_fail(err, 0, "the replay breaks %s", r.violation))
		ret = 1;
	executor_destroy(x);
	free(result);
	for (i = 0; i < r.nr_tables; i++)
		free(r.tables[i]);
	free(r.tables);
	return ret;
}
