// SPDX-License-Identifier: GPL-2.0-only
/* How inputs are changed where libFuzzer does not do it: by the plain driver, and for AFL++. */
#include <string.h>

#include "driver.h"

static uint64_t random_state = 1;

/**
 * driver_seed() - begin with another row of random numbers
 * @seed: which
 */
void driver_seed(uint64_t seed)
{
	random_state = seed * 2 + 1;
}

/**
 * driver_random() - a random number
 *
 * Return: the next one of the row.
 */
uint64_t driver_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/**
 * LLVMFuzzerMutate() - libFuzzer's generic mutation, for targets that fall back to it
 * @data: input, changed in place
 * @size: its size in bytes
 * @max: room at @data
 *
 * Return: the new size, at least 1 where @max allows.
 */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
{
	size_t at;

	if (!max)
		return 0;
	switch (driver_random() % 4) {
	case 0:
		if (size < max) {
			at = driver_random() % (size + 1);
			memmove(data + at + 1, data + at, size - at);
			data[at] = driver_random();
			return size + 1;
		}
		break;
	case 1:
		if (size > 1) {
			at = driver_random() % size;
			memmove(data + at, data + at + 1, size - at - 1);
			return size - 1;
		}
		break;
	case 2:
		if (size) {
			data[driver_random() % size] ^= 1 << driver_random() % 8;
			return size;
		}
		break;
	}
	if (!size)
		size = 1;
	data[driver_random() % size] = driver_random();
	return size;
}

/**
 * driver_change() - some changes by the target's own mutator, or by the generic one
 * @data: input, changed in place
 * @size: its size in bytes
 * @max: room there is in @data
 * @other: input that now and then parts come from; may be NULL
 * @other_size: its size in bytes
 * @room: for @max bytes
 *
 * Return: its size now.
 */
size_t driver_change(uint8_t *data, size_t size, size_t max, const uint8_t *other,
		     size_t other_size, uint8_t *room)
{
	uint64_t changes;

	if (other && LLVMFuzzerCustomCrossOver && driver_random() % 8 == 0) {
		size = LLVMFuzzerCustomCrossOver(data, size, other, other_size, room, max,
						 driver_random());
		memcpy(data, room, size);
	}
	for (changes = 1 + driver_random() % 8; changes; changes--)
		size = LLVMFuzzerCustomMutator ?
			       LLVMFuzzerCustomMutator(data, size, max, driver_random()) :
			       LLVMFuzzerMutate(data, size, max);
	return size;
}
