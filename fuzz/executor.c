// SPDX-License-Identifier: GPL-2.0-only
/* A program from its first line to the VM's end. */
#include <errno.h>
#include <stdlib.h>

#include "executor_internal.h"

/* Points that the longest operation stays well below, less what grows with the slots: op_budget(). */
#define OP_BUDGET	(1ULL << 26)
#define OP_BUDGET_PAGE	4

/* Words of the buffer that are kept from run to run; the rare slot of many GiB has one of its own. */
#define BITMAP_KEEP (1u << 16)

/* Those of more than @keep words go. */
static void drop_bitmaps(struct executor *x, size_t keep)
{
	int i;

	for (i = 0; i < EXEC_BUFFERS; i++) {
		struct exec_buffer *buffer = &x->bitmaps[i];

		if (buffer->nr_words <= keep)
			continue;
		free(buffer->words);
		buffer->words = NULL;
		buffer->nr_words = 0;
	}
}

/**
 * executor_create() - make an executor
 *
 * There is one simulated world in a process, so executors take turns; one is enough for any number
 * of programs.
 *
 * Return: the executor; NULL without memory.
 */
struct executor *executor_create(void)
{
	struct executor *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->oracle = oracle_create();
	if (!x->oracle) {
		free(x);
		return NULL;
	}
	exec_events_init(x);
	return x;
}

/**
 * executor_destroy() - free an executor
 * @x: may be NULL
 */
void executor_destroy(struct executor *x)
{
	if (!x)
		return;
	sim_set_observer(NULL);
	sim_reset();
	oracle_destroy(x->oracle);
	drop_bitmaps(x, 0);
	free(x);
}

/**
 * executor_oracle() - the oracle, for its violations
 * @x: executor
 *
 * Return: the oracle; what it found is there until the next run.
 */
struct oracle *executor_oracle(struct executor *x)
{
	return x->oracle;
}

static struct exec_buffer *this_bitmap(struct executor *x)
{
	return &x->bitmaps[x->current ? x->current->number : EXEC_BUFFERS - 1];
}

/**
 * exec_bitmap() - room for a bitmap
 * @x: executor
 * @words: of 64 bits
 *
 * Each thread has one such buffer, reused, and the user of it leaves it as it was found.
 *
 * Return: @words words of zeroes.
 */
uint64_t *exec_bitmap(struct executor *x, size_t words)
{
	struct exec_buffer *buffer = this_bitmap(x);

	if (words > buffer->nr_words) {
		free(buffer->words);
		buffer->words = calloc(words, sizeof(*buffer->words));
		if (!buffer->words)
			abort();
		buffer->nr_words = words;
	}
	return buffer->words;
}

/**
 * exec_bitmap_clear() - make part of the buffer zero again
 * @x: executor
 * @first: first word
 * @words: how many at most; those past its end are not there to clear
 */
void exec_bitmap_clear(struct executor *x, size_t first, size_t words)
{
	struct exec_buffer *buffer = this_bitmap(x);

	if (words > buffer->nr_words - first)
		words = buffer->nr_words - first;
	memset(buffer->words + first, 0, words * sizeof(*buffer->words));
}

/* To clear the log of a whole slot takes about half a point a page, for each root. */
static uint64_t op_budget(const struct program *prog)
{
	uint64_t most = 0;
	uint32_t i, k;

	for (i = 0; i < prog->nr_slots; i++)
		most = prog->slots[i].npages > most ? prog->slots[i].npages : most;
	for (i = 0; i < prog->nr_threads; i++) {
		for (k = 0; k < prog->threads[i].nr_ops; k++) {
			const struct op *op = &prog->threads[i].ops[k];

			if (op->kind == OP_SLOT_ADD && op->desc.npages > most)
				most = op->desc.npages;
		}
	}
	return OP_BUDGET + OP_BUDGET_PAGE * most;
}

static bool set_up(struct executor *x)
{
	const struct program *prog = x->prog;
	uint32_t i;
	int ret;

	x->kvm = NULL;
	memset(x->vcpus, 0, sizeof(x->vcpus));
	for (i = 0; i < PROG_MAX_SLOTS; i++)
		x->slots[0][i].used = x->slots[1][i].used = false;

	ret = exec_create_vm(x);
	if (ret) {
		oracle_report(x->oracle, 'P', ~0ULL, 0, "a valid VM was refused: error %d", ret);
		return false;
	}
	for (i = 0; i < prog->nr_slots; i++) {
		ret = exec_add_slot(x, &prog->slots[i]);
		if (ret)
			oracle_report(x->oracle, 'P', prog->slots[i].base, 0,
				      "a valid slot was refused: error %d", ret);
	}
	for (i = 0; i < prog->nr_threads; i++) {
		if (prog->threads[i].kind != THREAD_VCPU)
			continue;
		ret = exec_create_vcpu(x, prog->threads[i].vcpu);
		if (ret) {
			oracle_report(x->oracle, 'P', ~0ULL, 0, "a vCPU was refused: error %d",
				      ret);
			return false;
		}
	}
	return true;
}

