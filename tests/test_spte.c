// SPDX-License-Identifier: GPL-2.0-only
/*
 * SPTEs, bit by bit. Expected values are written out, from the manuals' tables
 * (Intel SDM volume 3 on EPT entries, AMD APM volume 2 on nested paging) and from
 * what a 6.12 kernel builds; none is computed by the code under test.
 */
#include "mmu_fixture.h"

enum { EPT_AD, EPT, NPT, KINDS };

static const char *const kind_name[KINDS] = { "EPT A/D", "EPT", "NPT" };

static void assert_spte(u64 spte, u64 expected, const char *what, int kind)
{
	if (spte != expected)
		fail_msg("%s, %s: %016llx, expected %016llx", what, kind_name[kind],
			 (unsigned long long)spte, (unsigned long long)expected);
}

static int teardown(void **state)
{
	(void)state;
	expect_warnings(0);
	return 0;
}

/* What Linux 6.12 itself builds. */
static void test_known_answers(void **state)
{
	static const struct {
		const char *what;
		u64 spte[KINDS];
	} known[] = {
		{ "4K", { 0x8600000400010b77, 0x8610000400010877, 0x0000000400010e67 } },
		{ "read-only", { 0x8000000400012975, 0x8010000400012875, 0x0000000400012825 } },
		{ "2M NX", { 0x8600000400400bf3, 0x86100004004008f3, 0x8000000400400ee7 } },
		{ "1G NX", { 0x8600000440000bf3, 0x86100004400008f3, 0x8000000440000ee7 } },
		{ "child", { 0x8600000400401b77, 0x8610000400401877, 0x0000000400401e67 } },
		{ "aged", { 0x8600000400011a77, 0x8750000400011870, 0x0000000400011e47 } },
		{ "logged", { 0x8600000400010b75, 0x8610000400010875, 0x0000000400010e65 } },
		{ "tracked", { 0x8200000400010b75, 0x8210000400010875, 0x0000000400010a65 } },
		{ "MMIO", { 0x0000000100123016, 0x0000000100123016, 0x0008000100123017 } },
	};

	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct tdp_vm_config config = config_kind(kind);
		u64 spte[ARRAY_SIZE(known)];

		config.nx_huge_pages = true;
		fixture_init(config);
		fx.kvm.__memslots[0][0].generation = 2;

		spte[0] = fixture_leaf(PG_LEVEL_4K, 0x10, true);
		spte[1] = fixture_leaf(PG_LEVEL_4K, 0x12, false);
		spte[2] = fixture_leaf(PG_LEVEL_2M, 0x400, true);
		spte[3] = fixture_leaf(PG_LEVEL_1G, 0x40000, true);
		spte[4] = make_huge_page_split_spte(&fx.kvm, spte[2], fixture_role(PG_LEVEL_4K), 1);
		spte[5] = mark_spte_for_access_track(fixture_format(),
						     fixture_leaf(PG_LEVEL_4K, 0x11, true));
		spte[6] = spte[0] & ~PT_WRITABLE_MASK;
		spte[7] = spte[6] & ~fixture_format()->shadow_mmu_writable_mask;
		spte[8] = make_mmio_spte(&fx.vcpu, 0x100123, ACC_ALL);

		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			assert_spte(spte[i], known[i].spte[kind], known[i].what, kind);
	}
	assert_int_equal(SHADOW_NONPRESENT_VALUE, 0x8000000000000000);
	assert_int_equal(FROZEN_SPTE, 0x80000000000005a0);
}

