// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's memory slots, as the VMM set them up. What state a slot is in can be asked by anybody: while it
 * is about to become another it says so, and each state has a number of its own, so that who finds the same
 * state before and after an access knows what the access must have met.
 */
#include "stress.h"

uint64_t slots_gfn(struct stress *s, unsigned int i, uint64_t state)
{
	return (2 * i + !!(state & SLOT_MOVED)) * s->slots.size;
}

/* First gfn above all of them. */
uint64_t slots_max_gfn(struct stress *s)
{
	return 2 * s->opt.slots * s->slots.size;
}

/**
 * slots_look() - what is at a guest frame
 * @s: the stress
 * @gfn: guest frame
 * @hvn: result: host page that it is; NO_PAGE if it is none
 *
 * Return: the slot's state, with SLOT_CHANGES: nothing is known; 0: beyond all slots.
 */
uint64_t slots_look(struct stress *s, uint64_t gfn, uint64_t *hvn)
{
	const uint64_t range = gfn / s->slots.size;
	uint64_t state;

	*hvn = NO_PAGE;
	if (range >= 2 * s->opt.slots)
		return 0;
	state = LOAD(&s->slots.state[range / 2]);
	if ((state & SLOT_THERE) && range % 2 == !!(state & SLOT_MOVED))
		*hvn = range / 2 * s->slots.size + gfn % s->slots.size;
	return state;
}

/**
 * slots_set() - have KVM change a slot
 * @s: the stress
 * @i: slot number
 * @there: it is to exist
 * @moved: at the second of its two places
 * @logged: with dirty logging
 *
 * Context: the VMM's thread.
 * Return: what kvm_set_memory_region() returned.
 */
int slots_set(struct stress *s, unsigned int i, bool there, bool moved, bool logged)
{
	const uint64_t old = LOAD(&s->slots.state[i]);
	uint64_t new = (old & -SLOT_STEP) + SLOT_STEP;
	struct tdp_memory_region region = {
		.slot = i,
		.npages = there ? s->slots.size : 0,
		.hvn = i * s->slots.size,
		.flags = logged ? KVM_MEM_LOG_DIRTY_PAGES : 0,
	};
	int r;

	if (there)
		new |= SLOT_THERE;
	if (moved)
		new |= SLOT_MOVED;
	region.base_gfn = slots_gfn(s, i, new);
	/* A change of flags alone changes nothing of what guests find. */
	if ((old ^ new) & (SLOT_THERE | SLOT_MOVED)) {
		pthread_rwlock_wrlock(&s->slots.emulation);
		STORE(&s->slots.state[i], new | SLOT_CHANGES);
		pthread_rwlock_unlock(&s->slots.emulation);
	} else {
		new = old;
	}
	r = kvm_set_memory_region(s->kvm, &region);
	if (r)
		return r;
	STORE(&s->slots.state[i], new);
	return 0;
}

int slots_init(struct stress *s)
{
	unsigned int i;
	int r;

	pthread_rwlock_init(&s->slots.emulation, NULL);
	s->slots.size = s->opt.pages / s->opt.slots;
	for (i = 0; i < s->opt.slots; i++) {
		r = slots_set(s, i, true, false, false);
		if (r)
			return r;
	}
	return 0;
}
