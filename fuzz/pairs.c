// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs for pairs of operations.  Helper threads make the starting tree; then come the two threads
 * that matter.  Of these, the last operation is what is explored; a vCPU's fills its TLB before.
 */
#include "pairs.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "program_names.h"
#include "program_rng.h"

const char *const pair_tree_names[PAIR_TREE_NR] = {
#define TREE(name, text, meaning) [PAIR_TREE_##name] = text,
	PAIR_TREE_LIST(TREE)
#undef TREE
};

const char *const pair_mmu_names[PAIR_MMU_NR] = {
	[PAIR_EPT_AD] = "ept-ad",
	[PAIR_EPT] = "ept-noad",
	[PAIR_NPT] = "npt",
};

static const char *const mmu_keys[PAIR_MMU_NR] = {
	[PAIR_EPT_AD] = "mmu=ept ad=on",
	[PAIR_EPT] = "mmu=ept ad=off",
	[PAIR_NPT] = "mmu=npt",
};

/**
 * struct tree - how a starting tree is made
 * @slot: its slot 0, after "slot 0"; few pages, for walks visit every SPTE of them
 * @vm: keys of the VM
 * @helpers: threads that make it, each run to its end in this order, but for the last if @held
 * @nr_helpers: how many
 * @held: point of the last helper's only operation at which it is stopped; NULL: it is not
 * @gfn: page that the operations are about
 * @in_slot: page of slot 0 that those are about that need a slot
 * @add: what slot-add adds, so that it matters to the tree if that is possible
 * @move: where slot-move moves slot 0
 * @huge: the policy for faults below huge pages may matter
 * @zap: only with that policy
 * @logs: slot 0 has dirty logging on
 */
struct tree {
	const char *slot;
	const char *vm;
	const char *helpers;
	int nr_helpers;
	const char *held;
	uint64_t gfn;
	uint64_t in_slot;
	const char *add;
	uint64_t move;
	bool huge;
	bool zap;
	bool logs;
};

#define SMALL_SLOT "base=0x0 pages=0x8 backing=4K"
#define SMALL_PLACE \
	.gfn = 0x1, .in_slot = 0x1, .add = "1 base=0x8 pages=0x8 backing=4K", .move = 0x10
#define HUGE_SLOT "base=0x200 pages=0x200 backing=2M"
#define HUGE_PLACE \
	.gfn = 0x201, .in_slot = 0x201, .add = "1 base=0x400 pages=0x200 backing=2M", .move = 0x600

