// SPDX-License-Identifier: GPL-2.0-only
/*
 * tdp-mutants: has each mutant of the library judged, in a process of its own.
 *
 *   tdp-mutants [--from=N] [--step=N] [--random=N] [--slow] [SITE:CHANGE...]
 *   tdp-mutants --units [--random=N]
 *
 * Of all mutants, or of those named, every --step'th from --from on (so that several processes share
 * the work, or a sample is taken) runs what reaches its site, until something tells: the corpus, the
 * inputs of the other fuzz targets, the tests, and --random programs.  A line for each mutant,
 * separated by tabs: SITE:CHANGE, "killed" or "alive", the stage and how, what killed it.
 *
 * The longest programs are asked only with --slow, and last.
 *
 * The second form says what judges, and what each takes on the unchanged library: stage, sites passed,
 * microseconds of processor time, name.
 *
 * The sites are those of sites.json, which rewrite.py makes.  Exit status: 0; 2: bad usage, or the
 * unchanged library fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mutate.h"
#include "unit.h"

/* What a mutant may take: sites passed, beside what the unchanged library passes; CPU time. */
#define MORE_PASSES 30000000
#define CPU_SECONDS 60
/* A program that passes more is asked last, and only when wanted: it takes a quarter of a second. */
#define SLOW_PASSES 50000000

static const uint8_t nr_changes[] = {
#include "sites.inc"
};
#define NR_SITES (sizeof(nr_changes) / sizeof(*nr_changes))

/* What a child leaves. */
static struct shared {
	size_t unit;
	uint64_t passes;
	uint64_t usecs;
	bool endless;
	struct verdict verdict;
	struct verdict counted; /* of a program that broke no rule; @counted_by: which */
	size_t counted_by;
	uint8_t reached[NR_SITES];
} *shared;

static struct unit *units;
static size_t nr_units;
static size_t *order;
static size_t nr_random = 4000;
static bool slow_too;

static const char *const stage_names[STAGE_NR] = { "corpus", "inputs", "tests", "random" };

static void endless(void)
{
	shared->endless = true;
	_exit(0);
}

static void be_quiet(void)
{
	int null = open("/dev/null", O_WRONLY);

	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	close(null);
}

