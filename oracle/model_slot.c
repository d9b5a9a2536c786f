// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots: which there are, which pages of them may be huge or are tracked, and what happens
 * to mappings when one comes, goes, moves or changes its flags.
 */
#include "model_internal.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SLOT_PAGES ((1ULL << 31) - 1)
#define MAX_FRAME      (1ULL << 52)  /* byte addresses fit in 64 bits */

struct mslot *mslot_by_id(struct model *m, uint8_t slot)
{
	struct mslot *s;

	if (OP_SLOT_AS(slot) > 1)
		return NULL;
	s = &m->slot[OP_SLOT_AS(slot)][OP_SLOT_ID(slot)];
	return s->used ? s : NULL;
}

struct mslot *mslot_by_gfn(struct model *m, int as, uint64_t gfn)
{
	struct mslot *s;

	for (s = m->slot[as]; s < m->slot[as] + MODEL_SLOTS; s++)
		if (s->used && gfn - s->base < s->npages)
			return s;
	return NULL;
}

static bool counted(const struct mslot *s, uint64_t gfn)
{
	uint32_t i;

	for (i = 0; s && i < s->nr_track; i++)
		if (s->track[i].gfn == gfn && s->track[i].count)
			return true;
	return false;
}

/* Are writes to the gfn tracked, in whichever address space? */
bool mslot_tracked(struct model *m, const struct mslot *s, uint64_t gfn)
{
	if (!s || !m->nr_tracked)
		return false;
	return counted(s, gfn) || counted(mslot_by_gfn(m, !s->as, gfn), gfn);
}

/**
 * mslot_huge_disallowed() - may no huge page of this level map the gfn?
 * @s: slot
 * @gfn: in it
 * @level: 2 or 3
 *
 * A huge page must lie inside the slot, gfns and host pages must be congruent, and none of it
 * may be tracked.
 */
bool mslot_huge_disallowed(const struct mslot *s, uint64_t gfn, int level)
{
	uint64_t first = gfn & ~level_mask(level), last = first | level_mask(level);
	uint32_t i;

	if (first < s->base || last >= s->base + s->npages)
		return true;
	if ((s->base ^ s->hvn) & level_mask(level))
		return true;
	for (i = 0; i < s->nr_track; i++)
		if (s->track[i].count && s->track[i].gfn >= first && s->track[i].gfn <= last)
			return true;
	return false;
}

/* Level of the largest mapping that slot and host allow. */
int mslot_max_level(struct model *m, const struct mslot *s, uint64_t gfn)
{
	int level, host;

	for (level = LEVEL_1G; level > LEVEL_4K; level--)
		if (!mslot_huge_disallowed(s, gfn, level))
			break;
	if (level == LEVEL_4K)
		return level;
	host = m->env.mapping_level(m->env.ctx, s->hvn + (gfn - s->base));
	return host < level ? host : level;
}

void mslot_mark_dirty(struct model *m, struct mslot *s, uint64_t gfn)
{
	(void)m;
	if (s && s->logging)
		mbits_set(&s->dirty, gfn - s->base);
}

void mslot_reset(struct model *m)
{
	int as, i;

	for (as = 0; as < 2; as++) {
		for (i = 0; i < MODEL_SLOTS; i++) {
			m->slot[as][i].used = false;
			m->slot[as][i].nr_track = 0;
		}
		m->gen[as] = m->vm.gen + as;
		m->gen_doubt[as] = 0;
	}
	m->nr_logging = 0;
	m->nr_tracked = 0;
}

/*
 * The slots are exchanged: a new generation, and all is zapped where its MMIO part wraps.  Where
 * that is in doubt it shows by vCPUs being told to drop their roots: no other slot change does
 * that with the quirk off, and there is no doubt with it on. Linux 7.2 leaves out the zap where no
 * entry can be an MMIO entry.
 */
