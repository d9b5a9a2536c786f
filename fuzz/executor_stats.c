// SPDX-License-Identifier: GPL-2.0-only
/* The executor's counters by name. */
#include <string.h>

#include "executor.h"

const struct exec_stat_info exec_stat_infos[] = {
#define STAT(field, key, meaning) { key, meaning, offsetof(struct exec_stats, field) },
	EXEC_STAT_LIST(STAT)
#undef STAT
};
const size_t exec_nr_stats = sizeof(exec_stat_infos) / sizeof(*exec_stat_infos);

/**
 * exec_stat_get() - the value of a counter
 * @stats: counters of a run
 * @info: which, an element of exec_stat_infos
 *
 * Return: the value.
 */
uint64_t exec_stat_get(const struct exec_stats *stats, const struct exec_stat_info *info)
{
	uint64_t value;

	memcpy(&value, (const char *)stats + info->offset, sizeof(value));
	return value;
}

/**
 * exec_stat_find() - find a counter by its name
 * @key: name, not necessarily terminated
 * @len: its length in bytes
 *
 * Return: the counter, or NULL if there is none of that name.
 */
const struct exec_stat_info *exec_stat_find(const char *key, size_t len)
{
	size_t i;

	for (i = 0; i < exec_nr_stats; i++) {
		const struct exec_stat_info *info = &exec_stat_infos[i];

		if (strlen(info->key) == len && !memcmp(info->key, key, len))
			return info;
	}
	return NULL;
}
