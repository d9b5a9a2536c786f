// SPDX-License-Identifier: GPL-2.0-only
/*
 * The masks of an SPTE, for each kind of CPU.  Mirrors the second half of
 * arch/x86/kvm/mmu/spte.c, reset_tdp_shadow_zero_bits_mask() of mmu.c and what
 * the vendor modules do at start.
 */
#include "spte.h"

/* Address bits that memory encryption leaves; boot_cpu_data.x86_phys_bits. */
static int x86_phys_bits(const struct tdp_vm_config *config)
{
	int lowest = config->me_mask ? __builtin_ctzll(config->me_mask) : 64;

	return lowest < config->maxphyaddr ? lowest : config->maxphyaddr;
}

/**
 * kvm_mmu_set_mmio_spte_mask() - decide how MMIO SPTEs look
 * @fmt: masks; those of L1TF are set already
 * @mmio_value: what makes the CPU fault in its own way; 0: no MMIO SPTEs
 * @mmio_mask: bits to compare with @mmio_value
 * @access_mask: ACC_* bits that can be kept beside it
 *
 * A value that could be taken for something else is refused, with a WARN.
 * Mirrors kvm_mmu_set_mmio_spte_mask().
 */
void kvm_mmu_set_mmio_spte_mask(struct tdp_spte_format *fmt, u64 mmio_value, u64 mmio_mask,
				u64 access_mask)
{
	const u64 moved_gfn = fmt->shadow_nonpresent_or_rsvd_mask
			      << SHADOW_NONPRESENT_OR_RSVD_MASK_LEN;

	WARN_ON(mmio_value & fmt->shadow_nonpresent_or_rsvd_lower_gfn_mask);

	if (WARN_ON(mmio_mask & ~SPTE_MMIO_ALLOWED_MASK) || WARN_ON(mmio_value & moved_gfn) ||
	    WARN_ON(mmio_value & ~mmio_mask) ||
	    WARN_ON(mmio_value && (FROZEN_SPTE & mmio_mask) == mmio_value))
		mmio_value = 0;

	fmt->enable_mmio_caching = mmio_value != 0;
	fmt->shadow_mmio_value = mmio_value;
	fmt->shadow_mmio_mask = mmio_mask;
	fmt->shadow_mmio_access_mask = access_mask;
}

/**
 * kvm_mmu_set_me_spte_mask() - memory encryption
 * @fmt: masks
 * @me_value: bits set in SPTEs; a subset of @me_mask
 * @me_mask: address bits that memory encryption takes
 *
 * Mirrors kvm_mmu_set_me_spte_mask().
 */
void kvm_mmu_set_me_spte_mask(struct tdp_spte_format *fmt, u64 me_value, u64 me_mask)
{
	const bool bad = WARN_ON(me_value & ~me_mask);

	fmt->shadow_me_value = bad ? 0 : me_value;
	fmt->shadow_me_mask = bad ? 0 : me_mask;
}

/**
 * kvm_mmu_set_ept_masks() - change the masks to EPT's
 * @fmt: masks, as kvm_mmu_reset_all_pte_masks() left them
 * @has_ad_bits: the CPU keeps accessed and dirty bits
 * @has_exec_only: X without R is allowed
 *
 * Mirrors kvm_mmu_set_ept_masks().
 */
