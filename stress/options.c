// SPDX-License-Identifier: GPL-2.0-only
/* The command line. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "stress.h"

#define MOST_MIB (64 * 1024ULL)

static const char help[] =
	"usage: tdp-stress [OPTION]...\n"
	"\n"
	"Guests, a VMM and a host on real threads, on one VM of libtdp, until the time is over, SIGINT comes, or\n"
	"something is wrong: a write that is lost, a translation that is stale, page tables that leak.\n"
	"\n"
	"  -s, --seconds N     how long; 0: until interrupted (default 10)\n"
	"  -a, --accesses N    or until guests have made so many\n"
	"  -c, --vcpus N       vCPUs, 1 to 8 (default 2)\n"
	"  -m, --memory N      of the guest, MiB, a multiple of 2 a slot (default 64)\n"
	"  -n, --slots N       that it is in, 1 to 16 (default 4)\n"
	"  -b, --backing SIZE  largest pages of the host: 4K, 2M or 1G (default 2M)\n"
	"  -v, --vm KEY=VALUE  as on a program's vm line: mmu, ad, levels, nx_huge_pages, eager_split,\n"
	"                      fault_policy, pml, manual_protect, ... (may be repeated)\n"
	"  -x, --mix WORD,...  what is done (default: everything)\n"
	"  -o, --noise on|off  threads stop at places in the library where races might be (default on)\n"
	"  -S, --seed N        of the random numbers (default 1)\n"
	"  -j, --json FILE     write a summary there\n"
	"  -q, --quiet         no status line\n"
	"  -h, --help          this text\n"
	"\n"
	"Words of the mix:\n";

static const char exits[] = "\nExit status: 0 nothing wrong, 1 a violation, 2 bad input.\n";

/* clang-format off */
static const struct option options[] = {
	{ "seconds", required_argument, NULL, 's' },
	{ "accesses", required_argument, NULL, 'a' },
	{ "vcpus", required_argument, NULL, 'c' },
	{ "memory", required_argument, NULL, 'm' },
	{ "slots", required_argument, NULL, 'n' },
	{ "backing", required_argument, NULL, 'b' },
	{ "vm", required_argument, NULL, 'v' },
	{ "mix", required_argument, NULL, 'x' },
	{ "noise", required_argument, NULL, 'o' },
	{ "seed", required_argument, NULL, 'S' },
	{ "json", required_argument, NULL, 'j' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};
/* clang-format on */

static const char *const mix_words[NR_MIX] = {
#define MIX_WORD(name, word, what) word,
	MIX_LIST(MIX_WORD)
#undef MIX_WORD
};

static void print_help(void)
{
	fputs(help, stdout);
#define MIX_LINE(name, word, what) printf("  %-9s%s\n", word, what);
	MIX_LIST(MIX_LINE)
#undef MIX_LINE
	fputs(exits, stdout);
}

static int bad(const char *what, const char *found, const char *expected)
{
	fprintf(stderr, "tdp-stress: %s %s: expected %s\n", what, found, expected);
	return -EINVAL;
}

static int number(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *val)
{
	char expected[64], *end;

	errno = 0;
	*val = strtoull(text, &end, 0);
	if (!errno && end != text && !*end && *text != '-' && *val >= least && *val <= most)
		return 0;
	snprintf(expected, sizeof(expected), "a number from %lu to %lu", least, most);
	return bad(name, text, expected);
}

static int parse_mix(struct stress_options *opt, char *words)
{
	char *word, *state = NULL;
	int i;

	opt->mix = 0;
	for (word = strtok_r(words, ",", &state); word; word = strtok_r(NULL, ",", &state)) {
		for (i = 0; i < NR_MIX && strcmp(word, mix_words[i]); i++)
			;
		if (i == NR_MIX)
			return bad("--mix", word, "words that --help lists");
		opt->mix |= 1u << i;
	}
	return opt->mix ? 0 : bad("--mix", "", "words that --help lists");
}

static int parse_backing(struct stress_options *opt, const char *text)
{
	static const char *const sizes[] = { "4K", "2M", "1G" };
	int i;

	for (i = 0; i < 3; i++) {
		if (!strcmp(text, sizes[i])) {
			opt->backing = BACKING_4K + i;
			return 0;
		}
	}
	return bad("--backing", text, "4K, 2M or 1G");
}

/* The words of a program's vm line, read by who reads those. */
static int parse_vm(struct stress_options *opt, const char *keys)
{
	struct program *prog = program_alloc();
	struct prog_error err;
	char text[1024];
	int r;

	if (!prog)
		return -ENOMEM;
	snprintf(text, sizeof(text), "tdp 1\nvm%s\n", keys);
	r = program_parse(prog, text, strlen(text), &err);
	if (!r)
		r = program_check(prog, &err);
	if (r)
		fprintf(stderr, "tdp-stress: --vm%s: %s\n", keys, err.msg);
	opt->vm = prog->vm;
	program_free(prog);
	if (!r && opt->vm.policy == VM_ZAP && !tdp_backend.zap_policy)
		r = bad("--vm", "fault_policy=zap",
			"split, which is all that the kernel's code does");
	return r;
}

static int check_options(struct stress_options *opt)
{
	char text[32];

	if (!(opt->pages % (opt->slots * PAGES_2M)))
		return 0;
	snprintf(text, sizeof(text), "%lu", opt->pages / 256);
	return bad("--memory", text, "a multiple of 2 for each slot");
}

/* Adds " KEY=VALUE"; false: there are too many. */
static bool add_key(char *keys, size_t size, const char *key)
{
	const size_t len = strlen(keys);

	return (size_t)snprintf(keys + len, size - len, " %s", key) < size - len;
}

/**
 * stress_parse() - read the command line
 * @opt: result
 * @argc: as main() got it
 * @argv: likewise
 *
 * Return: 0; 1: there is nothing more to do; -EINVAL or -ENOMEM, which was said.
 */
int stress_parse(struct stress_options *opt, int argc, char **argv)
{
	char keys[512] = "";
	uint64_t val = 0;
	int option, r = 0;

	*opt = (struct stress_options){
		.seconds = 10,
		.vcpus = 2,
		.slots = 4,
		.pages = 64 * 256,
		.noise = true,
		.seed = 1,
		.mix = MIX_ALL,
		.backing = BACKING_2M,
		.live = isatty(STDERR_FILENO),
	};
	while (!r && (option = getopt_long(argc, argv, "s:a:c:m:n:b:v:x:o:S:j:qh", options,
					   NULL)) != -1) {
		switch (option) {
		case 's':
			r = number("--seconds", optarg, 0, 1u << 30, &val);
			opt->seconds = val;
			break;
		case 'a':
			r = number("--accesses", optarg, 1, UINT64_MAX, &opt->accesses);
			break;
		case 'c':
			r = number("--vcpus", optarg, 1, MAX_VCPUS, &val);
			opt->vcpus = val;
			break;
		case 'm':
			r = number("--memory", optarg, 2, MOST_MIB, &val);
			opt->pages = val * 256;
			break;
		case 'n':
			r = number("--slots", optarg, 1, MAX_SLOTS, &val);
			opt->slots = val;
			break;
		case 'b':
			r = parse_backing(opt, optarg);
			break;
		case 'v':
			if (!add_key(keys, sizeof(keys), optarg))
				r = bad("--vm", optarg, "fewer of them");
			break;
		case 'x':
			r = parse_mix(opt, optarg);
			break;
		case 'o':
			opt->noise = !strcmp(optarg, "on");
			if (!opt->noise && strcmp(optarg, "off"))
				r = bad("--noise", optarg, "on or off");
			break;
		case 'S':
			r = number("--seed", optarg, 0, UINT64_MAX, &opt->seed);
			break;
		case 'j':
			opt->json = optarg;
			break;
		case 'q':
			opt->live = false;
			break;
		case 'h':
			print_help();
			return 1;
		default:
			r = -EINVAL;
		}
	}
	if (!r && optind < argc)
		r = bad("argument", argv[optind], "options only");
	return r ?: parse_vm(opt, keys) ?: check_options(opt);
}
