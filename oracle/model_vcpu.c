// SPDX-License-Identifier: GPL-2.0-only
/* vCPUs: which root each runs on. Roots are shared by role and live until invalid and unused. */
#include "model_internal.h"

#include <stdlib.h>
#include <string.h>

struct mroot *mroot_of(struct model *m, uint32_t table)
{
	uint32_t i;

	for (i = 0; i < m->nr_roots; i++)
		if (m->root[i].table == table)
			return &m->root[i];
	return NULL;
}

/* Drop a reference; the last one takes the (empty) table along. */
void mroot_put(struct model *m, uint32_t table)
{
	struct mroot *r = mroot_of(m, table);

	if (--r->refs)
		return;
	mtable_free(m, mtable(m, table));
	m->nr_roots--;
	memmove(r, r + 1, (m->root + m->nr_roots - r) * sizeof(*r));
}

/* The newest comes first. */
static uint32_t new_root(struct model *m, uint8_t role)
{
	struct mtable *t = mtable_new_root(m, role);

	if (m->nr_roots == m->cap_roots) {
		m->cap_roots = m->cap_roots ? 2 * m->cap_roots : 8;
		m->root = realloc(m->root, m->cap_roots * sizeof(*m->root));
		if (!m->root)
			abort();
	}
	memmove(m->root + 1, m->root, m->nr_roots * sizeof(*m->root));
	m->nr_roots++;
	m->root[0] = (struct mroot){ .table = t->id, .refs = 1 };
	return t->id;
}

static uint32_t find_root(struct model *m, uint8_t role)
{
	uint32_t i;

	for (i = 0; i < m->nr_roots; i++)
		if (!m->root[i].invalid && mtable(m, m->root[i].table)->role == role)
			return m->root[i].table;
	return new_root(m, role);
}

/* The real root must be the one that the model has, or a fresh page if that has none yet. */
static void check_root(struct model *m, const struct mvcpu *v, uint64_t pa)
{
	if (!v->root) {
		if (pa != NO_PA)
			mreport(m, 'L', NO_GFN, 0, "the vCPU has root %#llx, and should have none",
				(unsigned long long)pa);
		return;
	}
	if (pa == NO_PA)
		mreport(m, 'P', NO_GFN, 0, "the vCPU has no root, and should have one");
	else if (mcompare_bind(m, mtable(m, v->root), pa))
		mcompare_tree(m);
}

/* A prefault may run out of memory after the root was loaded, too: then the vCPU has one. */
static bool load_refused(struct model *m, const struct oracle_call *call)
{
	return m->c.refused && call->ret == -ENOMEM &&
	       (call->kind != CALL_PRE_FAULT || call->root == NO_PA);
}

/**
 * mvcpu_load() - predict a vCPU's getting a root
 * @m: model
 * @call: CALL_ENTER_GUEST, CALL_MMU_LOAD; CALL_PRE_FAULT, whose root is only looked at if memory
 *	  was refused
 * @enter: an obsolete root is let go of first; Linux 7.2 always does that
 *
 * Return: what the call must.
 */
long mvcpu_load(struct model *m, const struct oracle_call *call, bool enter)
{
	struct mvcpu *v = &m->vcpu[call->vcpu];
	long ret = 0;

	if ((enter || m->vm.kernel == VM_LINUX_7_2) && v->root && mroot_of(m, v->root)->invalid) {
		mroot_put(m, v->root);
		v->root = 0;
	}
	if (!v->root) {
		if (load_refused(m, call)) {
			ret = -ENOMEM;
		} else {
			v->root = find_root(m, v->role);
			mroot_of(m, v->root)->refs++;
		}
	}
	if (call->kind != CALL_PRE_FAULT)
		check_root(m, v, call->root);
	return ret;
}

long mvcpu_unload(struct model *m, const struct oracle_call *call)
{
	struct mvcpu *v = &m->vcpu[call->vcpu];

	if (v->root)
		mroot_put(m, v->root);
	v->root = 0;
	v->mmio_gfn = 0;
	check_root(m, v, call->root);
	return 0;
}

long mvcpu_set_mode(struct model *m, const struct oracle_call *call)
{
	m->vcpu[call->vcpu].role = (call->smm ? ROLE_SMM : 0) | (call->guest_mode ? ROLE_GUEST : 0);
	return mvcpu_unload(m, call);
}

/**
 * model_may_resume() - does the vCPU need nothing to enter the guest?
 * @m: model
 * @vcpu: the vCPU
 * @root: root that it has
 *
 * Return: the model expects that root, and expects it to stay.
 */
bool model_may_resume(const struct model *m, int vcpu, uint64_t root)
{
	const uint32_t table = m->vcpu[vcpu].root;
	uint32_t i;

	if (!m->on)
		return true;
	if (m->depth || !table)
		return false;
	for (i = 0; i < m->nr_roots; i++)
		if (m->root[i].table == table)
			return !m->root[i].invalid && m->table[table]->pa == root;
	return false;
}
