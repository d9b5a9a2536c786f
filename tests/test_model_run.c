// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model against the MMU: random calls, nothing between them but a page walker that sets A and
 * D, and no difference allowed after any call.  All configurations, refused allocations and yields
 * included.  TDP_MODEL_RUNS says how many programs (default 3000), TDP_MODEL_SEED which is first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <platform.h>
#include <tdp/tdp.h>

#include "model.h"

#define FIRST_PFN   0x400000ULL
#define CALLS	    60
#define VCPUS	    2
#define SLOTS	    4
#define GUEST_PAGES 0x80000ULL

struct world {
	uint64_t rng;
	uint64_t seed;
	struct vm_desc vm;
	struct model *model;
	struct kvm *kvm;
	struct kvm_vcpu *vcpu[VCPUS];
	uint8_t role[VCPUS];
	struct slot_desc slot[SLOTS];
	int host_level; /* of the host's mappings, where not broken */
	uint64_t broken[4];  /* 2M regions that the host maps small */
	bool host_read_only;
	uint64_t reports;
	int calls;
	char last[160];
	struct sim_thread thread;
	struct sim_choice choice[2];
	uint64_t *bitmap;
};

static struct world w;

static uint64_t rnd(uint64_t n)
{
	w.rng ^= w.rng << 13;
	w.rng ^= w.rng >> 7;
	w.rng ^= w.rng << 17;
	return (w.rng * 0x2545f4914f6cdd1dULL >> 20) % n;
}

/* ---- host ---- */

static int host_level(void *ctx, uint64_t hvn)
{
	unsigned int i;

	(void)ctx;
	for (i = 0; i < ARRAY_SIZE(w.broken); i++) {
		if (w.broken[i] == hvn >> 9)
			return 1;
		if (w.host_level == 3 && w.broken[i] >> 9 == hvn >> 18)
			return 2;
	}
	return w.host_level;
}

static bool is_device(uint64_t pfn)
{
	return pfn >= FIRST_PFN + GUEST_PAGES && pfn < FIRST_PFN + GUEST_PAGES + 0x400;
}

static bool host_is_mmio_pfn(void *ctx, uint64_t pfn)
{
	(void)ctx;
	return is_device(pfn);
}

static int host_fault_in(void *host, hvn_t hvn, bool write, bool *writable, kvm_pfn_t *pfn)
{
	(void)host;
	*writable = write || !w.host_read_only;
	*pfn = FIRST_PFN + hvn;
	model_ev_fault_in(w.model, hvn, write, 0, *writable, *pfn);
	return 0;
}

static int tdp_host_level(void *host, hvn_t hvn)
{
	return host_level(host, hvn);
}

static void host_set_dirty(void *host, kvm_pfn_t pfn)
{
	(void)host;
	model_ev_pfn_dirty(w.model, pfn);
}

static void host_set_accessed(void *host, kvm_pfn_t pfn)
{
	(void)host;
	model_ev_pfn_accessed(w.model, pfn);
}

static bool tdp_is_mmio_pfn(void *host, kvm_pfn_t pfn)
{
	return host_is_mmio_pfn(host, pfn);
}

static const struct tdp_host_ops host_ops = {
	.fault_in = host_fault_in,
	.mapping_level = tdp_host_level,
	.set_pfn_dirty = host_set_dirty,
	.set_pfn_accessed = host_set_accessed,
	.is_mmio_pfn = tdp_is_mmio_pfn,
};

/* ---- what the platform tells ---- */

static void on_spte(void *ctx, enum point_kind how, hpa_t pa, int level, u64 cur, u64 val, bool ok,
		    const struct sim_site *site)
{
	(void)ctx, (void)how, (void)level, (void)cur, (void)val, (void)site;
	if (ok)
		model_ev_spte(w.model, pa);
}

static void on_init(void *ctx, hpa_t pa, int level, int n, u64 first, u64 step,
		    const struct sim_site *site)
{
	(void)ctx, (void)level, (void)first, (void)step, (void)site;
	model_ev_sptes(w.model, pa, n);
}

