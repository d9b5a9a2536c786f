// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules against traces: for each rule, broken ones that it must reject and their good twins
 * that it must accept. What is printed is compared with a file; TDP_UPDATE=1 in the environment
 * writes that file.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>

#include "trace_player.h"

#define DIR_NAME	TDP_SOURCE_DIR "/tests/data/oracle"
#define RULES		"TDUNMLPWXGBA"

static int is_trace(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 6 && !strcmp(d->d_name + len - 6, ".trace");
}

/* What a run found, one line each. */
static void print_findings(const struct oracle *o, char *buf, size_t size)
{
	size_t len = 0;
	uint32_t i;

	buf[0] = 0;
	for (i = 0; i < oracle_nr_violations(o); i++) {
		const struct oracle_violation *v = oracle_violation(o, i);

		len += snprintf(buf + len, size - len, "%c", v->rule);
		if (v->gfn != ~0ULL)
			len += snprintf(buf + len, size - len, " gfn 0x%llx",
					(unsigned long long)v->gfn);
		if (v->spte)
			len += snprintf(buf + len, size - len, " spte 0x%llx",
					(unsigned long long)v->spte);
		if (v->thread > 0)
			len += snprintf(buf + len, size - len, " thread %d", v->thread);
		len += snprintf(buf + len, size - len, ": %s\n", v->text);
	}
	if (!i)
		snprintf(buf, size, "nothing\n");
}

static void read_file(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t len = f ? fread(buf, 1, size - 1, f) : 0;

	buf[len] = 0;
	if (f)
		fclose(f);
}

static bool compare(const char *name, const char *found)
{
	char path[512], expected[16384];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%.*s.expect", DIR_NAME, (int)strlen(name) - 6, name);
	if (getenv("TDP_UPDATE")) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(found, f);
		fclose(f);
		return true;
	}
	read_file(path, expected, sizeof(expected));
	if (!strcmp(expected, found))
		return true;
	fprintf(stderr, "%s:\n--- expected\n%s+++ found\n%s", name, expected, found);
	return false;
}

/* RULE-what-bad.trace must break RULE, RULE-what-good.trace nothing. */
static bool judge(const char *name, const struct oracle *o)
{
	bool bad = strstr(name, "-bad.trace"), hit = false;
	uint32_t i;

	for (i = 0; i < oracle_nr_violations(o); i++)
		hit |= oracle_violation(o, i)->rule == name[0];
	if (bad && !hit)
		fprintf(stderr, "%s: rule %c did not fire\n", name, name[0]);
	if (!bad && oracle_nr_violations(o))
		fprintf(stderr, "%s: a good trace is rejected\n", name);
	return bad ? hit : !oracle_nr_violations(o);
}

static void test_traces(void **state)
{
	struct oracle *o = oracle_create();
	struct dirent **list;
	int n = scandir(DIR_NAME, &list, is_trace, alphasort), i, failed = 0;
	unsigned int bad[256] = { 0 }, good[256] = { 0 };
	const char *rule;

	(void)state;
	assert_true(n > 0);
	for (i = 0; i < n; i++) {
		const char *name = list[i]->d_name;
		char path[512], found[16384];

		snprintf(path, sizeof(path), "%s/%s", DIR_NAME, name);
		trace_play(o, path);
		print_findings(o, found, sizeof(found));
		if (!compare(name, found) || !judge(name, o))
			failed++;
		if (strstr(name, "-bad.trace"))
			bad[(unsigned char)name[0]]++;
		else
			good[(unsigned char)name[0]]++;
		free(list[i]);
	}
	free(list);
	oracle_destroy(o);
	for (rule = RULES; *rule; rule++) {
		if (!bad[(unsigned char)*rule] ||
		    bad[(unsigned char)*rule] > good[(unsigned char)*rule])
			fail_msg("rule %c: %u bad traces, %u good ones", *rule,
				 bad[(unsigned char)*rule], good[(unsigned char)*rule]);
	}
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_traces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
