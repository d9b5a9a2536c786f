// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TDP MMU below the fault path: what each operation does to SPTEs, statistics,
 * marks and TLBs, and what it does when another CPU gets in between.
 */
#include "memslot.h"
#include "tdp_mmu.h"

#include "vm_fixture.h"

enum { EPT_AD, EPT, NPT, KINDS };

/* What another CPU does at a point, once. */
static struct {
	enum point_kind kind;
	int level;
	int skip;  /* points to let pass first */
	void (*act)(hpa_t pa);
} intruder;

static void intrude_at(void *ctx, enum point_kind kind, int level, hpa_t pa, u64 object,
		       const char *text, const struct sim_site *site)
{
	void (*act)(hpa_t pa) = intruder.act;

	(void)ctx;
	(void)object;
	(void)text;
	(void)site;
	if (!act || kind != intruder.kind || level != intruder.level || intruder.skip-- > 0)
		return;
	intruder.act = NULL;
	act(pa);
}

static struct sim_observer observer;

static void intrude(enum point_kind kind, int level, int skip, void (*act)(hpa_t pa))
{
	intruder.kind = kind;
	intruder.level = level;
	intruder.skip = skip;
	intruder.act = act;
}

static void assert_intruded(void)
{
	assert_null(intruder.act);
}

static struct tdp_vm_config config_kind(int kind)
{
	struct tdp_vm_config config = vm_config();

	config.mmu = kind == NPT ? TDP_MMU_NPT : TDP_MMU_EPT;
	config.ad = kind != EPT;
	return config;
}

/* A VM with 4G of guest memory, and a host that maps it in pages of size @level. */
static void start(struct tdp_vm_config config, int level)
{
	vm_create(&config);
	observer = vm_observer;
	observer.point = intrude_at;
	sim_set_observer(&observer);
	intruder.act = NULL;
	host.level = level;
	assert_int_equal(set_slot(0, 0, 4 * PAGES_1G, 0, 0), 0);
	assert_int_equal(kvm_mmu_load(vcpu), 0);
}

static const struct tdp_spte_format *format(void)
{
	return kvm_spte_format(kvm);
}

static struct kvm_memory_slot *slot0(void)
{
	return kvm_vcpu_gfn_to_memslot(vcpu, 0);
}

static int fault(gfn_t gfn, u64 error_code)
{
	return kvm_mmu_page_fault(vcpu, gfn << PAGE_SHIFT, error_code);
}

static void map(gfn_t gfn)
{
	assert_int_equal(fault(gfn, PFERR_WRITE_MASK), RET_PF_FIXED);
}

static u64 *entry(gfn_t gfn, int level)
{
	hpa_t pa = kvm_vcpu_root_hpa(vcpu);

	for (int l = PT64_ROOT_4LEVEL;; l--) {
		u64 *sptep = sim_spte_ptr(pa + SPTE_INDEX(gfn << PAGE_SHIFT, l) * 8);

		assert_non_null(sptep);
		if (l == level)
			return sptep;
		assert_true(is_shadow_present_pte(*sptep) && !is_large_pte(*sptep));
		pa = *sptep & SPTE_BASE_ADDR_MASK;
	}
}

/* ---- splitting ---- */

/* All 512, each by itself; @refaulted (-1: none) was mapped once more, over a writable leaf. */
static void check_children(u64 huge, gfn_t base, int level, int refaulted)
{
	union kvm_mmu_page_role role = { .level = level, .access = ACC_ALL };

	for (int i = 0; i < 512; i++) {
		u64 spte = make_huge_page_split_spte(kvm, huge, role, i);

		if (i == refaulted)
			spte &= ~format()->shadow_dirty_mask;
		assert_int_equal(*entry(base + i * KVM_PAGES_PER_HPAGE(level), level), spte);
	}
}

static void test_split_on_fault(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct tdp_vm_config config = config_kind(kind);
		struct kvm_vm_stat stat;
		u64 huge, part;

		config.nx_huge_pages = true;
		start(config, PG_LEVEL_1G);
		map(PAGES_1G);
		huge = *entry(PAGES_1G, PG_LEVEL_1G);
		part = huge + (1ULL << 21);
		stat = vm_stat();
		assert_int_equal(stat.pages[2], 1);
		seen.flushes = 0;

		/* Over a writable leaf the new SPTE has no D, so that it differs where there is one. */
		assert_int_equal(fault(PAGES_1G + 513, PFERR_FETCH_MASK | PFERR_PRESENT_MASK),
				 kind == EPT ? RET_PF_SPURIOUS : RET_PF_FIXED);
		assert_int_equal(host.dirty[(PAGES_1G + 513) % HOST_PAGES], kind != EPT);
		/* The 2M parts, but for the one that was split in turn. */
		assert_int_equal(*entry(PAGES_1G, PG_LEVEL_2M) + (512ULL << 12), part);
		assert_int_equal(*entry(PAGES_1G + 511 * 512, PG_LEVEL_2M), part + (510ULL << 21));
		check_children(part, PAGES_1G + 512, PG_LEVEL_4K, 1);

		stat = vm_stat();
		assert_int_equal(stat.pages[2], 0);
		assert_int_equal(stat.pages[1], 511);
		assert_int_equal(stat.pages[0], 512);
		assert_int_equal(stat.splits, 2);
		assert_int_equal(stat.tdp_mmu_pages, 3);
		/* The mapping is the same before and after. */
		assert_int_equal(seen.flushes, 0);
		vm_destroy();
	}
}

static void test_zap_on_fault(void **state)
{
	struct tdp_vm_config config = config_kind(EPT_AD);
	struct kvm_vm_stat stat;

	(void)state;
	config.nx_huge_pages = true;
	config.fault_policy = TDP_FAULT_ZAP;
	start(config, PG_LEVEL_2M);
	map(512);
	assert_int_equal(host.dirty[512] | host.accessed[512], 0);
	seen.flushes = 0;

	assert_int_equal(fault(513, PFERR_FETCH_MASK | PFERR_PRESENT_MASK), RET_PF_FIXED);
	assert_int_equal(seen.flushes, 1);
	assert_int_equal(seen.flush_gfn, 512);
	assert_int_equal(seen.flush_nr, 512);
	assert_int_equal(host.dirty[512] & host.accessed[512], 1);
	assert_int_equal(*entry(512, PG_LEVEL_4K), SHADOW_NONPRESENT_VALUE);
	assert_int_equal(leaf_level(513), PG_LEVEL_4K);
	stat = vm_stat();
	assert_int_equal(stat.pages[0], 1);
	assert_int_equal(stat.pages[1], 0);
	assert_int_equal(stat.splits, 0);
	vm_destroy();
}

static void split_slot(gfn_t start_gfn, gfn_t end, int level, bool shared)
{
	int idx = srcu_read_lock(&kvm->srcu);

	if (shared)
		read_lock(&kvm->mmu_lock);
	else
		write_lock(&kvm->mmu_lock);
	kvm_tdp_mmu_try_split_huge_pages(kvm, slot0(), start_gfn, end, level, shared);
	if (shared)
		read_unlock(&kvm->mmu_lock);
	else
		write_unlock(&kvm->mmu_lock);
	srcu_read_unlock(&kvm->srcu, idx);
}