static void on_freeze(void *ctx, enum point_kind how, hpa_t pa, int level, int n, u64 first,
		      u64 step, u64 frozen)
{
	(void)ctx, (void)how, (void)level, (void)first, (void)step, (void)frozen;
	model_ev_sptes(w.model, pa, n);
}

static void on_page(void *ctx, enum sim_page_event event, hpa_t pa, u64 fill)
{
	(void)ctx;
	if (event == SIM_PAGE_ALLOC)
		model_ev_page_alloc(w.model, pa, fill);
	else
		model_ev_page_free(w.model, pa);
}

static void on_flush(void *ctx, gfn_t gfn, u64 nr, const struct sim_site *site)
{
	(void)ctx, (void)site;
	model_ev_flush(w.model, gfn, nr);
}

static void on_kick(void *ctx, int req, const struct sim_site *site)
{
	(void)ctx, (void)site;
	model_ev_kick(w.model, req == TDP_REQ_FREE_OBSOLETE_ROOTS);
}

static void on_refused(void *ctx, bool page)
{
	(void)ctx;
	model_ev_refused(w.model, page);
}

static void fail_with(const char *what, const char *text)
{
	w.reports++;
	print_error("seed %llu, call %d, %s: %s: %s\n", (unsigned long long)w.seed, w.calls, w.last,
		    what, text);
}

static void on_warn(void *ctx, const char *cond, const struct sim_site *site)
{
	char where[160];

	(void)ctx;
	snprintf(where, sizeof(where), "WARN at %s:%d", site->file, site->line);
	fail_with(where, cond);
}

static const struct sim_observer observer = {
	.spte = on_spte,
	.init = on_init,
	.freeze = on_freeze,
	.page = on_page,
	.flush = on_flush,
	.kick = on_kick,
	.refused = on_refused,
	.warn = on_warn,
};

static const uint64_t *env_sptep(void *ctx, uint64_t pa)
{
	(void)ctx;
	return sim_spte_look(pa);
}

static void env_report(void *ctx, char rule, uint64_t gfn, uint64_t spte, const char *text)
{
	char what[80];

	(void)ctx, (void)spte;
	snprintf(what, sizeof(what), "rule %c, gfn %#llx", rule, (unsigned long long)gfn);
	fail_with(what, text);
}

static const struct model_env env = {
	.sptep = env_sptep,
	.mapping_level = host_level,
	.is_mmio_pfn = host_is_mmio_pfn,
	.report = env_report,
};

/* ---- calls ---- */

static void begin(struct oracle_call *call)
{
	uint32_t n = 0;

	w.calls++;
	if (!rnd(6))
		w.choice[n++] = (struct sim_choice){ .kind = POINT_ALLOC,
						     .action = SIM_FAIL,
						     .k = 1 + rnd(8) };
	if (!rnd(4))
		w.choice[n++] = (struct sim_choice){ .kind = POINT_RESCHED,
						     .action = SIM_RESCHED,
						     .k = 1 + rnd(6) };
	model_call_begin(w.model, call);
	sim_begin_op(&w.thread, w.choice, n);
}

static void end(struct oracle_call *call, long ret)
{
	struct oracle_stat stat;
	struct kvm_vm_stat s;

	sim_end_op();
	call->ret = ret;
	model_call_end(w.model, call);
	if (call->kind == CALL_DESTROY_VM)
		return;
	kvm_vm_get_stat(w.kvm, &s);
	stat = (struct oracle_stat){ { s.pages[0], s.pages[1], s.pages[2] },
				     s.nx_lpage_splits,
				     s.tdp_mmu_pages };
	model_check_stat(w.model, &stat);
}

#define CALL(call_, ...)                          \
	({                                        \
		struct oracle_call *c_ = (call_); \
		begin(c_);                        \
		long r_ = (__VA_ARGS__);          \
		end(c_, r_);                      \
		r_;                               \
	})
