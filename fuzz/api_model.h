/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fuzz_api expects of the public interface: slots, a host whose frame of page n is a constant
 * plus n, and which answers a call may give.  It knows nothing of page tables but what a leaf says.
 */
#ifndef FUZZ_API_MODEL_H
#define FUZZ_API_MODEL_H

#include <errno.h>

#include <tdp/spte.h>
#include <tdp/tdp.h>

#include "platform.h"

#define API_MAX_PAGES	  1024 /* of a slot */
#define API_WORDS	  (API_MAX_PAGES / 64)
#define API_SLOTS	  8
#define API_VCPUS	  4 /* that calls are made for */
#define API_INVALIDATIONS 3 /* at a time */
#define API_PFN		  0x400000ULL /* frame of host page 0 */
#define API_ODD_PAGES	  0x10000ULL /* host pages from here on differ, see enum api_page */
#define API_HOST_PAGES	  (1ULL << 30) /* and from here on there is no memory */

/* What the host makes of a page; by page number modulo 8 from API_ODD_PAGES on. */
enum api_page { PAGE_PLAIN, PAGE_MISSING, PAGE_READONLY, PAGE_DEVICE, PAGE_BUSY };

struct api_slot {
	struct tdp_memory_region region;
	u64 tracked;   /* sum of @count */
	u16 count[API_MAX_PAGES]; /* of write tracking */
	u64 dirty[API_WORDS];  /* pages that the log has to name */
};

struct api_range {
	hvn_t start, end;
};

struct api_vcpu {
	struct kvm_vcpu *vcpu;
	bool smm;
	bool stale; /* its root may have become obsolete since it entered the guest */
};

struct api_model {
	struct kvm *kvm;
	struct tdp_vm_config config;
	int host_level;
	bool busy; /* what a PAGE_BUSY says next */
	int nr_vcpus;
	struct api_vcpu vcpus[API_VCPUS];
	struct api_slot slots[API_SLOTS]; /* npages 0: none */
	struct api_range invalid[API_INVALIDATIONS];
	int nr_invalid;
};

/* Answers, as a set: those of faults by their number, errors above them. */
#define API_ANSWER(r) (1U << ((r) >= 0 ? (r) : 8 + api_error(r)))

int api_error(long r);
bool api_slot_number_valid(u32 number);
struct api_slot *api_slot(struct api_model *m, u32 number);
struct api_slot *api_slot_of_gfn(struct api_model *m, int as_id, gfn_t gfn);
gfn_t api_max_gfn(const struct api_model *m);
enum api_page api_page(hvn_t hvn);
bool api_tracked(struct api_model *m, int as_id, gfn_t gfn);
u32 api_fault_answers(struct api_model *m, int as_id, gfn_t gfn, u64 error_code);
int api_region_answer(struct api_model *m, const struct tdp_memory_region *region);
void api_region_commit(struct api_model *m, const struct tdp_memory_region *region);
const char *api_check_tree(struct api_model *m, u64 *hash);

#endif /* FUZZ_API_MODEL_H */
