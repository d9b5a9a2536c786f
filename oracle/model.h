/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sequential prediction: a second MMU that maps nothing.  For programs whose calls do not
 * overlap it works out, from each call and the host's answers alone, every leaf SPTE bit for
 * bit, every page table, the return value, the flush owed, the dirty bitmap, the host's dirty and
 * accessed marks and the statistics; then it compares.  docs/model.md says how it is put together.
 *
 * It sees page tables only as hardware would and never asks the MMU what is right.  What it is
 * told: the calls, the host's answers, what hardware wrote, which allocations were refused.
 */
#ifndef ORACLE_MODEL_H
#define ORACLE_MODEL_H

#include "oracle.h"

struct model;

/**
 * struct model_env - the machine, as the model may see it
 * @ctx: passed back
 * @sptep: where hardware finds the SPTE at physical address @pa, the others of its page around it;
 *	   NULL if no allocated page-table page holds it
 * @mapping_level: level at which the host maps the host page now, 1..3
 * @is_mmio_pfn: device memory
 * @report: a rule was broken
 */
struct model_env {
	void *ctx;
	const uint64_t *(*sptep)(void *ctx, uint64_t pa);
	int (*mapping_level)(void *ctx, uint64_t hvn);
	bool (*is_mmio_pfn)(void *ctx, uint64_t pfn);
	void (*report)(void *ctx, char rule, uint64_t gfn, uint64_t spte, const char *text);
};

struct model *model_create(void);
void model_destroy(struct model *m);
void model_reset(struct model *m, const struct vm_desc *vm, const struct model_env *env);
void model_stop(struct model *m);

void model_call_begin(struct model *m, const struct oracle_call *call);
void model_call_end(struct model *m, const struct oracle_call *call);
bool model_may_resume(const struct model *m, int vcpu, uint64_t root);
void model_check_stat(struct model *m, const struct oracle_stat *stat);

/* What the MMU does, as it happens; none of it is believed, all of it is compared. */
void model_ev_spte(struct model *m, uint64_t pa);
void model_ev_sptes(struct model *m, uint64_t pa, int n); /* from @pa on, of one table */
void model_ev_page_alloc(struct model *m, uint64_t pa, uint64_t fill);
void model_ev_page_free(struct model *m, uint64_t pa);
void model_ev_flush(struct model *m, uint64_t gfn, uint64_t nr);
void model_ev_kick(struct model *m, bool drop_roots);
void model_ev_refused(struct model *m, bool page);

/* Answers of the host and marks given to it. */
void model_ev_fault_in(struct model *m, uint64_t hvn, bool write, int ret, bool writable,
		       uint64_t pfn);
void model_ev_pfn_dirty(struct model *m, uint64_t pfn);
void model_ev_pfn_accessed(struct model *m, uint64_t pfn);
void model_ev_pfns(struct model *m, uint64_t pfn, uint64_t n, bool dirty, bool accessed);

/* Hardware's walker changed the SPTE at @pa from @old to @val: input, not something to compare. */
void model_ev_assist(struct model *m, uint64_t pa, uint64_t old, uint64_t val);

#endif /* ORACLE_MODEL_H */
