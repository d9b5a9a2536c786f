// SPDX-License-Identifier: GPL-2.0-only
/* Random virtual machines, slots and operations. */
#include <string.h>

#include "program_edit.h"
#include "program_names.h"
#include "program_random.h"

#define PAGES_2M 512ULL
#define PAGES_1G (512 * PAGES_2M)

/* clang-format off */
/* How often a thread of its kind does each, in parts of the sum. */
static const uint8_t op_weights[OP_NR] = {
	[OP_READ] = 20, [OP_WRITE] = 42, [OP_EXEC] = 22, [OP_SPECULATE] = 4, [OP_PREFAULT] = 5,
	[OP_ROOT_LOAD] = 1, [OP_ROOT_UNLOAD] = 2, [OP_SMM_ENTER] = 2, [OP_SMM_LEAVE] = 2,
	[OP_GUEST_ENTER] = 2, [OP_GUEST_LEAVE] = 2,
	[OP_SLOT_ADD] = 4, [OP_SLOT_DELETE] = 3, [OP_SLOT_MOVE] = 2, [OP_SLOT_FLAGS] = 3,
	[OP_LOG_START] = 9, [OP_LOG_GET] = 12, [OP_LOG_CLEAR] = 10, [OP_LOG_STOP] = 6,
	[OP_SPLIT] = 5, [OP_WRPROT] = 6, [OP_TRACK] = 5, [OP_UNTRACK] = 3, [OP_ZAP_RANGE] = 10,
	[OP_ZAP_FAST] = 4, [OP_NX_RECOVER] = 7, [OP_NX_TOGGLE] = 2, [OP_DESTROY] = 1,
	[OP_UNMAP] = 12, [OP_REMAP] = 9, [OP_CLEAN] = 8, [OP_AGE] = 8, [OP_TEST_AGE] = 3,
	[OP_HUGE_FORM] = 6, [OP_HUGE_BREAK] = 5, [OP_PROTECT] = 5,
};
/* clang-format on */

/**
 * random_vm_key - change a key of the VM
 * @vm: may contradict itself afterwards, see vm_fix()
 * @rng: random numbers
 */
void random_vm_key(struct vm_desc *vm, struct rng *rng)
{
	/* First values around which the MMIO generation or an int wraps; others have any bits of it. */
	static const uint64_t edges[] = {
		0,
		1,
		2,
		255,
		256,
		510,
		512,
		(1 << 18) - 2,
		(1 << 19) - 2,
		(1 << 19) + 6,
		0x7fffffff,
		0x80000000,
		0xfffffffe,
		1ULL << 40,
	};
	const struct vm_key *key = &vm_keys[rng_below(rng, NR_VM_KEYS)];
	uint64_t value, words = 0;

	if (key->words) {
		while (key->words[words])
			words++;
		value = rng_below(rng, words);
	} else if (key->max > 64) {
		value = edges[rng_below(rng, sizeof(edges) / sizeof(*edges))];
		if (rng_chance(rng, 50))
			value = rng_below(rng, 1 << rng_below(rng, 20));
		if (key->offset == offsetof(struct vm_desc, nx_ratio))
			value = rng_below(rng, 8);
	} else {
		value = key->min + rng_below(rng, key->max - key->min + 1);
	}
	vm_key_set(vm, key, value);
}

/**
 * random_vm_migrates - a log that begins all dirty, is cleared bit by bit, and splits huge pages
 * @vm: its other keys stay
 *
 * Most VMMs that migrate ask for all of this; the kernel splits eagerly by default.
 */
void random_vm_migrates(struct vm_desc *vm)
{
	vm->manual_protect = true;
	vm->init_set = true;
	vm->eager_split = true;
}

/**
 * random_vm - a VM that differs from the default in a few keys
 * @rng: random numbers
 *
 * Return: a valid VM.
 */
struct vm_desc random_vm(struct rng *rng)
{
	struct vm_desc vm = vm_default;
	unsigned int n;