static void swap_slots(struct model *m, int as)
{
	uint64_t ahead;

	m->gen[as] += 2;
	if (m->vm.kernel == VM_LINUX_7_2 && !m->fmt.mmio)
		return;
	for (ahead = 0; ahead <= m->gen_doubt[as]; ahead += 4) {
		if ((m->gen[as] + ahead) & mspte_gen_mask(&m->fmt) & ~1ULL)
			continue;
		if (m->gen_doubt[as] && !m->c.kicked_roots)
			continue;
		m->gen[as] += ahead;
		m->gen_doubt[as] = 0;
		mzap_fast(m);
		return;
	}
}

/* A slot is going away: nothing may map it any more. */
static void invalidate(struct model *m, struct mslot *s)
{
	swap_slots(m, s->as);
	if (m->vm.quirk_zap_all)
		mzap_fast(m);
	else if (mzap_leaves(m, s->as, false, s->base, s->base + s->npages))
		mowe(m, s->base, s->npages, false);
}

/**
 * mslot_generation() - the slots' generation, as MMIO entries have it
 * @m: model
 * @as: address space
 *
 * Where a failed move has left doubt, the first MMIO entry that is made resolves it; the call under
 * way has written it last.
 */
uint64_t mslot_generation(struct model *m, int as)
{
	const uint64_t *sptep;
	uint64_t ahead;

	if (m->gen_doubt[as] && m->c.seq) {
		sptep = m->env.sptep(m->env.ctx, m->c.last_pa);
		ahead = sptep ? (mspte_mmio_gen(&m->fmt, *sptep) - m->gen[as]) &
					mspte_gen_mask(&m->fmt) :
				0;
		if (sptep && mspte_is_mmio(&m->fmt, *sptep) && ahead <= m->gen_doubt[as] &&
		    !(ahead % 4)) {
			m->gen[as] += ahead;
			m->gen_doubt[as] = 0;
		}
	}
	return m->gen[as];
}

static void set_logging(struct model *m, struct mslot *s, bool on)
{
	if (on == s->logging)
		return;
	s->logging = on;
	m->nr_logging += on ? 1 : -1;
	if (on)
		mbits_init(&s->dirty, s->npages, m->vm.manual_protect && m->vm.init_set);
}

static void forget_tracking(struct model *m, struct mslot *s)
{
	uint32_t i;

	for (i = 0; i < s->nr_track; i++)
		m->nr_tracked -= s->track[i].count;
	s->nr_track = 0;
}

static long delete(struct model *m, struct mslot *s)
{
	invalidate(m, s);
	swap_slots(m, s->as);
	set_logging(m, s, false);
	forget_tracking(m, s);
	s->used = false;
	return 0;
}

static bool overlaps(struct model *m, const struct slot_desc *d)
{
	struct mslot *s;

	for (s = m->slot[d->as_id]; s < m->slot[d->as_id] + MODEL_SLOTS; s++)
		if (s->used && s->id != d->id && d->base < s->base + s->npages &&
		    s->base < d->base + d->npages)
			return true;
	return false;
}

/*
 * A move that failed for want of memory has either not begun, or its slot was invalidated and
 * brought back.  The former leaves no trace; the latter zaps what was mapped, and where nothing
 * was, only two more generations tell: see mslot_generation().
 */
static long failed_move(struct model *m, struct mslot *s)
{
	if (m->c.kicked_roots || m->c.seq) {
		invalidate(m, s);
		swap_slots(m, s->as);
	} else if (!m->vm.quirk_zap_all) {
		m->gen_doubt[s->as] += 4;
	}
	return -ENOMEM;
}

static long move(struct model *m, struct mslot *s, const struct slot_desc *d)
{
	invalidate(m, s);
	if (m->nr_tracked || d->base + d->npages - 1 > m->fmt.max_gfn) {
		swap_slots(m, s->as);
		return -EINVAL;
	}
	forget_tracking(m, s);
	swap_slots(m, s->as);
	s->base = d->base;
	s->flags = d->flags;
	set_logging(m, s, d->flags & SLOT_LOG);
	return 0;
}