/* Huge pages are executable unless the mitigation is on; 4K pages always are. */
static void test_exec(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		const u64 mask = kind == NPT ? 1ULL << 63 : 1ULL << 2;
		const u64 allowed = kind == NPT ? 0 : mask;

		for (int nx = 0; nx < 2; nx++) {
			struct tdp_vm_config config = config_kind(kind);

			config.nx_huge_pages = nx;
			fixture_init(config);
			for (int level = PG_LEVEL_4K; level <= PG_LEVEL_1G; level++) {
				u64 spte = fixture_leaf(level, 0, true);
				bool exec = (spte & mask) == allowed;

				assert_int_equal(exec, level == PG_LEVEL_4K || !nx);
				assert_int_equal(is_executable_pte(fixture_format(), spte), exec);
				assert_int_equal(is_large_pte(spte), level > PG_LEVEL_4K);
			}
		}
	}
}

/* A part of a huge page: 2M parts keep NX, 4K parts lose it, access-tracked ones in what they saved. */
static void test_split(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct tdp_vm_config config = config_kind(kind);
		const struct tdp_spte_format *fmt;
		u64 huge, aged, spte;

		config.nx_huge_pages = true;
		fixture_init(config);
		fmt = fixture_format();
		huge = fixture_leaf(PG_LEVEL_1G, 0x40000, true);

		spte = make_huge_page_split_spte(&fx.kvm, huge, fixture_role(PG_LEVEL_2M), 511);
		assert_spte(spte, huge + 511 * (1ULL << 21), "2M part", kind);

		huge = fixture_leaf(PG_LEVEL_2M, 0x400, true);
		aged = mark_spte_for_access_track(fmt, huge);
		spte = make_huge_page_split_spte(&fx.kvm, aged, fixture_role(PG_LEVEL_4K), 0);
		assert_int_equal(is_accessed_spte(fmt, spte), false);
		if (kind == EPT) {
			assert_int_equal(spte & 7, 0);
			spte = restore_acc_track_spte(fmt, spte);
			assert_int_equal(spte & 7, 5);
		}
		assert_true(is_executable_pte(fmt, spte));

		fx.kvm.arch.nx_huge_pages = false;
		spte = make_huge_page_split_spte(&fx.kvm, huge, fixture_role(PG_LEVEL_4K), 3);
		assert_spte(spte, (huge & ~0x80ULL) + 0x3000, "4K part as is", kind);
	}
}

static void test_split_of_a_small_page_is_a_bug(void **state)
{
	(void)state;
	fixture_init(config_ept);
	make_huge_page_split_spte(&fx.kvm, fixture_leaf(PG_LEVEL_4K, 0, true),
				  fixture_role(PG_LEVEL_4K), 0);
	assert_true(fx.kvm.vm_bugged);
	expect_warnings(1);
}

/* All 19 bits of the generation come back, and nothing else moves. */
static void test_mmio_generation(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		const struct tdp_spte_format *fmt;
		u64 base;

		fixture_init(config_kind(kind));
		fmt = fixture_format();
		base = make_mmio_spte(&fx.vcpu, 0x234567, ACC_ALL);
		assert_int_equal(get_mmio_spte_generation(base), 0);

		for (u64 gen = 0; gen < 1 << 19; gen++) {
			u64 low = (gen & 0xff) << 3, high = (gen >> 8) << 52;
			u64 spte;

			/* The bits above are not kept, among them "update in progress". */
			fx.kvm.__memslots[0][0].generation = gen | 1ULL << 63 | 1ULL << 19;
			spte = make_mmio_spte(&fx.vcpu, 0x234567, ACC_ALL);
			if (spte != (base | low | high) || get_mmio_spte_generation(spte) != gen ||
			    !is_mmio_spte(fmt, spte) || is_shadow_present_pte(spte))
				assert_spte(spte, base | low | high, "MMIO", kind);
		}
	}
}

static void test_mmio_access(void **state)
{
	(void)state;
	fixture_init(config_kind(EPT_AD));
	assert_int_equal(make_mmio_spte(&fx.vcpu, 0, 0), make_mmio_spte(&fx.vcpu, 0, ACC_ALL));
	fixture_init(config_kind(NPT));
	assert_int_equal(make_mmio_spte(&fx.vcpu, 0, 0), 1ULL << 51 | 1);
	assert_int_equal(make_mmio_spte(&fx.vcpu, 0, ACC_USER_MASK), 1ULL << 51 | 5);
	assert_int_equal(make_mmio_spte(&fx.vcpu, 0, ACC_WRITE_MASK), 1ULL << 51 | 3);
}

