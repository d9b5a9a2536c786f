// SPDX-License-Identifier: GPL-2.0-only
/* Programs: both forms say the same, and each is the identity through the other. */
#include "program_fixture.h"

/* One of everything, in canonical form but for what the second text below spells otherwise. */
static const char canonical[] =
	"tdp 1\n"
	"vm mmu=ept ad=on levels=5 nx_huge_pages=off eager_split=on fault_policy=zap pml=on "
	"exec_only=off me=tdx l1tf=on maxphyaddr=45 cachebits=45 gen=0x1fe seq=0x80000000 "
	"manual_protect=on init_set=on nx_ratio=7 quirk_zap_all=off\n"
	"slot 0 base=0x0 pages=0x40000 backing=1G\n"
	"slot 1 base=0x40200 pages=0x333 backing=4K hvn=0x1 flags=ro\n"
	"slot 7 base=0x80000 pages=0x200 backing=2M flags=log,ro\n"
	"slot 0 base=0x0 pages=0x10 backing=mmio as=1 flags=log\n"
	"thread vcpu 3\n"
	"\tread 0x0\n"
	"\twrite 0x1234 x2\n"
	"\texec 0x123456789 x512/0x200\n"
	"\tspeculate 0x7\n"
	"\tprefault 0x200 0x201\n"
	"\troot-load\n"
	"\troot-unload\n"
	"\tsmm-enter\n"
	"\tsmm-leave\n"
	"\tguest-enter\n"
	"\tguest-leave\n"
	"thread host\n"
	"thread vmm\n"
	"\tslot-add 5 base=0x123456 pages=0x7654321 backing=2M as=1 hvn=0xfffffff flags=log\n"
	"\tslot-delete 1.2\n"
	"\tslot-move 0 0x200\n"
	"\tslot-flags 7 none\n"
	"\tslot-flags 1 log,ro\n"
	"\tlog-start 7\n"
	"\tlog-get 7\n"
	"\tlog-clear 1.0 0x40 0x40\n"
	"\tlog-stop 7\n"
	"\tsplit 0 2M\n"
	"\twrite-protect 0 0x10 1G\n"
	"\ttrack 6 0x33333333\n"
	"\tuntrack 6 0x33333333\n"
	"\tzap-range 0x0 0x40000\n"
	"\tzap-fast\n"
	"\tnx-recover\n"
	"\tnx-toggle on\n"
	"\tnx-toggle off\n"
	"\tdestroy\n"
	"thread host\n"
	"\tunmap 0xffffffffff 0x1\n"
	"\tremap 0x100 0x40\n"
	"\tclean 0x1 0x3\n"
	"\tage 0x0 0x10000000000\n"
	"\ttest-age 0x2 0x2\n"
	"\thuge-form 0x3 2M\n"
	"\thuge-form 0x3 1G\n"
	"\thuge-break 0x3 0x200\n"
	"\tprotect 0x3 0x200\n"
	"thread vmm\n"
	"schedule\n"
	"\tt0.0@op#1 -> t2\n"
	"\tt0.0@read(4K)#9 resched\n"
	"\tt0.0@cmpxchg(256T)#4000000000 -> t4\n"
	"\tt0.1@op#2 -> t1\n"
	"\tt0.1@walk(2M)#1 evict\n"
	"\tt2.0@call-rcu#129 gp-end\n"
	"\tt2.0@alloc#1 fail\n"
	"\tt2.0@alloc#1 reuse\n"
	"\tt3.7@faultin#128 reuse\n";

