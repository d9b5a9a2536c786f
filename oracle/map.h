/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hash map from 64-bit keys to 64-bit values that is emptied in O(1) and never shrinks: open
 * addressing, linear probing, a stamp per slot that says for which reset the slot is valid.
 */
#ifndef ORACLE_MAP_H
#define ORACLE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAP_NONE	(~0ULL)		/* value of a key that is not there */

struct map_slot {
	uint64_t key;
	uint64_t val;
};

struct map {
	struct map_slot *slot;
	uint32_t *stamp;
	uint32_t mask;
	uint32_t used;
	uint32_t now;
};

void map_init(struct map *m);
void map_free(struct map *m);
void map_clear(struct map *m);
void map_put(struct map *m, uint64_t key, uint64_t val);

static inline uint32_t map_hash(const struct map *m, uint64_t key)
{
	return (uint32_t)((key * 0x9e3779b97f4a7c15ULL) >> 32) & m->mask;
}

static inline uint64_t map_get(const struct map *m, uint64_t key)
{
	uint32_t i;

	for (i = map_hash(m, key); m->stamp[i] == m->now; i = (i + 1) & m->mask)
		if (m->slot[i].key == key)
			return m->slot[i].val;
	return MAP_NONE;
}

/* Memory that the oracle cannot do without: never returns NULL. */
void *oracle_alloc(size_t n, size_t size);
void *oracle_grow(void *ptr, size_t n, size_t size);

#endif /* ORACLE_MAP_H */
