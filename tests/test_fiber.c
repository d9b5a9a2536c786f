// SPDX-License-Identifier: GPL-2.0-only
/* Fibers as the build has them: Boost.Context, if that was found. */
#include "fiber_cases.h"

int main(void)
{
	return run_fiber_cases();
}