static const char spelt_otherwise[] =
	"# what a person may write\n"
	"\n"
	"tdp 1   # version\n"
	"vm quirk_zap_all=off nx_ratio=0x7 init_set=on manual_protect=on\tseq=2147483648 gen=510 "
	"cachebits=45 maxphyaddr=45 l1tf=on me=tdx exec_only=off pml=on fault_policy=zap "
	"eager_split=on nx_huge_pages=off levels=5\r\n"
	"slot 0 pages=262144 base=0 backing=1G flags= as=0 hvn=0\n"
	"slot 1 base=0x40200 pages=0x333 hvn=1 flags=ro\n"
	"slot 7 base=0x80000 pages=0x200 backing=2M flags=ro,log,ro\n"
	"slot 0 base=0x0 pages=0x10 backing=mmio as=1 flags=log\n"
	"  # a comment may be indented\n"
	"thread vcpu 3\n"
	"    read 0 x1\n"
	"  write 0x1234 x2/1\n"
	"\texec   4886718345\tx512/512\n"
	"\tspeculate 0x7\n"
	"\tprefault 0x200 0x201\n"
	"\troot-load\n"
	"\troot-unload\n"
	"\tsmm-enter\n"
	"\tsmm-leave\n"
	"\tguest-enter\n"
	"\tguest-leave\n"
	"thread host\n"
	"thread vmm\n"
	"\tslot-add 5 as=1 base=0x123456 pages=0x7654321 backing=2M hvn=0xFFFFFFF flags=log\n"
	"\tslot-delete 1.2\n"
	"\tslot-move 0.0 0x200\n"
	"\tslot-flags 7 none\n"
	"\tslot-flags 1 ro,log\n"
	"\tlog-start 7\n"
	"\tlog-get 7\n"
	"\tlog-clear 1.0 0x40 0x40\n"
	"\tlog-stop 7\n"
	"\tsplit 0 2M\n"
	"\twrite-protect 0 0x10 1G\n"
	"\ttrack 6 0x33333333\n"
	"\tuntrack 6 0x33333333\n"
	"\tzap-range 0x0 0x40000\n"
	"\tzap-fast\n"
	"\tnx-recover\n"
	"\tnx-toggle on\n"
	"\tnx-toggle off\n"
	"\tdestroy\n"
	"thread host\n"
	"\tunmap 0xffffffffff 0x1\n"
	"\tremap 0x100 0x40\n"
	"\tclean 0x1 0x3\n"
	"\tage 0x0 0x10000000000\n"
	"\ttest-age 0x2 0x2\n"
	"\thuge-form 0x3 2M\n"
	"\thuge-form 0x3 1G\n"
	"\thuge-break 0x3 0x200\n"
	"\tprotect 0x3 0x200\n"
	"thread vmm\n"
	"schedule\n"
	"\tt3.7@faultin#128 reuse\n"
	"\tt2.0@alloc#1 reuse\n"
	"\tt2.0@alloc#1 fail\n"
	"\tt2.0@call-rcu#0x81 gp-end # not a comment: #0x81\n"
	"\tt0.1@walk(2M)#1 evict\n"
	"\tt0.1@op#2 -> t1\n"
	"\tt0.0@cmpxchg(256T)#4000000000 -> t4\n"
	"\tt0.0@read(4K)#9 resched\n"
	"\tt0.0@op#1 -> t2";

static void canonical_text_is_kept(void **state)
{
	struct program *prog = program_alloc();
	char *text;

	(void)state;
	assert_parses(prog, canonical);
	text = text_of(prog);
	assert_string_equal(text, canonical);
	assert_round_trips(prog);
	free(text);
	program_free(prog);
}

static void other_spellings_become_canonical(void **state)
{
	struct program *prog = program_alloc(), *other = program_alloc();
	char *text;

	(void)state;
	assert_parses(prog, canonical);
	assert_parses(other, spelt_otherwise);
	assert_same(prog, other);
	text = text_of(other);
	assert_string_equal(text, canonical);
	free(text);
	program_free(prog);
	program_free(other);
}

static void defaults_are_left_out(void **state)
{
	struct program *prog = program_alloc();
	char *text;

	(void)state;
	assert_parses(prog, "tdp 1");
	text = text_of(prog);
	assert_string_equal(text, "tdp 1\nvm mmu=ept ad=on levels=4\n");
	assert_round_trips(prog);
	free(text);

	assert_parses(prog, "tdp 1\nvm mmu=npt\nslot 2 base=8 pages=1\nthread vmm\nschedule\n");
	text = text_of(prog);
	assert_string_equal(text, "tdp 1\nvm mmu=npt ad=on levels=4\n"
				  "slot 2 base=0x8 pages=0x1 backing=4K\nthread vmm\n");
	assert_round_trips(prog);
	free(text);
	program_free(prog);
}

static void lines_are_remembered(void **state)
{
	struct program *prog = program_alloc();

	(void)state;
	assert_parses(prog, "tdp 1\n\nthread vmm\n\tzap-fast\n# here\n\tzap-fast\nschedule\n"
			    "\tt0.1@alloc#1 fail\n\tt0.0@alloc#1 fail\n");
	assert_int_equal(prog->threads[0].lines[0], 4);
	assert_int_equal(prog->threads[0].lines[1], 6);
	assert_int_equal(prog->choices[0].line, 9);
	assert_int_equal(prog->choices[1].line, 8);
	program_free(prog);
}

static void printing_says_how_long(void **state)
{
	struct program *prog = program_alloc();
	char buf[sizeof(canonical)];
	size_t size;

	(void)state;
	assert_parses(prog, canonical);
	assert_int_equal(program_print(prog, NULL, 0), sizeof(canonical) - 1);
	for (size = 1; size < sizeof(canonical); size++) {
		memset(buf, 'x', sizeof(buf));
		assert_int_equal(program_print(prog, buf, size), sizeof(canonical) - 1);
		assert_memory_equal(buf, canonical, size - 1);
		assert_int_equal(buf[size - 1], '\0');
		assert_int_equal(buf[size], 'x');
	}
	program_free(prog);
}

