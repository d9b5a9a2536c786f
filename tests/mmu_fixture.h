/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM made of bare structures, for tests of the layers below the fault path:
 * one slot of 4G at gfn 0, frames at pfn 0x400000 + gfn, one vCPU.
 */
#ifndef TDP_TESTS_MMU_FIXTURE_H
#define TDP_TESTS_MMU_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "spte.h"

#define FIXTURE_PFN 0x400000ULL

static struct {
	struct kvm kvm;
	struct kvm_vcpu vcpu;
	struct kvm_memory_slot slot;
	struct sim_thread thread;
	int warnings;		/* expected ones are taken off by expect_warnings() */
	kvm_pfn_t mmio_pfn;	/* a device's */
} fx;

static const struct tdp_vm_config config_ept = {
	.mmu = TDP_MMU_EPT,
	.ad = true,
	.root_level = PT64_ROOT_4LEVEL,
	.maxphyaddr = 46,
	.cachebits = 46,
};

static inline struct tdp_vm_config config_with(enum tdp_mmu_kind mmu, bool ad)
{
	struct tdp_vm_config config = config_ept;

	config.mmu = mmu;
	config.ad = ad;
	return config;
}

/* EPT with A/D, EPT without, NPT. */
static inline struct tdp_vm_config config_kind(int kind)
{
	return config_with(kind == 2 ? TDP_MMU_NPT : TDP_MMU_EPT, kind != 1);
}

static void fixture_warn(void *ctx, const char *cond, const struct sim_site *site)
{
	(void)ctx;
	(void)cond;
	(void)site;
	fx.warnings++;
}

static void fixture_fatal(void *ctx, char rule, const char *what, hpa_t pa)
{
	(void)ctx;
	print_error("rule %c: %s at %llx\n", rule, what, (unsigned long long)pa);
	abort();
}

static const struct sim_observer fixture_observer = {
	.warn = fixture_warn,
	.fatal = fixture_fatal,
};

static inline void expect_warnings(int n)
{
	assert_int_equal(fx.warnings, n);
	fx.warnings = 0;
}

static bool fixture_is_mmio_pfn(void *host, kvm_pfn_t pfn)
{
	(void)host;
	return pfn == fx.mmio_pfn;
}

static inline union kvm_mmu_page_role fixture_role(int level)
{
	return (union kvm_mmu_page_role){
		.level = level,
		.direct = 1,
		.access = ACC_ALL,
		.ad_disabled = !fx.kvm.config.ad && fx.kvm.config.mmu == TDP_MMU_EPT,
	};
}

static inline void fixture_init(struct tdp_vm_config config)
{
	memset(&fx, 0, sizeof(fx));
	sim_reset();
	sim_set_observer(&fixture_observer);
	sim_begin_op(&fx.thread, NULL, 0);

	fx.kvm.config = config;
	fx.kvm.ops.is_mmio_pfn = fixture_is_mmio_pfn;
	fx.kvm.arch.maxphyaddr = config.maxphyaddr;
	fx.kvm.arch.fault_policy = config.fault_policy;
	fx.kvm.arch.nx_huge_pages = config.nx_huge_pages;
	fx.kvm.arch.cpu_dirty_log_size = config.pml ? 512 : 0;
	tdp_spte_format_init(&fx.kvm.arch.spte_format, &config);
	for (int as_id = 0; as_id < KVM_MAX_NR_ADDRESS_SPACES; as_id++)
		fx.kvm.memslots[as_id] = &fx.kvm.__memslots[as_id][0];
	fx.slot.npages = 1ULL << 20;
	fx.mmio_pfn = ~0ULL;
	fx.vcpu.kvm = &fx.kvm;
	fx.vcpu.arch.mmu = &fx.vcpu.arch.root_mmu;
	fx.vcpu.arch.root_mmu.root.hpa = INVALID_PAGE;
	fx.vcpu.arch.root_mmu.root_role = fixture_role(config.root_level);
}

static inline const struct tdp_spte_format *fixture_format(void)
{
	return kvm_spte_format(&fx.kvm);
}

/* A leaf as a first access makes it. */
static inline u64 fixture_leaf(int level, gfn_t gfn, bool host_writable)
{
	struct kvm_mmu_page sp = { .role = fixture_role(level) };
	u64 spte;

	assert_false(make_spte(&fx.vcpu, &sp, &fx.slot, ACC_ALL, gfn, FIXTURE_PFN + gfn, 0, false,
			       true, host_writable, &spte));
	return spte;
}

#endif /* TDP_TESTS_MMU_FIXTURE_H */