static void test_eager_split(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		for (int shared = 0; shared < 2; shared++) {
			struct kvm_vm_stat stat;
			u64 huge;

			start(config_kind(kind), PG_LEVEL_1G);
			map(0);
			map(PAGES_1G);
			huge = *entry(0, PG_LEVEL_1G);
			split_slot(0, PAGES_1G, PG_LEVEL_2M, shared);
			check_children(huge, 0, PG_LEVEL_2M, -1);
			huge = *entry(512, PG_LEVEL_2M);
			split_slot(512, 1024, PG_LEVEL_4K, shared);
			check_children(huge, 512, PG_LEVEL_4K, -1);
			stat = vm_stat();
			assert_int_equal(stat.pages[2], 1);
			assert_int_equal(stat.pages[1], 511);
			assert_int_equal(stat.pages[0], 512);
			assert_int_equal(stat.tdp_mmu_pages, 3);
			vm_destroy();
		}
	}
}

/* Every allocation of the split refused in turn: what was split so far stays, nothing leaks. */
static void test_eager_split_without_memory(void **state)
{
	(void)state;
	for (u32 k = 1; k <= 5; k++) {
		struct sim_choice choice = { .kind = POINT_ALLOC, .k = k, .action = SIM_FAIL };
		static struct sim_thread thread;

		start(config_kind(EPT_AD), PG_LEVEL_2M);
		map(0);
		map(512);
		sim_begin_op(&thread, &choice, 1);
		split_slot(0, 2048, PG_LEVEL_4K, true);
		sim_end_op();
		/* Two allocations a page; two pages. */
		assert_int_equal(vm_stat().splits, k > 4 ? 2 : (k - 1) / 2);
		assert_int_equal(choice.fired, k <= 4);
		vm_destroy();
	}
}

static void zap_2m(hpa_t pa)
{
	(void)pa;
	*entry(0, PG_LEVEL_2M) = SHADOW_NONPRESENT_VALUE;
	tdp_stat_add(-1, &kvm->stat.pages[1]);
}

/* The page goes away between look and change: the table that was ready is not used, and freed. */
static void test_eager_split_of_a_page_that_goes(void **state)
{
	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_2M);
	map(0);
	intrude(POINT_CMPXCHG, PG_LEVEL_2M, 0, zap_2m);
	split_slot(0, 512, PG_LEVEL_4K, true);
	assert_intruded();
	assert_int_equal(vm_stat().splits, 0);
	assert_int_equal(*entry(0, PG_LEVEL_2M), SHADOW_NONPRESENT_VALUE);
	vm_destroy();
}

/* With the table for it in hand the walk goes on to the next page, and yields there like anywhere. */
static void test_eager_split_yields_with_a_table_ready(void **state)
{
	bool fired = true;

	(void)state;
	for (u32 k = 1; fired; k++) {
		struct sim_choice choice = { .kind = POINT_RESCHED, .k = k, .action = SIM_RESCHED };
		static struct sim_thread thread;

		start(config_kind(EPT_AD), PG_LEVEL_2M);
		map(0);
		map(512);
		intrude(POINT_CMPXCHG, PG_LEVEL_2M, 0, zap_2m);
		sim_begin_op(&thread, &choice, 1);
		split_slot(0, 1024, PG_LEVEL_4K, true);
		sim_end_op();
		fired = choice.fired;
		assert_intruded();
		assert_int_equal(vm_stat().splits, 1);
		assert_int_equal(leaf_level(512), PG_LEVEL_4K);
		vm_destroy();
	}
}

/* Where memory runs out in one root, the next one is not even tried. */
static void test_eager_split_stops_without_memory(void **state)
{
	struct sim_choice choice = { .kind = POINT_ALLOC, .k = 1, .action = SIM_FAIL };
	static struct sim_thread thread;

	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_2M);
	map(0);
	assert_int_equal(kvm_vcpu_set_mode(vcpu, false, true), 0);
	assert_int_equal(kvm_mmu_load(vcpu), 0);
	map(0);
	sim_begin_op(&thread, &choice, 1);
	split_slot(0, 512, PG_LEVEL_4K, true);
	sim_end_op();
	assert_true(choice.fired);
	assert_int_equal(vm_stat().splits, 0);
	vm_destroy();
}

/* ---- faults that meet others ---- */

static void freeze(hpa_t pa)
{
	*sim_spte_ptr(pa) = FROZEN_SPTE;
}

static void test_frozen_sptes_are_left_alone(void **state)
{
	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	map(0);
	for (int level = PG_LEVEL_4K; level <= PT64_ROOT_4LEVEL; level++) {
		u64 *sptep = entry(0, level), spte = *sptep;

		*sptep = FROZEN_SPTE;
		assert_int_equal(fault(0, PFERR_WRITE_MASK), RET_PF_RETRY);
		assert_int_equal(*sptep, FROZEN_SPTE);
		*sptep = spte;
	}
	vm_destroy();
}

static void test_lost_race_for_a_leaf(void **state)
{
	u64 *sptep;

	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	map(0);
	sptep = entry(1, PG_LEVEL_4K);
	intrude(POINT_CMPXCHG, PG_LEVEL_4K, 0, freeze);
	assert_int_equal(fault(1, 0), RET_PF_RETRY);
	assert_intruded();
	assert_int_equal(*sptep, FROZEN_SPTE);
	*sptep = SHADOW_NONPRESENT_VALUE;
	assert_int_equal(vm_stat().pages[0], 1);
	vm_destroy();
}

/* The table that was to be linked, or filled by a split, is freed. */
static void test_lost_race_for_a_table(void **state)
{
	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	map(0);
	intrude(POINT_CMPXCHG, PG_LEVEL_2M, 0, freeze);
	assert_int_equal(fault(512, 0), RET_PF_RETRY);
	assert_intruded();
	assert_int_equal(vm_stat().tdp_mmu_pages, 3);
	*entry(512, PG_LEVEL_2M) = SHADOW_NONPRESENT_VALUE;
	map(512);
	assert_int_equal(vm_stat().tdp_mmu_pages, 4);
	vm_destroy();
}

static void set_dirty(hpa_t pa)
{
	*sim_spte_ptr(pa) |= VMX_EPT_DIRTY_BIT;
}

static void clear_dirty(hpa_t pa)
{
	*sim_spte_ptr(pa) &= ~VMX_EPT_DIRTY_BIT;
}

static void test_lost_race_for_a_split(void **state)
{
	struct tdp_vm_config config = config_kind(EPT_AD);

	(void)state;
	for (int policy = TDP_FAULT_SPLIT; policy <= TDP_FAULT_ZAP; policy++) {
		config.nx_huge_pages = true;
		config.fault_policy = policy;
		start(config, PG_LEVEL_2M);
		map(0);
		intrude(POINT_CMPXCHG, PG_LEVEL_2M, 0, clear_dirty);
		assert_int_equal(fault(0, PFERR_FETCH_MASK | PFERR_PRESENT_MASK), RET_PF_RETRY);
		assert_intruded();
		assert_int_equal(leaf_level(0), PG_LEVEL_2M);
		assert_int_equal(vm_stat().splits, 0);
		vm_destroy();
	}
}

