// SPDX-License-Identifier: GPL-2.0-only
/* What fuzz targets whose inputs are programs do to an input before it runs. */
#include "program_target.h"
#include "program_fixture.h"

#define HUGE_SLOT "slot 0 base=0x0 pages=0x7fffffff backing=4K"

static struct program_target target = {
	.name = "fuzz_test",
	.limits = { .max_accesses = 8, .max_points = 1000 },
};

/* The pages of slot 0 that a program runs with. */
static u64 pages_of(const char *text)
{
	struct program *prog = program_alloc();
	struct prog_error err;
	uint8_t *data;
	size_t size;

	assert_int_equal(program_parse(prog, text, strlen(text), &err), 0);
	data = bytes_of(prog, &size);
	program_free(prog);
	target_run(&target, data, size);
	free(data);
	return target.prog->slots[0].npages;
}

static void a_large_slot_is_kept(void **state)
{
	(void)state;
	assert_int_equal(pages_of("tdp 1\n" HUGE_SLOT "\nthread vcpu 0\n\twrite 0x7ffffffe\n"),
			 0x7fffffff);
}

static void a_logged_one_is_shortened(void **state)
{
	(void)state;
	assert_int_equal(pages_of("tdp 1\nvm manual_protect=on init_set=on\n" HUGE_SLOT
				  " flags=log\nthread vcpu 0\n\twrite 0x10\n"),
			 1 << 20);
	assert_int_equal(pages_of("tdp 1\nvm manual_protect=on init_set=on\n" HUGE_SLOT
				  "\nthread vmm\n\tlog-start 0\n\tlog-get 0\n"),
			 1 << 20);
	assert_int_equal(pages_of("tdp 1\n" HUGE_SLOT "\nthread vmm\n\tslot-flags 0 log\n"),
			 1 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_large_slot_is_kept),
		cmocka_unit_test(a_logged_one_is_shortened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
