// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of the MMU's interface.  Each is shown to the oracle before it is made and again with its
 * answer; nothing else in the executor calls the MMU.
 */
#include "executor_internal.h"
#include "vm_config.h"

/* More points than kvm_vcpu_enter_guest() and a look at the statistics pass if there is a root. */
#define RESUME_POINTS	16

static EXEC_TRACES void call_trace_begin(struct executor *x, const struct oracle_call *call)
{
	struct exec_event ev = { .kind = EXEC_EV_CALL, .call = call };

	exec_emit(x, &ev);
}

static void call_begin(struct executor *x, const struct oracle_call *call)
{
	if (exec_tracing(x))
		call_trace_begin(x, call);
	if (x->opts->call)
		x->opts->call(x->opts->ctx, NULL);
	x->calls_open++;
	oracle_call_begin(x->oracle, call);
}

static EXEC_TRACES void call_trace_end(struct executor *x, const struct oracle_call *call)
{
	struct exec_event ev = { .kind = EXEC_EV_RETURN, .call = call };

	exec_emit(x, &ev);
	exec_emit_violations(x);
}

static long call_end(struct executor *x, struct oracle_call *call, long ret)
{
	call->ret = ret;
	if (ret < 0)
		x->res->stats.errors++;
	if (x->opts->call)
		x->opts->call(x->opts->ctx, call);
	x->calls_open--;
	oracle_call_end(x->oracle, call);
	if (exec_tracing(x))
		call_trace_end(x, call);
	return ret;
}

static void check_stat(struct executor *x)
{
	uint64_t switches = sim.switches;
	struct kvm_page_stat stat;
	struct oracle_stat seen;

	kvm_vm_get_page_stat(x->kvm, &stat);
	/* They are at rest unless another thread is in a call. */
	if (x->calls_open || sim.switches != switches)
		return;
	seen = (struct oracle_stat){
		.pages = { stat.pages[0], stat.pages[1], stat.pages[2] },
		.nx_lpage_splits = stat.nx_lpage_splits,
		.tdp_mmu_pages = stat.tdp_mmu_pages,
	};
	oracle_check_stat(x->oracle, &seen);
}

/* As call_end(), where the VM is there and this is not within another call of the thread. */
static long call_end_stat(struct executor *x, struct oracle_call *call, long ret)
{
	call_end(x, call, ret);
	check_stat(x);
	return ret;
}

/**
 * exec_resume_guest() - enter the guest with the root that is there, unwatched
 * @x: executor
 * @vcpu: number of the vCPU
 * @running: result: whether it runs
 *
 * Return: false if that takes exec_vcpu_call(); nothing was done then.
 */
bool exec_resume_guest(struct executor *x, int vcpu, bool *running)
{
	struct kvm_vcpu *v = x->vcpus[vcpu].vcpu;
	struct oracle_resume resume;
	int ret;

	if (exec_tracing(x) || !sim_undisturbed(RESUME_POINTS) ||
	    !oracle_may_resume(x->oracle, vcpu, &resume))
		return false;
	ret = kvm_vcpu_enter_guest(v);
	*running = oracle_resumed(x->oracle, vcpu, &resume, ret, kvm_vcpu_root_hpa(v));
	check_stat(x);
	return true;
}

int exec_create_vm(struct executor *x)
{
	struct tdp_vm_config config = vm_config(&x->vm);
	struct oracle_call call = { .kind = CALL_CREATE_VM };

	call_begin(x, &call);
	return call_end(x, &call, kvm_create_vm(&config, &exec_host_ops, x, &x->kvm));
}

int exec_create_vcpu(struct executor *x, int vcpu)
{
	struct oracle_call call = { .kind = CALL_CREATE_VCPU, .vcpu = vcpu };

	call_begin(x, &call);
	return call_end_stat(x, &call, kvm_create_vcpu(x->kvm, &x->vcpus[vcpu].vcpu));
}

void exec_destroy_vm(struct executor *x)
{
	struct oracle_call call = { .kind = CALL_DESTROY_VM };

	call_begin(x, &call);
	SIM_ACQUIRE(x);
	kvm_destroy_vm(x->kvm);
	x->kvm = NULL;
	call_end(x, &call, 0);
}

