// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map 2 MiB of guest memory by one huge page, execute one 4 KiB page of it, and look at the split
 * that the iTLB-multihit mitigation asks for: huge pages are never executable.
 */
#include <inttypes.h>
#include <stdio.h>

#include <tdp/spte_bits.h>
#include <tdp/tdp.h>

#define ADDRESS_MASK 0x000ffffffffff000ULL
#define FIRST_PFN    0x400000

static int fault_in(void *host, hvn_t hvn, bool write, bool *writable, kvm_pfn_t *pfn)
{
	(void)host, (void)write;
	*writable = true;
	*pfn = FIRST_PFN + hvn;
	return 0;
}

static int mapping_level(void *host, hvn_t hvn)
{
	(void)host, (void)hvn;
	return PG_LEVEL_2M;
}

static void ignore(void *host, kvm_pfn_t pfn)
{
	(void)host, (void)pfn;
}

/* Prints a leaf, unless it continues the one before with the same bits. */
static int print_leaf(const struct tdp_spte_info *info, void *last_bits)
{
	bool huge = info->level > PG_LEVEL_4K && (info->spte & 1 << 7);
	u64 bits = info->spte & ~ADDRESS_MASK, *last = last_bits;

	if (!(info->spte & SPTE_MMU_PRESENT_MASK) || (info->level > PG_LEVEL_4K && !huge))
		return 0;
	if (bits != *last)
		printf("gfn 0x%" PRIx64 " level %d spte %016" PRIx64 "\n", info->gfn, info->level,
		       info->spte);
	*last = bits;
	return 0;
}

static int fault(struct kvm *kvm, struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code)
{
	u64 last = 0;
	int ret = kvm_mmu_page_fault(vcpu, gpa, error_code);

	printf("fault at 0x%" PRIx64 ": %s\n", gpa, ret == RET_PF_FIXED ? "fixed" : "NOT FIXED");
	return ret == RET_PF_FIXED ? tdp_for_each_spte(kvm, print_leaf, &last) : -1;
}

int main(void)
{
	static const struct tdp_vm_config config = {
		.mmu = TDP_MMU_EPT,
		.ad = true,
		.root_level = 4,
		.nx_huge_pages = true,
		.maxphyaddr = 46,
		.cachebits = 46,
	};
	static const struct tdp_host_ops host = {
		.fault_in = fault_in,
		.mapping_level = mapping_level,
		.set_pfn_dirty = ignore,
		.set_pfn_accessed = ignore,
	};
	static const struct tdp_memory_region slot = { .npages = 512 };
	struct kvm_vcpu *vcpu;
	struct kvm *kvm;
	int ret;

	if (kvm_create_vm(&config, &host, NULL, &kvm)) {
		fprintf(stderr, "the VM was refused\n");
		return 1;
	}
	ret = kvm_create_vcpu(kvm, &vcpu);
	ret = ret ?: kvm_set_memory_region(kvm, &slot);
	ret = ret ?: kvm_vcpu_enter_guest(vcpu);
	ret = ret ?: fault(kvm, vcpu, 0x10000, PFERR_WRITE_MASK);
	ret = ret ?: fault(kvm, vcpu, 0x1e000, PFERR_FETCH_MASK | PFERR_PRESENT_MASK);
	kvm_destroy_vm(kvm);
	return ret ? 1 : 0;
}
