// SPDX-License-Identifier: GPL-2.0-only
/* What guests do: a little of one thing, then of another. */
#include "stress.h"

#define MOST_ACCESSES 64

/* Somewhere, mostly in memory; now and then where there may be none. */
static uint64_t pick_gfn(struct stress_vcpu *v)
{
	struct stress *s = v->stress;
	const unsigned int i = stress_below(&v->rng, s->opt.slots);
	uint64_t state = LOAD(&s->slots.state[i]);

	if (!stress_below(&v->rng, 256))
		state ^= SLOT_MOVED;
	return slots_gfn(s, i, state) + stress_below(&v->rng, s->slots.size);
}

static void page_after_page(struct stress_vcpu *v, enum access access)
{
	uint64_t gfn = pick_gfn(v), n = 1 + stress_below(&v->rng, MOST_ACCESSES);

	while (n-- && vcpu_access(v, gfn++, access))
		;
}

static void write_stream(struct stress_vcpu *v)
{
	page_after_page(v, ACCESS_WRITE);
}

static void execute(struct stress_vcpu *v)
{
	page_after_page(v, ACCESS_EXEC);
}

static void read_anywhere(struct stress_vcpu *v)
{
	uint64_t n = 1 + stress_below(&v->rng, MOST_ACCESSES);

	while (n--)
		vcpu_access(v, pick_gfn(v), ACCESS_READ);
}

/* Where another vCPU is: both fault on the same SPTEs. */
static void steal(struct stress_vcpu *v)
{
	struct stress *s = v->stress;
	uint64_t n = 1 + stress_below(&v->rng, MOST_ACCESSES);
	struct stress_vcpu *other = &s->vcpus[stress_below(&v->rng, s->opt.vcpus)];

	while (n--)
		vcpu_access(v, LOAD(&other->at) + stress_below(&v->rng, 2),
			    stress_below(&v->rng, 2) ? ACCESS_WRITE : ACCESS_READ);
}

static void nest(struct stress_vcpu *v)
{
	if (!stress_below(&v->rng, 64))
		vcpu_switch_mode(v);
}

/* clang-format off */
static const struct {
	enum mix mix;
	void (*run)(struct stress_vcpu *v);
} workloads[] = {
	{ MIX_WRITE, write_stream },
	{ MIX_READ, read_anywhere },
	{ MIX_EXEC, execute },
	{ MIX_STEAL, steal },
	{ MIX_NEST, nest },
};
/* clang-format on */

#define NR_WORKLOADS (sizeof(workloads) / sizeof(workloads[0]))

/* A little of what the mix has. */
void workload_run(struct stress_vcpu *v)
{
	const unsigned int i = stress_below(&v->rng, NR_WORKLOADS);

	if (v->stress->opt.mix & workloads[i].mix)
		workloads[i].run(v);
}