int exec_set_region(struct executor *x, const struct slot_desc *slot)
{
	struct oracle_call call = {
		.kind = CALL_SET_REGION,
		.slot = OP_SLOT(slot->as_id, slot->id),
		.region = *slot,
	};
	struct tdp_memory_region region = {
		.slot = (u32)slot->as_id << 16 | slot->id,
		.flags = (slot->flags & SLOT_LOG ? KVM_MEM_LOG_DIRTY_PAGES : 0) |
			 (slot->flags & SLOT_RO ? KVM_MEM_READONLY : 0),
		.base_gfn = slot->base,
		.npages = slot->npages,
		.hvn = slot->hvn,
	};

	call_begin(x, &call);
	return call_end_stat(x, &call, kvm_set_memory_region(x->kvm, &region));
}

/* Calls about a vCPU's root: CALL_ENTER_GUEST, _MMU_LOAD, _MMU_UNLOAD, _SET_MODE (to the modes it has now). */
int exec_vcpu_call(struct executor *x, enum oracle_call_kind kind, int vcpu)
{
	struct exec_vcpu *v = &x->vcpus[vcpu];
	struct oracle_call call = {
		.kind = kind,
		.vcpu = vcpu,
		.smm = v->smm,
		.guest_mode = v->guest_mode,
	};
	int ret = 0;

	exec_wait_for_drain(x, vcpu);
	call_begin(x, &call);
	switch (kind) {
	case CALL_ENTER_GUEST:
		ret = kvm_vcpu_enter_guest(v->vcpu);
		break;
	case CALL_MMU_LOAD:
		ret = kvm_mmu_load(v->vcpu);
		break;
	case CALL_MMU_UNLOAD:
		kvm_mmu_unload(v->vcpu);
		break;
	default:
		ret = kvm_vcpu_set_mode(v->vcpu, v->smm, v->guest_mode);
		break;
	}
	call.root = kvm_vcpu_root_hpa(v->vcpu);
	return call_end_stat(x, &call, ret);
}

int exec_page_fault(struct executor *x, int vcpu, uint64_t gpa, uint64_t error_code)
{
	struct oracle_call call = {
		.kind = CALL_PAGE_FAULT,
		.vcpu = vcpu,
		.gfn = gpa >> PAGE_SHIFT,
		.error_code = error_code,
	};

	int ret;

	exec_wait_for_drain(x, vcpu);
	call_begin(x, &call);
	ret = kvm_mmu_page_fault(x->vcpus[vcpu].vcpu, gpa, error_code);
	call.mmio = ret == RET_PF_EMULATE && (error_code & PFERR_RSVD_MASK);
	if (call.mmio)
		call.mmio_gfn = kvm_vcpu_mmio_gfn(x->vcpus[vcpu].vcpu);
	return call_end_stat(x, &call, ret);
}

int64_t exec_pre_fault(struct executor *x, int vcpu, uint64_t gfn, uint64_t n)
{
	struct oracle_call call = { .kind = CALL_PRE_FAULT, .vcpu = vcpu, .gfn = gfn, .n = n };
	int64_t ret;

	exec_wait_for_drain(x, vcpu);
	call_begin(x, &call);
	ret = kvm_arch_vcpu_pre_fault_memory(x->vcpus[vcpu].vcpu, gfn, n);
	call.root = kvm_vcpu_root_hpa(x->vcpus[vcpu].vcpu);
	return call_end_stat(x, &call, ret);
}

/* A PML drain comes in the middle of other calls, so the statistics are not looked at. */
void exec_mark_dirty(struct executor *x, int vcpu, uint64_t gfn)
{
	struct oracle_call call = { .kind = CALL_MARK_DIRTY, .vcpu = vcpu, .gfn = gfn };

	call_begin(x, &call);
	kvm_vcpu_mark_page_dirty(x->vcpus[vcpu].vcpu, gfn);
	call_end(x, &call, 0);
}

