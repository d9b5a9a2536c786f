/* SPDX-License-Identifier: GPL-2.0-only */
/* The rest of KVM, as far as the MMU asks for it. */
#ifndef UPSTREAM_KERNEL_KVM_H
#define UPSTREAM_KERNEL_KVM_H

#include <linux/list.h>
#include <linux/rculist.h>

enum { KVM_X86_DEFAULT_VM, KVM_X86_TDX_VM };
enum { OUTSIDE_GUEST_MODE, IN_GUEST_MODE, EXITING_GUEST_MODE, READING_SHADOW_PAGE_TABLES };
enum {
	KVM_REQ_MMU_FREE_OBSOLETE_ROOTS,
	KVM_REQ_UPDATE_CPU_DIRTY_LOGGING,
	KVM_REQ_APIC_PAGE_RELOAD,
	KVM_REQ_APF_HALT,
	KVM_REQ_VM_DEAD,
};
enum kvm_mr_change { KVM_MR_CREATE, KVM_MR_DELETE, KVM_MR_MOVE, KVM_MR_FLAGS_ONLY };

#define PG_LEVEL_NUM			 (PG_LEVEL_256T + 1)
#define INVALID_GPA			 (~(gpa_t)0)
#define APIC_ACCESS_PAGE_PRIVATE_MEMSLOT (KVM_USER_MEM_SLOTS + 1)

/* The CPU. */
struct upstream_cpu {
	int x86_phys_bits;
	int x86_cache_bits;
	u32 extended_cpuid_level;
	bool l1tf;
	int maxphyaddr;
	u64 sme_mask;
};
extern struct upstream_cpu boot_cpu_data;
extern u64 physical_mask;
#define X86_FEATURE_GBPAGES	     0
#define X86_BUG_L1TF		     0
#define boot_cpu_has(feature)	     true
#define boot_cpu_has_bug(bug)	     boot_cpu_data.l1tf
#define MSR_AMD64_SYSCFG	     0
#define MSR_AMD64_SYSCFG_MEM_ENCRYPT 1
#define rdmsrl(msr, val)	     ((val) = boot_cpu_data.sme_mask != 0)
#define rdmsrq(msr, val)	     rdmsrl(msr, val)
#define cpuid_ebx(leaf)		     ((u32)__builtin_ctzll(boot_cpu_data.sme_mask))
u32 cpuid_eax(u32 leaf);
#define cpuid_maxphyaddr(vcpu)		  boot_cpu_data.maxphyaddr
#define cpuid_query_maxguestphyaddr(vcpu) cpuid_maxphyaddr(vcpu)
#define is_cpuid_PSE36()		  true

struct upstream_kvm_host {
	u8 maxphyaddr;
};
extern struct upstream_kvm_host kvm_host;
extern bool tdp_enabled;
extern bool eager_page_split;
extern unsigned int nx_huge_pages_recovery_ratio;
extern struct kmem_cache *mmu_page_header_cache;

/* The VM made last; there is one at a time. */
extern struct kvm *upstream_vm;

struct upstream_x86_ops {
	u32 cpu_dirty_log_size;
	u64 (*get_mt_mask)(struct kvm_vcpu *vcpu, gfn_t gfn, bool is_mmio);
	void *set_apic_access_page_addr;
	void *flush_remote_tlbs_range;
};
extern struct upstream_x86_ops kvm_x86_ops;
#define kvm_x86_call(name) upstream_x86_##name
u64 upstream_x86_get_mt_mask(struct kvm_vcpu *vcpu, gfn_t gfn, bool is_mmio);
void upstream_x86_flush_tlb_current(struct kvm_vcpu *vcpu);
#define upstream_x86_load_mmu_pgd(...) ((void)0)
#define upstream_x86_get_rflags(vcpu)  0UL

