// SPDX-License-Identifier: GPL-2.0-only
/*
 * Most entries of the guest find everything as it was: the vCPU goes on with the root that it has.
 * Such a call has one right outcome, which needs no model of what it does, only a look at whether
 * it did anything.
 */
#include "mirror_internal.h"
#include "oracle_internal.h"
#include "rules.h"

/**
 * oracle_may_resume() - is entering the guest bound to change nothing?
 * @o: oracle
 * @vcpu: the vCPU, which is not in the guest
 * @resume: result, for oracle_resumed()
 *
 * It is if no other thread can be concerned, and the vCPU has a valid root, no request to answer
 * and nothing to hand over. Nothing may come between this and oracle_resumed() but the call.
 *
 * Return: oracle_resumed() can stand for oracle_call_begin() and _end() of CALL_ENTER_GUEST.
 */
bool oracle_may_resume(const struct oracle *o, int vcpu, struct oracle_resume *resume)
{
	const struct vcpu *v = &o->vcpus[vcpu];
	const struct mirror_table *t;

	if (o->calls_open || o->invalidations || v->entered || v->executing || v->must_load ||
	    v->drained != v->logged || hw_others_executing(o))
		return false;
	t = v->root == MIRROR_NONE ? NULL : mirror_at(o->mirror, v->root);
	if (!t || !t->live || !t->valid || t->gen != v->root_gen)
		return false;
	if (o->predict && !model_may_resume(o->model, vcpu, v->root))
		return false;
	resume->step = o->step;
	resume->requests = o->requests;
	return true;
}

/**
 * oracle_resumed() - a vCPU was let into the guest, where oracle_may_resume() said yes
 * @o: oracle
 * @vcpu: the vCPU
 * @resume: what oracle_may_resume() noted
 * @ret: what kvm_vcpu_enter_guest() returned
 * @root: the vCPU's root now
 *
 * The same as the call's begin and end, in the hash as well.
 *
 * Return: whether the guest runs.
 */
bool oracle_resumed(struct oracle *o, int vcpu, const struct oracle_resume *resume, long ret,
		    uint64_t root)
{
	struct vcpu *v = &o->vcpus[vcpu];

	if (o->step != resume->step || o->requests != resume->requests)
		oracle_report(o, 'M', NO_GFN, 0,
			      "enter-guest: changed something, though vCPU %d had its root", vcpu);
	if (ret)
		oracle_report(o, 'M', NO_GFN, 0, "enter-guest: returned %ld, should return 0", ret);
	if (root != v->root)
		oracle_report(o, 'M', NO_GFN, 0,
			      "enter-guest: root at 0x%llx, should be the one at 0x%llx",
			      (unsigned long long)root, (unsigned long long)v->root);
	oracle_mix(o, (uint64_t)CALL_ENTER_GUEST << 32 | (uint64_t)vcpu << 16, 0);
	oracle_mix(o, (uint64_t)ret, root);
	o->step += 2;
	rule_l_call_end(o, NULL);
	v->entered = !ret && root == v->root;
	return v->entered;
}
