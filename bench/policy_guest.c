// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hardware does with a guest's accesses: a TLB of one entry, walks of EPT in software, A and D
 * bits, PML. The guest's memory itself is not there, and exits cost a few atomic accesses.
 */
#include <errno.h>
#include <sched.h>

#include "policy_guest.h"

/* EPT's, restated */
#define EPT_READ	 (1ULL << 0)
#define EPT_WRITE	 (1ULL << 1)
#define EPT_EXEC	 (1ULL << 2)
#define EPT_PERMISSIONS	 (EPT_READ | EPT_WRITE | EPT_EXEC)
#define EPT_LARGE	 (1ULL << 7)
#define EPT_ACCESSED	 (1ULL << 8)
#define EPT_DIRTY	 (1ULL << 9)
#define EPT_ADDRESS_MASK 0x000ffffffffff000ULL

enum outcome { DONE, FAULT, AGAIN };

/* ---- what libtdp asks of the hardware ---- */

static void flush(void *guest, gfn_t gfn, u64 nr)
{
	struct guest_tlb *tlb = &((struct guest *)guest)->tlb;

	if (!nr || (tlb->first < gfn + nr && gfn < tlb->first + tlb->pages))
		tlb->pages = 0;
}

static void log_dirty(void *guest, bool on)
{
	((struct guest *)guest)->logs = on;
}

static const struct tdp_guest_ops guest_ops = { .flush = flush, .log_dirty = log_dirty };

/* ---- accesses, in guest mode ---- */

static u64 permission(enum access access)
{
	return access == ACCESS_WRITE ? EPT_WRITE : access == ACCESS_EXEC ? EPT_EXEC : EPT_READ;
}

/* As the CPU does, by a locked update. AGAIN: the SPTE is not @spte any more. */
static enum outcome set_accessed_dirty(struct guest *g, u64 *sptep, u64 spte, gfn_t gfn,
				       enum access access)
{
	const u64 set = EPT_ACCESSED | (access == ACCESS_WRITE ? EPT_DIRTY : 0);
	const bool logs = g->logs && (set & ~spte & EPT_DIRTY);

	if ((spte & set) == set)
		return DONE;
	if (!__atomic_compare_exchange_n(sptep, &spte, spte | set, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		return AGAIN;
	if (logs)
		g->pml[g->nr_pml++] = gfn;
	return DONE;
}

static void fill(struct guest *g, gfn_t gfn, u64 spte, int level, enum access access)
{
	const bool dirty = access == ACCESS_WRITE || (spte & EPT_DIRTY);

	g->tlb.pages = KVM_PAGES_PER_HPAGE(level);
	g->tlb.first = gfn & -g->tlb.pages;
	g->tlb.perm = (spte & EPT_READ ? 1u << ACCESS_READ : 0) |
		      ((spte & EPT_WRITE) && dirty ? 1u << ACCESS_WRITE : 0) |
		      (spte & EPT_EXEC ? 1u << ACCESS_EXEC : 0);
}

static enum outcome walk(struct guest *g, gfn_t gfn, enum access access, u64 *code)
{
	hpa_t table = kvm_vcpu_root_hpa(g->vcpu);
	enum outcome outcome;
	u64 *sptep, spte;
	int level;

	for (level = PT64_ROOT_4LEVEL;; level--) {
		sptep = tdp_spte_at(table + (gfn >> KVM_HPAGE_GFN_SHIFT(level) & 511) * 8);
		spte = __atomic_load_n(sptep, __ATOMIC_ACQUIRE);
		if (!(spte & EPT_PERMISSIONS) || level == PG_LEVEL_4K || (spte & EPT_LARGE))
			break;
		table = spte & EPT_ADDRESS_MASK;
	}
	if (!(spte & permission(access))) {
		*code = (access == ACCESS_WRITE ? PFERR_WRITE_MASK :
			 access == ACCESS_EXEC	? PFERR_FETCH_MASK :
						  PFERR_USER_MASK) |
			(spte & EPT_PERMISSIONS ? PFERR_PRESENT_MASK : 0);
		return FAULT;
	}
	outcome = set_accessed_dirty(g, sptep, spte, gfn, access);
	if (outcome == DONE)
		fill(g, gfn, spte, level, access);
	return outcome;
}

static enum outcome guest_access(struct guest *g, gfn_t gfn, enum access access, u64 *code)
{
	if (gfn - g->tlb.first < g->tlb.pages && (g->tlb.perm & 1u << access))
		return DONE;
	return walk(g, gfn, access, code);
}

/* ---- the vCPU's thread ---- */

/* Each exit hands over what was logged. */
static void guest_exit(struct guest *g)
{
	unsigned int i;

	kvm_vcpu_guest_exit(g->vcpu);
	for (i = 0; i < g->nr_pml; i++)
		kvm_vcpu_mark_page_dirty(g->vcpu, g->pml[i]);
	g->logged += g->nr_pml;
	g->nr_pml = 0;
}

/* The fault drops what the vCPU has cached of the page. */
static int guest_fault(struct guest *g, gfn_t gfn, u64 code)
{
	int r;

	flush(g, gfn, 1);
	r = kvm_mmu_page_fault(g->vcpu, gfn << PAGE_SHIFT, code);
	if (r == RET_PF_RETRY)
		sched_yield(); /* whoever is in the way may need this CPU */
	else if (r != RET_PF_FIXED && r != RET_PF_SPURIOUS)
		return r < 0 ? r : -EIO;
	return 0;
}

/**
 * guest_run() - the vCPU accesses some of its pages, one access each, in order
 * @g: the guest
 * @pattern: which accesses
 * @first: number of the first page, within the vCPU's memory
 * @n: how many pages
 *
 * Return: 0; negative: a fault was answered like that, or the guest cannot be entered.
 */
int guest_run(struct guest *g, const struct pattern *pattern, u32 first, u32 n)
{
	const u32 end = first + n;
	enum outcome outcome;
	enum access access;
	u32 i = first;
	u64 code = 0;
	int r;

	while (i < end) {
		r = kvm_vcpu_guest_enter(g->vcpu);
		if (r)
			return r;
		do {
			access = i % pattern->every ? ACCESS_READ : pattern->access;
			outcome = guest_access(g, g->base + i, access, &code);
			i += outcome == DONE;
		} while (outcome != FAULT && i < end && g->nr_pml < PML_ENTRIES &&
			 !kvm_vcpu_must_exit(g->vcpu));
		guest_exit(g);
		if (outcome != FAULT)
			continue;
		r = guest_fault(g, g->base + i, code);
		if (r)
			return r;
	}
	return 0;
}

/**
 * guest_init() - a new vCPU
 * @g: result
 * @kvm: its VM
 * @base: gfn where its memory begins
 *
 * Return: as kvm_create_vcpu().
 */
int guest_init(struct guest *g, struct kvm *kvm, gfn_t base)
{
	int r;

	*g = (struct guest){ .base = base };
	r = kvm_create_vcpu(kvm, &g->vcpu);
	return r ?: kvm_vcpu_set_guest(g->vcpu, &guest_ops, g);
}
