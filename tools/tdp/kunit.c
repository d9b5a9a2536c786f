// SPDX-License-Identifier: GPL-2.0-only
/* tdp kunit: programs as KUnit tests of the kernel's TDP MMU. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kunit.h"
#include "tdp.h"
#include <tdp/tdp.h>

static const char help[] =
	"usage: tdp kunit FILE... -o DIR [--all-mmus]\n"
	"\n"
	"Write DIR/NAME_kunit.c for each program: a KUnit test of the kernel's TDP MMU, whose expected\n"
	"values are the oracle's.  A schedule counts as far as it orders whole operations, or has a walk\n"
	"yield; what is left out is said, and stands in the file.\n"
	"\n"
	"  -o, --output DIR   where the tests go; it is made if it is not there\n"
	"  -a, --all-mmus     a test case for each of EPT with A/D bits, EPT without, and NPT, as far as\n"
	"                     the program's other settings allow\n"
	"      --backend=libtdp|upstream\n"
	"                     whose kernel's values: libtdp: 6.12's (default); upstream: those of the\n"
	"                     kernel that it was built of, 6.1 or 6.12\n"
	"  -h, --help         this text\n"
	"\n"
	"docs/kunit.md says how to run them.\n";

/* An MMU that a test case can be for. */
struct mmu {
	const char *name;
	enum vm_mmu mmu;
	bool ad;
};

static const struct mmu mmus[] = {
	{ "ept_ad", VM_EPT, true },
	{ "ept_no_ad", VM_EPT, false },
	{ "npt", VM_NPT, true },
};
#define NR_MMUS (sizeof(mmus) / sizeof(*mmus))

/* file.tdp in any folder: file, as C has names. */
static void name_of(const char *path, char *name, size_t size)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t len = strcspn(base, "."), i;

	snprintf(name, size, "%s%.*s", isdigit((unsigned char)*base) ? "program_" : "", (int)len,
		 base);
	for (i = 0; name[i]; i++)
		if (!isalnum((unsigned char)name[i]))
			name[i] = '_';
}

static void put_head(FILE *out, const struct program *prog, const char *left_out)
{
	char *text = program_text(prog);

	if (!text)
		abort();
	fputs("// SPDX-License-Identifier: GPL-2.0-only\n/*\n * Made by \"tdp kunit\" from this program:\n"
	      " *\n",
	      out);
	kunit_comment(out, text);
	if (*left_out) {
		fputs(" *\n * These operations one after the other, without\n *\n", out);
		kunit_comment(out, left_out);
	}
	fputs(" */\n#include <kunit/test.h>\n\n#include \"tdp_kunit.h\"\n\n", out);
	free(text);
}

static void put_suite(FILE *out, const char *name, char cases[][KUNIT_NAME_MAX], int nr)
{
	int i;

	fprintf(out, "static struct kunit_case %s_cases[] = {\n", name);
	for (i = 0; i < nr; i++)
		fprintf(out, "\tKUNIT_CASE(%s),\n", cases[i]);
	fprintf(out, "\t{}\n};\n\nstatic struct kunit_suite %s_suite = {\n\t.name = \"tdp_%s\",\n",
		name, name);
	fprintf(out, "\t.test_cases = %s_cases,\n};\n\nkunit_test_suite(%s_suite);\n", name, name);
}

static bool is_own(const struct program *prog, const struct mmu *mmu)
{
	return prog->vm.mmu == mmu->mmu && (mmu->mmu == VM_NPT || prog->vm.ad == mmu->ad);
}

