// SPDX-License-Identifier: GPL-2.0-only
/* What a VMM, and KVM on its own behalf, do to the whole VM. */
#include <time.h>

#include "stress.h"

static void expect(struct stress *s, const char *what, int r)
{
	if (r)
		violation(s, 'P', NO_PAGE, "%s: %d", what, r);
}

/* A slot that is there. They all are between two operations. */
static unsigned int pick_slot(struct actor *a)
{
	return stress_below(&a->rng, a->stress->opt.slots);
}

static uint64_t pick_gfn(struct actor *a, unsigned int slot)
{
	struct stress *s = a->stress;

	return slots_gfn(s, slot, LOAD(&s->slots.state[slot])) +
	       stress_below(&a->rng, s->slots.size);
}

/* Let guests run on it for a while. */
static void pause_a_little(struct actor *a)
{
	const struct timespec time = { .tv_nsec = 1 + stress_below(&a->rng, 2000000) };

	nanosleep(&time, NULL);
}

static void do_migrate(struct actor *a)
{
	migrate(a, pick_slot(a));
}

static void do_move(struct actor *a)
{
	const unsigned int slot = pick_slot(a);
	const bool moved = LOAD(&a->stress->slots.state[slot]) & SLOT_MOVED;

	expect(a->stress, "a slot is moved", slots_set(a->stress, slot, true, !moved, false));
}

static void do_delete(struct actor *a)
{
	const unsigned int slot = pick_slot(a);
	const bool moved = LOAD(&a->stress->slots.state[slot]) & SLOT_MOVED;

	expect(a->stress, "a slot is deleted", slots_set(a->stress, slot, false, moved, false));
	pause_a_little(a);
	expect(a->stress, "a slot is added", slots_set(a->stress, slot, true, moved, false));
}

static void do_split(struct actor *a)
{
	expect(a->stress, "huge pages are split",
	       kvm_mmu_slot_try_split_huge_pages(a->stress->kvm, pick_slot(a),
						 1 + stress_below(&a->rng, 2)));
}

static void do_toggle(struct actor *a)
{
	struct stress *s = a->stress;
	const uint64_t state = LOAD(&s->nx);
	const bool on = !(state & KNOWN_ON);

	STORE(&s->nx, known_next(state, 0, KNOWN_CHANGES));
	expect(s, "the NX mitigation is toggled", kvm_set_nx_huge_pages(s->kvm, on));
	STORE(&s->nx, known_next(LOAD(&s->nx), 0, on ? KNOWN_ON : 0));
}

static void do_recover(struct actor *a)
{
	expect(a->stress, "NX recovery", kvm_recover_nx_huge_pages(a->stress->kvm));
}

static void do_zap_all(struct actor *a)
{
	kvm_mmu_zap_all_fast(a->stress->kvm);
}

static void do_zap_range(struct actor *a)
{
	const uint64_t gfn = pick_gfn(a, pick_slot(a));

	expect(a->stress, "a range is zapped",
	       kvm_zap_gfn_range(a->stress->kvm, gfn, gfn + 1 + stress_below(&a->rng, 1024)));
}

static void do_track(struct actor *a)
{
	struct stress *s = a->stress;
	const unsigned int slot = pick_slot(a);
	const uint64_t gfn = pick_gfn(a, slot);

	STORE(&s->tracked, known_next(LOAD(&s->tracked), gfn, KNOWN_CHANGES));
	expect(s, "a page is tracked", kvm_write_track_add_gfn(s->kvm, slot, gfn));
	STORE(&s->tracked, known_next(LOAD(&s->tracked), gfn, KNOWN_ON));
	pause_a_little(a);
	STORE(&s->tracked, known_next(LOAD(&s->tracked), gfn, KNOWN_CHANGES));
	expect(s, "a page is not tracked", kvm_write_track_remove_gfn(s->kvm, slot, gfn));
	STORE(&s->tracked, known_next(LOAD(&s->tracked), gfn, 0));
}

/* clang-format off */
static const struct {
	enum mix mix;
	const char *name;
	void (*run)(struct actor *a);
} vmm_ops[] = {
	{ MIX_MIGRATE, "live migration", do_migrate },
	{ MIX_SLOTS, "slot moved", do_move },
	{ MIX_SLOTS, "slot deleted", do_delete },
	{ MIX_SPLIT, "eager split", do_split },
	{ MIX_NX, "NX mitigation toggled", do_toggle },
	{ MIX_NX, "NX recovery", do_recover },
	{ MIX_ZAP, "all roots zapped", do_zap_all },
	{ MIX_ZAP, "range zapped", do_zap_range },
	{ MIX_TRACK, "write tracking", do_track },
};
/* clang-format on */

#define NR_VMM_OPS (sizeof(vmm_ops) / sizeof(vmm_ops[0]))

/* The VMM's thread: one thing after the other, with time for guests in between. */
void *vmm_thread(void *arg)
{
	struct actor *a = arg;
	struct stress *s = a->stress;

	while (!stress_done(s)) {
		const unsigned int i = stress_below(&a->rng, NR_VMM_OPS);

		rest_here(&s->rest, GROUP_OTHERS);
		if (s->opt.mix & vmm_ops[i].mix) {
			actor_begins(a, vmm_ops[i].name);
			vmm_ops[i].run(a);
			actor_ends(a);
		} else {
			COUNT(&a->operations);
		}
		pause_a_little(a);
	}
	rest_leave(&s->rest, GROUP_OTHERS);
	return NULL;
}
