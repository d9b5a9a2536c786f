// SPDX-License-Identifier: GPL-2.0-only
/* The VM of a test: made, asked for what ioctls ask, and destroyed without anything left. */
#include "vm.h"

#include <stdlib.h>
#include <string.h>

#include "vm_config.h"

/* The platform's world is one: one VM at a time. */
static struct tdp_vm the_vm;

static void on_flush(void *ctx, gfn_t gfn, u64 nr, const struct sim_site *site)
{
	struct tdp_vm *vm = ctx;

	(void)site;
	vm->flushed = true;
	checks_flush(vm);
	guest_flush(vm, gfn, nr ? nr : ~0ULL);
	vm_wait_for_cpus(vm);
}

static void on_kick(void *ctx, int req, const struct sim_site *site)
{
	(void)site;
	guest_drain(ctx);
	if (req != TDP_REQ_DRAIN)
		vm_wait_for_cpus(ctx);
}

static void on_warn(void *ctx, const char *cond, const struct sim_site *site)
{
	struct tdp_vm *vm = ctx;

	kunit_fail(vm->test, site->file, site->line, cond, "rule !: a WARN of the kernel's");
}

static void on_fatal(void *ctx, char rule, const char *what, hpa_t pa)
{
	struct tdp_vm *vm = ctx;

	vm->dead = true;
	kunit_fail(vm->test, "the run", 0, "the test to end", "rule %c: %s (%#llx)", rule, what,
		   (unsigned long long)pa);
	/* A thread's own stack is left by the platform. */
	if (!vm->interleaved)
		kunit_abort(vm->test);
}

static const char *on_stuck(void *ctx, const struct sim_stuck *stuck)
{
	(void)ctx;
	return stuck->spins ? stuck->spins : "a deadlock";
}

static struct sim_observer observer = {
	.point = checks_point,
	.spte = checks_spte,
	.flush = on_flush,
	.kick = on_kick,
	.warn = on_warn,
	.fatal = on_fatal,
	.stuck = on_stuck,
};

static void vm_destroy(struct tdp_vm *vm)
{
	if (!vm->kvm)
		return;
	if (vm->dead) {
		vm->kvm = NULL;
		return;
	}
	vm_begin(vm);
	kvm_destroy_vm(vm->kvm);
	vm_end(vm);
	vm->kvm = NULL;
	KUNIT_EXPECT_TRUE_MSG(vm->test, !sim_pages_in_use(), "rule L: %llu page tables are left",
			      (unsigned long long)sim_pages_in_use());
	KUNIT_EXPECT_TRUE_MSG(vm->test, !sim_allocs_in_use(), "rule L: %llu objects are left",
			      (unsigned long long)sim_allocs_in_use());
}

static void cleanup(void *ctx)
{
	struct tdp_vm *vm = ctx;

	vm_destroy(vm);
	sim_set_observer(NULL);
	sim_alone(false);
	sim_reset();
	free(vm->host);
	free(vm->dirty_pfns);
	free(vm->log);
}

static struct vm_desc describe(const struct tdp_vm_params *p)
{
	return (struct vm_desc){
		.mmu = p->npt ? VM_NPT : VM_EPT,
		.ad = !p->ad_off,
		.levels = p->levels ? p->levels : 4,
		.nx_huge_pages = !p->nx_off,
		.eager_split = p->eager_split,
		.pml = p->pml,
		.exec_only = !p->exec_only_off,
		.me = (enum vm_me)p->me,
		.l1tf = p->l1tf,
		.maxphyaddr = p->maxphyaddr ? p->maxphyaddr : 46,
		.cachebits = p->cachebits ? p->cachebits : 46,
		.gen = p->gen,
		.seq = p->seq,
		.manual_protect = p->manual_protect,
		.init_set = p->init_set,
		.nx_ratio = p->nx_ratio == TDP_NX_RATIO_NONE ? 0 :
			    p->nx_ratio			     ? p->nx_ratio :
							       60,
		.quirk_zap_all = !p->zap_all_quirk_off,
	};
}

struct tdp_vm *tdp_vm_create(struct kunit *test, const struct tdp_vm_params *params)
{
	struct vm_desc desc = describe(params);
	struct tdp_vm_config config = vm_config(&desc);
	struct tdp_vm *vm = &the_vm;
	int i, r;