	if (rng_chance(rng, 35))
		vm.mmu = VM_NPT;
	else if (rng_chance(rng, 35))
		vm.ad = false;
	if (rng_chance(rng, 20))
		random_vm_migrates(&vm);
	for (n = rng_below(rng, 5); n; n--)
		random_vm_key(&vm, rng);
	vm_fix(&vm);
	return vm;
}

static uint8_t free_slot_id(const struct program *prog, struct rng *rng, uint8_t as_id)
{
	unsigned int used = 0, i;

	for (i = 0; i < prog->nr_slots; i++) {
		if (prog->slots[i].as_id == as_id)
			used |= 1u << prog->slots[i].id;
	}
	for (i = 0; i < PROG_MAX_SLOTS; i++) {
		if (~used & 1u << i)
			return i;
	}
	return rng_below(rng, PROG_MAX_SLOTS);
}

/**
 * random_slot - a slot that a program could have in addition
 * @prog: program
 * @rng: random numbers
 * @slot: filled; at most 8 MiB, so that a program stays cheap to run
 *
 * Return: true if the program can start with it; if not, slot-add can still try to add it.
 */
bool random_slot(const struct program *prog, struct rng *rng, struct slot_desc *slot)
{
	static const uint16_t sizes[] = { 16, 64, 256, 511, 512, 512, 513, 1024, 1024, 2048 };
	uint64_t limit = vm_gfn_limit(&prog->vm);
	unsigned int how = rng_below(rng, 100);
	const struct slot_desc *other;

	memset(slot, 0, sizeof(*slot));
	slot->as_id = rng_chance(rng, 15);
	slot->id = free_slot_id(prog, rng, slot->as_id);
	slot->npages = sizes[rng_below(rng, sizeof(sizes) / sizeof(*sizes))];
	slot->base = rng_below(rng, 8) * PAGES_2M;
	if (how < 8)
		slot->base = PAGES_1G * (1 + rng_below(rng, 3)) - PAGES_2M * rng_below(rng, 2);
	else if (how < 12)
		slot->base = limit - slot->npages;
	if (rng_chance(rng, 10))
		slot->base += 1 + rng_below(rng, 15);
	if (prog->nr_slots && rng_chance(rng, 30)) {
		/* Beside another, or what SMM sees of the same memory. */
		other = &prog->slots[rng_below(rng, prog->nr_slots)];
		slot->base = other->base + (other->as_id == slot->as_id ? other->npages : 0);
	}
	if (slot->base > limit - slot->npages)
		slot->base = limit - slot->npages;
	slot->hvn = slot->base;
	if (slot->hvn < PROG_MAX_GFN / 2 && rng_chance(rng, 8))
		slot->hvn += rng_below(rng, 2) ? PAGES_2M : 1;
	how = rng_below(rng, 100);
	slot->backing = how < 50 ? BACKING_4K :
			how < 85 ? BACKING_2M :
			how < 93 ? BACKING_1G :
				   BACKING_MMIO;
	if (rng_chance(rng, 20))
		slot->flags |= SLOT_LOG;
	if (rng_chance(rng, 7))
		slot->flags |= SLOT_RO;
	return !slot_check(&prog->vm, slot, NULL) && !slots_check_add(prog, slot, NULL);
}

static const struct slot_desc *any_slot(const struct program *prog, struct rng *rng)
{
	static const struct slot_desc none = { .npages = 1024 };

	return prog->nr_slots ? &prog->slots[rng_below(rng, prog->nr_slots)] : &none;
}

/* A page that another operation names, as a gfn or host page; false if it has none. */
static bool used_page(const struct program *prog, struct rng *rng, bool host, uint64_t *page)
{
	const struct prog_thread *thread;
	const struct op *op;
	uint32_t i;

	if (!prog->nr_threads)
		return false;
	thread = &prog->threads[rng_below(rng, prog->nr_threads)];
	if (!thread->nr_ops)
		return false;
	op = &thread->ops[rng_below(rng, thread->nr_ops)];
	if (!op_has(op, 'G') && !op_has(op, 'H'))
		return false;
	*page = op->gfn;
	if (op_has(op, 'H') == host)
		return true;
	for (i = 0; i < prog->nr_slots; i++) {
		const struct slot_desc *slot = &prog->slots[i];
		uint64_t from = host ? slot->base : slot->hvn;

		if (op->gfn - from < slot->npages) {
			*page = op->gfn - from + (host ? slot->hvn : slot->base);
			break;
		}
	}
	return true;
}

