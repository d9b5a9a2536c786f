// SPDX-License-Identifier: GPL-2.0-only
/* tdp import: a program out of a kernel's log. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"
#include "program_names.h"
#include "tdp.h"

#define MAX_VM_OPTIONS	32

static const char help[] =
	"usage: tdp import LOG [-o OUT] [--vm K] [--max-ops N] [--vm-option KEY=VALUE]...\n"
	"       tdp import LOG --verify [--vm K]\n"
	"       tdp import LOG --list\n"
	"\n"
	"Make a program out of a log of KVM's TDP MMU: the text of tracefs' file 'trace', plain or\n"
	"compressed with xz.  docs/recording.md says how to record one.  Module parameters are read\n"
	"from NAME.txt beside NAME.trace.xz if there is one.\n"
	"\n"
	"  -o, --output OUT          write the program there rather than to standard output\n"
	"  -v, --vm K                the VM to take, from 0; default: the one with the most events\n"
	"  -m, --max-ops N           take the first N operations\n"
	"  -s, --vm-option KEY=VALUE what the log does not tell, as on a program's vm line\n"
	"  -e, --exact-order         keep the order of vCPUs' accesses even where it does not matter\n"
	"  -V, --verify              replay all of it and compare each SPTE's changes with the log's\n"
	"  -l, --list                only say what is in the log\n"
	"  -q, --quiet               no summary\n"
	"  -h, --help                this text\n";

/* clang-format off */
static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "vm", required_argument, NULL, 'v' },
	{ "max-ops", required_argument, NULL, 'm' },
	{ "vm-option", required_argument, NULL, 's' },
	{ "exact-order", no_argument, NULL, 'e' },
	{ "verify", no_argument, NULL, 'V' },
	{ "list", no_argument, NULL, 'l' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};
/* clang-format on */

/**
 * struct request - what the user wants
 * @path: of the log
 * @out: where to, NULL for standard output
 * @vm: which, -1 for the largest
 * @max_ops: 0 for all
 * @vm_options: KEY=VALUE, terminated by NULL
 * @exact_order: see struct import_limits
 * @verify: compare a replay with the log
 * @list: only say what there is
 * @quiet: no summary
 */
struct request {
	const char *path;
	const char *out;
	long vm;
	uint32_t max_ops;
	const char *vm_options[MAX_VM_OPTIONS + 1];
	bool exact_order, verify, list, quiet;
};

