/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU that goes through its memory page by page, as KVM's selftests have theirs do. */
#ifndef POLICY_GUEST_H
#define POLICY_GUEST_H

#include <tdp/native.h>

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_EXEC };

/**
 * struct pattern - what the guest does with its pages
 * @access: with each @every'th page, beginning with its first; the others it reads
 * @every: at least 1
 */
struct pattern {
	enum access access;
	u32 every;
};

/**
 * struct guest_tlb - the translation that was used last
 * @first: gfn of the page, of whatever size, that it comes from
 * @pages: of 4K; 0: there is none
 * @perm: bit N: access N needs no walk; a write only once D is known to be set
 */
struct guest_tlb {
	gfn_t first;
	u64 pages;
	unsigned int perm;
};

#define PML_ENTRIES 512

/**
 * struct guest - a vCPU and its hardware
 * @vcpu: the vCPU
 * @base: gfn where its memory begins
 * @tlb: what it has cached
 * @logs: PML is on
 * @nr_pml: entries of @pml in use
 * @pml: gfns of the pages whose D bit it has set since it left the guest last
 * @logged: pages that were handed over from there
 */
struct guest {
	struct kvm_vcpu *vcpu;
	gfn_t base;
	struct guest_tlb tlb;
	bool logs;
	unsigned int nr_pml;
	gfn_t pml[PML_ENTRIES];
	u64 logged;
};

int guest_init(struct guest *g, struct kvm *kvm, gfn_t base);
int guest_run(struct guest *g, const struct pattern *pattern, u32 first, u32 n);

#endif /* POLICY_GUEST_H */