	memset(vm, 0, sizeof(*vm));
	vm->test = test;
	vm->pml = params->pml;
	vm->levels = desc.levels;
	vm->nr_cpus = params->vcpus ? params->vcpus : 1;
	format_init(&vm->fmt, &desc);
	test->cleanup = cleanup;
	test->ctx = vm;
	observer.ctx = vm;
	sim_alone(true);
	sim_reset();
	sim_set_observer(&observer);
	vm_begin(vm);
	r = kvm_create_vm(&config, &vm_host_ops, vm, &vm->kvm);
	for (i = 0; !r && i < vm->nr_cpus; i++)
		r = kvm_create_vcpu(vm->kvm, &vm->cpu[i].vcpu);
	vm_end(vm);
	if (r) {
		kunit_fail(test, __FILE_NAME__, __LINE__, "a VM", "error %d", r);
		kunit_abort(test);
	}
	return vm;
}

void tdp_destroy(struct tdp_vm *vm)
{
	vm_destroy(vm);
}

#define CALL(vm, call)            \
	({                        \
		int r_;           \
		vm_begin(vm);     \
		r_ = (call);      \
		vm_end(vm);       \
		r_;               \
	})

#define CALL_VOID(vm, call)  CALL(vm, ((call), 0))

/* ---- slots ---- */

static u32 number(int as, int id)
{
	return (u32)as << 16 | id;
}

struct tdp_slot *vm_slot(struct tdp_vm *vm, int as, int id)
{
	if (as < 0 || as > 1 || id < 0 || id >= VM_SLOTS || !vm->slots[as][id].used)
		return NULL;
	return &vm->slots[as][id].desc;
}

struct tdp_slot *vm_slot_of(struct tdp_vm *vm, int as, u64 gfn)
{
	int i;

	for (i = 0; i < VM_SLOTS; i++) {
		struct tdp_slot *s = vm_slot(vm, as, i);

		if (s && gfn - s->base < s->pages)
			return s;
	}
	return NULL;
}

bool vm_logs(struct tdp_vm *vm)
{
	int as, i;

	for (as = 0; as < 2; as++)
		for (i = 0; i < VM_SLOTS; i++)
			if (vm_slot(vm, as, i) && vm_slot(vm, as, i)->flags & TDP_LOG)
				return true;
	return false;
}

static int slot_set(struct tdp_vm *vm, const struct tdp_slot *slot)
{
	struct tdp_memory_region region = {
		.slot = number(slot->as, slot->id),
		.flags = slot->flags,
		.base_gfn = slot->base,
		.npages = slot->pages,
		.hvn = slot->hpage,
	};
	int r = CALL(vm, kvm_set_memory_region(vm->kvm, &region));

	if (!r) {
		vm->slots[slot->as][slot->id].used = slot->pages;
		vm->slots[slot->as][slot->id].desc = *slot;
	}
	return r;
}

int tdp_slot_add(struct tdp_vm *vm, const struct tdp_slot *slot)
{
	return slot_set(vm, slot);
}

int tdp_slot_delete(struct tdp_vm *vm, int as, int id)
{
	struct tdp_slot *s = vm_slot(vm, as, id), gone = { 0 };

	if (s)
		gone = *s;
	gone.as = as;
	gone.id = id;
	gone.pages = 0;
	return slot_set(vm, &gone);
}

int tdp_slot_move(struct tdp_vm *vm, int as, int id, u64 base)
{
	struct tdp_slot *s = vm_slot(vm, as, id), moved;

	if (!s)
		return -EINVAL;
	moved = *s;
	moved.base = base;
	return slot_set(vm, &moved);
}

int tdp_slot_flags(struct tdp_vm *vm, int as, int id, u32 flags)
{
	struct tdp_slot *s = vm_slot(vm, as, id), changed;

	if (!s)
		return -EINVAL;
	changed = *s;
	changed.flags = flags;
	return slot_set(vm, &changed);
}

int tdp_log_start(struct tdp_vm *vm, int as, int id)
{
	struct tdp_slot *s = vm_slot(vm, as, id);

	return tdp_slot_flags(vm, as, id, (s ? s->flags : 0) | TDP_LOG);
}

int tdp_log_stop(struct tdp_vm *vm, int as, int id)
{
	struct tdp_slot *s = vm_slot(vm, as, id);

	return tdp_slot_flags(vm, as, id, (s ? s->flags : 0) & ~TDP_LOG);
}

/* ---- dirty log ---- */