static void map_4k_table(hpa_t pa)
{
	(void)pa;
	assert_int_equal(fault(3, PFERR_FETCH_MASK), RET_PF_FIXED);
}

/* Having zapped a huge page, the fault finds a table there already. */
static void test_zap_on_fault_then_another_fault(void **state)
{
	struct tdp_vm_config config = config_kind(EPT_AD);

	(void)state;
	config.nx_huge_pages = true;
	config.fault_policy = TDP_FAULT_ZAP;
	start(config, PG_LEVEL_2M);
	map(0);
	/* level 2 is read on the way: by the fast path no, by the walk twice, then after the zap */
	intrude(POINT_READ, PG_LEVEL_2M, 1, map_4k_table);
	assert_int_equal(fault(0, PFERR_FETCH_MASK | PFERR_PRESENT_MASK), RET_PF_RETRY);
	assert_intruded();
	assert_int_equal(leaf_level(3), PG_LEVEL_4K);
	assert_int_equal(fault(0, PFERR_FETCH_MASK), RET_PF_FIXED);
	vm_destroy();
}

static u64 *zapped, zapped_spte;

static void zap_link(hpa_t pa)
{
	zapped = sim_spte_ptr(pa);
	zapped_spte = *zapped;
	*zapped = SHADOW_NONPRESENT_VALUE;
}

/* The table is there when the walk looks, and gone when it wants to enter it. */
static void test_table_zapped_on_the_way(void **state)
{
	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	map(0);
	intrude(POINT_READ, PG_LEVEL_2M, 1, zap_link);
	assert_int_equal(fault(1, 0), RET_PF_RETRY);
	assert_intruded();
	*zapped = zapped_spte;
	assert_int_equal(fault(1, 0), RET_PF_FIXED);
	vm_destroy();
}

/* ---- zapping ---- */

static bool zap_leafs(gfn_t from, gfn_t to)
{
	bool flush;

	write_lock(&kvm->mmu_lock);
	flush = kvm_tdp_mmu_zap_leafs(kvm, from, to, false);
	if (flush)
		kvm_flush_remote_tlbs(kvm);
	write_unlock(&kvm->mmu_lock);
	return flush;
}

static void test_zap_leafs(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		start(config_kind(kind), PG_LEVEL_4K);
		for (gfn_t gfn = 0; gfn < 8; gfn++)
			assert_int_equal(fault(gfn, gfn & 1 ? PFERR_WRITE_MASK : 0), RET_PF_FIXED);
		assert_true(zap_leafs(2, 6));
		for (gfn_t gfn = 0; gfn < 8; gfn++) {
			bool zapped = gfn >= 2 && gfn < 6;

			assert_int_equal(leaf_level(gfn) == 0, zapped);
			/* all are writable, so each could have been written: D is set at once */
			assert_int_equal(host.dirty[gfn], zapped);
			assert_int_equal(host.accessed[gfn], zapped);
		}
		assert_int_equal(vm_stat().pages[0], 4);
		/* tables stay */
		assert_int_equal(vm_stat().tdp_mmu_pages, 3);
		assert_false(zap_leafs(2, 6));
		vm_destroy();
	}
}

/* Its number is that of no frame at all, as an empty SPTE has it. */
static void test_zap_of_frame_zero(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		start(config_kind(kind), PG_LEVEL_4K);
		host.shift = -HOST_PFN;
		map(0);
		assert_int_equal(spte_to_pfn(*entry(0, PG_LEVEL_4K)), 0);
		assert_true(zap_leafs(0, 1));
		assert_int_equal(host.dirty[0] & host.accessed[0], 1);
		vm_destroy();
	}
}

static void test_zap_ends_at_the_highest_gfn(void **state)
{
	struct tdp_vm_config config = config_kind(EPT_AD);

	(void)state;
	config.maxphyaddr = 36;
	start(config, PG_LEVEL_4K);
	map(0);
	assert_true(zap_leafs(0, ~0ULL));
	assert_int_equal(leaf_level(0), 0);
	vm_destroy();
}

/* At each question whether to yield, in turn: what was zapped before is flushed before the lock goes. */
static void test_zap_flushes_before_it_yields(void **state)
{
	int flushed = 0, owed_nothing = 0;
	bool fired = true;

	(void)state;
	for (u32 k = 1; fired; k++) {
		struct sim_choice choice = { .kind = POINT_RESCHED, .k = k, .action = SIM_RESCHED };
		static struct sim_thread thread;
		u32 flushes;

		start(config_kind(EPT_AD), PG_LEVEL_4K);
		map(0);
		map(1);
		seen.flushes = 0;
		sim_begin_op(&thread, &choice, 1);
		write_lock(&kvm->mmu_lock);
		bool flush = kvm_tdp_mmu_zap_leafs(kvm, 0, 3, false);
		flushes = seen.flushes;
		write_unlock(&kvm->mmu_lock);
		sim_end_op();
		fired = choice.fired;
		assert_int_equal(leaf_level(0) | leaf_level(1), 0);
		assert_true(flush || flushes);
		if (!fired)
			assert_true(flush && !flushes);
		flushed += flushes > 0;
		owed_nothing += !flush;
		vm_destroy();
	}
	/* Between the two zaps and after both; after both nothing is owed any more. */
	assert_true(flushed >= 2);
	assert_true(owed_nothing >= 1 && owed_nothing < flushed);
}

static void nothing(hpa_t pa)
{
	(void)pa;
}

/* A walk under the lock for reading, too, lets it go and takes it again when it is told to. */
static void test_shared_walk_yields(void **state)
{
	struct sim_choice choice = { .kind = POINT_RESCHED, .k = 1, .action = SIM_RESCHED };
	static struct sim_thread thread;

	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	map(0);
	map(1);
	sim_begin_op(&thread, &choice, 1);
	read_lock(&kvm->mmu_lock);
	intrude(POINT_READ_LOCK, 0, 0, nothing);
	seen.flushes = 0;
	assert_true(kvm_tdp_mmu_wrprot_slot(kvm, slot0(), PG_LEVEL_4K));
	assert_true(choice.fired);
	assert_intruded();
	/* that is the caller's, after all of it */
	assert_int_equal(seen.flushes, 0);
	read_unlock(&kvm->mmu_lock);
	sim_end_op();
	assert_false(is_writable_pte(leaf(0)) || is_writable_pte(leaf(1)));
	vm_destroy();
}