#define VOID(expr)    \
	({            \
		expr; \
		0;    \
	})

static u32 slot_number(uint8_t slot)
{
	return OP_SLOT_AS(slot) << 16 | OP_SLOT_ID(slot);
}

static long set_region(const struct slot_desc *d)
{
	struct oracle_call call = { .kind = CALL_SET_REGION, .region = *d };
	struct tdp_memory_region region = { .slot = d->as_id << 16 | d->id,
					    .flags = d->flags,
					    .base_gfn = d->base,
					    .npages = d->npages,
					    .hvn = d->hvn };

	snprintf(w.last, sizeof(w.last), "slot %u.%u base %#llx pages %#llx hvn %#llx flags %u",
		 d->as_id, d->id, (unsigned long long)d->base, (unsigned long long)d->npages,
		 (unsigned long long)d->hvn, d->flags);
	return CALL(&call, kvm_set_memory_region(w.kvm, &region));
}

static void vcpu_call(enum oracle_call_kind kind, int v)
{
	struct oracle_call call = {
		.kind = kind, .vcpu = v, .smm = w.role[v] & 1, .guest_mode = w.role[v] & 2
	};
	struct kvm_vcpu *vcpu = w.vcpu[v];
	long r;

	begin(&call);
	if (kind == CALL_ENTER_GUEST)
		r = kvm_vcpu_enter_guest(vcpu);
	else if (kind == CALL_MMU_LOAD)
		r = kvm_mmu_load(vcpu);
	else if (kind == CALL_MMU_UNLOAD)
		r = VOID(kvm_mmu_unload(vcpu));
	else
		r = kvm_vcpu_set_mode(vcpu, call.smm, call.guest_mode);
	call.root = kvm_vcpu_root_hpa(vcpu);
	end(&call, r);
}

static uint64_t me_mask(void)
{
	switch (w.vm.me) {
	case VM_ME_SME:
		return 1ULL << (w.vm.maxphyaddr >= 48 ? 47 : w.vm.maxphyaddr - 1);
	case VM_ME_TDX:
		return 3ULL << (w.vm.maxphyaddr - 2);
	default:
		return 0;
	}
}

/*
 * The walker: sets A and D where the access is allowed, else says why it is not.
 * Return: true if the access was performed.
 */
static bool walk(int v, uint64_t gfn, uint64_t access, uint64_t *error_code)
{
	bool ept = w.vm.mmu == VM_EPT, ad = !ept || w.vm.ad;
	uint64_t pa = kvm_vcpu_root_hpa(w.vcpu[v]), spte, want, x;
	u64 *sptep;
	int level;

	for (level = w.vm.levels;; level--) {
		sptep = sim_spte_ptr(pa + 8 * (gfn >> 9 * (level - 1) & 511));
		spte = *sptep;
		x = ept ? spte & 4 : (spte & 1) && !(spte >> 63);
		*error_code = access;
		if (ept ? (spte & 7) == 6 : (spte & 1) && (spte >> 51 & 1)) {
			*error_code = PFERR_RSVD_MASK | (ept ? 0 : access | 1);
			return false;
		}
		if (ept ? spte & 7 : spte & 1)
			*error_code |= PFERR_PRESENT_MASK;
		if (!(spte & 1) || ((access & PFERR_WRITE_MASK) && !(spte & 2)) ||
		    ((access & PFERR_FETCH_MASK) && !x))
			return false;
		if (level == 1 || (spte & 0x80))
			break;
		pa = spte & 0x000ffffffffff000ULL & ~me_mask();
	}
	want = spte;
	if (ad)
		want |= ept ? 0x100 : 0x20;
	if (ad && (access & PFERR_WRITE_MASK))
		want |= ept ? 0x200 : 0x40;
	if (want != spte) {
		pa = __pa(sptep);
		*sptep = want;
		model_ev_assist(w.model, pa, spte, want);
		if (w.vm.pml && ((spte ^ want) & 0x200)) {
			struct oracle_call call = { .kind = CALL_MARK_DIRTY,
						    .vcpu = v,
						    .gfn = gfn };

			CALL(&call, VOID(kvm_vcpu_mark_page_dirty(w.vcpu[v], gfn)));
		}
	}
	return true;
}

