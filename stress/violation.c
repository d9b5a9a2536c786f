// SPDX-License-Identifier: GPL-2.0-only
/* What went wrong: said at once, with what is needed to look into it; the run ends. */
#include <stdarg.h>
#include <stdio.h>

#include "stress.h"

/* More say no more. */
#define MOST 10

static void print_spte(struct stress *s, uint64_t gfn)
{
	unsigned int i;

	for (i = 0; i < s->opt.vcpus; i++) {
		int level = 0;
		uint64_t spte;

		if (!s->vcpus[i].vcpu)
			continue;
		spte = kvm_vcpu_get_spte(s->vcpus[i].vcpu, gfn << 12, &level);
		fprintf(stderr, "  vCPU %u's last SPTE for it, now: %016lx at level %d\n", i, spte,
			level);
	}
}

/**
 * violation() - a rule is broken
 * @s: the stress
 * @rule: its letter (docs/oracle.md)
 * @gfn: guest frame that it is about; NO_PAGE: none
 * @format: what is wrong, as for printf()
 */
void violation(struct stress *s, char rule, uint64_t gfn, const char *format, ...)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	va_list args;

	if (atomic_fetch_add(&s->violations, 1) >= MOST)
		return;
	pthread_mutex_lock(&lock);
	fprintf(stderr, "\nrule %c broken: ", rule);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	if (gfn != NO_PAGE) {
		uint64_t hvn, state = slots_look(s, gfn, &hvn);

		fprintf(stderr, "  gfn %#lx, slot state %#lx", gfn, state);
		if (hvn != NO_PAGE)
			fprintf(stderr, ", host page %#lx, frame %#lx of level %d", hvn,
				host_pfn(&s->host, hvn), host_level(&s->host, hvn));
		fputc('\n', stderr);
		print_spte(s, gfn);
	}
	fprintf(stderr, "  VMM: %s; host: %s\n", LOAD(&s->vmm.in) ?: "between two operations",
		LOAD(&s->host_actor.in) ?: "between two operations");
	pthread_mutex_unlock(&lock);
	atomic_store_explicit(&s->done, true, memory_order_relaxed);
}

/* A WARN of the mirrored code. */
void violation_warn(void *ctx, const char *cond, const char *file, int line)
{
	violation(ctx, '!', NO_PAGE, "WARN_ON(%s) at %s:%d", cond, file, line);
}
