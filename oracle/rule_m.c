// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule M: what is mapped is right: pfn, level, permissions, alignment; a split loses no translation
 * at any instant.
 *
 * A frame that is not the page's any more is rule N's when the SPTE is made (the look-up was before
 * the end of an unmap), and rule U's when it is used.
 */
#include "host.h"
#include "rules.h"

/* Is the leaf wrong, if @d is the slot that it was made for? Reported only if @tell. */
#define WRONG(ev, ...)								\
	({									\
		if (tell)							\
			oracle_report(o, 'M', (ev)->gfn, (ev)->val, __VA_ARGS__); \
		true;								\
	})

static bool level_is_wrong(struct oracle *o, const struct spte_event *ev, const struct slot_desc *d,
			   uint64_t hvn, bool tell)
{
	uint64_t n = 1ULL << (9 * (ev->level - 1));

	if (ev->gfn < d->base || ev->gfn + n > d->base + d->npages)
		return WRONG(ev, "a huge mapping that reaches beyond the slot");
	if (oracle_host_mapping_level(o, hvn) < ev->level)
		return WRONG(ev, "a mapping at level %d of memory that the host maps at level %d",
			     ev->level, oracle_host_mapping_level(o, hvn));
	if ((d->flags & SLOT_LOG) && (ev->val & FMT_BIT_W))
		return WRONG(ev, "a writable huge mapping is made in a slot that is logged");
	return false;
}

static bool bits_are_wrong(struct oracle *o, const struct spte_event *ev, const struct slot_desc *d,
			   uint64_t hvn, bool tell)
{
	bool device = oracle_host_is_mmio_pfn(o, fmt_pfn(&o->fmt, ev->val)), wrong = false;
	uint64_t me = device ? 0 : o->fmt.me_value;

	if ((d->flags & SLOT_RO) && (ev->val & (FMT_BIT_W | o->fmt.host_writable)))
		wrong = WRONG(ev, "a writable mapping in a read-only slot");
	else if ((ev->val & o->fmt.host_writable) && host_protected(o, hvn))
		wrong = WRONG(ev, "a writable mapping of what the host maps read-only");
	/* Write-back and ignore the guest's PAT; a device is uncached. */
	if (o->fmt.ept && (ev->val & FMT_EPT_MEMTYPE) != (device ? 0 : 0xeULL << 3))
		wrong = WRONG(ev, "the memory type is not %s", device ? "UC" : "WB");
	if ((ev->val & o->fmt.me_mask) != me)
		wrong = WRONG(ev, "memory-encryption bits are wrong for %s",
			      device ? "a device" : "memory");
	return wrong;
}

static bool leaf_is_wrong(struct oracle *o, const struct spte_event *ev, const struct slot_desc *d,
			  bool tell)
{
	uint64_t hvn = d->hvn + (ev->gfn - d->base);
	uint64_t pfn = fmt_pfn(&o->fmt, ev->val), frame = host_frame(o, hvn);
	bool wrong;

	/*
	 * Some other page's frame is a wrong mapping; one that the page had, or that nobody has,
	 * was looked up too early.
	 */
	if (frame != pfn && tell &&
	    (frame == HOST_NO_FRAME || rule_n_looked_up(o, hvn, pfn) ||
	     host_owner(o, pfn) == HOST_NO_FRAME))
		oracle_report(o, 'N', ev->gfn, ev->val,
			      "an SPTE is made with frame 0x%llx, which the page has lost",
			      (unsigned long long)pfn);
	else if (frame != pfn)
		return WRONG(ev, "frame 0x%llx is mapped, the page is in 0x%llx",
			     (unsigned long long)pfn, (unsigned long long)frame);
	if (frame != pfn)
		return true;
	wrong = ev->level > 1 && level_is_wrong(o, ev, d, hvn, tell);
	return bits_are_wrong(o, ev, d, hvn, tell) || wrong;
}

/*
 * The host changes its mapping of a page only between the end of an unmap's first half and the
 * beginning of its second; no fault may map the page then. So what the host has now is what a new
 * leaf must have, whoever else is doing whatever.
 */
static void check_new_leaf(struct oracle *o, const struct spte_event *ev)
{
	const struct mirror_table *root = mirror_table(o, ev->t->root);
	const struct slot_desc *seen[MAX_SEEN];
	int i, n;

	if (!root)
		return;
	n = oracle_slots_seen(o, root->smm, ev->gfn, seen);
	if (!n)
		oracle_report(o, 'M', ev->gfn, ev->val, "a mapping where there is no slot");
	for (i = 0; i < n; i++)
		if (!leaf_is_wrong(o, ev, seen[i], i == n - 1))
			break;
	if (i < n)
		rule_n_leaf(o, ev, seen[i]->hvn + (ev->gfn - seen[i]->base));
}

/*
 * Does a child map what its part of the huge page mapped? Execution may be gained: a 4K page may
 * have it. Where aging takes no lock (Linux 7.2) it may come in between, and be undone by the split:
 * KVM puts up with an A bit, or permissions, that a page has kept or lost.
 */
static bool same_translation(const struct oracle *o, uint64_t huge, uint64_t child, int level,
			     uint32_t i)
{
	const struct format *f = &o->fmt;
	uint64_t keep = FMT_BIT_W | f->host_writable | f->mmu_writable | f->accessed | f->dirty |
			f->soft_accessed | f->soft_dirty | f->me_mask | f->ad_type | 1;

	if (f->clobbers_accessed) {
		keep &= ~(f->accessed | f->soft_accessed);
		if (fmt_access_tracked(f, huge) != fmt_access_tracked(f, child))
			keep &= ~(FMT_BIT_W | 1ULL);
	}
	return fmt_mmu_present(child) && fmt_is_leaf(child, level - 1) &&
	       fmt_pfn(f, child) == fmt_pfn(f, huge) + ((uint64_t)i << (9 * (level - 2))) &&
	       !((huge ^ child) & keep);
}

