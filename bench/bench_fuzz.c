// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast programs run under the oracle: executions a second on one core, over two checked-in sets.
 * "fuzz_mmu" has slots of at most 8 MiB, as a fuzzer's inputs; "fuzz_mmu.1g" has slots of 1 GiB.
 * An execution is what the fuzz target does: bytes to program, program to verdict.
 */
#include <stdio.h>

#include "measure.h"
#include "program_set.h"

/**
 * struct set - programs to measure with
 * @name: begins the names of its figures
 * @programs: what is run
 * @ops: operations of all of them
 * @changing: of those, how many changed an SPTE
 * @rate: executions a second
 */
struct set {
	const char *name;
	struct program_set programs;
	uint64_t ops;
	uint64_t changing;
	double rate;
};

static struct set sets[] = {
	{ .name = "fuzz_mmu", .programs.dir = "small" },
	{ .name = "fuzz_mmu.1g", .programs.dir = "1g" },
};
#define NR_SETS	(sizeof(sets) / sizeof(*sets))

static struct program *prog;
static struct executor *executor;

/* ---- what the set is like ---- */

struct watch {
	bool changed;
	uint64_t ops;
	uint64_t changing;
};

static void on_event(void *ctx, const struct exec_event *ev)
{
	struct watch *w = ctx;

	switch (ev->kind) {
	case EXEC_EV_OP:
		w->changing += w->changed;
		w->changed = false;
		w->ops++;
		break;
	case EXEC_EV_SPTE:
		w->changed |= ev->thread >= 0 && ev->ok && ev->old != ev->val;
		break;
	case EXEC_EV_ASSIST:
		w->changed |= ev->thread >= 0 && ev->ok;
		break;
	default:
		break;
	}
}

static void describe(struct set *set)
{
	struct watch w = { .changed = false };
	struct exec_options opts = { .event = on_event, .ctx = &w };

	set_run(&set->programs, executor, prog, &opts);
	set->ops = w.ops;
	set->changing = w.changing + w.changed;
}

/* ---- output ---- */

static double ops_per_program(const struct set *set)
{
	return (double)set->ops / set->programs.nr;
}

static double changing_pct(const struct set *set)
{
	return 100.0 * set->changing / set->ops;
}

static void print_text(const struct set *set)
{
	printf("%-12s %9.0f executions/s, %6.0f ns an operation (%u programs of %.1f operations on average, "
	       "%.0f%% of which change SPTEs; %d of %d kinds of operation)\n",
	       set->name, set->rate, 1e9 / set->rate / ops_per_program(set), set->programs.nr,
	       ops_per_program(set), changing_pct(set), __builtin_popcountll(set->programs.kinds),
	       OP_NR);
}

static void print_json(const struct set *set, bool last)
{
	printf("\"%s.*.exec_per_s\": %.0f, \"%s.*.ns_per_op\": %.1f, \"%s.*.ops_changing_pct\": %.1f, "
	       "\"%s.*.programs\": %u%s",
	       set->name, set->rate, set->name, 1e9 / set->rate / ops_per_program(set), set->name,
	       changing_pct(set), set->name, set->programs.nr, last ? "" : ", ");
}

static const char help[] =
	"Runs the programs of bench/programs under the oracle, N seconds (default 3) each set.\n";

int main(int argc, char **argv)
{
	const struct bench_options options = bench_options(argc, argv, help);
	size_t i;

	prog = program_alloc();
	executor = executor_create();
	if (!prog || !executor)
		bench_die("start", "no memory");
	if (options.json)
		printf("{\"figures\": {");
	for (i = 0; i < NR_SETS; i++) {
		set_load(&sets[i].programs, prog);
		describe(&sets[i]);
		sets[i].rate = set_rate(&sets[i].programs, executor, prog, options.seconds);
		if (options.json)
			print_json(&sets[i], i + 1 == NR_SETS);
		else
			print_text(&sets[i]);
	}
	if (options.json)
		printf("}}\n");
	return 0;
}