/* The page itself, its neighbour, or another of the same 2M or 1G. */
static uint64_t page_near(uint64_t page, struct rng *rng)
{
	switch (rng_below(rng, 8)) {
	case 0:
		return page + 1;
	case 1:
		return page - 1;
	case 2:
	case 3:
		return (page & ~(PAGES_2M - 1)) + rng_below(rng, PAGES_2M);
	case 4:
		return page ^ PAGES_2M;
	case 5:
		return (page & ~(PAGES_1G - 1)) + rng_below(rng, 4) * PAGES_2M;
	default:
		return page;
	}
}

/**
 * random_page - a page worth naming
 * @prog: its slots and operations suggest pages
 * @rng: random numbers
 * @host: a host page rather than a gfn
 *
 * Return: the page, less than the limit for its kind.
 */
uint64_t random_page(const struct program *prog, struct rng *rng, bool host)
{
	uint64_t limit = host ? PROG_MAX_GFN : vm_gfn_limit(&prog->vm);
	const struct slot_desc *slot = any_slot(prog, rng);
	uint64_t start = host ? slot->hvn : slot->base, page;
	unsigned int how = rng_below(rng, 100);

	if (how < 40 && used_page(prog, rng, host, &page))
		page = page_near(page, rng);
	else if (how < 85)
		page = start + rng_below(rng, slot->npages);
	else if (how < 90)
		page = start;
	else if (how < 94)
		page = start + slot->npages - 1;
	else if (how < 97)
		page = start + slot->npages + rng_below(rng, 3);
	else if (how < 99)
		page = start + rng_below(rng, slot->npages) / PAGES_2M * PAGES_2M;
	else /* far above them all, where devices are */
		page = limit >> (1 + rng_below(rng, 8));
	return page & (limit - 1);
}

/**
 * random_count - a number of pages
 * @prog: its slots suggest numbers
 * @rng: random numbers
 *
 * Return: the number, at least 1.
 */
uint64_t random_count(const struct program *prog, struct rng *rng)
{
	unsigned int how = rng_below(rng, 100);

	if (how < 35)
		return 1;
	if (how < 65)
		return 1 + rng_below(rng, 16);
	if (how < 75)
		return 64 * (1 + rng_below(rng, 3)) - rng_below(rng, 2);
	if (how < 90)
		return PAGES_2M * (1 + rng_below(rng, 3)) + rng_below(rng, 3) - 1;
	return any_slot(prog, rng)->npages;
}

static uint8_t random_slot_number(const struct program *prog, struct rng *rng)
{
	const struct slot_desc *slot = any_slot(prog, rng);

	if (rng_chance(rng, 6))
		return OP_SLOT(rng_below(rng, 2), rng_below(rng, PROG_MAX_SLOTS));
	return OP_SLOT(slot->as_id, slot->id);
}

/* slot-add is most use where a slot was: then delete and add make a pair. */
static void random_slot_add(const struct program *prog, struct rng *rng, struct slot_desc *slot)
{
	if (!prog->nr_slots || rng_chance(rng, 30)) {
		random_slot(prog, rng, slot);
		return;
	}
	*slot = *any_slot(prog, rng);
	if (rng_chance(rng, 25))
		slot->backing = rng_below(rng, BACKING_MMIO + 1);
	if (rng_chance(rng, 25))
		slot->flags ^= 1u << rng_below(rng, 2);
}

