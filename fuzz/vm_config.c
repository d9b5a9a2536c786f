// SPDX-License-Identifier: GPL-2.0-only
/* From a program's virtual machine to libtdp's. */
#include "vm_config.h"

/* Memory encryption takes physical address bits from the top, or AMD's usual bit 47. */
static void me_bits(const struct vm_desc *vm, u64 *value, u64 *mask)
{
	*value = *mask = 0;
	switch (vm->me) {
	case VM_ME_OFF:
		break;
	case VM_ME_SME:
		*mask = *value = 1ULL << (vm->maxphyaddr >= 48 ? 47 : vm->maxphyaddr - 1);
		break;
	case VM_ME_TDX:
		*mask = 3ULL << (vm->maxphyaddr - 2);
		break;
	}
}

/**
 * vm_config() - the configuration that a program's "vm" line stands for
 * @vm: valid description
 */
struct tdp_vm_config vm_config(const struct vm_desc *vm)
{
	struct tdp_vm_config config = {
		.mmu = vm->mmu == VM_NPT ? TDP_MMU_NPT : TDP_MMU_EPT,
		.ad = vm->ad,
		.root_level = vm->levels,
		.nx_huge_pages = vm->nx_huge_pages,
		.eager_page_split = vm->eager_split,
		.fault_policy = vm->policy == VM_ZAP ? TDP_FAULT_ZAP : TDP_FAULT_SPLIT,
		.pml = vm->pml,
		.exec_only = vm->exec_only,
		.l1tf = vm->l1tf,
		.maxphyaddr = vm->maxphyaddr,
		.cachebits = vm->cachebits,
		.memslots_generation = vm->gen,
		.mmu_invalidate_seq = vm->seq,
		.manual_protect = vm->manual_protect,
		.init_set = vm->init_set,
		.nx_recovery_ratio = vm->nx_ratio,
		.quirk_slot_zap_all = vm->quirk_zap_all,
	};

	if (vm->mmu == VM_NPT) {
		config.ad = true;
		config.exec_only = false;
	}
	me_bits(vm, &config.me_value, &config.me_mask);
	return config;
}
