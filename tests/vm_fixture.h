/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM on a small fake host, and a guest that accesses pages as a CPU without TLB
 * would: walk, set A and D, or fault and try again.  For tests of libtdp's front end.
 */
#ifndef TESTS_VM_FIXTURE_H
#define TESTS_VM_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <platform.h>
#include <tdp/spte.h>
#include <tdp/tdp.h>

/* A test that asks for what only a simulation can do; on real threads it is skipped. */
#ifndef NEEDS_SIM
#define NEEDS_SIM() ((void)0)
#endif

#define HOST_PAGES (1u << 19) /* host pages that the fake host knows */
#define HOST_PFN   0x400000ULL /* frame of host page 0 */
#define PAGES_2M   512ULL
#define PAGES_1G   (512ULL * 512)

enum access { READ = 0, WRITE = PFERR_WRITE_MASK, EXEC = PFERR_FETCH_MASK };

/* The host: frame = HOST_PFN + shift + page. */
static struct fake_host {
	int level;  /* of its mappings */
	bool readonly;
	int error;  /* what fault_in returns */
	u64 shift;
	u64 mmio_from, mmio_to; /* host pages that are a device's */
	u64 calls;
	void (*during_fault_in)(void);
	u8 dirty[HOST_PAGES];
	u8 accessed[HOST_PAGES];
} host;

/* What the MMU asked of the other CPUs, and how it complained. */
static struct {
	u32 flushes, kicks, drains, warns;
	gfn_t flush_gfn;
	u64 flush_nr;
	void (*on_drain)(void);
} seen;

static struct kvm *kvm;
static struct kvm_vcpu *vcpu;

static int host_fault_in(void *ctx, hvn_t hvn, bool write, bool *writable, kvm_pfn_t *pfn)
{
	(void)ctx;
	(void)write;
	host.calls++;
	if (host.error)
		return host.error;
	*pfn = HOST_PFN + host.shift + hvn;
	*writable = !host.readonly;
	if (host.during_fault_in)
		host.during_fault_in();
	return 0;
}

static int host_mapping_level(void *ctx, hvn_t hvn)
{
	(void)ctx;
	(void)hvn;
	return host.level;
}

static void host_set_pfn_dirty(void *ctx, kvm_pfn_t pfn)
{
	(void)ctx;
	host.dirty[(pfn - HOST_PFN) % HOST_PAGES] = 1;
}

static void host_set_pfn_accessed(void *ctx, kvm_pfn_t pfn)
{
	(void)ctx;
	host.accessed[(pfn - HOST_PFN) % HOST_PAGES] = 1;
}

static bool host_is_mmio_pfn(void *ctx, kvm_pfn_t pfn)
{
	u64 hvn = pfn - HOST_PFN - host.shift;

	(void)ctx;
	return hvn >= host.mmio_from && hvn < host.mmio_to;
}

static const struct tdp_host_ops host_ops = {
	.fault_in = host_fault_in,
	.mapping_level = host_mapping_level,
	.set_pfn_dirty = host_set_pfn_dirty,
	.set_pfn_accessed = host_set_pfn_accessed,
	.is_mmio_pfn = host_is_mmio_pfn,
};

static void on_flush(void *ctx, gfn_t gfn, u64 nr, const struct sim_site *site)
{
	(void)ctx;
	(void)site;
	seen.flushes++;
	seen.flush_gfn = gfn;
	seen.flush_nr = nr;
}

static void on_kick(void *ctx, int req, const struct sim_site *site)
{
	(void)ctx;
	(void)site;
	if (req == TDP_REQ_FREE_OBSOLETE_ROOTS) {
		seen.kicks++;
		return;
	}
	seen.drains++;
	if (seen.on_drain)
		seen.on_drain();
}

static void on_warn(void *ctx, const char *cond, const struct sim_site *site)
{
	(void)ctx;
	seen.warns++;
	print_error("WARN at %s:%d: %s\n", site->file, site->line, cond);
}

/* Something happens on another CPU, just before a point of some kind. */
static struct {
	enum point_kind kind;
	u32 times; /* for the next so many of these points */
	void (*fn)(void);
} meanwhile;

static void on_point(void *ctx, enum point_kind kind, int level, hpa_t pa, u64 object,
		     const char *text, const struct sim_site *site)
{
	void (*fn)(void) = meanwhile.fn;

	(void)ctx;
	(void)level;
	(void)pa;
	(void)object;
	(void)text;
	(void)site;
	if (!fn || kind != meanwhile.kind)
		return;
	meanwhile.fn = NULL;
	fn();
	if (--meanwhile.times)
		meanwhile.fn = fn;
}

static inline void do_meanwhile(enum point_kind kind, u32 times, void (*fn)(void))
{
	meanwhile.kind = kind;
	meanwhile.times = times;
	meanwhile.fn = fn;
}

static const struct sim_observer vm_observer = {
	.point = on_point,
	.flush = on_flush,
	.kick = on_kick,
	.warn = on_warn,
};