static uint64_t pick_gfn(void)
{
	static const uint64_t near[] = { 0,   1,    63,	     64,      511,     512,
					 513, 1023, 0x3ffff, 0x40000, 0x40001, 0x40200 };

	switch (rnd(6)) {
	case 0:
		return near[rnd(ARRAY_SIZE(near))];
	case 1:
		return rnd(1200);
	case 2:
		return GUEST_PAGES + rnd(0x500);
	case 3:
		return rnd(64);
	default:
		return rnd(0x50000);
	}
}

static void do_access_of(uint64_t gfn)
{
	static const uint64_t kinds[] = { PFERR_USER_MASK, PFERR_WRITE_MASK, PFERR_FETCH_MASK };
	struct oracle_call call = { .kind = CALL_PAGE_FAULT };
	uint64_t access = kinds[rnd(3)];
	int v = rnd(VCPUS), tries;
	long r;

	if (w.vm.mmu == VM_NPT)
		access |= PFERR_USER_MASK;
	snprintf(w.last, sizeof(w.last), "access %llx gfn %#llx vcpu %d",
		 (unsigned long long)access, (unsigned long long)gfn, v);
	for (tries = 0; tries < 6; tries++) {
		vcpu_call(CALL_ENTER_GUEST, v);
		if (kvm_vcpu_root_hpa(w.vcpu[v]) == INVALID_PAGE)
			continue;
		if (walk(v, gfn, access, &call.error_code))
			return;
		call.vcpu = v;
		call.gfn = gfn;
		r = CALL(&call, kvm_mmu_page_fault(w.vcpu[v], gfn << 12, call.error_code));
		if (r == RET_PF_EMULATE || r == RET_PF_WRITE_PROTECTED || r == -EFAULT)
			return;
	}
}

static void do_access(void)
{
	do_access_of(pick_gfn());
}

static void do_prefault(void)
{
	struct oracle_call call = {
		.kind = CALL_PRE_FAULT, .vcpu = rnd(VCPUS), .gfn = pick_gfn(), .n = 1 + rnd(600)
	};
	struct kvm_vcpu *vcpu = w.vcpu[call.vcpu];
	long r;

	begin(&call);
	r = kvm_arch_vcpu_pre_fault_memory(vcpu, call.gfn, call.n);
	call.root = kvm_vcpu_root_hpa(vcpu);
	end(&call, r);
}

static uint8_t pick_slot(struct slot_desc **d)
{
	*d = &w.slot[rnd(SLOTS)];
	return OP_SLOT((*d)->as_id, (*d)->id);
}

static void do_log_get(void)
{
	struct slot_desc *d;
	struct oracle_call call = { .kind = CALL_LOG_GET, .bitmap = w.bitmap };

	call.slot = pick_slot(&d);
	call.words = (GUEST_PAGES + 63) / 64;
	CALL(&call,
	     kvm_vm_ioctl_get_dirty_log(w.kvm, slot_number(call.slot), w.bitmap, call.words));
}

static void do_log_clear(void)
{
	struct slot_desc *d;
	struct oracle_call call = { .kind = CALL_LOG_CLEAR, .bitmap = w.bitmap };
	uint64_t i;

	call.slot = pick_slot(&d);
	call.gfn = rnd(rnd(2) && d->npages > 0x500 ? 0x500 : d->npages + 1) & ~63ULL;
	call.n = d->npages - call.gfn;
	if (call.n > 512 && rnd(4))
		call.n = 64 * (1 + rnd(8));
	if (!rnd(10))
		call.n += rnd(70);
	call.words = (call.n + 63) / 64;
	for (i = 0; i < call.words; i++)
		w.bitmap[i] = rnd(3) ? ~0ULL : rnd(2) ? rnd(~0ULL) : 1ULL << rnd(64);
	CALL(&call, kvm_vm_ioctl_clear_dirty_log(w.kvm, slot_number(call.slot), call.gfn, call.n,
						 w.bitmap));
}

