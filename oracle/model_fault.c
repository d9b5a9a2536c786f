// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults, as the rules of KVM's fault path see them from outside: what is answered, which
 * tables are made or split on the way down, and what is mapped at the end.
 */
#include "model_internal.h"

/**
 * struct fault - one attempt at a fault
 * @call: the call
 * @v: vCPU; @root: its root's number
 * @s: slot of @gfn, NULL if none
 * @gfn: guest frame
 * @prefetch: prefault: nobody has accessed the page yet
 * @nx_denied: an instruction fetch that may have no huge page
 * @req_level: what slot and host allow; @goal_level: what will be mapped
 * @pfn: frame of @gfn
 * @read_only: must not be mapped writable
 */
struct fault {
	const struct oracle_call *call;
	struct mvcpu *v;
	struct mslot *s;
	uint64_t gfn, pfn;
	bool present, write, exec, rsvd;
	bool prefetch, nx_denied, read_only;
	int req_level, goal_level;
};

static bool allows(const struct mfmt *f, const struct fault *fault, uint64_t spte)
{
	if (fault->exec)
		return mspte_exec(f, spte);
	if (fault->write)
		return spte & SPTE_W;
	return spte & 1;
}

/*
 * A leaf that already allows the access, or that may be given back what only logging or aging
 * has taken: nothing but the entry changes, and the log if W comes back.
 */
static enum model_pf fast_fault(struct model *m, const struct fault *fault)
{
	const struct mfmt *f = &m->fmt;
	unsigned int index;
	struct mtable *t;
	uint64_t old, val;

	if (fault->rsvd || (fault->present ? !fault->write : f->ad))
		return PF_INVALID;
	t = mwalk(m, fault->v->root, fault->gfn, &index);
	old = val = mget(t, index);
	if (!mspte_is_leaf(old, t->level))
		return PF_INVALID;
	if (allows(f, fault, old))
		return PF_SPURIOUS;

	if (mspte_tracked(f, old))
		val = mspte_untrack(f, old) | f->accessed;
	if (fault->write && (old & f->mmu_w)) {
		/* The log knows 4K pages only: a huge one must be split, not opened. */
		if (t->level > LEVEL_4K && fault->s && fault->s->logging)
			return PF_INVALID;
		val |= SPTE_W;
	}
	if (val == old || !allows(f, fault, val))
		return PF_INVALID;

	/* Not mset(): who gets rights back loses nothing that the host would have to be told. */
	mtouch(m, t, index);
	t->val[index] = val;
	if ((val & SPTE_W) && !(old & SPTE_W))
		mslot_mark_dirty(m, fault->s, fault->gfn);
	return PF_FIXED;
}

/* MMIO entries of another generation are made anew; those of this one are what emulation is for. */
static enum model_pf mmio_fault(struct model *m, const struct fault *fault)
{
	struct mvcpu *v = fault->v;
	uint64_t gen = mslot_generation(m, v->role & ROLE_SMM), spte;
	unsigned int index;
	struct mtable *t;

	if (v->mmio_gfn && v->mmio_gfn == fault->gfn && v->mmio_gen == gen)
		return PF_EMULATE;
	t = mwalk(m, v->root, fault->gfn, &index);
	spte = mget(t, index);
	if (!mspte_is_mmio(&m->fmt, spte))
		return PF_RETRY;
	if (mspte_mmio_gen(&m->fmt, spte) != (gen & mspte_gen_mask(&m->fmt)))
		return PF_INVALID;
	v->mmio_gfn = fault->gfn;
	v->mmio_gen = gen;
	return PF_EMULATE;
}