static void test_only_mmio_sptes_look_like_mmio(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		const struct tdp_spte_format *fmt;

		fixture_init(config_kind(kind));
		fmt = fixture_format();
		assert_false(is_mmio_spte(fmt, SHADOW_NONPRESENT_VALUE));
		assert_false(is_mmio_spte(fmt, FROZEN_SPTE));
		assert_false(is_mmio_spte(fmt, fixture_leaf(PG_LEVEL_4K, 0x123, true)));
		assert_false(is_mmio_spte(
			fmt, mark_spte_for_access_track(fmt, fixture_leaf(PG_LEVEL_4K, 1, true))));
	}
}

/* 52 address bits leave NPT no reserved one to fault with. */
static void test_no_mmio_sptes_without_a_reserved_bit(void **state)
{
	struct tdp_vm_config config = config_kind(NPT);

	(void)state;
	config.maxphyaddr = 52;
	fixture_init(config);
	assert_false(fixture_format()->enable_mmio_caching);
	assert_false(is_mmio_spte(fixture_format(), 0));

	config = config_kind(EPT_AD);
	config.maxphyaddr = 52;
	fixture_init(config);
	assert_true(fixture_format()->enable_mmio_caching);
}

/* The five bits below the cache's width are set, and what they were is found five higher. */
static void test_l1tf(void **state)
{
	(void)state;
	for (int cachebits = 39; cachebits <= 46; cachebits++) {
		struct tdp_vm_config config = config_kind(EPT_AD);
		const u64 five = 0x1fULL << (cachebits - 5);
		const struct tdp_spte_format *fmt;

		config.l1tf = true;
		config.maxphyaddr = 39;
		config.cachebits = cachebits;
		fixture_init(config);
		fmt = fixture_format();
		assert_int_equal(fmt->shadow_nonpresent_or_rsvd_mask, five);

		for (int bit = 12; bit < cachebits; bit++) {
			const u64 gpa = 1ULL << bit | 0x3000;
			u64 spte = make_mmio_spte(&fx.vcpu, gpa >> 12, ACC_ALL);
			u64 low = spte & ((1ULL << (cachebits - 5)) - 0x1000);

			assert_int_equal(spte & five, five);
			assert_int_equal(low | (spte >> 5 & five), gpa);
			assert_int_equal(low, spte & fmt->shadow_nonpresent_or_rsvd_lower_gfn_mask);
		}
	}
}

static void test_l1tf_needs_room_above_the_cache_bits(void **state)
{
	struct tdp_vm_config config = config_kind(EPT_AD);

	(void)state;
	config.l1tf = true;
	config.cachebits = 47;
	fixture_init(config);
	assert_int_equal(fixture_format()->shadow_nonpresent_or_rsvd_mask, 0);
	expect_warnings(1);
}

