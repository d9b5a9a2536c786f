/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of <kunit/test.h> as generated tests use, for a program that prints KTAP.  Suites are found
 * in a section of the program, as in the kernel.
 */
#ifndef USERSPACE_KUNIT_TEST_H
#define USERSPACE_KUNIT_TEST_H

#include <setjmp.h>
#include <stdbool.h>

/**
 * struct kunit - a test case that runs
 * @name: of the case
 * @failed: an expectation was not met
 * @cleanup: undoes what the case has made; called once, at its end
 * @ctx: passed to @cleanup
 * @end: where a case goes that cannot go on
 */
struct kunit {
	const char *name;
	bool failed;
	void (*cleanup)(void *ctx);
	void *ctx;
	jmp_buf end;
};

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)                   (sizeof(a) / sizeof((a)[0]))
#endif

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char *name;
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(function)                        \
	{                                           \
		.run_case = function, .name = #function \
	}

#define kunit_test_suite(suite)                                                        \
	static const struct kunit_suite *suite##_entry __attribute__((                 \
		section("kunit_suites"), used)) = &(suite)

void kunit_fail(struct kunit *test, const char *file, int line, const char *what, const char *fmt,
		...) __attribute__((format(printf, 5, 6)));
void kunit_abort(struct kunit *test) __attribute__((noreturn));

#define KUNIT_EXPECT_TRUE_MSG(test, condition, fmt, ...)                               \
	do {                                                                           \
		struct kunit *test_ = (test);                                          \
		bool ok_ = (condition);                                                \
		if (!ok_)                                                              \
			kunit_fail(test_, __FILE_NAME__, __LINE__, #condition, fmt,    \
				   ##__VA_ARGS__);                                     \
	} while (0)

#endif /* USERSPACE_KUNIT_TEST_H */