static const struct tree trees[PAIR_TREE_NR] = {
	[PAIR_TREE_NONE] = { .slot = SMALL_SLOT, SMALL_PLACE },
	[PAIR_TREE_SMALL] = {
		.slot = SMALL_SLOT, SMALL_PLACE,
		.helpers = "thread vcpu 2\n\twrite 0x1\n\tread 0x2\n", .nr_helpers = 1,
	},
	[PAIR_TREE_LEAF_2M] = {
		.slot = HUGE_SLOT, HUGE_PLACE, .huge = true,
		.helpers = "thread vcpu 2\n\tread 0x200\n", .nr_helpers = 1,
	},
	[PAIR_TREE_LEAF_1G] = {
		.slot = "base=0x40000 pages=0x40000 backing=1G", .huge = true,
		.gfn = 0x40201, .in_slot = 0x40201, .add = "1 base=0x80000 pages=0x200 backing=2M", .move = 0xc0000,
		.helpers = "thread vcpu 2\n\tread 0x40000\n", .nr_helpers = 1,
	},
	[PAIR_TREE_WRPROT] = {
		.slot = SMALL_SLOT " flags=log", SMALL_PLACE, .logs = true,
		.helpers = "thread vcpu 2\n\twrite 0x1\n\twrite 0x2\nthread vmm\n\tlog-get 0\n", .nr_helpers = 2,
	},
	[PAIR_TREE_WRPROT_2M] = {
		.slot = HUGE_SLOT, HUGE_PLACE, .huge = true, .logs = true,
		.helpers = "thread vcpu 2\n\twrite 0x200\nthread vmm\n\tlog-start 0\n", .nr_helpers = 2,
	},
	[PAIR_TREE_TRACKED] = {
		.slot = SMALL_SLOT, SMALL_PLACE,
		.helpers = "thread vcpu 2\n\twrite 0x1\n\tread 0x2\nthread host\n\tage 0x0 0x8\n", .nr_helpers = 2,
	},
	[PAIR_TREE_NX] = {
		.slot = HUGE_SLOT, HUGE_PLACE, .vm = "nx_ratio=1",
		.helpers = "thread vcpu 2\n\texec 0x201\n", .nr_helpers = 1,
	},
	[PAIR_TREE_MMIO] = {
		.slot = SMALL_SLOT, .gfn = 0x9, .in_slot = 0x1, .add = "1 base=0x8 pages=0x8 backing=4K", .move = 0x8,
		.helpers = "thread vcpu 2\n\tread 0x9\n", .nr_helpers = 1,
	},
	[PAIR_TREE_FROZEN] = {
		.slot = HUGE_SLOT, HUGE_PLACE, .zap = true,
		.helpers = "thread vcpu 2\n\tread 0x200\nthread vcpu 3\n\texec 0x203\n", .nr_helpers = 2,
		.held = "flush#1",
	},
	[PAIR_TREE_REMOVED] = {
		.slot = "base=0x200 pages=0x200 backing=4K", HUGE_PLACE, .vm = "nx_huge_pages=off",
		.helpers = "thread vcpu 2\n\twrite 0x201\nthread host\n\thuge-form 0x200 2M\n"
			   "thread vcpu 3\n\tread 0x203\n",
		.nr_helpers = 3,
		.held = "xchg(4K)#512",
	},
	[PAIR_TREE_FULL] = {
		.slot = "base=0x200 pages=0x200 backing=4K", HUGE_PLACE,
		.helpers = "thread vcpu 2\n\twrite 0x200 x512\n", .nr_helpers = 1,
	},
};

/* Operands: G @gfn, S @in_slot, A @add, M @move, L a level below the huge page. */
static const char *const operations[OP_NR] = {
	[OP_READ] = "read G",
	[OP_WRITE] = "write G",
	[OP_EXEC] = "exec G",
	[OP_SPECULATE] = "speculate G",
	[OP_PREFAULT] = "prefault G 0x1",
	[OP_ROOT_LOAD] = "root-load",
	[OP_ROOT_UNLOAD] = "root-unload",
	[OP_SMM_ENTER] = "smm-enter",
	[OP_SMM_LEAVE] = "smm-leave",
	[OP_GUEST_ENTER] = "guest-enter",
	[OP_GUEST_LEAVE] = "guest-leave",
	[OP_SLOT_ADD] = "slot-add A",
	[OP_SLOT_DELETE] = "slot-delete 0",
	[OP_SLOT_MOVE] = "slot-move 0 M",
	[OP_SLOT_FLAGS] = "slot-flags 0 ro",
	[OP_LOG_START] = "log-start 0",
	[OP_LOG_GET] = "log-get 0",
	[OP_LOG_CLEAR] = "log-clear 0 S 0x1",
	[OP_LOG_STOP] = "log-stop 0",
	[OP_SPLIT] = "split 0 L",
	[OP_WRPROT] = "write-protect 0 S 4K",
	[OP_TRACK] = "track 0 S",
	[OP_UNTRACK] = "untrack 0 S",
	[OP_ZAP_RANGE] = "zap-range G 0x1",
	[OP_ZAP_FAST] = "zap-fast",
	[OP_NX_RECOVER] = "nx-recover",
	[OP_NX_TOGGLE] = "nx-toggle off",
	[OP_DESTROY] = "destroy",
	[OP_UNMAP] = "unmap S 0x1",
	[OP_REMAP] = "remap S 0x1",
	[OP_CLEAN] = "clean S 0x1",
	[OP_AGE] = "age S 0x1",
	[OP_TEST_AGE] = "test-age S 0x1",
	[OP_HUGE_FORM] = "huge-form S 2M",
	[OP_HUGE_BREAK] = "huge-break S 0x1",
	[OP_PROTECT] = "protect S 0x1",
};

