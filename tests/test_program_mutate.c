// SPDX-License-Identifier: GPL-2.0-only
/* Mutations: valid programs from valid programs, each kind reached, the same for the same seed. */
#include "mutate.h"
#include "program_fixture.h"

static const char sample[] = "tdp 1\n"
			     "vm mmu=ept ad=on levels=4 maxphyaddr=40\n"
			     "slot 0 base=0x0 pages=0x400 backing=2M\n"
			     "slot 1 base=0xffffc00 pages=0x400 backing=4K flags=log\n"
			     "thread vcpu 0\n"
			     "\twrite 0x10\n"
			     "\tread 0x11 x4/0x10\n"
			     "\texec 0x200\n"
			     "thread vcpu 2\n"
			     "\twrite 0xfffffff\n"
			     "thread vmm\n"
			     "\tlog-start 0\n"
			     "\tlog-clear 0 0x0 0x40\n"
			     "thread host\n"
			     "\tunmap 0x0 0x200\n"
			     "\tage 0xffffc00 0x400\n"
			     "schedule\n"
			     "\tt0.1@op#2 -> t2\n"
			     "\tt0.1@read(1G)#1 resched\n"
			     "\tt0.2@alloc#1 fail\n"
			     "\tt2.0@op#1 -> t3\n"
			     "\tt3.0@walk(4K)#1 evict\n";

static const char *const names[MUTATION_NR] = {
#define MUTATION(name, function, weight) #name,
	MUTATION_LIST(MUTATION)
#undef MUTATION
};

static void each_mutation_changes_the_sample(void **state)
{
	struct program *prog = program_alloc(), *mutant = program_alloc();
	int how;

	(void)state;
	assert_parses(prog, sample);
	for (how = 0; how < MUTATION_NR; how++) {
		unsigned int applied = 0, changed = 0;
		uint64_t seed;

		for (seed = 0; seed < 100; seed++) {
			struct rng rng = rng_seed(seed);

			assert_int_equal(program_copy(mutant, prog), 0);
			if (!mutate(mutant, how, &rng)) {
				assert_same(mutant, prog);
				continue;
			}
			applied++;
			changed += !program_equal(mutant, prog);
			assert_round_trips(mutant);
		}
		/* Some picks have nothing to change, some change nothing; most do. */
		if (applied < 20 || changed < applied / 3)
			fail_msg("%s: applied %u times of 100, changed something %u times",
				 names[how], applied, changed);
	}
	program_free(prog);
	program_free(mutant);
}

/* One mutation after the other, from next to nothing to whatever comes of it. */
static void each_mutation_takes_any_program(void **state)
{
	static const char *const starts[] = {
		"tdp 1\n",
		"tdp 1\nthread vmm\n",
		"tdp 1\nslot 0 base=0x3ffffffff pages=1\nthread vcpu 3\n\tread 0x3ffffffff\n",
		"tdp 1\nvm mmu=npt levels=5 maxphyaddr=52\nslot 7 base=0xfffffffffe pages=2 as=1\n"
		"thread host\n\tunmap 0xffffffffff 1\nthread vcpu 0\n\twrite 0xffffffffff\n",
		"tdp 1\nvm maxphyaddr=36\nslot 0 base=0 pages=0x1000000 backing=1G\nthread vcpu 0\n"
		"\texec 0 x1048576/0x10\nthread vmm\n\tzap-range 0 0x1000000\n",
	};
	struct program *prog = program_alloc();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
		int how, n;

		for (how = 0; how < MUTATION_NR; how++) {
			struct rng rng = rng_seed(i);

			assert_parses(prog, starts[i]);
			for (n = 0; n < 20; n++) {
				mutate(prog, how, &rng);
				assert_valid(prog);
			}
			for (n = 0; n < 200; n++) {
				mutate(prog, rng_below(&rng, MUTATION_NR), &rng);
				assert_valid(prog);
			}
			assert_round_trips(prog);
		}
	}
	program_free(prog);
}