int tdp_log_get(struct tdp_vm *vm, int as, int id)
{
	struct tdp_slot *s = vm_slot(vm, as, id);
	size_t words;

	vm->log_pages = s ? s->pages : 64;
	words = (vm->log_pages + 63) / 64;
	free(vm->log);
	vm->log = calloc(words, sizeof(*vm->log));
	if (!vm->log)
		abort();
	return CALL(vm, kvm_vm_ioctl_get_dirty_log(vm->kvm, number(as, id), vm->log, words));
}

int tdp_log_clear(struct tdp_vm *vm, int as, int id, u64 gfn, u64 n)
{
	struct tdp_slot *s = vm_slot(vm, as, id);
	u64 pages = s ? s->pages : 64, base = s ? s->base : 0;
	u64 start = gfn > base ? gfn - base : 0;
	u64 end = gfn + n > base ? gfn + n - base : 0;
	u64 first, last, i, *bitmap;
	int r;

	end = end < pages ? end : pages;
	if (start >= end) {
		u64 none = 0;

		return CALL(vm, kvm_vm_ioctl_clear_dirty_log(vm->kvm, number(as, id),
							     (pages + 127) & ~63ULL, 64, &none));
	}
	first = start & ~63ULL;
	last = (end + 63) & ~63ULL;
	last = last < pages ? last : pages;
	bitmap = calloc((last - first + 63) / 64, sizeof(*bitmap));
	if (!bitmap)
		abort();
	for (i = start - first; i < end - first; i++)
		bitmap[i / 64] |= 1ULL << i % 64;
	r = CALL(vm, kvm_vm_ioctl_clear_dirty_log(vm->kvm, number(as, id), first, last - first,
						  bitmap));
	free(bitmap);
	return r;
}

/* ---- the others ---- */

int tdp_split(struct tdp_vm *vm, int as, int id, enum tdp_level level)
{
	return CALL(vm, kvm_mmu_slot_try_split_huge_pages(vm->kvm, number(as, id), level));
}

int tdp_write_protect(struct tdp_vm *vm, int as, int id, u64 gfn, enum tdp_level level)
{
	return CALL(vm, kvm_mmu_slot_gfn_write_protect(vm->kvm, number(as, id), gfn, level));
}

int tdp_track(struct tdp_vm *vm, int as, int id, u64 gfn)
{
	return CALL(vm, kvm_write_track_add_gfn(vm->kvm, number(as, id), gfn));
}

int tdp_untrack(struct tdp_vm *vm, int as, int id, u64 gfn)
{
	return CALL(vm, kvm_write_track_remove_gfn(vm->kvm, number(as, id), gfn));
}

void tdp_zap_range(struct tdp_vm *vm, u64 gfn, u64 pages)
{
	CALL(vm, kvm_zap_gfn_range(vm->kvm, gfn, gfn + pages));
}

void tdp_zap_fast(struct tdp_vm *vm)
{
	CALL_VOID(vm, kvm_mmu_zap_all_fast(vm->kvm));
}

void tdp_nx_recover(struct tdp_vm *vm)
{
	CALL(vm, kvm_recover_nx_huge_pages(vm->kvm));
}

void tdp_nx_toggle(struct tdp_vm *vm, bool on)
{
	CALL(vm, kvm_set_nx_huge_pages(vm->kvm, on));
}

/* ---- vCPUs ---- */

int tdp_root_load(struct tdp_vm *vm, int vcpu)
{
	return CALL(vm, kvm_mmu_load(vm->cpu[vcpu].vcpu));
}

void tdp_root_unload(struct tdp_vm *vm, int vcpu)
{
	CALL_VOID(vm, kvm_mmu_unload(vm->cpu[vcpu].vcpu));
}

static void set_mode(struct tdp_vm *vm, int vcpu, bool smm, bool guest_mode)
{
	struct guest_cpu *c = &vm->cpu[vcpu];

	c->smm = smm;
	c->guest_mode = guest_mode;
	CALL(vm, kvm_vcpu_set_mode(c->vcpu, smm, guest_mode));
}

void tdp_smm_enter(struct tdp_vm *vm, int vcpu)
{
	set_mode(vm, vcpu, true, vm->cpu[vcpu].guest_mode);
}

void tdp_smm_leave(struct tdp_vm *vm, int vcpu)
{
	set_mode(vm, vcpu, false, vm->cpu[vcpu].guest_mode);
}

void tdp_guest_enter(struct tdp_vm *vm, int vcpu)
{
	set_mode(vm, vcpu, vm->cpu[vcpu].smm, true);
}

void tdp_guest_leave(struct tdp_vm *vm, int vcpu)
{
	set_mode(vm, vcpu, vm->cpu[vcpu].smm, false);
}