static void test_memory_encryption(void **state)
{
	struct tdp_vm_config config = config_kind(NPT);
	const u64 c_bit = 1ULL << 47;
	u64 *table;

	(void)state;
	/* SME: RAM and tables are encrypted, devices are not; the C-bit is no address. */
	config.maxphyaddr = 48;
	config.me_value = config.me_mask = c_bit;
	fixture_init(config);
	table = tdp_page_alloc(0);
	assert_spte(fixture_leaf(PG_LEVEL_4K, 0x10, true), 0x0000000400010e67 | c_bit, "SME", NPT);
	assert_spte(make_nonleaf_spte(fixture_format(), table, false), __pa(table) | c_bit | 0x827,
		    "SME link", NPT);
	fx.mmio_pfn = FIXTURE_PFN + 0x10;
	assert_spte(fixture_leaf(PG_LEVEL_4K, 0x10, true), 0x0000000400010e67, "SME MMIO", NPT);
	assert_spte(make_mmio_spte(&fx.vcpu, 0x100123, ACC_ALL), 0x000f000100123007, "MMIO", NPT);
	tdp_page_free(table);

	/* A C-bit just above the address bits: the reserved bits that MMIO uses start after it. */
	config.maxphyaddr = 47;
	fixture_init(config);
	assert_int_equal(fixture_format()->shadow_mmio_value, 0x000f000000000001);

	/* Further up: between the two are reserved bits enough. */
	config.maxphyaddr = 43;
	fixture_init(config);
	assert_int_equal(fixture_format()->shadow_mmio_value, 0x000ff80000000001);

	/* No reserved bit left. */
	config.maxphyaddr = 52;
	config.me_value = config.me_mask = 1ULL << 51;
	fixture_init(config);
	assert_false(fixture_format()->enable_mmio_caching);

	/* TDX: key-id bits are lost to the address, and clear in a plain VM. */
	config = config_kind(EPT_AD);
	config.me_mask = 0x3fULL << 40;
	fixture_init(config);
	assert_spte(fixture_leaf(PG_LEVEL_4K, 0x10, true), 0x8600000400010b77, "TDX", EPT_AD);
	assert_int_equal(fixture_format()->shadow_nonpresent_or_rsvd_lower_gfn_mask,
			 (1ULL << 40) - 0x1000);

	/* Bits that are no memory encryption bits. */
	config.me_value = 1ULL << 39;
	fixture_init(config);
	assert_int_equal(fixture_format()->shadow_me_value, 0);
	assert_int_equal(fixture_format()->shadow_me_mask, 0);
	expect_warnings(1);
}

static void test_bad_mmio_masks(void **state)
{
	struct tdp_spte_format fmt;

	(void)state;
	fixture_init(config_ept);
	fmt = *fixture_format();

	kvm_mmu_set_mmio_spte_mask(&fmt, 1ULL << 11, 1ULL << 11, 0); /* MMU-present */
	assert_false(fmt.enable_mmio_caching);
	expect_warnings(1);
	kvm_mmu_set_mmio_spte_mask(&fmt, 7, 3, 0); /* beyond its mask */
	assert_false(fmt.enable_mmio_caching);
	expect_warnings(1);
	kvm_mmu_set_mmio_spte_mask(&fmt, 1ULL << 63, 7 | 1ULL << 63, 0); /* as if frozen */
	assert_false(fmt.enable_mmio_caching);
	expect_warnings(1);
	fmt.shadow_nonpresent_or_rsvd_mask = 0x1fULL << 41;
	kvm_mmu_set_mmio_spte_mask(&fmt, 1ULL << 50, 1ULL << 50, 0); /* the gfn's place */
	assert_false(fmt.enable_mmio_caching);
	expect_warnings(1);
	kvm_mmu_set_mmio_spte_mask(&fmt, 0, 0, 0);
	assert_false(fmt.enable_mmio_caching);
}

/* Every leaf comes back from tracking as it went in, less W, which MMU-writable stands for. */
static void test_access_tracking(void **state)
{
	(void)state;
	fixture_init(config_kind(EPT));
	for (int level = PG_LEVEL_4K; level <= PG_LEVEL_1G; level++) {
		for (int writable = 0; writable < 2; writable++) {
			const struct tdp_spte_format *fmt = fixture_format();
			u64 spte = fixture_leaf(level, 0x40000, writable);
			u64 tracked = mark_spte_for_access_track(fmt, spte);

			assert_true(is_accessed_spte(fmt, spte));
			assert_false(is_accessed_spte(fmt, tracked));
			assert_true(is_access_track_spte(fmt, tracked));
			assert_int_equal(tracked & 7, 0);
			assert_int_equal(tracked >> 54 & 7, 5);
			assert_int_equal(mark_spte_for_access_track(fmt, tracked), tracked);
			assert_int_equal(restore_acc_track_spte(fmt, tracked), spte & ~2ULL);
		}
	}

	/* With hardware bits it is A that goes. */
	for (int kind = 0; kind < KINDS; kind++) {
		const u64 a = kind == NPT ? 1 << 5 : 1 << 8;
		u64 spte;

		if (kind == EPT)
			continue;
		fixture_init(config_kind(kind));
		spte = fixture_leaf(PG_LEVEL_4K, 3, true);
		assert_true(is_accessed_spte(fixture_format(), spte));
		assert_int_equal(mark_spte_for_access_track(fixture_format(), spte), spte - a);
		assert_false(is_accessed_spte(fixture_format(), spte - a));
	}
}

