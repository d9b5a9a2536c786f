// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "policy_options.h"

static const char help[] =
	"usage: bench_policy [OPTION]...\n"
	"\n"
	"vCPUs with 1 GiB each, backed by 1G pages, populate it and then execute or dirty it. Prints as JSON\n"
	"how long each phase takes, and what the MMU does in it.\n"
	"\n"
	"  --policy=split|zap        what a fault does with a huge page (default split)\n"
	"  --eager                   split huge pages when logging starts\n"
	"  --workload=execute|dirty  (default execute)\n"
	"  --percent=N               of accesses are writes while logged; divides 100 (default 5)\n"
	"  --vcpus=N                 1 to 512 (default 1)\n"
	"  --threads=N               they are on so many, at most 64 (default 1)\n"
	"  --pages=N                 each uses so many pages of 4K, a multiple of 512, at most 262144\n"
	"                            (default)\n";

static u32 number(const char *text, u32 most)
{
	char *end;
	unsigned long val = strtoul(text, &end, 10);

	if (end == text || *end || *text == '-' || !val || val > most)
		bench_die(text, "expected a number in the range that --help says");
	return val;
}

/* Is @text the second of two words? */
static bool is_second(const char *text, const char *first, const char *second)
{
	if (strcmp(text, first) && strcmp(text, second))
		bench_die(text, "expected a word that --help says");
	return !strcmp(text, second);
}

/**
 * policy_options() - reads the command line; ends the program if it asks for nothing, or for what there is not
 * @argc: of main()
 * @argv: of main()
 */
struct policy_options policy_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "policy", required_argument, NULL, 'p' },
		{ "eager", no_argument, NULL, 'e' },
		{ "workload", required_argument, NULL, 'w' },
		{ "percent", required_argument, NULL, 'c' },
		{ "vcpus", required_argument, NULL, 'v' },
		{ "threads", required_argument, NULL, 't' },
		{ "pages", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct policy_options opt = {
		.execute = true,
		.percent = 5,
		.vcpus = 1,
		.threads = 1,
		.pages = KVM_PAGES_PER_HPAGE(PG_LEVEL_1G),
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			opt.policy = is_second(optarg, "split", "zap") ? TDP_FAULT_ZAP :
									 TDP_FAULT_SPLIT;
			break;
		case 'e':
			opt.eager = true;
			break;
		case 'w':
			opt.execute = !is_second(optarg, "execute", "dirty");
			break;
		case 'c':
			opt.percent = number(optarg, 100);
			if (100 % opt.percent)
				bench_die(optarg, "expected what divides 100");
			break;
		case 'v':
			opt.vcpus = number(optarg, MOST_VCPUS);
			break;
		case 't':
			opt.threads = number(optarg, MOST_THREADS);
			break;
		case 'n':
			opt.pages = number(optarg, KVM_PAGES_PER_HPAGE(PG_LEVEL_1G));
			if (opt.pages % KVM_PAGES_PER_HPAGE(PG_LEVEL_2M))
				bench_die(optarg, "expected a multiple of 512");
			break;
		case 'h':
			fputs(help, stdout);
			exit(0);
		default:
			exit(2);
		}
	}
	if (optind != argc)
		bench_die(argv[optind], "expected options only");
	return opt;
}