/* Which frame, if any: the host was asked once for this page, with this access, or not at all. */
static long fault_in(struct model *m, struct fault *fault)
{
	struct mcall *c = &m->c;
	struct mslot *s = fault->s;
	uint64_t hvn;

	if (!s) {
		fault->v->mmio_gfn = fault->gfn;
		fault->v->mmio_gen = mslot_generation(m, fault->v->role & ROLE_SMM);
		fault->read_only = true;
		return m->fmt.mmio && fault->gfn <= m->fmt.max_mmio_gfn ? PF_CONTINUE : PF_EMULATE;
	}
	if (m->invalidating && fault->gfn >= m->inv_start && fault->gfn < m->inv_end)
		return PF_RETRY;
	if ((s->flags & SLOT_RO) && fault->write)
		return PF_EMULATE;

	hvn = s->hvn + (fault->gfn - s->base);
	c->expect_fault_in = true;
	if (!c->fault_ins) {
		mreport(m, 'P', fault->gfn, 0, "the host was not asked for page %#llx",
			(unsigned long long)hvn);
		return PF_RETRY;
	}
	if (c->fault_in.hvn != hvn || c->fault_in.write != fault->write)
		mreport(m, 'M', fault->gfn, 0,
			"the host was asked for page %#llx to %s, not for %#llx to %s",
			(unsigned long long)c->fault_in.hvn, c->fault_in.write ? "write" : "read",
			(unsigned long long)hvn, fault->write ? "write" : "read");
	if (c->fault_in.ret)
		return c->fault_in.ret == -EAGAIN ? PF_RETRY : -EFAULT;
	fault->pfn = c->fault_in.pfn;
	fault->read_only = !c->fault_in.writable || (s->flags & SLOT_RO);
	return PF_CONTINUE;
}

static void choose_level(struct model *m, struct fault *fault)
{
	fault->req_level = fault->goal_level = LEVEL_4K;
	fault->nx_denied = fault->exec && m->nx;
	if (!fault->s || fault->s->logging)
		return;
	fault->req_level = mslot_max_level(m, fault->s, fault->gfn);
	if (!fault->nx_denied)
		fault->goal_level = fault->req_level;
}

/* The entry on the way down maps nothing, or too much: a table takes its place. */
static struct mtable *make_table(struct model *m, const struct fault *fault, struct mtable *t,
				 unsigned int index)
{
	struct mtable *child = mtable_new(m, t, index);

	child->nx_disallowed = fault->nx_denied;
	if (!mspte_present(mget(t, index))) {
		mlink(m, t, index, child);
	} else if (m->vm.policy == VM_SPLIT) {
		msplit(m, t, index, child);
	} else {
		mset(m, t, index, SPTE_INITIAL);
		mowe(m, mentry_gfn(t, index), level_pages(t->level), false);
		mlink(m, t, index, child);
	}
	if (fault->nx_denied && fault->req_level >= t->level)
		mnx_track(m, child);
	return child;
}

static enum model_pf map_leaf(struct model *m, const struct fault *fault, struct mtable *t,
			      unsigned int index)
{
	struct mleaf leaf = { .level = t->level,
			      .old = mget(t, index),
			      .prefetch = fault->prefetch };
	bool was_table = mspte_is_table(leaf.old, t->level), wrprot;
	uint64_t gfn = mentry_gfn(t, index), val;
	int as = t->role & ROLE_SMM;

	/* Linux 7.2: what is mapped well enough stays as it is. */
	if (m->vm.kernel == VM_LINUX_7_2 && mspte_is_leaf(leaf.old, t->level) &&
	    (fault->prefetch || allows(&m->fmt, fault, leaf.old)))
		return PF_SPURIOUS;
	if (!fault->s) {
		mset(m, t, index, mspte_mmio(&m->fmt, gfn, mslot_generation(m, as)));
		return PF_EMULATE;
	}

	leaf.pfn = fault->pfn & ~level_mask(t->level);
	leaf.read_only = fault->read_only;
	leaf.tracked = mslot_tracked(m, fault->s, gfn);
	leaf.device = m->env.is_mmio_pfn(m->env.ctx, leaf.pfn);
	leaf.nx_huge = m->nx;
	leaf.guest_mode = t->role & ROLE_GUEST;
	m->has_mmio_pfn |= leaf.device;

	val = mspte_leaf(&m->fmt, &leaf);
	wrprot = !leaf.read_only && !(val & m->fmt.mmu_w);
	/* A writable 4K page of a logged slot counts as written: nothing more would be noticed. */
	if (val & SPTE_W)
		mslot_mark_dirty(m, fault->s, gfn);
	if (val == leaf.old)
		return wrprot && fault->write ? PF_WRITE_PROTECTED : PF_SPURIOUS;
	mset(m, t, index, val);
	if (was_table)
		mowe(m, gfn, level_pages(t->level), false);
	return wrprot && fault->write ? PF_WRITE_PROTECTED : PF_FIXED;
}

