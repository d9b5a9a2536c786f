// SPDX-License-Identifier: GPL-2.0-only
/*
 * AFL++ does not call a target's LLVMFuzzerCustomMutator(): this makes a module of the target that its
 * AFL_CUSTOM_MUTATOR_LIBRARY takes, one for each target that has a mutator. It is compiled without AFL's
 * instrumentation, since it runs inside afl-fuzz.
 */
#include <stdlib.h>
#include <string.h>

#include "driver.h"

/* What the module has of its own. @out and @room hold @cap bytes each. */
struct afl_mutator {
	uint8_t *out;
	uint8_t *room;
	size_t cap;
};

void *afl_custom_init(void *afl, unsigned int seed);
size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t size, uint8_t **out, uint8_t *add_buf,
		       size_t add_size, size_t max);
void afl_custom_deinit(void *data);

/**
 * afl_custom_init() - AFL++ loads the module
 * @afl: its state, of no interest
 * @seed: of the random numbers
 *
 * Return: for the other functions; NULL without memory.
 */
void *afl_custom_init(void *afl, unsigned int seed)
{
	char name[] = "afl-fuzz", *args[] = { name, NULL }, **argv = args;
	int argc = 1;

	(void)afl;
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	driver_seed(seed);
	return calloc(1, sizeof(struct afl_mutator));
}

static int make_room(struct afl_mutator *m, size_t cap)
{
	uint8_t *out, *room;

	if (cap <= m->cap)
		return 0;
	out = realloc(m->out, cap);
	if (out)
		m->out = out;
	room = realloc(m->room, cap);
	if (room)
		m->room = room;
	if (!out || !room)
		return -1;
	m->cap = cap;
	return 0;
}

/**
 * afl_custom_fuzz() - an input out of another one
 * @data: from afl_custom_init()
 * @buf: the other one, not changed
 * @size: its size in bytes
 * @out: result, good until the next call
 * @add_buf: one that parts may be taken from; NULL: none
 * @add_size: its size in bytes
 * @max: most bytes of the result
 *
 * Return: the result's size in bytes; 0, which AFL++ passes over, without memory.
 */
size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t size, uint8_t **out, uint8_t *add_buf,
		       size_t add_size, size_t max)
{
	struct afl_mutator *m = data;

	if (make_room(m, max))
		return 0;
	if (size > max)
		size = max;
	memcpy(m->out, buf, size);
	*out = m->out;
	return driver_change(m->out, size, max, add_buf, add_size, m->room);
}

/**
 * afl_custom_deinit() - AFL++ ends
 * @data: from afl_custom_init()
 */
void afl_custom_deinit(void *data)
{
	struct afl_mutator *m = data;

	free(m->out);
	free(m->room);
	free(m);
}
