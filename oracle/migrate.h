/* SPDX-License-Identifier: GPL-2.0-only */
/* Rule D's first half: what a live migration would have copied. See migrate.c. */
#ifndef ORACLE_MIGRATE_H
#define ORACLE_MIGRATE_H

#include <stdint.h>

#include "slots.h"

struct oracle;
struct oracle_call;
struct migrate;

struct migrate *migrate_create(void);
void migrate_destroy(struct migrate *m);
void migrate_reset(struct migrate *m);
void migrate_written(struct oracle *o, const struct slot *slot, uint64_t gfn);
void migrate_slot_changed(struct oracle *o, uint8_t number);
void migrate_call_end(struct oracle *o, const struct oracle_call *call);
void migrate_quiesce(struct oracle *o);

#endif /* ORACLE_MIGRATE_H */
