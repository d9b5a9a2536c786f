// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each operation of the MMU takes, in nanoseconds.  Linked twice, with libtdp and with the kernel's
 * own code on the same platform; ./dev bench mmu runs both in turn (docs/performance.md).
 *
 *	mmu_vm.c	the VM and its host
 *	mmu_faults.c	rows: faults and walks, splits by a fault
 *	mmu_ranges.c	rows: what is done to all of a slot
 *	mmu_threads.c	rows: one thread beside two
 *	mmu_limits.c	rows: the machine
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "mmu_rows.h"

#define MOST_BATCHES 10000

static const struct mmu_row *const all_rows[] = {
	mmu_fault_rows,
	mmu_range_rows,
	mmu_thread_rows,
	mmu_limit_rows,
};

static const char help[] =
	"Times operations of the MMU, all if none is named, and prints a line of JSON for each:\n"
	"nanoseconds that one took in each batch. The first batch is not counted.\n"
	"  --batches=N	how many (default 15)\n"
	"  --list	print what operations there are, as JSON\n";

/* The row after @row; the first one if that is NULL; NULL after the last. */
static const struct mmu_row *next_row(const struct mmu_row *row)
{
	static size_t group;

	if (!row)
		group = 0;
	row = row ? row + 1 : all_rows[0];
	while (!row->name) {
		if (++group == sizeof(all_rows) / sizeof(*all_rows))
			return NULL;
		row = all_rows[group];
	}
	return row;
}

static const struct mmu_row *find_row(const char *name)
{
	const struct mmu_row *row;

	for (row = next_row(NULL); row; row = next_row(row)) {
		if (!strcmp(row->name, name))
			return row;
	}
	bench_die(name, "expected an operation that --list has");
}

static void list_rows(void)
{
	const struct mmu_row *row;

	for (row = next_row(NULL); row; row = next_row(row))
		printf("%s{\"name\": \"%s\", \"per\": \"%s\", \"limit\": \"%s\", \"threads\": %d, "
		       "\"units\": %llu, \"what\": \"%s\"}",
		       row == all_rows[0] ? "[" : ",\n", row->name, row->per,
		       row->limit ? row->limit : "", row->threads, (unsigned long long)row->units,
		       row->what);
	printf("]\n");
}

static double batch_ns(struct mmu_vm *vm, const struct mmu_row *row)
{
	double begun;

	if (row->arm)
		row->arm(vm, row);
	if (row->threads)
		return mmu_threads_ns(vm, row);
	begun = bench_ns();
	row->run(vm, row, 0);
	return bench_ns() - begun;
}

/* Ends the program if what is timed is not what it should be. */
static void time_row(const struct mmu_row *row, int batches)
{
	struct mmu_vm vm = { 0 };
	double ns;
	int i;

	if (row->pages)
		mmu_vm_create(&vm, row->pages, row->level, row->pml);
	if (row->begin)
		row->begin(&vm, row);
	printf("{\"operation\": \"%s\", \"backend\": \"%s\", \"ns\": [", row->name,
	       tdp_backend.name);
	for (i = 0; i <= batches; i++) {
		ns = batch_ns(&vm, row);
		if (vm.wrong || (row->done && !row->done(&vm, row)))
			bench_die(row->name, "the MMU did not do what was to be timed");
		if (i)
			printf("%s%.3f", i > 1 ? ", " : "", ns / row->units);
	}
	printf("]}\n");
	if (row->pages)
		mmu_vm_destroy(&vm);
}

static int number_of(const char *arg)
{
	char *end;
	long n = strtol(arg, &end, 10);

	if (end == arg || *end || n < 1 || n > MOST_BATCHES)
		bench_die(arg, "expected a number from 1 to 10000");
	return n;
}

static void on_warn(void *ctx, const char *cond, const char *file, int line)
{
	(void)ctx;
	fprintf(stderr, "%s:%d: warning: %s\n", file, line, cond);
	exit(1);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "batches", required_argument, NULL, 'b' },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const struct mmu_row *row;
	int option, batches = 15;

	tdp_set_warn(on_warn, NULL);
	while ((option = getopt_long(argc, argv, "b:lh", options, NULL)) != -1) {
		switch (option) {
		case 'b':
			batches = number_of(optarg);
			break;
		case 'l':
			list_rows();
			return 0;
		case 'h':
			printf("usage: %s [--list] [--batches=N] [OPERATION]...\n%s",
			       program_invocation_short_name, help);
			return 0;
		default:
			return 2;
		}
	}
	if (optind == argc) {
		for (row = next_row(NULL); row; row = next_row(row))
			time_row(row, batches);
	}
	for (; optind < argc; optind++)
		time_row(find_row(argv[optind]), batches);
	return 0;
}