static enum model_pf map(struct model *m, struct fault *fault)
{
	struct mtable *t = mtable(m, fault->v->root);
	unsigned int index;
	uint64_t val;

	choose_level(m, fault);
	for (;;) {
		index = mindex(fault->gfn, t->level);
		val = mget(t, index);
		/* A huge page must not come back over what an instruction fetch had split. */
		if (m->nx && t->level > LEVEL_4K && t->level == fault->goal_level &&
		    mspte_is_table(val, t->level) &&
		    (mtable(m, mchild(val))->nx_disallowed || m->vm.kernel == VM_LINUX_6_1))
			fault->goal_level--;
		if (t->level == fault->goal_level)
			return map_leaf(m, fault, t, index);
		t = mspte_is_table(val, t->level) ? mtable(m, mchild(val)) :
						    make_table(m, fault, t, index);
	}
}

/*
 * Linux 7.2: the host hears of a frame when it is mapped: that it may be written if the host lets it
 * be, as W can come without asking again. So nobody is told when a mapping goes.
 */
static void mark_frame(struct model *m, const struct fault *fault)
{
	if (m->env.is_mmio_pfn(m->env.ctx, fault->pfn))
		return;
	mmark(&m->c.want_accessed, fault->pfn);
	if (!fault->read_only)
		mmark(&m->c.want_dirty, fault->pfn);
}

static long do_fault(struct model *m, struct fault *fault)
{
	long r;

	fault->s = mslot_by_gfn(m, fault->v->role & ROLE_SMM, fault->gfn);
	fault->goal_level = LEVEL_4K;

	if (!fault->rsvd && fault->present && fault->write &&
	    mslot_tracked(m, fault->s, fault->gfn))
		return PF_WRITE_PROTECTED;
	r = fast_fault(m, fault);
	if (r != PF_INVALID)
		return r;
	if (m->c.refused && fault->call->ret == -ENOMEM)
		return -ENOMEM;
	r = fault_in(m, fault);
	if (r != PF_CONTINUE)
		return r;
	if (mroot_of(m, fault->v->root)->invalid)
		return PF_RETRY;
	if (m->fault_marks && fault->s)
		mark_frame(m, fault);
	return map(m, fault);
}

static struct fault decode(struct model *m, const struct oracle_call *call, bool prefetch)
{
	return (struct fault){
		.call = call,
		.v = &m->vcpu[call->vcpu],
		.gfn = call->gfn,
		.present = call->error_code & PFERR_P,
		.write = call->error_code & PFERR_W,
		.exec = call->error_code & PFERR_FETCH,
		.rsvd = call->error_code & PFERR_RSVD,
		.prefetch = prefetch,
	};
}

/**
 * mfault() - predict a page fault
 * @m: model
 * @call: CALL_PAGE_FAULT
 *
 * Return: RET_PF_* or -errno, what the call must.
 */
long mfault(struct model *m, const struct oracle_call *call)
{
	struct fault fault = decode(m, call, false);
	long r;

	if (call->gfn > m->fmt.max_gfn)
		return PF_EMULATE;
	if (!fault.v->root)
		return PF_RETRY;
	if (fault.rsvd) {
		r = mmio_fault(m, &fault);
		if (r != PF_INVALID)
			return r;
	}
	return do_fault(m, &fault);
}

/**
 * mfault_pre_fault() - predict a prefault
 * @m: model
 * @call: CALL_PRE_FAULT
 *
 * Return: pages of the range that the mapping has, or -errno: what the call must.
 */
long mfault_pre_fault(struct model *m, const struct oracle_call *call)
{
	struct fault fault = decode(m, call, true);
	uint64_t left;
	long r;

	if (call->gfn > m->fmt.max_gfn)
		return -EINVAL;
	r = mvcpu_load(m, call, true);
	if (r)
		return r;
	r = do_fault(m, &fault);
	if (r < 0)
		return r;
	if (r == PF_EMULATE)
		return -ENOENT;
	left = level_pages(fault.goal_level) - call->gfn % level_pages(fault.goal_level);
	return left < call->n ? left : call->n;
}
