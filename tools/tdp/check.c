// SPDX-License-Identifier: GPL-2.0-only
/* tdp check: a kernel's log against the rules that a log can show. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "import.h"
#include "klog.h"
#include "program_names.h"
#include "tdp.h"

static const char help[] =
	"usage: tdp check LOG... [--known] [--all] [--vm-option KEY=VALUE]...\n"
	"                 [--not-recorded EVENT]...\n"
	"\n"
	"Check every change of an SPTE in a log of KVM's TDP MMU: the text of tracefs' file 'trace',\n"
	"plain or compressed with xz.  docs/recording.md says how to record one, docs/check.md what\n"
	"is checked.  The log is read as a stream; what is kept are the page tables in use.\n"
	"\n"
	"  -k, --known               print what this kernel is known to do as well, line by line\n"
	"  -a, --all                 print every violation, not only the first 20 of a log\n"
	"  -s, --vm-option KEY=VALUE what the log does not tell, as on a program's vm line: mmu, ad,\n"
	"                            exec_only, me, maxphyaddr, l1tf, cachebits; nx_huge_pages if the\n"
	"                            mitigation is never switched\n"
	"  -n, --not-recorded EVENT  EVENT was not switched on: do without it\n"
	"  -q, --quiet               print violations only\n"
	"  -h, --help                this text\n"
	"\n"
	"Exit status: 0 no violation, 1 a violation, 2 bad input.\n";

#define MAX_SHOWN	20
#define TICK_EVENTS	16384	/* to ask for the time takes as long as to check an event */

/**
 * struct check - logs being checked
 * @setup: what their text does not tell
 * @known: print what is known
 * @all: print all violations
 * @quiet: print nothing else
 * @live: status goes to a terminal
 * @path: log; @klog: its checker
 * @shown: violations printed
 * @events: events seen
 * @started: @ticked: times, in seconds
 */
struct check {
	struct klog_setup setup;
	bool known, all, quiet, live;
	const char *path;
	struct klog *klog;
	uint64_t shown, events;
	double started, ticked;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void clear_status(const struct check *c)
{
	if (c->live && c->ticked > c->started)
		fprintf(stderr, "\r\033[K");
}

/* A line about what is going on, once it goes on for longer than two seconds. */
static void tick(struct check *c, uint32_t line)
{
	double time = now();

	if (c->quiet || time - c->started < 2 || time - c->ticked < (c->live ? 0.2 : 10))
		return;
	c->ticked = time;
	fprintf(stderr, "%s%s: line %u, %" PRIu64 " events, %.2fM/s, %" PRIu64 " violations%s",
		c->live ? "\r\033[K" : "", c->path, line, c->events,
		c->events / (time - c->started) / 1e6, c->shown, c->live ? "" : "\n");
	fflush(stderr);
}

static void on_report(void *arg, const struct klog_report *report)
{
	static const char *const levels[] = { "?", "4K", "2M", "1G", "512G", "256T" };
	struct check *c = arg;

	if (report->rule ? c->shown++ >= MAX_SHOWN && !c->all : !c->known)
		return;
	clear_status(c);
	if (report->rule)
		printf("%s:%u: rule %c broken: ", c->path, report->line, report->rule);
	else
		printf("%s:%u: known: ", c->path, report->line);
	if (report->level)
		printf("as %u gfn %" PRIx64 " %s: ", report->as_id, report->gfn,
		       levels[report->level]);
	printf("%s\n", report->text);
}

static int on_event(void *arg, struct import_log *log, const struct ft_event *ev,
		    struct import_error *err)
{
	struct check *c = arg;
	struct klog_event event;

