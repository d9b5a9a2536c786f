/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest's memory on a host that moves it about, and vCPUs with a TLB, for tests on real threads.
 *
 * Guest page N is host page N.  2M of host pages at a time are in one of two sets of frames, and the host
 * moves them to the other.  Each frame holds one number: how often a vCPU has written the page.  The
 * frame that a page has left holds POISON.  So a write through a translation that should be gone is
 * seen twice: it is missing where the page is, and the frame that it went to is not poisoned any more.
 *
 * The page-table formats are restated here.
 */
#ifndef TESTS_NATIVE_GUEST_H
#define TESTS_NATIVE_GUEST_H

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tdp/native.h>

#define REGION	    512u /* pages */
#define REGIONS	    8u /* that the host moves */
#define MOVING	    (REGIONS * REGION)
#define EXTRA	    64u /* pages of a slot that comes and goes, behind them */
#define PAGES	    (MOVING + EXTRA)
#define FRAMES	    (16u * REGION) /* of a set */
#define FIRST_FRAME 0x400000ULL
#define POISON	    0xdeadULL

#define atomic_get(p)	 __atomic_load_n(p, __ATOMIC_RELAXED)
#define atomic_put(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)

#define check(cond)                                                                        \
	do {                                                                               \
		if (!(cond)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
			exit(1);                                                           \
		}                                                                          \
	} while (0)

/**
 * struct frame - a host frame
 * @value: what the guest has written
 * @written: since the page came here
 * @dirty: the MMU has said so
 */
struct frame {
	u64 value;
	u8 written;
	u8 dirty;
};

static struct frame frames[2 * FRAMES];

/**
 * struct region - 2M of host pages
 * @set: where they are
 * @small: the host maps them by 4K pages
 * @lock: whoever uses the pages as the VMM does waits while the host moves them
 */
static struct region {
	u32 set;
	u32 small;
	pthread_mutex_t lock;
} regions[REGIONS + 1];

static u64 page_of(const struct frame *f)
{
	return (f - frames) % FRAMES;
}

static struct frame *frame_of(kvm_pfn_t pfn)
{
	check(pfn - FIRST_FRAME < 2 * FRAMES);
	return &frames[pfn - FIRST_FRAME];
}

/* The frame of a page in one of the sets, and the one that it is in. */
static struct frame *frame_in(u32 set, u64 page)
{
	return &frames[set * FRAMES + page];
}

static struct frame *frame_at(u64 page)
{
	return frame_in(atomic_get(&regions[page / REGION].set), page);
}

/* ---- what the host's memory management answers ---- */

static int host_fault_in(void *host, hvn_t hvn, bool write, bool *writable, kvm_pfn_t *pfn)
{
	(void)host;
	(void)write;
	check(hvn < PAGES);
	*writable = true;
	*pfn = FIRST_FRAME + (frame_at(hvn) - frames);
	return 0;
}

static int host_mapping_level(void *host, hvn_t hvn)
{
	(void)host;
	return atomic_get(&regions[hvn / REGION].small) ? PG_LEVEL_4K : PG_LEVEL_2M;
}

static void host_set_pfn_dirty(void *host, kvm_pfn_t pfn)
{
	(void)host;
	atomic_put(&frame_of(pfn)->dirty, 1);
}

static void host_set_pfn_accessed(void *host, kvm_pfn_t pfn)
{
	(void)host;
	(void)frame_of(pfn);
}

static const struct tdp_host_ops host_ops = {
	.fault_in = host_fault_in,
	.mapping_level = host_mapping_level,
	.set_pfn_dirty = host_set_pfn_dirty,
	.set_pfn_accessed = host_set_pfn_accessed,
};

/* A huge page is dirty as a whole: the mark is at its first frame. */
static bool is_dirty(u64 page)
{
	const struct region *r = &regions[page / REGION];

	return atomic_get(&frame_at(page)->dirty) ||
	       (!r->small && atomic_get(&frame_at(page & -REGION)->dirty));
}

/* Nobody can reach the page: what was written is dirty, and now it is somewhere else. */
static void move_page(u64 page, u32 to)
{
	struct frame *from = frame_in(!to, page);

	check(atomic_get(&frame_in(to, page)->value) == POISON);
	atomic_put(&frame_in(to, page)->value, atomic_get(&from->value));
	atomic_put(&from->value, POISON);
	atomic_put(&from->written, 0);
	atomic_put(&from->dirty, 0);
}

static void host_move(struct kvm *kvm, u32 r)
{
	const hvn_t start = r * REGION;
	u64 page;

	check(!kvm_mmu_notifier_invalidate_range_start(kvm, start, start + REGION));
	pthread_mutex_lock(&regions[r].lock);
	for (page = start; page < start + REGION; page++)
		check(!atomic_get(&frame_at(page)->written) || is_dirty(page));
	for (page = start; page < start + REGION; page++)
		move_page(page, !regions[r].set);
	atomic_put(&regions[r].set, !regions[r].set);
	pthread_mutex_unlock(&regions[r].lock);
	check(!kvm_mmu_notifier_invalidate_range_end(kvm, start, start + REGION));
}

