// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fibers on the portable fallback, in every build: this program has its own fiber.c, compiled
 * without Boost.
 */
#include "fiber_cases.h"

int main(void)
{
	return run_fiber_cases();
}