	if (log->lost)
		return import_fail(err, log->lost_line,
				   "%" PRIu64 " events were lost here: expected a log without "
				   "holes, as docs/recording.md says",
				   log->lost);
	check_event(&event, ev);
	klog_event(c->klog, &event);
	if (++c->events % TICK_EVENTS == 0)
		tick(c, log->lines);
	return 0;
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void summarize(const struct check *c, const struct klog_totals *t)
{
	int i;

	printf("%s: %" PRIu64 " events, %" PRIu64 " changes of SPTEs, %" PRIu64 " root%s: %" PRIu64
	       " violation%s\n",
	       c->path, c->events, t->changes, t->roots, plural(t->roots), t->violations,
	       plural(t->violations));
	printf("  ends checked: %" PRIu64 " of unmaps, %" PRIu64 " of zaps of roots, %" PRIu64
	       " of VMs\n",
	       t->unmaps, t->zaps, t->ends);
	printf("  at most %" PRIu64 " page tables and %" PRIu64
	       " leaves at a time; at the end %" PRIu64 " and %" PRIu64 "\n",
	       t->most_tables, t->most_leaves, t->tables, t->leaves);
	if (t->early)
		printf("  %" PRIu64 " change%s written down before the one that %s\n", t->early,
		       plural(t->early), t->early == 1 ? "it follows" : "they follow");
	for (i = 0; i < KLOG_NR_KNOWN; i++) {
		if (t->known[i])
			printf("  %" PRIu64 " %s: docs/check.md\n", t->known[i],
			       klog_known_names[i]);
	}
	if (c->shown > MAX_SHOWN && !c->all)
		printf("  %" PRIu64 " violations are not shown: --all shows them\n",
		       c->shown - MAX_SHOWN);
}

static int check_log(struct check *c, const char *path)
{
	struct import_error err = { 0 };
	struct import_log log;
	struct klog_totals totals;
	int ret;

	c->path = path;
	c->shown = c->events = 0;
	c->started = c->ticked = now();
	c->klog = klog_open(&c->setup);
	ret = import_stream(&log, path, on_event, c, &err);
	if (!ret && log.lost)
		ret = import_fail(&err, log.lost_line,
				  "%" PRIu64 " events were lost here: expected a log without "
				  "holes, as docs/recording.md says",
				  log.lost);
	if (!ret)
		klog_end(c->klog, &totals);
	clear_status(c);
	if (ret && err.line)
		fprintf(stderr, "%s:%u: %s\n", path, err.line, err.msg);
	else if (ret)
		fprintf(stderr, "%s: %s\n", path, err.msg);
	else if (!c->quiet)
		summarize(c, &totals);
	klog_close(c->klog);
	import_log_free(&log);
	if (ret)
		return TDP_EXIT_USAGE;
	return totals.violations ? TDP_EXIT_VIOLATION : TDP_EXIT_OK;
}

static int set_option(struct klog_setup *setup, const char *option)
{
	char msg[256];

	if (import_set_option(&setup->vm, option, msg, sizeof(msg))) {
		fprintf(stderr, "tdp check: %s\n", msg);
		return TDP_EXIT_USAGE;
	}
	if (!strncmp(option, "mmu=", 4) || !strncmp(option, "ad=", 3))
		setup->vm_given = true;
	if (!strncmp(option, "nx_huge_pages=", 14))
		setup->nx_given = true;
	return -1;
}

static int not_recorded(struct klog_setup *setup, const char *name)
{
	if (check_absent(name, &setup->absent))
		return -1;
	return tdp_usage("check",
			 "--not-recorded takes the name of an event that can be done "
			 "without, not ",
			 name);
}

/* Status to end with, or -1 to go on. */
static int take_option(struct check *c, int option, char **argv)
{
	switch (option) {
	case 'k':
		c->known = true;
		return -1;
	case 'a':
		c->all = true;
		return -1;
	case 's':
		return set_option(&c->setup, optarg);
	case 'n':
		return not_recorded(&c->setup, optarg);
	case 'q':
		c->quiet = true;
		return -1;
	case 'h':
		fputs(help, stdout);
		return TDP_EXIT_OK;
	default:
		return tdp_usage("check", "bad option ", argv[optind - 1]);
	}
}

/**
 * cmd_check - the command
 * @argc: of @argv
 * @argv: "check" and its arguments
 *
 * Return: the exit status, the worst of all logs'.
 */
int cmd_check(int argc, char **argv)
{
	static const struct option options[] = {
		{ "known", no_argument, NULL, 'k' },
		{ "all", no_argument, NULL, 'a' },
		{ "vm-option", required_argument, NULL, 's' },
		{ "not-recorded", required_argument, NULL, 'n' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct check c = {
		.setup = { .vm = vm_default, .report = on_report, .arg = &c },
		.live = isatty(STDERR_FILENO),
	};
	int option, ret, worst = TDP_EXIT_OK;

	/* As many as a host can have that has MMIO SPTEs on NPT, so that none is taken for reserved. */
	c.setup.vm.maxphyaddr = 51;
	c.setup.vm.exec_only = true;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "kas:n:qh", options, NULL)) != -1) {
		ret = take_option(&c, option, argv);
		if (ret >= 0)
			return ret;
	}
	if (optind == argc)
		return tdp_usage("check", "no log is named", "");
	for (; optind < argc; optind++) {
		ret = check_log(&c, argv[optind]);
		if (ret > worst)
			worst = ret;
	}
	return worst;
}