/* The host forms or breaks a huge page. */
static void host_resize(struct kvm *kvm, u32 r)
{
	const hvn_t start = r * REGION;
	u64 page;

	check(!kvm_mmu_notifier_invalidate_range_start(kvm, start, start + REGION));
	for (page = start; page < start + REGION; page++) {
		if (is_dirty(page))
			atomic_put(&frame_at(page)->dirty, 1);
	}
	atomic_put(&regions[r].small, !regions[r].small);
	check(!kvm_mmu_notifier_invalidate_range_end(kvm, start, start + REGION));
}

static void host_init(void)
{
	u32 r, page;

	memset(frames, 0, sizeof(frames));
	memset(regions, 0, sizeof(regions));
	for (r = 0; r <= REGIONS; r++)
		pthread_mutex_init(&regions[r].lock, NULL);
	for (page = 0; page < FRAMES; page++)
		frame_in(1, page)->value = POISON;
}

/* ---- vCPUs ---- */

#define TLB_ENTRIES 64
#define PML_ENTRIES 512

#define PRESENT	   (1ULL << 11) /* the MMU's own, in both formats */
#define LARGE	   (1ULL << 7)
#define FRAME_MASK 0x000ffffffffff000ULL
#define NPT_MMIO   0x0008000000000000ULL /* a reserved bit */
#define NPT_NX	   (1ULL << 63)

enum access { READ, WRITE, EXEC };

struct tlb_entry {
	bool valid, writable, executable, dirty;
	gfn_t gfn;
	gfn_t first; /* of the page of whatever size that it comes from */
	u64 pages;
	struct frame *frame;
};

/**
 * struct guest - a vCPU, its hardware and what it has done
 * @writes: to each page
 * @accesses: that went ahead
 * @faults: how often it had to leave the guest for one
 * @logs: PML is on
 * @pml: pages whose D bit it has set since it left the guest last
 */
struct guest {
	struct kvm_vcpu *vcpu;
	const struct tdp_vm_config *config;
	struct tlb_entry tlb[TLB_ENTRIES];
	u32 writes[PAGES];
	u64 accesses;
	u64 faults;
	u64 random;
	bool logs;
	u32 nr_pml;
	gfn_t pml[PML_ENTRIES];
};

static u32 random_below(u64 *state, u32 n)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*state >> 33) % n;
}

static void guest_flush(void *guest, gfn_t gfn, u64 nr)
{
	struct guest *g = guest;
	u32 i;

	for (i = 0; i < TLB_ENTRIES; i++) {
		struct tlb_entry *e = &g->tlb[i];

		if (!nr || (e->first < gfn + nr && gfn < e->first + e->pages))
			e->valid = false;
	}
}

static void guest_log_dirty(void *guest, bool on)
{
	struct guest *g = guest;

	g->logs = on && g->config->pml;
}

static const struct tdp_guest_ops guest_ops = {
	.flush = guest_flush,
	.log_dirty = guest_log_dirty,
};

static bool is_npt(const struct guest *g)
{
	return g->config->mmu == TDP_MMU_NPT;
}

static bool is_writable(u64 spte)
{
	return spte & 2;
}

static bool is_executable(const struct guest *g, u64 spte)
{
	return is_npt(g) ? !(spte & NPT_NX) : spte & 4;
}

static bool allows(const struct guest *g, u64 spte, enum access access)
{
	if (!(spte & 1))
		return false;
	return access == READ || (access == WRITE ? is_writable(spte) : is_executable(g, spte));
}

static bool is_mmio(const struct guest *g, u64 spte)
{
	return is_npt(g) ? (spte & 1) && (spte & NPT_MMIO) : (spte & 7) == 6;
}

static u64 error_code(const struct guest *g, u64 spte, enum access access)
{
	u64 code = access == WRITE ? PFERR_WRITE_MASK : access == EXEC ? PFERR_FETCH_MASK : 0;

	if (is_mmio(g, spte))
		return PFERR_RSVD_MASK;
	return spte & (is_npt(g) ? 1 : 7) ? code | PFERR_PRESENT_MASK : code;
}

/* As the CPU does, by a locked update that looks again. False: the SPTE has changed. */
static bool set_accessed_dirty(struct guest *g, u64 *sptep, u64 spte, gfn_t gfn, bool write)
{
	const u64 dirty = 1ULL << (is_npt(g) ? 6 : 9);
	u64 bits = 1ULL << (is_npt(g) ? 5 : 8);

	if (!is_npt(g) && !g->config->ad)
		return true;
	bits |= write ? dirty : 0;
	if ((spte & bits) == bits)
		return true;
	if (!__atomic_compare_exchange_n(sptep, &spte, spte | bits, false, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED))
		return false;
	if (write && !(spte & dirty) && g->logs)
		g->pml[g->nr_pml++] = gfn;
	return true;
}