/* Calls about a range: of host pages for CALL_INVALIDATE_* and CALL_*AGE, of gfns for CALL_ZAP_RANGE. */
int exec_range_call(struct executor *x, enum oracle_call_kind kind, uint64_t start, uint64_t n)
{
	struct oracle_call call = { .kind = kind, .gfn = start, .n = n };
	int ret;

	call_begin(x, &call);
	switch (kind) {
	case CALL_INVALIDATE_START:
		ret = kvm_mmu_notifier_invalidate_range_start(x->kvm, start, start + n);
		break;
	case CALL_INVALIDATE_END:
		ret = kvm_mmu_notifier_invalidate_range_end(x->kvm, start, start + n);
		break;
	case CALL_AGE:
		ret = kvm_mmu_notifier_clear_young(x->kvm, start, start + n);
		break;
	case CALL_TEST_AGE:
		ret = kvm_mmu_notifier_test_young(x->kvm, start, start + n);
		break;
	default:
		ret = kvm_zap_gfn_range(x->kvm, start, start + n);
		break;
	}
	return call_end_stat(x, &call, ret);
}

/* The MMU's slot number: libtdp's has the address space in its upper half, as the kernel's. */
static u32 slot_number(uint8_t slot)
{
	return (u32)OP_SLOT_AS(slot) << 16 | OP_SLOT_ID(slot);
}

/* CALL_SPLIT (@level), CALL_WRITE_PROTECT (@gfn, @level), CALL_TRACK and CALL_UNTRACK (@gfn) */
int exec_slot_call(struct executor *x, enum oracle_call_kind kind, uint8_t slot, uint64_t gfn,
		   uint8_t level)
{
	struct oracle_call call = { .kind = kind, .slot = slot, .gfn = gfn, .level = level };
	u32 number = slot_number(slot);
	int ret;

	call_begin(x, &call);
	switch (kind) {
	case CALL_SPLIT:
		ret = kvm_mmu_slot_try_split_huge_pages(x->kvm, number, level);
		break;
	case CALL_WRITE_PROTECT:
		ret = kvm_mmu_slot_gfn_write_protect(x->kvm, number, gfn, level);
		break;
	case CALL_TRACK:
		ret = kvm_write_track_add_gfn(x->kvm, number, gfn);
		break;
	default:
		ret = kvm_write_track_remove_gfn(x->kvm, number, gfn);
		break;
	}
	return call_end_stat(x, &call, ret);
}

int exec_log_get(struct executor *x, uint8_t slot, uint64_t *bitmap, size_t words)
{
	struct oracle_call call = {
		.kind = CALL_LOG_GET,
		.slot = slot,
		.bitmap = bitmap,
		.words = words,
	};

	call_begin(x, &call);
	return call_end_stat(x, &call,
			     kvm_vm_ioctl_get_dirty_log(x->kvm, slot_number(slot), bitmap, words));
}

int exec_log_clear(struct executor *x, uint8_t slot, uint64_t first, uint64_t n, uint64_t *bitmap)
{
	struct oracle_call call = {
		.kind = CALL_LOG_CLEAR,
		.slot = slot,
		.gfn = first,
		.n = n,
		.bitmap = bitmap,
		.words = (n + 63) / 64,
	};

	call_begin(x, &call);
	return call_end_stat(x, &call,
			     kvm_vm_ioctl_clear_dirty_log(x->kvm, slot_number(slot), first, n,
							  bitmap));
}

/* CALL_ZAP_FAST, CALL_NX_RECOVER, CALL_SET_NX (@on) */
int exec_vm_call(struct executor *x, enum oracle_call_kind kind, bool on)
{
	struct oracle_call call = { .kind = kind, .on = on };
	int ret = 0;

	call_begin(x, &call);
	switch (kind) {
	case CALL_ZAP_FAST:
		kvm_mmu_zap_all_fast(x->kvm);
		break;
	case CALL_NX_RECOVER:
		ret = kvm_recover_nx_huge_pages(x->kvm);
		break;
	default:
		ret = kvm_set_nx_huge_pages(x->kvm, on);
		break;
	}
	return call_end_stat(x, &call, ret);
}
