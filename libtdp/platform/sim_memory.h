/* SPDX-License-Identifier: GPL-2.0-only */
/* Between sim.c and sim_memory.c. */
#ifndef TDP_SIM_MEMORY_H
#define TDP_SIM_MEMORY_H

void sim_memory_reset(void);

#endif /* TDP_SIM_MEMORY_H */
