// SPDX-License-Identifier: GPL-2.0-only
/* Fibers on the portable fallback, in every build. */
#undef TDP_FIBERS_BOOST
#include "../libtdp/platform/fiber.c"

#include "fiber_cases.h"

int main(void)
{
	return run_fiber_cases();
}
