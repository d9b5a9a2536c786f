// SPDX-License-Identifier: GPL-2.0-only
/* The mutant that this process is: none, until somebody chooses one. */
#include "mutate.h"

#include <stdlib.h>

struct tdp_mutation tdp_mutation = { .passes = UINT64_MAX };

static void (*when_endless)(void);

/**
 * tdp_mutation_on_endless() - what to do instead of ending the process
 * @act: called when a run has passed more sites than it may; does not return
 */
void tdp_mutation_on_endless(void (*act)(void))
{
	when_endless = act;
}

/* A loop that a change has made endless would not come to an end by itself. */
void tdp_mutation_endless(void)
{
	if (when_endless)
		when_endless();
	abort();
}