enum { DONE, FAULT, AGAIN };

/* Fill the TLB entry; or *@code is why the access faults. */
static int walk(struct guest *g, gfn_t gfn, enum access access, struct tlb_entry *e, u64 *code)
{
	hpa_t pa = kvm_vcpu_root_hpa(g->vcpu);
	u64 *sptep, spte;
	int level;

	e->valid = false;
	for (level = g->config->root_level;; level--) {
		sptep = tdp_spte_at(pa + (gfn >> 9 * (level - 1) & 511) * 8);
		spte = __atomic_load_n(sptep, __ATOMIC_ACQUIRE);
		if (!(spte & PRESENT) || level == 1 || (spte & LARGE))
			break;
		pa = spte & FRAME_MASK;
	}
	if (!(spte & PRESENT) || !allows(g, spte, access)) {
		*code = error_code(g, spte, access);
		return FAULT;
	}
	if (!set_accessed_dirty(g, sptep, spte, gfn, access == WRITE))
		return AGAIN;
	e->pages = 1ULL << 9 * (level - 1);
	e->first = gfn & -e->pages;
	e->gfn = gfn;
	e->frame = frame_of(((spte & FRAME_MASK) >> PAGE_SHIFT) + (gfn - e->first));
	e->writable = is_writable(spte);
	e->executable = is_executable(g, spte);
	e->dirty = access == WRITE;
	e->valid = true;
	return DONE;
}

static bool tlb_hits(const struct tlb_entry *e, gfn_t gfn, enum access access)
{
	if (!e->valid || e->gfn != gfn)
		return false;
	/* No write uses an entry that knows nothing of D. */
	return access == READ || (access == WRITE ? e->writable && e->dirty : e->executable);
}

/* One instruction, in guest mode. */
static int guest_access(struct guest *g, gfn_t gfn, enum access access, u64 *code)
{
	struct tlb_entry *e = &g->tlb[gfn % TLB_ENTRIES];
	int r = tlb_hits(e, gfn, access) ? DONE : walk(g, gfn, access, e, code);

	if (r != DONE)
		return r;
	check(page_of(e->frame) == gfn);
	if (access == WRITE) {
		atomic_put(&e->frame->written, 1);
		__atomic_fetch_add(&e->frame->value, 1, __ATOMIC_RELAXED);
		g->writes[gfn]++;
	} else {
		check(atomic_get(&e->frame->value) != POISON);
	}
	atomic_put(&g->accesses, g->accesses + 1);
	return DONE;
}

static void guest_hand_over(struct guest *g)
{
	u32 i;

	for (i = 0; i < g->nr_pml; i++)
		kvm_vcpu_mark_page_dirty(g->vcpu, g->pml[i]);
	g->nr_pml = 0;
}

static gfn_t pick_page(struct guest *g)
{
	return random_below(&g->random, 16) ? random_below(&g->random, MOVING) :
					      MOVING + random_below(&g->random, EXTRA);
}

/* @n accesses, of which each may take many attempts. */
static void guest_run(struct guest *g, u32 n)
{
	bool faulted, waits = false;
	enum access access = READ;
	gfn_t gfn = 0;
	u64 code = 0;
	int r;

	while (n || waits) {
		check(!kvm_vcpu_guest_enter(g->vcpu));
		faulted = false;
		while ((n || waits) && !faulted && !kvm_vcpu_must_exit(g->vcpu) &&
		       g->nr_pml < PML_ENTRIES) {
			if (!waits) {
				gfn = pick_page(g);
				access = random_below(&g->random, 3);
				n--;
			}
			r = guest_access(g, gfn, access, &code);
			faulted = r == FAULT;
			waits = r != DONE;
		}
		kvm_vcpu_guest_exit(g->vcpu);
		guest_hand_over(g);
		if (!faulted)
			continue;
		g->faults++;
		g->tlb[gfn % TLB_ENTRIES].valid = false;
		r = kvm_mmu_page_fault(g->vcpu, gfn << PAGE_SHIFT, code);
		check(r == RET_PF_FIXED || r == RET_PF_SPURIOUS || r == RET_PF_RETRY ||
		      (r == RET_PF_EMULATE && gfn >= MOVING));
		waits = r != RET_PF_EMULATE;
		/* Somebody is in the way, and may need this CPU to get on. */
		if (r == RET_PF_RETRY)
			sched_yield();
	}
}

#endif /* TESTS_NATIVE_GUEST_H */
