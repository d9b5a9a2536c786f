// SPDX-License-Identifier: GPL-2.0-only
/* Threads that are merged or change places: the schedule goes on meaning the same operations. */
#include "program_fixture.h"

static const char three[] = "tdp 1\n"
			    "slot 0 base=0x0 pages=0x400 backing=4K\n"
			    "thread vcpu 0\n"
			    "\tread 0x0\n"
			    "\tread 0x1\n"
			    "thread vcpu 1\n"
			    "\twrite 0x10\n"
			    "\twrite 0x11\n"
			    "thread host\n"
			    "\tunmap 0x0 0x1\n"
			    "schedule\n"
			    "\tt0.0@tlb#1 -> t1\n"
			    "\tt0.1@op#1 -> t2\n"
			    "\tt0.2@end#1 -> t2\n"
			    "\tt1.1@walk(4K)#1 evict\n"
			    "\tt1.1@memory#1 -> t2\n"
			    "\tt2.0@xchg(4K)#1 -> t1\n";

static void assert_becomes(struct program *prog, const char *text)
{
	char *found = text_of(prog);

	assert_valid(prog);
	assert_string_equal(found, text);
	free(found);
}

static void operations_go_behind_the_others(void **state)
{
	struct program *prog = program_alloc();

	(void)state;
	assert_parses(prog, three);
	assert_int_equal(program_merge_threads(prog, 0, 1, false), 0);
	/* t0 ends two operations later; the switch from t0 to t1 has no meaning any more. */
	assert_becomes(prog, "tdp 1\n"
			     "vm mmu=ept ad=on levels=4\n"
			     "slot 0 base=0x0 pages=0x400 backing=4K\n"
			     "thread vcpu 0\n"
			     "\tread 0x0\n"
			     "\tread 0x1\n"
			     "\twrite 0x10\n"
			     "\twrite 0x11\n"
			     "thread host\n"
			     "\tunmap 0x0 0x1\n"
			     "schedule\n"
			     "\tt0.1@op#1 -> t1\n"
			     "\tt0.3@walk(4K)#1 evict\n"
			     "\tt0.3@memory#1 -> t1\n"
			     "\tt0.4@end#1 -> t1\n"
			     "\tt1.0@xchg(4K)#1 -> t0\n");
	program_free(prog);
}

static void operations_go_before_the_others(void **state)
{
	struct program *prog = program_alloc();

	(void)state;
	assert_parses(prog, three);
	assert_int_equal(program_merge_threads(prog, 0, 1, true), 0);
	assert_becomes(prog, "tdp 1\n"
			     "vm mmu=ept ad=on levels=4\n"
			     "slot 0 base=0x0 pages=0x400 backing=4K\n"
			     "thread vcpu 0\n"
			     "\twrite 0x10\n"
			     "\twrite 0x11\n"
			     "\tread 0x0\n"
			     "\tread 0x1\n"
			     "thread host\n"
			     "\tunmap 0x0 0x1\n"
			     "schedule\n"
			     "\tt0.1@walk(4K)#1 evict\n"
			     "\tt0.1@memory#1 -> t1\n"
			     "\tt0.3@op#1 -> t1\n"
			     "\tt0.4@end#1 -> t1\n"
			     "\tt1.0@xchg(4K)#1 -> t0\n");
	program_free(prog);
}

static void what_cannot_be_merged_is_refused(void **state)
{
	struct program *prog = program_alloc(), *same = program_alloc();

	(void)state;
	assert_parses(prog, three);
	assert_int_equal(program_copy(same, prog), 0);
	assert_int_equal(program_merge_threads(prog, 0, 0, false), -EINVAL);
	assert_int_equal(program_merge_threads(prog, 0, 2, false), -EINVAL);
	assert_int_equal(program_merge_threads(prog, 0, 3, false), -EINVAL);
	assert_same(prog, same);
	program_free(prog);
	program_free(same);
}

static void threads_change_places_with_choices(void **state)
{
	struct program *prog = program_alloc(), *was = program_alloc();

	(void)state;
	assert_parses(prog, three);
	assert_int_equal(program_copy(was, prog), 0);
	program_swap_threads(prog, 0, 2);
	assert_becomes(prog, "tdp 1\n"
			     "vm mmu=ept ad=on levels=4\n"
			     "slot 0 base=0x0 pages=0x400 backing=4K\n"
			     "thread host\n"
			     "\tunmap 0x0 0x1\n"
			     "thread vcpu 1\n"
			     "\twrite 0x10\n"
			     "\twrite 0x11\n"
			     "thread vcpu 0\n"
			     "\tread 0x0\n"
			     "\tread 0x1\n"
			     "schedule\n"
			     "\tt0.0@xchg(4K)#1 -> t1\n"
			     "\tt1.1@walk(4K)#1 evict\n"
			     "\tt1.1@memory#1 -> t0\n"
			     "\tt2.0@tlb#1 -> t1\n"
			     "\tt2.1@op#1 -> t0\n"
			     "\tt2.2@end#1 -> t0\n");
	program_swap_threads(prog, 0, 2);
	assert_same(prog, was);
	program_free(prog);
	program_free(was);
}

static void vcpus_are_renumbered(void **state)
{
	struct program *prog = program_alloc();

	(void)state;
	assert_parses(prog, "tdp 1\nthread vcpu 3\nthread vcpu 0\nthread vmm\n");
	assert_int_equal(program_set_vcpu(prog, 0, 0), -EEXIST);
	assert_int_equal(program_set_vcpu(prog, 0, PROG_MAX_VCPUS), -EINVAL);
	assert_int_equal(program_set_vcpu(prog, 2, 1), -EINVAL);
	assert_int_equal(program_set_vcpu(prog, 0, 1), 0);
	assert_becomes(prog, "tdp 1\nvm mmu=ept ad=on levels=4\nthread vcpu 1\nthread vcpu 0\n"
			     "thread vmm\n");
	program_free(prog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_go_behind_the_others),
		cmocka_unit_test(operations_go_before_the_others),
		cmocka_unit_test(what_cannot_be_merged_is_refused),
		cmocka_unit_test(threads_change_places_with_choices),
		cmocka_unit_test(vcpus_are_renumbered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