static void do_slot(void)
{
	struct slot_desc *d, change;
	uint8_t slot = pick_slot(&d);
	long r;

	(void)slot;
	change = *d;
	switch (rnd(6)) {
	case 0:
		change.npages = 0;
		set_region(&change);
		if (!rnd(3))
			set_region(&change);
		set_region(d);
		return;
	case 1:
		change.base += (rnd(3) - (change.base >= 512)) * 512 + (rnd(4) ? 0 : 7);
		break;
	case 2:
		change.flags ^= SLOT_RO;
		break;
	default:
		change.flags ^= SLOT_LOG;
	}
	r = set_region(&change);
	if (!r)
		*d = change;
}

/* Faults that come while the host takes pages away; @depth more invalidations overlap this one. */
static void do_invalidate(uint64_t hvn, uint64_t n, uint64_t depth)
{
	struct oracle_call call = { .kind = CALL_INVALIDATE_START, .gfn = hvn, .n = n };

	CALL(&call, kvm_mmu_notifier_invalidate_range_start(w.kvm, hvn, hvn + n));
	if (!rnd(3))
		w.broken[rnd(ARRAY_SIZE(w.broken))] = rnd(2) ? hvn >> 9 : ~0ULL;
	if (!rnd(3))
		do_access_of(w.slot[0].base + hvn + rnd(n));
	if (depth)
		do_invalidate(rnd(GUEST_PAGES), 1 + rnd(0x400), depth - 1);
	do_access();
	call.kind = CALL_INVALIDATE_END;
	CALL(&call, kvm_mmu_notifier_invalidate_range_end(w.kvm, hvn, hvn + n));
}

static void do_hvn(void)
{
	struct slot_desc *d;
	struct oracle_call call = { 0 };
	uint64_t n = 1ULL << rnd(20);

	pick_slot(&d);
	call.gfn = d->hvn + rnd(d->npages);
	call.n = n;
	switch (rnd(4)) {
	case 0:
		call.kind = CALL_AGE;
		CALL(&call, kvm_mmu_notifier_clear_young(w.kvm, call.gfn, call.gfn + n));
		return;
	case 1:
		call.kind = CALL_TEST_AGE;
		CALL(&call, kvm_mmu_notifier_test_young(w.kvm, call.gfn, call.gfn + n));
		return;
	default:
		do_invalidate(call.gfn, n, rnd(3));
	}
}

static void do_vmm(void)
{
	struct slot_desc *d;
	struct oracle_call call = { .slot = pick_slot(&d) };

	call.gfn = d->base + rnd(rnd(2) ? 1200 : d->npages);
	call.level = 1 + rnd(3);
	switch (rnd(8)) {
	case 0:
		call.kind = CALL_SPLIT;
		CALL(&call,
		     kvm_mmu_slot_try_split_huge_pages(w.kvm, slot_number(call.slot), call.level));
		break;
	case 1:
		call.kind = CALL_WRITE_PROTECT;
		CALL(&call, kvm_mmu_slot_gfn_write_protect(w.kvm, slot_number(call.slot), call.gfn,
							   call.level));
		break;
	case 2:
		call.kind = CALL_TRACK;
		CALL(&call, kvm_write_track_add_gfn(w.kvm, slot_number(call.slot), call.gfn));
		if (rnd(4)) {
			do_access_of(call.gfn);
			do_access_of(call.gfn);
			call.kind = CALL_UNTRACK;
			CALL(&call,
			     kvm_write_track_remove_gfn(w.kvm, slot_number(call.slot), call.gfn));
		}
		break;
	case 3:
		call.kind = CALL_ZAP_RANGE;
		call.n = 1ULL << rnd(20);
		CALL(&call, kvm_zap_gfn_range(w.kvm, call.gfn, call.gfn + call.n));
		break;
	case 4:
		if (rnd(4))
			break;
		call.kind = CALL_ZAP_FAST;
		CALL(&call, VOID(kvm_mmu_zap_all_fast(w.kvm)));
		break;
	case 5:
	case 6:
		call.kind = CALL_NX_RECOVER;
		CALL(&call, kvm_recover_nx_huge_pages(w.kvm));
		break;
	default:
		if (rnd(4))
			break;
		call.kind = CALL_SET_NX;
		call.on = rnd(3);
		CALL(&call, kvm_set_nx_huge_pages(w.kvm, call.on));
	}
}

