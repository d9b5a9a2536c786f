// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM that an operation is timed on: EPT with A and D bits, four levels, and a host whose answers cost
 * next to nothing. It is the same on libtdp and on the kernel's own code.
 */
#include <stdlib.h>

#include "measure.h"
#include "memslot.h"
#include "mmu_vm.h"

#define FIRST_PFN	 (16 * PAGES_1G)
#define EPT_ADDRESS_MASK 0x000ffffffffff000ULL
#define WORD_BITS	 64

/* ---- the host ---- */

static int host_fault_in(void *host, hvn_t hvn, bool write, bool *writable, kvm_pfn_t *pfn)
{
	(void)host;
	(void)write;
	*writable = true;
	*pfn = FIRST_PFN + hvn;
	return 0;
}

static int host_mapping_level(void *host, hvn_t hvn)
{
	const struct mmu_vm *vm = host;

	(void)hvn;
	return vm->level;
}

static void host_ignore(void *host, kvm_pfn_t pfn)
{
	(void)host;
	(void)pfn;
}

/* No set_pfns(): the kernel tells its host of each frame, and so shall libtdp. */
static const struct tdp_host_ops host_ops = {
	.fault_in = host_fault_in,
	.mapping_level = host_mapping_level,
	.set_pfn_dirty = host_ignore,
	.set_pfn_accessed = host_ignore,
};

/* ---- the VM ---- */

static void must(int r, const char *what)
{
	if (r)
		bench_die(what, "was refused");
}

static void load_roots(struct mmu_vm *vm)
{
	int i;

	for (i = 0; i < MOST_THREADS; i++)
		must(kvm_vcpu_enter_guest(vm->vcpu[i]), "a root");
}

static void set_flags(struct mmu_vm *vm, u32 flags)
{
	const struct tdp_memory_region region = { .npages = vm->pages, .flags = flags };

	must(kvm_set_memory_region(vm->kvm, &region), "the slot");
	vm->slot = kvm_vcpu_gfn_to_memslot(vm->vcpu[0], 0);
}

/**
 * mmu_vm_create() - a VM that maps nothing yet
 * @vm: result
 * @pages: of 4K, in its slot
 * @level: of the pages with which the host maps the slot
 * @pml: the CPU logs which pages it makes dirty
 *
 * Ends the program if there is no memory for it.
 */
void mmu_vm_create(struct mmu_vm *vm, u64 pages, int level, bool pml)
{
	const struct tdp_vm_config config = {
		.mmu = TDP_MMU_EPT,
		.ad = true,
		.root_level = PT64_ROOT_4LEVEL,
		.pml = pml,
		.maxphyaddr = 46,
		.cachebits = 46,
	};
	int i;

	*vm = (struct mmu_vm){ .pages = pages, .level = level };
	vm->bitmap = calloc((pages + WORD_BITS - 1) / WORD_BITS, sizeof(*vm->bitmap));
	if (!vm->bitmap)
		bench_die("start", "no memory");
	must(kvm_create_vm(&config, &host_ops, vm, &vm->kvm), "the VM");
	for (i = 0; i < MOST_THREADS; i++)
		must(kvm_create_vcpu(vm->kvm, &vm->vcpu[i]), "a vCPU");
	set_flags(vm, 0);
	load_roots(vm);
}

/**
 * mmu_vm_destroy() - the end of it
 * @vm: the VM
 */
void mmu_vm_destroy(struct mmu_vm *vm)
{
	kvm_destroy_vm(vm->kvm);
	free(vm->bitmap);
}

/**
 * mmu_vm_empty() - no page is mapped and no page table left but the root's; those there were have been freed
 * @vm: the VM
 *
 * Not before RCU's callbacks have run, so that they do not run beside what is timed next.
 */
void mmu_vm_empty(struct mmu_vm *vm)
{
	kvm_mmu_zap_all_fast(vm->kvm);
	load_roots(vm);
	rcu_barrier();
}

/**
 * mmu_vm_warm_tables() - the next page tables, WARM_TABLES of them, come out of this CPU's cache
 *
 * As they would if it had just freed them: without this they are where RCU's thread has left them, and who has
 * waited for that finds its cache full of somebody else's memory.
 */
void mmu_vm_warm_tables(void)
{
	u64 *tables[WARM_TABLES];
	int i;

	for (i = 0; i < WARM_TABLES; i++) {
		tables[i] = tdp_page_alloc(0);
		if (!tables[i])
			bench_die("a page table", "no memory");
	}
	while (i--)
		tdp_page_free(tables[i]);
}

/**
 * mmu_vm_log() - log the slot's writes from now on
 * @vm: the VM, not logged yet
 */
void mmu_vm_log(struct mmu_vm *vm)
{
	set_flags(vm, KVM_MEM_LOG_DIRTY_PAGES);
}

/* The page table that maps 2M by 4K pages, from @gfn on. */
static u64 *table_of(struct mmu_vm *vm, gfn_t gfn)
{
	hpa_t table = kvm_vcpu_root_hpa(vm->vcpu[0]);
	int level;

	for (level = PT64_ROOT_4LEVEL; level > PG_LEVEL_4K; level--) {
		const u64 index = gfn >> KVM_HPAGE_GFN_SHIFT(level) & (SPTE_ENT_PER_PAGE - 1);

		table = *tdp_spte_at(table + index * sizeof(u64)) & EPT_ADDRESS_MASK;
	}
	return tdp_spte_at(table);
}

/**
 * mmu_vm_hardware_sets() - the guest uses every page, so that the CPU sets bits of their SPTEs
 * @vm: the VM, all of whose slot is mapped by 4K pages
 * @bits: EPT_ACCESSED, EPT_DIRTY or both
 */
void mmu_vm_hardware_sets(struct mmu_vm *vm, u64 bits)
{
	gfn_t gfn;
	u64 *sptes;
	int i;

	for (gfn = 0; gfn < vm->pages; gfn += PAGES_2M) {
		sptes = table_of(vm, gfn);
		for (i = 0; i < SPTE_ENT_PER_PAGE; i++)
			__atomic_fetch_or(&sptes[i], bits, __ATOMIC_RELAXED);
	}
}

/**
 * mmu_vm_mapped() - pages that are mapped
 * @vm: the VM
 * @level: of what size
 *
 * Return: how many, as the VM's statistics have it.
 */
s64 mmu_vm_mapped(struct mmu_vm *vm, int level)
{
	struct kvm_page_stat stat;

	kvm_vm_get_page_stat(vm->kvm, &stat);
	return stat.pages[level - 1];
}