static void test_tracking_over_saved_bits_warns(void **state)
{
	(void)state;
	fixture_init(config_kind(EPT));
	mark_spte_for_access_track(fixture_format(),
				   fixture_leaf(PG_LEVEL_4K, 0, true) | 1ULL << 54);
	expect_warnings(1);
}

/* A prefetched page must look unaccessed. */
static void test_prefetch(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct kvm_mmu_page sp;
		u64 spte;

		fixture_init(config_kind(kind));
		sp.role = fixture_role(PG_LEVEL_4K);
		make_spte(&fx.vcpu, &sp, &fx.slot, ACC_ALL, 0x11, FIXTURE_PFN + 0x11, 0, true, true,
			  true, &spte);
		assert_spte(spte,
			    mark_spte_for_access_track(fixture_format(),
						       fixture_leaf(PG_LEVEL_4K, 0x11, true)),
			    "prefetched", kind);
	}
}

/* In the place of a writable leaf D is not set: the old SPTE tells of the write. */
static void test_writable_over_writable(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		const struct tdp_spte_format *fmt;
		struct kvm_mmu_page sp;
		u64 old, spte;

		fixture_init(config_kind(kind));
		fmt = fixture_format();
		sp.role = fixture_role(PG_LEVEL_4K);
		old = fixture_leaf(PG_LEVEL_4K, 0x10, true);
		make_spte(&fx.vcpu, &sp, &fx.slot, ACC_ALL, 0x10, FIXTURE_PFN + 0x10, old, false,
			  true, true, &spte);
		assert_spte(spte, old & ~fmt->shadow_dirty_mask, "replaced", kind);
	}
}

/* L2's writes are noticed by faults, though the CPU has D: type 2, and A and D are set. */
static void test_nested_with_pml(void **state)
{
	struct tdp_vm_config config = config_kind(EPT_AD);
	struct kvm_mmu_page sp;
	u64 spte;

	(void)state;
	config.pml = true;
	fixture_init(config);
	sp.role = fixture_role(PG_LEVEL_4K);
	assert_false(kvm_mmu_page_ad_need_write_protect(&fx.kvm, &sp));
	sp.role.guest_mode = 1;
	assert_true(kvm_mmu_page_ad_need_write_protect(&fx.kvm, &sp));
	make_spte(&fx.vcpu, &sp, &fx.slot, ACC_ALL, 0x10, FIXTURE_PFN + 0x10, 0, false, true, true,
		  &spte);
	assert_spte(spte, 0x8620000400010b77, "nested", EPT_AD);
	assert_true(spte_ad_need_write_protect(spte));
	assert_true(spte_ad_enabled(spte));
}

static void test_device_memory_is_uncached(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		u64 ram, device;

		fixture_init(config_kind(kind));
		ram = fixture_leaf(PG_LEVEL_4K, 0x10, true);
		fx.mmio_pfn = FIXTURE_PFN + 0x10;
		device = fixture_leaf(PG_LEVEL_4K, 0x10, true);
		assert_spte(device, kind == NPT ? ram : ram & ~0x78ULL, "device", kind);
	}
}