static bool parse_number(const char *text, unsigned long max, unsigned long *value)
{
	char *end;

	errno = 0;
	*value = strtoul(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end && !errno && *value <= max;
}

/**
 * import_vm - import one VM of a log
 * @im: filled; import_free() frees what it has, after a failure too
 * @log: read, with its VMs told apart
 * @vm: which
 * @vm_options: KEY=VALUE of a program's vm line, terminated by NULL; they win over what was found
 * @err: filled on failure
 *
 * Return: 0 or -EINVAL.
 */
int import_vm(struct import *im, const struct import_log *log, uint32_t vm,
	      const char *const *vm_options, struct import_error *err)
{
	char notes[4096];
	uint32_t i;
	int ret;

	memset(im, 0, sizeof(*im));
	im->log = log;
	im->vm = vm;
	im->desc = vm_default;
	im->desc.eager_split = true;	/* KVM's default */
	for (i = log->vms[vm].first; i <= log->vms[vm].last; i++)
		im->exact |= log->events[i].vm == vm && log->events[i].kind == FT_REGION;
	import_read_notes(&im->desc, log->path, notes, sizeof(notes));
	import_describe_vm(im);
	import_find_init_set(im);
	for (; *vm_options; vm_options++) {
		err->line = 0;
		if (import_set_option(&im->desc, *vm_options, err->msg, sizeof(err->msg)))
			return -EINVAL;
	}
	ret = import_find_slots(im, err);
	return ret ? ret : import_find_ops(im, err);
}

/**
 * import_free - free what an import holds
 * @im: import
 */
void import_free(struct import *im)
{
	uint32_t i;

	for (i = 0; i < im->nr_slots; i++)
		import_host_free(&im->slots[i]);
	import_races_free(im);
	free(im->ops);
	im->ops = NULL;
	im->nr_slots = im->nr_ops = im->cap_ops = 0;
}

static uint32_t largest_vm(const struct import_log *log)
{
	uint32_t i, best = 0;

	for (i = 1; i < log->nr_vms; i++) {
		if (log->vms[i].nr_events > log->vms[best].nr_events)
			best = i;
	}
	return best;
}

static void list_log(const struct import_log *log)
{
	uint32_t i;

	printf("%s: %u lines, %u events of the MMU, %u tasks, %u VM%s\n", log->path, log->lines,
	       log->nr_events, log->nr_tasks, log->nr_vms, log->nr_vms == 1 ? "" : "s");
	for (i = 0; i < log->nr_vms; i++) {
		const struct import_vm *vm = &log->vms[i];

		printf("vm %u: %u events, lines %u..%u", i, vm->nr_events,
		       log->events[vm->first].line, log->events[vm->last].line);
		printf(vm->kvm ? ", kvm=0x%" PRIx64 "\n" : "\n", vm->kvm);
	}
	for (i = 0; i < log->nr_unknown; i++)
		printf("skipped: %s (%" PRIu64 ")\n", log->unknown[i].name, log->unknown[i].count);
}

static void say(uint64_t count, const char *what)
{
	if (count)
		fprintf(stderr, "  %" PRIu64 " %s\n", count, what);
}

static void summarize(const struct import *im, const struct program *prog)
{
	const struct import_log *log = im->log;
	uint64_t skipped = 0;
	uint32_t i;

	for (i = 0; i < log->nr_unknown; i++)
		skipped += log->unknown[i].count;
	fprintf(stderr, "%s: vm %u of %u: %u operations by %u threads, out of %u events\n",
		log->path, im->vm, log->nr_vms, program_nr_ops(prog), prog->nr_threads,
		log->vms[im->vm].nr_events);
	say(im->counts.faults, "page faults");
	say(im->counts.retries, "of them taken again because of a race, left out");
	say(im->counts.seen_accesses, "accesses without a fault, seen by A and D bits");
	say(im->counts.unmaps_elsewhere, "unmaps outside of known guest memory, left out");
	say(im->counts.ages_elsewhere, "ages outside of known guest memory, left out");
	say(im->counts.folded_vcpus,
	    "faults of vCPUs beyond the fourth, given to one of the first four");
	say(im->counts.slots_left_out, "slots beyond those that a program can have, left out");
	say(im->counts.ops_left_out, "operations left out at the end");
	say(im->counts.switches_left_out,
	    "operations left out at the end: a schedule has no more switches");
	say(log->lost, "events lost by the recording kernel: the log has holes");
	say(skipped, "events of other kinds, skipped ('--list' names them)");
}

static size_t trimmed(const char *text)
{
	size_t len = strlen(text);

	while (len && text[len - 1] == ' ')
		len--;
	return len;
}

static void write_comment(FILE *file, const struct import *im)
{
	const char *slash = strrchr(im->log->path, '/');
	struct vm_desc ignored = vm_default;
	char notes[4096];
	char *part, *save;

	fprintf(file, "# %s, vm %u of %u\n", slash ? slash + 1 : im->log->path, im->vm,
		im->log->nr_vms);
	import_read_notes(&ignored, im->log->path, notes, sizeof(notes));
	for (part = strtok_r(notes, "|", &save); part; part = strtok_r(NULL, "|", &save)) {
		part += strspn(part, " ");
		if (!strncmp(part, "host kernel:", 12) || !strncmp(part, "command:", 8) ||
		    !strncmp(part, "vcpus=", 6) || !strncmp(part, "kvm:", 4))
			fprintf(file, "# %.*s\n", (int)trimmed(part), part);
	}
}

static int write_program(const struct request *rq, const struct import *im,
			 const struct program *prog)
{
	char *text = program_text(prog);
	FILE *file = rq->out ? fopen(rq->out, "w") : stdout;
	bool failed;

	if (!text || !file) {
		fprintf(stderr, "%s: %s\n", rq->out ? rq->out : "standard output", strerror(errno));
		free(text);
		return TDP_EXIT_USAGE;
	}
	write_comment(file, im);
	failed = fputs(text, file) < 0;
	failed |= rq->out ? fclose(file) : fflush(file);
	free(text);
	if (failed) {
		fprintf(stderr, "%s: %s\n", rq->out ? rq->out : "standard output", strerror(errno));
		return TDP_EXIT_USAGE;
	}
	return TDP_EXIT_OK;
}

static int report(const struct request *rq, const struct import_error *err)
{
	if (err->line)
		fprintf(stderr, "%s:%u: %s\n", rq->path, err->line, err->msg);
	else
		fprintf(stderr, "%s: %s\n", rq->path, err->msg);
	return TDP_EXIT_USAGE;
}

static int convert(const struct request *rq, const struct import_log *log, uint32_t vm)
{
	struct import_turns turns = { 0 };
	struct import_limits limits = {
		.max_ops = rq->max_ops,
		.exact_order = rq->exact_order || rq->verify,
		.turns = rq->verify ? &turns : NULL,
	};
	struct program *prog = program_alloc();
	struct import_error err = { 0 };
	struct import im = { 0 };
	int ret = prog ? 0 : import_fail(&err, 0, "no memory");

	if (!ret)
		ret = import_vm(&im, log, vm, rq->vm_options, &err);
	if (!ret)
		ret = import_emit(&im, &limits, prog, &err);
	if (!ret && !rq->quiet)
		summarize(&im, prog);
	if (!ret && rq->verify)
		ret = import_verify(&im, prog, &turns, &err);
	else if (!ret)
		ret = write_program(rq, &im, prog);
	if (ret < 0)
		ret = report(rq, &err);
	free(turns.thread);
	import_free(&im);
	program_free(prog);
	return ret;
}

static int import_log(const struct request *rq)
{
	struct import_error err = { 0 };
	struct import_log log;
	int ret = import_read(&log, rq->path, &err);

	if (!ret)
		ret = import_find_vms(&log, &err);
	if (ret) {
		ret = report(rq, &err);
	} else if (rq->list) {
		list_log(&log);
	} else if (rq->vm >= (long)log.nr_vms) {
		fprintf(stderr, "%s: there is no VM %ld: expected 0..%u\n", rq->path, rq->vm,
			log.nr_vms - 1);
		ret = TDP_EXIT_USAGE;
	} else {
		ret = convert(rq, &log, rq->vm < 0 ? largest_vm(&log) : (uint32_t)rq->vm);
	}
	import_log_free(&log);
	return ret;
}

/* One option; returns a status, or -1 to go on. */
static int take_option(struct request *rq, int option, uint32_t *nr_vm_options)
{
	unsigned long value;

	switch (option) {
	case 'o':
		rq->out = optarg;
		return -1;
	case 'v':
		if (!parse_number(optarg, IMPORT_MAX_VMS - 1, &value))
			return tdp_usage("import", "--vm takes a number, not ", optarg);
		rq->vm = value;
		return -1;
	case 'm':
		if (!parse_number(optarg, UINT32_MAX, &value) || !value)
			return tdp_usage("import", "--max-ops takes a number from 1, not ", optarg);
		rq->max_ops = value;
		return -1;
	case 's':
		if (*nr_vm_options == MAX_VM_OPTIONS)
			return tdp_usage("import", "too many --vm-option", "");
		rq->vm_options[(*nr_vm_options)++] = optarg;
		return -1;
	case 'e':
		rq->exact_order = true;
		return -1;
	case 'V':
		rq->verify = true;
		return -1;
	case 'l':
		rq->list = true;
		return -1;
	case 'q':
		rq->quiet = true;
		return -1;
	case 'h':
		fputs(help, stdout);
		return TDP_EXIT_OK;
	default:
		return tdp_usage("import", "what is asked is not clear", "");
	}
}

/**
 * cmd_import - the command
 * @argc: of @argv
 * @argv: "import" and its arguments
 *
 * Return: the exit status; TDP_EXIT_VIOLATION if --verify found a difference that nothing explains.
 */
int cmd_import(int argc, char **argv)
{
	struct request rq = { .vm = -1 };
	uint32_t nr_vm_options = 0;
	int option, ret;

	while ((option = getopt_long(argc, argv, "o:v:m:s:eVlqh", options, NULL)) != -1) {
		ret = take_option(&rq, option, &nr_vm_options);
		if (ret >= 0)
			return ret;
	}
	if (optind + 1 != argc)
		return tdp_usage("import",
				 optind == argc ? "no log is named" : "one log at a time, not ",
				 optind == argc ? "" : argv[optind + 1]);
	rq.path = argv[optind];
	return import_log(&rq);
}