/* No vCPU runs a root that is torn down: wherever that yields, no flush is owed. */
static void test_teardown_of_a_root_flushes_nothing(void **state)
{
	bool fired = true;

	(void)state;
	for (u32 k = 1; fired; k++) {
		struct sim_choice choice = { .kind = POINT_RESCHED, .k = k, .action = SIM_RESCHED };
		static struct sim_thread thread;

		start(config_kind(EPT_AD), PG_LEVEL_4K);
		map(0);
		map(PAGES_1G);
		sim_begin_op(&thread, &choice, 1);
		write_lock(&kvm->mmu_lock);
		kvm_tdp_mmu_invalidate_all_roots(kvm);
		write_unlock(&kvm->mmu_lock);
		seen.flushes = 0;
		kvm_tdp_mmu_zap_invalidated_roots(kvm);
		assert_int_equal(seen.flushes, 0);
		fired = choice.fired;
		sim_end_op();
		vm_destroy();
	}
}

static void test_zap_sp(void **state)
{
	struct kvm_mmu_page *sp, *root;

	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	map(0);
	map(512);
	write_lock(&kvm->mmu_lock);
	rcu_read_lock();
	sp = sptep_to_sp(entry(0, PG_LEVEL_4K));
	assert_true(kvm_tdp_mmu_zap_sp(kvm, sp));
	assert_int_equal(*entry(0, PG_LEVEL_2M), SHADOW_NONPRESENT_VALUE);
	assert_int_equal(leaf_level(512), PG_LEVEL_4K);
	assert_int_equal(host.dirty[0], 1);

	/* A root has no SPTE; one that was zapped has none any more. */
	root = sptep_to_sp(entry(0, PT64_ROOT_4LEVEL));
	assert_false(kvm_tdp_mmu_zap_sp(kvm, root));
	assert_false(kvm_tdp_mmu_zap_sp(kvm, sp));
	assert_int_equal(seen.warns, 2);
	seen.warns = 0;
	rcu_read_unlock();
	write_unlock(&kvm->mmu_lock);
	vm_destroy();
}

/* A D bit set between the look at an SPTE and its zap is not lost, in a table that goes either. */
static void test_dirty_bit_at_the_last_moment(void **state)
{
	(void)state;
	for (int whole_table = 0; whole_table < 2; whole_table++) {
		start(config_kind(EPT_AD), PG_LEVEL_4K);
		map(0);
		*entry(0, PG_LEVEL_4K) &= ~VMX_EPT_DIRTY_BIT;
		intrude(POINT_XCHG, PG_LEVEL_4K, 0, set_dirty);
		if (whole_table) {
			write_lock(&kvm->mmu_lock);
			kvm_tdp_mmu_zap_sp(kvm, sptep_to_sp(entry(0, PG_LEVEL_4K)));
			write_unlock(&kvm->mmu_lock);
		} else {
			zap_leafs(0, 1);
		}
		assert_intruded();
		assert_int_equal(host.dirty[0], 1);
		vm_destroy();
	}
}

static u64 *frozen;

static void unfreeze(hpa_t pa)
{
	(void)pa;
	*frozen = SHADOW_NONPRESENT_VALUE;
}

/* A shared removal waits for who froze an SPTE of the table before. */
static void test_removal_waits_for_a_frozen_spte(void **state)
{
	u64 root_refs;

	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	map(0);
	map(1);
	tdp_stat_add(-1, &kvm->stat.pages[0]);
	frozen = entry(0, PG_LEVEL_4K);
	*frozen = FROZEN_SPTE;
	root_refs = sptep_to_sp(entry(0, PT64_ROOT_4LEVEL))->tdp_mmu_root_count.refs;
	assert_int_equal(root_refs, 2);
	intrude(POINT_RELAX, 0, 2, unfreeze);
	kvm_mmu_zap_all_fast(kvm);
	assert_intruded();
	assert_int_equal(vm_stat().pages[0], 0);
	vm_destroy();
}

/* ---- roots ---- */

static void test_roots_are_shared_by_role(void **state)
{
	struct kvm_vcpu *other;
	hpa_t root;

	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	root = kvm_vcpu_root_hpa(vcpu);
	assert_int_equal(kvm_create_vcpu(kvm, &other), 0);
	assert_int_equal(kvm_mmu_load(other), 0);
	assert_int_equal(kvm_vcpu_root_hpa(other), root);
	assert_int_equal(root_to_sp(root)->tdp_mmu_root_count.refs, 3);

	assert_int_equal(kvm_vcpu_set_mode(other, true, false), 0);
	assert_int_equal(kvm_mmu_load(other), 0);
	assert_int_not_equal(kvm_vcpu_root_hpa(other), root);
	assert_int_equal(root_to_sp(root)->tdp_mmu_root_count.refs, 2);
	assert_int_equal(kvm_vcpu_set_mode(other, false, true), 0);
	assert_int_equal(kvm_mmu_load(other), 0);
	assert_int_not_equal(kvm_vcpu_root_hpa(other), root);
	assert_true(root_to_sp(kvm_vcpu_root_hpa(other))->role.guest_mode);

	/* An unused root stays until it is invalidated. */
	kvm_mmu_unload(vcpu);
	assert_int_equal(kvm_mmu_load(vcpu), 0);
	assert_int_equal(kvm_vcpu_root_hpa(vcpu), root);
	vm_destroy();
}

static void add_root(hpa_t pa)
{
	struct kvm_vcpu *other = kvm->vcpus[1];

	(void)pa;
	assert_int_equal(mmu_topup_memory_caches(other), 0);
	assert_int_equal(kvm_tdp_mmu_alloc_root(other), 0);
}

/* Two vCPUs find no root at the same time: one adds it, the other takes it. */
static void test_two_vcpus_add_a_root(void **state)
{
	struct kvm_vcpu *other;

	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	assert_int_equal(kvm_create_vcpu(kvm, &other), 0);
	kvm_mmu_zap_all_fast(kvm);
	kvm_mmu_unload(vcpu);
	assert_int_equal(mmu_topup_memory_caches(vcpu), 0);
	intrude(POINT_LOCK, 0, 0, add_root);
	assert_int_equal(kvm_tdp_mmu_alloc_root(vcpu), 0);
	assert_intruded();
	assert_int_equal(kvm_vcpu_root_hpa(vcpu), kvm_vcpu_root_hpa(other));
	assert_int_equal(root_to_sp(kvm_vcpu_root_hpa(vcpu))->tdp_mmu_root_count.refs, 3);
	vm_destroy();
}

/* Out of reach for vCPUs, but not for MMU notifiers, as long as somebody holds it. */
static void test_invalid_roots(void **state)
{
	struct kvm_gfn_range range = { .start = 0, .end = 8, .may_block = true };
	hpa_t old;

	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	map(0);
	old = kvm_vcpu_root_hpa(vcpu);
	range.slot = slot0();

	mutex_lock(&kvm->slots_lock);
	write_lock(&kvm->mmu_lock);
	kvm_tdp_mmu_invalidate_all_roots(kvm);
	assert_true(root_to_sp(old)->role.invalid);
	/* only valid roots are visited for a gfn range... */
	assert_false(kvm_tdp_mmu_zap_leafs(kvm, 0, 8, false));
	assert_int_equal(leaf_level(0), PG_LEVEL_4K);
	/* ...but all for a host range; no vCPU can use what it zaps there */
	assert_false(kvm_tdp_mmu_unmap_gfn_range(kvm, &range, false));
	assert_int_equal(leaf_level(0), 0);
	write_unlock(&kvm->mmu_lock);

	kvm_tdp_mmu_zap_invalidated_roots(kvm);
	mutex_unlock(&kvm->slots_lock);
	assert_int_equal(root_to_sp(old)->tdp_mmu_root_count.refs, 1);
	assert_non_null(sim_spte_look(old));

	/* The vCPU drops it, and gets another. */
	kvm_mmu_unload(vcpu);
	rcu_barrier();
	assert_null(sim_spte_look(old));
	assert_int_equal(kvm_mmu_load(vcpu), 0);
	assert_int_equal(leaf_level(0), 0);
	vm_destroy();
}