static void test_nonleaf(void **state)
{
	static const u64 bits[KINDS] = { 0x8000000000000907, 0x8010000000000807, 0x827 };

	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		u64 *table;

		fixture_init(config_kind(kind));
		table = tdp_page_alloc(0);
		assert_spte(make_nonleaf_spte(fixture_format(), table, kind == EPT),
			    bits[kind] | __pa(table), "link", kind);
		tdp_page_free(table);
	}
}

/* What can change behind mmu_lock's back. */
static void test_volatile_bits(void **state)
{
	const struct tdp_spte_format *fmt;
	u64 spte;

	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		fixture_init(config_kind(kind));
		fmt = fixture_format();

		spte = fixture_leaf(PG_LEVEL_4K, 0x10, true);
		assert_false(spte_has_volatile_bits(fmt, spte));
		/* W, by a fast page fault */
		assert_true(spte_has_volatile_bits(fmt, spte & ~2ULL));
		/* neither W nor anything else, where writes are tracked */
		spte &= ~(2ULL | fmt->shadow_mmu_writable_mask);
		assert_false(spte_has_volatile_bits(fmt, spte));
		spte = fixture_leaf(PG_LEVEL_4K, 0x10, true);
		/* A */
		assert_true(spte_has_volatile_bits(fmt, mark_spte_for_access_track(fmt, spte)));
		/* D */
		if (kind != EPT)
			assert_true(spte_has_volatile_bits(fmt, spte & ~fmt->shadow_dirty_mask));
		/* D cannot be set without W */
		spte = fixture_leaf(PG_LEVEL_4K, 0x10, false);
		assert_false(spte_has_volatile_bits(fmt, spte));
		/* an access-tracked read-only page: R */
		assert_true(spte_has_volatile_bits(fmt, mark_spte_for_access_track(fmt, spte)));
	}
}

static void test_writable_invariants(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		const struct tdp_spte_format *fmt;
		u64 host, mmu, spte;

		fixture_init(config_kind(kind));
		fmt = fixture_format();
		host = kind == NPT ? 1ULL << 9 : 1ULL << 57;
		mmu = kind == NPT ? 1ULL << 10 : 1ULL << 58;
		spte = fixture_leaf(PG_LEVEL_4K, 0, false);
		assert_int_equal(spte & (host | mmu | 2), 0);

		for (int state_bits = 0; state_bits < 8; state_bits++) {
			bool h = state_bits & 4, m = state_bits & 2, w = state_bits & 1;
			bool legal = m ? h : !w;

			check_spte_writable_invariants(fmt, spte | (h ? host : 0) | (m ? mmu : 0) |
								    (w ? 2 : 0));
			expect_warnings(!legal);
		}
	}
}

/* Bits 5:0 of an EPT leaf that the SDM calls a misconfiguration (W, WX; bad memory types), plus X. */
static void test_reserved_bits_ept(void **state)
{
	const struct rsvd_bits_validate *check;

	(void)state;
	fixture_init(config_kind(EPT_AD));
	check = &fixture_format()->shadow_zero_check;
	for (u64 low = 0; low < 64; low++) {
		u64 xwr = low & 7, type = low >> 3;
		bool bad = xwr == 2 || xwr == 4 || xwr == 6 || type == 2 || type == 3 || type == 7;

		assert_int_equal(is_rsvd_spte(check, low, PG_LEVEL_4K), bad);
	}
	for (int bit = 12; bit < 64; bit++) {
		const u64 spte = 7 | 1ULL << bit;
		const bool beyond = bit >= 46 && bit < 52;

		assert_int_equal(is_rsvd_spte(check, spte, PG_LEVEL_4K), beyond);
		assert_int_equal(is_rsvd_spte(check, spte, PG_LEVEL_512G), beyond);
		assert_int_equal(is_rsvd_spte(check, spte | 0x80, PG_LEVEL_2M), beyond || bit < 21);
		assert_int_equal(is_rsvd_spte(check, spte | 0x80, PG_LEVEL_1G), beyond || bit < 30);
	}
	for (int level = PG_LEVEL_2M; level <= PG_LEVEL_256T; level++) {
		bool no_huge = level > PG_LEVEL_1G;

		assert_false(is_rsvd_spte(check, 7, level));
		assert_true(is_rsvd_spte(check, 7 | 1 << 6, level) == true);
		assert_int_equal(is_rsvd_spte(check, 7 | 1 << 7, level), no_huge);
	}
}