void kvm_mmu_set_ept_masks(struct tdp_spte_format *fmt, bool has_ad_bits, bool has_exec_only)
{
	fmt->shadow_present_mask = VMX_EPT_SUPPRESS_VE_BIT;
	if (!has_exec_only)
		fmt->shadow_present_mask |= VMX_EPT_READABLE_MASK;
	fmt->shadow_user_mask = VMX_EPT_READABLE_MASK;
	fmt->shadow_x_mask = VMX_EPT_EXECUTABLE_MASK;
	fmt->shadow_nx_mask = 0;
	fmt->shadow_accessed_mask = has_ad_bits ? VMX_EPT_ACCESS_BIT : 0;
	fmt->shadow_dirty_mask = has_ad_bits ? VMX_EPT_DIRTY_BIT : 0;
	fmt->shadow_acc_track_mask = VMX_EPT_RWX_MASK;
	fmt->shadow_memtype_mask = VMX_EPT_MT_MASK | VMX_EPT_IPAT_BIT;
	fmt->shadow_host_writable_mask = EPT_SPTE_HOST_WRITABLE;
	fmt->shadow_mmu_writable_mask = EPT_SPTE_MMU_WRITABLE;

	/* W and X without R is a misconfiguration, which exits without a look at the rest. */
	kvm_mmu_set_mmio_spte_mask(fmt, VMX_EPT_MISCONFIG_WX_VALUE,
				   VMX_EPT_RWX_MASK | VMX_EPT_SUPPRESS_VE_BIT, 0);
}

/**
 * kvm_mmu_reset_all_pte_masks() - the masks of x86 page tables, thus of NPT
 * @fmt: result
 * @config: the CPU: maxphyaddr, cachebits, l1tf and me_mask are used
 *
 * Mirrors kvm_mmu_reset_all_pte_masks().
 */
void kvm_mmu_reset_all_pte_masks(struct tdp_spte_format *fmt, const struct tdp_vm_config *config)
{
	int low_phys_bits = x86_phys_bits(config);
	u64 mmio;

	*fmt = (struct tdp_spte_format){
		.shadow_present_mask = PT_PRESENT_MASK,
		.shadow_user_mask = PT_USER_MASK,
		.shadow_nx_mask = PT64_NX_MASK,
		.shadow_accessed_mask = PT_ACCESSED_MASK,
		.shadow_dirty_mask = PT_DIRTY_MASK,
		.shadow_host_writable_mask = DEFAULT_SPTE_HOST_WRITABLE,
		.shadow_mmu_writable_mask = DEFAULT_SPTE_MMU_WRITABLE,
	};

	/* CPUs with more cache bits than fit are not vulnerable. */
	if (config->l1tf &&
	    !WARN_ON_ONCE(config->cachebits >= 52 - SHADOW_NONPRESENT_OR_RSVD_MASK_LEN)) {
		low_phys_bits = config->cachebits - SHADOW_NONPRESENT_OR_RSVD_MASK_LEN;
		fmt->shadow_nonpresent_or_rsvd_mask =
			rsvd_bits(low_phys_bits, config->cachebits - 1);
	}
	fmt->shadow_nonpresent_or_rsvd_lower_gfn_mask = rsvd_bits(PAGE_SHIFT, low_phys_bits - 1);

	/* A reserved address bit, as long as there is one, faults with PFERR_RSVD. */
	mmio = config->maxphyaddr < 52 ? BIT_ULL(51) | PT_PRESENT_MASK : 0;
	kvm_mmu_set_mmio_spte_mask(fmt, mmio, mmio, ACC_WRITE_MASK | ACC_USER_MASK);
}

/* The C-bit may be, or be next to, the bit above. Mirrors svm_adjust_mmio_mask(). */
static void svm_adjust_mmio_mask(struct tdp_spte_format *fmt, const struct tdp_vm_config *config)
{
	int enc_bit, mask_bit = x86_phys_bits(config);
	u64 mask = 0;

	if (!config->me_mask)
		return;

	enc_bit = __builtin_ctzll(config->me_mask);
	if (mask_bit == enc_bit)
		mask_bit++;
	if (mask_bit < 52)
		mask = rsvd_bits(mask_bit, 51) | PT_PRESENT_MASK;
	kvm_mmu_set_mmio_spte_mask(fmt, mask, mask, PT_WRITABLE_MASK | PT_USER_MASK);
}

/* For tables and leaves of level @level; bit 7 clear and set. */
static void set_rsvd_bits(struct rsvd_bits_validate *check, int level, u64 table, u64 leaf)
{
	check->rsvd_bits_mask[0][level - 1] = table;
	check->rsvd_bits_mask[1][level - 1] = leaf;
}

