/* SPDX-License-Identifier: GPL-2.0-only */
/* How fast schedules are explored. */
#ifndef EXPLORE_RATE_H
#define EXPLORE_RATE_H

double explore_rate(double seconds, double *core);

#endif /* EXPLORE_RATE_H */