static void mutants_are_canonical_and_repeat(void **state)
{
	struct program *prog = program_alloc();
	uint8_t data[512], again[512];
	struct rng rng = rng_seed(3);
	unsigned int seed;

	(void)state;
	for (seed = 0; seed < 3000; seed++) {
		size_t max = 1 + rng_below(&rng, sizeof(data)), size = rng_below(&rng, max + 1);
		size_t i, size2, size3;
		uint8_t *bytes;

		for (i = 0; i < size; i++)
			data[i] = rng_next(&rng);
		memcpy(again, data, size);
		size2 = program_mutate(data, size, max, seed);
		assert_in_range(size2, 1, max);
		assert_int_equal(program_mutate(again, size, max, seed), size2);
		assert_memory_equal(data, again, size2);
		assert_int_equal(data[0], PROG_BINARY_MAGIC | PROG_VERSION);

		program_decode(prog, data, size2);
		assert_valid(prog);
		if (max < sizeof(data) / 2)
			continue;
		bytes = bytes_of(prog, &size3);
		assert_int_equal(size3, size2);
		assert_memory_equal(bytes, data, size2);
		free(bytes);
	}
	program_free(prog);
}

/* A fuzzer that starts with one read gets everywhere. */
static void mutants_reach_everything(void **state)
{
	bool ops[OP_NR] = { false }, actions[CHOICE_NR] = { false };
	struct program *prog = program_alloc();
	uint8_t data[2048];
	unsigned int seed;
	uint32_t i, j;
	size_t size = 1;

	(void)state;
	data[0] = PROG_BINARY_MAGIC | PROG_VERSION;
	for (seed = 0; seed < 3000; seed++) {
		if (seed % 50 == 0)
			size = 1;
		size = program_mutate(data, size, sizeof(data), seed);
		program_decode(prog, data, size);
		for (i = 0; i < prog->nr_threads; i++) {
			for (j = 0; j < prog->threads[i].nr_ops; j++)
				ops[prog->threads[i].ops[j].kind] = true;
		}
		for (i = 0; i < prog->nr_choices; i++)
			actions[prog->choices[i].action] = true;
	}
	for (i = 0; i < OP_NR; i++) {
		if (!ops[i])
			fail_msg("never '%s'", op_infos[i].name);
	}
	for (i = 0; i < CHOICE_NR; i++) {
		if (!actions[i])
			fail_msg("never '%s'", choice_names[i]);
	}
	program_free(prog);
}

/* Whether a thread of the kind has the operation. */
static bool has_op(const struct program *prog, enum op_kind kind)
{
	uint32_t i, j;

	for (i = 0; i < prog->nr_threads; i++) {
		for (j = 0; j < prog->threads[i].nr_ops; j++) {
			if (prog->threads[i].ops[j].kind == kind)
				return true;
		}
	}
	return false;
}

static void crossover_takes_from_both(void **state)
{
	struct program *a = program_alloc(), *b = program_alloc(), *child = program_alloc();
	uint8_t out[1024], again[1024], *bytes_a, *bytes_b;
	unsigned int seed, both = 0;
	size_t size_a, size_b, size;

	(void)state;
	assert_parses(a, sample);
	assert_parses(b, "tdp 1\nvm mmu=npt\nthread vmm\n\tzap-fast\n\tnx-recover\nthread vcpu 1\n"
			 "\tprefault 0x1 0x2\n\troot-load\nschedule\n\tt0.1@op#1 -> t1\n");
	bytes_a = bytes_of(a, &size_a);
	bytes_b = bytes_of(b, &size_b);
	for (seed = 0; seed < 500; seed++) {
		size_t max = seed % 2 ? sizeof(out) : 100;

		size = program_crossover(bytes_a, size_a, bytes_b, size_b, out, max, seed);
		assert_in_range(size, 1, max);
		assert_int_equal(program_crossover(bytes_a, size_a, bytes_b, size_b, again, max,
						   seed),
				 size);
		assert_memory_equal(out, again, size);
		program_decode(child, out, size);
		assert_valid(child);
		both += has_op(child, OP_UNMAP) &&
			(has_op(child, OP_ZAP_FAST) || has_op(child, OP_PREFAULT));
	}
	assert_in_range(both, 200, 500);
	free(bytes_a);
	free(bytes_b);
	program_free(a);
	program_free(b);
	program_free(child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mutation_changes_the_sample),
		cmocka_unit_test(each_mutation_takes_any_program),
		cmocka_unit_test(mutants_are_canonical_and_repeat),
		cmocka_unit_test(mutants_reach_everything),
		cmocka_unit_test(crossover_takes_from_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
