// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress: real threads on one VM. The threads do the work and find most of what is wrong; one more brings them to
 * rest now and then and checks the whole; this one watches that all of them get on.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bugs/canary.h"
#include "noise.h"
#include "stress.h"
#include "vm_config.h"

/* There in a build with a known bug. */
extern struct bug_canary bug_canary __attribute__((weak));

#define TICK_MS	 200
#define CHECK_MS 500
/* A thread that has done nothing for so long hangs. TSan on a busy machine takes a second for a big one. */
#define HANG_MS 60000

static struct stress stress;
static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

static double seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void sleep_ms(unsigned int ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

static uint64_t sum(const struct stress *s, size_t offset)
{
	uint64_t total = 0;
	unsigned int i;

	for (i = 0; i < s->opt.vcpus; i++)
		total += COUNTED((_Atomic uint64_t *)((char *)&s->vcpus[i] + offset));
	return total;
}

#define SUM(s, field) sum(s, offsetof(struct stress_vcpu, field))

/* ---- who hangs ---- */

/**
 * struct progress - what a thread had done when it was seen to do something last
 */
struct progress {
	uint64_t done;
	double since;
};

static bool gets_on(struct progress *p, uint64_t done, double now)
{
	if (p->done != done || !p->since)
		*p = (struct progress){ .done = done, .since = now };
	return now - p->since < HANG_MS / 1000.0;
}

static bool all_get_on(struct stress *s, double now)
{
	static struct progress vcpus[MAX_VCPUS], vmm, host;
	unsigned int i;
	bool ok = true;

	for (i = 0; i < s->opt.vcpus; i++) {
		struct stress_vcpu *v = &s->vcpus[i];

		if (gets_on(&vcpus[i], COUNTED(&v->accesses), now))
			continue;
		violation(s, 'P', COUNTED(&v->at), "vCPU %u has done nothing for %d s: %s", i,
			  HANG_MS / 1000, LOAD(&v->in) ?: "in the guest");
		ok = false;
	}
	if (!gets_on(&vmm, COUNTED(&s->vmm.operations) + COUNTED(&s->rounds), now)) {
		violation(s, 'P', NO_PAGE, "the VMM's thread has done nothing for %d s",
			  HANG_MS / 1000);
		ok = false;
	}
	if (!gets_on(&host, COUNTED(&s->host_actor.operations), now)) {
		violation(s, 'P', NO_PAGE, "the host's thread has done nothing for %d s",
			  HANG_MS / 1000);
		ok = false;
	}
	return ok;
}

/* ---- what people and programs read ---- */

static void print_status(struct stress *s, double elapsed)
{
	if (!s->opt.live)
		return;
	fprintf(stderr,
		"\rstress: %.0f s, %.1f M accesses, %.2f M faults, %" PRIu64 " VMM and %" PRIu64
		" host operations, %" PRIu64 " migrations, %" PRIu64 " checks \033[K",
		elapsed, SUM(s, accesses) / 1e6, SUM(s, faults) / 1e6, COUNTED(&s->vmm.operations),
		COUNTED(&s->host_actor.operations), COUNTED(&s->migrations), s->checks);
}

static long peak_kib(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) ? 0 : usage.ru_maxrss;
}

static int write_json(struct stress *s, double elapsed)
{
	FILE *file = fopen(s->opt.json, "w");

	if (!file) {
		perror(s->opt.json);
		return -1;
	}
	fprintf(file,
		"{\"seconds\": %.3f, \"violations\": %u, \"guest_accesses\": %" PRIu64
		", \"faults\": %" PRIu64 ", \"retries\": %" PRIu64 ", \"vmm_operations\": %" PRIu64
		", \"host_operations\": %" PRIu64 ", \"migrations\": %" PRIu64
		", \"rounds\": %" PRIu64 ", \"checks\": %" PRIu64 ", \"sptes_checked\": %" PRIu64
		", \"peak_kib\": %ld}\n",
		elapsed, atomic_load(&s->violations), SUM(s, accesses), SUM(s, faults),
		SUM(s, retries), COUNTED(&s->vmm.operations), COUNTED(&s->host_actor.operations),
		COUNTED(&s->migrations), COUNTED(&s->rounds), s->checks, s->sptes_checked,
		peak_kib());
	return fclose(file);
}

static void print_summary(struct stress *s, double elapsed)
{
	if (s->opt.live)
		fputs("\r\033[K", stderr);
	printf("stress: %u vCPUs, %" PRIu64 " MiB, seed %" PRIu64 ", %.1f s: %" PRIu64
	       " accesses, %" PRIu64 " faults, %" PRIu64 " VMM and %" PRIu64
	       " host operations, %" PRIu64 " migrations compared, %" PRIu64 " checks of %" PRIu64
	       " SPTEs: %u violations\n",
	       s->opt.vcpus, s->opt.pages / 256, s->opt.seed, elapsed, SUM(s, accesses),
	       SUM(s, faults), COUNTED(&s->vmm.operations), COUNTED(&s->host_actor.operations),
	       COUNTED(&s->migrations), s->checks, s->sptes_checked, atomic_load(&s->violations));
	if (&bug_canary)
		printf("bug: reached %" PRIu64 " times, triggered %" PRIu64 " times\n",
		       bug_canary.reached, bug_canary.triggered);
}