static void single_lines_print(void **state)
{
	struct program *prog = program_alloc();
	char buf[64];

	(void)state;
	assert_parses(prog, canonical);
	assert_int_equal(op_print(&prog->threads[0].ops[2], buf, sizeof(buf)), 27);
	assert_string_equal(buf, "exec 0x123456789 x512/0x200");
	choice_print(&prog->choices[2], buf, sizeof(buf));
	assert_string_equal(buf, "t0.0@cmpxchg(256T)#4000000000 -> t4");
	program_free(prog);
}

static void generated_programs_round_trip(void **state)
{
	struct program *prog = program_alloc();
	uint64_t seed;

	(void)state;
	for (seed = 0; seed < 2000; seed++) {
		assert_int_equal(program_generate(prog, seed, seed % 40), 0);
		assert_int_equal(program_nr_ops(prog), seed % 40);
		assert_round_trips(prog);
	}
	program_free(prog);
}

static void generated_programs_repeat(void **state)
{
	struct program *a = program_alloc(), *b = program_alloc();

	(void)state;
	program_generate(a, 7, 16);
	program_generate(b, 8, 16);
	assert_false(program_equal(a, b));
	program_generate(b, 7, 16);
	assert_same(a, b);
	program_free(a);
	program_free(b);
}

/* The bench set is 200 of these: all operations must be among them. */
static void generated_programs_have_all_operations(void **state)
{
	struct program *prog = program_alloc();
	unsigned int seen[OP_NR] = { 0 };
	uint32_t i, j;
	uint64_t seed;

	(void)state;
	for (seed = 0; seed < 200; seed++) {
		program_generate(prog, seed, 16);
		for (i = 0; i < prog->nr_slots; i++)
			assert_in_range(prog->slots[i].npages, 1, 2048);
		for (i = 0; i < prog->nr_threads; i++) {
			for (j = 0; j < prog->threads[i].nr_ops; j++)
				seen[prog->threads[i].ops[j].kind]++;
		}
	}
	for (i = 0; i < OP_NR; i++) {
		if (!seen[i])
			fail_msg("no '%s' in 200 programs", op_infos[i].name);
	}
	program_free(prog);
}

static void programs_are_copied(void **state)
{
	struct program *prog = program_alloc(), *other = program_alloc();

	(void)state;
	assert_parses(prog, canonical);
	assert_parses(other, "tdp 1\nthread vmm\n\tzap-fast\n");
	assert_int_equal(program_copy(other, prog), 0);
	assert_same(prog, other);
	assert_int_equal(other->threads[2].lines[0], prog->threads[2].lines[0]);
	other->threads[2].ops[3].flags ^= SLOT_LOG;
	assert_false(program_equal(prog, other));
	program_free(prog);
	program_free(other);
}

static void edits_keep_choices_with_their_operations(void **state)
{
	struct op op = { .kind = OP_ZAP_FAST };
	struct program *prog = program_alloc();
	char *text;

	(void)state;
	assert_parses(prog, "tdp 1\nthread vmm\n\tlog-get 0\n\tlog-get 1\n\tlog-get 2\n"
			    "thread host\n\tunmap 0 1\nthread vcpu 0\n\troot-load\nschedule\n"
			    "\tt0.1@alloc#1 fail\n\tt0.2@op#1 -> t2\n\tt1.0@op#1 -> t2\n"
			    "\tt2.0@op#1 -> t1\n\tt2.0@alloc#2 fail\n");
	assert_int_equal(program_insert_op(prog, 0, 4, &op), -EINVAL);
	assert_int_equal(program_insert_op(prog, 0, 1, &op), 0);
	program_remove_op(prog, 0, 0);
	program_remove_op(prog, 0, 1);
	program_remove_thread(prog, 1);
	assert_valid(prog);
	text = text_of(prog);
	assert_string_equal(text, "tdp 1\nvm mmu=ept ad=on levels=4\nthread vmm\n\tzap-fast\n"
				  "\tlog-get 2\nthread vcpu 0\n\troot-load\nschedule\n"
				  "\tt0.1@op#1 -> t1\n\tt1.0@alloc#2 fail\n");
	free(text);
	program_free(prog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_text_is_kept),
		cmocka_unit_test(other_spellings_become_canonical),
		cmocka_unit_test(defaults_are_left_out),
		cmocka_unit_test(lines_are_remembered),
		cmocka_unit_test(printing_says_how_long),
		cmocka_unit_test(single_lines_print),
		cmocka_unit_test(generated_programs_round_trip),
		cmocka_unit_test(generated_programs_repeat),
		cmocka_unit_test(generated_programs_have_all_operations),
		cmocka_unit_test(programs_are_copied),
		cmocka_unit_test(edits_keep_choices_with_their_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
