/* SPDX-License-Identifier: GPL-2.0-only */
/* From a line of the log to what the checker in oracle/ is told. */
#ifndef TDP_CHECK_H
#define TDP_CHECK_H

#include <stdbool.h>
#include <stdint.h>

struct ft_event;
struct klog_event;

/* check_event.c */
void check_event(struct klog_event *to, const struct ft_event *from);
bool check_absent(const char *name, uint32_t *absent);

#endif /* TDP_CHECK_H */
