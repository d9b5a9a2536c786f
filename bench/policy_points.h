/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef POLICY_POINTS_H
#define POLICY_POINTS_H

#include <tdp/types.h>

u64 policy_spte_writes(void);

#endif /* POLICY_POINTS_H */