static void stats_at_end(struct executor *x)
{
	struct exec_stats *stats = &x->res->stats;
	struct kvm_vm_stat vm;

	kvm_vm_get_stat(x->kvm, &vm);
	stats->faults_fast = vm.pf_fast;
	stats->mmio_sptes = vm.pf_mmio_spte_created;
	stats->splits = vm.splits;
	stats->nx_recoveries = vm.nx_recoveries;
	stats->tables_end = vm.tdp_mmu_pages;
	stats->leaves_4k = vm.pages[0];
	stats->leaves_2m = vm.pages[1];
	stats->leaves_1g = vm.pages[2];
}

/**
 * exec_finish() - the VM's end: last harvest, what must hold at rest, destruction, what must be left
 * @x: executor; does nothing if its VM is gone already
 */
void exec_finish(struct executor *x)
{
	struct exec_stats stats;

	if (!x->kvm)
		return;
	exec_last_harvest(x);
	stats_at_end(x);
	oracle_quiesce(x->oracle);
	if (exec_tracing(x))
		exec_emit_violations(x);
	if (x->opts->before_destroy)
		x->opts->before_destroy(x->opts->ctx, x->kvm);
	if (x->opts->leave_vm) {
		/* The next run takes its memory. */
		x->kvm = NULL;
		return;
	}
	/* Destruction is not counted: it says nothing about the program. */
	stats = x->res->stats;
	exec_destroy_vm(x);
	x->res->stats = stats;
	oracle_final(x->oracle, sim_pages_in_use(), sim_allocs_in_use());
	if (exec_tracing(x))
		exec_emit_violations(x);
}

static void run(struct executor *x)
{
	exec_outside(x);
	sim_set_budget(x->opts->op_budget);
	if (set_up(x)) {
		if (!exec_threads_run(x)) {
			drop_bitmaps(x, 0);
			return;
		}
		exec_outside(x);
		sim_set_budget(x->opts->op_budget);
		exec_finish(x);
	}
	exec_threads_never(x);
}

/**
 * executor_run() - run a program from an empty world to an empty world
 * @x: executor
 * @prog: a valid program
 * @opts: how; NULL for the defaults
 * @res: what came out
 *
 * Return: 0 if nothing was found, 1 if a rule was broken or a WARN fired.
 */
int executor_run(struct executor *x, const struct program *prog, const struct exec_options *opts,
		 struct exec_result *res)
{
	static const enum vm_kernel kernels[] = {
		[TDP_LINUX_6_12] = VM_LINUX_6_12,
		[TDP_LINUX_6_1] = VM_LINUX_6_1,
		[TDP_LINUX_7_2] = VM_LINUX_7_2,
	};
	static const struct exec_options defaults;
	struct exec_options with = opts ? *opts : defaults;

	if (!with.op_budget)
		with.op_budget = op_budget(prog);
	memset(res, 0, offsetof(struct exec_result, never));
	res->truncated = false;
	x->prog = prog;
	x->vm = prog->vm;
	if (!tdp_backend.zap_policy)
		x->vm.policy = VM_SPLIT;
	if (!tdp_backend.split_policy)
		x->vm.policy = VM_ZAP;
	x->vm.kernel = kernels[tdp_backend.kernel];
	if (x->vm.kernel == VM_LINUX_6_1)
		x->vm.quirk_zap_all = true;
	x->opts = &with;
	x->res = res;
	x->accesses_left = with.max_accesses ? with.max_accesses : ~0ULL;
	x->violations_told = 0;
	x->marks = 0;
	x->current = NULL;
	x->scheduled = false;
	x->dying = false;
	x->calls_open = 0;
	x->nr_record = 0;

	sim_alone(true);
	sim_reset();
	memset(&x->outside, 0, sizeof(x->outside));
	oracle_reset(x->oracle, &x->vm, &x->env);
	oracle_hash_points(x->oracle, with.hash_points);
	exec_threads_init(x);
	exec_events_begin(x);
	if (setjmp(x->fatal))
		drop_bitmaps(x, 0);
	else
		run(x);
	drop_bitmaps(x, BITMAP_KEEP);
	exec_record_finish(x);

	sim_set_scheduler(NULL);
	sim_set_observer(NULL);
	sim_alone(false);
	res->stats.points = sim_points();
	res->hash = oracle_hash(x->oracle);
	res->nr_violations = oracle_nr_violations(x->oracle);
	x->opts = NULL;
	return res->nr_violations != 0;
}