/* What must have happened for an operation to do anything; NULL: nothing. */
static const char *before(enum op_kind kind, const struct tree *tree)
{
	switch (kind) {
	case OP_SMM_LEAVE:
		return "smm-enter";
	case OP_GUEST_LEAVE:
		return "guest-enter";
	case OP_UNTRACK:
		return "track 0 S";
	case OP_LOG_GET:
	case OP_LOG_CLEAR:
	case OP_LOG_STOP:
		return tree->logs ? NULL : "log-start 0";
	default:
		return NULL;
	}
}

/* ---- numbers ---- */

#define NR_PAIRS ((uint32_t)OP_NR * (OP_NR + 1) / 2)

static bool has_policy(enum pair_tree tree, enum vm_policy policy)
{
	if (trees[tree].zap)
		return policy == VM_ZAP;
	return policy == VM_SPLIT || trees[tree].huge;
}

/**
 * pairs_nr() - how many pairs there are
 *
 * Return: unordered pairs of operations, times trees, times MMUs, times the policies that matter.
 */
uint32_t pairs_nr(void)
{
	uint32_t tree, n = 0;

	for (tree = 0; tree < PAIR_TREE_NR; tree++)
		n += has_policy(tree, VM_SPLIT) + has_policy(tree, VM_ZAP);
	return n * PAIR_MMU_NR * NR_PAIRS;
}

/**
 * pairs_get() - a pair by its number
 * @number: below pairs_nr()
 * @pair: receives it
 */
void pairs_get(uint32_t number, struct pair *pair)
{
	uint32_t n = number % NR_PAIRS, world = number / NR_PAIRS, tree, policy;

	pair->a = 0;
	pair->c = OP_NR;
	while (n >= OP_NR - (uint32_t)pair->a)
		n -= OP_NR - pair->a++;
	pair->b = pair->a + n;
	pair->mmu = world % PAIR_MMU_NR;
	world /= PAIR_MMU_NR;
	for (tree = 0; tree < PAIR_TREE_NR; tree++) {
		for (policy = VM_SPLIT; policy <= VM_ZAP; policy++) {
			if (!has_policy(tree, policy) || world--)
				continue;
			pair->tree = tree;
			pair->policy = policy;
			return;
		}
	}
}

/**
 * pairs_triple() - a triple at random
 * @seed: the same one gives the same triple
 * @triple: receives it; its tree is none that a thread stands in the middle of
 */
void pairs_triple(uint64_t seed, struct pair *triple)
{
	struct rng rng = rng_seed(seed);

	triple->a = rng_below(&rng, OP_NR);
	triple->b = rng_below(&rng, OP_NR);
	triple->c = rng_below(&rng, OP_NR);
	triple->mmu = rng_below(&rng, PAIR_MMU_NR);
	do {
		triple->tree = rng_below(&rng, PAIR_TREE_NR);
	} while (trees[triple->tree].held);
	triple->policy = trees[triple->tree].huge && rng_chance(&rng, 50) ? VM_ZAP : VM_SPLIT;
}

/**
 * pair_name() - a pair as one word
 * @pair: the pair
 * @buf: where to
 * @size: bytes there
 *
 * Return: length of "read+unmap.2m-leaf.ept-ad.zap", as snprintf().
 */
size_t pair_name(const struct pair *pair, char *buf, size_t size)
{
	int n = snprintf(buf, size, "%s+%s%s%s.%s.%s%s", op_infos[pair->a].name,
			 op_infos[pair->b].name, pair->c == OP_NR ? "" : "+",
			 pair->c == OP_NR ? "" : op_infos[pair->c].name,
			 pair_tree_names[pair->tree], pair_mmu_names[pair->mmu],
			 pair->policy == VM_ZAP ? ".zap" : "");

	return n < 0 ? 0 : n;
}