static void do_mode(void)
{
	int v = rnd(VCPUS);

	if (rnd(2)) {
		vcpu_call(rnd(2) ? CALL_MMU_LOAD : CALL_MMU_UNLOAD, v);
		return;
	}
	w.role[v] = rnd(4);
	vcpu_call(CALL_SET_MODE, v);
}

static void step(void)
{
	static const struct {
		unsigned int weight;
		void (*fn)(void);
		const char *name;
	} kinds[] = {
		{ 50, do_access, "access" },  { 5, do_prefault, "prefault" },
		{ 8, do_log_get, "log-get" }, { 8, do_log_clear, "log-clear" },
		{ 10, do_slot, "slot" },      { 10, do_hvn, "host" },
		{ 10, do_vmm, "vmm" },	      { 4, do_mode, "mode" },
	};
	unsigned int i, n = rnd(105);

	for (i = 0; n >= kinds[i].weight; i++)
		n -= kinds[i].weight;
	snprintf(w.last, sizeof(w.last), "%s", kinds[i].name);
	kinds[i].fn();
}

static void pick_vm(struct vm_desc *vm)
{
	*vm = (struct vm_desc){
		.mmu = rnd(3) ? VM_EPT : VM_NPT,
		.ad = rnd(3),
		.levels = 4 + rnd(2),
		.nx_huge_pages = rnd(2),
		.eager_split = rnd(2),
		.policy = rnd(3) ? VM_SPLIT : VM_ZAP,
		.exec_only = rnd(2),
		.l1tf = !rnd(4),
		.maxphyaddr = 48,
		.cachebits = 46,
		.gen = rnd(4) ? 0 : (rnd(2) ? 0x7fff0 : 0xf8),
		.manual_protect = rnd(2),
		.nx_ratio = rnd(4),
		.quirk_zap_all = rnd(2),
	};
	vm->gen &= ~1ULL;
	if (!rnd(3))
		vm->maxphyaddr = 40 + rnd(13);
	if (vm->l1tf && vm->maxphyaddr > vm->cachebits)
		vm->maxphyaddr = 44;
	if (!rnd(3))
		vm->me = vm->mmu == VM_NPT ? VM_ME_SME : VM_ME_TDX;
	/* What SME makes of MMIO entries and what L1TF moves in them would overlap. */
	if (vm->me == VM_ME_SME)
		vm->l1tf = false;
	vm->pml = vm->mmu == VM_EPT && vm->ad && rnd(2);
	vm->init_set = vm->manual_protect && rnd(2);
}

