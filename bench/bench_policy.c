// SPDX-License-Identifier: GPL-2.0-only
/*
 * One row of the question that "KVM: x86/mmu: Split huge pages mapped by the TDP MMU on fault" asks, on
 * real threads: vCPUs with 1 GiB each, backed by 1G pages, populate it and then execute it, or write some of
 * it while it is logged, as execute_perf_test and dirty_log_perf_test have them do. For each phase: seconds,
 * and what the MMU did. docs/policy.md says what is made of it.
 *
 * Linked twice: bench_policy is on the library as it is; bench_policy_counts knows of each SPTE that is
 * written, and is slower.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "measure.h"
#include "policy_guest.h"
#include "policy_options.h"
#ifdef NATIVE_POINTS
#include "policy_points.h"
#endif

#define PAGES_2M  KVM_PAGES_PER_HPAGE(PG_LEVEL_2M)
#define PAGES_1G  KVM_PAGES_PER_HPAGE(PG_LEVEL_1G)
#define FIRST_PFN (PAGES_1G * 16)
#define WORD_BITS 64

/**
 * struct seen - what there has been up to a moment
 * @wall: seconds
 * @cpu: seconds of processor time, of this thread
 * @stat: the VM's
 * @pml: pages that the hardware has logged
 * @sptes: SPTEs written one by one; those of tables filled before they are linked come on top
 */
struct seen {
	double wall;
	double cpu;
	struct kvm_vm_stat stat;
	u64 pml;
	u64 sptes;
};

struct bench {
	struct policy_options opt;
	struct kvm *kvm;
	struct guest *guests;
	u64 *bitmap;
	size_t words;
	bool printed;
};

/* A thread, and the vCPUs @id, @id + threads... that it plays. */
struct player {
	struct bench *bench;
	const struct pattern *pattern;
	pthread_barrier_t *start;
	pthread_t thread;
	u32 id;
	double begun, ended, cpu;
};

/* ---- the host: 1G pages all over, in place since before ---- */

static int host_fault_in(void *host, hvn_t hvn, bool write, bool *writable, kvm_pfn_t *pfn)
{
	(void)host;
	(void)write;
	*writable = true;
	*pfn = FIRST_PFN + hvn;
	return 0;
}

static int host_mapping_level(void *host, hvn_t hvn)
{
	(void)host;
	(void)hvn;
	return PG_LEVEL_1G;
}

static void host_ignore(void *host, kvm_pfn_t pfn)
{
	(void)host;
	(void)pfn;
}

static const struct tdp_host_ops host_ops = {
	.fault_in = host_fault_in,
	.mapping_level = host_mapping_level,
	.set_pfn_dirty = host_ignore,
	.set_pfn_accessed = host_ignore,
};

/* ---- phases ---- */