static void set_accessed(hpa_t pa)
{
	*sim_spte_ptr(pa) ^= VMX_EPT_ACCESS_BIT;
}

/* The top entry changes (a CPU may set A there) under the zap of an invalid root: it tries again. */
static void test_zap_root_tries_again(void **state)
{
	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	map(0);
	intrude(POINT_CMPXCHG, PT64_ROOT_4LEVEL, 0, set_accessed);
	kvm_mmu_zap_all_fast(kvm);
	assert_intruded();
	assert_int_equal(vm_stat().tdp_mmu_pages, 0);
	vm_destroy();
}

/* ---- logging ---- */

static bool with_lock(bool write, bool (*fn)(void))
{
	int idx = srcu_read_lock(&kvm->srcu);
	bool ret;

	if (write)
		write_lock(&kvm->mmu_lock);
	else
		read_lock(&kvm->mmu_lock);
	ret = fn();
	if (write)
		write_unlock(&kvm->mmu_lock);
	else
		read_unlock(&kvm->mmu_lock);
	srcu_read_unlock(&kvm->srcu, idx);
	return ret;
}

static bool wrprot_2m(void)
{
	return kvm_tdp_mmu_wrprot_slot(kvm, slot0(), PG_LEVEL_2M);
}

static bool wrprot_4k(void)
{
	return kvm_tdp_mmu_wrprot_slot(kvm, slot0(), PG_LEVEL_4K);
}

static bool clear_slot(void)
{
	return kvm_tdp_mmu_clear_dirty_slot(kvm, slot0());
}

static bool protect_gfn_1(void)
{
	return kvm_tdp_mmu_write_protect_gfn(kvm, slot0(), 1, PG_LEVEL_4K);
}

static bool clear_masked(void)
{
	kvm_tdp_mmu_clear_dirty_pt_masked(kvm, slot0(), 0, 0, false);
	kvm_tdp_mmu_clear_dirty_pt_masked(kvm, slot0(), 0, 1ULL << 1 | 1ULL << 2 | 1ULL << 63,
					  false);
	return false;
}

static bool clear_masked_wrprot(void)
{
	kvm_tdp_mmu_clear_dirty_pt_masked(kvm, slot0(), 0, 1ULL << 1 | 1ULL << 2 | 1ULL << 63,
					  true);
	return false;
}

static void test_wrprot_slot(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		u64 small, huge;

		start(config_kind(kind), PG_LEVEL_4K);
		map(1);
		host.level = PG_LEVEL_2M;
		map(512);
		small = leaf(1);
		huge = leaf(512);
		assert_true(with_lock(false, wrprot_2m));
		assert_int_equal(leaf(1), small);
		assert_int_equal(leaf(512), huge & ~PT_WRITABLE_MASK);
		assert_false(with_lock(false, wrprot_2m));
		intrude(POINT_CMPXCHG, PG_LEVEL_4K, 0, set_accessed);
		assert_true(with_lock(false, wrprot_4k));
		assert_intruded();
		assert_false(is_writable_pte(leaf(1)));
		assert_true(is_mmu_writable_spte(format(), leaf(1)));
		/* D or W was taken: the host heard of it, since W is what tells without D bits */
		assert_int_equal(host.dirty[1], kind == EPT);
		vm_destroy();
	}
}

static void test_clear_dirty_slot(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		u64 spte, dbit;

		start(config_kind(kind), PG_LEVEL_4K);
		map(1);
		spte = leaf(1);
		dbit = kind == EPT_AD ? 1 << 9 : kind == NPT ? 1 << 6 : 1 << 1;
		assert_true(with_lock(false, clear_slot));
		assert_int_equal(leaf(1), spte & ~dbit);
		assert_int_equal(host.dirty[1], 1);
		assert_false(with_lock(false, clear_slot));

		/* A changes in between: look again */
		map(3);
		intrude(POINT_CMPXCHG, PG_LEVEL_4K, 0, set_accessed);
		assert_true(with_lock(false, clear_slot));
		assert_intruded();
		assert_int_equal(leaf(3) & dbit, 0);
		vm_destroy();
	}
}

static void test_clear_dirty_masked(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		for (int wrprot = 0; wrprot < 2; wrprot++) {
			u64 dbit = kind == EPT_AD ? 1 << 9 : kind == NPT ? 1 << 6 : 1 << 1;
			u64 spte[64];

			if (wrprot)
				dbit = 1 << 1;
			start(config_kind(kind), PG_LEVEL_4K);
			for (gfn_t gfn = 0; gfn < 64; gfn++) {
				map(gfn);
				spte[gfn] = leaf(gfn);
			}
			with_lock(true, wrprot ? clear_masked_wrprot : clear_masked);
			for (gfn_t gfn = 0; gfn < 64; gfn++) {
				bool hit = gfn == 1 || gfn == 2 || gfn == 63;

				assert_int_equal(leaf(gfn), spte[gfn] & ~(hit ? dbit : 0));
				assert_int_equal(host.dirty[gfn], hit);
			}
			vm_destroy();
		}
	}
}

static void test_clear_dirty_masked_leaves_huge_pages(void **state)
{
	u64 spte;

	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_2M);
	map(0);
	spte = leaf(0);
	with_lock(true, clear_masked);
	/* its first page's bit, too */
	write_lock(&kvm->mmu_lock);
	kvm_tdp_mmu_clear_dirty_pt_masked(kvm, slot0(), 0, 1, true);
	write_unlock(&kvm->mmu_lock);
	assert_int_equal(leaf(0), spte);
	vm_destroy();
}

/* L2's leaves are write-protected even where L1's D bits are cleared. */
static void test_clear_dirty_in_a_nested_root(void **state)
{
	struct tdp_vm_config config = config_kind(EPT_AD);
	u64 spte;

	(void)state;
	config.pml = true;
	start(config, PG_LEVEL_4K);
	map(1);
	assert_int_equal(kvm_vcpu_set_mode(vcpu, false, true), 0);
	assert_int_equal(kvm_mmu_load(vcpu), 0);
	map(1);
	map(3);
	spte = leaf(1);
	with_lock(true, clear_masked);
	assert_int_equal(leaf(1), spte & ~PT_WRITABLE_MASK);
	assert_true(with_lock(false, clear_slot));
	assert_false(is_writable_pte(leaf(3)));
	assert_int_equal(kvm_vcpu_set_mode(vcpu, false, false), 0);
	assert_int_equal(kvm_mmu_load(vcpu), 0);
	assert_true(is_writable_pte(leaf(1)));
	assert_false(is_dirty_spte(format(), leaf(1)));
	vm_destroy();
}