/* ---- threads ---- */

static void *checker_thread(void *arg)
{
	struct stress *s = arg;
	unsigned int waited = 0;

	while (!stress_done(s)) {
		sleep_ms(TICK_MS);
		waited += TICK_MS;
		if (waited < CHECK_MS || stress_done(s))
			continue;
		check_quiet(s);
		waited = 0;
	}
	return NULL;
}

static void start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg)
{
	if (pthread_create(thread, NULL, run, arg)) {
		perror("stress: pthread_create");
		exit(2);
	}
	pthread_setname_np(*thread, name);
}

static pthread_t start_all(struct stress *s)
{
	pthread_t checker;
	unsigned int i;

	/* All are known before any is waited for. */
	for (i = 0; i < s->opt.vcpus; i++)
		rest_join(&s->rest, GROUP_VCPUS);
	rest_join(&s->rest, GROUP_OTHERS);
	rest_join(&s->rest, GROUP_OTHERS);
	for (i = 0; i < s->opt.vcpus; i++)
		start(&s->vcpus[i].thread, "vcpu", vcpu_thread, &s->vcpus[i]);
	start(&s->vmm.thread, "vmm", vmm_thread, &s->vmm);
	start(&s->host_actor.thread, "host", host_thread, &s->host_actor);
	start(&checker, "checker", checker_thread, s);
	return checker;
}

static bool is_over(struct stress *s, double elapsed)
{
	return interrupted || (s->opt.seconds && elapsed >= s->opt.seconds) ||
	       (s->opt.accesses && SUM(s, accesses) >= s->opt.accesses);
}

/* Until it is over. False: some thread hangs, and nobody can wait for it. */
static bool watch(struct stress *s, double began)
{
	while (!stress_done(s)) {
		const double now = seconds_now();

		print_status(s, now - began);
		if (is_over(s, now - began))
			atomic_store_explicit(&s->done, true, memory_order_relaxed);
		else if (!all_get_on(s, now))
			return false;
		else
			sleep_ms(TICK_MS / 2);
	}
	return true;
}

static bool join_one(pthread_t thread)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += HANG_MS / 1000;
	return !pthread_timedjoin_np(thread, NULL, &until);
}

static bool join_all(struct stress *s, pthread_t checker)
{
	unsigned int i;

	for (i = 0; i < s->opt.vcpus; i++)
		if (!join_one(s->vcpus[i].thread))
			return false;
	return join_one(s->vmm.thread) && join_one(s->host_actor.thread) && join_one(checker);
}

static int setup(struct stress *s)
{
	struct tdp_vm_config config = vm_config(&s->opt.vm);
	unsigned int i;
	int r;

	format_init(&s->fmt, &s->opt.vm);
	noise_init(s->opt.seed, s->opt.noise);
	rest_init(&s->rest);
	tdp_set_warn(violation_warn, s);
	s->vmm = (struct actor){ .stress = s, .rng.state = s->opt.seed * 1000 + 100 };
	s->host_actor = (struct actor){ .stress = s, .rng.state = s->opt.seed * 1000 + 101 };
	s->nx = s->opt.vm.nx_huge_pages ? KNOWN_ON : 0;
	r = host_init(&s->host, s);
	if (!r)
		r = kvm_create_vm(&config, &stress_host_ops, &s->host, &s->kvm);
	for (i = 0; i < s->opt.vcpus && !r; i++)
		r = vcpu_init(s, i);
	return r ?: slots_init(s);
}

int main(int argc, char **argv)
{
	const double began = seconds_now();
	struct stress *s = &stress;
	pthread_t checker;
	double elapsed;
	unsigned int i;
	int r;

	r = stress_parse(&s->opt, argc, argv);
	if (r)
		return r < 0 ? 2 : 0;
	r = setup(s);
	if (r) {
		fprintf(stderr, "stress: the VM cannot be set up: %d\n", r);
		return 2;
	}
	stacks_init();
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	checker = start_all(s);
	if (!watch(s, began) || !join_all(s, checker)) {
		violation(s, 'P', NO_PAGE, "a thread does not end");
		stacks_print();
	}
	if (!atomic_load(&s->violations))
		check_end(s);
	elapsed = seconds_now() - began;
	print_summary(s, elapsed);
	if (s->opt.json && write_json(s, elapsed))
		return 2;
	/* Nobody knows what the VM is like, and whether it can be destroyed: that it is left is no leak. */
	if (atomic_load(&s->violations)) {
		fflush(stdout);
		_exit(1);
	}
	for (i = 0; i < s->opt.vcpus; i++)
		vcpu_destroy(&s->vcpus[i]);
	host_destroy(&s->host);
	return 0;
}