static uint64_t usecs_used(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return 1000000ULL * (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

/* Runs in a child, which ends. @nr of @list, until something tells. */
static void child(const size_t *list, size_t nr, uint32_t site, uint32_t change)
{
	const struct itimerval limit = { .it_value.tv_sec = CPU_SECONDS };
	size_t i;

	be_quiet();
	setitimer(ITIMER_PROF, &limit, NULL);
	tdp_mutation_on_endless(endless);
	for (i = 0; i < nr; i++) {
		const struct unit *unit = &units[list[i]];
		uint64_t most = change ? 4 * unit->passes + MORE_PASSES : UINT64_MAX;

		shared->unit = list[i];
		tdp_mutation = (struct tdp_mutation){
			.site = site,
			.change = change,
			.passes = most,
			.reached = change ? NULL : shared->reached,
		};
		unit->run(unit, &shared->verdict);
		shared->passes = most - tdp_mutation.passes;
		shared->usecs = usecs_used();
		if (shared->verdict.rule)
			break;
		if (!shared->verdict.failed[0])
			continue;
		/* Counts tell, but perhaps some program breaks a rule: that tells more. */
		if (unit->stage != STAGE_CORPUS)
			break;
		if (!shared->counted.failed[0]) {
			shared->counted = shared->verdict;
			shared->counted_by = list[i];
		}
		shared->verdict.failed[0] = 0;
	}
	_exit(0);
}

/* Return: did something tell? @how: what. */
static bool judge(const size_t *list, size_t nr, uint32_t site, uint32_t change, char *how,
		  size_t size)
{
	int status;
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("tdp-mutants: fork");
		exit(2);
	}
	if (!pid)
		child(list, nr, site, change);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (shared->verdict.rule)
		snprintf(how, size, "rule %c", shared->verdict.rule);
	else if (shared->endless || (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF))
		snprintf(how, size, "endless");
	else if (WIFSIGNALED(status))
		snprintf(how, size, "crash: %s", strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		snprintf(how, size, "exit status %d", WEXITSTATUS(status));
	else if (shared->verdict.failed[0])
		snprintf(how, size, "%s", shared->verdict.failed);
	else if (shared->counted.failed[0]) {
		snprintf(how, size, "%s", shared->counted.failed);
		shared->unit = shared->counted_by;
	} else
		return false;
	return true;
}

/* Which sites each unit reaches: a mutant of another site does what the library does. */
static void measure(void)
{
	char how[128];
	size_t i;

	for (i = 0; i < nr_units; i++) {
		if (judge(&i, 1, 0, 0, how, sizeof(how))) {
			fprintf(stderr, "tdp-mutants: the unchanged library fails %s: %s\n",
				units[i].name, how);
			exit(2);
		}
		units[i].passes = shared->passes;
		units[i].usecs = shared->usecs;
		units[i].reached = malloc(NR_SITES);
		if (!units[i].reached)
			exit(2);
		memcpy(units[i].reached, shared->reached, NR_SITES);
	}
}

/* What has told of most mutants first, and what takes little. */
static int by_promise(const void *a, const void *b)
{
	const struct unit *x = &units[*(const size_t *)a], *y = &units[*(const size_t *)b];

	if (x->kills != y->kills)
		return x->kills < y->kills ? 1 : -1;
	if (x->passes != y->passes)
		return x->passes > y->passes ? 1 : -1;
	return x < y ? -1 : 1;
}

static bool is_slow(const struct unit *unit)
{
	return unit->stage == STAGE_CORPUS && unit->passes > SLOW_PASSES;
}

static bool judge_stage(enum stage stage, bool slow, uint32_t site, uint32_t change, char *how,
			size_t size, size_t *nr_reaching)
{
	/* One test may leave behind what the next stumbles over. */
	const bool one_by_one = stage == STAGE_TEST || stage == STAGE_INPUT;
	size_t i, nr = 0;

	for (i = 0; i < nr_units; i++) {
		if (units[i].stage == stage && is_slow(&units[i]) == slow && units[i].reached[site])
			order[nr++] = i;
	}
	*nr_reaching += nr;
	if (!nr)
		return false;
	qsort(order, nr, sizeof(*order), by_promise);
	if (!one_by_one)
		return judge(order, nr, site, change, how, size);
	for (i = 0; i < nr; i++) {
		if (judge(order + i, 1, site, change, how, size))
			return true;
	}
	return false;
}

static void judge_mutant(uint32_t site, uint32_t change)
{
	size_t nr_reaching = 0;
	char how[128];
	int i, stage;

	for (i = 0; i < (slow_too ? 2 : 1) * STAGE_NR; i++) {
		stage = i % STAGE_NR;
		if (!judge_stage(stage, i >= STAGE_NR, site, change, how, sizeof(how),
				 &nr_reaching))
			continue;
		units[shared->unit].kills++;
		printf("%u:%u\tkilled\t%s\t%s\t%s\n", site, change, stage_names[stage], how,
		       units[shared->unit].name);
		return;
	}
	printf("%u:%u\talive\t%zu\n", site, change, nr_reaching);
}

static int usage(const char *what)
{
	fprintf(stderr,
		"tdp-mutants: %s: expected [--from=N] [--step=N] [--random=N] [--slow] [--units] "
		"[SITE:CHANGE...]\n",
		what);
	return 2;
}

static bool option(const char *arg, const char *name, size_t *value)
{
	char *end;

	if (strncmp(arg, name, strlen(name)))
		return false;
	arg += strlen(name);
	errno = 0;
	*value = strtoul(arg, &end, 0);
	if (errno || end == arg || *end || *arg == '-')
		exit(usage(arg));
	return true;
}

/* SITE:CHANGE, of those that there are. */
static bool parse_mutant(const char *text, unsigned int *site, unsigned int *change)
{
	char *end;
	unsigned long value;

	if (*text < '0' || *text > '9')
		return false;
	value = strtoul(text, &end, 10);
	if (*end != ':' || value >= NR_SITES || end[1] < '0' || end[1] > '9')
		return false;
	*site = value;
	value = strtoul(end + 1, &end, 10);
	if (*end || !value || value > nr_changes[*site])
		return false;
	*change = value;
	return true;
}

int main(int argc, char **argv)
{
	size_t from = 0, step = 1, n = 0;
	uint32_t site, change;
	bool named = false, list = false;
	int i;

	for (i = 1; i < argc; i++) {
		if (option(argv[i], "--from=", &from) || option(argv[i], "--step=", &step) ||
		    option(argv[i], "--random=", &nr_random))
			continue;
		if (!strcmp(argv[i], "--units")) {
			list = true;
			continue;
		}
		if (!strcmp(argv[i], "--slow")) {
			slow_too = true;
			continue;
		}
		if (!parse_mutant(argv[i], &site, &change))
			return usage(argv[i]);
		named = true;
	}
	if (!step)
		return usage("--step=0");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED) {
		perror("tdp-mutants: mmap");
		return 2;
	}
	nr_units = units_make(&units, nr_random);
	order = calloc(nr_units, sizeof(*order));
	if (!order)
		return 2;
	measure();
	if (list) {
		for (n = 0; n < nr_units; n++)
			printf("%s\t%llu\t%llu\t%s\n", stage_names[units[n].stage],
			       (unsigned long long)units[n].passes,
			       (unsigned long long)units[n].usecs, units[n].name);
		return 0;
	}
	if (named) {
		for (i = 1; i < argc; i++) {
			if (parse_mutant(argv[i], &site, &change) && n++ % step == from)
				judge_mutant(site, change);
		}
		return 0;
	}
	for (site = 0; site < NR_SITES; site++) {
		for (change = 1; change <= nr_changes[site]; change++) {
			if (n++ % step == from)
				judge_mutant(site, change);
		}
	}
	return 0;
}
