// SPDX-License-Identifier: GPL-2.0-only
/* What a vCPU has cached. Only its own thread looks at it. */
#include "stress.h"

/* Does the page of that level around @gfn overlap [@start, @start + @nr)? */
static bool overlaps(uint64_t gfn, int level, uint64_t start, uint64_t nr)
{
	const uint64_t pages = 1ULL << 9 * (level - 1);
	const uint64_t first = gfn & -pages;

	return first < start + nr && start < first + pages;
}

/**
 * tlb_flush() - forget translations
 * @tlb: the vCPU's
 * @gfn: first guest frame
 * @nr: how many; 0: all
 *
 * An entry goes if the page that it was made from overlaps the range, and so does the way to it.
 */
void tlb_flush(struct tlb *tlb, uint64_t gfn, uint64_t nr)
{
	int i;

	for (i = 0; i < TLB_ENTRIES; i++)
		if (!nr || (tlb->entry[i].gfn != NO_PAGE &&
			    overlaps(tlb->entry[i].gfn, tlb->entry[i].level, gfn, nr)))
			tlb->entry[i].gfn = NO_PAGE;
	for (i = 0; i < PSC_ENTRIES; i++)
		if (!nr || (tlb->psc[i].gfn != NO_PAGE && overlaps(tlb->psc[i].gfn, 2, gfn, nr)))
			tlb->psc[i].gfn = NO_PAGE;
}
