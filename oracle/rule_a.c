// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule A: SPTE changes follow the protocol. A frozen SPTE's value is changed only by who froze it;
 * no live leaf is overwritten without its old value being accounted.
 *
 * "Accounted" asks for an atomic access wherever the old value may have changed since it was read:
 * that is decided by the leaf's bits alone (fmt_volatile()), so a plain store is wrong whether or
 * not something came between in this run. KVM uses neither A of non-leaf SPTEs nor cares to keep
 * it: they are exempt.
 */
#include "rules.h"

void rule_a_spte(struct oracle *o, const struct spte_event *ev)
{
	struct thread_state *t = oracle_current(o);

	/* Exchanging "frozen" for itself is how the owner of a removed table waits for its turn. */
	if (ev->old == o->fmt.frozen && ev->val != o->fmt.frozen && t->frozen != ev->pa)
		oracle_report(o, 'A', ev->gfn, ev->val,
			      "a frozen SPTE is changed by a thread that did not freeze it");
	if (ev->val == o->fmt.frozen) {
		/*
		 * What is frozen by who removed the table stays so: he may still have to change the SPTE
		 * above that he froze to remove it. A walk that was in the table before may zap there
		 * until he comes by; he waits for it.
		 */
		if (ev->old != o->fmt.frozen &&
		    (ev->t->linked || ev->t->is_root || ev->t->unlinked_by != o->thread))
			t->frozen = ev->pa;
	} else if (t->frozen == ev->pa) {
		t->frozen = MIRROR_NONE;
	}

	if (ev->how == ORACLE_WRITE && ev->was_leaf && fmt_volatile(&o->fmt, ev->old))
		oracle_report(o, 'A', ev->gfn, ev->old,
			      "a plain store overwrites a leaf that may be changing meanwhile");
}