static void fix_range(const struct program *prog, struct op *op)
{
	uint64_t limit = op_has(op, 'H') ? PROG_MAX_GFN : vm_gfn_limit(&prog->vm);

	if (op_has(op, 'N') && op->n > limit - op->gfn)
		op->n = limit - op->gfn;
	if (op_has(op, 'R') && op->n > (limit - 1 - op->gfn) / op->step + 1) {
		op->n = 1;
		op->step = 1;
	}
}

/**
 * random_operand - give an operand of an operation another value
 * @prog: program
 * @rng: random numbers
 * @op: its other operands are valid, or zero
 * @operand: letter of OP_LIST that the operation has
 */
void random_operand(const struct program *prog, struct rng *rng, struct op *op, char operand)
{
	switch (operand) {
	case 'G':
	case 'H':
		op->gfn = random_page(prog, rng, operand == 'H');
		break;
	case 'N':
		op->n = random_count(prog, rng);
		/* Each of these pages is a fault: a few say as much as many. */
		if (op->kind == OP_PREFAULT && !rng_chance(rng, 5))
			op->n = 1 + op->n % 32;
		break;
	case 'R':
		op->n = rng_chance(rng, 90) ? 1 : 2 + rng_below(rng, 7);
		op->step = op->n > 1 && rng_chance(rng, 40) ? 1ULL << rng_below(rng, 10) : 1;
		break;
	case 'S':
		op->slot = random_slot_number(prog, rng);
		break;
	case 'L':
		op->level = 1 + rng_below(rng, 3);
		if (op->kind == OP_HUGE_FORM)
			op->level = rng_chance(rng, 20) ? 3 : 2;
		break;
	case 'B':
		op->on = rng_below(rng, 2);
		break;
	case 'F':
		op->flags = rng_below(rng, 4);
		break;
	default:
		random_slot_add(prog, rng, &op->desc);
	}
	/* Ranges end where pages do, whichever of the two operands is new. */
	if (op->n && (op_has(op, 'N') || op_has(op, 'R')))
		fix_range(prog, op);
}

/**
 * random_op - a random operation
 * @prog: program
 * @rng: random numbers
 * @kind: of the thread it is for
 *
 * Return: a valid operation.
 */
struct op random_op(const struct program *prog, struct rng *rng, enum thread_kind kind)
{
	unsigned int sum = 0, pick;
	const char *operand;
	struct op op = { 0 };
	int i;

	for (i = 0; i < OP_NR; i++)
		sum += op_infos[i].kind == kind ? op_weights[i] : 0;
	pick = rng_below(rng, sum);
	for (i = 0; i < OP_NR; i++) {
		if (op_infos[i].kind != kind)
			continue;
		if (pick < op_weights[i])
			break;
		pick -= op_weights[i];
	}
	op.kind = i;
	for (operand = op_infos[i].operands; *operand; operand++)
		random_operand(prog, rng, &op, *operand);

	/* What a slot's operation names is mostly in the slot. */
	if (op_has(&op, 'S') && op_has(&op, 'G') && prog->nr_slots && rng_chance(rng, 80)) {
		const struct slot_desc *slot = any_slot(prog, rng);

		op.slot = OP_SLOT(slot->as_id, slot->id);
		op.gfn = slot->base + rng_below(rng, slot->npages);
		if (op.kind == OP_LOG_CLEAR) {
			op.gfn = slot->base + (op.gfn - slot->base) / 64 * 64;
			if (rng_chance(rng, 30)) {
				op.gfn = slot->base;
				op.n = slot->npages;
			}
		}
		if (op_has(&op, 'N'))
			fix_range(prog, &op);
	}
	return op;
}

/**
 * random_thread - a thread of a kind
 * @prog: program
 * @rng: random numbers
 * @kind: of the thread
 *
 * Return: its number, or -1 if there is none.
 */
int random_thread(const struct program *prog, struct rng *rng, enum thread_kind kind)
{
	uint8_t found[PROG_MAX_THREADS];
	uint32_t i, nr = 0;

	for (i = 0; i < prog->nr_threads; i++) {
		if (prog->threads[i].kind == kind)
			found[nr++] = i;
	}
	return nr ? found[rng_below(rng, nr)] : -1;
}
