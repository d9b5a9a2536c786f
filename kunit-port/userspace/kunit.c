// SPDX-License-Identifier: GPL-2.0-only
/* Runs the suites of the program and prints KTAP, version 1. */
#include <kunit/test.h>

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

extern const struct kunit_suite *__start_kunit_suites[];
extern const struct kunit_suite *__stop_kunit_suites[];

/**
 * kunit_fail() - an expectation was not met
 * @test: the case, which goes on
 * @file: where
 * @line: where
 * @what: the condition, as it was written
 * @fmt: what to say besides
 */
void kunit_fail(struct kunit *test, const char *file, int line, const char *what, const char *fmt,
		...)
{
	va_list ap;

	if (test->failed == false)
		printf("    # %s: EXPECTATION FAILED at %s:%d\n", test->name, file, line);
	else
		printf("    # %s:%d\n", file, line);
	test->failed = true;
	printf("    Expected %s to be true, but is false\n    ", what);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/**
 * kunit_abort() - end the case, which has failed
 * @test: the case
 */
void kunit_abort(struct kunit *test)
{
	test->failed = true;
	longjmp(test->end, 1);
}

static bool run_case(const struct kunit_case *c, int number)
{
	struct kunit test = { .name = c->name };

	if (!setjmp(test.end))
		c->run_case(&test);
	if (test.cleanup) {
		void (*cleanup)(void *ctx) = test.cleanup;

		test.cleanup = NULL;
		if (!setjmp(test.end))
			cleanup(test.ctx);
	}
	printf("    %s %d %s\n", test.failed ? "not ok" : "ok", number, c->name);
	return !test.failed;
}

static int count(const struct kunit_case *cases)
{
	int n = 0;

	while (cases[n].run_case)
		n++;
	return n;
}

static bool run_suite(const struct kunit_suite *suite, int number)
{
	int i, n = count(suite->test_cases);
	bool ok = true;

	printf("    KTAP version 1\n    # Subtest: %s\n    1..%d\n", suite->name, n);
	for (i = 0; i < n; i++)
		ok &= run_case(&suite->test_cases[i], i + 1);
	printf("%s %d %s\n", ok ? "ok" : "not ok", number, suite->name);
	return ok;
}

static bool wanted(const struct kunit_suite *suite, const char *pattern)
{
	return suite && (!pattern || !fnmatch(pattern, suite->name, 0));
}

int main(int argc, char **argv)
{
	const struct kunit_suite **suite;
	const char *pattern = argc > 1 ? argv[1] : NULL;
	int n = 0, number = 0;
	bool ok = true;

	if (argc > 2 || (pattern && *pattern == '-')) {
		fprintf(stderr,
			"usage: %s [SUITE]\n\nRun the suites, or those that the pattern "
			"SUITE names, and print KTAP.  Exit status: 0 all passed,\n1 some "
			"failed, 2 there is none.\n",
			argv[0]);
		return 2;
	}
	for (suite = __start_kunit_suites; suite < __stop_kunit_suites; suite++)
		n += wanted(*suite, pattern);
	if (!n) {
		fprintf(stderr, "%s: no suite is called %s\n", argv[0],
			pattern ? pattern : "anything");
		return 2;
	}
	printf("KTAP version 1\n1..%d\n", n);
	for (suite = __start_kunit_suites; suite < __stop_kunit_suites; suite++)
		if (wanted(*suite, pattern))
			ok &= run_suite(*suite, ++number);
	return !ok;
}