/* The test cases; how many, or -1 and it was said why. */
static int put_cases(FILE *out, const struct program *prog, const char *path, const char *name,
		     bool all, char cases[][KUNIT_NAME_MAX])
{
	struct program *as = program_alloc();
	struct kunit_case *k = malloc(sizeof(*k));
	bool turns = kunit_takes_turns(prog);
	int nr = 0;
	size_t i;

	if (!as || !k)
		abort();
	for (i = 0; i < NR_MMUS && nr >= 0; i++) {
		struct prog_error err;

		if (!all && !is_own(prog, &mmus[i]))
			continue;
		if (program_copy(as, prog))
			abort();
		as->vm.mmu = mmus[i].mmu;
		as->vm.ad = mmus[i].ad;
		if (program_check(as, &err))
			continue;
		snprintf(cases[nr], KUNIT_NAME_MAX, "%.48s_%s", name, mmus[i].name);
		if (turns ? !kunit_threads_make(k, as, cases[nr], out) :
			    !kunit_case_make(k, as, cases[nr], out)) {
			fprintf(stderr, "%s: no test can be made of it: %s\n", path, k->problem);
			nr = -1;
			break;
		}
		fputc('\n', out);
		nr++;
	}
	free(k);
	program_free(as);
	return nr;
}

static int write_test(const struct program *prog, const char *path, const char *left_out,
		      const char *dir, bool all)
{
	char name[KUNIT_NAME_MAX], out_path[4096], cases[NR_MMUS][KUNIT_NAME_MAX];
	char *text;
	size_t len;
	FILE *out, *mem = open_memstream(&text, &len);
	int nr;

	if (!mem)
		abort();
	name_of(path, name, sizeof(name));
	put_head(mem, prog, left_out);
	nr = put_cases(mem, prog, path, name, all, cases);
	if (nr > 0)
		put_suite(mem, name, cases, nr);
	fclose(mem);
	if (nr <= 0) {
		free(text);
		return TDP_EXIT_USAGE;
	}
	snprintf(out_path, sizeof(out_path), "%s/%s_kunit.c", dir, name);
	out = fopen(out_path, "w");
	if (!out || fwrite(text, 1, len, out) != len || fclose(out)) {
		fprintf(stderr, "%s: %s\n", out_path, strerror(errno));
		free(text);
		return TDP_EXIT_USAGE;
	}
	free(text);
	printf("%s\n", out_path);
	return TDP_EXIT_OK;
}

static int one(const char *path, const char *dir, bool all)
{
	struct program *prog = program_alloc(), *whole = program_alloc();
	char *left_out = NULL;
	size_t len;
	FILE *why;
	int ret = TDP_EXIT_USAGE;

	if (!prog || !whole)
		abort();
	if (!tdp_load_program(whole, path, false)) {
		if (program_copy(prog, whole))
			abort();
		why = open_memstream(&left_out, &len);
		if (!why)
			abort();
		if (!kunit_takes_turns(prog))
			kunit_reduce(prog, why);
		fclose(why);
		if (len)
			fprintf(stderr, "%s: left out: %s", path, left_out);
		ret = write_test(prog, path, left_out, dir, all);
		free(left_out);
	}
	program_free(prog);
	program_free(whole);
	return ret;
}

int cmd_kunit(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "all-mmus", no_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *dir = NULL;
	bool all = false;
	int option, i, ret = TDP_EXIT_OK;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "o:ah", options, NULL)) != -1) {
		switch (option) {
		case 'o':
			dir = optarg;
			break;
		case 'a':
			all = true;
			break;
		case 'h':
			fputs(help, stdout);
			return TDP_EXIT_OK;
		default:
			return tdp_usage("kunit", "bad option ", argv[optind - 1]);
		}
	}
	if (optind == argc)
		return tdp_usage("kunit", "expected at least one FILE", "");
	if (!dir)
		return tdp_usage("kunit", "expected -o DIR", "");
	if (tdp_backend.kernel != TDP_LINUX_6_12 && tdp_backend.kernel != TDP_LINUX_6_1)
		return tdp_usage("kunit",
				 "expected the code of Linux 6.1 or 6.12, for which the "
				 "tests' fixture is made, found that of another",
				 "");
	if (mkdir(dir, 0777) && errno != EEXIST) {
		fprintf(stderr, "%s: %s\n", dir, strerror(errno));
		return TDP_EXIT_USAGE;
	}
	for (i = optind; i < argc; i++) {
		int status = one(argv[i], dir, all);

		ret = status > ret ? status : ret;
	}
	return ret;
}
