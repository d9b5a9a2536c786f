// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest access, until it is done: the hardware tries; what it cannot do it exits for; the MMU
 * answers; the guest is entered again.  One access is therefore a sequence of calls.
 */
#include "executor_internal.h"

/* Exits in a row that one access may take while nothing changes, retries not counted. */
#define MAX_EXITS	16

/**
 * exec_enter_guest() - have a vCPU run its guest
 * @x: executor
 * @vcpu: number of the vCPU
 *
 * Return: true if it does; false if it has no root and cannot get one.
 */
bool exec_enter_guest(struct executor *x, int vcpu)
{
	struct exec_vcpu *v = &x->vcpus[vcpu];

	if (!exec_resume_guest(x, vcpu, &v->in_guest))
		v->in_guest = !exec_vcpu_call(x, CALL_ENTER_GUEST, vcpu);
	return v->in_guest;
}

static void count_fault(struct exec_stats *stats, uint64_t error_code, int ret)
{
	stats->faults++;
	if (error_code & PFERR_FETCH_MASK)
		stats->faults_exec++;
	else if (error_code & PFERR_WRITE_MASK)
		stats->faults_write++;
	else
		stats->faults_read++;
	if (error_code & PFERR_RSVD_MASK)
		stats->faults_misconfig++;

	switch (ret) {
	case RET_PF_FIXED:
		stats->faults_fixed++;
		break;
	case RET_PF_SPURIOUS:
		stats->faults_spurious++;
		break;
	case RET_PF_EMULATE:
		stats->faults_emulate++;
		break;
	case RET_PF_WRITE_PROTECTED:
		stats->faults_tracked++;
		break;
	default:
		if (ret < 0)
			stats->faults_error++;
		else
			stats->faults_retry++;
	}
}

/*
 * KVM does the store itself and marks the page dirty.  Where there is no memory, or memory that the
 * VMM made read-only, the store is the VMM's to handle and changes nothing here.
 */
static void emulate_write(struct executor *x, int vcpu, uint64_t gfn)
{
	if (oracle_hw_emulated_write(x->oracle, vcpu, gfn))
		exec_mark_dirty(x, vcpu, gfn);
}

static void trace_access(struct executor *x, int vcpu, uint64_t gfn, enum hw_access access,
			 enum hw_result result, uint64_t error_code)
{
	struct exec_event ev = {
		.kind = EXEC_EV_ACCESS,
		.vcpu = vcpu,
		.gfn = gfn,
		.n = access,
		.val = result,
		.old = error_code,
	};

	exec_emit(x, &ev);
	exec_emit_violations(x);
}

static const char *answer_name(int ret)
{
	static const char *const names[] = {
		[RET_PF_CONTINUE] = "RET_PF_CONTINUE",
		[RET_PF_RETRY] = "RET_PF_RETRY",
		[RET_PF_EMULATE] = "RET_PF_EMULATE",
		[RET_PF_WRITE_PROTECTED] = "RET_PF_WRITE_PROTECTED",
		[RET_PF_INVALID] = "RET_PF_INVALID",
		[RET_PF_FIXED] = "RET_PF_FIXED",
		[RET_PF_SPURIOUS] = "RET_PF_SPURIOUS",
	};

	return ret >= 0 && ret < (int)ARRAY_SIZE(names) ? names[ret] : "an error";
}

/* Whether the fault's answer ends the access. */
static bool fault_ends_access(struct executor *x, int vcpu, uint64_t gfn, enum hw_access access,
			      int ret)
{
	switch (ret) {
	case RET_PF_RETRY:
	case RET_PF_FIXED:
	case RET_PF_SPURIOUS:
		return false;
	case RET_PF_EMULATE:
	case RET_PF_WRITE_PROTECTED:
		if (access == HW_WRITE)
			emulate_write(x, vcpu, gfn);
		return true;
	default:
		if (ret >= 0)
			oracle_report(x->oracle, 'P', gfn, 0, "a fault was answered by %s (%d)",
				      answer_name(ret), ret);
		return true;
	}
}

/**
 * exec_access() - one guest access, with all exits that it takes
 * @x: executor
 * @vcpu: number of the vCPU
 * @gfn: guest page
 * @access: read, write or instruction fetch
 *
 * An access that does not end is a violation of rule P; one that meets an error ends there, as a VMM
 * would stop the vCPU. Where the MMU was not able to answer, since somebody was in its way, others run
 * before the access is tried again.
 */
void exec_access(struct executor *x, int vcpu, uint64_t gfn, enum hw_access access)
{
	struct exec_vcpu *v = &x->vcpus[vcpu];
	int exits, answer = RET_PF_CONTINUE;
	uint64_t progress = 0;

	x->res->stats.accesses++;
	for (exits = 0; exits < MAX_EXITS; exits++) {
		struct hw_exit exit = { .gpa = gfn << PAGE_SHIFT };
		enum hw_result result;

		if (oracle_progress(x->oracle) != progress)
			exits = 0;
		progress = oracle_progress(x->oracle);
		if (!v->in_guest && !exec_enter_guest(x, vcpu))
			return;
		result = oracle_hw_access(x->oracle, vcpu, gfn, access, &exit);
		sim_poll();
		if (exec_tracing(x))
			trace_access(x, vcpu, gfn, access, result, exit.error_code);
		if (result == HW_DONE)
			return;
		v->in_guest = false;
		if (result == HW_NO_ROOT)
			continue;

		answer = exec_page_fault(x, vcpu, exit.gpa, exit.error_code);
		count_fault(&x->res->stats, exit.error_code, answer);
		if (fault_ends_access(x, vcpu, gfn, access, answer))
			return;
		if (answer == RET_PF_RETRY) {
			exits--;
			sim_retry(SIM_SITE);
		}
	}
	oracle_report(
		x->oracle, 'P', gfn, 0,
		"an access by vCPU %d did not end in %d exits; the last fault was answered by %s",
		vcpu, MAX_EXITS, answer_name(answer));
}

/**
 * exec_speculate() - hardware looks ahead
 * @x: executor
 * @vcpu: number of the vCPU
 * @gfn: guest page whose translation it may cache
 */
void exec_speculate(struct executor *x, int vcpu, uint64_t gfn)
{
	if (!x->vcpus[vcpu].in_guest && !exec_enter_guest(x, vcpu))
		return;
	oracle_hw_speculate(x->oracle, vcpu, gfn);
	sim_poll();
}

/**
 * exec_prefault() - KVM_PRE_FAULT_MEMORY
 * @x: executor
 * @vcpu: number of the vCPU
 * @gfn: first guest page
 * @n: number of pages
 *
 * Stops at the first error, as the ioctl does.
 */
void exec_prefault(struct executor *x, int vcpu, uint64_t gfn, uint64_t n)
{
	uint64_t end = gfn + n;

	x->vcpus[vcpu].in_guest = false;
	while (gfn < end) {
		int64_t mapped;

		if (!x->accesses_left) {
			x->res->truncated = true;
			return;
		}
		x->accesses_left--;
		x->res->stats.prefaults++;
		/* KVM reloads before each: a root may have become obsolete since. */
		if (exec_vcpu_call(x, CALL_ENTER_GUEST, vcpu))
			return;
		mapped = exec_pre_fault(x, vcpu, gfn, end - gfn);
		if (mapped <= 0)
			return;
		gfn += mapped;
	}
}
