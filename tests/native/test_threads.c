// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real threads on the native library: vCPUs run a guest, a VMM logs, splits, zaps and changes slots, a
 * host moves memory.  As many operations as are counted here, so that it ends; what goes on at once is up
 * to the machine.  No write may be lost, none may go to a frame that the page has left, the dirty log
 * names what was written, and nothing is left at the end.
 *
 * Whatever is wrong ends the process with status 1, or with a sanitizer's.
 */
#include "guest.h"

#include "kvm_host.h"
#include "mmu_internal.h"

#define VCPUS	 3
#define ROUND	 500 /* accesses */
#define PACE	 100 /* accesses of all guests, between two operations of VMM or host */
#define VMM_OPS	 100
#define HOST_OPS 100
#define EXTRA_ID 1

static struct kvm *kvm;
static struct guest guests[VCPUS];
static bool stop;
static int warnings;

/* The other side of a migration. */
static struct {
	bool on;
	u64 copy[MOVING];
	u64 bitmap[MOVING / 64];
} migration;

static void on_warn(void *ctx, const char *cond, const char *file, int line)
{
	(void)ctx;
	fprintf(stderr, "WARN at %s:%d: %s\n", file, line, cond);
	__atomic_fetch_add(&warnings, 1, __ATOMIC_RELAXED);
}

static void set_slot(u32 id, gfn_t base, u64 npages, u32 flags)
{
	const struct tdp_memory_region region = {
		.slot = id,
		.flags = flags,
		.base_gfn = base,
		.npages = npages,
		.hvn = base,
	};

	check(!kvm_set_memory_region(kvm, &region));
}

static void *vcpu_thread(void *arg)
{
	struct guest *g = arg;
	u32 rounds;

	for (rounds = 0; rounds < 4 || !atomic_get(&stop); rounds++) {
		guest_run(g, ROUND);
		/* Another root. */
		if (!random_below(&g->random, 8))
			check(!kvm_vcpu_set_mode(g->vcpu, false, random_below(&g->random, 2)));
	}
	return NULL;
}

static u64 all_accesses(void)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < VCPUS; i++)
		sum += atomic_get(&guests[i].accesses);
	return sum;
}

/* However few CPUs there are, what VMM and host do meets guests that run. */
static void let_guests_run(void)
{
	const u64 until = all_accesses() + PACE;

	while (all_accesses() < until)
		sched_yield();
}

/* ---- the VMM ---- */

static void copy_page(u64 page)
{
	struct region *r = &regions[page / REGION];

	pthread_mutex_lock(&r->lock);
	migration.copy[page] = atomic_get(&frame_at(page)->value);
	pthread_mutex_unlock(&r->lock);
}

static void migration_start(void)
{
	u64 page;

	set_slot(0, 0, MOVING, KVM_MEM_LOG_DIRTY_PAGES);
	for (page = 0; page < MOVING; page++)
		copy_page(page);
	migration.on = true;
}

static void migration_round(void)
{
	u64 page;

	check(!kvm_vm_ioctl_get_dirty_log(kvm, 0, migration.bitmap, MOVING / 64));
	for (page = 0; page < MOVING; page++) {
		if (migration.bitmap[page / 64] >> page % 64 & 1)
			copy_page(page);
	}
}

static void migration_stop(void)
{
	set_slot(0, 0, MOVING, 0);
	migration.on = false;
}

static void vmm_op(u64 *random, bool *extra)
{
	const u32 page = random_below(random, MOVING);

	switch (random_below(random, 10)) {
	case 0:
	case 1:
	case 2:
		if (migration.on)
			migration_round();
		else
			migration_start();
		break;
	case 3:
		if (migration.on)
			migration_stop();
		break;
	case 4:
		check(!kvm_mmu_slot_try_split_huge_pages(kvm, 0, PG_LEVEL_4K));
		break;
	case 5:
		check(!kvm_zap_gfn_range(kvm, page, page + REGION));
		break;
	case 6:
		kvm_mmu_zap_all_fast(kvm);
		break;
	case 7:
		*extra = !*extra;
		set_slot(EXTRA_ID, MOVING, *extra ? EXTRA : 0, 0);
		break;
	case 8:
		check(!kvm_recover_nx_huge_pages(kvm));
		break;
	case 9:
		check(kvm_mmu_slot_gfn_write_protect(kvm, 0, page, PG_LEVEL_4K) >= 0);
		break;
	}
}

static void *vmm_thread(void *arg)
{
	bool extra = false;
	u64 random = 1;
	u32 i;

	(void)arg;
	for (i = 0; i < VMM_OPS; i++) {
		let_guests_run();
		vmm_op(&random, &extra);
	}
	if (!migration.on)
		migration_start();
	return NULL;
}

/* ---- the host ---- */

static void *host_thread(void *arg)
{
	u64 random = 2;
	u32 i;

	(void)arg;
	for (i = 0; i < HOST_OPS; i++) {
		const u32 r = random_below(&random, REGIONS);
		const hvn_t start = r * REGION;

		let_guests_run();
		switch (random_below(&random, 5)) {
		case 0:
		case 1:
			host_move(kvm, r);
			break;
		case 2:
			host_resize(kvm, r);
			break;
		case 3:
			check(kvm_mmu_notifier_clear_flush_young(kvm, start, start + REGION) >= 0);
			break;
		case 4:
			check(kvm_mmu_notifier_clear_young(kvm, start, start + REGION) >= 0);
			break;
		}
	}
	return NULL;
}