static void test_reserved_bits_npt(void **state)
{
	struct tdp_vm_config config = config_kind(NPT);
	const struct rsvd_bits_validate *check;

	(void)state;
	config.root_level = PT64_ROOT_5LEVEL;
	fixture_init(config);
	check = &fixture_format()->shadow_zero_check;
	for (u64 low = 0; low < 128; low++)
		assert_false(is_rsvd_spte(check, low, PG_LEVEL_4K));
	for (int bit = 12; bit < 64; bit++) {
		const u64 spte = 7 | 1ULL << bit;
		const bool beyond = bit >= 46 && bit < 52;

		assert_int_equal(is_rsvd_spte(check, spte, PG_LEVEL_4K), beyond);
		assert_int_equal(is_rsvd_spte(check, spte, PG_LEVEL_512G), beyond);
		/* bit 12 is the PAT bit */
		assert_int_equal(is_rsvd_spte(check, spte | 0x80, PG_LEVEL_2M),
				 beyond || (bit > 12 && bit < 21));
		assert_int_equal(is_rsvd_spte(check, spte | 0x80, PG_LEVEL_1G),
				 beyond || (bit > 12 && bit < 30));
	}
	for (int level = PG_LEVEL_512G; level <= PG_LEVEL_256T; level++) {
		assert_false(is_rsvd_spte(check, 7, level));
		assert_true(is_rsvd_spte(check, 7 | 1 << 7, level));
		assert_true(is_rsvd_spte(check, 7 | 1 << 8, level));
	}

	config.root_level = PT64_ROOT_4LEVEL;
	config.me_value = config.me_mask = 1ULL << 47;
	fixture_init(config);
	check = &fixture_format()->shadow_zero_check;
	assert_false(is_rsvd_spte(check, 7 | 1ULL << 47, PG_LEVEL_4K));
	assert_true(is_rsvd_spte(check, 7 | 1ULL << 48, PG_LEVEL_4K));
}

static void test_a_frame_beyond_the_address_bits_warns(void **state)
{
	struct kvm_mmu_page sp;
	u64 spte;

	(void)state;
	fixture_init(config_ept);
	sp.role = fixture_role(PG_LEVEL_4K);
	make_spte(&fx.vcpu, &sp, &fx.slot, ACC_ALL, 0, 1ULL << 34, 0, false, true, true, &spte);
	expect_warnings(1);
}

/* Rights less than all, as no TDP fault asks for, but the function allows. */
static void test_restricted_access(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct kvm_mmu_page sp;
		u64 spte;

		fixture_init(config_kind(kind));
		sp.role = fixture_role(PG_LEVEL_4K);
		make_spte(&fx.vcpu, &sp, &fx.slot, ACC_USER_MASK, 0x10, FIXTURE_PFN + 0x10, 0,
			  false, true, true, &spte);
		assert_false(is_writable_pte(spte));
		assert_false(is_mmu_writable_spte(fixture_format(), spte));
		assert_false(is_executable_pte(fixture_format(), spte));
		assert_true(spte & fixture_format()->shadow_host_writable_mask);

		make_spte(&fx.vcpu, &sp, &fx.slot, ACC_EXEC_MASK | ACC_WRITE_MASK, 0x10,
			  FIXTURE_PFN + 0x10, 0, false, true, true, &spte);
		/* R, which EPT has for both, is there in any case. */
		assert_int_equal(spte & fixture_format()->shadow_user_mask &
					 ~fixture_format()->shadow_present_mask,
				 0);
		assert_true(is_writable_pte(spte));
	}
}

