// SPDX-License-Identifier: GPL-2.0-only
/* Rows: the same by one thread and by two at once, each with a vCPU and memory of its own. */
#include <pthread.h>
#include <sched.h>

#include "measure.h"
#include "mmu_rows.h"
#include "platform.h"

#define FAULTS	 (128 * PAGES_2M) /* pages that are mapped in a batch */
#define SPLITS	 1024
#define SECTIONS (1 << 17)
#define MIXED	 (1 << 16)
/* One in that many takes mmu_lock for writing. */
#define WRITES_EVERY 64

/* A thread and its part of a batch. */
struct player {
	struct mmu_vm *vm;
	const struct mmu_row *row;
	pthread_t thread;
	int id;
	int *ready;
	double begun;
	double ended;
};

static void *play(void *arg)
{
	struct player *p = arg;

	/* What a thread does when it comes here for the first time is not timed. */
	kvm_vcpu_get_spte(p->vm->vcpu[p->id], 0, NULL);
	__atomic_fetch_add(p->ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(p->ready, __ATOMIC_SEQ_CST) < p->row->threads)
		sched_yield();
	p->begun = bench_ns();
	p->row->run(p->vm, p->row, p->id);
	p->ended = bench_ns();
	return NULL;
}

/**
 * mmu_threads_ns() - one batch, by the row's threads
 * @vm: the VM
 * @row: the row
 *
 * Return: nanoseconds from the first one's beginning to the last one's end.
 */
double mmu_threads_ns(struct mmu_vm *vm, const struct mmu_row *row)
{
	struct player players[MOST_THREADS] = { 0 };
	double begun, ended;
	int i, ready = 0;

	for (i = 0; i < row->threads; i++) {
		players[i] = (struct player){ .vm = vm, .row = row, .id = i, .ready = &ready };
		if (pthread_create(&players[i].thread, NULL, play, &players[i]))
			bench_die(row->name, "no thread");
	}
	for (i = 0; i < row->threads; i++)
		pthread_join(players[i].thread, NULL);
	begun = players[0].begun;
	ended = players[0].ended;
	for (i = 1; i < row->threads; i++) {
		begun = players[i].begun < begun ? players[i].begun : begun;
		ended = players[i].ended > ended ? players[i].ended : ended;
	}
	return ended - begun;
}

/* The thread's pages of the slot. */
static gfn_t first_of(const struct mmu_row *row, int thread)
{
	return row->pages / row->threads * thread;
}

static u64 share(const struct mmu_row *row)
{
	return row->units / row->threads;
}

static void faults(struct mmu_vm *vm, const struct mmu_row *row, int thread, int expected)
{
	mmu_expect_none(vm, mmu_vm_fault(vm->vcpu[thread], first_of(row, thread),
					 row->pages / row->units, share(row), PFERR_WRITE_MASK,
					 expected));
}

static void populate(struct mmu_vm *vm, const struct mmu_row *row)
{
	mmu_populate(vm, row->level);
}

static void populate_clean(struct mmu_vm *vm, const struct mmu_row *row)
{
	mmu_populate_clean(vm, row->level);
}

static void zap(struct mmu_vm *vm, const struct mmu_row *row)
{
	(void)row;
	mmu_expect(vm, !kvm_zap_gfn_range(vm->kvm, 0, vm->pages));
}

static void fault(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	faults(vm, row, thread, RET_PF_FIXED);
}

static bool all_mapped(struct mmu_vm *vm, const struct mmu_row *row)
{
	return mmu_all_mapped(vm, row->level);
}

static void populate_huge(struct mmu_vm *vm, const struct mmu_row *row)
{
	mmu_vm_empty(vm);
	mmu_populate_clean(vm, row->level);
	vm->level = PG_LEVEL_4K;
}

static void split(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	faults(vm, row, thread, RET_PF_SPURIOUS);
}