/* ---- programs ---- */

struct text {
	char buf[2048];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->buf + t->len, sizeof(t->buf) - t->len, fmt, args);
	va_end(args);
	if (n > 0)
		t->len += n;
}

static void say_op(struct text *t, const struct tree *tree, const char *op)
{
	say(t, "\t");
	for (; *op; op++) {
		switch (*op) {
		case 'G':
			say(t, "0x%llx", (unsigned long long)tree->gfn);
			break;
		case 'S':
			say(t, "0x%llx", (unsigned long long)tree->in_slot);
			break;
		case 'M':
			/* "2M" is a level. */
			if (op[-1] != ' ')
				say(t, "M");
			else
				say(t, "0x%llx", (unsigned long long)tree->move);
			break;
		case 'A':
			say(t, "%s", tree->add);
			break;
		case 'L':
			say(t, tree == &trees[PAIR_TREE_LEAF_1G] ? "2M" : "4K");
			break;
		default:
			say(t, "%c", *op);
		}
	}
	say(t, "\n");
}

static bool is_vcpu(enum op_kind kind)
{
	return op_infos[kind].kind == THREAD_VCPU;
}

/* A thread of the pair; its last operation is the one. */
static void say_thread(struct text *t, const struct tree *tree, enum op_kind kind, int vcpu)
{
	static const char *const kinds[] = { [THREAD_VMM] = "vmm", [THREAD_HOST] = "host" };
	const char *first = before(kind, tree);

	if (is_vcpu(kind)) {
		say(t, "thread vcpu %d\n", vcpu);
		say_op(t, tree, "speculate G");
		/* Between two of these a helper that is to be stopped has its turn. */
		if (tree->held)
			say_op(t, tree, "speculate G");
	} else {
		say(t, "thread %s\n", kinds[op_infos[kind].kind]);
	}
	if (first)
		say_op(t, tree, first);
	say_op(t, tree, operations[kind]);
}

/*
 * Where a helper is to be stopped in the middle of a zap: after the others, vCPUs of the pair fill their
 * TLBs; then it runs, up to the point; then comes the pair.
 */
static void say_schedule(struct text *t, const struct tree *tree, const struct pair *pair)
{
	int helper = tree->nr_helpers - 1, a = tree->nr_helpers, b = a + 1;
	bool first = is_vcpu(pair->a), second = is_vcpu(pair->b);

	if (!tree->held)
		return;
	say(t, "schedule\n");
	if (first || second)
		say(t, "\tt%d.1@end#1 -> t%d\n", helper - 1, first ? a : b);
	if (first)
		say(t, "\tt%d.1@op#1 -> t%d\n", a, second ? b : helper);
	if (second)
		say(t, "\tt%d.1@op#1 -> t%d\n", b, helper);
	say(t, "\tt%d.0@%s -> t%d\n", helper, tree->held, a);
}

/**
 * pair_program() - make the program of a pair
 * @pair: the pair
 * @prog: receives it
 * @settled: receives a mask of the threads of which nothing is to be explored but how they go on
 * @err: why it could not be made
 *
 * Return: 0, or program_parse()'s error.
 */
int pair_program(const struct pair *pair, struct program *prog, uint32_t *settled,
		 struct prog_error *err)
{
	const struct tree *tree = &trees[pair->tree];
	struct text t = { .len = 0 };

	say(&t, "tdp 1\nvm %s", mmu_keys[pair->mmu]);
	if (tree->vm)
		say(&t, " %s", tree->vm);
	if (pair->policy == VM_ZAP)
		say(&t, " fault_policy=zap");
	say(&t, "\nslot 0 %s\n%s", tree->slot, tree->helpers ? tree->helpers : "");
	say_thread(&t, tree, pair->a, 0);
	say_thread(&t, tree, pair->b, 1);
	if (pair->c != OP_NR)
		say_thread(&t, tree, pair->c, 3);
	say_schedule(&t, tree, pair);
	*settled = (1u << tree->nr_helpers) - 1;
	return program_parse(prog, t.buf, t.len, err);
}