/* ---- when all is quiet ---- */

static void check_memory(void)
{
	u64 page, writes;
	u32 i;

	for (page = 0; page < PAGES; page++) {
		for (writes = 0, i = 0; i < VCPUS; i++)
			writes += guests[i].writes[page];
		check(frame_at(page)->value == writes);
		if (page < MOVING)
			check(frame_in(!regions[page / REGION].set, page)->value == POISON);
	}
}

static void check_migration(void)
{
	u64 page;

	migration_round();
	for (page = 0; page < MOVING; page++)
		check(migration.copy[page] == frame_at(page)->value);
}

static int count_spte(const struct tdp_spte_info *info, void *arg)
{
	struct kvm_page_stat *stat = arg;

	if (!(info->spte & PRESENT))
		return 0;
	if (info->level == PG_LEVEL_4K || (info->spte & LARGE))
		stat->pages[info->level - 1]++;
	else
		stat->tdp_mmu_pages++;
	return 0;
}

static void check_tree(void)
{
	struct kvm_page_stat counted = { .nx_lpage_splits = 0 }, stat;
	struct kvm_mmu_page *root;

	check(!tdp_for_each_spte(kvm, count_spte, &counted));
	kvm_vm_get_page_stat(kvm, &stat);
	check(!memcmp(counted.pages, stat.pages, sizeof(stat.pages)));
	check(counted.tdp_mmu_pages == stat.tdp_mmu_pages);
	/* Nobody has a root any more but the MMU itself. */
	cds_list_for_each_entry(root, &kvm->arch.tdp_mmu_roots, link) {
		check(!root->role.invalid);
		check(refcount_read(&root->tdp_mmu_root_count) == 1);
	}
}

static void run(const char *name, const struct tdp_vm_config *config)
{
	pthread_t vcpus[VCPUS], vmm, host;
	u64 accesses, faults = 0;
	struct kvm_vm_stat stat;
	u32 i;

	host_init();
	memset(guests, 0, sizeof(guests));
	memset(&migration, 0, sizeof(migration));
	stop = false;
	check(!kvm_create_vm(config, &host_ops, NULL, &kvm));
	set_slot(0, 0, MOVING, 0);
	for (i = 0; i < VCPUS; i++) {
		guests[i].config = config;
		guests[i].random = i + 3;
		check(!kvm_create_vcpu(kvm, &guests[i].vcpu));
		check(!kvm_vcpu_set_guest(guests[i].vcpu, &guest_ops, &guests[i]));
	}

	for (i = 0; i < VCPUS; i++)
		check(!pthread_create(&vcpus[i], NULL, vcpu_thread, &guests[i]));
	check(!pthread_create(&vmm, NULL, vmm_thread, NULL));
	check(!pthread_create(&host, NULL, host_thread, NULL));
	check(!pthread_join(vmm, NULL));
	check(!pthread_join(host, NULL));
	atomic_put(&stop, true);
	for (i = 0; i < VCPUS; i++)
		check(!pthread_join(vcpus[i], NULL));

	check_migration();
	check_memory();
	accesses = all_accesses();
	for (i = 0; i < VCPUS; i++) {
		kvm_mmu_unload(guests[i].vcpu);
		faults += guests[i].faults;
	}
	check_tree();
	kvm_vm_get_stat(kvm, &stat);
	kvm_destroy_vm(kvm);
	check(!tdp_pages_in_use() && !tdp_allocs_in_use());
	check(!warnings);
	printf("%s: %llu accesses, %llu faults (%llu fast), %llu splits, %llu flushes\n", name,
	       (unsigned long long)accesses, (unsigned long long)faults,
	       (unsigned long long)stat.pf_fast, (unsigned long long)stat.splits,
	       (unsigned long long)stat.remote_tlb_flush);
	/* A test in which nothing happened has shown nothing. */
	check(accesses >= VMM_OPS * PACE / 2 && faults && stat.splits + stat.pf_fast &&
	      stat.remote_tlb_flush);
}

int main(void)
{
	const struct tdp_vm_config ept = {
		.mmu = TDP_MMU_EPT,
		.ad = true,
		.root_level = 4,
		.nx_huge_pages = true,
		.maxphyaddr = 46,
		.cachebits = 46,
		.nx_recovery_ratio = 2,
		.quirk_slot_zap_all = true,
	};
	struct tdp_vm_config pml = ept, no_ad = ept, npt = ept;

	pml.pml = true;
	pml.eager_page_split = true;
	no_ad.ad = false;
	no_ad.quirk_slot_zap_all = false;
	npt.mmu = TDP_MMU_NPT;
	npt.fault_policy = TDP_FAULT_ZAP;
	tdp_set_warn(on_warn, NULL);
	run("EPT", &ept);
	run("EPT with PML", &pml);
	run("EPT without A/D", &no_ad);
	run("NPT", &npt);
	return 0;
}