/* vCPUs: 64-bit, without nesting by shadow paging, SEV, or registers that the MMU would look at. */
#define X86_CR4_PSE			 0
#define X86_CR4_PAE			 0
#define X86_CR4_LA57			 0
#define X86_CR4_SMEP			 0
#define X86_CR4_SMAP			 0
#define X86_CR4_PKE			 0
#define X86_CR4_PCIDE			 0
#define X86_CR3_PCID_MASK		 0UL
#define X86_CR3_LAM_U48			 0
#define X86_CR3_LAM_U57			 0
#define X86_EFLAGS_AC			 0
#define X86_FEATURE_LAM			 0
#define kvm_is_cr4_bit_set(vcpu, bit)	 false
#define kvm_read_cr3(vcpu)		 0UL
#define guest_cpu_cap_has(vcpu, feature) false
#define guest_can_use(vcpu, feature)	 false
#define is_guest_mode(vcpu)		 ((vcpu)->arch.guest_mode)
#define mmu_is_nested(vcpu)		 false
#define kvm_apicv_activated(kvm)	 true

/* Private memory and asynchronous page faults: none. */
#define kvm_arch_has_private_mem(kvm)	     false
#define kvm_mem_is_private(kvm, gfn)	     false
#define kvm_slot_can_be_private(slot)	     false
#define kvm_faultin_pfn_private(vcpu, fault) (-EFAULT)
#define kvm_prepare_memory_fault_exit(...)   ((void)0)
#define kvm_find_async_pf_gfn(vcpu, gfn)     false
#define kvm_arch_setup_async_pf(...)	     false
#define kvm_make_request(req, vcpu)	     ((void)0)
#define kvm_handle_signal_exit(vcpu)	     ((void)0)
#define kvm_send_hwpoison_signal(...)	     ((void)0)

/* Requests. */
void kvm_make_all_cpus_request(struct kvm *kvm, unsigned int req);
#define kvm_test_request(req, vcpu) ((vcpu)->requests >> (req) & 1)
bool kvm_check_request(int req, struct kvm_vcpu *vcpu);

/* Slots are libtdp's; so is who is told of writes, and write tracking. */
#define kvm_memslots_for_spte_role(kvm, role)		   __kvm_memslots(kvm, (role).smm)
#define kvm_arch_nr_memslot_as_ids(kvm)			   KVM_MAX_NR_ADDRESS_SPACES
#define kvm_check_has_quirk(kvm, quirk)			   upstream_quirk_##quirk(kvm)
#define upstream_quirk_KVM_X86_QUIRK_SLOT_ZAP_ALL(kvm)	   ((kvm)->config.quirk_slot_zap_all)
#define upstream_quirk_KVM_X86_QUIRK_IGNORE_GUEST_PAT(kvm) true
#define kvm_dirty_log_manual_protect_and_init_set(kvm) \
	((kvm)->config.manual_protect && (kvm)->config.init_set)
struct kvm_memory_slot *__gfn_to_memslot(struct kvm_memslots *slots, gfn_t gfn);
struct kvm_memory_slot *kvm_vcpu_gfn_to_memslot(struct kvm_vcpu *vcpu, gfn_t gfn);
bool kvm_gfn_is_write_tracked(struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn);
void kvm_mmu_invalidate_begin(struct kvm *kvm);
void kvm_mmu_invalidate_range_add(struct kvm *kvm, gfn_t start, gfn_t end);
void kvm_mmu_invalidate_end(struct kvm *kvm);
void kvm_flush_remote_tlbs_memslot(struct kvm *kvm, const struct kvm_memory_slot *slot);
struct kvm_lpage_info *lpage_info_slot(gfn_t gfn, const struct kvm_memory_slot *slot, int level);

/* The host's page tables. */
int host_pfn_mapping_level(struct kvm *kvm, gfn_t gfn, const struct kvm_memory_slot *slot);
kvm_pfn_t __gfn_to_pfn_memslot(const struct kvm_memory_slot *slot, gfn_t gfn, bool atomic,
			       bool interruptible, bool *async, bool write_fault, bool *writable,
			       hva_t *hva);

#include "tree_consts.h"

#endif /* UPSTREAM_KERNEL_KVM_H */