/* The first entry of @child that does not map what @huge mapped there; 512: all of them do. */
static uint32_t first_wrong_child(struct oracle *o, const struct spte_event *ev,
				  const struct mirror_table *child, uint64_t huge)
{
	uint32_t i;

	if (child->nr_init == 512 && child->init_uniform &&
	    same_translation(o, huge, child->init_base, ev->level, 0))
		return 512;
	for (i = 0; i < 512; i++)
		if (!same_translation(o, huge, mirror_read(o, child->pa + i * 8), ev->level, i))
			break;
	return i;
}

/*
 * Whoever holds mmu_lock for writing fills the table from the value that it read, and exchanges the
 * huge page's for the table, whatever that is by then. Hardware sets A and D meanwhile, and a fast
 * fault gives back what aging or logging took: no lock keeps them out. The exchange returns all of
 * it, for the page's marks; the parts may lack it, for they have what the huge page had when the
 * call read it. (That nothing written is lost thereby is rule D's.)
 */
static bool split_of_earlier(struct oracle *o, const struct spte_event *ev,
			     const struct mirror_table *child)
{
	const struct thread_state *t = oracle_current(o);
	uint32_t i, nr = o->nr_lockless;

	if ((ev->how != ORACLE_XCHG && ev->how != ORACLE_WRITE) || !t->depth)
		return false;
	for (i = 0; i < nr && i < MAX_LOCKLESS; i++) {
		const struct lockless *l = &o->lockless[(nr - 1 - i) % MAX_LOCKLESS];

		if (l->step < t->calls[0].step)
			return false;
		if (l->pa == ev->pa && l->thread != o->thread &&
		    first_wrong_child(o, ev, child, l->old) == 512)
			return true;
	}
	return nr > MAX_LOCKLESS;	/* more than is remembered */
}

static void check_split(struct oracle *o, const struct spte_event *ev,
			const struct mirror_table *child)
{
	uint32_t i = first_wrong_child(o, ev, child, ev->old);
	uint64_t pa = child->pa + i * 8;

	if (i < 512 && !split_of_earlier(o, ev, child))
		oracle_report(o, 'M', mirror_entry_gfn(child, pa), mirror_read(o, pa),
			      "a split changes or loses the translation of SPTE 0x%llx",
			      (unsigned long long)ev->old);
}

/**
 * rule_m_lockless() - a huge page's SPTE has changed, and maps what it did; mmu_lock need not be held
 * @o: oracle
 * @pa: address of the SPTE
 * @old: what it was
 */
void rule_m_lockless(struct oracle *o, uint64_t pa, uint64_t old)
{
	o->lockless[o->nr_lockless++ % MAX_LOCKLESS] = (struct lockless){
		.step = o->step,
		.pa = pa,
		.old = old,
		.thread = o->thread,
	};
}

void rule_m_spte(struct oracle *o, const struct spte_event *ev)
{
	const struct mirror_table *child;

	if (ev->is_leaf) {
		bool same = ev->was_leaf && fmt_pfn(&o->fmt, ev->old) == fmt_pfn(&o->fmt, ev->val);

		if (ev->was_leaf && !same)
			oracle_report(
				o, 'M', ev->gfn, ev->val,
				"a leaf is replaced by a leaf with another frame; it was 0x%llx",
				(unsigned long long)ev->old);
		if (!same)
			check_new_leaf(o, ev);
		else if (ev->level > 1)
			rule_m_lockless(o, ev->pa, ev->old);
		return;
	}
	if (!ev->is)
		return;
	child = mirror_table(o, fmt_table(&o->fmt, ev->val));
	if (!child || !child->live)
		return;
	if (ev->was_leaf) {
		check_split(o, ev, child);
		rule_n_split(o, ev);
	}
	if (!ev->was_leaf && child->nr_init < 512 && child->fill != o->fmt.nonpresent)
		oracle_report(o, 'G', ev->gfn, ev->val,
			      "a table is linked whose entries are 0x%llx",
			      (unsigned long long)child->fill);
}

/**
 * rule_m_use() - hardware uses a translation
 * @o: oracle
 * @use: which, for what
 * @hvn: result: the host page that the gfn shows; HOST_NO_FRAME if none
 *
 * Return: whether the access goes to the frame that it should go to.
 */
bool rule_m_use(struct oracle *o, const struct hw_use *use, uint64_t *hvn)
{
	uint64_t pfn = use->e->pfn + (use->gfn - use->e->gfn);
	const struct slot_desc *seen[MAX_SEEN];
	int i, n = oracle_slots_seen(o, use->v->smm, use->gfn, seen);

	*hvn = HOST_NO_FRAME;
	if (!n) {
		oracle_report(o, use->cached ? 'T' : 'N', use->gfn, use->e->spte,
			      "vCPU %d accesses a page that is in no slot", use->vcpu);
		return false;
	}
	for (i = 0; i < n; i++) {
		*hvn = seen[i]->hvn + (use->gfn - seen[i]->base);
		if (host_frame(o, *hvn) == pfn)
			return true;
	}
	if (!oracle_host_is_mmio_pfn(o, pfn) && host_owner(o, pfn) == HOST_NO_FRAME)
		oracle_report(o, 'U', use->gfn, use->e->spte,
			      "vCPU %d accesses frame 0x%llx after it was freed", use->vcpu,
			      (unsigned long long)pfn);
	else
		oracle_report(o, 'M', use->gfn, use->e->spte,
			      "vCPU %d accesses frame 0x%llx, which is another page's", use->vcpu,
			      (unsigned long long)pfn);
	return false;
}