static inline struct tdp_vm_config vm_config(void)
{
	return (struct tdp_vm_config){
		.mmu = TDP_MMU_EPT,
		.ad = true,
		.root_level = 4,
		.fault_policy = TDP_FAULT_SPLIT,
		.maxphyaddr = 46,
		.cachebits = 46,
		.nx_recovery_ratio = 1,
		.quirk_slot_zap_all = true,
	};
}

static inline void vm_create(const struct tdp_vm_config *config)
{
	memset(&host, 0, sizeof(host));
	memset(&seen, 0, sizeof(seen));
	memset(&meanwhile, 0, sizeof(meanwhile));
	host.level = PG_LEVEL_4K;
	sim_reset();
	sim_set_observer(&vm_observer);
	assert_int_equal(kvm_create_vm(config, &host_ops, &host, &kvm), 0);
	assert_int_equal(kvm_create_vcpu(kvm, &vcpu), 0);
}

/* Nothing may be left, and nothing may have looked wrong on the way. */
static inline void vm_destroy(void)
{
	kvm_destroy_vm(kvm);
	assert_int_equal(sim_pages_in_use(), 0);
	assert_int_equal(sim_allocs_in_use(), 0);
	assert_int_equal(seen.warns, 0);
	kvm = NULL;
}

static inline int set_slot(u32 slot, gfn_t base, u64 npages, hvn_t hvn, u32 flags)
{
	struct tdp_memory_region region = {
		.slot = slot,
		.flags = flags,
		.base_gfn = base,
		.npages = npages,
		.hvn = hvn,
	};

	return kvm_set_memory_region(kvm, &region);
}

static inline struct kvm_vm_stat vm_stat(void)
{
	struct kvm_vm_stat stat;

	kvm_vm_get_stat(kvm, &stat);
	return stat;
}

/* The last SPTE for a gfn in the vCPU's root; 0 if the hardware finds a page table missing. */
static inline u64 *hw_walk(gfn_t gfn, int *level)
{
	hpa_t pa = kvm_vcpu_root_hpa(vcpu);
	u64 *sptep;

	for (*level = 4;; (*level)--) {
		sptep = sim_spte_ptr(pa + SPTE_INDEX(gfn << PAGE_SHIFT, *level) * 8);
		assert_non_null(sptep);
		if (!is_shadow_present_pte(*sptep) || is_last_spte(*sptep, *level))
			return sptep;
		pa = *sptep & SPTE_BASE_ADDR_MASK;
	}
}

static inline u64 leaf(gfn_t gfn)
{
	int level;

	return *hw_walk(gfn, &level);
}

static inline int leaf_level(gfn_t gfn)
{
	int level;
	u64 spte = *hw_walk(gfn, &level);

	return is_shadow_present_pte(spte) ? level : 0;
}

/* As an EPT violation is decided. */
static inline bool hw_allowed(u64 spte, enum access access)
{
	if (!(spte & VMX_EPT_READABLE_MASK))
		return false;
	if (access == WRITE)
		return spte & VMX_EPT_WRITABLE_MASK;
	if (access == EXEC)
		return spte & VMX_EPT_EXECUTABLE_MASK;
	return true;
}

/* One attempt at an access (EPT): 0 if it went ahead, or what the fault was answered with. */
static inline int guest_try(gfn_t gfn, enum access access)
{
	u64 *sptep, error_code = access;
	int level;

	assert_int_equal(kvm_vcpu_enter_guest(vcpu), 0);
	sptep = hw_walk(gfn, &level);
	if (is_shadow_present_pte(*sptep) && hw_allowed(*sptep, access)) {
		if ((*sptep & SPTE_TDP_AD_MASK) == SPTE_TDP_AD_DISABLED)
			return 0;
		*sptep |= VMX_EPT_ACCESS_BIT;
		if (access == WRITE)
			*sptep |= VMX_EPT_DIRTY_BIT;
		return 0;
	}
	if ((*sptep & VMX_EPT_RWX_MASK) == VMX_EPT_MISCONFIG_WX_VALUE)
		error_code = PFERR_RSVD_MASK;
	else if (*sptep & VMX_EPT_RWX_MASK)
		error_code |= PFERR_PRESENT_MASK;
	return kvm_mmu_page_fault(vcpu, gfn << PAGE_SHIFT, error_code);
}

/* An access until it succeeds; returns how many faults it took. */
static inline int guest(gfn_t gfn, enum access access)
{
	int faults, r;

	for (faults = 0; faults < 8; faults++) {
		r = guest_try(gfn, access);
		if (!r)
			return faults;
		assert_true(r == RET_PF_FIXED || r == RET_PF_SPURIOUS || r == RET_PF_RETRY);
	}
	fail_msg("gfn %#llx: the access does not succeed", (unsigned long long)gfn);
	return -1;
}

#endif /* TESTS_VM_FIXTURE_H */