static void test_write_protect_gfn(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		start(config_kind(kind), PG_LEVEL_4K);
		map(1);
		map(2);
		/* MMU-writable goes even where W is clear already */
		assert_true(with_lock(false, wrprot_4k));
		assert_true(with_lock(true, protect_gfn_1));
		assert_false(is_mmu_writable_spte(format(), leaf(1)));
		assert_true(is_mmu_writable_spte(format(), leaf(2)));
		assert_false(with_lock(true, protect_gfn_1));
		vm_destroy();
	}
}

/* ---- collapse ---- */

static bool collapse(void)
{
	kvm_tdp_mmu_zap_collapsible_sptes(kvm, slot0());
	return false;
}

static void test_collapse(void **state)
{
	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	map(5);
	map(600);
	seen.flushes = 0;
	/* nothing that the host maps small */
	with_lock(false, collapse);
	assert_int_equal(seen.flushes, 0);
	assert_int_equal(leaf_level(5), PG_LEVEL_4K);

	host.level = PG_LEVEL_2M;
	intrude(POINT_CMPXCHG, PG_LEVEL_2M, 0, set_accessed);
	with_lock(false, collapse);
	assert_intruded();
	assert_int_equal(seen.flushes, 2);
	assert_int_equal(seen.flush_gfn, 512);
	assert_int_equal(seen.flush_nr, 512);
	assert_int_equal(*entry(0, PG_LEVEL_2M), SHADOW_NONPRESENT_VALUE);
	assert_int_equal(*entry(512, PG_LEVEL_2M), SHADOW_NONPRESENT_VALUE);
	map(600);
	assert_int_equal(leaf_level(600), PG_LEVEL_2M);

	host.level = PG_LEVEL_1G;
	with_lock(false, collapse);
	assert_int_equal(*entry(0, PG_LEVEL_1G), SHADOW_NONPRESENT_VALUE);
	vm_destroy();
}

/* A table that is partly outside the slot stays. */
static void test_collapse_at_the_slots_ends(void **state)
{
	struct tdp_vm_config config = config_kind(EPT_AD);

	(void)state;
	vm_create(&config);
	assert_int_equal(set_slot(0, 256, 1024, 256, 0), 0);
	assert_int_equal(kvm_mmu_load(vcpu), 0);
	host.level = PG_LEVEL_4K;
	map(300);
	map(600);
	map(1100);
	host.level = PG_LEVEL_1G;
	read_lock(&kvm->mmu_lock);
	kvm_tdp_mmu_zap_collapsible_sptes(kvm, kvm_vcpu_gfn_to_memslot(vcpu, 300));
	read_unlock(&kvm->mmu_lock);
	assert_int_equal(leaf_level(300), PG_LEVEL_4K);
	assert_int_equal(leaf_level(600), 0);
	assert_int_equal(leaf_level(1100), PG_LEVEL_4K);
	vm_destroy();
}

/* ---- aging ---- */

static void test_aging(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		struct kvm_gfn_range range = { .start = 1, .end = 2 };
		u64 spte;

		start(config_kind(kind), PG_LEVEL_4K);
		map(1);
		map(2);
		range.slot = slot0();
		spte = leaf(1);
		write_lock(&kvm->mmu_lock);
		assert_true(kvm_tdp_mmu_test_age_gfn(kvm, &range));
		assert_true(kvm_tdp_mmu_age_gfn_range(kvm, &range));
		assert_int_equal(leaf(1), mark_spte_for_access_track(format(), spte));
		assert_false(kvm_tdp_mmu_test_age_gfn(kvm, &range));
		assert_false(kvm_tdp_mmu_age_gfn_range(kvm, &range));
		write_unlock(&kvm->mmu_lock);
		assert_true(is_accessed_spte(format(), leaf(2)));
		/* W goes with access tracking, and with it what tells of the write; D bits stay */
		assert_int_equal(host.dirty[1], kind == EPT);
		assert_int_equal(host.accessed[1], 0);
		vm_destroy();
	}
}

/* D set between the look and the aging stays. */
static void test_aging_keeps_dirty(void **state)
{
	struct kvm_gfn_range range = { .start = 1, .end = 2 };

	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	map(1);
	*entry(1, PG_LEVEL_4K) &= ~VMX_EPT_DIRTY_BIT;
	range.slot = slot0();
	intrude(POINT_AND, PG_LEVEL_4K, 0, set_dirty);
	write_lock(&kvm->mmu_lock);
	assert_true(kvm_tdp_mmu_age_gfn_range(kvm, &range));
	write_unlock(&kvm->mmu_lock);
	assert_intruded();
	assert_true(is_dirty_spte(format(), leaf(1)));
	vm_destroy();
}

/* ---- yields ---- */

static u64 hash;

static int hash_leaf(const struct tdp_spte_info *info, void *arg)
{
	(void)arg;
	if (is_shadow_present_pte(info->spte) && is_last_spte(info->spte, info->level))
		hash = ((hash ^ info->gfn ^ (u64)info->level << 60) * 3 ^ info->spte) * 5;
	return 0;
}

static u64 hash_leaves(void)
{
	hash = 1;
	assert_int_equal(tdp_for_each_spte(kvm, hash_leaf, NULL), 0);
	return hash;
}

static bool split_all(void)
{
	kvm_tdp_mmu_try_split_huge_pages(kvm, slot0(), 0, 4096, PG_LEVEL_4K, true);
	return false;
}

static bool split_all_exclusively(void)
{
	kvm_tdp_mmu_try_split_huge_pages(kvm, slot0(), 0, 4096, PG_LEVEL_4K, false);
	return false;
}

static bool zap_some(void)
{
	if (kvm_tdp_mmu_zap_leafs(kvm, 1, 600, false))
		kvm_flush_remote_tlbs(kvm);
	return true;
}

static bool zap_everything(void)
{
	kvm_tdp_mmu_zap_all(kvm);
	return false;
}

static bool unmap_some(void)
{
	struct kvm_gfn_range range = { .slot = slot0(), .start = 2, .end = 700, .may_block = true };

	if (kvm_tdp_mmu_unmap_gfn_range(kvm, &range, false))
		kvm_flush_remote_tlbs(kvm);
	return true;
}

/* Yields once, at the @k-th question; false if there were fewer. */
static bool run_yielding(u32 k, bool write, bool (*fn)(void), u64 *leaves, bool *ret)
{
	struct sim_choice choice = { .kind = POINT_RESCHED, .k = k, .action = SIM_RESCHED };
	static struct sim_thread thread;

	start(config_kind(EPT_AD), PG_LEVEL_4K);
	map(1);
	map(511);
	host.level = PG_LEVEL_2M;
	map(512);
	map(2048);
	sim_begin_op(&thread, &choice, 1);
	*ret = with_lock(write, fn);
	sim_end_op();
	*leaves = hash_leaves();
	vm_destroy();
	return choice.fired;
}

