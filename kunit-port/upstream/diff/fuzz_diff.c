// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_diff: the same program on libtdp and on the kernel's own code.  After each call of
 * the MMU's interface both must have returned the same, and have the same SPTEs, the
 * same number of page tables, the same statistics, and the same frames marked dirty and
 * accessed.  What the kernel is known to do differently is put right around its code
 * (kunit-port/upstream/repairs.h); docs/upstream.md says more.
 */
#include <stdlib.h>
#include <string.h>

#include "compared.h"
#include "driver.h"
#include "mutate.h"
#include "op.h"
#include "program.h"
#include "program_target.h"
#include "world.h"

static struct diff_log libtdp, upstream;
static struct program_target target = { .name = "fuzz_diff" };

static const char *const stat_names[] = {
#define STAT(member) #member,
	DIFF_STATS(STAT)
#undef STAT
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	target_options(*argc, *argv);
	target_set_up(&target);
	return 0;
}

/* Both lists of SPTEs, from the first line on that is not the same. */
static void print_sptes(const uint8_t *data, size_t size, uint32_t step)
{
	char *text[2] = { NULL, NULL }, *line[2];
	size_t bytes, same = 0;
	int i;

	for (i = 0; i < 2; i++) {
		FILE *out = open_memstream(&text[i], &bytes);

		if (!out)
			abort();
		(i ? diff_world_upstream : diff_world_libtdp)(data, size, i ? &upstream : &libtdp,
							      out, step);
		fclose(out);
	}
	while (text[0][same] && text[0][same] == text[1][same])
		same++;
	while (same && text[0][same - 1] != '\n')
		same--;
	for (i = 0; i < 2; i++) {
		line[i] = text[i] + same;
		fprintf(stderr, "\t%s: %.*s\n", i ? "upstream" : "libtdp",
			(int)strcspn(line[i], "\n"), *line[i] ? line[i] : "no more SPTEs");
		free(text[i]);
	}
}

static void print_number(const char *what, uint64_t a, uint64_t b)
{
	if (a != b)
		fprintf(stderr, "\t%s: libtdp %lld, upstream %lld\n", what, (long long)a,
			(long long)b);
}

static void __attribute__((noreturn)) differ(const uint8_t *data, size_t size, uint32_t step)
{
	const struct diff_step *a = &libtdp.steps[step], *b = &upstream.steps[step];
	const bool trees = a->sptes != b->sptes;
	char *text;
	int i;

	program_decode(target.prog, data, size);
	text = program_text(target.prog);
	fprintf(stderr, "\n==== difference after call %u, t%d.%u ====\n", step, a->thread,
		(unsigned int)a->op);
	print_number("thread", a->thread, b->thread);
	print_number("operation", a->op, b->op);
	print_number("call", a->kind, b->kind);
	print_number("returned", a->ret, b->ret);
	print_number("page tables", a->tables, b->tables);
	if (a->marks != b->marks)
		fprintf(stderr, "\tother frames are marked dirty or accessed\n");
	for (i = 0; i < DIFF_NR_STATS; i++)
		print_number(stat_names[i], a->stat[i], b->stat[i]);
	if (trees)
		print_sptes(data, size, step);
	fprintf(stderr, "---- program ----\n%s", text ? text : "");
	compared_print(stderr);
	abort();
}

static void compare(const uint8_t *data, size_t size)
{
	const bool cut = libtdp.overlapped || upstream.overlapped || libtdp.truncated ||
			 upstream.truncated;
	uint32_t i, n = libtdp.nr_steps;

	if (upstream.nr_steps < n)
		n = upstream.nr_steps;
	for (i = 0; i < n; i++) {
		if (memcmp(&libtdp.steps[i], &upstream.steps[i], sizeof(libtdp.steps[i])))
			differ(data, size, i);
	}
	/* Points are counted differently, so one may have got further. */
	if (!cut && (libtdp.nr_steps != upstream.nr_steps || libtdp.rule != upstream.rule)) {
		fprintf(stderr, "libtdp: %u calls, rule '%c'; upstream: %u calls, rule '%c'\n",
			libtdp.nr_steps, libtdp.rule ? libtdp.rule : '-', upstream.nr_steps,
			upstream.rule ? upstream.rule : '-');
		differ(data, size, n ? n - 1 : 0);
	}
	compared_count(&libtdp.vm, n, !cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	diff_world_libtdp(data, size, &libtdp, NULL, 0);
	diff_world_upstream(data, size, &upstream, NULL, 0);
	compare(data, size);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return program_mutate(data, size, max, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
				 size_t size2, uint8_t *out, size_t max, unsigned int seed)
{
	return program_crossover(data1, size1, data2, size2, out, max, seed);
}

size_t fuzz_generate(uint8_t *data, size_t max, uint64_t seed)
{
	return compared_generate(target.prog, data, max, seed);
}

void fuzz_summary(FILE *out)
{
	compared_print(out);
}

bool fuzz_load_text(const char *path, uint8_t **data, size_t *size)
{
	return target_load_text(&target, path, data, size);
}
