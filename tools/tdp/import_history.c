// SPDX-License-Identifier: GPL-2.0-only
/* The classes that SPTEs went through. */
#include <stdlib.h>
#include <string.h>

#include "import_history.h"

#define MIN_KEYS	4096

/**
 * history_init - begin an empty history
 * @h: history
 * @vm: whose SPTEs
 */
void history_init(struct history *h, const struct vm_desc *vm)
{
	memset(h, 0, sizeof(*h));
	h->vm = vm;
	h->cap_keys = MIN_KEYS;
	h->keys = calloc(h->cap_keys, sizeof(*h->keys));
	h->no_memory = !h->keys;
}

/**
 * history_free - free what a history holds
 * @h: history
 */
void history_free(struct history *h)
{
	uint32_t i;

	for (i = 0; i < h->nr_lives; i++)
		free(h->lives[i].steps);
	free(h->lives);
	free(h->keys);
	memset(h, 0, sizeof(*h));
}

static struct history_key *probe(struct history_key *keys, uint32_t cap, int as_id, uint64_t gfn,
				 int level)
{
	uint64_t hash = (gfn * 16 + level * 2 + as_id) * 0x9e3779b97f4a7c15ULL;
	uint32_t i = (hash >> 32) & (cap - 1);

	while (keys[i].used &&
	       (keys[i].gfn != gfn || keys[i].level != level || keys[i].as_id != as_id))
		i = (i + 1) & (cap - 1);
	return &keys[i];
}

/**
 * history_find - what is known of a key
 * @h: history
 * @as_id: address space
 * @gfn: first page
 * @level: 1 to 5
 *
 * Return: the key, or NULL if nothing is known of it.
 */
struct history_key *history_find(const struct history *h, int as_id, uint64_t gfn, int level)
{
	struct history_key *key = probe(h->keys, h->cap_keys, as_id, gfn, level);

	return key->used ? key : NULL;
}

static bool grow_keys(struct history *h)
{
	uint32_t cap = 2 * h->cap_keys, i;
	struct history_key *keys = calloc(cap, sizeof(*keys));

	if (!keys)
		return false;
	for (i = 0; i < h->cap_keys; i++) {
		const struct history_key *k = &h->keys[i];

		if (k->used)
			*probe(keys, cap, k->as_id, k->gfn, k->level) = *k;
	}
	free(h->keys);
	h->keys = keys;
	h->cap_keys = cap;
	return true;
}

static struct history_key *get_key(struct history *h, int as_id, uint64_t gfn, int level)
{
	struct history_key *key;

	if (2 * h->nr_keys >= h->cap_keys && !grow_keys(h))
		return NULL;
	key = probe(h->keys, h->cap_keys, as_id, gfn, level);
	if (!key->used) {
		*key = (struct history_key){
			.gfn = gfn,
			.as_id = as_id,
			.level = level,
			.used = true,
			.first = HISTORY_OPEN,
			.last = HISTORY_OPEN,
			.alive = HISTORY_OPEN,
		};
		h->nr_keys++;
	}
	return key;
}

static uint32_t new_life(struct history *h)
{
	if (h->nr_lives == h->cap_lives) {
		uint32_t cap = h->cap_lives ? 2 * h->cap_lives : 1024;
		struct history_life *lives = realloc(h->lives, cap * sizeof(*lives));

		if (!lives)
			return HISTORY_OPEN;
		h->lives = lives;
		h->cap_lives = cap;
	}
	h->lives[h->nr_lives] = (struct history_life){ .next = HISTORY_OPEN };
	return h->nr_lives++;
}

static void add_step(struct history *h, struct history_life *life, struct history_step step)
{
	if (life->nr && spte_same_class(&life->steps[life->nr - 1].class, &step.class))
		return;
	if (life->nr == life->cap) {
		uint32_t cap = life->cap ? 2 * life->cap : 4;
		struct history_step *steps = realloc(life->steps, cap * sizeof(*steps));

		if (!steps) {
			h->no_memory = true;
			return;
		}
		life->steps = steps;
		life->cap = cap;
	}
	life->steps[life->nr++] = step;
}

/**
 * history_begin - an SPTE becomes something
 * @h: history
 * @as_id: address space
 * @gfn: first page that it maps
 * @level: 1 to 5
 * @spte: value
 * @line: where this is said
 * @born: BORN_MAPPED, or BORN_UNSEEN if it is known to be there but not since when
 *
 * Return: its life, or HISTORY_OPEN without memory.
 */
uint32_t history_begin(struct history *h, int as_id, uint64_t gfn, int level, uint64_t spte,
		       uint32_t line, enum history_birth born)
{
	struct history_key *key = get_key(h, as_id, gfn, level);
	uint32_t life = key ? new_life(h) : HISTORY_OPEN;

	if (life == HISTORY_OPEN) {
		h->no_memory = true;
		return life;
	}
	if (key->first == HISTORY_OPEN)
		key->first = life;
	else
		h->lives[key->last].next = life;
	key->last = life;
	if (key->alive == HISTORY_OPEN)
		key->alive = life;
	h->lives[life].spte = spte;
	add_step(h, &h->lives[life],
		 (struct history_step){ spte_classify(h->vm, level, spte), line, born });
	return life;
}

/**
 * history_change - an SPTE changes
 * @h: history
 * @life: its life
 * @level: 1 to 5
 * @spte: value now
 * @line: where this is said
 */
void history_change(struct history *h, uint32_t life, int level, uint64_t spte, uint32_t line)
{
	struct history_life *l = &h->lives[life];
	struct history_step step = { spte_classify(h->vm, level, spte), line, BORN_NOT };

	l->spte = step.class.kind == SPTE_NONE ? 0 : spte;
	add_step(h, l, step);
}

/**
 * history_of_value - whose SPTE has this value now
 * @h: history
 * @as_id: address space
 * @gfn: first page
 * @level: 1 to 5
 * @spte: value
 *
 * The CPU may have set A and D since, so next best is one that differs in those only, and then
 * the oldest that has not ended.
 *
 * Return: the life, or HISTORY_OPEN if no SPTE of that key is anything.
 */
uint32_t history_of_value(const struct history *h, int as_id, uint64_t gfn, int level,
			  uint64_t spte)
{
	struct history_key *key = history_find(h, as_id, gfn, level);
	uint32_t i, best = HISTORY_OPEN;
	int best_score = 0;

	if (!key)
		return HISTORY_OPEN;
	while (key->alive != HISTORY_OPEN && !h->lives[key->alive].spte)
		key->alive = h->lives[key->alive].next;
	for (i = key->alive; i != HISTORY_OPEN; i = h->lives[i].next) {
		uint64_t differ = h->lives[i].spte ^ spte;
		int score = !differ ? 3 : !(differ & ~0xfffULL) ? 2 : 1;

		if (h->lives[i].spte && score > best_score) {
			best = i;
			best_score = score;
		}
	}
	return best;
}