/* Wherever a walk yields, its end is the same. */
static void test_yields_change_nothing(void **state)
{
	static const struct {
		bool write;
		bool (*fn)(void);
	} walks[] = {
		{ false, wrprot_4k }, { false, clear_slot },	       { false, collapse },
		{ false, split_all }, { true, split_all_exclusively }, { true, zap_some },
		{ true, unmap_some }, { true, zap_everything },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(walks); i++) {
		bool ret, yielded_ret, fired = true;
		u64 leaves, yielded_leaves;
		u32 k;

		assert_false(run_yielding(~0U, walks[i].write, walks[i].fn, &leaves, &ret));
		for (k = 1; fired; k += 1 + k / 8) {
			fired = run_yielding(k, walks[i].write, walks[i].fn, &yielded_leaves,
					     &yielded_ret);
			assert_int_equal(yielded_leaves, leaves);
			assert_int_equal(yielded_ret, ret);
		}
		assert_true(k > 2);
	}
}

/* ---- NX recovery's list ---- */

static void test_tables_for_recovery(void **state)
{
	struct tdp_vm_config config = config_kind(EPT_AD);

	(void)state;
	config.nx_huge_pages = true;
	start(config, PG_LEVEL_2M);
	assert_int_equal(fault(0, PFERR_FETCH_MASK), RET_PF_FIXED);
	assert_int_equal(vm_stat().nx_lpage_splits, 1);
	assert_true(sptep_to_sp(entry(0, PG_LEVEL_4K))->nx_huge_page_disallowed);
	/* The upper tables would be there anyway. */
	assert_true(
		cds_list_empty(&sptep_to_sp(entry(0, PG_LEVEL_2M))->possible_nx_huge_page_link));

	/* Where the host has small pages, nothing is lost by a table. */
	host.level = PG_LEVEL_4K;
	assert_int_equal(fault(512, PFERR_FETCH_MASK), RET_PF_FIXED);
	assert_int_equal(vm_stat().nx_lpage_splits, 1);
	zap_leafs(0, 512);
	assert_int_equal(vm_stat().nx_lpage_splits, 1);
	kvm_mmu_zap_all_fast(kvm);
	assert_int_equal(vm_stat().nx_lpage_splits, 0);
	vm_destroy();
}

/* ---- walks ---- */

static int count_spte(const struct tdp_spte_info *info, void *arg)
{
	int *count = arg;

	assert_int_equal(info->root, kvm_vcpu_root_hpa(vcpu));
	assert_int_equal(info->spte, *entry(info->gfn, info->level));
	return ++*count == 6 ? 42 : 0;
}

static void test_for_each_spte(void **state)
{
	int count = 0;

	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	map(0);
	map(7);
	assert_int_equal(tdp_for_each_spte(kvm, count_spte, &count), 0);
	assert_int_equal(count, 5);
	map(512);
	count = 0;
	assert_int_equal(tdp_for_each_spte(kvm, count_spte, &count), 42);
	assert_int_equal(tdp_for_each_spte(NULL, count_spte, &count), -EINVAL);
	assert_int_equal(tdp_for_each_spte(kvm, NULL, NULL), -EINVAL);
	vm_destroy();
}

static void test_get_walk(void **state)
{
	u64 sptes[PT64_ROOT_MAX_LEVEL + 1], spte;
	int root_level;

	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_2M);
	map(512);
	kvm_tdp_mmu_walk_lockless_begin();
	assert_int_equal(kvm_tdp_mmu_get_walk(vcpu, 600 << PAGE_SHIFT, sptes, &root_level),
			 PG_LEVEL_2M);
	assert_int_equal(root_level, PT64_ROOT_4LEVEL);
	for (int level = PG_LEVEL_2M; level <= PT64_ROOT_4LEVEL; level++)
		assert_int_equal(sptes[level], *entry(512, level));
	assert_ptr_equal(kvm_tdp_mmu_fast_pf_get_last_sptep(vcpu, 600, &spte),
			 entry(512, PG_LEVEL_2M));
	assert_int_equal(spte, *entry(512, PG_LEVEL_2M));
	kvm_mmu_unload(vcpu);
	assert_int_equal(kvm_tdp_mmu_get_walk(vcpu, 0, sptes, &root_level), -1);
	assert_int_equal(seen.warns, 1);
	seen.warns = 0;
	kvm_tdp_mmu_walk_lockless_end();
	vm_destroy();
}

/* ---- what is owed ---- */

/* What owes no flush, or not yet, makes none when it yields. */
static void test_shared_walks_flush_nothing_at_a_yield(void **state)
{
	static bool (*const walks[])(void) = { clear_slot, split_all, collapse };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(walks); i++) {
		struct sim_choice choice = { .kind = POINT_RESCHED, .k = 1, .action = SIM_RESCHED };
		static struct sim_thread thread;

		start(config_kind(EPT_AD), walks[i] == split_all ? PG_LEVEL_2M : PG_LEVEL_4K);
		map(0);
		map(1);
		seen.flushes = 0;
		sim_begin_op(&thread, &choice, 1);
		read_lock(&kvm->mmu_lock);
		walks[i]();
		read_unlock(&kvm->mmu_lock);
		sim_end_op();
		assert_true(choice.fired);
		assert_int_equal(seen.flushes, 0);
		vm_destroy();
	}
}

/* A host that may not wait is not made to. */
static void test_unmap_that_may_not_block_does_not_yield(void **state)
{
	struct sim_choice choice = { .kind = POINT_RESCHED, .k = 1, .action = SIM_RESCHED };
	struct kvm_gfn_range range = { .start = 0, .end = 2 };
	static struct sim_thread thread;

	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	map(0);
	map(1);
	range.slot = slot0();
	sim_begin_op(&thread, &choice, 1);
	write_lock(&kvm->mmu_lock);
	assert_true(kvm_tdp_mmu_unmap_gfn_range(kvm, &range, false));
	write_unlock(&kvm->mmu_lock);
	sim_end_op();
	assert_false(choice.fired);
	vm_destroy();
}

static int exchanges, plain_stores;

static void count_stores(void *ctx, enum point_kind how, hpa_t pa, int level, int n, u64 first,
			 u64 step, u64 frozen)
{
	(void)ctx;
	(void)pa;
	(void)level;
	(void)n;
	(void)first;
	(void)step;
	(void)frozen;
	exchanges += how == POINT_XCHG;
	plain_stores += how != POINT_XCHG;
}

/* Under the lock for reading others may change any leaf, even one that no CPU changes. */
static void test_shared_removal_exchanges_leaves(void **state)
{
	(void)state;
	NEEDS_SIM();
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	host.readonly = true;
	for (gfn_t gfn = 0; gfn < 4; gfn++)
		assert_int_equal(fault(gfn, 0), RET_PF_FIXED);
	assert_false(spte_has_volatile_bits(format(), leaf(0)));
	exchanges = plain_stores = 0;
	observer.freeze = count_stores;
	observer.point = NULL; /* or they go one by one */
	sim_set_observer(&observer);
	write_lock(&kvm->mmu_lock);
	kvm_tdp_mmu_invalidate_all_roots(kvm);
	write_unlock(&kvm->mmu_lock);
	kvm_tdp_mmu_zap_invalidated_roots(kvm);
	assert_int_equal(plain_stores, 0);
	assert_true(exchanges > 0);
	vm_destroy();
}