static void run(uint64_t seed)
{
	struct oracle_call call = { .kind = CALL_CREATE_VM };
	struct tdp_vm_config config;
	uint64_t i;

	w.seed = seed;
	w.rng = seed * 0x9e3779b97f4a7c15ULL + 1;
	w.calls = 0;
	memset(w.role, 0, sizeof(w.role));
	memset(w.broken, 0xff, sizeof(w.broken));
	pick_vm(&w.vm);
	w.host_level = 1 + rnd(3);
	w.host_read_only = !rnd(8);
	config = (struct tdp_vm_config){
		.mmu = w.vm.mmu == VM_EPT ? TDP_MMU_EPT : TDP_MMU_NPT,
		.ad = w.vm.ad,
		.root_level = w.vm.levels,
		.nx_huge_pages = w.vm.nx_huge_pages,
		.eager_page_split = w.vm.eager_split,
		.fault_policy = w.vm.policy == VM_SPLIT ? TDP_FAULT_SPLIT : TDP_FAULT_ZAP,
		.pml = w.vm.pml,
		.exec_only = w.vm.mmu == VM_EPT && w.vm.exec_only,
		.me_value = w.vm.me == VM_ME_SME ? me_mask() : 0,
		.me_mask = me_mask(),
		.l1tf = w.vm.l1tf,
		.maxphyaddr = w.vm.maxphyaddr,
		.cachebits = w.vm.cachebits,
		.memslots_generation = w.vm.gen,
		.manual_protect = w.vm.manual_protect,
		.init_set = w.vm.init_set,
		.nx_recovery_ratio = w.vm.nx_ratio,
		.quirk_slot_zap_all = w.vm.quirk_zap_all,
	};
	sim_reset();
	sim_set_observer(&observer);
	model_reset(w.model, &w.vm, &env);
	memset(&w.thread, 0, sizeof(w.thread));
	model_call_begin(w.model, &call);
	call.ret = kvm_create_vm(&config, &host_ops, NULL, &w.kvm);
	if (call.ret)
		fail_msg("kvm_create_vm: %ld", call.ret);
	model_call_end(w.model, &call);
	for (i = 0; i < VCPUS; i++) {
		call = (struct oracle_call){ .kind = CALL_CREATE_VCPU, .vcpu = i };
		model_call_begin(w.model, &call);
		call.ret = kvm_create_vcpu(w.kvm, &w.vcpu[i]);
		model_call_end(w.model, &call);
	}
	snprintf(w.last, sizeof(w.last), "slots");
	w.slot[0] = (struct slot_desc){ .id = 0, .npages = 0x40000 + rnd(2) * 0x40100, .hvn = 0 };
	/* Huge pages need congruent frames; words of the log need not begin where huge pages do. */
	w.slot[1] = (struct slot_desc){
		.id = 1, .base = GUEST_PAGES + 0x1c1 * rnd(3), .npages = 0x800, .hvn = GUEST_PAGES
	};
	if (rnd(2))
		w.slot[1].hvn = w.slot[1].base;
	w.slot[2] = (struct slot_desc){ .id = 0, .as_id = 1, .npages = 0x600, .hvn = rnd(2) };
	w.slot[3] = (struct slot_desc){ .id = 5,
					.base = GUEST_PAGES + 0x1000,
					.npages = 100,
					.flags = SLOT_RO,
					.hvn = 0x1000 };
	if (w.slot[0].npages > GUEST_PAGES)
		w.slot[0].npages = GUEST_PAGES;
	for (i = 0; i < SLOTS; i++)
		while (set_region(&w.slot[i]) == -ENOMEM)
			;
	for (i = 0; i < CALLS && !w.reports; i++)
		step();
	call = (struct oracle_call){ .kind = CALL_DESTROY_VM };
	snprintf(w.last, sizeof(w.last), "destroy");
	CALL(&call, VOID(kvm_destroy_vm(w.kvm)));
	if (sim_pages_in_use() || sim_allocs_in_use())
		fail_with("leak", "pages or allocations are left");
}

static uint64_t setting(const char *name, uint64_t value)
{
	const char *s = getenv(name);

	return s ? strtoull(s, NULL, 0) : value;
}

static void test_random_calls(void **state)
{
	uint64_t seed = setting("TDP_MODEL_SEED", 1), n = setting("TDP_MODEL_RUNS", 3000), i;

	(void)state;
	w.model = model_create();
	w.bitmap = calloc((GUEST_PAGES + 63) / 64 + 8, 8);
	for (i = 0; i < n && !w.reports; i++)
		run(seed + i);
	free(w.bitmap);
	model_destroy(w.model);
	assert_int_equal(w.reports, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