static double seconds_of(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static void stamp(struct seen *seen)
{
	seen->wall = seconds_of(CLOCK_MONOTONIC);
	seen->cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

static void look(struct bench *b, struct seen *seen)
{
	u32 v;

	kvm_vm_get_stat(b->kvm, &seen->stat);
	seen->pml = 0;
	for (v = 0; v < b->opt.vcpus; v++)
		seen->pml += b->guests[v].logged;
	seen->sptes = 0;
#ifdef NATIVE_POINTS
	seen->sptes = policy_spte_writes();
#endif
}

/* Leaves the object open. */
static void print_phase(struct bench *b, const char *name, const struct seen *before,
			const struct seen *after)
{
	const struct kvm_vm_stat *s = &after->stat, *t = &before->stat;
	const u64 splits = s->splits - t->splits;

	printf("%s  \"%s\": {\"seconds\": %.9f, \"cpu_seconds\": %.9f, \"faults\": %" PRIu64
	       ", \"fast\": %" PRIu64 ", \"splits\": %" PRIu64 ", \"tables\": %" PRId64
	       ", \"flushes\": %" PRIu64 ", \"pml\": %" PRIu64,
	       b->printed ? ",\n" : "", name, after->wall - before->wall, after->cpu - before->cpu,
	       s->pf_taken - t->pf_taken, s->pf_fast - t->pf_fast, splits,
	       s->tdp_mmu_pages - t->tdp_mmu_pages, s->remote_tlb_flush - t->remote_tlb_flush,
	       after->pml - before->pml);
#ifdef NATIVE_POINTS
	printf(", \"sptes\": %" PRIu64, after->sptes - before->sptes + splits * SPTE_ENT_PER_PAGE);
#endif
	b->printed = true;
}

static void *play(void *arg)
{
	struct player *p = arg;
	struct bench *b = p->bench;
	u32 page, v;
	int r;

	pthread_barrier_wait(p->start);
	p->begun = seconds_of(CLOCK_MONOTONIC);
	p->cpu = -seconds_of(CLOCK_THREAD_CPUTIME_ID);
	for (page = 0; page < b->opt.pages; page += PAGES_2M) {
		for (v = p->id; v < b->opt.vcpus; v += b->opt.threads) {
			r = guest_run(&b->guests[v], p->pattern, page, PAGES_2M);
			if (r)
				bench_die("a fault", strerror(-r));
		}
	}
	p->cpu += seconds_of(CLOCK_THREAD_CPUTIME_ID);
	p->ended = seconds_of(CLOCK_MONOTONIC);
	return NULL;
}

/* All vCPUs go through their pages once: from when the first thread begins until the last one ends. */
static void guests_phase(struct bench *b, const char *name, struct pattern pattern)
{
	struct player players[MOST_THREADS] = { 0 };
	struct seen before, after;
	pthread_barrier_t start;
	u32 i;

	look(b, &before);
	pthread_barrier_init(&start, NULL, b->opt.threads);
	for (i = 0; i < b->opt.threads; i++) {
		players[i] = (struct player){
			.bench = b,
			.pattern = &pattern,
			.start = &start,
			.id = i,
		};
		if (pthread_create(&players[i].thread, NULL, play, &players[i]))
			bench_die("a thread", "cannot be made");
	}
	for (i = 0; i < b->opt.threads; i++)
		pthread_join(players[i].thread, NULL);
	pthread_barrier_destroy(&start);

	look(b, &after);
	before.wall = players[0].begun;
	after.wall = players[0].ended;
	before.cpu = 0;
	after.cpu = 0;
	for (i = 0; i < b->opt.threads; i++) {
		const struct player *p = &players[i];

		before.wall = p->begun < before.wall ? p->begun : before.wall;
		after.wall = p->ended > after.wall ? p->ended : after.wall;
		after.cpu += p->cpu;
	}
	print_phase(b, name, &before, &after);
	printf("}");
}

static int set_slot(struct bench *b, u32 flags)
{
	const struct tdp_memory_region region = {
		.flags = flags,
		.npages = b->opt.vcpus * PAGES_1G,
	};

	return kvm_set_memory_region(b->kvm, &region);
}

static void log_phase(struct bench *b)
{
	struct seen before, after;

	look(b, &before);
	stamp(&before);
	if (set_slot(b, KVM_MEM_LOG_DIRTY_PAGES))
		bench_die("dirty logging", "cannot be started");
	stamp(&after);
	look(b, &after);
	print_phase(b, "log-start", &before, &after);
	printf("}");
}

static u64 count_bits(const u64 *words, size_t n)
{
	u64 bits = 0;

	while (n--)
		bits += __builtin_popcountll(words[n]);
	return bits;
}

static void harvest_phase(struct bench *b, const char *name)
{
	struct seen before, after;

	look(b, &before);
	stamp(&before);
	if (kvm_vm_ioctl_get_dirty_log(b->kvm, 0, b->bitmap, b->words))
		bench_die("the dirty log", "cannot be read");
	stamp(&after);
	look(b, &after);
	print_phase(b, name, &before, &after);
	printf(", \"dirty\": %" PRIu64 "}", count_bits(b->bitmap, b->words));
}

static void run(struct bench *b)
{
	const struct pattern populate = { ACCESS_WRITE, 1 };
	const struct pattern execute = { ACCESS_EXEC, 1 };
	const struct pattern dirty = { ACCESS_WRITE, 100 / b->opt.percent };

	guests_phase(b, "populate", populate);
	if (b->opt.execute) {
		guests_phase(b, "execute", execute);
		guests_phase(b, "execute again", execute);
		return;
	}
	log_phase(b);
	guests_phase(b, "round 1", dirty);
	harvest_phase(b, "harvest 1");
	guests_phase(b, "round 2", dirty);
	harvest_phase(b, "harvest 2");
}

static void bench_create(struct bench *b)
{
	const struct tdp_vm_config config = {
		.mmu = TDP_MMU_EPT,
		.ad = true,
		.root_level = PT64_ROOT_4LEVEL,
		.nx_huge_pages = true,
		.eager_page_split = b->opt.eager,
		.fault_policy = b->opt.policy,
		.pml = true,
		.maxphyaddr = 46,
		.cachebits = 46,
	};
	u32 v;

	b->words = b->opt.vcpus * PAGES_1G / WORD_BITS;
	b->bitmap = calloc(b->words, sizeof(*b->bitmap));
	b->guests = calloc(b->opt.vcpus, sizeof(*b->guests));
	if (!b->bitmap || !b->guests || kvm_create_vm(&config, &host_ops, NULL, &b->kvm) ||
	    set_slot(b, 0))
		bench_die("the VM", "cannot be made");
	for (v = 0; v < b->opt.vcpus; v++) {
		if (guest_init(&b->guests[v], b->kvm, v * PAGES_1G))
			bench_die("a vCPU", "cannot be made");
	}
}

static void bench_destroy(struct bench *b)
{
	kvm_destroy_vm(b->kvm);
	free(b->guests);
	free(b->bitmap);
}

int main(int argc, char **argv)
{
	struct bench bench = { .opt = policy_options(argc, argv) };

	bench_create(&bench);
	printf("{\n");
	run(&bench);
	printf("\n}\n");
	bench_destroy(&bench);
	return 0;
}