static void test_zap_all(void **state)
{
	(void)state;
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	map(0);
	map(PAGES_1G);
	write_lock(&kvm->mmu_lock);
	kvm_tdp_mmu_zap_all(kvm);
	write_unlock(&kvm->mmu_lock);
	assert_int_equal(vm_stat().pages[0], 0);
	assert_int_equal(vm_stat().tdp_mmu_pages, 0);
	vm_destroy();
}

/* Only a fault that takes something away makes the others forget what they have. */
static void test_faults_that_owe_no_flush(void **state)
{
	(void)state;
	for (int policy = TDP_FAULT_SPLIT; policy <= TDP_FAULT_ZAP; policy++) {
		struct tdp_vm_config config = config_kind(EPT_AD);

		config.fault_policy = policy;
		start(config, PG_LEVEL_4K);
		seen.flushes = 0;
		host.readonly = true;
		assert_int_equal(fault(0, 0), RET_PF_FIXED);
		/* in the place of itself, not accessed */
		*entry(0, PG_LEVEL_4K) &= ~VMX_EPT_ACCESS_BIT;
		assert_int_equal(fault(0, 0), RET_PF_FIXED);
		/* in the place of an MMIO SPTE whose generation looks like MMU-writable */
		*entry(1, PG_LEVEL_4K) = format()->shadow_mmio_value | EPT_SPTE_MMU_WRITABLE;
		assert_int_equal(fault(1, 0), RET_PF_FIXED);
		assert_int_equal(seen.flushes, 0);
		vm_destroy();
	}
}

/* The huge page is zapped, and then its table removed by another thread: nothing is linked there. */
static void test_zap_on_fault_then_removal(void **state)
{
	struct tdp_vm_config config = config_kind(EPT_AD);

	(void)state;
	config.nx_huge_pages = true;
	config.fault_policy = TDP_FAULT_ZAP;
	start(config, PG_LEVEL_2M);
	map(0);
	/* the second read is the one after the zap, see above */
	intrude(POINT_READ, PG_LEVEL_2M, 1, freeze);
	assert_int_equal(fault(0, PFERR_FETCH_MASK | PFERR_PRESENT_MASK), RET_PF_RETRY);
	assert_intruded();
	assert_int_equal(*entry(0, PG_LEVEL_2M), FROZEN_SPTE);
	*entry(0, PG_LEVEL_2M) = SHADOW_NONPRESENT_VALUE;
	vm_destroy();
}

/* Something to flush in one root stays to be flushed, whatever comes after. */
static void test_flush_owed_by_one_root_of_two(void **state)
{
	static bool (*const walks[])(void) = { wrprot_4k, clear_slot, protect_gfn_1 };
	struct kvm_gfn_range range = { .start = 0, .end = 8, .may_block = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(walks); i++) {
		start(config_kind(EPT_AD), PG_LEVEL_4K);
		map(8);
		assert_int_equal(kvm_vcpu_set_mode(vcpu, false, true), 0);
		assert_int_equal(kvm_mmu_load(vcpu), 0);
		assert_int_equal(with_lock(walks[i] == protect_gfn_1, walks[i]),
				 walks[i] != protect_gfn_1);
		map(1);
		assert_true(with_lock(walks[i] == protect_gfn_1, walks[i]));
		vm_destroy();
	}

	/* A leaf of an invalid root owes none itself. */
	start(config_kind(EPT_AD), PG_LEVEL_4K);
	map(0);
	range.slot = slot0();
	mutex_lock(&kvm->slots_lock);
	write_lock(&kvm->mmu_lock);
	kvm_tdp_mmu_invalidate_all_roots(kvm);
	assert_true(kvm_tdp_mmu_unmap_gfn_range(kvm, &range, true));
	write_unlock(&kvm->mmu_lock);
	kvm_tdp_mmu_zap_invalidated_roots(kvm);
	mutex_unlock(&kvm->slots_lock);
	vm_destroy();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split_on_fault),
		cmocka_unit_test(test_zap_on_fault),
		cmocka_unit_test(test_eager_split),
		cmocka_unit_test(test_eager_split_without_memory),
		cmocka_unit_test(test_eager_split_of_a_page_that_goes),
		cmocka_unit_test(test_eager_split_yields_with_a_table_ready),
		cmocka_unit_test(test_eager_split_stops_without_memory),
		cmocka_unit_test(test_frozen_sptes_are_left_alone),
		cmocka_unit_test(test_lost_race_for_a_leaf),
		cmocka_unit_test(test_lost_race_for_a_table),
		cmocka_unit_test(test_lost_race_for_a_split),
		cmocka_unit_test(test_zap_on_fault_then_another_fault),
		cmocka_unit_test(test_table_zapped_on_the_way),
		cmocka_unit_test(test_zap_leafs),
		cmocka_unit_test(test_zap_of_frame_zero),
		cmocka_unit_test(test_zap_ends_at_the_highest_gfn),
		cmocka_unit_test(test_zap_flushes_before_it_yields),
		cmocka_unit_test(test_shared_walk_yields),
		cmocka_unit_test(test_shared_walks_flush_nothing_at_a_yield),
		cmocka_unit_test(test_unmap_that_may_not_block_does_not_yield),
		cmocka_unit_test(test_shared_removal_exchanges_leaves),
		cmocka_unit_test(test_zap_all),
		cmocka_unit_test(test_faults_that_owe_no_flush),
		cmocka_unit_test(test_zap_on_fault_then_removal),
		cmocka_unit_test(test_flush_owed_by_one_root_of_two),
		cmocka_unit_test(test_teardown_of_a_root_flushes_nothing),
		cmocka_unit_test(test_zap_sp),
		cmocka_unit_test(test_dirty_bit_at_the_last_moment),
		cmocka_unit_test(test_removal_waits_for_a_frozen_spte),
		cmocka_unit_test(test_roots_are_shared_by_role),
		cmocka_unit_test(test_two_vcpus_add_a_root),
		cmocka_unit_test(test_invalid_roots),
		cmocka_unit_test(test_zap_root_tries_again),
		cmocka_unit_test(test_wrprot_slot),
		cmocka_unit_test(test_clear_dirty_slot),
		cmocka_unit_test(test_clear_dirty_masked),
		cmocka_unit_test(test_clear_dirty_masked_leaves_huge_pages),
		cmocka_unit_test(test_clear_dirty_in_a_nested_root),
		cmocka_unit_test(test_write_protect_gfn),
		cmocka_unit_test(test_collapse),
		cmocka_unit_test(test_collapse_at_the_slots_ends),
		cmocka_unit_test(test_aging),
		cmocka_unit_test(test_aging_keeps_dirty),
		cmocka_unit_test(test_yields_change_nothing),
		cmocka_unit_test(test_tables_for_recovery),
		cmocka_unit_test(test_for_each_spte),
		cmocka_unit_test(test_get_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
