// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule G: no SPTE without MMU-present holds a usable physical address on an L1TF host; MMIO SPTEs
 * round-trip gfn, access and generation; a stale generation or an update in progress causes a
 * re-fault, never an emulation.
 *
 * An MMIO SPTE may stay when a slot appears at its gfn: the generation in it is stale then. So what
 * is checked is how it is made, and that nobody emulates an access to a gfn that has a slot. A slot
 * that came while the access was looked at need not have been seen, nor a generation: two pass
 * with each change, four if the old slot is made invalid first.
 */
#include "rules.h"

#define PFERR_WRITE	(1ULL << 1)
#define PFERR_RSVD	(1ULL << 3)
#define RET_PF_EMULATE	2

static void check_mmio(struct oracle *o, const struct spte_event *ev)
{
	const struct mirror_table *root = mirror_table(o, ev->t->root);
	uint64_t gfn = fmt_mmio_gfn(&o->fmt, ev->val), gen = fmt_mmio_gen(&o->fmt, ev->val);
	bool unsure = oracle_current(o)->depth && o->region_step > oracle_current(o)->calls[0].step;
	int as = root && root->smm;
	uint64_t now = o->slots.gen[as] & o->fmt.gen_mask;

	if (ev->level != 1)
		oracle_report(o, 'G', ev->gfn, ev->val, "an MMIO SPTE at level %d", ev->level);
	else if (gfn != ev->gfn)
		oracle_report(o, 'G', ev->gfn, ev->val,
			      "an MMIO SPTE that reads back as gfn 0x%llx",
			      (unsigned long long)gfn);
	else if ((ev->val & o->fmt.mmio_access) != o->fmt.mmio_access)
		oracle_report(o, 'G', ev->gfn, ev->val, "an MMIO SPTE without all access bits");
	else if (!o->slots.gen_unsure[as] && !unsure &&
		 ((gen - now) & o->fmt.gen_mask) > 4 * (uint64_t)o->regions_open)
		oracle_report(o, 'G', ev->gfn, ev->val,
			      "an MMIO SPTE of generation 0x%llx; it is 0x%llx now",
			      (unsigned long long)gen, (unsigned long long)now);
}

void rule_g_spte(struct oracle *o, const struct spte_event *ev)
{
	if (ev->is || ev->val == o->fmt.nonpresent || ev->val == o->fmt.frozen)
		return;
	if (fmt_is_mmio(&o->fmt, ev->val))
		check_mmio(o, ev);
	else
		oracle_report(o, 'G', ev->gfn, ev->val,
			      "a non-present SPTE that is neither empty, frozen nor MMIO");
	if (!fmt_l1tf_safe(&o->fmt, ev->val))
		oracle_report(o, 'G', ev->gfn, ev->val,
			      "a non-present SPTE with a usable physical address");
}

void rule_g_call_end(struct oracle *o, const struct oracle_call *call)
{
	const struct slot *slot;

	if (call->kind != CALL_PAGE_FAULT || !(call->error_code & PFERR_RSVD) ||
	    call->ret != RET_PF_EMULATE || oracle_region_changed(o, oracle_call_step(o)))
		return;
	slot = slots_find(&o->slots, o->vcpus[call->vcpu].smm, call->gfn);
	if (slot && !((slot->desc.flags & SLOT_RO) && (call->error_code & PFERR_WRITE)))
		oracle_report(o, 'G', call->gfn, 0, "an access to memory is emulated as MMIO");
	/* With a slot it is a store to read-only memory, of which nothing is remembered. */
	if (!slot && call->mmio && call->mmio_gfn != call->gfn)
		oracle_report(o, 'G', call->gfn, 0, "MMIO is taken to be at gfn 0x%llx",
			      (unsigned long long)call->mmio_gfn);
}