static long create(struct model *m, struct mslot *s, const struct slot_desc *d)
{
	if (d->base + d->npages - 1 > m->fmt.max_gfn)
		return -EINVAL;
	swap_slots(m, d->as_id);
	s->used = true;
	s->logging = false;
	s->as = d->as_id;
	s->id = d->id;
	s->flags = d->flags;
	s->base = d->base;
	s->npages = d->npages;
	s->hvn = d->hvn;
	s->nr_track = 0;
	set_logging(m, s, d->flags & SLOT_LOG);
	return 0;
}

static long change_flags(struct model *m, struct mslot *s, const struct slot_desc *d)
{
	swap_slots(m, s->as);
	s->flags = d->flags;
	set_logging(m, s, d->flags & SLOT_LOG);
	if (d->flags & SLOT_RO)
		return 0; /* nothing that could be dirty, or made huge for writing */
	if (d->flags & SLOT_LOG)
		mdirty_start(m, s);
	else
		mdirty_stop(m, s);
	return 0;
}

/**
 * mslot_set_region() - predict KVM_SET_USER_MEMORY_REGION
 * @m: model
 * @call: CALL_SET_REGION
 *
 * Rules of __kvm_set_memory_region(). Return: what the call must.
 */
long mslot_set_region(struct model *m, const struct oracle_call *call)
{
	const struct slot_desc *d = &call->region;
	bool no_memory = m->c.refused && call->ret == -ENOMEM;
	struct mslot *s;

	if ((d->flags & ~(SLOT_LOG | SLOT_RO)) || d->as_id > 1 || d->id >= MODEL_SLOTS ||
	    d->npages > MAX_SLOT_PAGES)
		return -EINVAL;
	if (d->base > MAX_FRAME - d->npages || d->hvn > MAX_FRAME - d->npages)
		return -EINVAL;
	s = &m->slot[d->as_id][d->id];
	if (!d->npages) {
		if (!s->used)
			return -EINVAL;
		return no_memory ? -ENOMEM : delete (m, s);
	}
	if (!s->used) {
		if (overlaps(m, d))
			return -EEXIST;
		return no_memory ? -ENOMEM : create(m, s, d);
	}
	if (d->hvn != s->hvn || d->npages != s->npages || ((d->flags ^ s->flags) & SLOT_RO))
		return -EINVAL;
	if (d->base != s->base) {
		if (overlaps(m, d))
			return -EEXIST;
		return no_memory ? failed_move(m, s) : move(m, s, d);
	}
	if (d->flags == s->flags)
		return 0;
	return no_memory ? -ENOMEM : change_flags(m, s, d);
}

static struct mtrack *find_track(struct mslot *s, uint64_t gfn)
{
	uint32_t i;

	for (i = 0; i < s->nr_track; i++)
		if (s->track[i].gfn == gfn)
			return &s->track[i];
	return NULL;
}

/* Writes to the gfn must be seen from now on. */
long mslot_track(struct model *m, const struct oracle_call *call)
{
	struct mslot *s = mslot_by_id(m, call->slot);
	struct mtrack *t;

	if (m->c.refused && call->ret == -ENOMEM)
		return -ENOMEM; /* the counters come before anything else */
	if (!s || call->gfn - s->base >= s->npages)
		return -EINVAL;
	t = find_track(s, call->gfn);
	if (t && t->count == 0xffff)
		return -EBUSY;
	if (!t) {
		if (s->nr_track == s->cap_track) {
			s->cap_track = s->cap_track ? 2 * s->cap_track : 8;
			s->track = realloc(s->track, s->cap_track * sizeof(*s->track));
			if (!s->track)
				abort();
		}
		t = &s->track[s->nr_track++];
		*t = (struct mtrack){ .gfn = call->gfn };
	}
	t->count++;
	m->nr_tracked++;
	if (mdirty_protect_gfn(m, s, call->gfn, LEVEL_4K))
		mowe(m, call->gfn, 1, true);
	return 0;
}

long mslot_untrack(struct model *m, const struct oracle_call *call)
{
	struct mslot *s = mslot_by_id(m, call->slot);
	struct mtrack *t;

	if (!s || call->gfn - s->base >= s->npages)
		return -EINVAL;
	t = find_track(s, call->gfn);
	if (!t || !t->count)
		return -EINVAL;
	t->count--;
	m->nr_tracked--;
	return 0;
}
