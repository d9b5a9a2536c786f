// SPDX-License-Identifier: GPL-2.0-only
/*
 * <tdp/tdp.h> on the tree's code: VMs and vCPUs.  Their documentation is libtdp's: what
 * is said there of arguments, results and locks holds here.
 */
#include "host.h"

#include "memslot.h"

extern struct kvm *upstream_vm;
extern u64 upstream_splits;

/* Of a 4-level root. */
#define GPA_BITS_4LEVEL 48

#ifdef UPSTREAM_REPAIRED
#define BACKEND_NAME "upstream-repaired"
#else
#define BACKEND_NAME "upstream"
#endif
const struct tdp_backend tdp_backend = { .name = BACKEND_NAME, .zap_policy = false };

static bool in_range(int val, int low, int high)
{
	return val >= low && val <= high;
}

/* As libtdp, but for the policy: the tree has its own. */
static bool config_valid(const struct tdp_vm_config *c)
{
	const u64 addresses = GENMASK_ULL(51, PAGE_SHIFT);

	return (c->mmu == TDP_MMU_EPT || c->mmu == TDP_MMU_NPT) &&
	       in_range(c->root_level, PT64_ROOT_4LEVEL, PT64_ROOT_5LEVEL) &&
	       in_range(c->maxphyaddr, 36, 52) && in_range(c->cachebits, 36, 52) &&
	       (!c->pml || (c->mmu == TDP_MMU_EPT && c->ad)) && !(c->me_value & ~c->me_mask) &&
	       !(c->me_mask & ~addresses) &&
	       (!c->l1tf || (c->cachebits >= c->maxphyaddr && c->cachebits < 47 && !c->me_value)) &&
	       (!c->init_set || c->manual_protect) && c->memslots_generation < 1ULL << 62;
}

int kvm_create_vm(const struct tdp_vm_config *config, const struct tdp_host_ops *ops, void *host,
		  struct kvm **kvmp)
{
	struct kvm *kvm;

	if (!config || !ops || !kvmp || !config_valid(config))
		return -EINVAL;
	if (!ops->fault_in || !ops->mapping_level || !ops->set_pfn_dirty || !ops->set_pfn_accessed)
		return -EINVAL;

	kvm = kzalloc(sizeof(*kvm));
	if (!kvm)
		return -ENOMEM;
	kvm->config = *config;
	kvm->ops = *ops;
	kvm->host = host;
	rwlock_init(&kvm->mmu_lock);
	mutex_init(&kvm->slots_lock);
	mutex_init(&kvm->slots_arch_lock);
	spin_lock_init(&kvm->mn_invalidate_lock);
	rcuwait_init(&kvm->mn_memslots_update_rcuwait);
	init_srcu_struct(&kvm->srcu);
	kvm->users_count.refs = 1;
	kvm->mmu_invalidate_seq = config->mmu_invalidate_seq;
	kvm_init_memslots(kvm, config->memslots_generation);

	kvm->arch.maxphyaddr = config->maxphyaddr;
	if (config->root_level == PT64_ROOT_4LEVEL && config->maxphyaddr > GPA_BITS_4LEVEL)
		kvm->arch.maxphyaddr = GPA_BITS_4LEVEL;
	kvm->arch.cpu_dirty_log_size = config->pml ? 512 : 0;
	upstream_vm = kvm;
	upstream_splits = 0;
	upstream_set_masks(config);
	upstream_init_vm(kvm);
	*kvmp = kvm;
	return 0;
}

int kvm_create_vcpu(struct kvm *kvm, struct kvm_vcpu **vcpup)
{
	struct kvm_vcpu *vcpu;

	if (!kvm || !vcpup)
		return -EINVAL;
	vcpu = kzalloc(sizeof(*vcpu));
	if (!vcpu)
		return -ENOMEM;
	vcpu->kvm = kvm;
	upstream_init_vcpu(vcpu);

	mutex_lock(&kvm->slots_lock);
	vcpu->vcpu_id = kvm->created_vcpus;
	if (vcpu->vcpu_id < KVM_MAX_VCPUS) {
		kvm->vcpus[vcpu->vcpu_id] = vcpu;
		smp_store_release(&kvm->created_vcpus, vcpu->vcpu_id + 1);
	}
	mutex_unlock(&kvm->slots_lock);

	if (vcpu->vcpu_id == KVM_MAX_VCPUS) {
		kfree(vcpu);
		return -EBUSY;
	}
	*vcpup = vcpu;
	return 0;
}

static void destroy_vcpus(struct kvm *kvm)
{
	int i;

	for (i = 0; i < kvm->created_vcpus; i++)
		upstream_unload(kvm->vcpus[i]);
	for (i = 0; i < kvm->created_vcpus; i++) {
		kvm_mmu_free_memory_cache(&kvm->vcpus[i]->arch.mmu_shadow_page_cache);
		kvm_mmu_free_memory_cache(&kvm->vcpus[i]->arch.mmu_page_header_cache);
		kfree(kvm->vcpus[i]);
	}
}

void kvm_destroy_vm(struct kvm *kvm)
{
	int idx;

	if (!kvm)
		return;
	kvm->users_count.refs = 0;
	idx = srcu_read_lock(&kvm->srcu);
	upstream_zap_all(kvm);
	srcu_read_unlock(&kvm->srcu, idx);
	if (!kvm->mn_active_invalidate_count)
		WARN_ON(kvm->mmu_invalidate_in_progress);
	kvm->mn_active_invalidate_count = 0;
	destroy_vcpus(kvm);
	upstream_uninit_vm(kvm);
	kvm_free_memslots(kvm);
	kfree(kvm);
}

__no_kcsan void kvm_vm_get_stat(struct kvm *kvm, struct kvm_vm_stat *stat)
{
	struct kvm_page_stat pages;
	int i;

	if (!stat)
		return;
	*stat = (struct kvm_vm_stat){ 0 };
	if (!kvm)
		return;

	kvm_vm_get_page_stat(kvm, &pages);
	for (i = 0; i < KVM_NR_PAGE_SIZES; i++)
		stat->pages[i] = pages.pages[i];
	stat->nx_lpage_splits = pages.nx_lpage_splits;
	stat->tdp_mmu_pages = pages.tdp_mmu_pages;
	stat->remote_tlb_flush = kvm->stat.remote_tlb_flush;
	stat->splits = upstream_splits;
	stat->nx_recoveries = kvm->stat.nx_recoveries;

	for (i = 0; i < kvm->created_vcpus; i++) {
		const struct kvm_vcpu_stat *v = &kvm->vcpus[i]->stat;

		stat->pf_taken += v->pf_taken;
		stat->pf_fixed += v->pf_fixed;
		stat->pf_spurious += v->pf_spurious;
		stat->pf_fast += v->pf_fast;
		stat->pf_emulate += v->pf_emulate;
		stat->pf_mmio_spte_created += v->pf_mmio_spte_created;
	}
}