/* What may not be executed anyway is not executable only because it is small. */
static void test_split_without_exec(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct tdp_vm_config config = config_kind(kind);
		union kvm_mmu_page_role role;
		u64 huge, spte;

		config.nx_huge_pages = true;
		fixture_init(config);
		huge = fixture_leaf(PG_LEVEL_2M, 0x400, true);
		role = fixture_role(PG_LEVEL_4K);
		role.access = ACC_ALL & ~ACC_EXEC_MASK;
		spte = make_huge_page_split_spte(&fx.kvm, huge, role, 1);
		assert_false(is_executable_pte(fixture_format(), spte));
	}
}

/* Without R in the present mask, as on CPUs with execute-only, TDP leaves look no different. */
static void test_exec_only(void **state)
{
	struct tdp_vm_config config = config_kind(EPT);

	(void)state;
	config.exec_only = true;
	fixture_init(config);
	assert_int_equal(fixture_format()->shadow_present_mask, 1ULL << 63);
	assert_spte(fixture_leaf(PG_LEVEL_4K, 0x10, true), 0x8610000400010877, "exec-only", EPT);
}

/* A value without bit 63 could raise #VE in a guest; MMIO values are misconfigurations, which do not. */
static void test_ept_ve(void **state)
{
	(void)state;
	fixture_init(config_ept);
	assert_true(is_ept_ve_possible(fixture_format(), 0));
	assert_true(is_ept_ve_possible(fixture_format(), 7));
	assert_false(is_ept_ve_possible(fixture_format(), 6));
	assert_false(is_ept_ve_possible(fixture_format(), SHADOW_NONPRESENT_VALUE));
	fixture_init(config_kind(NPT));
	assert_false(is_ept_ve_possible(fixture_format(), 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_known_answers, teardown),
		cmocka_unit_test_teardown(test_exec, teardown),
		cmocka_unit_test_teardown(test_split, teardown),
		cmocka_unit_test_teardown(test_split_without_exec, teardown),
		cmocka_unit_test_teardown(test_split_of_a_small_page_is_a_bug, teardown),
		cmocka_unit_test_teardown(test_mmio_generation, teardown),
		cmocka_unit_test_teardown(test_mmio_access, teardown),
		cmocka_unit_test_teardown(test_only_mmio_sptes_look_like_mmio, teardown),
		cmocka_unit_test_teardown(test_no_mmio_sptes_without_a_reserved_bit, teardown),
		cmocka_unit_test_teardown(test_l1tf, teardown),
		cmocka_unit_test_teardown(test_l1tf_needs_room_above_the_cache_bits, teardown),
		cmocka_unit_test_teardown(test_memory_encryption, teardown),
		cmocka_unit_test_teardown(test_bad_mmio_masks, teardown),
		cmocka_unit_test_teardown(test_access_tracking, teardown),
		cmocka_unit_test_teardown(test_tracking_over_saved_bits_warns, teardown),
		cmocka_unit_test_teardown(test_prefetch, teardown),
		cmocka_unit_test_teardown(test_writable_over_writable, teardown),
		cmocka_unit_test_teardown(test_nested_with_pml, teardown),
		cmocka_unit_test_teardown(test_device_memory_is_uncached, teardown),
		cmocka_unit_test_teardown(test_nonleaf, teardown),
		cmocka_unit_test_teardown(test_volatile_bits, teardown),
		cmocka_unit_test_teardown(test_writable_invariants, teardown),
		cmocka_unit_test_teardown(test_reserved_bits_ept, teardown),
		cmocka_unit_test_teardown(test_reserved_bits_npt, teardown),
		cmocka_unit_test_teardown(test_a_frame_beyond_the_address_bits_warns, teardown),
		cmocka_unit_test_teardown(test_restricted_access, teardown),
		cmocka_unit_test_teardown(test_exec_only, teardown),
		cmocka_unit_test_teardown(test_ept_ve, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
