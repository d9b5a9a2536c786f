// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule U: no page-table page is used, by software or by the hardware walker, after it was freed
 * (its RCU callback ran), or freed while reachable from a root that a vCPU can still run; no frame
 * is used after it was freed (frames: host.c where KVM marks them, rule_m.c where the guest uses
 * them).
 *
 * That a table is freed by RCU is not a matter of luck: it is too early if somebody is in a read
 * section that began before the table was unlinked, for he may have found the table, whether or not
 * he uses it in this run. Roots are not held to that: no event tells when one left the list.
 */
#include "rules.h"

static bool loaded(const struct oracle *o, const struct mirror_table *root)
{
	int i;

	for (i = 0; i < PROG_MAX_VCPUS; i++) {
		const struct vcpu *v = &o->vcpus[i];

		if (v->root == root->pa && v->root_gen == root->gen && !v->switching)
			return true;
	}
	return false;
}

/* The number of a thread that may have found the table before it was unlinked, and still use it; or -1. */
static int reader_of(const struct oracle *o, const struct mirror_table *t)
{
	int i;

	for (i = 0; i < ORACLE_MAX_THREADS; i++) {
		const struct thread_state *reader = &o->threads[i];

		if (reader->rcu > 0 && reader->rcu_since < t->unlinked)
			return i;
	}
	return -1;
}

void rule_u_free(struct oracle *o, struct mirror_table *t)
{
	const struct mirror_table *root = mirror_table(o, t->root);
	const int reader = reader_of(o, t);

	if (t->is_root) {
		if (t->valid && !o->destroyed)
			oracle_report(o, 'U', NO_GFN, 0, "a valid root is freed");
		else if (loaded(o, t))
			oracle_report(o, 'U', NO_GFN, 0, "a root is freed that a vCPU has loaded");
	} else if (mirror_reachable(o, t) && root && (root->valid || loaded(o, root))) {
		oracle_report(o, 'U', t->gfn, 0,
			      "a page table of level %d is freed while it is linked", t->level);
	} else if (!t->linked && reader >= 0) {
		oracle_report(
			o, 'U', t->gfn, 0,
			"a page table of level %d is freed without a grace period: t%d may still use it",
			t->level, reader);
	}
}

/* @who touched the entry at @pa, which is in no page-table page that is allocated. */
void rule_u_table(struct oracle *o, uint64_t gfn, uint64_t pa, const char *who)
{
	oracle_report(o, 'U', gfn, 0, "%s uses a page table at 0x%llx after it was freed", who,
		      (unsigned long long)pa);
}
