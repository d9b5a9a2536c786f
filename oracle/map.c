// SPDX-License-Identifier: GPL-2.0-only
#include "map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAP_FIRST	256u

static void *check(void *ptr)
{
	if (!ptr) {
		fprintf(stderr, "oracle: out of memory\n");
		abort();
	}
	return ptr;
}

/* @n zeroed objects of @size bytes. */
void *oracle_alloc(size_t n, size_t size)
{
	return check(calloc(n, size));
}

/* An array enlarged to @n objects; the new ones are not initialised. */
void *oracle_grow(void *ptr, size_t n, size_t size)
{
	return check(realloc(ptr, n * size));
}

static void map_size(struct map *m, uint32_t size)
{
	m->slot = oracle_alloc(size, sizeof(*m->slot));
	m->stamp = oracle_alloc(size, sizeof(*m->stamp));
	m->mask = size - 1;
	m->used = 0;
	m->now = 1;
}

void map_init(struct map *m)
{
	map_size(m, MAP_FIRST);
}

void map_free(struct map *m)
{
	free(m->slot);
	free(m->stamp);
}

void map_clear(struct map *m)
{
	m->used = 0;
	if (++m->now == 0) {
		memset(m->stamp, 0, (m->mask + 1ULL) * sizeof(*m->stamp));
		m->now = 1;
	}
}

static void map_double(struct map *m)
{
	struct map old = *m;
	uint32_t i;

	map_size(m, (old.mask + 1) * 2);
	for (i = 0; i <= old.mask; i++)
		if (old.stamp[i] == old.now)
			map_put(m, old.slot[i].key, old.slot[i].val);
	map_free(&old);
}

/* Adds @key, or replaces its value. */
void map_put(struct map *m, uint64_t key, uint64_t val)
{
	uint32_t i;

	for (i = map_hash(m, key); m->stamp[i] == m->now; i = (i + 1) & m->mask) {
		if (m->slot[i].key == key) {
			m->slot[i].val = val;
			return;
		}
	}
	m->slot[i] = (struct map_slot){ key, val };
	m->stamp[i] = m->now;
	if (++m->used * 2 > m->mask)
		map_double(m);
}
