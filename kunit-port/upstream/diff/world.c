// SPDX-License-Identifier: GPL-2.0-only
/*
 * A run of a program, written down; compiled for each backend and fault_policy, with DIFF_WORLD as the
 * function's name and DIFF_POLICY.
 */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "executor_internal.h"
#include "platform.h"

#define MAX_ACCESSES 64
#define MAX_POINTS   60000

/* VMs that are destroyed: one of so many. There is nothing to compare afterwards but the rules. */
#define DESTROYED 8

#define MMU_PRESENT (1ULL << 11)
#define LARGE	    (1ULL << 7)
#define ADDRESS	    0x000ffffffffff000ULL
#define ODD	    0x9e3779b97f4a7c15ULL

static struct {
	struct executor *executor;
	struct program *prog;
	struct diff_log *log;
	FILE *dump;
	uint32_t dump_at;
	uint64_t hash;
	uint64_t hash_of_root;
	hpa_t root;
	uint32_t nr_roots;
} world;

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * ODD;
	hash = (hash ^ hash >> 32) * ODD;
	return hash ^ hash >> 32;
}

/* Links differ by where their tables happen to be. */
static uint64_t without_address(uint64_t spte, int level)
{
	if (spte & MMU_PRESENT && level > PG_LEVEL_4K && !(spte & LARGE))
		return spte & ~ADDRESS;
	return spte;
}

static int see_spte(const struct tdp_spte_info *info, void *arg)
{
	const uint64_t spte = without_address(info->spte, info->level);

	(void)arg;
	if (info->root != world.root) {
		world.root = info->root;
		world.nr_roots++;
		world.hash_of_root = mix(0, world.nr_roots << 4 | info->root_invalid << 3 |
						    info->guest_mode << 2 | info->as_id);
	}
	/* A sum, whose parts do not wait for each other. */
	world.hash += mix(world.hash_of_root ^ (info->gfn << 3 | info->level) * ODD, spte);
	if (world.dump)
		fprintf(world.dump, "root %u%s, as %d%s: gfn 0x%llx level %d: %016llx\n",
			world.nr_roots, info->root_invalid ? " (invalid)" : "", info->as_id,
			info->guest_mode ? ", guest mode" : "", (unsigned long long)info->gfn,
			info->level, (unsigned long long)spte);
	return 0;
}

static uint64_t see_sptes(struct kvm *kvm)
{
	world.hash = 0;
	world.root = INVALID_PAGE;
	world.nr_roots = 0;
	tdp_for_each_spte(kvm, see_spte, NULL);
	return world.hash;
}

static void see_stat(struct kvm *kvm, uint64_t *out)
{
	struct kvm_vm_stat stat;

	kvm_vm_get_stat(kvm, &stat);
#define STAT(member) *out++ = stat.member;
	DIFF_STATS(STAT)
#undef STAT
}

static void on_call(void *ctx, const struct oracle_call *ended)
{
	const struct executor *x = ctx;
	struct diff_log *log = world.log;
	struct diff_step *step = &log->steps[log->nr_steps];
	FILE *dump = world.dump;

	/* Points are counted differently: what is left out of a long program is not the same. */
	log->truncated |= sim_points() > MAX_POINTS;
	if (log->overlapped || log->truncated)
		return;
	if (x->calls_open > (ended ? 1 : 0)) {
		log->overlapped = true;
		return;
	}
	/* There may be no VM yet, or none any more. */
	if (!ended || !x->kvm || log->nr_steps == DIFF_MAX_STEPS)
		return;
	if (log->nr_steps != world.dump_at)
		world.dump = NULL;
	*step = (struct diff_step){
		.kind = ended->kind,
		.thread = x->current ? x->current - x->threads : -1,
		.op = x->current ? x->current->op : 0,
		.ret = ended->ret,
		.sptes = see_sptes(x->kvm),
		.tables = sim_pages_in_use(),
		.marks = x->marks,
	};
	see_stat(x->kvm, step->stat);
	world.dump = dump;
	log->nr_steps++;
}

/* Points that are the same on both: those of other kinds are counted by what each does in its own way. */
static bool same_on_both(const struct prog_choice *choice)
{
	switch (choice->kind) {
	case POINT_OP:
	case POINT_READ:
	case POINT_WRITE:
	case POINT_XCHG:
	case POINT_CMPXCHG:
	case POINT_AND:
	case POINT_ALLOC:
	case POINT_RESCHED:
		return true;
	default:
		return false;
	}
}

static void make_comparable(struct program *prog)
{
	uint32_t i, kept = 0;

	prog->vm.policy = DIFF_POLICY; /* the kernel has no other */
	for (i = 0; i < prog->nr_choices; i++) {
		if (same_on_both(&prog->choices[i]))
			prog->choices[kept++] = prog->choices[i];
	}
	prog->nr_choices = kept;
}

static bool leaves_vm(const uint8_t *data, size_t size)
{
	uint64_t hash = size;

	while (size--)
		hash = mix(hash, data[size]);
	return hash % DESTROYED;
}

void DIFF_WORLD(const uint8_t *data, size_t size, struct diff_log *log, FILE *dump,
		uint32_t dump_at)
{
	struct exec_options opts = {
		.max_accesses = MAX_ACCESSES,
		.max_points = MAX_POINTS,
		.call = on_call,
		.leave_vm = leaves_vm(data, size),
	};
	struct exec_result res;

	if (!world.executor) {
		world.executor = executor_create();
		world.prog = program_alloc();
		if (!world.executor || !world.prog)
			abort();
	}
	opts.ctx = world.executor;
	program_decode(world.prog, data, size);
	make_comparable(world.prog);
	world.log = log;
	world.dump = dump;
	world.dump_at = dump_at;
	log->nr_steps = 0;
	log->overlapped = false;
	log->truncated = false;
	log->vm = world.prog->vm;
	executor_run(world.executor, world.prog, &opts, &res);
	log->truncated |= res.truncated;
	log->rule = res.nr_violations ? oracle_violation(executor_oracle(world.executor), 0)->rule :
					0;
}
