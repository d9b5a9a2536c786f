// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs and vCPUs come and go.  Mirrors the MMU's share of kvm_create_vm(),
 * kvm_arch_init_vm(), kvm_arch_vcpu_create() and kvm_destroy_vm().
 */
#include "memslot.h"
#include "mmu_calls.h"

/* Entries of the CPU's page-modification log. */
#define PML_ENTITY_NUM 512

/* Of a 4-level root; with more levels the CPU's own limit is lower. */
#define GPA_BITS_4LEVEL 48

/* Address bits above the cache's tag that hold what the L1TF mitigation moves. */
#define L1TF_MOVED_BITS 5

static bool in_range(int val, int low, int high)
{
	return val >= low && val <= high;
}

static bool tdp_vm_config_valid(const struct tdp_vm_config *c)
{
	if (c->mmu != TDP_MMU_EPT && c->mmu != TDP_MMU_NPT)
		return false;
	if (c->fault_policy != TDP_FAULT_SPLIT && c->fault_policy != TDP_FAULT_ZAP)
		return false;
	if (!in_range(c->root_level, PT64_ROOT_4LEVEL, PT64_ROOT_5LEVEL))
		return false;
	if (!in_range(c->maxphyaddr, 36, 52) || !in_range(c->cachebits, 36, 52))
		return false;
	if (c->pml && (c->mmu != TDP_MMU_EPT || !c->ad))
		return false;
	if ((c->me_value & ~c->me_mask) || (c->me_mask & ~GENMASK_ULL(51, PAGE_SHIFT)))
		return false;
	if (c->l1tf && (c->cachebits < c->maxphyaddr || c->cachebits >= 52 - L1TF_MOVED_BITS))
		return false;
	/* Its place is where MMIO SPTEs have reserved bits below an encryption bit. */
	if (c->l1tf && c->me_value)
		return false;
	if (c->init_set && !c->manual_protect)
		return false;
	return c->memslots_generation < 1ULL << 62;
}

static bool tdp_host_ops_valid(const struct tdp_host_ops *ops)
{
	return ops->fault_in && ops->mapping_level && ops->set_pfn_dirty && ops->set_pfn_accessed;
}

static void kvm_init_vm(struct kvm *kvm, const struct tdp_vm_config *config)
{
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
	kvm->arch.cpu_dirty_log_size = config->pml ? PML_ENTITY_NUM : 0;
	kvm_mmu_init_vm(kvm);
}

/**
 * kvm_create_vm() - create a VM without vCPUs and slots
 * @config: what CPU, module parameters and VMM are like
 * @ops: the host's memory management; set_pfns and is_mmio_pfn may be NULL
 * @host: passed to @ops
 * @kvmp: gets the VM
 *
 * @config and @ops are copied. Guest physical addresses have maxphyaddr bits, but no more than 48
 * with a 4-level root. Mirrors kvm_create_vm().
 *
 * Return: 0; -EINVAL: NULL or a configuration that no CPU has; -ENOMEM.
 */
int kvm_create_vm(const struct tdp_vm_config *config, const struct tdp_host_ops *ops, void *host,
		  struct kvm **kvmp)
{
	struct kvm *kvm;

	if (!config || !ops || !kvmp)
		return -EINVAL;
	if (!tdp_vm_config_valid(config) || !tdp_host_ops_valid(ops))
		return -EINVAL;

	kvm = kzalloc(sizeof(*kvm));
	if (!kvm)
		return -ENOMEM;
	kvm->config = *config;
	kvm->ops = *ops;
	kvm->host = host;
	kvm_init_vm(kvm, config);
	*kvmp = kvm;
	return 0;
}

/**
 * kvm_create_vcpu() - add a vCPU to a VM
 * @kvm: the VM
 * @vcpup: gets the vCPU, which belongs to the VM and goes with it
 *
 * Mirrors kvm_vm_ioctl_create_vcpu() and kvm_mmu_create().
 *
 * Context: takes slots_lock.
 * Return: 0; -EINVAL; -EBUSY: there are KVM_MAX_VCPUS already; -ENOMEM.
 */
int kvm_create_vcpu(struct kvm *kvm, struct kvm_vcpu **vcpup)
{
	struct kvm_vcpu *vcpu;

	if (!kvm || !vcpup)
		return -EINVAL;
	vcpu = kzalloc(sizeof(*vcpu));
	if (!vcpu)
		return -ENOMEM;
	vcpu->kvm = kvm;
	kvm_mmu_create(vcpu);

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

/* The host's memory management lets go of the VM, maybe between the halves of an invalidation. */
static void kvm_mmu_notifier_unregister(struct kvm *kvm)
{
	int idx = srcu_read_lock(&kvm->srcu);

	__kvm_mmu_zap_all(kvm);
	srcu_read_unlock(&kvm->srcu, idx);

	if (!kvm->mn_active_invalidate_count)
		WARN_ON(kvm->mmu_invalidate_in_progress);
	kvm->mn_active_invalidate_count = 0;
}

static void kvm_destroy_vcpus(struct kvm *kvm)
{
	int i;

	for (i = 0; i < kvm->created_vcpus; i++)
		__kvm_mmu_unload(kvm->vcpus[i]);
	for (i = 0; i < kvm->created_vcpus; i++) {
		kvm_mmu_destroy(kvm->vcpus[i]);
		kfree(kvm->vcpus[i]);
	}
}

/**
 * kvm_destroy_vm() - destroy a VM with its vCPUs and slots
 * @kvm: the VM, which nobody uses any more; NULL: nothing is done
 *
 * Everything that the VM has allocated is free when this returns. Mirrors kvm_destroy_vm(), the
 * zap on behalf of the dying mm included: with mmu_lock held for writing it passes over the empty
 * entries of a table, which the roots' end would have to freeze one by one.
 *
 * Context: no lock held, outside RCU and SRCU read sections: waits for RCU callbacks.
 */
void kvm_destroy_vm(struct kvm *kvm)
{
	if (!kvm)
		return;
	kvm->users_count.refs = 0;
	kvm_mmu_notifier_unregister(kvm);
	kvm_destroy_vcpus(kvm);
	kvm_mmu_uninit_vm(kvm);
	kvm_free_memslots(kvm);
	kfree(kvm);
}

/**
 * kvm_vm_get_stat() - read the VM's statistics
 * @kvm: the VM
 * @stat: result; zero if @kvm is NULL. Exact only while nothing runs. NULL: nothing is done
 */
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
	stat->splits = kvm->stat.splits;
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
