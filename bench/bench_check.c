// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tdp check costs: events a second of a log as a kernel writes it, read and checked, and bytes
 * for each page that the guest has mapped.  The log is made up: a VM maps its memory by faults, and
 * then logs what it writes, round after round.  However many rounds, the memory is the same; if it
 * is not, the benchmark fails.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "import.h"
#include "klog.h"
#include "measure.h"
#include "program_names.h"

#define PAGES	16384
#define FRAME	UINT64_C(0x400000)	/* of the first page */
#define TABLE	UINT64_C(0x100000)	/* of the root's child */
#define ROUNDS	8

struct writer {
	FILE *file;
	uint64_t lines;
};

#define SAY(w, task, ...)                                                                        \
	(fprintf((w)->file, "          " task " [001] ..... %9" PRIu64 ": ", ++(w)->lines),      \
	 fprintf((w)->file, __VA_ARGS__))

static void say_change(struct writer *w, uint64_t gfn, int level, uint64_t old, uint64_t new)
{
	SAY(w, "vcpu-11",
	    "kvm_tdp_mmu_spte_changed: as id 0 gfn %" PRIx64 " level %d old_spte %" PRIx64
	    " new_spte %" PRIx64 "\n",
	    gfn, level, old, new);
}

static void say_fault(struct writer *w, uint64_t gfn)
{
	SAY(w, "vcpu-11",
	    "kvm_page_fault: vcpu 0 rip 0x401000 address 0x%016" PRIx64 " error_code 0x6\n",
	    gfn << 12);
}

static void say_link(struct writer *w, uint64_t gfn, int level, uint64_t page)
{
	SAY(w, "vcpu-11",
	    "kvm_mmu_get_page: sp gen 0 gfn %" PRIx64 " l%d 8-byte q0 direct wux nxe ad\n", gfn,
	    level - 1);
	say_change(w, gfn, level, UINT64_C(1) << 63, page << 12 | 0x827);
}

static void say_map(struct writer *w, uint64_t gfn)
{
	uint64_t leaf = (FRAME + gfn) << 12 | 0xe67, table = TABLE + 2 + gfn / 512;

	say_fault(w, gfn);
	SAY(w, "vcpu-11", "kvm_mmu_spte_requested: gfn %" PRIx64 " pfn %" PRIx64 " level 1\n", gfn,
	    FRAME + gfn);
	if (!gfn) {
		say_link(w, 0, 4, TABLE);
		say_link(w, 0, 3, TABLE + 1);
	}
	if (!(gfn % 512))
		say_link(w, gfn, 2, table);
	say_change(w, gfn, 1, UINT64_C(1) << 63, leaf);
	SAY(w, "vcpu-11",
	    "kvm_mmu_set_spte: gfn %" PRIx64 " spte %" PRIx64 " (rwxu) level 1 at %" PRIx64 "\n",
	    gfn, leaf, table << 12 | gfn % 512 * 8);
}

/* A round of logging: all pages are write-protected, and written again. */
static void say_round(struct writer *w)
{
	uint64_t gfn;

	for (gfn = 0; gfn < PAGES; gfn++) {
		uint64_t leaf = (FRAME + gfn) << 12 | 0xe67;

		SAY(w, "vmm-10",
		    "kvm_tdp_mmu_spte_changed: as id 0 gfn %" PRIx64 " level 1 old_spte %" PRIx64
		    " new_spte %" PRIx64 "\n",
		    gfn, leaf, leaf & ~UINT64_C(2));
		say_fault(w, gfn);
		SAY(w, "vcpu-11",
		    "fast_page_fault: vcpu 0 gva %" PRIx64
		    " error_code P|W|U sptep ffff888000000000 "
		    "old 0x%" PRIx64 " new 0x%" PRIx64 " spurious 0 fixed 1\n",
		    gfn << 12, leaf & ~UINT64_C(2), leaf);
	}
}

static void write_log(const char *path, int rounds)
{
	struct writer w = { .file = fopen(path, "w") };
	uint64_t gfn;

	if (!w.file)
		bench_die(path, "cannot be written");
	SAY(&w, "vcpu-11", "kvm_mmu_get_page: sp gen 0 gfn 0 l4 8-byte q0 direct wux nxe ad\n");
	for (gfn = 0; gfn < PAGES; gfn++)
		say_map(&w, gfn);
	while (rounds--)
		say_round(&w);
	if (fclose(w.file))
		bench_die(path, "cannot be written");
}

struct run {
	struct klog *klog;
	struct klog_totals totals;
	uint64_t events;
};

static int on_event(void *arg, struct import_log *log, const struct ft_event *ev,
		    struct import_error *err)
{
	struct klog_event event;
	struct run *run = arg;

	(void)log;
	(void)err;
	check_event(&event, ev);
	klog_event(run->klog, &event);
	run->events++;
	return 0;
}

static void on_report(void *arg, const struct klog_report *report)
{
	(void)arg;
	fprintf(stderr, "bench_check: line %u of the log: rule %c: %s\n", report->line,
		report->rule, report->text);
}

static void check(struct run *run, const char *path)
{
	const struct klog_setup setup = { .vm = vm_default, .report = on_report };
	struct import_error err = { 0 };
	struct import_log log;

	*run = (struct run){ .klog = klog_open(&setup) };
	if (import_stream(&log, path, on_event, run, &err))
		bench_die(path, err.msg);
	klog_end(run->klog, &run->totals);
	klog_close(run->klog);
	import_log_free(&log);
	if (run->totals.violations || run->totals.leaves != PAGES)
		bench_die(path, "the log is not accepted");
}

static double rate(const char *path, double seconds, struct run *run)
{
	double start = bench_now(), spent;
	uint64_t events = 0;

	do {
		check(run, path);
		events += run->events;
		spent = bench_now() - start;
	} while (spent < seconds);
	return events / spent;
}

static const char help[] =
	"Measures how fast a made-up log of a kernel is checked, for N seconds (default 3), and\n"
	"in how much memory.\n";

int main(int argc, char **argv)
{
	const struct bench_options options = bench_options(argc, argv, help);
	char path[] = "/tmp/bench_check.XXXXXX";
	double per_s, per_leaf;
	struct run brief, full;
	int fd;

	fd = mkstemp(path);
	if (fd < 0)
		bench_die(path, "cannot be made");
	close(fd);
	write_log(path, 1);
	check(&brief, path);
	write_log(path, ROUNDS);
	per_s = rate(path, options.seconds, &full);
	unlink(path);
	per_leaf = (double)full.totals.bytes / PAGES;
	if (options.json) {
		printf("{\"figures\": {\"check.*.events_per_s\": %.0f, \"check.bytes_per_page\": %.1f}}\n",
		       per_s, per_leaf);
	} else {
		printf("check        %9.0f events/s\n", per_s);
		printf("memory       %9.1f bytes per mapped page of 4K\n", per_leaf);
	}
	if (full.totals.bytes == brief.totals.bytes)
		return 0;
	fprintf(stderr,
		"bench_check: %" PRIu64 " bytes for %" PRIu64 " events, %" PRIu64 " for %" PRIu64
		": expected the same, as no more pages are mapped\n",
		brief.totals.bytes, brief.events, full.totals.bytes, full.events);
	return 1;
}
