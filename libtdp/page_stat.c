// SPDX-License-Identifier: GPL-2.0-only
/* How many leaves and page tables there are, as KVM counts them. */
#include "kvm_host.h"

/**
 * kvm_vm_get_page_stat() - read the statistics of the VM's page tables
 * @kvm: the VM
 * @stat: result; zero if @kvm is NULL. Exact only while nothing runs. NULL: nothing is done
 *
 * A small part of kvm_vm_get_stat(), for who asks often.
 */
__no_kcsan void kvm_vm_get_page_stat(struct kvm *kvm, struct kvm_page_stat *stat)
{
	int i;

	if (!stat)
		return;
	if (!kvm) {
		*stat = (struct kvm_page_stat){ 0 };
		return;
	}
	for (i = 0; i < KVM_NR_PAGE_SIZES; i++)
		stat->pages[i] = tdp_stat_read(&kvm->stat.pages[i]);
	stat->nx_lpage_splits = kvm->stat.nx_lpage_splits;
	stat->tdp_mmu_pages = tdp_stat_read(&kvm->arch.tdp_mmu_pages);
}