static bool all_split(struct mmu_vm *vm, const struct mmu_row *row)
{
	(void)row;
	return mmu_all_mapped(vm, PG_LEVEL_4K);
}

static rwlock_t empty_lock;

static void init_lock(struct mmu_vm *vm, const struct mmu_row *row)
{
	(void)vm;
	(void)row;
	rwlock_init(&empty_lock);
}

static void empty_sections(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	u64 i;

	(void)vm;
	(void)thread;
	for (i = 0; i < share(row); i++) {
		read_lock(&empty_lock);
		read_unlock(&empty_lock);
	}
}

static void mix(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	const gfn_t first = first_of(row, thread), pages = row->pages / row->threads;
	u64 i, wrong = 0;
	gfn_t gfn;

	for (i = 1; i <= share(row); i++) {
		gfn = first + i % pages;
		if (i % WRITES_EVERY)
			wrong += mmu_vm_fault(vm->vcpu[thread], gfn, 0, 1, PFERR_WRITE_MASK,
					      RET_PF_SPURIOUS);
		else
			wrong += kvm_mmu_notifier_test_young(vm->kvm, gfn, gfn + 1) != 1;
	}
	mmu_expect_none(vm, wrong);
}

/* The machine: tables written that are in no cache of this CPU, as those of a split are. */
static void fill(struct mmu_vm *vm, const struct mmu_row *row, int thread)
{
	(void)vm;
	mmu_fill_tables(first_of(row, thread) / PAGES_2M, share(row));
}

/* clang-format off */
#define FAULT(n, suffix) {							\
	.name = "threads-fault-" #n,						\
	.per = "fault",								\
	.what = "fault-4k, in page tables of its own, by " suffix,		\
	.pages = FAULTS,							\
	.level = PG_LEVEL_4K,							\
	.threads = n,								\
	.units = FAULTS,							\
	.begin = populate,							\
	.arm = zap,								\
	.run = fault,								\
	.done = all_mapped,							\
}

#define SPLIT(n, suffix) {							\
	.name = "threads-split-" #n,						\
	.per = "split",								\
	.what = "split-fault-2m, more than the caches hold, by " suffix,	\
	.pages = SPLITS * PAGES_2M,						\
	.level = PG_LEVEL_2M,							\
	.threads = n,								\
	.units = SPLITS,							\
	.arm = populate_huge,							\
	.run = split,								\
	.done = all_split,							\
}

#define READ_SECTION(n, suffix) {						\
	.name = "threads-read-section-" #n,					\
	.per = "section",							\
	.what = "mmu_lock taken for reading and released, by " suffix,		\
	.pages = PAGES_2M,							\
	.level = PG_LEVEL_4K,							\
	.threads = n,								\
	.units = SECTIONS,							\
	.begin = init_lock,							\
	.run = empty_sections,							\
}

#define MIX(n, suffix) {							\
	.name = "threads-mix-" #n,						\
	.per = "call",								\
	.what = "fault-spurious, but one in 64 takes mmu_lock for writing, by " suffix, \
	.pages = 4 * PAGES_2M,							\
	.level = PG_LEVEL_4K,							\
	.threads = n,								\
	.units = MIXED,								\
	.begin = populate_clean,						\
	.run = mix,								\
}

#define FILL(n, suffix) {							\
	.name = "threads-fill-" #n,						\
	.per = "table",								\
	.what = "the machine: 4 KiB written, more than the caches hold, by " suffix, \
	.pages = SPLITS * PAGES_2M,						\
	.level = PG_LEVEL_2M,							\
	.threads = n,								\
	.units = SPLITS,							\
	.run = fill,								\
}
/* clang-format on */

/* What is compared is done one right after the other. */
#define BOTH(ROW) ROW(1, "one thread"), ROW(2, "two threads")

const struct mmu_row mmu_thread_rows[] = {
	BOTH(FAULT), BOTH(SPLIT), BOTH(READ_SECTION), BOTH(MIX), BOTH(FILL), {},
};
