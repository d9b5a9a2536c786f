// SPDX-License-Identifier: GPL-2.0-only
#include "data_race.h"

static uint32_t reports;

#ifdef TDP_TSAN
/* TSan's runtime calls this for each report, after it was printed. */
void __tsan_on_report(void *report);
void __tsan_on_report(void *report)
{
	(void)report;
	reports++;
}
#endif

/**
 * data_races() - how many data races TSan has reported since the process began
 *
 * It reports each pair of places in the source once. Always 0 in builds without TSan.
 */
uint32_t data_races(void)
{
	return reports;
}
