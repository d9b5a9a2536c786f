/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's memory, as far as KVM can tell: which frame holds which host page, how large the
 * mappings are, which frames were written and which of those the host knows to be dirty.
 *
 * Nothing costs more than what is touched: an operation on a range is remembered and applied to a
 * 2 MiB chunk or 1 GiB region when somebody asks about it.
 */
#ifndef ORACLE_HOST_H
#define ORACLE_HOST_H

#include <stdbool.h>
#include <stdint.h>

struct oracle;
struct host;

#define HOST_NO_FRAME	(~0ULL)

struct host *host_create(void);
void host_destroy(struct host *h);
void host_reset(struct oracle *o);

/* The frame that holds the host page now; HOST_NO_FRAME if none does. */
uint64_t host_frame(struct oracle *o, uint64_t hvn);

/* The host lets nobody write through its mapping of the page. */
bool host_protected(struct oracle *o, uint64_t hvn);

/*
 * The host page whose frame this is now; HOST_NO_FRAME if the frame is free, or never was the
 * guest's.
 */
uint64_t host_owner(struct oracle *o, uint64_t pfn);

/* The guest, or KVM on its behalf, stored into the host page. @known: the host saw it happen. */
void host_written(struct oracle *o, uint64_t hvn, bool known);

/*
 * A page in [@start, @start + @n) that was written since it was last clean and is not known to be
 * dirty; HOST_NO_FRAME.
 */
uint64_t host_find_lost(struct oracle *o, uint64_t start, uint64_t n);

#endif /* ORACLE_HOST_H */