/* Mirrors __reset_rsvds_bits_mask() for long mode with NX and 1G pages on AMD. */
static void reset_rsvds_bits_mask_npt(struct rsvd_bits_validate *check, u64 high, int root_level)
{
	const u64 top = high | rsvd_bits(7, 8);	/* no huge pages; AMD reserves bit 8 */
	int level;

	for (level = PG_LEVEL_512G; level <= root_level; level++)
		set_rsvd_bits(check, level, top, top);
	set_rsvd_bits(check, PG_LEVEL_1G, high, high | rsvd_bits(13, 29));
	set_rsvd_bits(check, PG_LEVEL_2M, high, high | rsvd_bits(13, 20));
	set_rsvd_bits(check, PG_LEVEL_4K, high, high);
}

/* Mirrors __reset_rsvds_bits_mask_ept() with 1G pages. */
static void reset_rsvds_bits_mask_ept(struct rsvd_bits_validate *check, u64 high, bool execonly)
{
	const u64 link = high | rsvd_bits(3, 6);
	const u64 top = high | rsvd_bits(3, 7);
	unsigned int low;

	set_rsvd_bits(check, PG_LEVEL_256T, top, top);
	set_rsvd_bits(check, PG_LEVEL_512G, top, top);
	set_rsvd_bits(check, PG_LEVEL_1G, link, high | rsvd_bits(12, 29));
	set_rsvd_bits(check, PG_LEVEL_2M, link, high | rsvd_bits(12, 20));
	set_rsvd_bits(check, PG_LEVEL_4K, high, high);

	for (low = 0; low < 64; low++) {
		unsigned int type = low >> 3, xwr = low & 7;
		bool bad = type == 2 || type == 3 || type == 7 ||	/* no memory types */
			   xwr == 2 || xwr == 6 ||			/* W without R */
			   (xwr == 4 && !execonly);

		check->bad_mt_xwr |= (u64)bad << low;
	}
}

/* Mirrors reset_tdp_shadow_zero_bits_mask(). */
static void reset_tdp_shadow_zero_bits_mask(struct tdp_spte_format *fmt,
					    const struct tdp_vm_config *config)
{
	struct rsvd_bits_validate *check = &fmt->shadow_zero_check;
	const u64 high = rsvd_bits(config->maxphyaddr, 51);
	int level;

	if (config->mmu == TDP_MMU_NPT)
		reset_rsvds_bits_mask_npt(check, high, config->root_level);
	else	/* KVM makes no execute-only SPTEs, whatever the CPU can do */
		reset_rsvds_bits_mask_ept(check, high, false);

	for (level = 0; level < config->root_level; level++) {
		check->rsvd_bits_mask[0][level] &= ~fmt->shadow_me_mask;
		check->rsvd_bits_mask[1][level] &= ~fmt->shadow_me_mask;
	}
}

/**
 * tdp_spte_format_init() - the masks that KVM would use on a CPU
 * @fmt: result
 * @config: valid configuration
 *
 * Does what kvm_mmu_vendor_module_init() and hardware set-up of kvm-intel or
 * kvm-amd do.
 */
void tdp_spte_format_init(struct tdp_spte_format *fmt, const struct tdp_vm_config *config)
{
	kvm_mmu_reset_all_pte_masks(fmt, config);
	if (config->mmu == TDP_MMU_EPT) {
		kvm_mmu_set_ept_masks(fmt, config->ad, config->exec_only);
		kvm_mmu_set_me_spte_mask(fmt, config->me_value, config->me_mask);
	} else {
		kvm_mmu_set_me_spte_mask(fmt, config->me_value, config->me_mask);
		svm_adjust_mmio_mask(fmt, config);
	}
	reset_tdp_shadow_zero_bits_mask(fmt, config);
}
